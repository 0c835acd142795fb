// SPDX-License-Identifier: MIT
// Sharing in the C interface, on the fake kernel; the device inside of the process cannot share.
#include <cerrno>

#include <linux/dma-buf.h>

#include <drm/atom_accel.h>

#include "c_fixture.hpp"
#include "fake_kernel.hpp"

namespace atom::test {
namespace {

class sharing_in_c : public testing::Test {
protected:
	std::shared_ptr<fake_kernel> kernel = with_user_memory();
	atom_device device{open_device(kernel)};
	atom_context *context = nullptr;

	static std::shared_ptr<fake_kernel> with_user_memory()
	{
		auto k = std::make_shared<fake_kernel>();
		k->info.kernel_caps |= DRM_ATOM_CAP_USERPTR;
		return k;
	}
	void SetUp() override { ASSERT_EQ(atom_context_create(&device, &context), ATOM_OK); }
	void TearDown() override
	{
		atom_context_destroy(context);
		EXPECT_EQ(kernel->objects(), 0U) << "something was left behind";
	}

	atom_buffer *buffer(std::uint64_t bytes, bool shareable) const
	{
		auto options = sized<atom_buffer_options>();
		options.placement = ATOM_PLACEMENT_LOCAL;
		options.shareable = shareable ? 1 : 0;
		atom_buffer *made = nullptr;
		EXPECT_EQ(atom_buffer_create(context, bytes, &options, &made), ATOM_OK)
			<< atom_last_error();
		return made;
	}

