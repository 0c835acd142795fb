// SPDX-License-Identifier: MIT
#include "malformed_cases.hpp"

#include "atom/hw/fault.h"

#include <bit>
#include <cstring>
#include <limits>

namespace vmtest {

namespace {

enum class role { input, output };

constexpr std::uint32_t dims_at = offsetof(atom_tensor, dims);
constexpr std::uint32_t strides_at = offsetof(atom_tensor, strides);
constexpr std::uint32_t quant_at = offsetof(atom_tensor, quant);
constexpr std::uint64_t f32_bits(float value) { return std::bit_cast<std::uint32_t>(value); }

template <class Command> std::vector<std::byte> bytes_of(const Command &command)
{
	std::vector<std::byte> bytes(sizeof(command));
	std::memcpy(bytes.data(), &command, sizeof(command));
	return bytes;
}

class table_builder {
public:
	template <class Command>
	table_builder(std::string name, const Command &good) : table_{std::move(name), bytes_of(good), {}}
	{
		header(good.header.flags);
	}

	malformed_table take() { return std::move(table_); }

	void add(std::string what, std::vector<patch> patches, std::set<std::uint16_t> codes,
		 std::set<std::uint32_t> fields)
	{
		table_.cases.push_back({std::move(what), std::move(patches), std::move(codes), std::move(fields)});
	}
	/** One field made wrong; the fault names it. */
	void field(std::string what, std::uint32_t offset, std::uint32_t bytes, std::uint64_t value,
		   std::set<std::uint16_t> codes = {ATOM_FAULT_BAD_FIELD})
	{
		add(std::move(what), {{offset, bytes, value}}, std::move(codes), {offset});
	}
	/** A reserved field: every bit of it, in turn. */
	void reserved(const std::string &what, std::uint32_t offset, std::uint32_t bytes,
		      std::set<std::uint16_t> codes = {ATOM_FAULT_BAD_FIELD})
	{
		for (std::uint32_t bit = 0; bit < bytes * 8; ++bit)
			field(what + " bit " + std::to_string(bit), offset, bytes, std::uint64_t{1} << bit, codes);
	}
	void flags(std::uint16_t good, std::uint16_t known)
	{
		for (unsigned bit = 0; bit < 16; ++bit)
			if (!(known >> bit & 1))
				field("flag " + std::to_string(bit), offsetof(atom_cmd_header, flags), 2,
				      good | 1u << bit);
	}
	void tensor(const std::string &name, std::uint32_t at, const atom_tensor &good, role as);
	void quant(const std::string &name, std::uint32_t at, const atom_tensor &good);
	void epilogue(std::uint32_t at, std::uint32_t out, bool bias_allowed);
	/** An absent tensor whose field is not zero, or that is present where none may be. */
	void absent(const std::string &name, std::uint32_t at);
	void dim(const std::string &what, std::uint32_t tensor, unsigned axis, std::uint64_t value,
		 std::set<std::uint32_t> fields)
	{
		// The stride of the axis stays right for any length that fits its neighbours.
		add(what, {{tensor + dims_at + 8 * axis, 8, value}}, {ATOM_FAULT_BAD_SHAPE}, std::move(fields));
	}

private:
	void header(std::uint16_t good_flags);
	malformed_table table_;
};

void table_builder::header(std::uint16_t)
{
	const std::uint32_t size = static_cast<std::uint32_t>(table_.good.size());
	for (const std::uint64_t opcode : {0x03u, 0x0fu, 0x12u, 0x25u, 0x34u, 0x52u, 0xffu, 0x100u, 0x8000u, 0xffffu})
		field("opcode " + std::to_string(opcode), offsetof(atom_cmd_header, opcode), 2, opcode,
		      {ATOM_FAULT_BAD_OPCODE});
	for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{size - 8}, std::uint64_t{size + 4},
					  std::uint64_t{size + 8}, std::uint64_t{0xfffffff8}, std::uint64_t{0xffffffff}})
		field("size " + std::to_string(bytes), offsetof(atom_cmd_header, bytes), 4, bytes, {ATOM_FAULT_BAD_SIZE});
	reserved("reserved", offsetof(atom_cmd_header, reserved), 4);
}

