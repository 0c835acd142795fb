// SPDX-License-Identifier: MIT
/**
 * @file pool.hpp
 * @brief Buffers that are used again instead of made anew.
 */
#ifndef ATOM_POOL_HPP
#define ATOM_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>

#include "atom/buffer.hpp"
#include "atom/fence.hpp"

namespace atom {
namespace core {
class buffer_pool;
} // namespace core

inline namespace v1 {

/** How a pool is made. */
struct pool_options {
	buffer_options memory{}; ///< of all its buffers
	/** What is spare beyond that goes back to the system. 0: nothing is kept. */
	std::uint64_t spare_bytes_max = std::uint64_t{256} << 20;
};

/** What a pool has and did. */
struct pool_usage {
	std::uint64_t spare_bytes = 0;   ///< that it keeps for who takes next
	std::uint64_t spare_buffers = 0; ///< the same, counted
	std::uint64_t made = 0;          ///< buffers that it had to make, since it was made
	std::uint64_t reused = 0;        ///< buffers that it gave a second time or more
};

/**
 * Keeps buffers of a context that are not needed for the moment, so that those who need one soon
 * after do without the system calls, and with no allocation in steady state.
 *
 * What it gives are plain buffers, which belong to who took them: they may outlive the pool, and
 * one that is not given back is destroyed as any other. A buffer may be given back while jobs use
 * it, with the fences of these: nobody gets it before they are ready, well or not. Sizes are
 * rounded up to classes, of which there are four for each power of two (and none below a page), so
 * that at most a fifth of a large buffer is in excess.
 *
 * What lies in a buffer that is used again is what was left there: it stays within the context, and
 * is not zero. Moves, does not copy. All of it but moving is thread-safe. Nothing here waits.
 */
class ATOM_API buffer_pool {
public:
	/** An empty pool. */
	buffer_pool() noexcept;
	/** @throws system_error invalid_argument (empty context), out_of_host_memory */
	explicit buffer_pool(const context &ctx, const pool_options &options = {});
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static buffer_pool create(const context &ctx, const pool_options &options,
	                                        std::error_code &ec) noexcept;
	/** Takes what the other has, which is empty afterwards. */
	buffer_pool(buffer_pool &&other) noexcept;
	/** Lets go of what it had, and takes what the other has. */
	buffer_pool &operator=(buffer_pool &&other) noexcept;
	~buffer_pool();

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }

	/**
	 * A buffer of class_size() of @p bytes. Of the spare ones of this size it takes the one
	 * that was given back first and whose fences are ready; it asks the kernel for those only
	 * that the library does not know. If there is none it makes one, for which it lets go of
	 * all that is spare if there is no memory otherwise. @throws as the constructor of buffer
	 */
	[[nodiscard]] buffer take(std::uint64_t bytes);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] buffer take(std::uint64_t bytes, std::error_code &ec) noexcept;

	/**
	 * Gives a buffer back; views, mappings and command buffers of it must not be used any more,
	 * but by the jobs whose fences are @p last_uses. What is spare beyond
	 * pool_options::spare_bytes_max is destroyed, the buffers that were given back first before
	 * others. A buffer that is not as those of this pool (another context, placement or size)
	 * is destroyed at once.
	 */
	void give(buffer what, span<const fence> last_uses) noexcept;
	/** The same with the fence of the last job that uses it, or with none. */
	void give(buffer what, const fence &last_use = {}) noexcept;

	/** Destroys spare buffers, those given back first before others, until at most @p
	 * keep_bytes are spare. */
	void trim(std::uint64_t keep_bytes = 0) noexcept;

	/** Of this moment. @throws system_error invalid_argument if empty */
	[[nodiscard]] pool_usage usage() const;

	/** Size of the buffers that serve for @p bytes. 0 if there is none so large. */
	[[nodiscard]] static std::uint64_t class_size(std::uint64_t bytes) noexcept;

private:
	std::unique_ptr<core::buffer_pool> impl_;
};

} // namespace v1
} // namespace atom

#endif
