// SPDX-License-Identifier: MIT
// Files that go from one program to another: buffers as dma-bufs, and any file through a socket.
#pragma once

#include "system.hpp"
#include "uapi.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <drm.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vmtest {

/** PRIME_HANDLE_TO_FD. @return errno; on success the dma-buf is in @p file. */
inline int try_export(int device_fd, std::uint32_t handle, unique_fd &file)
{
	drm_prime_handle args{handle, DRM_CLOEXEC | DRM_RDWR, -1};
	const int error = try_ioctl(device_fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (!error)
		file = unique_fd(args.fd);
	return error;
}

inline int try_import(int device_fd, int dma_buf, std::uint32_t &handle)
{
	drm_prime_handle args{0, 0, dma_buf};
	const int error = try_ioctl(device_fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
	handle = args.handle;
	return error;
}

inline mapping map_file(const unique_fd &file, std::size_t bytes) { return {file.get(), 0, bytes, PROT_READ | PROT_WRITE}; }

/** A dma-buf of the kernel's udmabuf driver: pages of a memfd, which @p view maps. */
inline unique_fd make_udmabuf(std::uint64_t bytes, mapping &view)
{
	const unique_fd control(::open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
	const unique_fd memory(memfd_create("shared", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	if (control.get() < 0 || memory.get() < 0 || ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0 ||
	    fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
		throw std::system_error(errno, std::generic_category(), "a memfd for udmabuf");
	view = map_file(memory, bytes);
	udmabuf_create args{};
	args.memfd = static_cast<__u32>(memory.get());
	args.flags = UDMABUF_FLAGS_CLOEXEC;
	args.size = bytes;
	const int file = system::ioctl(control.get(), UDMABUF_CREATE, &args);
	if (file < 0)
		throw std::system_error(errno, std::generic_category(), "UDMABUF_CREATE");
	return unique_fd(file);
}

/** A byte, and room for a file beside it. */
struct file_message {
	file_message() = default;
	file_message(const file_message &) = delete;

	char byte = 0;
	iovec data{&byte, 1};
	alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
	msghdr head{nullptr, 0, &data, 1, space, sizeof(space), 0};
};

/** @return errno: EBADF if there is no such file. */
inline int try_send_file(int socket, int file)
{
	file_message message;
	cmsghdr *header = CMSG_FIRSTHDR(&message.head);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	std::memcpy(CMSG_DATA(header), &file, sizeof(int));
	return sendmsg(socket, &message.head, MSG_NOSIGNAL) == 1 ? 0 : errno;
}

inline void send_file(int socket, int file)
{
	if (const int error = try_send_file(socket, file))
		throw std::system_error(error, std::generic_category(), "sendmsg");
}

inline unique_fd receive_file(int socket)
{
	file_message message;
	if (recvmsg(socket, &message.head, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message.head))
		throw std::runtime_error("no file came through the socket");
	int file;
	std::memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message.head)), sizeof(int));
	return unique_fd(file);
}

} // namespace vmtest
