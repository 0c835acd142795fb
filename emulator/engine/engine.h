/* SPDX-License-Identifier: MIT */
/**
 * @file engine.h
 * @brief The tensor engine as the device model sees it: decode a command once,
 * then run it tile by tile.
 *
 * The model owns memory, translation, time and threads; the engine owns what a
 * command means. decode() copies and validates everything that a command says,
 * so that run() never looks at the guest's command again. run() reaches guest
 * memory only through the `memory` given to it.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "atom/hw/queue.h"

namespace atom::engine {

/** Why a command cannot run or go on. Code ATOM_FAULT_NONE means that all is well. */
struct fault {
	std::uint16_t code = ATOM_FAULT_NONE;
	std::uint16_t where = ATOM_WHERE_NONE; ///< enum atom_fault_where
	std::uint32_t field = 0;               ///< byte offset in the command
	std::uint64_t va = 0;
	std::uint32_t access = 0; ///< ATOM_ACCESS_*

	explicit operator bool() const { return code != ATOM_FAULT_NONE; }
};

/** One tensor, table or array that a command touches; addresses are resolved against the arguments. */
struct operand {
	std::uint64_t va = 0;     ///< of element (0, 0, ..)
	std::int64_t low = 0;     ///< lowest byte touched, relative to va (negative strides)
	std::int64_t high = 0;    ///< one behind the highest byte touched
	std::uint32_t access = 0; ///< ATOM_ACCESS_READ and/or ATOM_ACCESS_WRITE
	std::uint32_t field = 0;  ///< where the command names it, for faults
	std::uint64_t bytes = 0;  ///< of its elements, each counted once: what a command has to move
};

/** Where an interrupted tile goes on when it is run again. Default: at its start. */
struct tile_progress {
	std::int64_t k = 0;            ///< terms of each sum that are in `sums` already
	std::vector<std::byte> sums;   ///< accumulators, as the operation lays them out; some KiB at most
};

/**
 * Guest memory during one tile. Not shared between threads. A fault is kept
 * here; after a failed call the operation returns at once.
 */
class memory {
public:
	virtual ~memory() = default;

	/**
	 * Host address of bytes [low, high) of an operand if they are contiguous
	 * on the host and allow @p access, else nullptr (which may or may not be a
	 * fault: see failed()). Valid until the tile ends. The pointer is to byte `low`.
	 */
	virtual std::byte *map(std::size_t operand, std::int64_t low, std::int64_t high,
			       std::uint32_t access) = 0;
	/** Copies bytes [low, low + bytes) of an operand out of, or into, guest memory. False: fault. */
	virtual bool read(std::size_t operand, std::int64_t low, void *to, std::size_t bytes) = 0;
	virtual bool write(std::size_t operand, std::int64_t low, const void *from, std::size_t bytes) = 0;
	/**
	 * Room for what an operation makes of operand @p operand, which its command promises to be constant: the same for each
	 * tile, thread and command that asks with the same numbers in @p form, as long as the promise holds, and zeroed at first.
	 * Aligned to 64, valid until the tile ends. nullptr: there is none.
	 */
	virtual std::byte *keep(std::size_t operand, std::span<const std::uint64_t> form, std::size_t bytes) = 0;
	/** The engine itself found a fault while it ran (an index out of range). */
	virtual void fail(const fault &why) = 0;
	virtual bool failed() const = 0;
	/**
	 * True when the model wants the tile to end early; the operation then
	 * leaves in progress() how far it came and returns, and the tile is run
	 * again. Asked about every millisecond, and only by commands whose tiles
	 * can be long: one whose output may be its input keeps its place, so that
	 * nothing is done twice.
	 */
	virtual bool interrupted() { return false; }
	/** What the tile's run before this one left, for this one to go on from and to leave its own in. */
	virtual tile_progress &progress() = 0;
};

/** Work buffers of one worker thread, grown on demand and kept between tiles. */
class scratch {
public:
	/**
	 * @p index 0..7 names the buffer; at least @p bytes, aligned to 64. Content is whatever was there.
	 * @throws std::bad_alloc there is no memory, or more is asked for than any command needs
	 */
	std::byte *get(std::size_t index, std::size_t bytes);
	/** Bytes of all buffers. */
	std::size_t held() const;

private:
	struct aligned_delete {
		void operator()(std::byte *p) const;
	};
	std::unique_ptr<std::byte, aligned_delete> buffers_[8];
	std::size_t sizes_[8] = {};
};

/** What the timing model needs to know of a command. */
struct cost {
	enum class unit : std::uint8_t { none, dma, vector, matrix };
	unit where = unit::none;
	std::uint8_t dtype = 0;        ///< enum atom_dtype that sets the rate of the unit
	std::uint64_t macs = 0;        ///< multiply-accumulates (matrix unit)
	std::uint64_t elements = 0;    ///< results of vector work
	std::uint64_t m = 0, n = 0, k = 0; ///< shape on the matrix unit, for tile utilisation
};

/** A decoded command. Immutable; run() may be called from many threads for different tiles. */
class operation {
public:
	virtual ~operation() = default;

	std::span<const operand> operands() const { return operands_; }
	const cost &work() const { return cost_; }
	/** Tiles of work, at least 1; each takes about a millisecond at most. Any order, any thread. */
	std::uint64_t tiles() const { return tiles_; }
	/** Runs tile @p tile. Failures are left in @p mem. */
	virtual void run(std::uint64_t tile, memory &mem, scratch &work) const = 0;

protected:
	std::vector<operand> operands_;
	cost cost_;
	std::uint64_t tiles_ = 1;
};

struct options {
	bool reference = false;          ///< scalar, fixed order
	std::uint32_t macs_log2_max = 36; ///< limit of one command
};

/**
 * Decodes one command (header included; @p command has exactly header.bytes
 * bytes, which the caller has checked to be a multiple of 8 and >= 16).
 * NOP, FENCE and TIMESTAMP are decoded too (TIMESTAMP has one operand and no tile of
 * its own to compute: the model writes it).
 * @param args argument table, already copied; slot n is args[n - 1]
 * @return nullptr with @p why set if the command is malformed
 */
std::unique_ptr<operation> decode(std::span<const std::byte> command,
				  std::span<const atom_arg> args, const options &how, fault &why);

/** 256-bit map of the opcodes that decode() knows, bit n of word n / 64. */
std::span<const std::uint64_t, 4> opcodes();
/** Bit n: enum atom_dtype n is known. */
std::uint64_t dtypes();

/** What the fast kernels run on here, in words: "avx512-vnni-bf16", "avx2", "scalar". */
const char *isa_name();

} // namespace atom::engine
