// SPDX-License-Identifier: MIT
// The socket, and a coroutine for each who comes.
#pragma once

#include <filesystem>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "batcher.hpp"

namespace serve {

/** A socket in the file system, gone with its object. */
class listening_socket {
public:
	/** Throws failure if a server listens there, or the path cannot be used. */
	listening_socket(boost::asio::io_context &loop, std::filesystem::path path);
	~listening_socket();
	listening_socket(const listening_socket &) = delete;
	listening_socket &operator=(const listening_socket &) = delete;

	boost::asio::local::stream_protocol::acceptor &acceptor() { return acceptor_; }

private:
	std::filesystem::path path_;
	boost::asio::local::stream_protocol::acceptor acceptor_;
};

class server {
public:
	/** @param sessions_max those beyond wait until another ends */
	server(boost::asio::io_context &loop, listening_socket &socket, batcher &work, unsigned sessions_max);

	/** Serves until the loop stops. */
	boost::asio::awaitable<void> run();

private:
	boost::asio::awaitable<void> serve_one(boost::asio::local::stream_protocol::socket peer);

	boost::asio::io_context &loop_;
	listening_socket &socket_;
	batcher &work_;
	unsigned sessions_max_;
	unsigned sessions_ = 0;
	boost::asio::steady_timer room_; // cancelled when a session ends
};

} // namespace serve
