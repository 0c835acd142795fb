/* SPDX-License-Identifier: MIT */
/**
 * @file harness.h
 * @brief Builds commands, gives them a small memory, runs them.
 */
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <sanitizer/asan_interface.h>

#include "engine/engine.h"

namespace atom::engine::test {

/** VA of the first byte of the memory. */
inline constexpr std::uint64_t memory_va = 0x7f0000000000;

/** What is kept of constant operands, for memories one after the other or in several threads. */
class kept_rooms {
public:
	std::byte *find(std::vector<std::uint64_t> key, std::size_t bytes)
	{
		const std::lock_guard lock(mutex_);
		std::vector<room> &r = rooms_[std::move(key)];
		if (r.empty())
			r.resize((bytes + sizeof(room) - 1) / sizeof(room));
		return r.size() * sizeof(room) < bytes ? nullptr : r[0].bytes;
	}
	std::size_t count() const { return rooms_.size(); }

private:
	struct alignas(64) room {
		std::byte bytes[64] = {};
	};
	std::mutex mutex_;
	std::map<std::vector<std::uint64_t>, std::vector<room>> rooms_;
};

/**
 * Memory of a test; what each operand may touch is checked at every access. With AddressSanitizer what is of no operand
 * cannot be touched while this lives, by pointers that map() gave either.
 */
class fake_memory final : public memory {
public:
	enum class mapping { whole, pages, never };

	fake_memory(std::span<std::byte> bytes, std::span<const operand> operands, mapping how)
		: bytes_(bytes), operands_(operands), how_(how)
	{
		ASAN_POISON_MEMORY_REGION(bytes_.data(), bytes_.size());
		for (const operand &o : operands_)
			ASAN_UNPOISON_MEMORY_REGION(extent(o, bytes_).data(), extent(o, bytes_).size());
	}
	~fake_memory() { ASAN_UNPOISON_MEMORY_REGION(bytes_.data(), bytes_.size()); }
	fake_memory(const fake_memory &) = delete;
	fake_memory &operator=(const fake_memory &) = delete;

	/** What @p o may touch of @p bytes; less than the operand where it reaches out of them. */
	static std::span<std::byte> extent(const operand &o, std::span<std::byte> bytes)
	{
		const auto first = static_cast<__int128>(o.va) + o.low - memory_va;
		const auto clamp = [&](__int128 x) {
			return static_cast<std::size_t>(std::clamp<__int128>(x, 0, static_cast<__int128>(bytes.size())));
		};
		return bytes.subspan(clamp(first), clamp(first + (o.high - o.low)) - clamp(first));
	}

	std::byte *map(std::size_t i, std::int64_t low, std::int64_t high, std::uint32_t access) override
	{
		std::byte *p = at(i, low, high, access);
		if (!p || how_ == mapping::never)
			return nullptr;
		const auto page = [&](std::int64_t x) { return (p - bytes_.data() + x) / 4096; };
		return how_ == mapping::pages && page(0) != page(high - low - 1) ? nullptr : p;
	}
	bool read(std::size_t i, std::int64_t low, void *to, std::size_t bytes) override
	{
		const std::byte *p = at(i, low, low + static_cast<std::int64_t>(bytes), ATOM_ACCESS_READ);
		if (p)
			std::memcpy(to, p, bytes);
		return p;
	}
	bool write(std::size_t i, std::int64_t low, const void *from, std::size_t bytes) override
	{
		std::byte *p = at(i, low, low + static_cast<std::int64_t>(bytes), ATOM_ACCESS_WRITE);
		if (p)
			std::memcpy(p, from, bytes);
		return p;
	}
	std::byte *keep(std::size_t i, std::span<const std::uint64_t> form, std::size_t bytes) override
	{
		std::vector<std::uint64_t> key = {operands_[i].va};
		key.insert(key.end(), form.begin(), form.end());
		return rooms->find(std::move(key), bytes);
	}
	void fail(const fault &why) override
	{
		if (!why_)
			why_ = why;
	}
	bool failed() const override { return static_cast<bool>(why_); }
	bool interrupted() override
	{
		was_interrupted = interrupts && interrupts-- == 1;
		return was_interrupted;
	}
	tile_progress &progress() override { return kept; }

