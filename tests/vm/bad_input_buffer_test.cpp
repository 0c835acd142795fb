// SPDX-License-Identifier: MIT
// Bad input to the ioctls of devices, buffers and address spaces.
#include "rejection.hpp"

#include <sys/mman.h>

using namespace vmtest;

TEST(bad_input, query_refuses_unknown_types_and_bad_pointers)
{
	const device dev;
	drm_atom_dev_info info{};
	const drm_atom_dev_query good{DRM_ATOM_DEV_QUERY_INFO, sizeof(info), address_of(&info)};
	const refusals table(dev, DRM_IOCTL_ATOM_DEV_QUERY, good);
	for (const std::uint32_t type : {4u, 5u, 0xffu, 0x80000000u, 0xffffffffu})
		table.expect("type " + std::to_string(type), {EINVAL}, [&](auto &args) { args.type = type; });
	table.expect("kernel pointer", {EFAULT}, [&](auto &args) { args.pointer = address_of(bad_pointer); });
	table.expect("unmapped pointer", {EFAULT}, [&](auto &args) { args.pointer = bad_address; });
	table.expect("pointer at the end of the address range", {EFAULT},
		     [&](auto &args) { args.pointer = ~std::uint64_t{0} - 7; });
	table.expect_bad_argument_pointer();
}

TEST(bad_input, query_fills_exactly_what_the_caller_has_room_for)
{
	const device dev;
	for (const std::uint32_t type : {DRM_ATOM_DEV_QUERY_INFO, DRM_ATOM_DEV_QUERY_MEMORY, DRM_ATOM_DEV_QUERY_TIMESTAMP,
					 DRM_ATOM_DEV_QUERY_TELEMETRY}) {
		SCOPED_TRACE(type);
		drm_atom_dev_query query{type, 0, 0};
		ASSERT_EQ(dev.try_call(DRM_IOCTL_ATOM_DEV_QUERY, &query), 0);
		const std::uint32_t size = query.size;
		ASSERT_GT(size, 0u);
		for (const std::uint32_t room : {0u, 1u, 4u, 8u, size - 1, size, size + 8, size + 4096}) {
			std::vector<std::uint8_t> bytes(room + 16, 0xa5);
			query = {type, room, address_of(bytes.data())};
			ASSERT_EQ(dev.try_call(DRM_IOCTL_ATOM_DEV_QUERY, &query), 0) << room;
			EXPECT_EQ(query.size, size);
			for (std::size_t i = room; i < bytes.size(); ++i)
				ASSERT_EQ(bytes[i], 0xa5) << "room for " << room << ", byte " << i << " was written";
			for (std::size_t i = size; i < room; ++i)
				ASSERT_EQ(bytes[i], 0) << "room for " << room << ", byte " << i << " is not zeroed";
		}
	}
}

TEST(bad_input, buffer_creation_refuses_bad_sizes_placements_and_flags)
{
	const device dev;
	drm_atom_bo_create good{};
	good.size = page;
	const refusals table(dev, DRM_IOCTL_ATOM_BO_CREATE, good);
	table.expect("size 0", {EINVAL}, [](auto &args) { args.size = 0; });
	const std::vector<int> too_big{EINVAL, E2BIG, ENOMEM, ENOSPC};
	for (const std::uint32_t placement : {DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_SHM}) {
		const std::string where = " in placement " + std::to_string(placement);
		for (const std::uint64_t size : u64s{~0ull, ~0ull - page, 1ull << 63, 1ull << 62, 1ull << 52})
			table.expect("size " + std::to_string(size) + where, too_big, [&](auto &args) {
				args.size = size;
				args.placement = placement;
			});
	}
	const auto memory = dev.memory();
	table.expect("a byte more than the LOCAL memory", {ENOSPC}, [&](auto &args) {
		args.size = memory.local_size + 1;
		args.placement = DRM_ATOM_BO_LOCAL;
		args.flags = DRM_ATOM_BO_NO_MMAP;
	});
	if (dev.info().kernel_caps & DRM_ATOM_CAP_SHM)
		table.expect("a byte more than the SHM", {ENOSPC}, [&](auto &args) {
			args.size = memory.shm_size + 1;
			args.placement = DRM_ATOM_BO_SHM;
		});
	for (const std::uint32_t placement : {3u, 4u, 0x80000000u, 0xffffffffu})
		table.expect("placement " + std::to_string(placement), {EINVAL},
			     [&](auto &args) { args.placement = placement; });
	table.expect_bits("flags", {EINVAL}, &drm_atom_bo_create::flags, ~std::uint32_t{DRM_ATOM_BO_NO_MMAP});
	table.expect("unknown vm", {ENOENT}, [](auto &args) { args.vm_id = no_such_id; });
	table.expect_bad_argument_pointer();
}

