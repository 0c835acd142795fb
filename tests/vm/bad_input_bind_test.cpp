// SPDX-License-Identifier: MIT
// Bad input to VM_BIND.
#include "rejection.hpp"

using namespace vmtest;

namespace {

class bad_bind : public testing::Test {
protected:
	/** VM_BIND of one map operation after @p change. */
	template <class Change>
	void refuse_op(const std::string &what, const std::vector<int> &errors, const Change &change)
	{
		drm_atom_vm_bind_op op = map_op(va_, bo_, 0, 2 * page);
		change(op);
		expect_refused(what, errors, [&] { return c_.space.try_bind({op}); });
	}

	template <class Change>
	void refuse_unmap(const std::string &what, const std::vector<int> &errors, const Change &change)
	{
		drm_atom_vm_bind_op op = unmap_op(va_, 2 * page);
		change(op);
		expect_refused(what, errors, [&] { return c_.space.try_bind({op}); });
	}

	context c_;
	buffer bo_{c_.dev, 4 * page};
	std::uint64_t va_ = c_.space.reserve(4 * page);
};

using op_t = drm_atom_vm_bind_op;

} // namespace

TEST_F(bad_bind, refuses_unknown_operations_flags_and_pads)
{
	for (const std::uint32_t op : {3u, 4u, 0x80000000u, 0xffffffffu})
		refuse_op("op " + std::to_string(op), {EINVAL}, [&](op_t &o) { o.op = op; });
	if (!(c_.dev.info().kernel_caps & DRM_ATOM_CAP_USERPTR))
		refuse_op("user pointer without the capability", {EOPNOTSUPP},
			  [](op_t &o) { o.op = DRM_ATOM_VM_BIND_OP_MAP_USERPTR; });
	for (unsigned bit = 1; bit < 32; ++bit)
		refuse_op("flag " + std::to_string(bit), {EINVAL}, [&](op_t &o) { o.flags |= 1u << bit; });
	for (unsigned bit = 0; bit < 32; ++bit)
		refuse_op("pad " + std::to_string(bit), {EINVAL}, [&](op_t &o) { o.pad |= 1u << bit; });
}

TEST_F(bad_bind, refuses_handles_that_are_not_the_clients)
{
	const device other;
	const buffer theirs(other, 4 * page), theirs_too(other, 4 * page), and_this(other, 4 * page);
	for (const std::uint32_t handle : {0u, no_such_id, 0xffffffffu})
		refuse_op("handle " + std::to_string(handle), {ENOENT}, [&](op_t &o) { o.bo_handle = handle; });
	ASSERT_NE(and_this.handle(), bo_.handle());
	refuse_op("another client's handle", {ENOENT}, [&](op_t &o) { o.bo_handle = and_this.handle(); });
}

TEST_F(bad_bind, refuses_bad_offsets_into_the_buffer)
{
	for (const std::uint64_t offset : u64s{1ull, 8ull, page - 1, page + 1})
		refuse_op("offset " + std::to_string(offset), {EINVAL}, [&](op_t &o) { o.bo_offset = offset; });
	for (const std::uint64_t offset : u64s{3 * page, 4 * page, 5 * page, 1ull << 40, ~0ull - page + 1, 1ull << 63})
		refuse_op("range beyond the buffer from " + std::to_string(offset), {EINVAL},
			  [&](op_t &o) { o.bo_offset = offset; });
}

TEST_F(bad_bind, refuses_bad_ranges_of_addresses)
{
	const auto &info = c_.dev.info();
	for (const std::uint64_t shift : u64s{1ull, 8ull, 2048ull, page - 1})
		refuse_op("address off by " + std::to_string(shift), {EINVAL}, [&](op_t &o) { o.va += shift; });
	if (info.va_start >= page)
		refuse_op("a page before va_start", {EINVAL}, [&](op_t &o) { o.va = info.va_start - page; });
	for (const std::uint64_t va : u64s{info.va_end, info.va_end - page, info.va_end + page, 1ull << 48, 1ull << 63,
				       ~0ull - page + 1, ~0ull - 2 * page + 1})
		refuse_op("range from " + std::to_string(va), {EINVAL}, [&](op_t &o) { o.va = va; });
	for (const std::uint64_t bytes : u64s{0ull, 1ull, page - 1, page + 8, 5 * page, 1ull << 48, 1ull << 63, ~0ull,
					  ~0ull - page + 1})
		refuse_op("length " + std::to_string(bytes), {EINVAL}, [&](op_t &o) { o.bytes = bytes; });
}

TEST_F(bad_bind, unmapping_refuses_what_only_mapping_has_and_bad_ranges)
{
	const auto &info = c_.dev.info();
	refuse_unmap("handle", {EINVAL}, [&](op_t &o) { o.bo_handle = bo_.handle(); });
	refuse_unmap("offset", {EINVAL}, [](op_t &o) { o.bo_offset = page; });
	refuse_unmap("read-only", {EINVAL}, [](op_t &o) { o.flags = DRM_ATOM_VM_BIND_READONLY; });
	refuse_unmap("pad", {EINVAL}, [](op_t &o) { o.pad = 1; });
	refuse_unmap("odd address", {EINVAL}, [](op_t &o) { o.va += 512; });
	for (const std::uint64_t bytes : u64s{0ull, 1ull, page + 1, 1ull << 48, ~0ull, ~0ull - page + 1})
		refuse_unmap("length " + std::to_string(bytes), {EINVAL}, [&](op_t &o) { o.bytes = bytes; });
	for (const std::uint64_t va : u64s{info.va_end, info.va_end - page, 1ull << 63, ~0ull - page + 1})
		refuse_unmap("range from " + std::to_string(va), {EINVAL}, [&](op_t &o) { o.va = va; });
}

