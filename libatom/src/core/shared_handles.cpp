// SPDX-License-Identifier: MIT
#include "core/shared_handles.hpp"

namespace atom::core {

void shared_handles::add(std::uint32_t handle)
{
	const std::lock_guard lock(mutex_);
	++users_[handle];
}

int shared_handles::import(const kmd::node &node, int dmabuf, std::uint32_t &handle)
{
	const std::lock_guard lock(mutex_);
	if (const int error = node.bo_import(dmabuf, handle))
		return error;
	++users_[handle];
	return 0;
}

void shared_handles::close(const kmd::node &node, std::uint32_t handle)
{
	const std::lock_guard lock(mutex_);
	const auto found = users_.find(handle);
	if (found == users_.end() || --found->second != 0)
		return;
	users_.erase(found);
	node.bo_close(handle);
}

} // namespace atom::core
