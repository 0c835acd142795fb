// SPDX-License-Identifier: MIT
// Buffers shared as dma-bufs: between processes, with other drivers, and what outlives whom.
#include "context.hpp"
#include "machine.hpp"
#include "share_file.hpp"
#include "system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace vmtest;

namespace {

unique_fd export_buffer(const device &dev, const buffer &bo)
{
	unique_fd file;
	if (const int error = try_export(dev.fd(), bo.handle(), file))
		throw std::system_error(error, std::generic_category(), "PRIME_HANDLE_TO_FD");
	return file;
}

std::uint32_t import_buffer(const device &dev, const unique_fd &dma_buf)
{
	std::uint32_t handle = 0;
	if (const int error = try_import(dev.fd(), dma_buf.get(), handle))
		throw std::system_error(error, std::generic_category(), "PRIME_FD_TO_HANDLE");
	return handle;
}

void close_handle(int device_fd, std::uint32_t handle)
{
	drm_gem_close args{handle, 0};
	do_ioctl(device_fd, DRM_IOCTL_GEM_CLOSE, &args, "GEM_CLOSE");
}

/** Maps an imported handle at a new address. */
std::uint64_t bind_handle(context &c, std::uint32_t handle, std::uint64_t bytes)
{
	drm_atom_vm_bind_op op{};
	op.op = DRM_ATOM_VM_BIND_OP_MAP;
	op.bo_handle = handle;
	op.va = c.space.reserve(bytes);
	op.bytes = bytes;
	if (const int error = c.space.try_bind({op}))
		throw std::system_error(error, std::generic_category(), "VM_BIND of an imported buffer");
	return op.va;
}

/** The kernel's software-only GPU driver, or a descriptor below 0 where there is none. */
unique_fd open_vgem()
{
	if (run_program({"modprobe", "-q", "vgem"}) != 0)
		return {};
	for (int card = 0; card < 8; ++card) {
		unique_fd file(::open(("/dev/dri/card" + std::to_string(card)).c_str(), O_RDWR | O_CLOEXEC));
		char name[16] = {};
		drm_version version{};
		version.name = name;
		version.name_len = sizeof(name) - 1;
		if (file.get() >= 0 && try_ioctl(file.get(), DRM_IOCTL_VERSION, &version) == 0 &&
		    std::strcmp(name, "vgem") == 0)
			return file;
	}
	return {};
}

class sharing : public testing::TestWithParam<drm_atom_bo_placement> {};

INSTANTIATE_TEST_SUITE_P(prime, sharing, testing::Values(DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL),
			 [](const auto &info) {
				 return info.param == DRM_ATOM_BO_SYSTEM ? std::string("system_memory")
									 : std::string("device_memory");
			 });

} // namespace

