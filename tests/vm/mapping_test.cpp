// SPDX-License-Identifier: MIT
// VM_BIND as the device sees it: pages of all sizes, odd offsets, parts replaced and taken away.
#include "context.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace vmtest;

namespace {

class mapping_of : public testing::TestWithParam<drm_atom_bo_placement> {
protected:
	context c_;
};

std::string placement_name(const testing::TestParamInfo<drm_atom_bo_placement> &info)
{
	return info.param == DRM_ATOM_BO_SYSTEM ? "system_memory" : "device_memory";
}

} // namespace

INSTANTIATE_TEST_SUITE_P(, mapping_of, testing::Values(DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL), placement_name);

TEST_P(mapping_of, any_alignment_of_address_and_offset_reaches_the_right_bytes)
{
	const memory target = c_.alloc(6 * mib);
	const buffer bo(c_.dev, 6 * mib, GetParam());
	const auto map = bo.map();
	fill_pattern(map.as<std::uint32_t>(), 41);
	// Shifts that allow large pages fully, partly and not at all.
	for (const std::uint64_t va_shift : {0ul, page, 3 * page, kib64, kib64 + page, mib, mib2 - page})
		for (const std::uint64_t offset : {0ul, page, kib64, kib64 + page, mib2, mib2 - page}) {
			SCOPED_TRACE(testing::Message() << "address + " << va_shift << ", offset " << offset);
			const std::uint64_t bytes = bo.size() - offset;
			const std::uint64_t va = c_.space.reserve(bytes, mib2, va_shift);
			c_.space.map(va, bo, offset, bytes);
			c_.run(command_list(make_copy_bytes(va, target.va, bytes)));
			ASSERT_EQ(std::memcmp(map.data() + offset, target.map.data(), bytes), 0);
			c_.space.unmap(va, bytes);
		}
}

TEST_P(mapping_of, writes_through_odd_mappings_land_where_they_should)
{
	const memory source = c_.alloc(5 * mib);
	fill_pattern(source.as<std::uint32_t>(), 43);
	const buffer bo(c_.dev, 5 * mib + 3 * page, GetParam());
	const auto map = bo.map();
	const std::uint64_t va = c_.space.reserve(5 * mib, mib2, 7 * page);
	c_.space.map(va, bo, 3 * page, 5 * mib);
	c_.run(command_list(make_copy_bytes(source.va, va, 5 * mib)));
	EXPECT_EQ(std::memcmp(map.data() + 3 * page, source.map.data(), 5 * mib), 0);
	EXPECT_EQ(find_nonzero({map.data(), 3 * page}), -1) << "bytes before the mapping were written";
}

TEST_P(mapping_of, taking_a_page_out_of_a_large_mapping_leaves_the_rest)
{
	const memory target = c_.alloc(8 * mib);
	const buffer bo(c_.dev, 8 * mib, GetParam());
	const auto map = bo.map();
	fill_pattern(map.as<std::uint32_t>(), 47);
	const std::uint64_t va = c_.space.map(bo);
	c_.run(command_list(make_copy_bytes(va, target.va, 8 * mib))); // the large pages are in the device's TLB now
	const std::uint64_t hole = 3 * mib + 5 * page;
	c_.space.unmap(va + hole, page);
	std::memset(target.map.data(), 0, target.size());
	c_.run(command_list(make_copy_bytes(va, target.va, hole),
			    make_copy_bytes(va + hole + page, target.va + hole + page, 8 * mib - hole - page)));
	EXPECT_EQ(std::memcmp(map.data(), target.map.data(), hole), 0);
	EXPECT_EQ(std::memcmp(map.data() + hole + page, target.map.data() + hole + page, 8 * mib - hole - page), 0);
	const auto state = c_.run_failing(command_list(make_copy_bytes(va + hole - 64, target.va, 128)));
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
	EXPECT_EQ(state.fault_va & ~(page - 1), va + hole) << describe(state);
}

TEST_P(mapping_of, a_new_mapping_over_a_part_replaces_just_that)
{
	const memory target = c_.alloc(4 * mib);
	const buffer below(c_.dev, 4 * mib, GetParam()), above(c_.dev, mib, GetParam());
	const auto below_map = below.map(), above_map = above.map();
	fill_pattern(below_map.as<std::uint32_t>(), 53);
	fill_pattern(above_map.as<std::uint32_t>(), 59);
	const std::uint64_t va = c_.space.map(below);
	c_.run(command_list(make_copy_bytes(va, target.va, 4 * mib)));
	const std::uint64_t at = mib + 3 * page, bytes = mib - 9 * page;
	c_.space.map(va + at, above, 2 * page, bytes);
	c_.run(command_list(make_copy_bytes(va, target.va, 4 * mib)));
	EXPECT_EQ(std::memcmp(target.map.data(), below_map.data(), at), 0);
	EXPECT_EQ(std::memcmp(target.map.data() + at, above_map.data() + 2 * page, bytes), 0);
	EXPECT_EQ(std::memcmp(target.map.data() + at + bytes, below_map.data() + at + bytes, 4 * mib - at - bytes), 0);
	// Back again: the original mapping over all of it.
	c_.space.map(va, below, 0, 4 * mib);
	c_.run(command_list(make_copy_bytes(va, target.va, 4 * mib)));
	EXPECT_EQ(std::memcmp(target.map.data(), below_map.data(), 4 * mib), 0);
}

