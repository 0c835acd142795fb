// SPDX-License-Identifier: MIT
// The machine's memory map, which each processor must see change as a whole: what drivers do about resets, hot plug and power
// states stands on that. See emulator/qemu/patches.
#include "context.hpp"
#include "machine.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace vmtest;

namespace {

/** A device without its driver, which may then be looked at and taken from the memory map. */
class bare_device {
public:
	bare_device()
		: folder_(std::filesystem::canonical("/sys/bus/pci/devices/" + unbind_driver()))
	{
		write_to(folder_ / "enable", "1");
		config_ = unique_fd(::open((folder_ / "config").c_str(), O_RDWR | O_CLOEXEC));
		registers_file_ = unique_fd(::open((folder_ / "resource0").c_str(), O_RDWR | O_CLOEXEC));
	}
	bare_device(bare_device &&) = delete;
	~bare_device()
	{
		EXPECT_NO_THROW(write_to(folder_ / "enable", "0"));
		EXPECT_NO_THROW(write_to("/sys/bus/pci/drivers_probe", folder_.filename()));
	}

	/** The first page of its registers. */
	[[nodiscard]] mapping registers() const { return {registers_file_.get(), 0, page, PROT_READ}; }

	void answer_at_its_addresses(bool on)
	{
		constexpr off_t command = 4;
		constexpr std::uint16_t memory_enable = 2;
		std::uint16_t word;
		if (::pread(config_.get(), &word, sizeof(word), command) != sizeof(word))
			throw std::runtime_error("the configuration space cannot be read");
		word = static_cast<std::uint16_t>(on ? word | memory_enable : word & ~memory_enable);
		if (::pwrite(config_.get(), &word, sizeof(word), command) != sizeof(word))
			throw std::runtime_error("the configuration space cannot be written");
	}

private:
	std::filesystem::path folder_;
	unique_fd config_, registers_file_;
};

} // namespace

TEST(two_devices, of_which_one_leaves_and_enters_the_memory_map_are_not_mistaken_by_another_processor)
{
	if (std::thread::hardware_concurrency() < 2)
		GTEST_SKIP() << "there is one processor";
	{
		// By their addresses: what lies behind a region that goes gets another place in QEMU's tables.
		bare_device first, second;
		const mapping page_of_second = second.registers();
		const volatile std::uint32_t &identity = page_of_second.as<const volatile std::uint32_t>()[0];
		const std::uint32_t expected = identity;
		std::atomic<bool> end = false;
		std::uint64_t reads = 0, wrong = 0;
		std::thread reader([&] {
			for (; !end; ++reads)
				if (identity != expected)
					++wrong;
		});
		for (unsigned i = 0; i < 4000; ++i)
			first.answer_at_its_addresses(i % 2 != 0);
		end = true;
		reader.join();
		EXPECT_EQ(wrong, 0u) << "of " << reads << " reads";
		EXPECT_GT(reads, 1000u);
	}
	EXPECT_TRUE(eventually([] { return device_nodes().size() == 2; }));
}