TEST_P(sharing, a_buffer_passed_to_another_process_is_the_same_memory_there)
{
	const counters before = read_counters();
	{
		int sockets[2];
		ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
		const unique_fd ours(sockets[0]), theirs(sockets[1]);
		child other([&] {
			const unique_fd file = receive_file(theirs.get());
			context c;
			const std::uint64_t va = bind_handle(c, import_buffer(c.dev, file), mib);
			const memory copy = c.alloc(mib);
			c.run(command_list(make_copy_bytes(va, copy.va, mib)));
			if (find_damage(copy.as<std::uint32_t>(), 101) >= 0)
				throw std::runtime_error("the device does not see what the exporter wrote");
			fill_pattern(copy.as<std::uint32_t>(), 103);
			c.run(command_list(make_copy_bytes(copy.va, va, mib)));
		});
		unique_fd file;
		{
			const device dev;
			const buffer bo(dev, mib, GetParam());
			fill_pattern(bo.map().as<std::uint32_t>(), 101);
			file = export_buffer(dev, bo);
		} // the exporter closes first
		send_file(ours.get(), file.get());
		ASSERT_EQ(other.wait(), 0);
		EXPECT_EQ(find_damage(map_file(file, mib).as<std::uint32_t>(), 103), -1);
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST_P(sharing, importing_an_own_buffer_gives_its_handle_and_another_file_the_same_object)
{
	const counters before = read_counters();
	{
		const device dev, other;
		const buffer bo(dev, kib64, GetParam());
		const unique_fd file = export_buffer(dev, bo);
		EXPECT_EQ(import_buffer(dev, file), bo.handle());
		const counters with_one = read_counters();
		drm_atom_bo_info info{};
		info.handle = import_buffer(other, file);
		EXPECT_EQ(difference(with_one, read_counters()), "") << "a second object was made";
		ASSERT_EQ(other.try_call(DRM_IOCTL_ATOM_BO_INFO, &info), 0);
		EXPECT_EQ(info.placement, std::uint32_t{GetParam()});
		EXPECT_EQ(info.flags, 0u);
		EXPECT_EQ(info.size, bo.size());
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST_P(sharing, a_dma_buf_is_mapped_by_the_cpu_only_if_its_buffer_may_be)
{
	const device dev;
	const buffer hidden(dev, kib64, GetParam(), DRM_ATOM_BO_NO_MMAP);
	const unique_fd file = export_buffer(dev, hidden);
	EXPECT_THROW(map_file(file, kib64), std::system_error);
	const buffer open(dev, kib64, GetParam());
	const unique_fd open_file = export_buffer(dev, open);
	fill_pattern(open.map().as<std::uint32_t>(), 107);
	EXPECT_EQ(find_damage(map_file(open_file, kib64).as<std::uint32_t>(), 107), -1);
	EXPECT_THROW(map_file(open_file, 2 * kib64), std::system_error) << "more than the buffer was mapped";
}

TEST_P(sharing, a_buffer_private_to_an_address_space_cannot_be_exported)
{
	context c;
	const buffer secret(c.dev, page, GetParam(), 0, c.space.id());
	unique_fd file;
	EXPECT_EQ(try_export(c.dev.fd(), secret.handle(), file), EINVAL);
}

TEST_P(sharing, another_driver_reaches_system_memory_only)
{
	const counters before = read_counters();
	{
		const unique_fd vgem = open_vgem();
		if (vgem.get() < 0)
			GTEST_SKIP() << "the kernel has no vgem";
		const device dev;
		const buffer bo(dev, mib, GetParam());
		const unique_fd file = export_buffer(dev, bo);
		std::uint32_t handle = 0;
		const int error = try_import(vgem.get(), file.get(), handle);
		if (GetParam() == DRM_ATOM_BO_SYSTEM) {
			ASSERT_EQ(error, 0);
			close_handle(vgem.get(), handle);
		} else {
			EXPECT_EQ(error, EOPNOTSUPP);
		}
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(sharing_with_others, the_device_works_on_memory_of_vgem)
{
	const counters before = read_counters();
	{
		const unique_fd vgem = open_vgem();
		if (vgem.get() < 0)
			GTEST_SKIP() << "the kernel has no vgem";
		drm_mode_create_dumb dumb{};
		dumb.width = 512;
		dumb.height = 512;
		dumb.bpp = 32;
		do_ioctl(vgem.get(), DRM_IOCTL_MODE_CREATE_DUMB, &dumb, "CREATE_DUMB");
		unique_fd file;
		ASSERT_EQ(try_export(vgem.get(), dumb.handle, file), 0);
		const mapping view = map_file(file, dumb.size);
		close_handle(vgem.get(), dumb.handle);

		context c;
		const std::uint64_t va = bind_handle(c, import_buffer(c.dev, file), dumb.size);
		const memory copy = c.alloc(dumb.size);
		fill_pattern(view.as<std::uint32_t>(), 109);
		c.run(command_list(make_copy_bytes(va, copy.va, dumb.size)));
		EXPECT_EQ(find_damage(copy.as<std::uint32_t>(), 109), -1);
		fill_pattern(copy.as<std::uint32_t>(), 113);
		c.run(command_list(make_copy_bytes(copy.va, va, dumb.size)));
		EXPECT_EQ(find_damage(view.as<std::uint32_t>(), 113), -1);
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(sharing_with_others, the_device_works_on_memory_of_udmabuf_after_its_file_was_closed)
{
	const counters before = read_counters();
	{
		mapping view;
		context c;
		std::uint64_t va;
		std::uint32_t handle;
		{
			const unique_fd file = make_udmabuf(mib, view);
			handle = import_buffer(c.dev, file);
			va = bind_handle(c, handle, mib);
		}
		drm_atom_bo_info info{};
		info.handle = handle;
		ASSERT_EQ(c.dev.try_call(DRM_IOCTL_ATOM_BO_INFO, &info), 0);
		EXPECT_EQ(info.placement, std::uint32_t{DRM_ATOM_BO_SYSTEM});
		EXPECT_EQ(info.flags, std::uint32_t{DRM_ATOM_BO_NO_MMAP | DRM_ATOM_BO_IMPORTED});
		drm_atom_bo_mmap_offset offset{handle, 0, 0};
		EXPECT_EQ(c.dev.try_call(DRM_IOCTL_ATOM_BO_MMAP_OFFSET, &offset), EINVAL);
		close_handle(c.dev.fd(), handle); // the mapping keeps it

		const memory copy = c.alloc(mib);
		fill_pattern(view.as<std::uint32_t>(), 127);
		c.run(command_list(make_copy_bytes(va, copy.va, mib)));
		EXPECT_EQ(find_damage(copy.as<std::uint32_t>(), 127), -1);
		c.run(command_list(make_fill(tensor(ATOM_DTYPE_I32, {mib / 4}, va), 0x01020304)));
		EXPECT_EQ(view.as<std::uint32_t>()[mib / 4 - 1], 0x01020304u);
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(sharing_with_others, an_imported_buffer_is_exported_as_what_it_was)
{
	const device dev;
	mapping view;
	const unique_fd file = make_udmabuf(page, view);
	const std::uint32_t handle = import_buffer(dev, file);
	unique_fd again;
	ASSERT_EQ(try_export(dev.fd(), handle, again), 0);
	view.as<std::uint32_t>()[0] = 0x600df00d;
	EXPECT_EQ(map_file(again, page).as<std::uint32_t>()[0], 0x600df00du);
}

TEST(sharing_with_others, what_is_no_dma_buf_or_no_buffer_is_refused)
{
	const device dev;
	std::uint32_t handle = 0;
	EXPECT_EQ(try_import(dev.fd(), dev.fd(), handle), EINVAL);
	EXPECT_EQ(try_import(dev.fd(), -1, handle), EBADF);
	unique_fd file;
	EXPECT_EQ(try_export(dev.fd(), 4711, file), ENOENT);
}

TEST(two_devices, share_system_memory_but_not_device_memory)
{
	context one(0), two(1);
	for (const auto placement : {DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL}) {
		SCOPED_TRACE(placement);
		const memory source = one.alloc(mib, placement);
		const unique_fd file = export_buffer(one.dev, source.bo);
		std::uint32_t handle = 0;
		if (placement == DRM_ATOM_BO_LOCAL) {
			EXPECT_EQ(try_import(two.dev.fd(), file.get(), handle), EOPNOTSUPP);
			continue;
		}
		ASSERT_EQ(try_import(two.dev.fd(), file.get(), handle), 0);
		const std::uint64_t va = bind_handle(two, handle, mib);
		const memory target = two.alloc(mib, DRM_ATOM_BO_LOCAL);
		fill_pattern(source.as<std::uint32_t>(), 131);
		two.run(command_list(make_copy_bytes(va, target.va, mib)));
		EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 131), -1);
		one.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {mib}, source.va), 7)));
		two.run(command_list(make_copy_bytes(va, target.va, mib)));
		EXPECT_EQ(target.map.data()[mib - 1], std::byte{7});
	}
}

TEST(lifetime, shared_memory_outlives_the_device_that_exports_or_imports_it)
{
	const std::string node = device_nodes().at(0);
	const std::string link = "/sys/class/accel/" + node.substr(node.rfind('/') + 1) + "/device";
	char target[4096] = {};
	ASSERT_NE(realpath(link.c_str(), target), nullptr);
	const std::string address = std::string(target).substr(std::string(target).rfind('/') + 1);
	const auto tell_driver = [&](const std::string &what) {
		return run_program({"sh", "-c", ("echo " + address + " >/sys/bus/pci/drivers/atom_npu/" + what).c_str()});
	};
	{
		mapping view;
		const unique_fd foreign = make_udmabuf(kib64, view);
		context c;
		bind_handle(c, import_buffer(c.dev, foreign), kib64);
		const memory system = c.alloc(kib64), local = c.alloc(kib64, DRM_ATOM_BO_LOCAL);
		const unique_fd system_file = export_buffer(c.dev, system.bo), local_file = export_buffer(c.dev, local.bo);
		const mapping system_view = map_file(system_file, kib64), local_view = map_file(local_file, kib64);
		fill_pattern(system_view.as<std::uint32_t>(), 137);
		std::memset(local_view.data(), 0xff, kib64);
		ASSERT_EQ(tell_driver("unbind"), 0);
		EXPECT_EQ(find_damage(system_view.as<std::uint32_t>(), 137), -1);
		EXPECT_EQ(find_nonzero({local_view.data(), kib64}), -1) << "the device's memory shows after it has gone";
		std::memset(view.data(), 1, kib64);
		std::uint32_t handle;
		EXPECT_EQ(try_import(c.dev.fd(), foreign.get(), handle), ENODEV);
		c.dev.close();
		std::memset(local_view.data(), 2, kib64); // no SIGBUS
		EXPECT_EQ(find_damage(system_view.as<std::uint32_t>(), 137), -1);
	}
	ASSERT_EQ(tell_driver("bind"), 0);
	ASSERT_TRUE(eventually([] { return device_nodes().size() == 1; }));
	context again;
	EXPECT_NO_THROW(again.run(command_list(make_nop())));
}