TEST_P(mapping_of, a_range_unmapped_and_mapped_again_shows_the_new_buffer_at_once)
{
	const memory target = c_.alloc(page);
	const std::uint64_t va = c_.space.reserve(page);
	const auto program = c_.job(command_list(make_copy_bytes(va, target.va, page)));
	for (std::uint32_t round = 0; round < 100; ++round) {
		const buffer bo(c_.dev, page, GetParam());
		const auto map = bo.map();
		fill_pattern(map.as<std::uint32_t>(), round);
		c_.space.map(va, bo, 0, page);
		c_.run(program);
		ASSERT_EQ(find_damage(target.as<std::uint32_t>(), round), -1) << "round " << round;
		if (round % 2)
			c_.space.unmap(va, page);
	}
}

TEST_P(mapping_of, a_random_patchwork_is_what_a_model_of_it_says)
{
	constexpr std::uint64_t pages = 1200; // more than two pages of 2 MiB
	std::mt19937 random(71);
	const buffer bos[] = {buffer(c_.dev, pages * page, GetParam()), buffer(c_.dev, pages * page)};
	const mapping maps[] = {bos[0].map(), bos[1].map()};
	fill_pattern(maps[0].as<std::uint32_t>(), 61);
	fill_pattern(maps[1].as<std::uint32_t>(), 67);
	const memory target = c_.alloc(pages * page);
	const std::uint64_t va = c_.space.reserve(pages * page, mib2, 512 * page - 300 * page);
	struct piece {
		int bo = -1;
		std::uint64_t at = 0;
	};
	std::vector<piece> model(pages);
	for (int round = 0; round < 30; ++round) {
		std::vector<drm_atom_vm_bind_op> ops;
		for (unsigned n = random() % 8 + 1; n > 0; --n) {
			const std::uint64_t first = random() % pages, count = random() % (pages - first) + 1;
			const int bo = static_cast<int>(random() % 3) - 1;
			const std::uint64_t at = random() % (pages - count + 1);
			for (std::uint64_t i = 0; i < count; ++i)
				model[first + i] = {bo, at + i};
			ops.push_back(bo < 0 ? unmap_op(va + first * page, count * page)
					     : map_op(va + first * page, bos[bo], at * page, count * page));
		}
		ASSERT_EQ(c_.space.try_bind(ops), 0) << "round " << round;
		command_list commands;
		for (std::uint64_t i = 0; i < pages;) {
			std::uint64_t end = i + 1;
			while (end < pages && (model[end].bo < 0) == (model[i].bo < 0))
				++end;
			if (model[i].bo >= 0)
				commands.add(make_copy_bytes(va + i * page, target.va + i * page, (end - i) * page));
			i = end;
		}
		commands.add(make_nop());
		c_.run(commands);
		for (std::uint64_t i = 0; i < pages; ++i)
			if (model[i].bo >= 0) {
				const auto *expected = maps[model[i].bo].data() + model[i].at * page;
				ASSERT_EQ(std::memcmp(target.map.data() + i * page, expected, page), 0)
					<< "round " << round << ", page " << i;
			}
	}
	// What the model says is a hole faults.
	for (std::uint64_t i = 0; i < pages; ++i)
		if (model[i].bo < 0) {
			const auto state = c_.run_failing(command_list(make_copy_bytes(va + i * page, target.va, 64)));
			EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
			break;
		}
}

TEST(mappings, reach_the_ends_of_the_address_range)
{
	context c;
	const memory target = c.alloc(page);
	const buffer bo(c.dev, page);
	const auto map = bo.map();
	fill_pattern(map.as<std::uint32_t>(), 73);
	for (const std::uint64_t va : {std::uint64_t{c.dev.info().va_end} - page, std::uint64_t{1} << 40, std::uint64_t{1} << 39}) {
		SCOPED_TRACE(va);
		c.space.map(va, bo, 0, page);
		c.run(command_list(make_copy_bytes(va, target.va, page)));
		EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 73), -1);
		c.space.unmap(va, page);
	}
}

TEST(mappings, hold_their_buffer_when_its_handle_is_closed)
{
	context c;
	const memory target = c.alloc(mib);
	std::uint64_t va;
	{
		const buffer bo(c.dev, mib, DRM_ATOM_BO_LOCAL);
		auto map = bo.map();
		fill_pattern(map.as<std::uint32_t>(), 79);
		va = c.space.map(bo);
	}
	for (int i = 0; i < 4; ++i) {
		const memory other = c.alloc(mib, DRM_ATOM_BO_LOCAL);
		std::memset(other.map.data(), 0xee, mib);
	}
	c.run(command_list(make_copy_bytes(va, target.va, mib)));
	EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 79), -1);
}

TEST(mappings, unmapping_holes_is_no_error)
{
	context c;
	const std::uint64_t va = c.space.reserve(1 << 30);
	EXPECT_EQ(c.space.try_bind({unmap_op(va, 1 << 30)}), 0);
	const buffer bo(c.dev, page);
	c.space.map(va + mib, bo, 0, page);
	EXPECT_EQ(c.space.try_bind({unmap_op(va, 1 << 30)}), 0);
}
