/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <algorithm>
#include <cmath>

#include "cut.h"
#include "fast/gemm.h"
#include "kernels/gemm.h"
#include "reference/reference.h"

namespace atom::engine {

namespace {

constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
constexpr std::size_t axis_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, axis);
constexpr std::size_t dtype_at = offsetof(atom_tensor, dtype);

class gemm_operation : public operation {
protected:
	gemm_operation(parser &in, const gemm_plan &plan) : plan_(plan)
	{
		operands_ = in.take_operands();
		cost_.where = cost::unit::matrix;
		cost_.dtype = is_block(plan.b.dtype) ? plan.a.dtype : std::max(plan.a.dtype, plan.b.dtype);
		cost_.m = static_cast<std::uint64_t>(plan.m);
		cost_.n = static_cast<std::uint64_t>(plan.n);
		cost_.k = static_cast<std::uint64_t>(plan.k);
		cost_.elements = elements(plan.out.dims);
		cost_.macs = cost_.elements * cost_.k;
	}

	gemm_plan plan_;
};

class fast_gemm final : public gemm_operation {
public:
	fast_gemm(parser &in, const gemm_plan &plan) : gemm_operation(in, plan), shape_(fast::cut(plan))
	{
		tiles_ = shape_.tiles;
	}
	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		fast::gemm(plan_, shape_, mem, work, tile);
	}

private:
	fast::gemm_shape shape_;
};

class reference_gemm final : public gemm_operation {
public:
	reference_gemm(parser &in, const gemm_plan &plan)
		: gemm_operation(in, plan), rows_(std::min(reference::gemm_rows, plan.m)),
		  columns_(std::min(reference::gemm_columns, plan.n))
	{
		/* A long K makes smaller tiles; a very long one is what interrupted() is for. */
		while (columns_ > 8 && rows_ * columns_ > (std::int64_t{1} << 20) / plan.k)
			columns_ /= 2;
		tiles_ = static_cast<std::uint64_t>(plan.batch * parts(plan.m, rows_) * parts(plan.n, columns_));
	}
	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		const auto across = static_cast<std::uint64_t>(parts(plan_.n, columns_));
		const auto down = static_cast<std::uint64_t>(parts(plan_.m, rows_));
		reference::gemm_tile t;
		t.n_first = static_cast<std::int64_t>(tile % across) * columns_;
		t.n_last = std::min(t.n_first + columns_, plan_.n);
		tile /= across;
		t.m_first = static_cast<std::int64_t>(tile % down) * rows_;
		t.m_last = std::min(t.m_first + rows_, plan_.m);
		index5 batch_dims = plan_.out.dims;
		batch_dims[3] = batch_dims[4] = 1;
		t.matrix = index_at(tile / down, batch_dims);
		reference::gemm(plan_, mem, work, t);
	}

private:
	std::int64_t rows_;
	std::int64_t columns_;
};

bool check_input_types(parser &in, const atom_cmd_gemm &c, gemm_plan &p)
{
	const auto small = [](const tensor &t) {
		return t.dtype == ATOM_DTYPE_I8 || t.dtype == ATOM_DTYPE_U8;
	};
	p.integer = small(p.a);
	p.act_q8 = c.header.flags & ATOM_GEMM_ACT_Q8;
	if (p.integer)
		return in.require(small(p.b), ATOM_FAULT_BAD_DTYPE, p.b.field + dtype_at) &&
		       in.require(p.a.quant.kind != ATOM_QUANT_PER_CHANNEL, ATOM_FAULT_BAD_QUANT,
				  p.a.field + kind_at) &&
		       in.require(p.b.quant.kind != ATOM_QUANT_PER_CHANNEL || p.b.quant.axis == 4,
				  ATOM_FAULT_BAD_QUANT, p.b.field + axis_at) &&
		       in.require(!p.act_q8, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_gemm, header.flags));
	return in.require(!small(p.b), ATOM_FAULT_BAD_DTYPE, p.b.field + dtype_at) &&
	       in.require(!is_block(p.b.dtype) || p.b.quant.axis == 3, ATOM_FAULT_BAD_QUANT,
			  p.b.field + axis_at) &&
	       in.require(!p.act_q8 || is_block(p.b.dtype), ATOM_FAULT_BAD_FIELD,
			  offsetof(atom_cmd_gemm, header.flags));
}

/* a [.., m, k], b [.., k, n], out [.., m, n] with the same leading dimensions. */
bool check_shapes(parser &in, gemm_plan &p)
{
	constexpr std::size_t rank_at = offsetof(atom_tensor, rank);
	const auto dim = [&](const tensor &t, unsigned padded, std::int64_t is) {
		return in.require(t.dims[padded] == is, ATOM_FAULT_BAD_SHAPE,
				  t.field + offsetof(atom_tensor, dims) +
					  8 * (padded - (ATOM_RANK_MAX - t.rank)));
	};
	if (!in.require(p.out.rank >= 2, ATOM_FAULT_BAD_SHAPE, p.out.field + rank_at) ||
	    !in.require(p.a.rank == p.out.rank, ATOM_FAULT_BAD_SHAPE, p.a.field + rank_at) ||
	    !in.require(p.b.rank == p.out.rank, ATOM_FAULT_BAD_SHAPE, p.b.field + rank_at))
		return false;
	p.m = p.out.dims[3];
	p.n = p.out.dims[4];
	p.k = p.a.dims[4];
	for (unsigned i = 0; i < 3; ++i)
		if (!dim(p.a, i, p.out.dims[i]) || !dim(p.b, i, p.out.dims[i]))
			return false;
	return dim(p.a, 3, p.m) && dim(p.b, 3, p.k) && dim(p.b, 4, p.n);
}

} // namespace

std::unique_ptr<operation> decode_gemm(parser &in)
{
	atom_cmd_gemm c;
	if (!in.command(c, ATOM_GEMM_ACT_Q8 | ATOM_GEMM_B_CONSTANT))
		return nullptr;
	gemm_plan p;
	p.alpha = c.alpha;
	constexpr std::uint32_t bytes = dtype_bit(ATOM_DTYPE_I8) | dtype_bit(ATOM_DTYPE_U8);
	if (!in.require(std::isfinite(c.alpha), ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_gemm, alpha)) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_gemm, reserved)) ||
	    !in.read_tensor(c.a, offsetof(atom_cmd_gemm, a), {.dtypes = float_dtypes | bytes}, p.a) ||
	    !in.read_tensor(c.b, offsetof(atom_cmd_gemm, b), {.dtypes = float_dtypes | bytes | block_dtypes},
			    p.b) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_gemm, out),
			    {.dtypes = float_dtypes | small_integer_dtypes, .output = true}, p.out) ||
	    !check_shapes(in, p) || !check_input_types(in, c, p) || !in.check_work(p.out, p.k))
		return nullptr;
	p.batch = p.out.dims[0] * p.out.dims[1] * p.out.dims[2];
	if (!read_product_epilogue(in, c.epilogue, offsetof(atom_cmd_gemm, epilogue), p.integer, p.out, p.tail, p.exact) ||
	    !in.check_overlap(p.out, {}))
		return nullptr;
	p.exact = p.exact && p.alpha == 1;
	if (in.how().reference || !kernels::gemm_supports(static_cast<atom_dtype>(p.a.dtype),
							   static_cast<atom_dtype>(p.b.dtype)))
		return std::make_unique<reference_gemm>(in, p);
	return std::make_unique<fast_gemm>(in, p);
}

} // namespace atom::engine
