// SPDX-License-Identifier: MIT
// The command stream of a network, built layer by layer from shapes, with its tensors where a compiler for the chip
// would put them: weights in DRAM, activations in SHM as long as they are needed (in DRAM if they do not fit), inputs and
// outputs in the host's memory. A FENCE stands between layers. Values are never set: only shapes cost time.
#pragma once

#include "driver.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bench {

using dims = std::vector<std::uint64_t>;

// First and last VA of the three areas; chip.cpp maps them.
inline constexpr std::uint64_t system_va = 0x10'0000'0000;
inline constexpr std::uint64_t system_bytes = 32ull << 20;
inline constexpr std::uint64_t local_va = 0x20'0000'0000;
inline constexpr std::uint64_t local_bytes = 512ull << 20;
/** Of these for what no command writes. */
inline constexpr std::uint64_t constant_bytes = 384ull << 20;
inline constexpr std::uint64_t shm_va = 0x30'0000'0000;
inline constexpr std::uint64_t shm_bytes = 32ull << 20;

/** Hands out addresses of one area, first fit; what is given back is used again. */
class area {
public:
	area(std::uint64_t va, std::uint64_t bytes) : free_{{va, bytes}} {}
	/** @return 0 if there is no room */
	std::uint64_t take(std::uint64_t bytes);
	void give_back(std::uint64_t va, std::uint64_t bytes);
	/** Most bytes that were taken at a time. */
	std::uint64_t peak() const { return peak_; }

private:
	std::map<std::uint64_t, std::uint64_t> free_; // VA to bytes
	std::uint64_t taken_ = 0;
	std::uint64_t peak_ = 0;
};

/** An activation: a dense tensor, or a view of one. */
struct value {
	atom_tensor tensor{};
	std::uint64_t va = 0; // of the memory behind it
	std::uint64_t bytes = 0;

	value view(std::uint64_t offset, const dims &d, const std::vector<std::int64_t> &strides_in_bytes) const;
};

/** Names of a command: of its own, and of the kind of layer that it belongs to. */
struct label {
	std::string name;
	std::string kind;
};

class stream {
public:
	/** @p dtype of weights and activations: ATOM_DTYPE_I8 (quantised) or ATOM_DTYPE_F16. */
	explicit stream(std::uint8_t dtype) : dtype_(dtype) {}

	/** Names of the commands that follow. */
	void layer(std::string name, std::string kind);

	/** A tensor in the host's memory. */
	value host(std::uint8_t dtype, const dims &d);
	/** Copied to the device, or back; without a FENCE behind it. */
	value load(const value &from);
	void store(const value &from);
	value cast(const value &from);
	/** Given up: its memory can be used by what follows. */
	void done(const value &v);

	struct conv_shape {
		std::uint64_t out_channels, kernel, stride, pad;
		bool relu = true;
	};
	value conv(const value &in, const conv_shape &shape, const value *residual = nullptr);
	value max_pool(const value &in, std::uint64_t kernel, std::uint64_t stride, std::uint64_t pad);
	value average_pool(const value &in);
	/** [m, k] times weights [k, n]. */
	value linear(const value &in, std::uint64_t n, std::uint16_t activation = ATOM_FN_IDENTITY,
		     const value *residual = nullptr, std::uint8_t out_dtype = ATOM_DTYPE_NONE);
	/** Products of activations; @p out is a view to write, of memory made by make(). */
	void matmul(const value &a, const value &b, const value &out);
	value make(std::uint8_t dtype, const dims &d);
	value softmax(const value &in, const value &mask, float scale);
	value norm(const value &in);
	value gather(const value &index, std::uint64_t rows, std::uint64_t columns);
	/** a + b + a table of the weights. */
	value add_with_table(const value &a, const value &b);
	void fence();

	const std::vector<label> &labels() const { return labels_; }
	const std::vector<std::byte> &bytes() { return commands_.bytes(); }
	/** Multiply-accumulates of the layers so far, from their shapes. */
	std::uint64_t macs() const { return macs_; }
	std::uint64_t weights() const { return weights_; }
	std::uint64_t shm_peak() const { return shm_.peak(); }

private:
	template <typename T> T command(atom_opcode opcode) const;
	atom_tensor tensor(std::uint8_t dtype, std::uint64_t va, const dims &d) const;
	/** Memory that stays as it is: its promise is made to the device. */
	std::uint64_t constant(std::uint64_t bytes);
	atom_tensor weight(const dims &d, std::uint8_t channel_axis);
	atom_tensor bias(const value &out);
	atom_tensor parameter(std::uint64_t n, const value &like);

	std::uint8_t dtype_;
	std::vector<label> labels_;
	atom::host::command_bytes commands_;
	area system_{system_va, system_bytes};
	area constants_{local_va, constant_bytes};
	area local_{local_va + constant_bytes, local_bytes - constant_bytes};
	area shm_{shm_va, shm_bytes};
	std::uint64_t macs_ = 0;
	std::uint64_t weights_ = 0;
};

} // namespace bench
