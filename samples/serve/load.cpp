// SPDX-License-Identifier: MIT
// Asks the server as many clients would, and tells how long they waited.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iostream>
#include <map>
#include <random>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "network.hpp"
#include "protocol.hpp"
#include "run_sample.hpp"

namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using boost::asio::local::stream_protocol;
using clock_type = std::chrono::steady_clock;
using samples::failure, samples::status;

struct options {
	std::string socket;
	unsigned connections = 64;
	double seconds = 3;
	double rate = 0; ///< requests a second; 0: each client asks again at once
	bool check = false;
	bool json = false;
};

struct result {
	std::vector<double> milliseconds; // of good answers
	std::map<serve::verdict, std::uint64_t> answers;
	std::uint64_t wrong = 0;
};

double quantile(std::vector<double> &values, double share)
{
	if (values.empty())
		return 0;
	const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
	std::nth_element(values.begin(), place, values.end());
	return *place;
}

/** Clients of one server, in one thread. */
class load {
public:
	load(boost::asio::io_context &loop, const options &o) : loop_(loop), options_(o) {}

	awaitable<void> client(unsigned number)
	{
		stream_protocol::socket socket(loop_);
		co_await socket.async_connect(stream_protocol::endpoint(options_.socket), use_awaitable);
		boost::asio::steady_timer timer(loop_);
		std::minstd_rand random(number + 1);
		serve::input in;
		serve::output out;
		for (;;) {
			const clock_type::time_point due = next_due();
			if (due >= end_)
				co_return;
			timer.expires_at(due);
			if (options_.rate > 0)
				co_await timer.async_wait(use_awaitable);
			std::generate(in.begin(), in.end(), [&] { return static_cast<float>(random() % 2001) / 1000.0F - 1; });
			const serve::verdict answer = co_await ask(socket, in, out);
			++result_.answers[answer];
			if (answer != serve::verdict::good)
				continue;
			// From when it was due: a server that is late makes all wait that come after.
			result_.milliseconds.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - due).count());
			result_.wrong += options_.check && !right(in, out);
		}
	}

	result &run()
	{
		for (unsigned i = 0; i < options_.connections; ++i)
			boost::asio::co_spawn(loop_, client(i), [](const std::exception_ptr &failure) {
				if (failure)
					std::rethrow_exception(failure);
			});
		loop_.run();
		return result_;
	}

private:
	clock_type::time_point next_due()
	{
		if (options_.rate <= 0)
			return clock_type::now();
		const auto after = std::chrono::duration<double>(static_cast<double>(asked_++) / options_.rate);
		return start_ + std::chrono::duration_cast<clock_type::duration>(after);
	}

	static awaitable<serve::verdict> ask(stream_protocol::socket &socket, const serve::input &in, serve::output &out)
	{
		serve::head h;
		h.bytes = sizeof(in);
		const std::array<boost::asio::const_buffer, 2> parts{boost::asio::buffer(&h, sizeof(h)), boost::asio::buffer(in)};
		co_await boost::asio::async_write(socket, parts, use_awaitable);
		co_await boost::asio::async_read(socket, boost::asio::buffer(&h, sizeof(h)), use_awaitable);
		const bool good = h.what == serve::verdict::good;
		if (h.magic != serve::magic || h.bytes != (good ? sizeof(out) : 0))
			throw failure(status::wrong, "the server's answer is nonsense");
		if (good)
			co_await boost::asio::async_read(socket, boost::asio::buffer(out), use_awaitable);
		co_return h.what;
	}

	[[nodiscard]] bool right(const serve::input &in, const serve::output &out) const
	{
		const serve::output expected = serve::expected_scores(weights_, in);
		return std::equal(out.begin(), out.end(), expected.begin(),
		                  [](float a, float b) { return std::abs(a - b) <= 1e-5F + 1e-3F * std::abs(b); });
	}

	boost::asio::io_context &loop_;
	const options &options_;
	serve::weights weights_ = serve::make_weights();
	clock_type::time_point start_ = clock_type::now();
	clock_type::time_point end_ = start_ + std::chrono::duration_cast<clock_type::duration>(
						       std::chrono::duration<double>(options_.seconds));
	std::uint64_t asked_ = 0;
	result result_;
};

void ask_server(const options &o)
{
	boost::asio::io_context loop(1);
	load clients(loop, o);
	const auto start = clock_type::now();
	result &r = clients.run();
	const double seconds = std::chrono::duration<double>(clock_type::now() - start).count();
	const nlohmann::ordered_json report{{"requests", r.milliseconds.size()},
	                                    {"requests_per_second", static_cast<double>(r.milliseconds.size()) / seconds},
	                                    {"p50_ms", quantile(r.milliseconds, 0.5)},
	                                    {"p99_ms", quantile(r.milliseconds, 0.99)},
	                                    {"failed", r.answers[serve::verdict::failed]},
	                                    {"unavailable", r.answers[serve::verdict::unavailable]},
	                                    {"wrong", r.wrong}};
	if (o.json)
		std::cout << report << '\n';
	else
		for (const auto &[name, value] : report.items())
			std::cout << name << ' ' << value << '\n';
	if (r.wrong != 0)
		throw failure(status::wrong, std::to_string(r.wrong) + " answers are wrong");
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Asks the sample server as many clients would, and tells how long they waited", "serve-load");
	options o;
	app.add_option("socket", o.socket, "path of the server's socket")->required();
	app.add_option("--connections", o.connections, "clients at once")->check(CLI::Range(1, 10000))->capture_default_str();
	app.add_option("--seconds", o.seconds, "how long")->check(CLI::Range(0.01, 3600.0))->capture_default_str();
	app.add_option("--rate", o.rate, "requests a second of all; 0: each asks again at once")->check(CLI::NonNegativeNumber);
	app.add_flag("--check", o.check, "compute each answer again, and compare");
	app.add_flag("--json", o.json, "one JSON object");
	return samples::run_sample(app, argc, argv, [&] { ask_server(o); });
}
