/* SPDX-License-Identifier: MIT */
/**
 * @file parser.h
 * @brief Checks shared by the decoders: sizes, reserved fields, tensors, addresses.
 */
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "engine.h"
#include "plan.h"

namespace atom::engine {

constexpr std::uint32_t dtype_bit(std::uint32_t dtype) { return 1u << dtype; }

inline constexpr std::uint32_t float_dtypes =
	dtype_bit(ATOM_DTYPE_F16) | dtype_bit(ATOM_DTYPE_BF16) | dtype_bit(ATOM_DTYPE_F32);
inline constexpr std::uint32_t small_integer_dtypes = /* all but i64 */
	dtype_bit(ATOM_DTYPE_I8) | dtype_bit(ATOM_DTYPE_U8) | dtype_bit(ATOM_DTYPE_I16) |
	dtype_bit(ATOM_DTYPE_I32);
inline constexpr std::uint32_t block_dtypes =
	dtype_bit(ATOM_DTYPE_Q8_0) | dtype_bit(ATOM_DTYPE_Q4_0) | dtype_bit(ATOM_DTYPE_Q4_1);
inline constexpr std::uint32_t all_dtypes =
	float_dtypes | small_integer_dtypes | block_dtypes | dtype_bit(ATOM_DTYPE_I64);

/** What a command allows for one of its tensors. */
struct tensor_rules {
	std::uint32_t dtypes = all_dtypes;
	bool optional = false;
	bool output = false;
	bool raw = false; ///< the quantisation of non-block dtypes is not looked at
};

/**
 * Reads one command. The first misuse is kept in the fault; all functions that
 * return bool return false from then on.
 */
class parser {
public:
	parser(std::span<const std::byte> bytes, std::span<const atom_arg> args, const options &how,
	       fault &why)
		: bytes_(bytes), args_(args), how_(how), why_(why)
	{
	}

	/** Copies the command of type T; checks size, tail, header flags and reserved header field. */
	template <class T> bool command(T &to, std::uint16_t flags)
	{
		if (!take(sizeof(T), flags))
			return false;
		std::memcpy(&to, bytes_.data(), sizeof(T));
		return true;
	}

	/** Keeps the first fault. @return false */
	bool fail(std::uint16_t code, std::size_t field, std::uint64_t va = 0, std::uint32_t access = 0);
	bool require(bool good, std::uint16_t code, std::size_t field)
	{
		return good || fail(code, field);
	}

	/** Decodes the tensor at byte @p field of the command. */
	bool read_tensor(const atom_tensor &from, std::size_t field, const tensor_rules &rules, tensor &to);
	/** Decodes a reference to @p bytes bytes aligned to @p align. */
	bool read_ref(const atom_ref &from, std::size_t field, std::uint64_t bytes, std::uint64_t align,
		      std::uint32_t access, std::size_t &operand);
	/** @p activation_limit: functions from there on are refused. */
	bool read_function(std::uint32_t function, std::size_t field, std::uint32_t function_limit, float p0,
			   std::size_t p0_field, float p1, std::size_t p1_field);

	/** @p t has the dims of @p like, or else BAD_SHAPE at the dimension. */
	bool same_dims(const tensor &t, const tensor &like);
	/**
	 * The output may overlap no other operand; with @p in_place it may be exactly
	 * one of @p inputs.
	 */
	bool check_overlap(const tensor &out, std::span<const tensor *const> in_place);
	/**
	 * @p t becomes the elements [first, first + count) of its padded dimension
	 * @p dim, as an operand of its own.
	 */
	void take_part(tensor &t, unsigned dim, std::int64_t first, std::int64_t count);
	/** Elements of @p out times @p each are within the limit of one command. */
	bool check_work(const tensor &out, std::int64_t each = 1);

	const options &how() const { return how_; }
	std::vector<operand> take_operands() { return std::move(operands_); }

private:
	bool take(std::size_t known, std::uint16_t flags);
	bool slot_known(std::uint16_t slot, std::size_t field);
	bool read_layout(const atom_tensor &from, std::size_t field, const tensor_rules &rules, tensor &to,
			 std::int64_t &low, std::int64_t &high);
	bool read_quant(const atom_quant &from, std::size_t field, const tensor_rules &rules,
			const atom_tensor &of, tensor &to);
	bool check_output(const atom_tensor &from, std::size_t field, const tensor &to);
	bool add_operand(std::uint16_t slot, std::size_t slot_field, std::uint64_t offset,
			 std::size_t offset_field, __int128 low, __int128 high, std::uint64_t align,
			 std::uint32_t access, std::size_t operand_field, std::size_t &index);

	std::span<const std::byte> bytes_;
	std::span<const atom_arg> args_;
	const options &how_;
	fault &why_;
	std::vector<operand> operands_;
};

} // namespace atom::engine
