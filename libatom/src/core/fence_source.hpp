// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "atom/fence.hpp"
#include "core/device.hpp"

namespace atom::core {

/** A deadline as the kernel takes it: nanoseconds of CLOCK_MONOTONIC. */
std::int64_t kernel_time(deadline until);

/** Something whose points can be waited for: a timeline, or the jobs of a queue. Thread-safe. */
class fence_source {
public:
	virtual ~fence_source() = default;

	/** Whether @p point is known to have come. No system call. */
	[[nodiscard]] virtual bool known(std::uint64_t point) const noexcept = 0;
	/** The kernel has said that @p point has come. */
	virtual void note_reached(std::uint64_t point) noexcept = 0;
	/** Whether @p point has come; may make a system call, does not wait. Throws. */
	virtual bool reached(std::uint64_t point) = 0;
	/** Waits; false if @p until passed. Throws. */
	virtual bool wait(std::uint64_t point, deadline until) = 0;
	/** What became of the job of @p point, which has been reached. Throws. */
	virtual completion outcome(std::uint64_t point) = 0;
	/** Kernel object behind the points. */
	[[nodiscard]] virtual std::uint32_t handle() const = 0;
	[[nodiscard]] virtual const std::shared_ptr<core::device> &dev() const = 0;
	/** Tells the log what has been found out and not been told. No lock may be held. */
	virtual void tell_news() noexcept {}
};

/** Has a source tell its news at the end of a call of the API, whatever its end. */
class told_at_end {
public:
	/** @p of may be null. */
	explicit told_at_end(fence_source *of) noexcept : of_(of) {}
	~told_at_end()
	{
		if (of_ != nullptr)
			of_->tell_news();
	}
	told_at_end(const told_at_end &) = delete;
	told_at_end &operator=(const told_at_end &) = delete;

private:
	fence_source *of_;
};

/** A timeline of the kernel. */
class syncobj final : public fence_source {
public:
	explicit syncobj(std::shared_ptr<core::device> dev);
	/** The timeline of a file that another exported. Throws. */
	static std::shared_ptr<syncobj> import(std::shared_ptr<core::device> dev, int fd);
	~syncobj() override;
	syncobj(const syncobj &) = delete;
	syncobj &operator=(const syncobj &) = delete;

	[[nodiscard]] std::uint64_t value();
	void signal(std::uint64_t point);

	[[nodiscard]] bool known(std::uint64_t point) const noexcept override
	{
		return reached_.load(std::memory_order_acquire) >= point;
	}
	void note_reached(std::uint64_t point) noexcept override;
	bool reached(std::uint64_t point) override;
	bool wait(std::uint64_t point, deadline until) override;
	completion outcome(std::uint64_t point) override;
	[[nodiscard]] std::uint32_t handle() const override { return handle_; }
	[[nodiscard]] const std::shared_ptr<core::device> &dev() const override { return device_; }

private:
	syncobj(std::shared_ptr<core::device> dev, std::uint32_t handle)
		: device_(std::move(dev)), handle_(handle)
	{
	}

	std::shared_ptr<core::device> device_;
	std::uint32_t handle_ = 0;
	/** A point that the kernel has said was reached. */
	std::atomic<std::uint64_t> reached_{0};
};

} // namespace atom::core
