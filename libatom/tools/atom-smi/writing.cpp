// SPDX-License-Identifier: MIT
#include "writing.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "exit_status.hpp"

namespace smi {

namespace {

[[noreturn]] void fail(int error, const std::string &path, const std::string &value)
{
	const std::string what = path + ": ";
	switch (error) {
	case EACCES:
	case EPERM:
		throw failure(exit_status::no_permission,
		              what + "you may not write it; run it as root (sudo atom-smi ..)");
	case EINVAL:
	case ERANGE:
		throw failure(exit_status::usage, what + "the driver refuses " + value);
	case ENOENT:
		throw failure(exit_status::failed,
		              what + "this driver does not have it; install the driver of this "
		                     "atom-smi, or a newer one");
	default:
		throw failure(exit_status::failed, what + std::strerror(error) +
		                                           "; the kernel's log tells more "
		                                           "(dmesg)");
	}
}

} // namespace

void write_attribute(const system_files &files, const npu &device, const std::string &file,
                     const std::string &value)
{
	if (!device.pci)
		throw failure(exit_status::usage,
		              "an in-process device can be neither set nor reset: each process has "
		              "its own, which ends with it");
	const std::string path = "/sys/bus/pci/devices/" + device.pci->address + "/" + file;
	// Without O_CREAT: what is not there is not to be made.
	const int fd = ::open(files.at(path).c_str(), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fail(errno, path, value);
	const ssize_t written = ::write(fd, value.data(), value.size());
	const int error = errno;
	::close(fd);
	if (written != static_cast<ssize_t>(value.size()))
		fail(written < 0 ? error : EIO, path, value);
}

} // namespace smi
