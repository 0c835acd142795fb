// SPDX-License-Identifier: MIT
// Fences and timelines as files.
#include "atom/fence.hpp"
#include "core/access.hpp"
#include "core/failure.hpp"
#include "core/fence_source.hpp"

namespace atom {
inline namespace v1 {

int fence::export_sync_file() const
{
	if (!source_)
		core::fail(errc::invalid_argument, "export sync_file: the fence is empty");
	const auto &dev = source_->dev();
	dev->check_process("export sync_file");
	int fd = -1;
	core::check(dev->node().sync_file_export(source_->handle(), point_, fd),
	            "export sync_file");
	return fd;
}

int fence::export_sync_file(std::error_code &ec) const noexcept
{
	return core::guarded_file(ec, core::device_of(source_), [&] { return export_sync_file(); });
}

int timeline::export_fd() const
{
	if (!impl_)
		core::fail(errc::invalid_argument, "export timeline: the handle is empty");
	impl_->dev()->check_process("export timeline");
	int fd = -1;
	core::check(impl_->dev()->node().syncobj_export(impl_->handle(), fd), "export timeline");
	return fd;
}

int timeline::export_fd(std::error_code &ec) const noexcept
{
	return core::guarded_file(ec, core::device_of(impl_), [&] { return export_fd(); });
}

timeline timeline::import_fd(const device &dev, int fd)
{
	if (!dev)
		core::fail(errc::invalid_argument, "import timeline: the device is empty");
	return timeline(core::syncobj::import(core::access::dev(dev), fd));
}

timeline timeline::import_fd(const device &dev, int fd, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::access::dev(dev).get(), [&] { return import_fd(dev, fd); });
}

fence timeline::import_sync_file(std::uint64_t point, int fd)
{
	fence moment = at(point);
	const auto &dev = impl_->dev();
	dev->check_process("import sync_file");
	core::check(dev->node().sync_file_import(impl_->handle(), point, fd), "import sync_file");
	return moment;
}

fence timeline::import_sync_file(std::uint64_t point, int fd, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(impl_),
	                     [&] { return import_sync_file(point, fd); });
}

} // namespace v1
} // namespace atom
