// SPDX-License-Identifier: MIT
// atom-smi metrics: for Prometheus, once or as a server on this machine's own addresses.
#include <mutex>

#include <httplib.h>

#include "commands.hpp"
#include "metrics_text.hpp"

namespace smi {

namespace {

constexpr const char *content_type = "text/plain; version=0.0.4; charset=utf-8";

struct address {
	std::string host = "127.0.0.1";
	int port = 0;
};

// "9500", "127.0.0.1:9500", "localhost:9500", "[::1]:9500"
address parse_address(const std::string &text)
{
	address out;
	const std::size_t colon = text.rfind(':');
	std::string port = text;
	if (colon != std::string::npos) {
		out.host = text.substr(0, colon);
		port = text.substr(colon + 1);
	}
	if (out.host == "[::1]")
		out.host = "::1";
	const auto value = to_number(port);
	if (!value || *value < 0 || *value > 65535)
		throw failure(exit_status::usage, "--listen " + text +
		                                          ": the port is a number from 0 (any) "
		                                          "to 65535, as in 127.0.0.1:9500");
	if (out.host != "::1" && out.host != "localhost" && !out.host.starts_with("127."))
		throw failure(exit_status::usage,
		              "--listen " + text +
		                      ": only addresses of this machine alone are served "
		                      "(127.0.0.1, localhost, [::1]); put a proxy with "
		                      "authentication before it to reach it from others");
	out.port = static_cast<int>(*value);
	return out;
}

exit_status serve(const request &r)
{
	const address where = parse_address(r.listen);
	httplib::Server server;
	std::mutex one_at_a_time;
	// A client that is slow holds one of the workers, for two seconds at most.
	constexpr std::size_t workers = 4;
	server.new_task_queue = [] { return new httplib::ThreadPool(workers); };
	server.set_read_timeout(2);
	server.set_write_timeout(2);
	server.set_keep_alive_max_count(1);
	server.set_payload_max_length(1024);
	server.Get("/metrics", [&](const httplib::Request &, httplib::Response &response) {
		const std::lock_guard guard(one_at_a_time);
		// Devices may come and go.
		response.set_content(metrics_text(matching_npus(r.files, r.device)), content_type);
	});
	server.Get("/", [](const httplib::Request &, httplib::Response &response) {
		response.set_content("atom-smi: see /metrics\n", "text/plain");
	});
	int port = where.port;
	if (port == 0)
		port = server.bind_to_any_port(where.host);
	else if (!server.bind_to_port(where.host, port))
		port = -1;
	if (port < 0)
		throw failure(exit_status::failed, "--listen " + r.listen +
		                                           ": the address is in use or not "
		                                           "this machine's; try another port");
	const std::string host = where.host == "::1" ? "[::1]" : where.host;
	std::cout << "http://" << host << ':' << port << "/metrics" << std::endl;
	return server.listen_after_bind() ? exit_status::ok : exit_status::failed;
}

} // namespace

exit_status show_metrics(const request &r)
{
	if (!r.listen.empty())
		return serve(r);
	const std::vector<npu> devices = select_npus(r.files, r.device);
	std::cout << metrics_text(devices);
	return health(devices);
}

} // namespace smi
