/* SPDX-License-Identifier: MIT */
// Prepares the rows of a once, then goes through b by chunks of columns, so that an interrupt is seen in time.
#include "few_rows.h"

#include <algorithm>

#include "driver.h"

namespace atom::engine::kernels {
namespace {

constexpr std::size_t block_elements = ATOM_BLOCK_ELEMENTS;
/** Bytes of b between two questions: some half a millisecond from memory. */
constexpr std::size_t chunk_bytes = 4 << 20;

bool is_block(atom_dtype type)
{
	return type == ATOM_DTYPE_Q8_0 || type == ATOM_DTYPE_Q4_0 || type == ATOM_DTYPE_Q4_1;
}

const family &integers(const gemm_args &args)
{
	return *kernels().integer[(args.a.type == ATOM_DTYPE_U8 ? 1 : 0) + (args.b.type == ATOM_DTYPE_U8 ? 2 : 0)];
}

/** Bytes of a row as stage_a() writes it, rounded up so that rows start on lines of the cache. */
std::size_t staged_bytes(const family &f, std::size_t k)
{
	return aligned((k + f.group - 1) / f.group * 4);
}

/** Hands out a workspace part by part; with nullptr it only counts. */
class parts {
public:
	explicit parts(std::byte *from)
	    : from_(from)
	{
	}

	template <class T> T *take(std::size_t count)
	{
		T *part = from_ ? reinterpret_cast<T *>(from_ + used_) : nullptr;
		used_ += aligned(count * sizeof(T));
		return part;
	}
	std::size_t used() const { return used_; }

private:
	std::byte *from_;
	std::size_t used_ = 0;
};

/** Columns [first, last) of b in chunks: work(first, count) until all are done or an interrupt comes. */
template <class Work>
bool by_chunks(const gemm_args &args, std::size_t column_bytes, std::size_t least, const Work &work)
{
	const std::size_t columns = std::max(chunk_bytes / std::max<std::size_t>(column_bytes, 1), least);
	for (std::size_t first = 0; first < args.n; first += columns) {
		if (args.stop.pending())
			return false;
		work(first, std::min(columns, args.n - first));
	}
	return true;
}

bool few_floats(const gemm_args &args, std::byte *workspace)
{
	const family &f = *kernels().f32;
	const std::size_t stride = staged_bytes(f, args.k);
	f.stage_a(args.a, 0, args.m, 0, args.k, workspace, stride);
	const bool along_k = args.b.row_stride == element_bytes(args.b.type);
	const std::size_t column_bytes = args.k * static_cast<std::size_t>(element_bytes(args.b.type));
	// Along n a chunk is wide, for long runs in memory, yet its sums fit in the first cache.
	const std::size_t most = along_k ? args.n : std::size_t{1024};
	return by_chunks(args, column_bytes, 256, [&](std::size_t first, std::size_t count) {
		for (std::size_t column = first; column < first + count; column += most) {
			few_rows_args t = {};
			t.rows = static_cast<unsigned>(args.m);
			t.columns = std::min(most, first + count - column);
			t.k = args.k;
			t.a = workspace;
			t.a_stride = static_cast<std::ptrdiff_t>(stride);
			t.b = args.b.data + static_cast<std::ptrdiff_t>(column) * args.b.column_stride;
			t.b_stride = along_k ? args.b.column_stride : args.b.row_stride;
			t.a_type = args.a.type;
			t.b_type = args.b.type;
			t.out = static_cast<float *>(args.out) + column;
			t.out_stride = args.out_stride;
			kernels().few_rows_f32(t, along_k);
		}
	});
}

struct integer_parts {
	std::byte *a;
	std::uint32_t *column_sums;
	std::size_t used;

	integer_parts(const gemm_args &args, std::byte *workspace)
	{
		parts p(workspace);
		a = p.take<std::byte>(args.m * staged_bytes(integers(args), args.k));
		column_sums = p.take<std::uint32_t>(args.a_zero ? args.n : 0);
		used = p.used();
	}
};

bool few_integers(const gemm_args &args, std::byte *workspace)
{
	const family &f = integers(args);
	const integer_parts p(args, workspace);
	const std::size_t stride = staged_bytes(f, args.k), groups = (args.k + f.group - 1) / f.group;
	std::uint32_t row_sums[few_rows_max];
	f.stage_a(args.a, 0, args.m, 0, args.k, p.a, stride);
	f.sum_rows(p.a, static_cast<std::ptrdiff_t>(stride), static_cast<unsigned>(args.m), groups, row_sums);
	const auto a_zero = static_cast<std::uint32_t>(args.a_zero), k = static_cast<std::uint32_t>(args.k);
	return by_chunks(args, args.k, 16, [&](std::size_t first, std::size_t count) {
		few_rows_args t = {};
		t.rows = static_cast<unsigned>(args.m);
		t.columns = count;
		t.k = args.k;
		t.a = p.a;
		t.a_stride = static_cast<std::ptrdiff_t>(stride);
		t.b = args.b.data + static_cast<std::ptrdiff_t>(first) * args.b.column_stride;
		t.b_stride = args.b.column_stride;
		t.a_type = args.a.type;
		t.b_type = args.b.type;
		t.out = static_cast<std::uint32_t *>(args.out) + first;
		t.out_stride = args.out_stride;
		t.column_sums = a_zero ? p.column_sums + first : nullptr;
		kernels().few_rows_integer(t);
		if (!a_zero && !args.b_zero && !f.b_offset)
			return;
		for (std::size_t i = 0; i < args.m; ++i) {
			auto *out = static_cast<std::uint32_t *>(args.out) + i * args.out_stride;
			for (std::size_t j = first; j < first + count; ++j) {
				const std::uint32_t b_zero =
					args.b_zero ? static_cast<std::uint32_t>(args.b_zero[j * args.b_zero_step]) : 0;
				out[j] -= (b_zero + static_cast<std::uint32_t>(f.b_offset)) * row_sums[i];
				if (a_zero)
					out[j] += a_zero * (k * b_zero - p.column_sums[j]);
			}
		}
	});
}

struct block_parts {
	float *a;
	std::int8_t *q;
	float *scale;
	std::int32_t *sums;
	float *scaled_sums;
	std::size_t used;

