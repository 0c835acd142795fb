// SPDX-License-Identifier: MIT
// Memory of the program, dma-bufs, timelines and fences as files, on the fake kernel.
#include <linux/dma-buf.h>

#include <drm/atom_accel.h>

#include "fixture.hpp"

namespace atom::test {
namespace {

class sharing : public on_fake_kernel {
protected:
	static std::shared_ptr<fake_kernel> with_user_memory()
	{
		auto k = std::make_shared<fake_kernel>();
		k->info.kernel_caps |= DRM_ATOM_CAP_USERPTR;
		return k;
	}
	std::uint32_t vm() const { return core::access::ctx(ctx)->id(); }
	buffer shareable(std::uint64_t bytes) const
	{
		buffer_options o;
		o.shareable = true;
		return {ctx, bytes, o};
	}
};

TEST_F(sharing, memory_of_the_program_is_what_the_device_reaches)
{
	const auto machine = with_user_memory();
	const context own(open_device(machine));
	std::vector<std::byte> memory(3 * 4096);
	std::byte *const start = memory.data() + 100;
	{
		const buffer b = buffer::from_user(own, start, 4096);
		EXPECT_EQ(b.size(), 4096U);
		EXPECT_EQ(b.placement(), placement::system);
		EXPECT_EQ(b.map().data(), start);
		EXPECT_EQ(machine->translate(core::access::ctx(own)->id(), b.device_address(), 4096),
		          start);
		error_of(errc::invalid_argument, [&] { (void)b.export_dmabuf(); });
		EXPECT_EQ(machine->mappings(), 0U);
	}
	EXPECT_EQ(machine->count(number(DRM_IOCTL_GEM_CLOSE)), 0U) << "it has no handle";
	const buffer gone = buffer::from_user(own, start, 8, device_access::read_only);
	EXPECT_EQ(gone.device_address() % 4096, reinterpret_cast<std::uintptr_t>(start) % 4096);
}

TEST_F(sharing, memory_of_the_program_is_refused_where_it_cannot_be_reached)
{
	int x = 0;
	EXPECT_EQ(error_of(errc::unsupported, [&] { (void)buffer::from_user(ctx, &x, 4); }),
	          "use memory of the program: /dev/accel/accel0 cannot reach it");
	const auto machine = with_user_memory();
	const context own(open_device(machine));
	error_of(errc::invalid_argument, [&] { (void)buffer::from_user(own, nullptr, 4); });
	error_of(errc::invalid_argument, [&] { (void)buffer::from_user(own, &x, 0); });
	error_of(errc::invalid_argument, [&] { (void)buffer::from_user({}, &x, 4); });
	machine->fail(number(DRM_IOCTL_ATOM_VM_BIND), ENOMEM);
	std::error_code ec;
	EXPECT_FALSE(buffer::from_user(own, &x, 4, device_access::read_write, ec));
	EXPECT_EQ(ec, errc::out_of_host_memory);
	EXPECT_TRUE(buffer::from_user(own, &x, 4, device_access::read_write, ec));
	EXPECT_FALSE(ec);
}

TEST_F(sharing, a_buffer_goes_to_another_context_as_a_file)
{
	const context other(dev);
	buffer second;
	std::size_t handles = kernel->objects();
	{
		const buffer first = shareable(5000);
		first.map().bytes()[4999] = std::byte{42};
		const int file = first.export_dmabuf();
		second = buffer::import_dmabuf(other, file);
		kernel->close(file);
	}
	EXPECT_EQ(second.size(), 8192U) << "a dma-buf is of whole pages";
	EXPECT_EQ(second.map().bytes()[4999], std::byte{42});
	EXPECT_EQ(kernel->objects(), handles + 1) << "the file has one handle for both";
	second.map().begin(cpu_use::read);
	EXPECT_TRUE(kernel->dmabuf_accesses.empty()) << "it is coherent";
	second = {};
	EXPECT_EQ(kernel->objects(), handles);
}

TEST_F(sharing, only_what_was_made_for_it_can_be_exported)
{
	const buffer plain(ctx, 4096);
	EXPECT_EQ(error_of(errc::invalid_argument, [&] { (void)plain.export_dmabuf(); }),
	          "export buffer: it was created without shareable = true");
	error_of(errc::invalid_argument, [] { (void)buffer().export_dmabuf(); });
	std::error_code ec;
	EXPECT_EQ(plain.export_dmabuf(ec), -1);
	EXPECT_EQ(ec, errc::invalid_argument);
	const buffer good = shareable(4096);
	kernel->fail(number(DRM_IOCTL_PRIME_HANDLE_TO_FD), ENOTTY);
	EXPECT_EQ(good.export_dmabuf(ec), -1);
	EXPECT_EQ(ec, errc::unsupported);
	const int file = good.export_dmabuf(ec);
	EXPECT_FALSE(ec);
	kernel->close(file);
}

TEST_F(sharing, memory_of_another_driver_is_reached_through_its_own_file)
{
	const std::size_t files = kernel->open_files();
	const int file = kernel->foreign_dmabuf(8192);
	{
		const buffer b = buffer::import_dmabuf(ctx, file);
		kernel->close(file);
		const mapping m = b.map();
		ASSERT_EQ(m.size(), 8192U);
		m.begin(cpu_use::read);
		m.end(cpu_use::read_write);
		EXPECT_EQ(kernel->dmabuf_accesses, (std::vector<std::string>{"start 1", "end 3"}));
		EXPECT_EQ(kernel->translate(vm(), b.device_address(), 8192), m.data());
		std::error_code ec;
		kernel->fail(number(DMA_BUF_IOCTL_SYNC), EIO);
		m.begin(cpu_use::write, ec);
		EXPECT_EQ(ec, errc::device_lost);
	}
	EXPECT_EQ(kernel->open_files(), files) << "its file must be closed";
	error_of(errc::invalid_argument, [] { mapping().begin(cpu_use::read); });
}

TEST_F(sharing, what_is_no_dma_buf_is_refused_and_nothing_is_left_behind)
{
	const std::size_t before = kernel->objects();
	std::error_code ec;
	EXPECT_FALSE(buffer::import_dmabuf(ctx, 12345, ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	error_of(errc::invalid_argument, [] { (void)buffer::import_dmabuf({}, 0); });
	const int file = kernel->foreign_dmabuf(4096);
	for (const auto request :
	     {number(DRM_IOCTL_PRIME_FD_TO_HANDLE), number(DRM_IOCTL_ATOM_BO_INFO),
	      number(DRM_IOCTL_PRIME_HANDLE_TO_FD), number(DRM_IOCTL_ATOM_VM_BIND)}) {
		kernel->fail(request, EOPNOTSUPP);
		EXPECT_FALSE(buffer::import_dmabuf(ctx, file, ec));
		EXPECT_EQ(ec, errc::unsupported);
		EXPECT_EQ(kernel->objects(), before);
	}
	kernel->close(file);
}

TEST_F(sharing, timelines_are_the_same_on_both_sides_of_a_file)
{
	timeline here(dev);
	const int file = here.export_fd();
	timeline there = timeline::import_fd(dev, file);
	kernel->close(file);
	here.signal(4);
	EXPECT_EQ(there.value(), 4U);
	there.signal(6);
	EXPECT_TRUE(here.at(6).ready());
	here = {};
	EXPECT_EQ(there.value(), 6U);
	std::error_code ec;
	EXPECT_FALSE(timeline::import_fd(dev, 12345, ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_EQ(here.export_fd(ec), -1);
	EXPECT_EQ(ec, errc::invalid_argument);
	kernel->fail(number(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD), ENOTTY);
	error_of(errc::unsupported, [&] { (void)there.export_fd(); });
}

TEST_F(sharing, a_job_waits_for_a_sync_file)
{
	queue q(ctx);
	const fence first = q.submit(submission());
	const int file = first.export_sync_file();
	timeline moments(dev);
	const fence moment = moments.import_sync_file(3, file);
	kernel->close(file);
	EXPECT_EQ(moment.point(), 3U);
	submission job;
	job.waits = {&moment, 1};
	EXPECT_FALSE(q.run(job).error);
	const std::size_t objects = kernel->objects();
	std::error_code ec;
	EXPECT_EQ(moments.at(9).export_sync_file(ec), -1) << "nobody was given that point";
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_FALSE(moments.import_sync_file(4, 12345, ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_FALSE(moments.import_sync_file(0, 12345, ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_EQ(fence().export_sync_file(ec), -1);
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_EQ(kernel->objects(), objects) << "no syncobj may be left behind";
}

TEST_F(sharing, a_forked_child_shares_nothing)
{
	const buffer b = shareable(4096);
	timeline t(dev);
	queue q(ctx);
	const fence done = q.submit(submission());
	int x = 0;
	kernel->pid = 101;
	error_of(errc::forked_child, [&] { (void)b.export_dmabuf(); });
	error_of(errc::forked_child, [&] { (void)buffer::import_dmabuf(ctx, 3); });
	error_of(errc::forked_child, [&] { (void)buffer::from_user(ctx, &x, 4); });
	error_of(errc::forked_child, [&] { (void)t.export_fd(); });
	error_of(errc::forked_child, [&] { (void)timeline::import_fd(dev, 3); });
	error_of(errc::forked_child, [&] { (void)done.export_sync_file(); });
	error_of(errc::forked_child, [&] { (void)t.import_sync_file(1, 3); });
	kernel->pid = 100;
}

} // namespace
} // namespace atom::test
