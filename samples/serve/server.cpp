// SPDX-License-Identifier: MIT
#include "server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "failure.hpp"

namespace serve {
namespace {

using boost::asio::awaitable;
using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::asio::local::stream_protocol;

/** The next request of @p peer. False: it hung up, or what it sends is nonsense, which @p h tells. */
awaitable<bool> read_request(stream_protocol::socket &peer, head &h, input &in)
{
	boost::system::error_code ended;
	co_await boost::asio::async_read(peer, boost::asio::buffer(&h, sizeof(h)), redirect_error(use_awaitable, ended));
	if (ended)
		co_return false;
	bool good = h.magic == magic && h.what == verdict::request && h.bytes == sizeof(in);
	if (good) {
		co_await boost::asio::async_read(peer, boost::asio::buffer(in), redirect_error(use_awaitable, ended));
		if (ended)
			co_return false;
		good = std::all_of(in.begin(), in.end(), [](float x) { return std::isfinite(x); });
	}
	h.what = good ? verdict::request : verdict::malformed;
	co_return good;
}

/** False: it hung up. */
awaitable<bool> write_answer(stream_protocol::socket &peer, const head &h, const output &out)
{
	const std::array<boost::asio::const_buffer, 2> parts{boost::asio::buffer(&h, sizeof(h)),
	                                                     boost::asio::buffer(out.data(), h.bytes)};
	boost::system::error_code ended;
	co_await boost::asio::async_write(peer, parts, redirect_error(use_awaitable, ended));
	co_return !ended;
}

} // namespace

listening_socket::listening_socket(boost::asio::io_context &loop, std::filesystem::path path)
	: path_(std::move(path)), acceptor_(loop)
{
	const stream_protocol::endpoint where(path_.string());
	boost::system::error_code nobody;
	stream_protocol::socket probe(loop);
	if (!probe.connect(where, nobody))
		throw samples::failure(samples::status::usage, path_.string() + ": a server listens there already");
	if (std::filesystem::is_socket(path_))
		std::filesystem::remove(path_); // left behind by one that was killed
	acceptor_.open();
	acceptor_.bind(where);
	acceptor_.listen();
}

listening_socket::~listening_socket()
{
	std::error_code gone;
	std::filesystem::remove(path_, gone);
}

server::server(boost::asio::io_context &loop, listening_socket &socket, batcher &work, unsigned sessions_max)
	: loop_(loop), socket_(socket), work_(work), sessions_max_(sessions_max), room_(loop)
{
}

awaitable<void> server::run()
{
	using namespace std::chrono_literals;
	for (;;) {
		boost::system::error_code error;
		stream_protocol::socket peer(loop_);
		if (sessions_ < sessions_max_)
			co_await socket_.acceptor().async_accept(peer, redirect_error(use_awaitable, error));
		if (error || !peer.is_open()) { // no files, or no room for a session
			room_.expires_after(100ms);
			co_await room_.async_wait(redirect_error(use_awaitable, error));
			continue;
		}
		++sessions_;
		boost::asio::co_spawn(loop_, serve_one(std::move(peer)), boost::asio::detached);
	}
}

awaitable<void> server::serve_one(stream_protocol::socket peer)
{
	request r(loop_.get_executor());
	head h;
	bool more = true;
	while (more) {
		more = co_await read_request(peer, h, r.input);
		if (!more && h.what != verdict::malformed)
			break;
		if (more)
			co_await work_.answer(r);
		h.what = more ? r.answer : verdict::malformed;
		h.bytes = h.what == verdict::good ? sizeof(r.output) : 0;
		more = co_await write_answer(peer, h, r.output) && more;
	}
	--sessions_;
	room_.cancel();
}

} // namespace serve
