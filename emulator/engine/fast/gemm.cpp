/* SPDX-License-Identifier: MIT */
#include "fast/gemm.h"

#include <algorithm>
#include <cstring>

#include "cut.h"
#include "fast/epilogue.h"
#include "kernels/gemm.h"

namespace atom::engine::fast {

namespace {

/* A kernel call packs its rows of a and columns of b: large tiles make that cheap. */
constexpr std::int64_t rows_max = 256, columns_max = 512;
static_assert(columns_max <= static_cast<std::int64_t>(run_elements), "a row of a tile is one run");
constexpr std::int64_t edge_min = 64, edge_unit = 16;
/* Operands that cannot be mapped are copied in slices of k of about so many bytes.. */
constexpr std::int64_t slice_bytes = 4 << 20;
/* ..or so many, where each element is an access of its own: some ten milliseconds. */
constexpr std::int64_t scattered_slice_bytes = 64 << 10;
constexpr std::int64_t scattered_stride = 64, scattered_run = 16;
/* A kernel keeps a slice of its rows of a, in up to five bytes an element. */
constexpr std::int64_t slice_elements = 1 << 22;
constexpr std::int64_t slice_step = 1024; /* whole groups, blocks and lines of the cache */
/* What goes with a product but for its terms: mappings, streams, plans. In multiply-accumulates, about a microsecond. */
constexpr std::int64_t product_macs = 1 << 16;
/* Tiles are not made smaller than this, some five microseconds, to have several: of few rows memory sets the speed. */
constexpr std::int64_t shared_macs = 1 << 19, shared_macs_of_few_rows = 1 << 16;

/* Multiply-accumulates of about a millisecond. */
std::int64_t macs_per_tile(const gemm_plan &p)
{
	if (p.integer)
		return std::int64_t{1} << 28;
	const bool bf16 = p.a.dtype == ATOM_DTYPE_BF16 && p.b.dtype == ATOM_DTYPE_BF16;
	return std::int64_t{1} << (bf16 ? 27 : 26);
}

struct buffers {
	finish_buffers finish;
	run_buffers weights; /* scales and zero points of b's columns */
	alignas(64) float scales[run_elements]; /* of the products in a column */
};

/* Part of one matrix of the batch. */
struct part {
	index5 matrix{};
	std::int64_t m = 0, n = 0, rows = 0, columns = 0;

	index5 at(std::int64_t i, std::int64_t j) const
	{
		index5 index = matrix;
		index[3] = i;
		index[4] = j;
		return index;
	}
};

/* rows x columns elements (block rows for block types) of an operand from @from on, in place or copied. */
bool stage(memory &mem, const tensor &t, const index5 &from, std::int64_t rows, std::int64_t columns,
	   std::byte *buffer, kernels::matrix &to)
{
	to.type = static_cast<atom_dtype>(t.dtype);
	const std::int64_t down = t.strides[3], across = t.strides[4], bytes = t.element_bytes;
	if (!buffer) {
		const std::int64_t y = (rows - 1) * down, x = (columns - 1) * across;
		const std::int64_t low = std::min<std::int64_t>(y, 0) + std::min<std::int64_t>(x, 0);
		const std::int64_t high = std::max<std::int64_t>(y, 0) + std::max<std::int64_t>(x, 0) + bytes;
		const std::int64_t at = offset_of(from, t.strides);
		const std::byte *p = mem.map(t.operand, at + low, at + high, ATOM_ACCESS_READ);
		if (!p)
			return false;
		to.data = p - low;
		to.row_stride = down;
		to.column_stride = across;
		return true;
	}
	/* Along the dimension with the smaller steps. */
	const bool by_rows = std::abs(across) <= std::abs(down);
	stream s;
	s.t = t;
	if (!by_rows)
		std::swap(s.t.strides[3], s.t.strides[4]);
	const std::int64_t lines = by_rows ? rows : columns, length = by_rows ? columns : rows;
	window w;
	w.attach(mem, s);
	index5 index = from;
	if (!by_rows)
		std::swap(index[3], index[4]);
	for (std::int64_t i = 0; i < lines; ++i, ++index[3]) {
		std::byte *line = buffer + i * length * bytes;
		if (!w.read(index, static_cast<std::size_t>(length), line))
			return false;
	}
	to.data = buffer;
	to.row_stride = by_rows ? length * bytes : bytes;
	to.column_stride = by_rows ? bytes : length * bytes;
	return true;
}

/* The accumulators of one part; false: fault or interrupted. */
class product {
public:
	product(const gemm_plan &p, memory &mem, scratch &work, const part &x, const run_quant &weights,
		const buffers &buf)
		: p_(p), mem_(mem), work_(work), x_(x), unit_(is_block(p.b.dtype) ? ATOM_BLOCK_ELEMENTS : 1)
	{
		args_.m = static_cast<std::size_t>(x.rows);
		args_.n = static_cast<std::size_t>(x.columns);
		args_.out_stride = args_.n;
		args_.a_zero = p.a.quant.zero_point;
		zero_ = weights.zero_point();
		if (p.integer) {
			args_.b_zero = weights.varies() ? buf.weights.zero_points : &zero_;
			args_.b_zero_step = weights.varies() ? 1 : 0;
		}
		args_.act_q8 = p.act_q8;
		args_.stop.asked = [](void *m) { return static_cast<memory *>(m)->interrupted(); };
		args_.stop.context = &mem;
	}
	product(const product &) = delete;

