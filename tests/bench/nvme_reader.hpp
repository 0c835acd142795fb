// SPDX-License-Identifier: MIT
// 512-byte reads of an NVMe namespace through io_uring passthrough: the shortest way that Linux has to a device.
#pragma once

#include <cstddef>
#include <vector>

#include <liburing.h>

namespace bench {

class nvme_reader {
public:
	/** Opens @p node (/dev/ng0n1) for up to @p depth reads at a time. Throws std::system_error. */
	nvme_reader(const char *node, unsigned depth);
	nvme_reader(nvme_reader &&) = delete;
	~nvme_reader();

	/** Starts @p count reads, waits until @p wait_for of all outstanding have ended. @return how many have */
	unsigned submit_and_wait(unsigned count, unsigned wait_for);

private:
	void prepare_read();

	int fd_ = -1;
	io_uring ring_{};
	unsigned nsid_ = 0;
	unsigned next_ = 0;
	unsigned depth_;
	std::byte *data_ = nullptr;
};

} // namespace bench
