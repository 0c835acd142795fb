// SPDX-License-Identifier: MIT
// Structures of older and newer programs, and of wrong ones.
#include <cstring>

#include "c_fixture.hpp"

namespace atom::test {
namespace {

TEST_F(the_c_interface, takes_and_fills_shorter_structures_of_older_programs)
{
	atom_device_info info;
	std::memset(&info, 0x55, sizeof(info));
	info.size = offsetof(atom_device_info, bdf);
	ASSERT_EQ(atom_device_get_info(&device, &info), ATOM_OK);
	EXPECT_STREQ(info.path, device.value.info().path.c_str());
	EXPECT_EQ(info.size, offsetof(atom_device_info, bdf));
	EXPECT_EQ(info.bdf[0], 0x55) << "it must stay inside of what the caller has";

	atom_buffer_options options;
	std::memset(&options, 0x55, sizeof(options));
	options.size = offsetof(atom_buffer_options, no_cpu_access);
	options.placement = ATOM_PLACEMENT_LOCAL;
	atom_buffer *made = nullptr;
	ASSERT_EQ(atom_buffer_create(context, 64, &options, &made), ATOM_OK) << atom_last_error();
	EXPECT_NE(floats(made), nullptr);
	atom_buffer_destroy(made);
}

TEST_F(the_c_interface, takes_longer_structures_of_newer_programs_unless_they_use_the_rest)
{
	struct {
		atom_queue_options known = sized<atom_queue_options>();
		std::uint64_t newer = 0;
	} options;
	options.known.size = sizeof(options);
	atom_queue *made = nullptr;
	ASSERT_EQ(atom_queue_create(context, &options.known, &made), ATOM_OK) << atom_last_error();
	atom_queue_destroy(made);
	options.newer = 1;
	EXPECT_EQ(atom_queue_create(context, &options.known, &made), ATOM_ERROR_UNSUPPORTED);

	struct {
		atom_memory_info known{};
		std::uint64_t newer = 9;
	} info;
	info.known.size = sizeof(info);
	ASSERT_EQ(atom_device_get_memory(&device, &info.known), ATOM_OK);
	EXPECT_EQ(info.newer, 0U);
}

TEST_F(the_c_interface, refuses_fields_that_mean_nothing_yet)
{
	auto options = sized<atom_queue_options>();
	options.reserved = 7;
	atom_queue *made = nullptr;
	EXPECT_EQ(atom_queue_create(context, &options, &made), ATOM_ERROR_UNSUPPORTED);
	EXPECT_STREQ(atom_last_error(), "the field reserved of a structure is 7, not 0");
	auto more = sized<atom_context_options>();
	more.reserved = 1;
	atom_context *other = nullptr;
	EXPECT_EQ(atom_context_create_with(&device, &more, &other), ATOM_ERROR_UNSUPPORTED);

	atom_builder *builder = nullptr;
	ASSERT_EQ(atom_builder_create(context, &builder), ATOM_OK) << atom_last_error();
	auto image = sized<atom_operand>();
	image.dtype = ATOM_DTYPE_F32;
	image.where.slot = 1;
	image.rank = 4;
	for (auto &n : image.dims)
		n = 1;
	auto conv = sized<atom_conv2d_options>();
	EXPECT_EQ(atom_builder_conv2d(builder, &image, &image, &image, &conv), ATOM_OK) << atom_last_error();
	conv.reserved = 1;
	EXPECT_EQ(atom_builder_conv2d(builder, &image, &image, &image, &conv), ATOM_ERROR_UNSUPPORTED);
	auto quantised = image;
	quantised.zero_points.reserved = 1; /* though it is absent */
	EXPECT_EQ(atom_builder_conv2d(builder, &quantised, &image, &image, nullptr), ATOM_ERROR_UNSUPPORTED);
	image.where.reserved = 1;
	EXPECT_EQ(atom_builder_conv2d(builder, &image, &image, &image, nullptr), ATOM_ERROR_UNSUPPORTED);
	atom_builder_destroy(builder);
}

TEST_F(the_c_interface, steps_through_arrays_by_the_size_that_their_structures_have)
{
	struct longer {
		atom_submission job = sized<atom_submission>();
		std::uint64_t newer = 0;
	} jobs[2];
	jobs[0].job.size = jobs[1].job.size = sizeof(longer);
	jobs[1].job.cookie = 4;
	std::uint64_t last = 0;
	ASSERT_EQ(atom_queue_submit(queue, &jobs[0].job, 2, &last), ATOM_OK) << atom_last_error();
	const atom_fence done{queue, nullptr, last};
	ASSERT_EQ(atom_fence_wait(&done, ATOM_NO_DEADLINE, nullptr), ATOM_OK);
	struct {
		atom_completion result = sized<atom_completion>();
		std::uint64_t newer = 9;
	} out[2];
	out[0].result.size = out[1].result.size = sizeof(out[0]);
	std::uint32_t count = 0;
	ASSERT_EQ(atom_queue_reap(queue, &out[0].result, 2, &count), ATOM_OK);
	ASSERT_EQ(count, 2U);
	EXPECT_EQ(out[1].result.cookie, 4U);
	EXPECT_EQ(out[1].newer, 0U);
	jobs[1].job.size = sizeof(atom_submission);
	EXPECT_EQ(atom_queue_submit(queue, &jobs[0].job, 2, &last), ATOM_ERROR_INVALID_ARGUMENT);
}

TEST_F(the_c_interface, refuses_null_and_structures_without_size)
{
	atom_device_info none{};
	EXPECT_EQ(atom_device_get_info(&device, &none), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_STREQ(atom_last_error(), "the size of a structure is not set");
	EXPECT_EQ(atom_device_get_info(&device, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_device_get_info(nullptr, &none), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_STREQ(atom_last_error(), "device is null");
	EXPECT_EQ(atom_context_create(&device, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_queue_submit(queue, nullptr, 1, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_wait_all(nullptr, 1, 0), ATOM_ERROR_INVALID_ARGUMENT);
	const atom_fence of_nothing{nullptr, nullptr, 1};
	EXPECT_EQ(atom_fence_ready(&of_nothing), ATOM_ERROR_INVALID_ARGUMENT);
	atom_device_destroy(nullptr);
	atom_context_destroy(nullptr);
	atom_buffer_destroy(nullptr);
	atom_builder_destroy(nullptr);
	atom_commands_destroy(nullptr);
	atom_queue_destroy(nullptr);
	atom_timeline_destroy(nullptr);
	atom_notifier_destroy(nullptr);
	atom_device_monitor_destroy(nullptr);
	EXPECT_EQ(atom_buffer_size(nullptr), 0U);
	EXPECT_EQ(atom_commands_argument_count(nullptr), 0U);
}

} // namespace
} // namespace atom::test