void table_builder::tensor(const std::string &name, std::uint32_t at, const atom_tensor &good, role as)
{
	const std::string in = name + ": ";
	field(in + "slot beyond the table", at, 2, 1, {ATOM_FAULT_BAD_SLOT});
	field(in + "slot 65535", at, 2, 0xffff, {ATOM_FAULT_BAD_SLOT});
	for (const std::uint64_t dtype : {9u, 15u, 19u, 255u})
		field(in + "dtype " + std::to_string(dtype), at + offsetof(atom_tensor, dtype), 1, dtype,
		      {ATOM_FAULT_BAD_DTYPE});
	for (const std::uint64_t rank : {6u, 255u})
		field(in + "rank " + std::to_string(rank), at + offsetof(atom_tensor, rank), 1, rank,
		      {ATOM_FAULT_BAD_SHAPE});
	reserved(in + "flags", at + offsetof(atom_tensor, flags), 4);
	if (dtype_bytes(good.dtype) > 1)
		field(in + "misaligned", at + offsetof(atom_tensor, offset), 8, good.offset + 1, {ATOM_FAULT_MISALIGNED});
	// Where a range wraps or leaves the address space, the address or the tensor may be named.
	for (const std::uint64_t offset : {std::uint64_t{1} << 48, std::uint64_t{1} << 63, ~std::uint64_t{0} - 63})
		add(in + "address " + std::to_string(offset), {{at + 8, 8, offset}}, {ATOM_FAULT_VA_RANGE}, {at, at + 8});
	for (unsigned axis = 0; axis < good.rank; ++axis) {
		const std::string which = in + "dimension " + std::to_string(axis);
		field(which + " of 0", at + dims_at + 8 * axis, 8, 0, {ATOM_FAULT_BAD_SHAPE});
		for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}})
			add(which + " of " + std::to_string(length), {{at + dims_at + 8 * axis, 8, length}},
			    {ATOM_FAULT_BAD_SHAPE, ATOM_FAULT_BAD_STRIDE, ATOM_FAULT_TOO_LARGE}, {});
		if (dtype_bytes(good.dtype) > 1)
			field(in + "stride " + std::to_string(axis) + " of half an element", at + strides_at + 8 * axis,
			      8, good.strides[axis] + dtype_bytes(good.dtype) / 2, {ATOM_FAULT_BAD_STRIDE});
		if (as == role::output && good.dims[axis] > 1) {
			field(in + "stride " + std::to_string(axis) + " of 0", at + strides_at + 8 * axis, 8, 0,
			      {ATOM_FAULT_BAD_STRIDE});
			field(in + "negative stride " + std::to_string(axis), at + strides_at + 8 * axis, 8,
			      0 - good.strides[axis], {ATOM_FAULT_BAD_STRIDE});
		}
	}
	for (unsigned axis = good.rank; axis < ATOM_RANK_MAX; ++axis) {
		field(in + "dimension " + std::to_string(axis) + " beyond the rank", at + dims_at + 8 * axis, 8, 1,
		      {ATOM_FAULT_BAD_SHAPE, ATOM_FAULT_BAD_FIELD});
		field(in + "stride " + std::to_string(axis) + " beyond the rank", at + strides_at + 8 * axis, 8, 4,
		      {ATOM_FAULT_BAD_STRIDE, ATOM_FAULT_BAD_FIELD});
	}
}

void table_builder::quant(const std::string &name, std::uint32_t at, const atom_tensor &good)
{
	const std::uint32_t q = at + quant_at;
	const std::string in = name + " quantisation: ";
	const std::set<std::uint16_t> codes{ATOM_FAULT_BAD_QUANT};
	const auto part = [&](const char *what, std::vector<patch> patches, std::set<std::uint32_t> fields) {
		add(in + what, std::move(patches), codes, std::move(fields));
	};
	part("unknown kind", {{q, 1, 4}}, {q});
	part("kind 255", {{q, 1, 255}}, {q});
	part("blocks of a type without blocks", {{q, 1, ATOM_QUANT_BLOCK}}, {q, at + 2});
	if (good.quant.kind == ATOM_QUANT_NONE) {
		// What the kind does not use is zero.
		part("axis without a kind", {{q + 1, 1, 1}}, {q + 1, q});
		part("slot without a kind", {{q + 2, 2, 1}}, {q + 2, q});
		part("scale without a kind", {{q + 4, 4, f32_bits(1.0f)}}, {q + 4, q});
		part("zero point without a kind", {{q + 8, 4, 1}}, {q + 8, q});
		part("flags without a kind", {{q + 12, 4, 1}}, {q + 12, q});
		part("scales without a kind", {{q + 16, 8, 64}}, {q + 16, q});
		part("zero points without a kind", {{q + 24, 8, 64}}, {q + 24, q});
		if (good.dtype == ATOM_DTYPE_F32)
			part("of floats", {{q, 1, ATOM_QUANT_PER_TENSOR}, {q + 4, 4, f32_bits(1.0f)}}, {q, at + 2});
		return;
	}
	for (const float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(),
				  std::numeric_limits<float>::quiet_NaN()})
		part("bad scale", {{q + 4, 4, f32_bits(scale)}}, {q + 4});
	part("zero point outside the type", {{q + 8, 4, 1000}}, {q + 8});
	part("unknown flag", {{q + 12, 4, 2}}, {q + 12});
	part("axis beyond the rank", {{q, 1, ATOM_QUANT_PER_CHANNEL}, {q + 1, 1, 5}, {q + 4, 4, 0}, {q + 8, 4, 0},
				      {q + 16, 8, good.offset}},
	     {q + 1});
}

