// SPDX-License-Identifier: MIT
// What a user (uid) may hold of a device, whatever programs and files he uses, and what is left for others.
#include "machine.hpp"
#include "users.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

using namespace vmtest;

namespace {

/** Things of one kind, each made by a file of its own, until there are no more. */
struct hoard {
	struct piece {
		explicit piece(const std::string &kind)
		{
			if (kind == "contexts" || kind == "queues")
				space = std::make_unique<address_space>(dev);
			if (kind == "queues")
				line = std::make_unique<queue>(dev, *space);
			if (kind == "local")
				bo = buffer(dev, mib, DRM_ATOM_BO_LOCAL);
			if (kind == "shm")
				bo = buffer(dev, mib, DRM_ATOM_BO_SHM);
			if (kind == "system")
				bo = buffer(dev, mib);
		}
		device dev;
		std::unique_ptr<address_space> space;
		std::unique_ptr<queue> line;
		buffer bo;
	};
	/** Takes pieces until one is refused, at most @p most. @return the error, or 0 */
	int take(const std::string &kind, std::size_t most)
	{
		try {
			while (pieces.size() < most)
				pieces.emplace_back(kind);
		} catch (const std::system_error &failure) {
			return failure.code().value();
		}
		return 0;
	}
	std::deque<piece> pieces;
};

/** Bytes that programs can have without anything being swapped. */
std::uint64_t available_memory()
{
	std::ifstream file("/proc/meminfo");
	for (std::string name, rest; file >> name; std::getline(file, rest)) {
		std::uint64_t kilobytes = 0;
		if (name == "MemAvailable:" && file >> kilobytes)
			return kilobytes * 1024;
	}
	throw std::runtime_error("/proc/meminfo does not tell what is available");
}

struct quota_of : testing::TestWithParam<std::string> {
	static constexpr std::size_t share = 3;
	std::string kind = GetParam();
	bool counted = kind == "contexts" || kind == "queues";
	int refusal = kind == "system" ? ENOMEM : ENOSPC;
	std::uint64_t limit(std::size_t pieces) const { return counted ? pieces : pieces * mib; }

	/** Takes all that one may have; throws unless that is the share and the rest is refused as documented. */
	void expect_share(hoard &things) const
	{
		const int error = things.take(kind, share + 1);
		if (error != refusal || things.pieces.size() != share)
			throw std::runtime_error("got " + std::to_string(things.pieces.size()) + " " + kind + ", then errno " +
						 std::to_string(error));
	}
};

INSTANTIATE_TEST_SUITE_P(quota, quota_of, testing::Values("contexts", "queues", "local", "shm", "system"),
			 [](const auto &info) { return info.param; });

} // namespace

TEST_P(quota_of, each_user_gets_his_share_by_all_his_files_and_no_more_and_root_gets_more)
{
	const quota set(kind, limit(share));
	shared_flag full, checked;
	user_child first(alice, [&] {
		hoard mine;
		expect_share(mine);
		full.raise();
		checked.wait();
		// What is given back can be had again.
		mine.pieces.pop_front();
		expect_share(mine);
	});
	ASSERT_TRUE(full.wait());
	user_child same(alice, [&] {
		hoard none;
		if (none.take(kind, 1) != refusal)
			throw std::runtime_error("a second program of the user gets more");
	});
	EXPECT_EQ(same.wait(), 0);
	user_child second(bob, [&] {
		hoard mine;
		expect_share(mine);
	});
	EXPECT_EQ(second.wait(), 0);
	hoard roots;
	EXPECT_EQ(roots.take(kind, share + 2), 0);
	checked.raise();
	EXPECT_EQ(first.wait(), 0);
}

TEST_P(quota_of, a_lower_limit_takes_nothing_away_and_a_higher_one_gives_at_once)
{
	const quota set(kind, limit(share));
	shared_flag full, lowered, looked, raised;
	user_child user(alice, [&] {
		hoard mine;
		expect_share(mine);
		full.raise();
		lowered.wait();
		if (mine.take(kind, share + 1) != refusal)
			throw std::runtime_error("more than a limit that was lowered");
		// One less is still more than the limit.
		mine.pieces.pop_back();
		if (mine.take(kind, share) != refusal)
			throw std::runtime_error("more than the lower limit");
		looked.raise();
		raised.wait();
		if (mine.take(kind, share + 2) != 0)
			throw std::runtime_error("the higher limit does not hold");
	});
	ASSERT_TRUE(full.wait());
	set.set(limit(1));
	lowered.raise();
	ASSERT_TRUE(looked.wait());
	set.set(limit(share + 2));
	raised.raise();
	EXPECT_EQ(user.wait(), 0);
}