	/*
	 * Slices of k are multiplied one after the other, and their results added.
	 * A long k makes many: what one needs is bounded whatever the command says,
	 * and a part that is interrupted goes on at the slice where it was.
	 */
	bool run(std::byte *to)
	{
		kernels::matrix a, b;
		const bool mapped = stage(mem_, p_.a, x_.at(x_.m, 0), x_.rows, p_.k, nullptr, a) &&
				    stage(mem_, p_.b, x_.at(0, x_.n), p_.k / unit_, x_.columns, nullptr, b);
		if (mem_.failed())
			return false;
		const std::int64_t slice = mapped ? slice_in_place() : slice_copied();
		const std::size_t count = args_.m * args_.n;
		tile_progress &kept = mem_.progress();
		std::int64_t k = 0;
		if (alone() && kept.k) {
			std::memcpy(to, kept.sums.data(), count * 4);
			k = kept.k;
		}
		for (; k < p_.k; k += slice) {
			const std::int64_t ks = std::min(slice, p_.k - k);
			std::byte *sum = k == 0 ? to : work_.get(3, count * 4);
			if (mapped) {
				args_.a = a;
				args_.a.data += k * a.column_stride;
				args_.b = b;
				args_.b.data += k / unit_ * b.row_stride;
			}
			if ((!mapped && !copy(k, ks, slice)) || !multiply(ks, sum)) {
				if (alone() && k != 0 && !mem_.failed()) {
					kept.sums.assign(to, to + count * 4);
					kept.k = k;
				}
				return false;
			}
			if (k == 0)
				continue;
			if (p_.integer)
				add(reinterpret_cast<std::uint32_t *>(to), reinterpret_cast<const std::uint32_t *>(sum),
				    count);
			else
				add(reinterpret_cast<float *>(to), reinterpret_cast<const float *>(sum), count);
		}
		return true;
	}

private:
	/* The part is all of its tile, and long: only such a tile is worth keeping, and its sums are few (edge_min). */
	bool alone() const { return x_.rows * x_.columns > macs_per_tile(p_) / p_.k; }

	std::int64_t slice_in_place() const
	{
		const std::int64_t area = x_.rows * x_.columns;
		const std::int64_t macs = macs_per_tile(p_);
		/* Twice a tile's work is not worth an addition. */
		const std::int64_t by_time = area > 2 * macs / p_.k ? macs / area : p_.k;
		const std::int64_t slice = std::min(by_time, slice_elements / x_.rows);
		return std::min(std::max(slice / slice_step, std::int64_t{1}) * slice_step, p_.k);
	}

	std::int64_t slice_copied() const
	{
		const std::int64_t each = x_.rows * p_.a.element_bytes +
					  x_.columns * p_.b.element_bytes / unit_ + 1;
		const auto scattered = [](const tensor &t, std::int64_t rows, std::int64_t columns) {
			const std::int64_t down = std::abs(t.strides[3]), across = std::abs(t.strides[4]);
			const std::int64_t run = across <= down ? columns : rows;
			return std::min(down, across) > scattered_stride ||
			       (run < scattered_run && std::max(down, across) > scattered_stride);
		};
		const bool slow = scattered(p_.a, x_.rows, p_.k) || scattered(p_.b, p_.k / unit_, x_.columns);
		const std::int64_t bytes = slow ? scattered_slice_bytes : slice_bytes;
		const std::int64_t copied = parts(std::max(bytes / each, std::int64_t{32}), 32) * 32;
		return std::min(copied, slice_in_place());
	}

	/* False: fault or interrupted. */
	bool copy(std::int64_t k, std::int64_t ks, std::int64_t most)
	{
		std::byte *a = work_.get(6, static_cast<std::size_t>(x_.rows * most * p_.a.element_bytes));
		std::byte *b = work_.get(
			7, static_cast<std::size_t>(x_.columns * parts(most, unit_) * p_.b.element_bytes));
		return !mem_.interrupted() && stage(mem_, p_.a, x_.at(x_.m, k), x_.rows, ks, a, args_.a) &&
		       stage(mem_, p_.b, x_.at(k / unit_, x_.n), ks / unit_, x_.columns, b, args_.b);
	}

