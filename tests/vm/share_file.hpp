// SPDX-License-Identifier: MIT
// Files that go from one program to another: buffers as dma-bufs, and any file through a socket.
#pragma once

#include "uapi.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <drm.h>
#include <fcntl.h>
#include <sys/socket.h>

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