	static std::byte *bytes_of(atom_buffer *b)
	{
		void *address = nullptr;
		EXPECT_EQ(atom_buffer_map(b, &address), ATOM_OK) << atom_last_error();
		return static_cast<std::byte *>(address);
	}
};

TEST_F(sharing_in_c, a_buffer_goes_to_another_context_as_a_file)
{
	atom_context *other = nullptr;
	ASSERT_EQ(atom_context_create(&device, &other), ATOM_OK);
	atom_buffer *first = buffer(4096, true), *second = nullptr;
	bytes_of(first)[7] = std::byte{42};
	int file = -1;
	ASSERT_EQ(atom_buffer_export(first, &file), ATOM_OK) << atom_last_error();
	ASSERT_EQ(atom_buffer_import(other, file, &second), ATOM_OK) << atom_last_error();
	kernel->close(file);
	atom_buffer_destroy(first);
	EXPECT_EQ(atom_buffer_size(second), 4096U);
	EXPECT_EQ(atom_buffer_placement(second), ATOM_PLACEMENT_LOCAL);
	EXPECT_EQ(bytes_of(second)[7], std::byte{42});
	atom_buffer_destroy(second);
	atom_context_destroy(other);
}

TEST_F(sharing_in_c, what_cannot_be_exported_or_imported_is_refused)
{
	atom_buffer *plain = buffer(4096, false), *made = plain;
	int file = 77;
	EXPECT_EQ(atom_buffer_export(plain, &file), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_STREQ(atom_last_error(), "export buffer: it was created without shareable = true");
	EXPECT_EQ(file, 77) << "a call that fails writes nothing";
	EXPECT_EQ(atom_buffer_export(plain, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_buffer_export(nullptr, &file), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_buffer_import(context, 12345, &made), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_buffer_import(nullptr, 0, &made), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(made, plain);
	EXPECT_EQ(atom_buffer_placement(nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	atom_buffer_destroy(plain);
}

TEST_F(sharing_in_c, the_device_reaches_memory_of_the_program)
{
	std::vector<std::byte> memory(3 * 4096);
	std::byte *const start = memory.data() + 100;
	atom_buffer *made = nullptr;
	ASSERT_EQ(atom_buffer_from_user(context, start, 4096, nullptr, &made), ATOM_OK)
		<< atom_last_error();
	EXPECT_EQ(bytes_of(made), start);
	EXPECT_EQ(atom_buffer_size(made), 4096U);
	EXPECT_EQ(atom_buffer_placement(made), ATOM_PLACEMENT_SYSTEM);
	const std::uint32_t vm = core::access::ctx(context->value)->id();
	EXPECT_EQ(kernel->translate(vm, atom_buffer_address(made), 4096), start);
	atom_buffer_destroy(made);

	auto options = sized<atom_user_memory_options>();
	options.read_only = 1;
	ASSERT_EQ(atom_buffer_from_user(context, start, 8, &options, &made), ATOM_OK);
	atom_buffer_destroy(made);
	EXPECT_EQ(atom_buffer_from_user(context, nullptr, 8, &options, &made),
	          ATOM_ERROR_INVALID_ARGUMENT);
	options.size = 0;
	EXPECT_EQ(atom_buffer_from_user(context, start, 8, &options, &made),
	          ATOM_ERROR_INVALID_ARGUMENT);
	kernel->fail(number(DRM_IOCTL_ATOM_VM_BIND), EFAULT);
	EXPECT_EQ(atom_buffer_from_user(context, start, 8, nullptr, &made),
	          ATOM_ERROR_SYSTEM - EFAULT);
}

TEST_F(sharing_in_c, the_cpu_brackets_its_use_of_memory_of_another_driver)
{
	atom_buffer *made = nullptr;
	const int file = kernel->foreign_dmabuf(8192);
	ASSERT_EQ(atom_buffer_import(context, file, &made), ATOM_OK) << atom_last_error();
	kernel->close(file);
	EXPECT_EQ(atom_buffer_begin_cpu(made, ATOM_CPU_READ), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_STREQ(atom_last_error(), "access buffer: it is not mapped (atom_buffer_map)");
	ASSERT_NE(bytes_of(made), nullptr);
	EXPECT_EQ(atom_buffer_begin_cpu(made, ATOM_CPU_READ), ATOM_OK);
	EXPECT_EQ(atom_buffer_end_cpu(made, ATOM_CPU_READ_WRITE), ATOM_OK);
	EXPECT_EQ(kernel->dmabuf_accesses, (std::vector<std::string>{"start 1", "end 3"}));
	for (const std::uint32_t wrong : {0U, 4U, ~0U})
		EXPECT_EQ(atom_buffer_end_cpu(made, wrong), ATOM_ERROR_INVALID_ARGUMENT) << wrong;
	kernel->fail(number(DMA_BUF_IOCTL_SYNC), EIO);
	EXPECT_EQ(atom_buffer_begin_cpu(made, ATOM_CPU_WRITE), ATOM_ERROR_DEVICE_LOST);
	EXPECT_EQ(atom_buffer_begin_cpu(nullptr, ATOM_CPU_WRITE), ATOM_ERROR_INVALID_ARGUMENT);
	atom_buffer_destroy(made);

	atom_buffer *coherent = buffer(64, false);
	bytes_of(coherent);
	kernel->dmabuf_accesses.clear();
	EXPECT_EQ(atom_buffer_begin_cpu(coherent, ATOM_CPU_READ_WRITE), ATOM_OK);
	EXPECT_TRUE(kernel->dmabuf_accesses.empty());
	atom_buffer_destroy(coherent);
}

TEST_F(sharing_in_c, a_timeline_goes_to_another_as_a_file)
{
	atom_timeline *here = nullptr, *there = nullptr;
	ASSERT_EQ(atom_timeline_create(&device, &here), ATOM_OK);
	int file = -1;
	ASSERT_EQ(atom_timeline_export(here, &file), ATOM_OK) << atom_last_error();
	ASSERT_EQ(atom_timeline_import(&device, file, &there), ATOM_OK) << atom_last_error();
	kernel->close(file);
	ASSERT_EQ(atom_timeline_signal(there, 5), ATOM_OK);
	atom_timeline_destroy(there);
	std::uint64_t value = 0;
	EXPECT_EQ(atom_timeline_get_value(here, &value), ATOM_OK);
	EXPECT_EQ(value, 5U);
	EXPECT_EQ(atom_timeline_import(&device, 12345, &there), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_timeline_import(nullptr, 0, &there), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_timeline_export(nullptr, &file), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_timeline_export(here, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	kernel->fail(number(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD), ENOTTY);
	EXPECT_EQ(atom_timeline_export(here, &file), ATOM_ERROR_UNSUPPORTED);
	atom_timeline_destroy(here);
}

TEST_F(sharing_in_c, a_job_waits_for_a_sync_file)
{
	atom_queue *queue = nullptr;
	atom_timeline *moments = nullptr;
	ASSERT_EQ(atom_queue_create(context, nullptr, &queue), ATOM_OK);
	ASSERT_EQ(atom_timeline_create(&device, &moments), ATOM_OK);
	auto job = sized<atom_submission>();
	atom_fence done{queue, nullptr, 0};
	ASSERT_EQ(atom_queue_submit(queue, &job, 1, &done.point), ATOM_OK);
	int file = -1;
	ASSERT_EQ(atom_fence_export_sync_file(&done, &file), ATOM_OK) << atom_last_error();
	ASSERT_EQ(atom_timeline_import_sync_file(moments, 3, file), ATOM_OK) << atom_last_error();
	EXPECT_EQ(atom_timeline_import_sync_file(moments, 0, file), ATOM_ERROR_INVALID_ARGUMENT);
	kernel->close(file);
	const atom_fence moment{nullptr, moments, 3};
	job.waits = &moment;
	job.wait_count = 1;
	EXPECT_EQ(atom_queue_run(queue, &job, ATOM_NO_DEADLINE, nullptr), ATOM_OK)
		<< atom_last_error();
	const atom_fence never{nullptr, moments, 9};
	EXPECT_EQ(atom_fence_export_sync_file(&never, &file), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_fence_export_sync_file(nullptr, &file), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_fence_export_sync_file(&never, nullptr), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_timeline_import_sync_file(moments, 4, 12345), ATOM_ERROR_INVALID_ARGUMENT);
	EXPECT_EQ(atom_timeline_import_sync_file(nullptr, 4, 0), ATOM_ERROR_INVALID_ARGUMENT);
	atom_timeline_destroy(moments);
	atom_queue_destroy(queue);
}

TEST_F(the_c_interface, says_that_the_device_inside_of_the_process_cannot_share)
{
	auto options = sized<atom_buffer_options>();
	options.shareable = 1;
	atom_buffer *shared = nullptr, *made = nullptr;
	atom_timeline *timeline = nullptr;
	ASSERT_EQ(atom_buffer_create(context, 64, &options, &shared), ATOM_OK) << atom_last_error();
	ASSERT_EQ(atom_timeline_create(&device, &timeline), ATOM_OK);
	int file = -1;
	char memory[64];
	EXPECT_EQ(atom_buffer_export(shared, &file), ATOM_ERROR_UNSUPPORTED);
	EXPECT_EQ(atom_timeline_export(timeline, &file), ATOM_ERROR_UNSUPPORTED);
	EXPECT_EQ(atom_buffer_import(context, 0, &made), ATOM_ERROR_UNSUPPORTED);
	EXPECT_EQ(atom_buffer_from_user(context, memory, sizeof(memory), nullptr, &made),
	          ATOM_ERROR_UNSUPPORTED);
	void *address = nullptr;
	ASSERT_EQ(atom_buffer_map(shared, &address), ATOM_OK);
	EXPECT_EQ(atom_buffer_begin_cpu(shared, ATOM_CPU_WRITE), ATOM_OK);
	EXPECT_EQ(atom_buffer_end_cpu(shared, ATOM_CPU_WRITE), ATOM_OK);
	atom_timeline_destroy(timeline);
	atom_buffer_destroy(shared);
}

} // namespace
} // namespace atom::test