	block_parts(const gemm_args &args, std::byte *workspace)
	{
		const std::size_t rows = args.act_q8 ? args.m : 0;
		parts p(workspace);
		a = p.take<float>((args.act_q8 ? 1 : args.m) * args.k);
		const std::size_t groups = rows * q8_groups(args.k / block_elements);
		q = p.take<std::int8_t>(groups * q8_group_bytes);
		scale = p.take<float>(groups * q8_group_lanes);
		sums = p.take<std::int32_t>(groups * q8_group_lanes);
		scaled_sums = p.take<float>(groups * q8_group_lanes);
		used = p.used();
	}

	/** What stands @p groups behind the start. */
	quantised row(std::size_t groups) const
	{
		const std::size_t lanes = groups * q8_group_lanes;
		return {q + groups * q8_group_bytes, scale + lanes, sums + lanes, scaled_sums + lanes};
	}
};

bool few_blocks(const gemm_args &args, std::byte *workspace)
{
	const family &f = *kernels().f32;
	const block_parts p(args, workspace);
	const std::size_t blocks = args.k / block_elements, groups = q8_groups(blocks);
	if (args.act_q8) {
		for (std::size_t i = 0; i < args.m; ++i) {
			if (args.stop.pending())
				return false;
			f.stage_a(args.a, i, 1, 0, args.k, reinterpret_cast<std::byte *>(p.a), 0);
			kernels().quantise(p.a, blocks, p.row(i * groups));
		}
	} else {
		f.stage_a(args.a, 0, args.m, 0, args.k, reinterpret_cast<std::byte *>(p.a), args.k * sizeof(float));
	}
	const std::size_t passes = (args.m + few_rows_max - 1) / few_rows_max;
	// Chunks small enough to be in the cache for the next rows.
	const std::size_t column_bytes = args.k * std::min<std::size_t>(passes * 4, 64);
	return by_chunks(args, column_bytes, 1, [&](std::size_t first, std::size_t count) {
		for (std::size_t row = 0; row < args.m; row += few_rows_max) {
			block_args t = {};
			t.rows = static_cast<unsigned>(std::min<std::size_t>(few_rows_max, args.m - row));
			t.columns = count;
			t.blocks = blocks;
			t.b = args.b.data + static_cast<std::ptrdiff_t>(first) * args.b.column_stride;
			t.b_stride = args.b.column_stride;
			t.b_step = args.b.row_stride;
			t.type = args.b.type;
			t.a = p.a;
			const quantised rows = p.row(row * groups);
			t.q = rows.q;
			t.scale = rows.scale;
			t.sums = rows.sums;
			t.scaled_sums = rows.scaled_sums;
			t.out = static_cast<float *>(args.out) + row * args.out_stride + first;
			t.out_stride = args.out_stride;
			(args.act_q8 ? kernels().blocks_q8 : kernels().blocks_f32)(t);
		}
	});
}

} // namespace

bool few_rows_apply(const gemm_args &args)
{
	if (is_block(args.b.type))
		return args.act_q8 || args.m <= few_rows_max;
	if (args.m > few_rows_max)
		return false;
	const std::ptrdiff_t element = element_bytes(args.b.type);
	if (is_byte(args.b.type))
		return kernels().few_rows_integer && args.b.row_stride == element;
	return kernels().few_rows_f32 && (args.b.row_stride == element || args.b.column_stride == element);
}

std::size_t few_rows_workspace(const gemm_args &args)
{
	if (is_block(args.b.type))
		return block_parts(args, nullptr).used;
	if (is_byte(args.b.type))
		return integer_parts(args, nullptr).used;
	return args.m * staged_bytes(*kernels().f32, args.k);
}

bool few_rows(const gemm_args &args, std::byte *workspace)
{
	if (is_block(args.b.type))
		return few_blocks(args, workspace);
	return is_byte(args.b.type) ? few_integers(args, workspace) : few_floats(args, workspace);
}

} // namespace atom::engine::kernels
