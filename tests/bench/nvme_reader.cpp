// SPDX-License-Identifier: MIT
#include "nvme_reader.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr unsigned block = 512;
constexpr unsigned nvme_read = 0x02;

[[noreturn]] void fail(int error, const std::string &what)
{
	throw std::system_error(error, std::generic_category(), what);
}

} // namespace

nvme_reader::nvme_reader(const char *node, unsigned depth) : depth_(depth)
{
	fd_ = open(node, O_RDWR | O_CLOEXEC);
	if (fd_ < 0)
		fail(errno, std::string("open ") + node);
	const int nsid = ioctl(fd_, NVME_IOCTL_ID);
	if (nsid < 0)
		fail(errno, "NVME_IOCTL_ID");
	nsid_ = static_cast<unsigned>(nsid);
	if (const int error = io_uring_queue_init(depth, &ring_, IORING_SETUP_SQE128 | IORING_SETUP_CQE32))
		fail(-error, "io_uring_queue_init");
	data_ = static_cast<std::byte *>(std::aligned_alloc(4096, std::size_t{4096} * depth));
	if (!data_)
		fail(ENOMEM, "read buffers");
}

nvme_reader::~nvme_reader()
{
	io_uring_queue_exit(&ring_);
	close(fd_);
	std::free(data_);
}

void nvme_reader::prepare_read()
{
	io_uring_sqe *sqe = io_uring_get_sqe(&ring_);
	if (!sqe)
		throw std::runtime_error("the submission queue is full");
	std::memset(sqe, 0, 2 * sizeof(*sqe)); // SQE128
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd_;
	sqe->cmd_op = NVME_URING_CMD_IO;
	nvme_uring_cmd command{};
	command.opcode = nvme_read;
	command.nsid = nsid_;
	command.addr = reinterpret_cast<std::uintptr_t>(data_ + std::size_t{4096} * (next_ % depth_));
	command.data_len = block;
	command.cdw10 = next_++ % 1024; // the block; cdw12 = 0: one of them
	std::memcpy(reinterpret_cast<std::byte *>(sqe) + offsetof(io_uring_sqe, addr3), &command, sizeof(command));
}

unsigned nvme_reader::submit_and_wait(unsigned count, unsigned wait_for)
{
	for (unsigned i = 0; i < count; ++i)
		prepare_read();
	const int submitted = io_uring_submit_and_wait(&ring_, wait_for);
	if (submitted < 0 || static_cast<unsigned>(submitted) != count)
		fail(submitted < 0 ? -submitted : EIO, "io_uring_submit_and_wait");
	unsigned ended = 0, head;
	io_uring_cqe *cqe;
	io_uring_for_each_cqe(&ring_, head, cqe) {
		if (cqe->res != 0)
			fail(cqe->res < 0 ? -cqe->res : EIO, "read of the NVMe device, status " + std::to_string(cqe->res));
		++ended;
	}
	io_uring_cq_advance(&ring_, ended);
	return ended;
}

} // namespace bench
