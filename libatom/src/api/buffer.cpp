// SPDX-License-Identifier: MIT
#include "atom/buffer.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/bo.hpp"
#include "core/failure.hpp"

namespace atom {
inline namespace v1 {

mapping::mapping(mapping &&other) noexcept
	: bo_(std::move(other.bo_)), data_(std::exchange(other.data_, nullptr)),
	  size_(std::exchange(other.size_, 0))
{
}

mapping &mapping::operator=(mapping &&other) noexcept
{
	mapping old(std::move(*this));
	bo_ = std::move(other.bo_);
	data_ = std::exchange(other.data_, nullptr);
	size_ = std::exchange(other.size_, 0);
	return *this;
}

mapping::~mapping() = default;

std::uint64_t buffer_view::device_address() const noexcept { return bo_ ? bo_->va() + offset_ : 0; }

buffer_view buffer_view::slice(std::uint64_t offset, std::uint64_t bytes) const
{
	if (offset > size_ || bytes > size_ - offset)
		core::fail(errc::out_of_range, "slice buffer: " + std::to_string(bytes) +
		                                       " bytes from " + std::to_string(offset) +
		                                       " reach outside of its " +
		                                       std::to_string(size_) + " bytes");
	buffer_view v = *this;
	v.offset_ += offset;
	v.size_ = bytes;
	return v;
}

mapping buffer_view::map() const
{
	if (!bo_)
		core::fail(errc::invalid_argument, "map buffer: the buffer is empty");
	return core::access::mapping(bo_, bo_->map() + offset_, size_);
}

mapping buffer_view::map(std::error_code &ec) const noexcept
{
	return core::guarded(ec, [&] { return map(); });
}

buffer::buffer(const context &ctx, std::uint64_t bytes, const buffer_options &options)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "create buffer: the context is empty");
	all_ = core::access::view(
		std::make_shared<core::bo>(core::access::ctx(ctx), bytes, options), bytes);
}

buffer buffer::create(const context &ctx, std::uint64_t bytes, const buffer_options &options,
                      std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return buffer(ctx, bytes, options); });
}

atom::placement buffer::placement() const
{
	if (!all_)
		core::fail(errc::invalid_argument, "buffer: it is empty");
	return all_.bo_->where();
}

} // namespace v1
} // namespace atom