void table_builder::absent(const std::string &name, std::uint32_t at)
{
	// An absent tensor is zero in all fields; the fault names the field or the tensor.
	const std::set<std::uint16_t> codes{ATOM_FAULT_BAD_FIELD, ATOM_FAULT_BAD_DTYPE, ATOM_FAULT_BAD_SHAPE};
	const struct {
		const char *what;
		std::uint32_t offset, bytes;
	} fields[] = {{"slot", 0, 2}, {"rank", 3, 1}, {"flags", 4, 4}, {"offset", 8, 8}, {"dims", 16, 8}, {"dims", 48, 8},
		      {"strides", 56, 8}, {"strides", 88, 8}, {"quantisation", 96, 1}, {"scales", 112, 8}};
	for (const auto &f : fields)
		add(name + " is absent but has " + f.what, {{at + f.offset, f.bytes, 1}}, codes, {at + f.offset, at, at + 2});
}

void table_builder::epilogue(std::uint32_t at, std::uint32_t out, bool bias_allowed)
{
	const std::uint32_t lut = at + offsetof(atom_epilogue, lut);
	for (const std::uint64_t function : {21u, 31u, 32u, 35u, 67u, 68u, 0xffffu})
		field("activation " + std::to_string(function), at, 2, function);
	reserved("epilogue's flags", at + 2, 2);
	reserved("epilogue's reserved field", at + 4, 4);
	// The activation does not suit the output's dtype: either may be named.
	add("LUT of a float result", {{at, 2, ATOM_FN_LUT}}, {ATOM_FAULT_BAD_FIELD, ATOM_FAULT_BAD_DTYPE}, {at, out + 2});
	reserved("table's reserved0", lut + 2, 2);
	reserved("table's reserved1", lut + 4, 4);
	absent("bias", at + offsetof(atom_epilogue, bias));
	absent("residual", at + offsetof(atom_epilogue, residual));
	if (!bias_allowed) {
		const std::uint32_t bias = at + offsetof(atom_epilogue, bias);
		add("bias where none is allowed", {{bias + 2, 1, ATOM_DTYPE_F32}},
		    {ATOM_FAULT_BAD_FIELD, ATOM_FAULT_BAD_DTYPE, ATOM_FAULT_BAD_SHAPE}, {bias, bias + 2});
	}
}

} // namespace

malformed_table malformed_nop()
{
	table_builder t("NOP", make_nop());
	t.flags(0, 0);
	return t.take();
}

malformed_table malformed_fence()
{
	table_builder t("FENCE", make_fence());
	t.flags(0, 0);
	return t.take();
}

malformed_table malformed_timestamp(const operands &at)
{
	table_builder t("TIMESTAMP", make_timestamp(at.out));
	const std::uint32_t out = offsetof(atom_cmd_timestamp, out);
	t.flags(0, 0);
	t.field("slot beyond the table", out, 2, 1, {ATOM_FAULT_BAD_SLOT});
	t.reserved("reserved0", out + 2, 2);
	t.reserved("reserved1", out + 4, 4);
	for (const std::uint64_t shift : {1u, 4u})
		t.field("misaligned", out + 8, 8, at.out + shift, {ATOM_FAULT_MISALIGNED});
	return t.take();
}

