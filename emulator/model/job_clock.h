/* SPDX-License-Identifier: MIT */
/**
 * @file job_clock.h
 * @brief Modelled time of one job, command by command.
 *
 * Between two fences commands run side by side: each resource (matrix unit,
 * vector units, DRAM, SHM and PCIe in each direction) does what is asked of it in turn,
 * and the slowest one decides. Each command adds its overhead. While a group
 * runs, DRAM has time left: it fetches ahead what later commands read and no
 * earlier command of the job writes (weights), as far as the scratchpads have room.
 *
 *     time(job) = launch + sum over groups (max over resources (sum over commands) + sum of overheads)
 *
 * A command's length is what it adds to that: commands that others hide have
 * their overhead alone.
 */
#pragma once

#include <cstdint>
#include <vector>

#include "timing.h"

namespace atom::model {

/** What limits a command: atom_model_command_time.limit. */
enum class limit : std::uint32_t { overhead, matrix, vector, dram, shm, pcie };

/** Where the time of a command goes; ns of modelled time. */
struct command_time {
	double start = 0;  ///< since the device fetched the descriptor
	double length = 0; ///< what the command adds to its job
	resource_times own; ///< of each resource; dram_ahead: what was there when its turn came
	limit by = limit::overhead;
};

class job_clock {
public:
	/** The descriptor has been fetched. */
	void launch(const timing &t);
	/** The next command of the job. */
	command_time add(const timing &t, const engine::cost &work, const footprint &bytes, double clock_share);
	/** What follows starts after all before has ended. */
	void fence(const timing &t);

	/** Modelled time of the job up to here. */
	double total() const { return launch_ + total_ + group_total(); }
	/** Of that, the time that engines or device memory are at work: what another queue cannot hide. */
	double engines() const { return engines_ + group_engines(); }

private:
	double group_total() const;
	double group_engines() const;

	double launch_ = 0;
	double total_ = 0;      ///< of the groups that are over
	double engines_ = 0;
	double ahead_ = 0;      ///< DRAM time of what has been fetched ahead
	resource_times group_;  ///< sums of the group that is not over
};

/**
 * Which bytes a job has written so far. Bounded: when there are too many pieces
 * the smallest gaps between them count as written, so that less is fetched ahead.
 */
class written_bytes {
public:
	void add(std::uint64_t begin, std::uint64_t end);
	bool overlap(std::uint64_t begin, std::uint64_t end) const;

private:
	struct piece {
		std::uint64_t begin;
		std::uint64_t end;
	};
	static constexpr std::size_t pieces_max = 128;

	std::vector<piece> pieces_; ///< ascending, with gaps between them
};

} // namespace atom::model
