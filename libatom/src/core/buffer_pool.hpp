// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "atom/pool.hpp"
#include "core/context.hpp"

namespace atom::core {

/** Thread-safe. */
class buffer_pool {
public:
	buffer_pool(const atom::context &ctx, const pool_options &options);

	/** Throws. */
	buffer take(std::uint64_t bytes);
	void give(buffer what, span<const fence> last_uses) noexcept;
	void trim(std::uint64_t keep_bytes) noexcept;
	[[nodiscard]] pool_usage usage() const;

	[[nodiscard]] const std::shared_ptr<core::device> &dev() const;

	static std::uint64_t class_size(std::uint64_t bytes) noexcept;

private:
	struct spare {
		buffer memory;
		std::vector<fence> users; ///< keeps its memory for the next
		std::uint64_t number = 0; ///< the lower, the longer it is spare
	};
	/** Nodes move from list to list: nothing is allocated once there are enough. */
	using spares = std::list<spare>;

	buffer take_spare(std::uint64_t size);
	[[nodiscard]] bool is_mine(const buffer &b) const;
	void shrink(std::uint64_t keep_bytes, spares &out);
	void let_go(spares &out) noexcept;

	atom::context context_;
	pool_options options_;
	mutable std::mutex mutex_;                // protects what follows
	std::map<std::uint64_t, spares> classes_; ///< by size, those given back first in front
	spares unused_;                           ///< without a buffer
	std::uint64_t given_ = 0;                 ///< back, ever
	pool_usage usage_;
};

} // namespace atom::core