TEST(bad_input, a_buffer_cannot_be_private_to_another_clients_address_space)
{
	const device dev, other;
	const address_space theirs(other);
	// The same number may be an id of ours: make sure that it is not.
	drm_atom_bo_create args{};
	args.size = page;
	args.vm_id = theirs.id();
	expect_refused("vm of another client", {ENOENT}, [&] { return try_create_buffer(dev, args); });
}

TEST(bad_input, mapping_offsets_and_properties_need_a_handle_and_zero_pads)
{
	const device dev, other;
	const buffer bo(dev, page), theirs(other, page), theirs_too(other, page);
	const refusals offsets(dev, DRM_IOCTL_ATOM_BO_MMAP_OFFSET, drm_atom_bo_mmap_offset{bo.handle(), 0, 0});
	const refusals infos(dev, DRM_IOCTL_ATOM_BO_INFO, drm_atom_bo_info{bo.handle(), 0, 0, 0, 0});
	for (const std::uint32_t handle : {0u, no_such_id, 0xffffffffu, theirs_too.handle()}) {
		offsets.expect("mmap offset of handle " + std::to_string(handle), {ENOENT},
			       [&](auto &args) { args.handle = handle; });
		infos.expect("info of handle " + std::to_string(handle), {ENOENT},
			     [&](auto &args) { args.handle = handle; });
	}
	offsets.expect_bits("pad", {EINVAL}, &drm_atom_bo_mmap_offset::pad, ~0u);
	offsets.expect_bad_argument_pointer();
	infos.expect_bad_argument_pointer();
}