malformed_table malformed_copy(const operands &at)
{
	const auto good = make_copy(tensor(ATOM_DTYPE_F32, {4, 8}, at.a), tensor(ATOM_DTYPE_F32, {4, 8}, at.out));
	const std::uint32_t in = offsetof(atom_cmd_copy, in), out = offsetof(atom_cmd_copy, out);
	table_builder t("COPY", good);
	t.flags(0, ATOM_COPY_FILL);
	t.tensor("in", in, good.in, role::input);
	t.tensor("out", out, good.out, role::output);
	t.field("a value to fill with", offsetof(atom_cmd_copy, fill), 8, 1);
	for (const std::uint64_t dtype : {ATOM_DTYPE_I32, ATOM_DTYPE_F16, ATOM_DTYPE_U8})
		t.add("another dtype than the output's", {{in + 2, 1, dtype}}, {ATOM_FAULT_BAD_DTYPE}, {in + 2, out + 2});
	t.dim("more rows than the output", in, 0, 5, {in + dims_at, out + dims_at});
	t.dim("fewer rows than the output", in, 0, 3, {in + dims_at, out + dims_at});
	t.dim("fewer columns than the output", in, 1, 7, {in + dims_at + 8, out + dims_at + 8});
	t.add("no input", {{in + 2, 1, 0}}, {ATOM_FAULT_BAD_DTYPE, ATOM_FAULT_BAD_FIELD, ATOM_FAULT_BAD_SHAPE}, {});
	t.add("no output", {{out + 2, 1, 0}}, {ATOM_FAULT_BAD_DTYPE, ATOM_FAULT_BAD_FIELD, ATOM_FAULT_BAD_SHAPE}, {});
	return t.take();
}

malformed_table malformed_fill(const operands &at)
{
	const auto good = make_fill(tensor(ATOM_DTYPE_U8, {64}, at.out), 0x5a);
	const std::uint32_t in = offsetof(atom_cmd_copy, in), fill = offsetof(atom_cmd_copy, fill);
	table_builder t("COPY with FILL", good);
	for (unsigned bit = 8; bit < 64; ++bit)
		t.field("value beyond the element, bit " + std::to_string(bit), fill, 8, std::uint64_t{1} << bit);
	t.absent("in", in);
	return t.take();
}

malformed_table malformed_cast(const operands &at)
{
	const auto good = make_cast(tensor(ATOM_DTYPE_F32, {4, 8}, at.a), tensor(ATOM_DTYPE_F16, {4, 8}, at.out));
	const std::uint32_t in = offsetof(atom_cmd_cast, in), out = offsetof(atom_cmd_cast, out);
	table_builder t("CAST", good);
	t.flags(0, ATOM_CAST_WRAP);
	for (const std::uint64_t rounding : {2u, 3u, 0x80000000u})
		t.field("rounding " + std::to_string(rounding), offsetof(atom_cmd_cast, rounding), 4, rounding);
	t.reserved("reserved", offsetof(atom_cmd_cast, reserved), 4);
	t.tensor("in", in, good.in, role::input);
	t.quant("in", in, good.in);
	t.tensor("out", out, good.out, role::output);
	t.dim("another shape than the output", in, 0, 3, {in + dims_at, out + dims_at});
	t.add("i64 from f32", {{out + 2, 1, ATOM_DTYPE_I64}, {out + strides_at, 8, 64}, {out + strides_at + 8, 8, 8}},
	      {ATOM_FAULT_BAD_DTYPE}, {in + 2, out + 2});
	return t.take();
}

