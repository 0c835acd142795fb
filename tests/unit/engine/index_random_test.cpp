/* SPDX-License-Identifier: MIT */
/*
 * GATHER and SCATTER of random shapes and layouts: the fast engine writes the
 * reference's bits, wherever operands lie and whatever the host can map.
 */
#include "random_commands.h"

namespace atom::engine::test {
namespace {

using dims_list = std::vector<std::uint64_t>;

/* Shapes that fit together. */
struct shapes {
	unsigned mode = 0, axis = 0, batch_dims = 0;
	dims_list table, index, each;
	std::uint64_t bound = 1; /* indices below it are inside every dimension that they address */
};

std::uint64_t size(generator &g)
{
	static constexpr std::uint64_t sizes[] = {1, 2, 3, 4, 6, 9, 17};
	return g.one_of(sizes);
}

dims_list sizes(generator &g, unsigned n)
{
	dims_list d(n);
	for (auto &x : d)
		x = size(g);
	return d;
}

void append(dims_list &to, const dims_list &from, std::size_t first, std::size_t last)
{
	for (std::size_t i = first; i < last; ++i)
		to.push_back(from[i]);
}

shapes rows(generator &g)
{
	shapes s;
	s.mode = ATOM_GATHER_ROWS;
	s.table = sizes(g, 1 + g.below(4));
	s.axis = g.below(static_cast<unsigned>(s.table.size()));
	if (g.rarely())
		s.table.back() = 700 + g.below(900); /* more than a run */
	s.batch_dims = g.below(s.axis + 1);
	s.bound = s.table[s.axis];
	append(s.index, s.table, 0, s.batch_dims);
	const unsigned room = ATOM_RANK_MAX - (static_cast<unsigned>(s.table.size()) - 1);
	for (unsigned n = g.below(std::min(room, 2u) + 1); n; --n)
		s.index.push_back(g.rarely() ? 60 : size(g));
	append(s.each, s.table, 0, s.axis);
	append(s.each, s.index, s.batch_dims, s.index.size());
	append(s.each, s.table, s.axis + 1, s.table.size());
	return s;
}

shapes elements(generator &g)
{
	shapes s;
	s.mode = ATOM_GATHER_ELEMENTS;
	s.table = sizes(g, 1 + g.below(4));
	s.axis = g.below(static_cast<unsigned>(s.table.size()));
	s.bound = s.table[s.axis];
	for (const auto d : s.table)
		s.index.push_back(1 + g.below(static_cast<unsigned>(d)));
	s.index[s.axis] = g.rarely() ? 1100 + g.below(300) : size(g);
	s.each = s.index;
	return s;
}

shapes tuples(generator &g)
{
	shapes s;
	s.mode = ATOM_GATHER_ND;
	s.table = sizes(g, 1 + g.below(4));
	const auto rank = static_cast<unsigned>(s.table.size());
	s.batch_dims = g.below(rank);
	const unsigned components = 1 + g.below(rank - s.batch_dims);
	s.bound = *std::min_element(s.table.begin() + s.batch_dims, s.table.begin() + s.batch_dims + components);
	append(s.index, s.table, 0, s.batch_dims);
	s.index.push_back(g.rarely() ? 150 : size(g));
	s.each = s.index;
	append(s.each, s.table, s.batch_dims + components, rank);
	s.index.push_back(components);
	return s;
}

std::uint64_t product(const dims_list &dims)
{
	return std::accumulate(dims.begin(), dims.end(), std::uint64_t{1}, std::multiplies<>());
}

shapes any_shapes(generator &g)
{
	constexpr std::uint64_t most = 12000;
	shapes s;
	do {
		const unsigned mode = g.below(3);
		s = mode == ATOM_GATHER_ROWS ? rows(g) : mode == ATOM_GATHER_ELEMENTS ? elements(g) : tuples(g);
	} while (product(s.table) > most || product(s.each) > most);
	return s;
}

/* Good indices, negative ones among them if they may be. */
void put_indices(arena &mem, const atom_tensor &t, std::uint64_t bound, bool negative, generator &g)
{
	std::uint64_t count = 1;
	for (unsigned i = 0; i < t.rank; ++i)
		count *= t.dims[i];
	for (std::uint64_t n = 0; n < count; ++n) {
		std::uint64_t at = t.offset, rest = n;
		for (unsigned i = t.rank; i-- > 0; rest /= t.dims[i])
			at += rest % t.dims[i] * t.strides[i];
		std::int64_t value = g.below(static_cast<unsigned>(bound));
		if (negative && g.rarely())
			value -= static_cast<std::int64_t>(bound);
		if (t.dtype == ATOM_DTYPE_I32)
			*mem.at<std::int32_t>(at) = static_cast<std::int32_t>(value);
		else
			*mem.at<std::int64_t>(at) = value;
	}
}

template <class C> void expect_same(const C &c, const atom_tensor &written, std::uint64_t bound, bool negative, unsigned hint, generator &g)
{
	arena expected(random_memory_bytes);
	g.fill(expected, hint);
	put_indices(expected, c.index, bound, negative, g);
	const arena start = expected;
	const outcome reference = run(c, expected, true);
	ASSERT_TRUE(reference.decoded) << "code " << reference.why.code << " field " << reference.why.field;
	ASSERT_EQ(reference.breach, "");
	ASSERT_EQ(reference.why.code, ATOM_FAULT_NONE);
	for (const auto how : {fake_memory::mapping::whole, fake_memory::mapping::pages, fake_memory::mapping::never}) {
		arena mem = start;
		const outcome fast = run(bytes_of(c), mem, false, how);
		ASSERT_EQ(fast.breach, "");
		ASSERT_EQ(fast.why.code, ATOM_FAULT_NONE);
		ASSERT_TRUE(same_output(mem, expected, written)) << "mapping " << static_cast<int>(how);
	}
}

constexpr unsigned any_dtype[] = {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16, ATOM_DTYPE_I8,
				  ATOM_DTYPE_U8,  ATOM_DTYPE_I16, ATOM_DTYPE_I32,  ATOM_DTYPE_I64};
constexpr unsigned index_dtypes[] = {ATOM_DTYPE_I32, ATOM_DTYPE_I64};
constexpr unsigned block_dtypes[] = {ATOM_DTYPE_Q8_0, ATOM_DTYPE_Q4_0, ATOM_DTYPE_Q4_1};

class IndexedAgainstReference : public EachInstructionSet {};

TEST_P(IndexedAgainstReference, GatherIsTheSame)
{
	for (unsigned seed = 0; seed < 150; ++seed) {
		SCOPED_TRACE("seed " + std::to_string(seed));
		generator g(seed);
		const shapes s = any_shapes(g);
		auto c = command<atom_cmd_gather>(ATOM_OP_GATHER, g.below(2) ? ATOM_INDEX_WRAP_NEGATIVE : 0u);
		c.mode = s.mode;
		c.axis = s.axis;
		c.batch_dims = s.batch_dims;
		const unsigned dtype = g.one_of(any_dtype);
		const bool converts = s.mode == ATOM_GATHER_ROWS && g.below(2);
		c.data = g.tensor(converts ? g.one_of(floats) : dtype, s.table, false);
		c.index = g.tensor(g.one_of(index_dtypes), s.index, false);
		c.out = g.tensor(converts ? g.one_of(floats) : dtype, s.each, true);
		/* Where the table has strides of 0, equal bytes may stand for several indices. */
		expect_same(c, c.out, s.bound, c.header.flags, c.data.dtype, g);
		if (HasFatalFailure())
			return;
	}
}

TEST_P(IndexedAgainstReference, GatherOfBlocksIsTheSame)
{
	for (unsigned seed = 0; seed < 40; ++seed) {
		SCOPED_TRACE("seed " + std::to_string(seed));
		generator g(seed);
		auto c = command<atom_cmd_gather>(ATOM_OP_GATHER);
		c.axis = g.below(2);
		c.batch_dims = g.below(c.axis + 1);
		dims_list table = sizes(g, c.axis + 1), index, each;
		append(index, table, 0, c.batch_dims);
		index.push_back(size(g));
		table.push_back(32 * (1 + g.below(40)));
		append(each, table, 0, c.axis);
		each.push_back(index.back());
		each.push_back(table.back());
		const unsigned dtype = g.one_of(block_dtypes);
		/* Rows with a gap behind each. */
		c.data = dense_blocks(dtype, 1 << 20, table);
		for (unsigned i = 0; i + 1 < table.size(); ++i)
			c.data.strides[i] += 2 * c.data.strides[i] / static_cast<unsigned>(size_of(dtype));
		c.index = g.tensor(g.one_of(index_dtypes), index, false);
		c.out = g.tensor(g.one_of(floats), each, true);
		expect_same(c, c.out, table[c.axis], false, ATOM_DTYPE_F16, g);
		if (HasFatalFailure())
			return;
	}
}

TEST_P(IndexedAgainstReference, ScatterIsTheSame)
{
	for (unsigned seed = 0; seed < 200; ++seed) {
		SCOPED_TRACE("seed " + std::to_string(seed));
		generator g(seed);
		const shapes s = any_shapes(g);
		auto c = command<atom_cmd_scatter>(ATOM_OP_SCATTER, g.below(2) ? ATOM_INDEX_WRAP_NEGATIVE : 0u);
		c.mode = s.mode;
		c.axis = s.axis;
		c.batch_dims = s.batch_dims;
		c.reduction = g.below(5);
		const unsigned dtype = g.one_of(any_dtype);
		const bool converts = s.mode == ATOM_GATHER_ROWS && g.below(2);
		c.updates = g.tensor(converts ? g.one_of(floats) : dtype, s.each, false);
		c.index = g.tensor(g.one_of(index_dtypes), s.index, false);
		c.out = g.tensor(converts ? g.one_of(floats) : dtype, s.table, true);
		expect_same(c, c.out, s.bound, c.header.flags, c.updates.dtype, g);
		if (HasFatalFailure())
			return;
	}
}

INSTANTIATE_TEST_SUITE_P(Isa, IndexedAgainstReference, instruction_sets(), instruction_set_name);

/* Many tiles, in any order. */
TEST(IndexedTiles, LargeCommandsAreCutAndStillTheSame)
{
	for (const bool scatters : {false, true}) {
		arena expected(4 << 20);
		std::minstd_rand random(3);
		for (std::uint64_t i = 0; i < (4 << 20) / 4; ++i)
			expected.at<std::uint32_t>(0)[i] = static_cast<std::uint32_t>(random());
		for (unsigned i = 0; i < 500; ++i)
			expected.at<std::int32_t>(0)[i] = static_cast<std::int32_t>(random() % 90);
		auto gather = command<atom_cmd_gather>(ATOM_OP_GATHER);
		gather.axis = 1;
		gather.data = dense(ATOM_DTYPE_I16, 4096, {2, 90, 700});
		gather.index = dense(ATOM_DTYPE_I32, 0, {500});
		gather.out = dense(ATOM_DTYPE_I16, 1 << 20, {2, 500, 700});
		auto scatter = command<atom_cmd_scatter>(ATOM_OP_SCATTER);
		scatter.axis = 1;
		scatter.reduction = ATOM_SCATTER_ADD;
		scatter.updates = gather.out;
		scatter.index = gather.index;
		scatter.out = gather.data;
		const auto c = scatters ? bytes_of(scatter) : bytes_of(gather);
		const arena start = expected;
		const atom_arg args[] = {whole(expected)};
		fault why;
		for (const bool reference : {false, true})
			EXPECT_GT(decode(c, args, {.reference = reference}, why)->tiles(), 1u);
		ASSERT_EQ(run(c, expected, true).why.code, ATOM_FAULT_NONE);
		arena mem = start;
		const outcome o = run(c, mem, false);
		EXPECT_EQ(o.why.code, ATOM_FAULT_NONE);
		EXPECT_EQ(o.breach, "");
		EXPECT_TRUE(mem == expected);
		EXPECT_FALSE(mem == start);
	}
}

} // namespace
} // namespace atom::engine::test