TEST_P(quota_of, leaves_something_for_others_from_the_start)
{
	const device dev;
	const std::map<std::string, std::uint64_t> all{{"contexts", dev.info().vms_max},
						       {"queues", dev.info().queues_max},
						       {"local", dev.memory().local_size},
						       {"shm", dev.memory().shm_size},
						       {"system", std::uint64_t(sysconf(_SC_PHYS_PAGES)) * page}};
	const auto limit = read_number(sysfs_folder() / "quota" / kind);
	EXPECT_LT(limit, all.at(kind));
	EXPECT_GT(limit, all.at(kind) / 2);
}

TEST_P(quota_of, cannot_be_changed_by_a_user_and_takes_only_numbers)
{
	const auto file = sysfs_folder() / "quota" / kind;
	const auto before = read_line(file);
	user_child user(alice, [&] {
		if (write_error(file, "1000000000000") != EACCES)
			throw std::runtime_error("a user changed it");
	});
	EXPECT_EQ(user.wait(), 0);
	for (const char *text : {"many", "-1", "1 2", "99999999999999999999999"})
		EXPECT_NE(write_error(file, text), 0) << text;
	EXPECT_EQ(read_line(file), before);
}

TEST(quota, page_tables_of_a_small_buffer_that_is_mapped_everywhere_are_memory_of_its_user)
{
	constexpr std::uint64_t limit = 4 * mib;
	const quota set("system", limit);
	const counters before = read_counters();
	user_child user(alice, [&] {
		const device mine;
		const buffer small(mine, page);
		for (int life = 0; life < 2; ++life) {
			// Each place is in tables of its own, two at least.
			address_space space(mine);
			std::uint64_t places = 0;
			int error = 0;
			while (!error && places * 2 * page <= limit)
				error = space.try_bind({map_op((places++ + 1) << 30, small, 0, page)});
			if (error != ENOMEM || places < 16)
				throw std::runtime_error("errno " + std::to_string(error) + " after " + std::to_string(places) + " places");
			// What is unmapped can be had again, elsewhere.
			space.unmap(1ull << 30, 4ull << 30);
			space.map(1ull << 46, small, 0, page);
		}
	});
	EXPECT_EQ(user.wait(), 0);
	EXPECT_EQ(await_counters(before), "");
}

TEST(quota, nobody_gets_page_tables_that_the_machine_needs_to_go_on)
{
	const std::uint64_t all = std::uint64_t(sysconf(_SC_PHYS_PAGES)) * page;
	const counters before = read_counters();
	{
		// Pages of 4 KiB, since nothing is aligned. Each operation alone would be possible, all of them were more than there is.
		const device dev;
		const address_space space(dev);
		const buffer large(dev, dev.memory().local_size / 4 * 3, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
		std::vector<drm_atom_vm_bind_op> ops;
		while (ops.size() < dev.info().binds_max)
			ops.push_back(map_op(((ops.size() + 1) << 32) + page, large, 0, large.size() - page));
		ASSERT_GT(ops.size() * (large.size() / mib2) * 2 * page, all) << "too few to prove anything here";
		EXPECT_EQ(space.try_bind(ops), ENOMEM);
		EXPECT_GT(available_memory(), all / 2);
		EXPECT_EQ(space.try_bind({ops.front()}), 0);
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(quota, nobody_pins_what_the_machine_needs_to_go_on)
{
	const std::uint64_t all = std::uint64_t(sysconf(_SC_PHYS_PAGES)) * page;
	const counters before = read_counters();
	{
		const device dev;
		const address_space space(dev);
		// There is that much, but less than 1/16 of all would be left.
		const std::uint64_t bytes = (available_memory() - all / 32) / page * page;
		const buffer large(dev, bytes);
		EXPECT_EQ(space.try_bind({map_op(1ull << 30, large, 0, page)}), ENOMEM);
		EXPECT_EQ(mmap(nullptr, page, PROT_READ, MAP_SHARED, dev.fd(), static_cast<off_t>(large.mmap_offset())), MAP_FAILED);
		EXPECT_EQ(errno, ENOMEM);
		EXPECT_GT(available_memory(), bytes);
		// Nothing else is refused.
		const buffer small(dev, mib);
		EXPECT_EQ(space.try_bind({map_op(1ull << 30, small, 0, mib)}), 0);
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(quota, a_file_that_is_handed_on_stays_on_the_account_of_who_opened_it)
{
	const quota set("local", 2 * mib);
	const counters before = read_counters();
	user_child user(alice, [&] {
		const device mine;
		const buffer one(mine, mib, DRM_ATOM_BO_LOCAL);
		child other([&] {
			become(bob, bob);
			const buffer two(mine, mib, DRM_ATOM_BO_LOCAL);
			drm_atom_bo_create three{};
			three.size = mib;
			three.placement = DRM_ATOM_BO_LOCAL;
			if (try_create_buffer(mine, three) != ENOSPC)
				throw std::runtime_error("more than the user's share");
		});
		if (other.wait() != 0)
			throw std::runtime_error("the other program failed");
	});
	EXPECT_EQ(user.wait(), 0);
	EXPECT_EQ(await_counters(before), "");
}
