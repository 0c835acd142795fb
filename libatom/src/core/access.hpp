// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "atom/buffer.hpp"
#include "atom/command.hpp"
#include "atom/context.hpp"
#include "atom/device.hpp"
#include "atom/device_monitor.hpp"
#include "atom/fence.hpp"
#include "atom/queue.hpp"

namespace atom::core {

/** Of what an object of the API holds; null if that is null. */
template <class Held>
const device *device_of(const Held &held) noexcept
{
	return held ? held->dev().get() : nullptr;
}

/** The way from the handles of the API to what they stand for, and back. */
struct access {
	static const std::shared_ptr<core::device> &dev(const atom::device &d) { return d.impl_; }
	static atom::device wrap(std::shared_ptr<core::device> d)
	{
		return atom::device(std::move(d));
	}
	static atom::device_monitor wrap(std::unique_ptr<core::device_monitor> m);
	static const std::shared_ptr<core::context> &ctx(const atom::context &c) { return c.impl_; }
	static atom::context wrap(std::shared_ptr<core::context> c)
	{
		return atom::context(std::move(c));
	}

	static const std::shared_ptr<core::bo> &memory(const buffer_view &v) { return v.bo_; }
	static buffer_view view(std::shared_ptr<core::bo> memory, std::uint64_t bytes)
	{
		buffer_view v;
		v.bo_ = std::move(memory);
		v.size_ = bytes;
		return v;
	}
	static atom::mapping mapping(std::shared_ptr<core::bo> memory, std::byte *data,
	                             std::size_t bytes)
	{
		atom::mapping m;
		m.bo_ = std::move(memory);
		m.data_ = data;
		m.size_ = bytes;
		return m;
	}

	static const std::shared_ptr<core::command_memory> &memory(const command_buffer &c)
	{
		return c.impl_;
	}
	static command_buffer wrap(std::shared_ptr<core::command_memory> c)
	{
		return command_buffer(std::move(c));
	}

	static const std::shared_ptr<core::fence_source> &source(const fence &f)
	{
		return f.source_;
	}
	static atom::fence fence(std::shared_ptr<core::fence_source> source, std::uint64_t point)
	{
		atom::fence f;
		f.source_ = std::move(source);
		f.point_ = point;
		return f;
	}

	static quantisation quant(const tensor &t) { return t.quantisation_; }
	static unsigned axis(const tensor &t) { return t.axis_; }
	static bool has_zero_points(const tensor &t) { return t.zero_points_; }
	static float scale(const tensor &t) { return t.scale_; }
	static std::int32_t zero_point(const tensor &t) { return t.zero_point_; }
	static const location &scales(const tensor &t) { return t.scales_at_; }
	static const location &zero_points(const tensor &t) { return t.zero_points_at_; }
};

} // namespace atom::core