	bool multiply(std::int64_t k, std::byte *to)
	{
		args_.k = static_cast<std::size_t>(k);
		args_.out = to;
		return kernels::gemm(args_, work_.get(4, kernels::gemm_workspace(args_)));
	}

	template <class T> static void add(T *to, const T *from, std::size_t count)
	{
		for (std::size_t i = 0; i < count; ++i)
			to[i] += from[i];
	}

	const gemm_plan &p_;
	memory &mem_;
	scratch &work_;
	const part &x_;
	std::int64_t unit_;
	std::int32_t zero_ = 0;
	kernels::gemm_args args_;
};

bool run_part(const gemm_plan &p, memory &mem, scratch &work, const part &x)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	const auto columns = static_cast<std::size_t>(x.columns);
	const stream b = make_stream(p.b);
	run_quant weights;
	weights.open(mem, b);
	if (!weights.load(x.at(0, x.n), columns, buf.weights))
		return false;
	const auto count = static_cast<std::size_t>(x.rows * x.columns);
	std::byte *acc = work.get(5, count * 4);
	finisher end(p.tail, p.out, p.exact, buf.finish);
	if (!product(p, mem, work, x, weights, buf).run(acc) ||
	    !end.open(mem, x.at(x.m, x.n), x.at(x.m + x.rows - 1, x.n + x.columns - 1)))
		return false;
	sums all{acc, columns, static_cast<std::size_t>(x.rows), columns, p.integer ? buf.scales : nullptr};
	for (std::size_t i = 0; p.integer && i < columns; ++i) {
		buf.scales[i] = p.a.quant.scale * (weights.varies() ? buf.weights.scales[i] : weights.scale());
		if (p.alpha != 1)
			buf.scales[i] *= p.alpha;
	}
	if (!p.integer && p.alpha != 1)
		for (std::size_t i = 0; i < count; ++i)
			reinterpret_cast<float *>(acc)[i] *= p.alpha;
	return end.finish(x.at(x.m, x.n), all);
}

} // namespace

gemm_shape cut(const gemm_plan &p)
{
	gemm_shape s;
	s.rows = std::min(p.m, rows_max);
	s.columns = std::min(p.n, columns_max);
	const std::int64_t area = std::max(macs_per_tile(p) / p.k, std::int64_t{1});
	while (s.rows * s.columns > area && std::max(s.rows, s.columns) > edge_min)
		(s.columns >= s.rows ? s.columns : s.rows) /= 2;
	const __int128 work = static_cast<__int128>(p.m) * p.n * p.k + product_macs;
	const std::int64_t least = p.m <= kernels::few_rows_max ? shared_macs_of_few_rows : shared_macs;
	const bool whole = s.rows == p.m && s.columns == p.n, shared = work * p.batch >= 2 * least;
	if (whole && shared && p.batch == 1) {
		std::int64_t &longer = s.columns >= s.rows ? s.columns : s.rows;
		longer = longer < 2 * edge_min ? longer : parts(longer, 2);
	}
	/* Parts of equal size rather than a thin last one. */
	s.rows = even_part(p.m, s.rows, edge_unit, s.rows);
	s.columns = even_part(p.n, s.columns, edge_unit, s.columns);
	s.row_parts = parts(p.m, s.rows);
	s.column_parts = parts(p.n, s.columns);
	if (whole && p.batch > 1)
		s.matrices = std::clamp(static_cast<std::int64_t>(macs_per_tile(p) / (2 * work)), std::int64_t{1},
					shared ? parts(p.batch, 2) : p.batch);
	s.tiles = static_cast<std::uint64_t>(parts(p.batch, s.matrices) * s.row_parts * s.column_parts);
	return s;
}

void gemm(const gemm_plan &p, const gemm_shape &shape, memory &mem, scratch &work, std::uint64_t tile)
{
	auto left = static_cast<std::int64_t>(tile);
	part x;
	x.m = left % shape.row_parts * shape.rows;
	left /= shape.row_parts;
	x.n = left % shape.column_parts * shape.columns;
	left /= shape.column_parts;
	x.rows = std::min(shape.rows, p.m - x.m);
	x.columns = std::min(shape.columns, p.n - x.n);
	index5 batch = p.out.dims;
	batch[3] = batch[4] = 1;
	const std::int64_t first = left * shape.matrices, last = std::min(first + shape.matrices, p.batch);
	for (std::int64_t i = first; i < last; ++i) {
		x.matrix = index_at(static_cast<std::uint64_t>(i), batch);
		if (!run_part(p, mem, work, x))
			return;
	}
}

} // namespace atom::engine::fast
