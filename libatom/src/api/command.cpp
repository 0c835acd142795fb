// SPDX-License-Identifier: MIT
#include "atom/command.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/encoder.hpp"
#include "core/failure.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using core::live;

} // namespace

command_builder::command_builder(const context &ctx)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "command builder: the context is empty");
	impl_ = std::make_unique<core::encoder>(core::access::ctx(ctx));
}
command_builder::command_builder(command_builder &&) noexcept = default;
command_builder &command_builder::operator=(command_builder &&) noexcept = default;
command_builder::~command_builder() = default;

command_builder &command_builder::tag(std::uint32_t value)
{
	live(impl_).tag = value;
	return *this;
}

command_builder &command_builder::nop()
{
	command c(impl_, "nop", ATOM_OP_NOP);
	atom_cmd_nop e{};
	c.append(e);
	return *this;
}

command_builder &command_builder::barrier()
{
	command c(impl_, "barrier", ATOM_OP_FENCE);
	atom_cmd_fence e{};
	c.append(e);
	return *this;
}

command_builder &command_builder::timestamp(const location &out)
{
	command c(impl_, "timestamp", ATOM_OP_TIMESTAMP);
	atom_cmd_timestamp e{};
	e.out = c.encode(out, sizeof(atom_timestamp), alignof(std::uint64_t), "out");
	c.append(e);
	return *this;
}

command_buffer command_builder::finish()
{
	live(impl_);
	// What cannot be finished can still be added to, or tried again.
	command_buffer done = core::access::wrap(impl_->finish());
	impl_.reset();
	return done;
}

command_buffer command_builder::finish(std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return finish(); });
}

span<const std::byte> command_buffer::bytes() const noexcept
{
	return impl_ ? span<const std::byte>(impl_->bytes, impl_->size) : span<const std::byte>();
}

std::uint32_t command_buffer::size() const noexcept { return impl_ ? impl_->commands : 0; }

std::uint32_t command_buffer::argument_count() const noexcept
{
	return impl_ ? static_cast<std::uint32_t>(impl_->argument_bytes.size()) : 0;
}

std::uint64_t command_buffer::argument_bytes(slot where) const noexcept
{
	if (where.number == 0 || where.number > argument_count())
		return 0;
	return impl_->argument_bytes[where.number - 1U];
}

} // namespace v1
} // namespace atom
