// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstring>
#include <random>

#include "core/bo.hpp"
#include "core/va_allocator.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

class a_buffer : public on_fake_kernel {};

TEST_F(a_buffer, is_seen_by_the_device_where_it_says)
{
	const buffer b(ctx, 8192);
	const mapping m = b.map();
	m.as<std::uint32_t>()[1024] = 0x12345678;
	const std::byte *seen =
		kernel->translate(core::access::ctx(ctx)->id(), b.device_address() + 4096, 4);
	ASSERT_NE(seen, nullptr);
	std::uint32_t value = 0;
	std::memcpy(&value, seen, sizeof(value));
	EXPECT_EQ(value, 0x12345678U);
}

TEST_F(a_buffer, is_followed_by_a_page_that_is_not_mapped)
{
	const buffer a(ctx, 4096);
	const buffer b(ctx, 4096);
	EXPECT_GE(b.device_address(), a.device_address() + 8192);
	EXPECT_EQ(kernel->translate(core::access::ctx(ctx)->id(), a.device_address(), 4097),
	          nullptr);
}

TEST_F(a_buffer, is_mapped_once_however_often_it_is_asked_for)
{
	const buffer b(ctx, 4096);
	const mapping first = b.map();
	const mapping second = b.slice(16, 16).map();
	EXPECT_EQ(second.data(), first.data() + 16);
	EXPECT_EQ(kernel->mappings(), 1U);
}

TEST_F(a_buffer, lives_as_long_as_a_mapping_of_it)
{
	mapping m;
	{
		const buffer b(ctx, 4096);
		m = b.map();
	}
	m.bytes()[0] = std::byte{1};
	EXPECT_EQ(kernel->mappings(), 1U);
	m = {};
	EXPECT_EQ(kernel->mappings(), 0U);
}

TEST_F(a_buffer, gives_back_handle_address_and_mapping_when_it_dies)
{
	const std::size_t before = kernel->objects();
	std::uint64_t address = 0;
	{
		const buffer b(ctx, 4096);
		(void)b.map();
		address = b.device_address();
	}
	EXPECT_EQ(kernel->objects(), before);
	EXPECT_EQ(kernel->mappings(), 0U);
	EXPECT_EQ(buffer(ctx, 4096).device_address(), address);
}

// One failure in each step of making a buffer.
class a_failed_step : public on_fake_kernel, public testing::WithParamInterface<unsigned long> {};

TEST_P(a_failed_step, leaves_nothing_behind)
{
	const std::size_t before = kernel->objects();
	kernel->fail(GetParam(), ENOMEM);
	std::error_code ec;
	const buffer b = buffer::create(ctx, 4096, {}, ec);
	EXPECT_EQ(ec, errc::out_of_host_memory);
	EXPECT_EQ(ec, std::errc::not_enough_memory);
	EXPECT_FALSE(b);
	EXPECT_EQ(kernel->objects(), before);
	EXPECT_TRUE(buffer::create(ctx, 4096, {}, ec)) << ec.message();
}

INSTANTIATE_TEST_SUITE_P(of_a_buffer, a_failed_step,
                         testing::Values(number(DRM_IOCTL_ATOM_BO_CREATE),
                                         number(DRM_IOCTL_ATOM_VM_BIND)));

TEST_F(a_buffer, can_be_mapped_again_after_mapping_failed)
{
	const buffer b(ctx, 4096);
	kernel->fail(number(DRM_IOCTL_ATOM_BO_MMAP_OFFSET), ENOMEM);
	error_of(errc::out_of_host_memory, [&] { (void)b.map(); });
	EXPECT_TRUE(b.map());
}

TEST_F(a_buffer, of_the_parent_is_left_alone_by_a_forked_child)
{
	const std::size_t before = kernel->objects();
	{
		const buffer b(ctx, 4096);
		kernel->pid = 101;
		error_of(errc::forked_child, [&] { (void)b.map(); });
		error_of(errc::forked_child, [&] { (void)buffer(ctx, 64); });
		error_of(errc::forked_child, [&] { (void)context(dev); });
	}
	EXPECT_EQ(kernel->objects(), before + 1) << "the parent's buffer must live on";
	kernel->pid = 100;
}

TEST(the_va_allocator, never_hands_out_address_zero)
{
	core::va_allocator va(0, 1 << 20);
	EXPECT_EQ(va.allocate(4096, 4096), 4096U);
}

TEST(the_va_allocator, says_zero_when_it_is_full_or_asked_for_nothing)
{
	core::va_allocator va(4096, 3 * 4096);
	EXPECT_EQ(va.allocate(0, 4096), 0U);
	EXPECT_EQ(va.allocate(3 * 4096, 4096), 0U);
	EXPECT_EQ(va.allocate(2 * 4096, 4096), 4096U);
	EXPECT_EQ(va.allocate(4096, 4096), 0U);
	EXPECT_EQ(core::va_allocator(8192, 4096).allocate(1, 1), 0U);
}

TEST(the_va_allocator, merges_what_comes_back_in_any_order)
{
	core::va_allocator va(4096, 1 << 24);
	const std::uint64_t all = va.free_bytes();
	std::mt19937 random(1);
	std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
	for (int round = 0; round < 2000; ++round) {
		if (taken.empty() || random() % 3 != 0) {
			const std::uint64_t bytes = 4096 * (1 + random() % 16);
			const std::uint64_t alignment = 4096ULL << random() % 5;
			const std::uint64_t at = va.allocate(bytes, alignment);
			if (at == 0)
				continue;
			EXPECT_EQ(at % alignment, 0U);
			for (const auto &[start, size] : taken)
				ASSERT_TRUE(at + bytes <= start || start + size <= at);
			taken.emplace_back(at, bytes);
		} else {
			const std::size_t i = random() % taken.size();
			va.release(taken[i].first, taken[i].second);
			taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i));
		}
	}
	for (const auto &[start, size] : taken)
		va.release(start, size);
	EXPECT_EQ(va.free_bytes(), all);
	EXPECT_EQ(va.free_ranges(), 1U);
}

} // namespace
} // namespace atom::test
