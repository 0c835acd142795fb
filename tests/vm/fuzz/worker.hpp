// SPDX-License-Identifier: MIT
// One thread of the fuzzer.
#pragma once

#include "pool.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ioctl_fuzz {

/** An open device file and what is known of it. */
struct file {
	std::atomic<int> fd{-1};
	known ids;
};

struct tally {
	std::atomic<std::uint64_t> calls{0}, accepted{0};
};

/** Makes calls: right ones, of which many are then spoilt somewhere. */
class worker {
public:
	worker(std::uint64_t seed, std::string node, tally &count);
	worker(worker &&) = delete;
	~worker();
	/** One call on @p on. */
	void step(file &on);

private:
	/** Room for @p bytes that the kernel may write, with more such memory around it. */
	template <class T> T *fresh(std::size_t count = 1);
	template <class Args> bool call(file &on, unsigned long request, Args *args);
	void spoil(void *object, std::size_t bytes);
	std::uint64_t address();

	void query(file &on);
	void buffer(file &on);
	void space(file &on);
	void bind(file &on);
	void queue(file &on);
	void submit(file &on);
	void syncobj(file &on);
	void map(file &on);
	void reopen(file &on);
	void borrow(file &on);

	random_source random_;
	std::string node_;
	tally &count_;
	std::byte *arena_;
	std::size_t used_ = 0;
};

} // namespace ioctl_fuzz