	const fault &why() const { return why_; }
	/** Accesses outside an operand: the engine's error, not the command's. */
	const std::string &breach() const { return breach_; }

	unsigned interrupts = 0; ///< the n-th question is answered by yes
	bool was_interrupted = false; ///< the last one was
	std::function<void()> before_access; ///< what the guest does meanwhile
	kept_rooms *rooms = &own_rooms_; ///< for constant operands
	tile_progress kept; ///< of the one tile that is run; to be reset before another

private:
	std::byte *at(std::size_t i, std::int64_t low, std::int64_t high, std::uint32_t access)
	{
		if (before_access)
			before_access();
		if (failed())
			breach_ = "access after a fault";
		if (i >= operands_.size()) {
			breach_ = "no such operand";
			return nullptr;
		}
		const operand &o = operands_[i];
		if (low < o.low || high > o.high || low >= high || !(o.access & access)) {
			breach_ = "operand " + std::to_string(i) + ": [" + std::to_string(low) + ", " +
				  std::to_string(high) + ") access " + std::to_string(access);
			return nullptr;
		}
		const auto first = static_cast<__int128>(o.va) + low - memory_va;
		if (first < 0 || first + (high - low) > static_cast<__int128>(bytes_.size())) {
			fault why;
			why.code = ATOM_FAULT_NOT_PRESENT;
			why.where = ATOM_WHERE_DATA;
			fail(why);
			return nullptr;
		}
		return bytes_.data() + static_cast<std::size_t>(first);
	}

	kept_rooms own_rooms_;
	std::span<std::byte> bytes_;
	std::span<const operand> operands_;
	mapping how_;
	fault why_;
	std::string breach_;
};

/** Bytes aligned as pages are. */
class arena {
public:
	explicit arena(std::size_t bytes)
		: bytes_(bytes), storage_(static_cast<std::byte *>(::operator new(bytes, std::align_val_t{4096})))
	{
		std::memset(storage_.get(), 0xa5, bytes);
	}
	arena(const arena &from) : arena(from.bytes_) { std::memcpy(storage_.get(), from.storage_.get(), bytes_); }
	arena &operator=(const arena &) = delete;

	std::span<std::byte> bytes() { return {storage_.get(), bytes_}; }
	template <class T> T *at(std::uint64_t offset) { return reinterpret_cast<T *>(storage_.get() + offset); }
	/** What the guest does while a command runs, which may not touch this memory by itself (see fake_memory). */
	[[gnu::no_sanitize_address, gnu::no_sanitize_thread]] void poke(std::uint64_t offset, std::uint32_t value)
	{
		*at<volatile std::uint32_t>(offset) = value;
	}
	bool operator==(const arena &other) const
	{
		return bytes_ == other.bytes_ && std::memcmp(storage_.get(), other.storage_.get(), bytes_) == 0;
	}

private:
	struct release {
		void operator()(std::byte *p) const { ::operator delete(p, std::align_val_t{4096}); }
	};
	std::size_t bytes_;
	std::unique_ptr<std::byte, release> storage_;
};

/** Bytes of an element or block. */
inline std::int64_t size_of(unsigned dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return 1;
	case ATOM_DTYPE_I16:
	case ATOM_DTYPE_F16:
	case ATOM_DTYPE_BF16:
		return 2;
	case ATOM_DTYPE_I64:
		return 8;
	case ATOM_DTYPE_Q8_0:
		return 34;
	case ATOM_DTYPE_Q4_0:
		return 18;
	case ATOM_DTYPE_Q4_1:
		return 20;
	default:
		return 4;
	}
}

/** A dense tensor at byte @p offset of argument 0 (slot 1), which is the memory. */
inline atom_tensor dense(unsigned dtype, std::uint64_t offset, const std::vector<std::uint64_t> &dims)
{
	atom_tensor t{};
	t.slot = 1;
	t.dtype = static_cast<std::uint8_t>(dtype);
	t.rank = static_cast<std::uint8_t>(dims.size());
	t.offset = offset;
	std::uint64_t stride = static_cast<std::uint64_t>(size_of(dtype));
	for (std::size_t i = dims.size(); i-- > 0;) {
		t.dims[i] = dims[i];
		t.strides[i] = stride;
		stride *= dims[i];
	}
	return t;
}

