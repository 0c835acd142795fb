/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "offset.h"

namespace atom::inprocess {

namespace {

/* What the driver says of itself. */
constexpr std::string_view driver_name = "atom_npu";
constexpr int driver_major = 1;

void give(char *to, std::size_t &room, std::string_view text)
{
	if (to)
		std::memcpy(to, text.data(), std::min(room, text.size()));
	room = text.size();
}

int version(file &, drm_version &v)
{
	v.version_major = driver_major;
	v.version_minor = v.version_patchlevel = 0;
	std::size_t name = v.name_len;
	std::size_t date = v.date_len;
	std::size_t desc = v.desc_len;
	give(v.name, name, driver_name);
	give(v.date, date, "0");
	give(v.desc, desc, "ATOM NPU (in-process model)");
	v.name_len = name;
	v.date_len = date;
	v.desc_len = desc;
	return 0;
}

int get_cap(file &, drm_get_cap &c)
{
	if (c.capability != DRM_CAP_SYNCOBJ && c.capability != DRM_CAP_SYNCOBJ_TIMELINE)
		return -EOPNOTSUPP;
	c.value = 1;
	return 0;
}

int perf_open(file &, drm_atom_perf_open &)
{
	return -EOPNOTSUPP;
}

/* Structures of ioctls have at most these bytes. */
constexpr std::size_t argument_bytes = 256;

struct handler {
	unsigned number;
	std::size_t bytes;
	int (*call)(file &, void *);
};

template <auto Function> struct adapt;
template <typename T, int (*Function)(file &, T &)> struct adapt<Function> {
	static_assert(sizeof(T) <= argument_bytes);
	static constexpr std::size_t bytes = sizeof(T);
	static int call(file &f, void *argument) { return Function(f, *static_cast<T *>(argument)); }
};

template <auto Function> constexpr handler entry(unsigned long request)
{
	return {static_cast<unsigned>(_IOC_NR(request)), adapt<Function>::bytes, adapt<Function>::call};
}

constexpr handler handlers[] = {
	entry<submit>(DRM_IOCTL_ATOM_SUBMIT),
	entry<syncobj_timeline_wait>(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT),
	entry<syncobj_query>(DRM_IOCTL_SYNCOBJ_QUERY),
	entry<queue_get_state>(DRM_IOCTL_ATOM_QUEUE_GET_STATE),
	entry<dev_query>(DRM_IOCTL_ATOM_DEV_QUERY),
	entry<bo_create>(DRM_IOCTL_ATOM_BO_CREATE),
	entry<bo_mmap_offset>(DRM_IOCTL_ATOM_BO_MMAP_OFFSET),
	entry<bo_info>(DRM_IOCTL_ATOM_BO_INFO),
	entry<bo_set_label>(DRM_IOCTL_ATOM_BO_SET_LABEL),
	entry<gem_close>(DRM_IOCTL_GEM_CLOSE),
	entry<vm_create>(DRM_IOCTL_ATOM_VM_CREATE),
	entry<vm_destroy>(DRM_IOCTL_ATOM_VM_DESTROY),
	entry<vm_bind>(DRM_IOCTL_ATOM_VM_BIND),
	entry<queue_create>(DRM_IOCTL_ATOM_QUEUE_CREATE),
	entry<queue_destroy>(DRM_IOCTL_ATOM_QUEUE_DESTROY),
	entry<perf_open>(DRM_IOCTL_ATOM_PERF_OPEN),
	entry<syncobj_create>(DRM_IOCTL_SYNCOBJ_CREATE),
	entry<syncobj_destroy>(DRM_IOCTL_SYNCOBJ_DESTROY),
	entry<syncobj_wait>(DRM_IOCTL_SYNCOBJ_WAIT),
	entry<syncobj_reset>(DRM_IOCTL_SYNCOBJ_RESET),
	entry<syncobj_signal>(DRM_IOCTL_SYNCOBJ_SIGNAL),
	entry<syncobj_timeline_signal>(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL),
	entry<syncobj_eventfd>(DRM_IOCTL_SYNCOBJ_EVENTFD),
	entry<version>(DRM_IOCTL_VERSION),
	entry<get_cap>(DRM_IOCTL_GET_CAP),
};

} // namespace

file::~file()
{
	/* First the queues, which use the address spaces. */
	for (const std::shared_ptr<queue> &q : queues.take_all())
		q->kill();
	for (const std::shared_ptr<vm> &v : vms.take_all())
		v->destroy();
}

/* As drm_ioctl() does: a caller's structure may be shorter or longer than ours. */
int file::ioctl(unsigned long request, void *argument)
{
	const auto *found = std::find_if(std::begin(handlers), std::end(handlers), [request](const handler &h) {
		return h.number == _IOC_NR(request);
	});
	if (_IOC_TYPE(request) != DRM_IOCTL_BASE || found == std::end(handlers))
		return -ENOTTY;
	const std::size_t given = std::min<std::size_t>(_IOC_SIZE(request), found->bytes);
	alignas(8) std::array<std::byte, argument_bytes> copy{};
	std::memcpy(copy.data(), argument, given);
	const int result = found->call(*this, copy.data());
	device_->bus().pump(); /* with executor=inline it is the callers who do the work */
	std::memcpy(argument, copy.data(), given);
	return result;
}

int file::mmap(std::size_t bytes, int protection, std::uint64_t offset, void *&address,
	       std::shared_ptr<void> &owner)
{
	const offset::place at = offset::read(offset);
	memory_range *range = nullptr;
	if (at.kind == offset::kind::buffer) {
		const std::shared_ptr<bo> b = bos.find(at.id);
		if (!b || b->flags & DRM_ATOM_BO_NO_MMAP || !b->range.cpu())
			return -EINVAL;
		range = &b->range;
		owner = b;
	} else if (at.kind == offset::kind::completion_area) {
		const std::shared_ptr<queue> q = queues.find(at.id);
		/* Only the device writes there. */
		if (!q || protection & (PROT_WRITE | PROT_EXEC))
			return -EINVAL;
		range = q->area().get();
		owner = q->area();
	} else {
		return -EINVAL;
	}
	if (bytes == 0 || bytes > range->bytes() || offset != offset::make(at.kind, at.id))
		return -EINVAL;
	address = range->cpu();
	return 0;
}

int get_array(const drm_atom_obj_array &from, std::uint32_t count_max, std::size_t stride_min,
	      std::size_t size, void *to)
{
	constexpr std::uint32_t stride_max = 1024; /* no structure comes near */
	if (from.count > count_max || from.stride > stride_max)
		return -E2BIG;
	if (from.stride < stride_min)
		return -EINVAL;
	const auto *in = user<const std::byte>(from.array);
	auto *out = static_cast<std::byte *>(to);
	for (std::uint32_t i = 0; i < from.count; ++i, in += from.stride, out += size) {
		std::memcpy(out, in, std::min<std::size_t>(size, from.stride));
		if (from.stride > size && std::any_of(in + size, in + from.stride, [](std::byte b) {
			    return b != std::byte{0};
		    }))
			return -EINVAL;
	}
	return 0;
}

} // namespace atom::inprocess