malformed_table malformed_gemm(const operands &at)
{
	const auto good = make_gemm(tensor(ATOM_DTYPE_F32, {2, 4, 8}, at.a), tensor(ATOM_DTYPE_F32, {2, 8, 4}, at.b),
				    tensor(ATOM_DTYPE_F32, {2, 4, 4}, at.out));
	const std::uint32_t a = offsetof(atom_cmd_gemm, a), b = offsetof(atom_cmd_gemm, b), out = offsetof(atom_cmd_gemm, out);
	table_builder t("GEMM", good);
	t.flags(0, ATOM_GEMM_ACT_Q8 | ATOM_GEMM_B_CONSTANT);
	t.reserved("reserved", offsetof(atom_cmd_gemm, reserved), 4);
	t.tensor("a", a, good.a, role::input);
	t.tensor("b", b, good.b, role::input);
	t.tensor("out", out, good.out, role::output);
	t.quant("a", a, good.a);
	t.epilogue(offsetof(atom_cmd_gemm, epilogue), out, true);
	t.dim("batch of a", a, 0, 3, {a + dims_at, b + dims_at, out + dims_at});
	t.dim("batch of out", out, 0, 3, {a + dims_at, b + dims_at, out + dims_at});
	t.dim("rows of a", a, 1, 5, {a + dims_at + 8, out + dims_at + 8});
	t.dim("rows of b", b, 1, 9, {a + dims_at + 16, b + dims_at + 8});
	t.dim("columns of b", b, 2, 3, {b + dims_at + 16, out + dims_at + 16});
	t.dim("columns of a", a, 2, 7, {a + dims_at + 16, b + dims_at + 8});
	for (const std::uint32_t which : {a, b})
		t.add("types that do not go together", {{which + 2, 1, ATOM_DTYPE_I32}}, {ATOM_FAULT_BAD_DTYPE},
		      {a + 2, b + 2, out + 2});
	t.add("output over an input", {{out + 8, 8, at.a}}, {ATOM_FAULT_OVERLAP}, {a, a + 8, out, out + 8});
	t.add("2^40 multiply-accumulates",
	      {{a + dims_at, 8, 1}, {a + dims_at + 8, 8, 16}, {a + dims_at + 16, 8, std::uint64_t{1} << 32},
	       {a + strides_at + 8, 8, 0}, {a + strides_at + 16, 8, 0},
	       {b + dims_at, 8, 1}, {b + dims_at + 8, 8, std::uint64_t{1} << 32}, {b + dims_at + 16, 8, 16},
	       {b + strides_at + 8, 8, 0}, {b + strides_at + 16, 8, 0},
	       {out + dims_at, 8, 1}, {out + dims_at + 8, 8, 16}, {out + dims_at + 16, 8, 16},
	       {out + strides_at, 8, 1024}, {out + strides_at + 8, 8, 64}, {out + strides_at + 16, 8, 4}},
	      {ATOM_FAULT_TOO_LARGE}, {});
	return t.take();
}

malformed_table malformed_quantised_gemm(const operands &at)
{
	auto a = tensor(ATOM_DTYPE_I8, {4, 8}, at.a), b = tensor(ATOM_DTYPE_I8, {8, 4}, at.b);
	auto out = tensor(ATOM_DTYPE_I8, {4, 4}, at.out);
	for (atom_tensor *each : {&a, &b, &out}) {
		each->quant.kind = ATOM_QUANT_PER_TENSOR;
		each->quant.scale = 0.5f;
	}
	const auto good = make_gemm(a, b, out);
	table_builder t("GEMM of int8", good);
	t.quant("a", offsetof(atom_cmd_gemm, a), a);
	t.quant("b", offsetof(atom_cmd_gemm, b), b);
	t.quant("out", offsetof(atom_cmd_gemm, out), out);
	return t.take();
}

malformed_table malformed_binary(const operands &at)
{
	const auto good = make_binary(ATOM_BINARY_ADD, tensor(ATOM_DTYPE_F32, {4, 8}, at.a),
				      tensor(ATOM_DTYPE_F32, {4, 8}, at.b), tensor(ATOM_DTYPE_F32, {4, 8}, at.out));
	const std::uint32_t a = offsetof(atom_cmd_binary, a), b = offsetof(atom_cmd_binary, b),
			    out = offsetof(atom_cmd_binary, out);
	table_builder t("BINARY", good);
	t.flags(0, 0);
	for (const std::uint64_t kind : {11u, 15u, 22u, 27u, 37u, 0xffffffffu})
		t.field("kind " + std::to_string(kind), offsetof(atom_cmd_binary, kind), 4, kind);
	t.reserved("reserved", offsetof(atom_cmd_binary, reserved), 4);
	t.tensor("a", a, good.a, role::input);
	t.tensor("b", b, good.b, role::input);
	t.tensor("out", out, good.out, role::output);
	t.quant("b", b, good.b);
	t.epilogue(offsetof(atom_cmd_binary, epilogue), out, false);
	t.dim("rows of a", a, 0, 3, {a + dims_at, out + dims_at});
	t.dim("columns of b", b, 1, 7, {b + dims_at + 8, out + dims_at + 8});
	t.add("comparison that is not u8", {{offsetof(atom_cmd_binary, kind), 4, ATOM_BINARY_LT}}, {ATOM_FAULT_BAD_DTYPE},
	      {out + 2});
	t.add("bits of floats", {{offsetof(atom_cmd_binary, kind), 4, ATOM_BINARY_XOR}}, {ATOM_FAULT_BAD_DTYPE},
	      {a + 2, b + 2, out + 2});
	return t.take();
}

