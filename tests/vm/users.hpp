// SPDX-License-Identifier: MIT
// Programs of several users, and what the administrator lets each have.
#pragma once

#include "context.hpp"
#include "sysfs.hpp"

#include <cerrno>
#include <functional>
#include <stdexcept>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace vmtest {

inline constexpr uid_t alice = 1001, bob = 1002;

/** Sets a quota, and what was before when it goes. */
class quota {
public:
	quota(const std::string &name, std::uint64_t limit)
		: file_(sysfs_folder() / "quota" / name), before_(read_line(file_))
	{
		set(limit);
	}
	quota(quota &&) = delete;
	~quota() { write_error(file_, before_); }
	void set(std::uint64_t limit) const
	{
		if (write_error(file_, std::to_string(limit)) || read_number(file_) != limit)
			throw std::runtime_error("cannot set " + file_.string());
	}

private:
	std::filesystem::path file_;
	std::string before_;
};

/** Becomes @p user, who may become @p later. */
inline void become(uid_t user, uid_t later)
{
	if (setresgid(user, user, later) != 0 || setresuid(user, user, later) != 0)
		throw std::system_error(errno, std::generic_category(), "setresuid");
}

/** A child that is another user; everybody may open the device meanwhile. */
class user_child {
public:
	user_child(uid_t user, const std::function<void()> &body) : process_([&] {
		become(user, bob);
		body();
	})
	{
	}
	int wait() { return process_.wait(); }

private:
	struct open_for_all {
		open_for_all() { chmod(device_nodes().at(0).c_str(), 0666); }
	} opened_;
	child process_;
};

} // namespace vmtest
