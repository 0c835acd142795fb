/* SPDX-License-Identifier: MIT */
/**
 * @file fields.h
 * @brief Makes one field at a time of a valid command wrong: the fault must name it.
 */
#pragma once

#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

#include "harness.h"

namespace atom::engine::test {

/** Bytes of slot 1; slot 2 is a small one. */
inline constexpr std::uint64_t field_memory_bytes = 1 << 20;
inline constexpr float nan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float inf = std::numeric_limits<float>::infinity();

inline fault decode_fault(std::span<const std::byte> c, std::uint32_t macs_log2_max = 36)
{
	const atom_arg args[] = {{memory_va, field_memory_bytes}, {memory_va, 64}};
	fault why;
	const auto op = decode(c, args, {.reference = false, .macs_log2_max = macs_log2_max}, why);
	EXPECT_EQ(op == nullptr, static_cast<bool>(why));
	return why;
}

/** A wrong value at a field of a command of type T. */
template <class T> class wrong_field {
public:
	explicit wrong_field(const T &good) : good_(good)
	{
		EXPECT_EQ(decode_fault(bytes_of(good)).code, ATOM_FAULT_NONE) << "field " << decode_fault(bytes_of(good)).field;
	}
	template <class V> void expect(std::size_t offset, V value, unsigned code, std::size_t named) const
	{
		T bad = good_;
		std::memcpy(reinterpret_cast<char *>(&bad) + offset, &value, sizeof value);
		const fault why = decode_fault(bytes_of(bad));
		EXPECT_EQ(why.code, code) << "opcode " << good_.header.opcode << " offset " << offset;
		EXPECT_EQ(why.field, named) << "opcode " << good_.header.opcode << " offset " << offset << " code "
					    << why.code;
		EXPECT_EQ(why.where, code == ATOM_FAULT_NONE ? ATOM_WHERE_NONE : ATOM_WHERE_COMMAND);
	}
	template <class V> void expect(std::size_t offset, V value, unsigned code) const
	{
		expect(offset, value, code, offset);
	}
	const T &good() const { return good_; }

private:
	T good_;
};

template <class T> void header_fields(const wrong_field<T> &w, std::uint16_t flag)
{
	w.expect(offsetof(atom_cmd_header, flags), flag, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_header, reserved), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
}

/** False: bytes are moved, whatever they stand for. */
inline bool looks_at_quantisation(unsigned opcode)
{
	return opcode != ATOM_OP_COPY && opcode != ATOM_OP_SELECT && opcode != ATOM_OP_GATHER && opcode != ATOM_OP_SCATTER;
}

/** What is wrong with any tensor, whatever the command. */
template <class T> void tensor_fields(const wrong_field<T> &w, std::size_t at, bool output, bool optional = false)
{
	atom_tensor t;
	std::memcpy(&t, reinterpret_cast<const char *>(&w.good()) + at, sizeof t);
	const auto size = static_cast<std::uint64_t>(size_of(t.dtype));
	const std::size_t quant = at + offsetof(atom_tensor, quant);
	SCOPED_TRACE("tensor at " + std::to_string(at));

	w.expect(at + offsetof(atom_tensor, slot), std::uint16_t{3}, ATOM_FAULT_BAD_SLOT);
	if (!optional)
		w.expect(at + offsetof(atom_tensor, dtype), std::uint8_t{0}, ATOM_FAULT_BAD_DTYPE);
	for (const unsigned dtype : {9, 15, 19, 31, 32, 255})
		w.expect(at + offsetof(atom_tensor, dtype), static_cast<std::uint8_t>(dtype), ATOM_FAULT_BAD_DTYPE);
	w.expect(at + offsetof(atom_tensor, rank), std::uint8_t{6}, ATOM_FAULT_BAD_SHAPE);
	w.expect(at + offsetof(atom_tensor, rank), std::uint8_t{255}, ATOM_FAULT_BAD_SHAPE);
	w.expect(at + offsetof(atom_tensor, flags), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(at + offsetof(atom_tensor, offset), field_memory_bytes, ATOM_FAULT_ARG_RANGE);
	w.expect(at + offsetof(atom_tensor, offset), UINT64_MAX - size + 1, ATOM_FAULT_ARG_RANGE);
	if (size > 1)
		w.expect(at + offsetof(atom_tensor, offset), t.offset + 1, ATOM_FAULT_MISALIGNED);
	for (unsigned i = 0; i < ATOM_RANK_MAX; ++i) {
		const std::size_t dim = at + offsetof(atom_tensor, dims) + 8 * i;
		const std::size_t stride = at + offsetof(atom_tensor, strides) + 8 * i;
		if (i >= t.rank) {
			w.expect(dim, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
			w.expect(stride, std::uint64_t{size}, ATOM_FAULT_BAD_STRIDE);
			continue;
		}
		w.expect(dim, std::uint64_t{0}, ATOM_FAULT_BAD_SHAPE);
		w.expect(dim, UINT64_MAX, ATOM_FAULT_BAD_SHAPE);
		w.expect(dim, std::uint64_t{1} << 63, ATOM_FAULT_BAD_SHAPE);
		w.expect(stride, std::uint64_t{1} << 50, ATOM_FAULT_BAD_STRIDE);
		w.expect(stride, std::uint64_t{1} << 63, ATOM_FAULT_BAD_STRIDE);
		if (size > 1)
			w.expect(stride, t.strides[i] + 1, ATOM_FAULT_BAD_STRIDE);
		if (output && t.dims[i] > 1) {
			w.expect(stride, std::uint64_t{0}, ATOM_FAULT_BAD_STRIDE);
			w.expect(stride, -t.strides[i], ATOM_FAULT_BAD_STRIDE);
		}
		/* As far as an address reaches. */
		if (t.dims[i] > 1)
			w.expect(stride, std::uint64_t{1} << 47, ATOM_FAULT_ARG_RANGE,
				 at + offsetof(atom_tensor, offset));
	}
	if (looks_at_quantisation(w.good().header.opcode))
		for (const unsigned kind : {3, 4, 255})
			w.expect(quant + offsetof(atom_quant, kind), static_cast<std::uint8_t>(kind),
				 ATOM_FAULT_BAD_QUANT);
	if (t.quant.kind == ATOM_QUANT_NONE && looks_at_quantisation(w.good().header.opcode)) {
		w.expect(quant + offsetof(atom_quant, axis), std::uint8_t{1}, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, slot), std::uint16_t{1}, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, scale), 1.0f, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, scale), -0.0f, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, zero_point), std::uint32_t{1}, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, flags), std::uint32_t{1}, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, scale_offset), std::uint64_t{1}, ATOM_FAULT_BAD_QUANT);
		w.expect(quant + offsetof(atom_quant, zero_point_offset), std::uint64_t{1}, ATOM_FAULT_BAD_QUANT);
	}
}