TEST(bad_input, buffers_without_mmap_are_never_mapped)
{
	const device dev;
	std::vector<buffer> refusing;
	refusing.emplace_back(dev, page, DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_NO_MMAP);
	refusing.emplace_back(dev, page, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
	if (dev.info().kernel_caps & DRM_ATOM_CAP_SHM)
		refusing.emplace_back(dev, page, DRM_ATOM_BO_SHM);
	for (const buffer &bo : refusing) {
		drm_atom_bo_mmap_offset args{bo.handle(), 0, 0};
		expect_refused("BO_MMAP_OFFSET", {EINVAL, EACCES, EPERM, EOPNOTSUPP},
			       [&] { return dev.try_call(DRM_IOCTL_ATOM_BO_MMAP_OFFSET, &args); });
	}
}

TEST(bad_input, mappings_beyond_a_buffer_or_of_unknown_offsets_are_refused)
{
	const device dev, other;
	const buffer bo(dev, 2 * page);
	const auto map = [](const device &with, std::uint64_t offset, std::size_t bytes) {
		void *address = system::mmap(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, with.fd(), offset);
		if (address == MAP_FAILED)
			return errno;
		system::munmap(address, bytes);
		return 0;
	};
	ASSERT_EQ(map(dev, bo.mmap_offset(), 2 * page), 0);
	expect_refused("a page more than the buffer", {EINVAL}, [&] { return map(dev, bo.mmap_offset(), 3 * page); });
	expect_refused("offset 0", {EINVAL, EACCES}, [&] { return map(dev, 0, page); });
	expect_refused("offset of nothing", {EINVAL, EACCES}, [&] { return map(dev, 1ull << 50, page); });
	expect_refused("another client's buffer", {EINVAL, EACCES}, [&] { return map(other, bo.mmap_offset(), page); });
}

TEST(bad_input, labels_are_checked)
{
	const device dev;
	const buffer bo(dev, page);
	const char label[] = "weights";
	const refusals table(dev, DRM_IOCTL_ATOM_BO_SET_LABEL, drm_atom_bo_set_label{bo.handle(), 7, address_of(label)});
	for (const std::uint32_t handle : {0u, no_such_id})
		table.expect("handle " + std::to_string(handle), {ENOENT}, [&](auto &args) { args.handle = handle; });
	for (const std::uint32_t bytes : {64u, 65u, 4096u, 0xffffffffu})
		table.expect("label of " + std::to_string(bytes) + " bytes", {E2BIG, EINVAL},
			     [&](auto &args) { args.bytes = bytes; });
	table.expect("kernel pointer", {EFAULT}, [](auto &args) { args.label = address_of(bad_pointer); });
	table.expect("unmapped pointer", {EFAULT}, [](auto &args) { args.label = bad_address; });
	table.expect_bad_argument_pointer();

	drm_atom_bo_set_label args{bo.handle(), 7, address_of(label)};
	EXPECT_EQ(dev.try_call(DRM_IOCTL_ATOM_BO_SET_LABEL, &args), 0);
	const std::string longest(63, 'x');
	args = {bo.handle(), 63, address_of(longest.data())};
	EXPECT_EQ(dev.try_call(DRM_IOCTL_ATOM_BO_SET_LABEL, &args), 0);
	args = {bo.handle(), 0, 0};
	EXPECT_EQ(dev.try_call(DRM_IOCTL_ATOM_BO_SET_LABEL, &args), 0);
}

TEST(bad_input, address_spaces_refuse_flags_pads_and_ids_of_others)
{
	const device dev, other;
	const refusals creation(dev, DRM_IOCTL_ATOM_VM_CREATE, drm_atom_vm_create{});
	creation.expect_bits("flags", {EINVAL}, &drm_atom_vm_create::flags, ~0u);
	creation.expect_bad_argument_pointer();

	const address_space space(dev);
	const refusals destruction(dev, DRM_IOCTL_ATOM_VM_DESTROY, drm_atom_vm_destroy{space.id(), 0});
	destruction.expect_bits("pad", {EINVAL}, &drm_atom_vm_destroy::pad, ~0u);
	for (const std::uint32_t id : {0u, no_such_id, 0xffffffffu})
		destruction.expect("id " + std::to_string(id), {ENOENT}, [&](auto &args) { args.vm_id = id; });
	destruction.expect_bad_argument_pointer();
	drm_atom_vm_destroy theirs{space.id(), 0};
	expect_refused("another client's vm", {ENOENT},
		       [&] { return other.try_call(DRM_IOCTL_ATOM_VM_DESTROY, &theirs); });
}

TEST(bad_input, a_destroyed_address_space_is_unknown_everywhere)
{
	const device dev;
	const buffer bo(dev, page);
	address_space space(dev);
	const std::uint32_t id = space.id();
	space.destroy();
	drm_atom_vm_destroy again{id, 0};
	expect_refused("destroyed twice", {ENOENT}, [&] { return dev.try_call(DRM_IOCTL_ATOM_VM_DESTROY, &again); });
	const auto op = map_op(dev.info().va_start, bo, 0, page);
	drm_atom_vm_bind bind{id, 0, {sizeof(op), 1, address_of(&op)}, {}};
	expect_refused("bind", {ENOENT}, [&] { return dev.try_call(DRM_IOCTL_ATOM_VM_BIND, &bind); });
	drm_atom_queue_create create{};
	create.vm_id = id;
	expect_refused("queue", {ENOENT}, [&] { return dev.try_call(DRM_IOCTL_ATOM_QUEUE_CREATE, &create); });
}

TEST(bad_input, address_spaces_run_out_with_enospc_and_come_back)
{
	const device dev;
	const counters before = read_counters();
	std::vector<std::uint32_t> ids;
	int error = 0;
	while (ids.size() <= dev.info().vms_max) {
		drm_atom_vm_create args{};
		error = dev.try_call(DRM_IOCTL_ATOM_VM_CREATE, &args);
		if (error)
			break;
		ids.push_back(args.vm_id);
	}
	EXPECT_EQ(error, ENOSPC);
	EXPECT_GE(ids.size(), 16u);
	for (const std::uint32_t id : ids) {
		drm_atom_vm_destroy args{id, 0};
		EXPECT_EQ(dev.try_call(DRM_IOCTL_ATOM_VM_DESTROY, &args), 0);
	}
	EXPECT_EQ(await_counters(before), "");
	const address_space again(dev);
	EXPECT_NE(again.id(), 0u);
}
