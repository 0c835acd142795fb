// SPDX-License-Identifier: MIT
#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "exit_status.hpp"
#include "metrics_server.hpp"
#include "system_files.hpp"

namespace smi {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// How long a client may take to ask, and how long to fetch the answer.
constexpr std::chrono::seconds patience{2};
constexpr std::size_t most_clients = 64;
constexpr std::uint32_t longest_header = 8192;

// "9500", "127.0.0.1:9500", "localhost:9500", "[::1]:9500"
tcp::endpoint parse_address(const std::string &text)
{
	std::string host = "127.0.0.1";
	std::string port = text;
	if (const std::size_t colon = text.rfind(':'); colon != std::string::npos) {
		host = text.substr(0, colon);
		port = text.substr(colon + 1);
	}
	if (host == "[::1]")
		host = "::1";
	if (host == "localhost")
		host = "127.0.0.1";
	const auto value = to_number(port);
	if (!value || *value < 0 || *value > 65535)
		throw failure(exit_status::usage, "--listen " + text +
		                                          ": the port is a number from 0 (any) "
		                                          "to 65535, as in 127.0.0.1:9500");
	error_code error;
	const asio::ip::address address = asio::ip::make_address(host, error);
	if (error || !address.is_loopback())
		throw failure(exit_status::usage,
		              "--listen " + text +
		                      ": only addresses of this machine alone are served "
		                      "(127.0.0.1, localhost, [::1]); put a proxy with "
		                      "authentication before it to reach it from others");
	return {address, static_cast<std::uint16_t>(*value)};
}

using reply = http::response<http::string_body>;

reply make_reply(http::status status, std::string body,
                 const char *type = "text/plain; charset=utf-8")
{
	reply out{status, 11};
	out.set(http::field::content_type, type);
	out.keep_alive(false);
	out.body() = std::move(body);
	out.prepare_payload();
	return out;
}

reply reply_to(const http::request<http::empty_body> &asked,
               const std::function<std::string()> &text)
try {
	if (asked.method() != http::verb::get && asked.method() != http::verb::head) {
		reply out = make_reply(http::status::method_not_allowed, "GET or HEAD only\n");
		out.set(http::field::allow, "GET, HEAD");
		return out;
	}
	if (asked.target() == "/metrics")
		return make_reply(http::status::ok, text(),
		                  "text/plain; version=0.0.4; charset=utf-8");
	if (asked.target() == "/")
		return make_reply(http::status::ok, "atom-smi: see /metrics\n");
	return make_reply(http::status::not_found, "see /metrics\n");
} catch (const std::exception &error) {
	return make_reply(http::status::internal_server_error, std::string(error.what()) + "\n");
}

// Of the client, rather than of the connection.
bool is_mistake(error_code error)
{
	return error.category() == error_code(http::error::bad_method).category() &&
	       error != http::error::end_of_stream;
}

reply reply_to_mistake(error_code error)
{
	if (error == http::error::header_limit)
		return make_reply(http::status::request_header_fields_too_large,
		                  "the header is too long\n");
	return make_reply(http::status::bad_request, error.message() + "\n");
}

/// One request and its answer; lives as long as an operation of it does.
class session : public std::enable_shared_from_this<session> {
public:
	session(tcp::socket socket, const std::function<std::string()> &text,
	        std::function<void()> leave)
		: stream_(std::move(socket)), text_(text), leave_(std::move(leave))
	{
		parser_.header_limit(longest_header);
	}

	~session() { leave_(); }

	void read()
	{
		stream_.expires_after(patience);
		http::async_read_header(
			stream_, buffer_, parser_,
			[self = shared_from_this()](error_code error, std::size_t) {
				if (!error)
					self->write(reply_to(self->parser_.get(), self->text_));
				else if (is_mistake(error))
					self->write(reply_to_mistake(error));
			});
	}

private:
	void write(reply &&out)
	{
		reply_ = std::move(out);
		serializer_.emplace(reply_);
		serializer_->split(parser_.get().method() == http::verb::head);
		const auto written = [self = shared_from_this()](error_code error, std::size_t) {
			self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
			self->drain();
		};
		stream_.expires_after(patience);
		if (serializer_->split())
			http::async_write_header(stream_, *serializer_, written);
		else
			http::async_write(stream_, *serializer_, written);
	}

	// To close with something unread would take the answer away from the client.
	void drain()
	{
		stream_.async_read_some(asio::buffer(rest_),
		                        [self = shared_from_this()](error_code error, std::size_t) {
						if (!error)
							self->drain();
					});
	}

	beast::tcp_stream stream_;
	const std::function<std::string()> &text_;
	std::function<void()> leave_;
	beast::flat_buffer buffer_;
	http::request_parser<http::empty_body> parser_;
	reply reply_;
	std::optional<http::response_serializer<http::string_body>> serializer_;
	std::array<char, 1024> rest_;
};

class server {
public:
	server(const std::string &where, const std::function<std::string()> &text) : text_(text)
	{
		const tcp::endpoint endpoint = parse_address(where);
		try {
			acceptor_.emplace(io_, endpoint);
		} catch (const boost::system::system_error &) {
			throw failure(exit_status::failed,
			              "--listen " + where +
			                      ": the address is in use or not "
			                      "this machine's; try another port");
		}
	}

	[[noreturn]] void run()
	{
		std::cout << "http://" << acceptor_->local_endpoint() << "/metrics" << std::endl;
		accept();
		for (;;)
			io_.run();
	}

private:
	void accept()
	{
		acceptor_->async_accept([this](error_code error, tcp::socket socket) {
			if (error)
				return accept_later();
			++clients_;
			std::make_shared<session>(std::move(socket), text_, [this] {
				leave();
			})->read();
			if (clients_ < most_clients)
				accept();
		});
	}

	// Out of files, for instance, which only waiting mends.
	void accept_later()
	{
		pause_.expires_after(std::chrono::milliseconds(100));
		pause_.async_wait([this](error_code) { accept(); });
	}

	void leave()
	{
		if (clients_-- == most_clients)
			accept();
	}

	asio::io_context io_{1};
	std::optional<tcp::acceptor> acceptor_;
	asio::steady_timer pause_{io_};
	const std::function<std::string()> &text_;
	std::size_t clients_ = 0;
};

} // namespace

void serve_metrics(const std::string &where, const std::function<std::string()> &text)
{
	server(where, text).run();
}

} // namespace smi
