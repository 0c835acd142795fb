// SPDX-License-Identifier: MIT
// The server of samples/serve, whose device goes while a client asks, and comes back.
#include "context.hpp"
#include "machine.hpp"
#include "protocol.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace vmtest;

namespace {

/** A server on a socket, from the first request that it takes on. */
class server {
public:
	server()
	{
		pid_ = fork();
		if (pid_ == 0) {
			execl(SERVE, SERVE, path_, nullptr);
			_exit(127);
		}
		if (!eventually([] { return std::filesystem::exists(path_); }))
			throw std::runtime_error("the server does not listen");
	}
	server(server &&) = delete;
	~server()
	{
		if (pid_ > 0)
			(void)end();
	}
	/** Asks it to end. @return its exit status */
	int end()
	{
		int status = 0;
		::kill(pid_, SIGTERM);
		waitpid(pid_, &status, 0);
		pid_ = -1;
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	static constexpr const char *path_ = "/run/atom-serve";

private:
	pid_t pid_ = -1;
};

class client {
public:
	client() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		sockaddr_un address{};
		address.sun_family = AF_UNIX;
		std::strcpy(address.sun_path, server::path_);
		const timeval patience{60, 0};
		setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		if (connect(socket_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
			throw std::system_error(errno, std::generic_category(), "connect");
	}

	/** The server's verdict on a request that is always the same; @p scores if it is good. */
	serve::verdict ask(serve::output &scores)
	{
		serve::input input;
		for (std::size_t i = 0; i < input.size(); ++i)
			input[i] = static_cast<float>(i % 7) / 7;
		serve::head head;
		head.bytes = sizeof input;
		send_all(&head, sizeof head);
		send_all(&input, sizeof input);
		receive_all(&head, sizeof head);
		if (head.bytes == sizeof scores)
			receive_all(&scores, sizeof scores);
		return head.what;
	}

private:
	void send_all(const void *from, std::size_t bytes)
	{
		if (send(socket_.get(), from, bytes, MSG_NOSIGNAL) != static_cast<ssize_t>(bytes))
			throw std::runtime_error("the server has hung up");
	}
	void receive_all(void *to, std::size_t bytes)
	{
		if (recv(socket_.get(), to, bytes, MSG_WAITALL) != static_cast<ssize_t>(bytes))
			throw std::runtime_error("the server does not answer");
	}
	unique_fd socket_;
};

class lifetime_of_a_server : public troubled {};

} // namespace

TEST_F(lifetime_of_a_server, it_says_that_there_is_no_device_while_it_is_gone_and_answers_as_before_when_it_is_back)
{
	server s;
	client c;
	serve::output first{}, again{};
	ASSERT_EQ(c.ask(first), serve::verdict::good);
	ASSERT_NO_THROW(pull_device());
	EXPECT_TRUE(eventually([&] { return c.ask(again) == serve::verdict::unavailable; }, 60));
	ASSERT_NO_THROW(plug_back());
	EXPECT_TRUE(eventually([&] { return c.ask(again) == serve::verdict::good; }, 60));
	EXPECT_EQ(first, again);
	EXPECT_EQ(s.end(), 0);
}

TEST_F(lifetime_of_a_server, it_answers_every_request_while_its_device_is_reset)
{
	server s;
	client c;
	serve::output first{}, again{};
	ASSERT_EQ(c.ask(first), serve::verdict::good);
	for (unsigned i = 0; i < 3; ++i) {
		ASSERT_NO_THROW(reset_by_sysfs());
		EXPECT_TRUE(eventually([&] { return c.ask(again) == serve::verdict::good; }, 60));
		EXPECT_EQ(first, again);
	}
	EXPECT_EQ(s.end(), 0);
}
