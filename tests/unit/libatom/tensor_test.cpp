// SPDX-License-Identifier: MIT
#include <limits>

#include "fixture.hpp"

namespace atom::test {
namespace {

TEST(a_tensor, that_cannot_exist_is_refused)
{
	const auto make = [](dtype type, std::initializer_list<std::uint64_t> dims) {
		(void)tensor(slot(1), type, dims);
	};
	error_of(errc::invalid_argument, [&] { make(dtype::none, {1}); });
	error_of(errc::invalid_argument, [&] { make(static_cast<dtype>(99), {1}); });
	error_of(errc::invalid_argument, [&] { make(dtype::f32, {1, 1, 1, 1, 1, 1}); });
	error_of(errc::invalid_argument, [&] { make(dtype::f32, {2, 0}); });
	error_of(errc::invalid_argument, [&] { make(dtype::q8_0, {33}); });
	error_of(errc::invalid_argument, [&] { make(dtype::q8_0, {}); });
	error_of(errc::too_large, [&] { make(dtype::f32, {1ULL << 40, 1ULL << 40}); });
	error_of(errc::too_large, [&] { make(dtype::f32, {1ULL << 61}); });
	EXPECT_EQ(bytes_of(dtype::q4_0, {2, 64}), 72U);
	EXPECT_EQ(bytes_of(dtype::f32, {}), 4U);
}

TEST(a_tensor, changes_only_as_it_can)
{
	tensor t(slot(1), dtype::i8, {1, 4});
	error_of(errc::invalid_argument, [&] { t.strides({1}); });
	error_of(errc::invalid_argument, [&] { t.transpose(0, 2); });
	error_of(errc::invalid_argument, [&] { t.broadcast(1, 3); });
	error_of(errc::invalid_argument, [&] { t.broadcast(0, 0); });
	error_of(errc::invalid_argument, [&] { t.quantise(0.0F); });
	error_of(errc::invalid_argument,
	         [&] { t.quantise(std::numeric_limits<float>::infinity()); });
	error_of(errc::invalid_argument, [&] { t.quantise(2U, slot(1)); });
	error_of(errc::invalid_argument, [&] { t.quantise(1U, slot(1), slot(2)); });
	t.advance(INT64_MAX);
	error_of(errc::too_large, [&] { t.advance(1); });
}

TEST(a_tensor, is_repeated_to_larger_dimensions_from_the_last_one_on)
{
	tensor row(slot(1), dtype::f32, {3, 1, 5});
	row.broadcast_to({2, 3, 4, 5});
	const auto dims = row.dims();
	const auto strides = row.strides();
	EXPECT_EQ(std::vector<std::uint64_t>(dims.begin(), dims.end()),
	          (std::vector<std::uint64_t>{2, 3, 4, 5}));
	EXPECT_EQ(std::vector<std::int64_t>(strides.begin(), strides.end()),
	          (std::vector<std::int64_t>{0, 20, 0, 4}));
	EXPECT_EQ(tensor(slot(1), dtype::f32, {}).broadcast_to({7}).strides()[0], 0);
}

TEST(a_tensor, is_not_repeated_to_dimensions_that_do_not_fit)
{
	const auto to = [](std::initializer_list<std::uint64_t> dims) {
		tensor t(slot(1), dtype::f32, {3, 1});
		error_of(errc::invalid_argument, [&] { t.broadcast_to(dims); });
		EXPECT_EQ(t.rank(), 2U);
	};
	to({4, 5});
	to({5});
	to({3, 0});
	to({0, 3, 5});
	to({1, 1, 1, 1, 3, 5});
}

TEST(a_tensor, with_one_scale_for_each_channel_keeps_its_channels_when_repeated)
{
	tensor t(slot(1), dtype::i8, {3, 1});
	t.quantise(0U, slot(2)).broadcast_to({2, 3, 4});
	EXPECT_EQ(t.rank(), 3U);
	tensor one(slot(1), dtype::i8, {1, 3});
	one.quantise(0U, slot(2));
	error_of(errc::invalid_argument, [&] { one.broadcast_to({2, 3}); });
	error_of(errc::invalid_argument, [&] { one.broadcast(0, 2); });
}

} // namespace
} // namespace atom::test