malformed_table malformed_unary(const operands &at)
{
	const auto good = make_unary(ATOM_FN_RELU, tensor(ATOM_DTYPE_F32, {4, 8}, at.a),
				     tensor(ATOM_DTYPE_F32, {4, 8}, at.out));
	const std::uint32_t in = offsetof(atom_cmd_unary, in), out = offsetof(atom_cmd_unary, out);
	const std::uint32_t function = offsetof(atom_cmd_unary, function);
	table_builder t("UNARY", good);
	t.flags(0, 0);
	for (const std::uint64_t value : {std::uint64_t{ATOM_FN_LUT}, std::uint64_t{21}, std::uint64_t{31}, std::uint64_t{59},
					  std::uint64_t{63}, std::uint64_t{ATOM_FN_COUNT}, std::uint64_t{0xffffffff}})
		t.field("function " + std::to_string(value), function, 4, value);
	t.reserved("reserved", offsetof(atom_cmd_unary, reserved), 4);
	t.tensor("in", in, good.in, role::input);
	t.tensor("out", out, good.out, role::output);
	t.quant("in", in, good.in);
	t.dim("another shape than the output", in, 0, 3, {in + dims_at, out + dims_at});
	t.add("bits of floats", {{function, 4, ATOM_FN_BITWISE_NOT}}, {ATOM_FAULT_BAD_DTYPE}, {in + 2, out + 2});
	return t.take();
}

std::vector<malformed_case> malformed_headers(std::uint32_t bytes, std::uint32_t commands)
{
	std::vector<malformed_case> cases;
	const auto field = [&](std::string what, std::uint32_t offset, std::uint32_t size, std::uint64_t value,
			       std::set<std::uint16_t> codes) {
		cases.push_back({std::move(what), {{offset, size, value}}, std::move(codes), {offset}});
	};
	const std::set<std::uint16_t> header{ATOM_FAULT_BAD_HEADER};
	const std::set<std::uint16_t> size{ATOM_FAULT_BAD_HEADER, ATOM_FAULT_BAD_SIZE};
	for (const std::uint64_t magic : {std::uint64_t{0}, std::uint64_t{ATOM_CMDBUF_MAGIC ^ 1}, std::uint64_t{0xffffffff}})
		field("magic", offsetof(atom_cmdbuf_header, magic), 4, magic, header);
	for (const std::uint64_t major : {0u, 2u, 0xffffu})
		field("major " + std::to_string(major), offsetof(atom_cmdbuf_header, major), 2, major, header);
	for (const std::uint64_t wrong : {0u, bytes - 8, bytes + 8, bytes + 1, 0xffffffffu})
		field("bytes " + std::to_string(wrong), offsetof(atom_cmdbuf_header, bytes), 4, wrong, size);
	// The count of commands and the bytes do not fit together: either may be named.
	for (const std::uint64_t wrong : {0u, commands - 1, commands + 1, 0xffffffffu})
		cases.push_back({"commands " + std::to_string(wrong),
				 {{offsetof(atom_cmdbuf_header, commands), 4, wrong}},
				 size,
				 {offsetof(atom_cmdbuf_header, commands), offsetof(atom_cmdbuf_header, bytes)}});
	for (const std::uint64_t slots : {2u, 1025u, 0xffffffffu})
		field("slots " + std::to_string(slots), offsetof(atom_cmdbuf_header, slots), 4, slots,
		      {ATOM_FAULT_BAD_HEADER, ATOM_FAULT_BAD_SLOT});
	for (unsigned bit = 0; bit < 32; ++bit)
		field("reserved0", offsetof(atom_cmdbuf_header, reserved0), 4, 1u << bit,
		      {ATOM_FAULT_BAD_HEADER, ATOM_FAULT_BAD_FIELD});
	for (unsigned bit = 0; bit < 64; ++bit)
		field("reserved1", offsetof(atom_cmdbuf_header, reserved1), 8, std::uint64_t{1} << bit,
		      {ATOM_FAULT_BAD_HEADER, ATOM_FAULT_BAD_FIELD});
	return cases;
}

} // namespace vmtest
