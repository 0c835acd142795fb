// SPDX-License-Identifier: MIT
/**
 * @file constant_pool.hpp
 * @brief Weights on a device, shared by the programs that use them.
 */
#ifndef ATOM_ONNX_CONSTANT_POOL_HPP
#define ATOM_ONNX_CONSTANT_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "atom/buffer.hpp"
#include "atom/context.hpp"

namespace atom_onnx {

/**
 * Uploads bytes once, however many programs ask for them: those of one graph for several shapes have
 * the same weights. Memory goes with the last program that uses it, and is never used for other bytes:
 * programs promise so to the device. Thread-safe.
 */
class constant_pool {
public:
	explicit constant_pool(atom::context ctx) : context_(std::move(ctx)) {}

	/** @param bytes 1 or more. @throws atom::system_error */
	[[nodiscard]] std::shared_ptr<const atom::buffer>
	find_or_upload(const std::vector<std::byte> &bytes);
	[[nodiscard]] const atom::context &context() const { return context_; }
	/** Bytes on the device at the moment. */
	[[nodiscard]] std::uint64_t bytes() const;

private:
	atom::context context_;
	mutable std::mutex mutex_;
	std::unordered_multimap<std::size_t, std::weak_ptr<const atom::buffer>> known_;
};

} // namespace atom_onnx

#endif
