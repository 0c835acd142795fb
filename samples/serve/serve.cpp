// SPDX-License-Identifier: MIT
// A server: requests over a unix socket, batched to the NPU, in one thread.
#include <csignal>
#include <exception>
#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include "npu.hpp"
#include "run_sample.hpp"
#include "server.hpp"

namespace {

struct options {
	std::string socket;
	unsigned sessions = 1000;
};

void serve_requests(const options &o)
{
	samples::open_npu(); // says why there is none
	boost::asio::io_context loop(1);
	serve::listening_socket socket(loop, o.socket);
	serve::batcher work(loop);
	serve::server server(loop, socket, work, o.sessions);
	boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
	signals.async_wait([&](const boost::system::error_code &, int) { loop.stop(); });
	const auto rethrow = [](const std::exception_ptr &failure) {
		if (failure)
			std::rethrow_exception(failure);
	};
	boost::asio::co_spawn(loop, work.run(), rethrow);
	boost::asio::co_spawn(loop, server.run(), rethrow);
	std::cout << "listening on " << o.socket << std::endl;
	loop.run();
	const serve::batch_statistics &s = work.statistics();
	std::cout << "served " << s.requests << " requests in " << s.batches << " batches, of which " << s.failed_batches
		  << " failed\n";
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Scores vectors of 256 floats by a small network on the NPU, for whoever asks over a unix socket", "serve");
	options o;
	app.add_option("socket", o.socket, "path of the socket")->required();
	app.add_option("--sessions", o.sessions, "clients at once")->check(CLI::Range(1, 100000))->capture_default_str();
	return samples::run_sample(app, argc, argv, [&] { serve_requests(o); });
}
