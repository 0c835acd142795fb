// SPDX-License-Identifier: MIT
#include "atom/buffer.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/bo.hpp"
#include "core/failure.hpp"

namespace atom {
inline namespace v1 {
namespace {

void sync(const std::shared_ptr<core::bo> &memory, bool end, cpu_use use)
{
	if (!memory)
		core::fail(errc::invalid_argument, "access mapping: it is empty");
	memory->sync(end, use);
}

// For the log.
void tell(const core::bo &memory, const char *how)
{
	memory.dev()->say(log_level::debug, [&] {
		return "buffer of " + std::to_string(memory.size()) + " bytes " + how +
		       " in context " + std::to_string(memory.ctx()->id());
	});
}

} // namespace

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

void mapping::begin(cpu_use use) const { sync(bo_, false, use); }

void mapping::begin(cpu_use use, std::error_code &ec) const noexcept
{
	core::guarded(ec, core::device_of(bo_), [&] { begin(use); });
}

void mapping::end(cpu_use use) const { sync(bo_, true, use); }

void mapping::end(cpu_use use, std::error_code &ec) const noexcept
{
	core::guarded(ec, core::device_of(bo_), [&] { end(use); });
}

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
	return core::guarded(ec, core::device_of(bo_), [&] { return map(); });
}

buffer::buffer(const context &ctx, std::uint64_t bytes, const buffer_options &options)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "create buffer: the context is empty");
	all_ = core::access::view(
		std::make_shared<core::bo>(core::access::ctx(ctx), bytes, options), bytes);
	tell(*all_.bo_, "created");
}

buffer buffer::create(const context &ctx, std::uint64_t bytes, const buffer_options &options,
                      std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(core::access::ctx(ctx)),
	                     [&] { return buffer(ctx, bytes, options); });
}

buffer buffer::from_user(const context &ctx, void *memory, std::uint64_t bytes,
                         device_access access)
{
	if (!ctx)
		core::fail(errc::invalid_argument,
		           "use memory of the program: the context is empty");
	buffer b;
	b.all_ = core::access::view(
		core::bo::of_user(core::access::ctx(ctx), memory, bytes, access), bytes);
	tell(*b.all_.bo_, "of the program's memory");
	return b;
}

buffer buffer::from_user(const context &ctx, void *memory, std::uint64_t bytes,
                         device_access access, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(core::access::ctx(ctx)),
	                     [&] { return from_user(ctx, memory, bytes, access); });
}

buffer buffer::import_dmabuf(const context &ctx, int fd)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "import dma-buf: the context is empty");
	const auto memory = core::bo::import(core::access::ctx(ctx), fd);
	buffer b;
	b.all_ = core::access::view(memory, memory->size());
	tell(*memory, "imported");
	return b;
}

buffer buffer::import_dmabuf(const context &ctx, int fd, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(core::access::ctx(ctx)),
	                     [&] { return import_dmabuf(ctx, fd); });
}

int buffer::export_dmabuf() const
{
	if (!all_)
		core::fail(errc::invalid_argument, "export buffer: it is empty");
	return all_.bo_->export_dmabuf();
}

int buffer::export_dmabuf(std::error_code &ec) const noexcept
{
	return core::guarded_file(ec, core::device_of(all_.bo_), [&] { return export_dmabuf(); });
}

atom::placement buffer::placement() const
{
	if (!all_)
		core::fail(errc::invalid_argument, "buffer: it is empty");
	return all_.bo_->where();
}

} // namespace v1
} // namespace atom