/** The fields of PER_TENSOR quantisation of i8. */
template <class T> void per_tensor_fields(const wrong_field<T> &w, std::size_t at)
{
	const std::size_t quant = at + offsetof(atom_tensor, quant);
	SCOPED_TRACE("quantisation at " + std::to_string(quant));
	w.expect(quant + offsetof(atom_quant, axis), std::uint8_t{1}, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, slot), std::uint16_t{1}, ATOM_FAULT_BAD_QUANT);
	for (const float scale : {0.0f, -1.0f, nan, inf})
		w.expect(quant + offsetof(atom_quant, scale), scale, ATOM_FAULT_BAD_QUANT);
	for (const int zero_point : {128, -129, 1 << 30})
		w.expect(quant + offsetof(atom_quant, zero_point), zero_point, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, flags), std::uint32_t{1}, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, scale_offset), std::uint64_t{4}, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, zero_point_offset), std::uint64_t{4}, ATOM_FAULT_BAD_QUANT);
}

template <class T> void per_channel_fields(const wrong_field<T> &w, std::size_t at)
{
	const std::size_t quant = at + offsetof(atom_tensor, quant);
	SCOPED_TRACE("quantisation at " + std::to_string(quant));
	w.expect(quant + offsetof(atom_quant, axis), std::uint8_t{5}, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, slot), std::uint16_t{3}, ATOM_FAULT_BAD_SLOT);
	w.expect(quant + offsetof(atom_quant, scale), 1.0f, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, zero_point), std::uint32_t{1}, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, flags), std::uint32_t{3}, ATOM_FAULT_BAD_QUANT);
	w.expect(quant + offsetof(atom_quant, scale_offset), std::uint64_t{2}, ATOM_FAULT_MISALIGNED);
	w.expect(quant + offsetof(atom_quant, scale_offset), field_memory_bytes - 4, ATOM_FAULT_ARG_RANGE);
	w.expect(quant + offsetof(atom_quant, scale_offset), ~std::uint64_t{3}, ATOM_FAULT_ARG_RANGE);
	w.expect(quant + offsetof(atom_quant, zero_point_offset), std::uint64_t{2}, ATOM_FAULT_MISALIGNED);
	w.expect(quant + offsetof(atom_quant, zero_point_offset), field_memory_bytes - 4, ATOM_FAULT_ARG_RANGE);
}

template <class T> void epilogue_fields(const wrong_field<T> &w, std::size_t at)
{
	SCOPED_TRACE("epilogue at " + std::to_string(at));
	for (const unsigned f : {21, 31, ATOM_FN_ABS + 0, ATOM_FN_IS_INF + 0, 0xffff})
		w.expect(at + offsetof(atom_epilogue, activation), static_cast<std::uint16_t>(f),
			 ATOM_FAULT_BAD_FIELD);
	w.expect(at + offsetof(atom_epilogue, flags), std::uint16_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(at + offsetof(atom_epilogue, reserved), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(at + offsetof(atom_epilogue, p0), 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(at + offsetof(atom_epilogue, p1), 1.0f, ATOM_FAULT_BAD_FIELD);
	const std::size_t lut = at + offsetof(atom_epilogue, lut);
	w.expect(lut + offsetof(atom_ref, slot), std::uint16_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(lut + offsetof(atom_ref, reserved0), std::uint16_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(lut + offsetof(atom_ref, reserved1), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(lut + offsetof(atom_ref, offset), std::uint64_t{1}, ATOM_FAULT_BAD_FIELD);
}

/** All bytes of an absent tensor but the dtype must be zero. */
template <class T> void absent_tensor(const wrong_field<T> &w, std::size_t at)
{
	for (std::size_t i = 0; i < sizeof(atom_tensor); ++i)
		if (i != offsetof(atom_tensor, dtype))
			w.expect(at + i, std::uint8_t{1}, ATOM_FAULT_BAD_FIELD);
}

} // namespace atom::engine::test
