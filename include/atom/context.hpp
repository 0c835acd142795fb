// SPDX-License-Identifier: MIT
/**
 * @file context.hpp
 * @brief An address space of a device: what isolates one user from another.
 */
#ifndef ATOM_CONTEXT_HPP
#define ATOM_CONTEXT_HPP

#include <memory>
#include <system_error>

#include "atom/device.hpp"

namespace atom {
namespace core {
class context;
} // namespace core

inline namespace v1 {

/**
 * An address space. Its buffers, command buffers and queues work together; those of
 * two contexts cannot reach each other, even in the same process.
 *
 * A cheap handle: copies share it, and what is made in a context keeps it alive.
 * Thread-safe.
 */
class ATOM_API context {
public:
	/** An empty handle. */
	context() noexcept = default;

	/**
	 * @throws system_error limit_reached (no address space left), device_lost,
	 *         out_of_host_memory, invalid_argument (empty device)
	 */
	explicit context(const atom::device &dev);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static context create(const atom::device &dev, std::error_code &ec) noexcept;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

	/** The device that it was made on. @throws system_error invalid_argument if empty */
	[[nodiscard]] atom::device device() const;

private:
	friend struct core::access;
	explicit context(std::shared_ptr<core::context> impl) noexcept : impl_(std::move(impl)) {}
	std::shared_ptr<core::context> impl_;
};

} // namespace v1
} // namespace atom

#endif
