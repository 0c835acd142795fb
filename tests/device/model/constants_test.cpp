/* SPDX-License-Identifier: MIT */
/* Constant weights: kept from job to job, until a translation of theirs is invalidated. */
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "constants.h"
#include "device_fixture.h"

namespace atom::test {

namespace {

constexpr std::uint64_t form[] = {1, 2, 3}, other_form[] = {1, 2, 4};
constexpr std::uint64_t room = 1 << 20, page = 4096;

TEST(constants_test, the_same_operand_in_the_same_form_has_the_same_room)
{
	model::constants kept(room);
	std::byte *a = kept.keep(1, page, 100, form, 1000);
	ASSERT_NE(a, nullptr);
	EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a) % 64, 0u);
	EXPECT_TRUE(std::all_of(a, a + 1000, [](std::byte b) { return b == std::byte{0}; }));
	EXPECT_EQ(kept.keep(1, page, 100, form, 1000), a);
	EXPECT_NE(kept.keep(2, page, 100, form, 1000), a) << "another address space";
	EXPECT_NE(kept.keep(1, page + 64, 100, form, 1000), a);
	EXPECT_NE(kept.keep(1, page, 101, form, 1000), a);
	EXPECT_NE(kept.keep(1, page, 100, other_form, 1000), a);
	EXPECT_EQ(kept.keep(1, page, 100, form, 1001), nullptr) << "of another size";
}

TEST(constants_test, what_is_made_of_a_byte_in_the_range_is_forgotten_and_nothing_else)
{
	for (const bool all : {false, true}) {
		model::constants kept(room);
		const auto at = [&](std::uint32_t space, std::uint64_t va) {
			std::byte *p = kept.keep(space, va, 2 * page, form, 64);
			const bool was = *p != std::byte{0};
			*p = std::byte{1};
			return was;
		};
		for (const std::uint64_t va : {1, 3, 5, 7})
			at(1, va * page);
		at(2, 3 * page);
		kept.forget(1, 4 * page, all ? 0 : 2 * page);
		EXPECT_EQ(at(1, 1 * page), !all);
		EXPECT_FALSE(at(1, 3 * page)) << "its second page";
		EXPECT_FALSE(at(1, 5 * page)) << "its first page";
		EXPECT_EQ(at(1, 7 * page), !all);
		EXPECT_TRUE(at(2, 3 * page)) << "another address space";
		kept.clear();
		EXPECT_EQ(kept.used(), 0u);
		EXPECT_FALSE(at(2, 3 * page));
	}
}

TEST(constants_test, room_that_is_used_up_is_not_exceeded_and_comes_back)
{
	model::constants kept(room);
	EXPECT_EQ(kept.keep(1, 0, page, form, room + 1), nullptr);
	EXPECT_EQ(kept.keep(1, 0, page, form, UINT64_MAX), nullptr);
	EXPECT_NE(kept.keep(1, 0, page, form, room / 2), nullptr);
	EXPECT_NE(kept.keep(1, page, page, form, room / 2), nullptr);
	EXPECT_EQ(kept.used(), room);
	EXPECT_EQ(kept.keep(1, 2 * page, page, form, 1), nullptr);
	kept.forget(1, page, page);
	/* Small ones count for more than they are, so that a guest cannot make millions. */
	std::uint64_t count = 0;
	while (kept.keep(1, (2 + count) * page, page, form, 1))
		++count;
	EXPECT_EQ(count, room / 2 / (64 << 10));
}

class constant_weights_test : public device_test {
protected:
	static constexpr std::uint64_t in_at = arena_va, weight_at = arena_va + (1 << 20), out_at = arena_va + (2 << 20);
	static constexpr std::uint32_t channels = 32;

	void SetUp() override
	{
		device_test::SetUp();
		q.emplace(m.make_queue());
		for (std::uint32_t i = 0; i < 16 * channels; ++i)
			m.arena<float>(0)[i] = 1;
	}

	/** The first output, with weights of @p value: what all of them are in the end. */
	float run_with(float value)
	{
		std::fill_n(m.arena<float>(1 << 20), channels * channels, value);
		return run_again(*q);
	}
	float run_again(job_queue &on)
	{
		atom_cmd_conv2d c{};
		c.header.opcode = ATOM_OP_CONV2D;
		c.header.flags = flags;
		c.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
		c.groups = 1;
		c.in = dense(0, in_at, ATOM_DTYPE_F32, {1, 4, 4, channels});
		c.weight = dense(0, weight_at, ATOM_DTYPE_F32, {channels, 1, 1, channels});
		c.out = dense(0, out_at, ATOM_DTYPE_F32, {1, 4, 4, channels});
		command_bytes commands;
		commands.add(c);
		EXPECT_EQ(run(on, commands).status, ATOM_CPL_OK);
		return *m.arena<float>(2 << 20) / static_cast<float>(channels);
	}

	std::optional<job_queue> q;
	std::uint16_t flags = ATOM_CONV_WEIGHT_CONSTANT;
};

TEST_F(constant_weights_test, are_read_once_if_they_are_promised)
{
	EXPECT_EQ(run_with(2), 2);
	EXPECT_EQ(run_with(3), 2) << "the promise was broken: the copy is used";
	flags = 0;
	EXPECT_EQ(run_again(*q), 3);
}

TEST_F(constant_weights_test, are_read_again_after_an_invalidate_of_one_of_their_pages)
{
	EXPECT_EQ(run_with(2), 2);
	ASSERT_TRUE(m.driver.invalidate(asid, in_at, page));
	EXPECT_EQ(run_with(3), 2) << "not theirs";
	ASSERT_TRUE(m.driver.invalidate(asid, weight_at, page));
	EXPECT_EQ(run_again(*q), 3);
	EXPECT_EQ(run_with(4), 3);
	ASSERT_TRUE(m.driver.invalidate(asid));
	EXPECT_EQ(run_again(*q), 4);
}

TEST_F(constant_weights_test, are_those_of_their_address_space)
{
	page_tables others(m.driver);
	others.map(arena_va, arena_bytes, ATOM_APERTURE_LOCAL, 0);
	others.map(host_va, host_bytes, ATOM_APERTURE_SYSTEM, m.host_address);
	ASSERT_TRUE(m.driver.asid_set(2, others));
	EXPECT_EQ(run_with(2), 2);
	job_queue other = m.make_queue(2, {}, 2);
	std::fill_n(m.arena<float>(1 << 20), channels * channels, 3.0f);
	EXPECT_EQ(run_again(other), 3) << "at the same address, in another address space";
	EXPECT_EQ(run_again(*q), 2);
}

TEST_F(constant_weights_test, of_an_address_space_that_is_set_again_are_forgotten)
{
	EXPECT_EQ(run_with(2), 2);
	ASSERT_TRUE(m.driver.asid_set(asid, *m.tables));
	EXPECT_EQ(run_with(3), 3);
}

TEST_F(constant_weights_test, go_with_a_reset)
{
	const auto kept = [&] {
		char *text = atom_model_describe(m.bus.model());
		const bool none = std::string_view(text).find("constant operands: 0 bytes") != std::string_view::npos;
		std::free(text);
		return !none;
	};
	EXPECT_FALSE(kept());
	EXPECT_EQ(run_with(2), 2);
	EXPECT_TRUE(kept());
	atom_model_reset(m.bus.model(), 0, ATOM_RESET_FLR);
	EXPECT_FALSE(kept());
}

} // namespace

} // namespace atom::test
