// SPDX-License-Identifier: MIT
#include "atom/pool.hpp"

#include "core/access.hpp"
#include "core/bo.hpp"
#include "core/buffer_pool.hpp"
#include "core/failure.hpp"

namespace atom {
inline namespace v1 {
namespace {

core::buffer_pool &live(const std::unique_ptr<core::buffer_pool> &impl)
{
	if (!impl)
		core::fail(errc::invalid_argument, "buffer pool: the object is empty");
	return *impl;
}

} // namespace

buffer_pool::buffer_pool() noexcept = default;

buffer_pool::buffer_pool(const context &ctx, const pool_options &options)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "create buffer pool: the context is empty");
	impl_ = std::make_unique<core::buffer_pool>(ctx, options);
}

buffer_pool buffer_pool::create(const context &ctx, const pool_options &options,
                                std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(core::access::ctx(ctx)),
	                     [&] { return buffer_pool(ctx, options); });
}

buffer_pool::buffer_pool(buffer_pool &&) noexcept = default;
buffer_pool &buffer_pool::operator=(buffer_pool &&) noexcept = default;
buffer_pool::~buffer_pool() = default;

buffer buffer_pool::take(std::uint64_t bytes) { return live(impl_).take(bytes); }

buffer buffer_pool::take(std::uint64_t bytes, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return take(bytes); });
}

void buffer_pool::give(buffer what, span<const fence> last_uses) noexcept
{
	if (impl_)
		impl_->give(std::move(what), last_uses);
}

void buffer_pool::give(buffer what, const fence &last_use) noexcept
{
	give(std::move(what), {&last_use, 1});
}

void buffer_pool::trim(std::uint64_t keep_bytes) noexcept
{
	if (impl_)
		impl_->trim(keep_bytes);
}

pool_usage buffer_pool::usage() const { return live(impl_).usage(); }

std::uint64_t buffer_pool::class_size(std::uint64_t bytes) noexcept
{
	return core::buffer_pool::class_size(bytes);
}

} // namespace v1
} // namespace atom