/** Blocks along the last dimension. */
inline atom_tensor dense_blocks(unsigned dtype, std::uint64_t offset, const std::vector<std::uint64_t> &dims)
{
	atom_tensor t = dense(dtype, offset, dims);
	t.quant.kind = ATOM_QUANT_BLOCK;
	t.quant.axis = static_cast<std::uint8_t>(dims.size() - 1);
	for (std::size_t i = 0; i + 1 < dims.size(); ++i)
		t.strides[i] /= 32;
	return t;
}

inline atom_tensor quantised(atom_tensor t, float scale, int zero_point)
{
	t.quant.kind = ATOM_QUANT_PER_TENSOR;
	t.quant.scale = scale;
	t.quant.zero_point = static_cast<std::uint32_t>(zero_point);
	return t;
}

inline void swap_dims(atom_tensor &t, unsigned i, unsigned j)
{
	std::swap(t.dims[i], t.dims[j]);
	std::swap(t.strides[i], t.strides[j]);
}

template <class T> T command(unsigned opcode, unsigned flags = 0)
{
	T c{};
	c.header.opcode = static_cast<std::uint16_t>(opcode);
	c.header.flags = static_cast<std::uint16_t>(flags);
	c.header.bytes = sizeof(T);
	return c;
}

template <class T> std::span<const std::byte> bytes_of(const T &c)
{
	return std::as_bytes(std::span(&c, 1));
}

/** Whether every operand is mapped as a whole, as it has to be. */
inline bool is_mapped(const operation &op, arena &mem)
{
	return std::ranges::all_of(op.operands(), [&](const operand &o) {
		return fake_memory::extent(o, mem.bytes()).size() == static_cast<std::size_t>(o.high - o.low);
	});
}

/**
 * Runs all tiles in order, those that are interrupted again until they end: by the @p interrupts-th question
 * first, and then later each time, as the model has more patience.
 */
inline void run_tiles(const operation &op, fake_memory &m, unsigned interrupts = 0)
{
	scratch work;
	for (std::uint64_t tile = 0; tile < op.tiles() && !m.failed(); ++tile) {
		m.kept = {};
		unsigned patience = interrupts;
		do {
			m.interrupts = patience;
			patience *= 2;
			m.was_interrupted = false;
			op.run(tile, m, work);
		} while (m.was_interrupted && !m.failed());
	}
}

struct outcome {
	fault why;
	std::string breach;
	bool decoded = false;
};

inline atom_arg whole(arena &mem) { return {memory_va, mem.bytes().size()}; }

/** Decodes and runs all tiles, in a shuffled order; @p rooms: where constant operands are kept, if not for this run only. */
inline outcome run(std::span<const std::byte> c, arena &mem, bool reference,
		   fake_memory::mapping how = fake_memory::mapping::whole, std::uint64_t most_tiles = UINT64_MAX,
		   std::span<const atom_arg> args = {}, kept_rooms *rooms = nullptr)
{
	const atom_arg all[] = {whole(mem)};
	outcome o;
	const auto op = decode(c, args.empty() ? std::span<const atom_arg>(all) : args, {.reference = reference},
			       o.why);
	if (!op)
		return o;
	o.decoded = true;
	fake_memory m(mem.bytes(), op->operands(), how);
	if (rooms)
		m.rooms = rooms;
	scratch work;
	std::vector<std::uint64_t> order(static_cast<std::size_t>(std::min(op->tiles(), most_tiles)));
	std::iota(order.begin(), order.end(), 0);
	std::shuffle(order.begin(), order.end(), std::minstd_rand(7));
	for (const std::uint64_t tile : order) {
		op->run(tile, m, work);
		if (m.failed())
			break;
	}
	o.why = m.why();
	o.breach = m.breach();
	return o;
}

template <class T> outcome run(const T &c, arena &mem, bool reference)
{
	return run(bytes_of(c), mem, reference);
}

} // namespace atom::engine::test
