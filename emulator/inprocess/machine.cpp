/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace atom::inprocess {

machine::machine(const options &how) : how_(how), process_(getpid()), powered_(how.devices) {}

int machine::open(std::uint32_t number)
{
	if (number >= how_.devices)
		return -ENODEV;
	std::shared_ptr<inprocess::device> d;
	{
		const std::lock_guard lock(devices_mutex_);
		d = powered_[number].lock();
		if (!d) {
			d = std::make_shared<inprocess::device>(how_, number);
			powered_[number] = d;
		}
	}
	auto opened = std::make_shared<file>(std::move(d));
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	if (fd < 0)
		return -errno;
	opened->events()->attach(fd);
	const std::unique_lock lock(files_mutex_);
	files_.emplace(fd, std::move(opened));
	return fd;
}

void machine::close(int fd)
{
	std::shared_ptr<file> closed;
	if (getpid() == process_) {
		const std::unique_lock lock(files_mutex_);
		const auto found = files_.find(fd);
		if (found == files_.end())
			return;
		closed = std::move(found->second);
		files_.erase(found);
		closed->events()->detach();
	}
	::close(fd);
}

std::shared_ptr<file> machine::find(int fd) const
{
	const std::shared_lock lock(files_mutex_);
	const auto found = files_.find(fd);
	return found == files_.end() ? nullptr : found->second;
}

int machine::ioctl(int fd, unsigned long request, void *argument)
{
	const std::shared_ptr<file> f = find(fd);
	return f ? f->ioctl(request, argument) : -EBADF;
}

int machine::mmap(int fd, std::size_t bytes, int protection, std::uint64_t offset, void *&address)
{
	const std::shared_ptr<file> f = find(fd);
	if (!f)
		return -EBADF;
	mapping m{f->shared_device(), nullptr};
	if (const int error = f->mmap(bytes, protection, offset, address, m.memory))
		return error;
	const std::lock_guard lock(mappings_mutex_);
	mappings_.emplace(address, std::move(m));
	return 0;
}

void machine::munmap(void *address)
{
	mapping gone;
	const std::lock_guard lock(mappings_mutex_);
	const auto found = mappings_.find(address);
	if (found == mappings_.end())
		return;
	gone = std::move(found->second);
	mappings_.erase(found);
}

int machine::read(int fd, void *to, std::size_t bytes)
{
	const std::shared_ptr<file> f = find(fd);
	return f ? f->events()->read(to, bytes) : -EBADF;
}

int machine::inject(std::uint32_t number, const char *spec, std::string &error)
{
	std::shared_ptr<inprocess::device> d;
	{
		const std::lock_guard lock(devices_mutex_);
		if (number < powered_.size())
			d = powered_[number].lock();
	}
	if (!d) {
		error = "device " + std::to_string(number) + " is not powered on";
		return -ENODEV;
	}
	return d->inject(spec, error);
}

} // namespace atom::inprocess