TEST_F(bad_bind, refuses_bad_arrays_flags_and_syncs)
{
	const op_t op = map_op(va_, bo_, 0, page);
	const drm_atom_vm_bind good{c_.space.id(), 0, {sizeof(op), 1, address_of(&op)}, {}};
	const refusals table(c_.dev, DRM_IOCTL_ATOM_VM_BIND, good);
	for (const std::uint32_t id : {0u, no_such_id, 0xffffffffu})
		table.expect("vm " + std::to_string(id), {ENOENT}, [&](auto &args) { args.vm_id = id; });
	if (!(c_.dev.info().kernel_caps & DRM_ATOM_CAP_BIND_ASYNC))
		table.expect("ASYNC without the capability", {EOPNOTSUPP},
			     [](auto &args) { args.flags = DRM_ATOM_VM_BIND_ASYNC; });
	table.expect_bits("flags", {EINVAL}, &drm_atom_vm_bind::flags, ~std::uint32_t{DRM_ATOM_VM_BIND_ASYNC});
	table.expect("stride 0", {EINVAL}, [](auto &args) { args.ops.stride = 0; });
	table.expect("array at a kernel address", {EFAULT},
		     [](auto &args) { args.ops.array = address_of(bad_pointer); });
	table.expect("array that is not mapped", {EFAULT}, [](auto &args) { args.ops.array = bad_address; });
	table.expect("no array", {EFAULT, EINVAL}, [](auto &args) { args.ops.array = 0; });
	table.expect("too many operations", {E2BIG}, [&](auto &args) { args.ops.count = c_.dev.info().binds_max + 1; });
	table.expect("4294967295 operations", {E2BIG}, [](auto &args) { args.ops.count = ~0u; });
	table.expect("stride times count over 2^32", {E2BIG, EINVAL}, [&](auto &args) {
		args.ops.stride = 0x80000000;
		args.ops.count = 2;
	});
	const drm_atom_sync sync = c_.timeline.signal_at(1);
	table.expect("syncs of a synchronous bind", {EINVAL},
		     [&](auto &args) { args.syncs = {sizeof(sync), 1, address_of(&sync)}; });
	table.expect_bad_argument_pointer();
}

TEST_F(bad_bind, elements_longer_than_the_kernel_knows_must_end_in_zeros)
{
	struct longer {
		op_t op;
		std::uint64_t more;
	} element{map_op(va_, bo_, 0, page), 0};
	drm_atom_vm_bind args{c_.space.id(), 0, {sizeof(element), 1, address_of(&element)}, {}};
	EXPECT_EQ(c_.dev.try_call(DRM_IOCTL_ATOM_VM_BIND, &args), 0);
	element.more = 1;
	expect_refused("a field that the kernel does not know", {E2BIG, EINVAL},
		       [&] { return c_.dev.try_call(DRM_IOCTL_ATOM_VM_BIND, &args); });
}

TEST_F(bad_bind, a_buffer_private_to_one_address_space_cannot_be_bound_in_another)
{
	const address_space other(c_.dev);
	const buffer mine(c_.dev, page, DRM_ATOM_BO_SYSTEM, 0, c_.space.id());
	EXPECT_EQ(c_.space.try_bind({map_op(va_, mine, 0, page)}), 0);
	expect_refused("private buffer", {EINVAL, EACCES}, [&] { return other.try_bind({map_op(va_, mine, 0, page)}); });
}

TEST_F(bad_bind, is_all_or_nothing)
{
	// A mapping that is there, and a batch that replaces it, maps more, unmaps, and fails at its last operation.
	const memory kept = c_.alloc(4 * page);
	const memory target = c_.alloc(page);
	fill_pattern(kept.as<std::uint32_t>(), 1);
	const counters before = read_counters();
	const std::uint64_t fresh = c_.space.reserve(4 * page);
	const std::vector<op_t> ops{map_op(kept.va, bo_, 0, page), map_op(fresh, bo_, 0, 4 * page),
				    unmap_op(kept.va + 2 * page, page), map_op(fresh, bo_, 0, 5 * page)};
	EXPECT_EQ(c_.space.try_bind(ops), EINVAL);
	EXPECT_EQ(await_counters(before), "");
	for (std::uint64_t at = 0; at < 4 * page; at += page) {
		c_.run(command_list(make_copy_bytes(kept.va + at, target.va, page)));
		EXPECT_EQ(std::memcmp(kept.map.data() + at, target.map.data(), page), 0) << "page at " << at;
	}
	const auto state = c_.run_failing(command_list(make_copy_bytes(fresh, target.va, page)));
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
}

TEST_F(bad_bind, no_operations_do_nothing)
{
	EXPECT_EQ(c_.space.try_bind(std::span<const op_t>{}), 0);
}
