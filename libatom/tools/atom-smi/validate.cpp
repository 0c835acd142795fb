// SPDX-License-Identifier: MIT
// atom-smi validate: has the device do work whose result is known, and says how fast it was.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "atom/atom.hpp"
#include "commands.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;
using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

/** What a test found; it throws if it could not be done. */
struct outcome {
	bool passed = false;
	std::optional<double> figure;
	const char *unit = "";
	std::string what;
};

struct test {
	const char *name;
	outcome (*run)(const atom::context &, bool quick);
};

// A device that hangs is a finding, not the end of this program.
constexpr auto patience = 60s;

double seconds_since(steady::time_point begin)
{
	return std::chrono::duration<double>(steady::now() - begin).count();
}

atom::completion run(atom::queue &queue, const atom::command_buffer &commands)
{
	return queue.submit(commands).wait_for(patience);
}

std::vector<std::uint64_t> noise(std::size_t words)
{
	std::mt19937_64 random(words);
	std::vector<std::uint64_t> out(words);
	std::generate(out.begin(), out.end(), std::ref(random));
	return out;
}

atom::buffer_options in(atom::placement where)
{
	atom::buffer_options options;
	options.placement = where;
	return options;
}

// Host memory to the device's and back by its copy engines.
outcome test_memory(const atom::context &context, bool quick)
{
	const std::size_t bytes = (quick ? 4U : 64U) << 20;
	const auto pattern = noise(bytes / sizeof(std::uint64_t));
	const atom::buffer source(context, bytes);
	const atom::buffer device(context, bytes, in(atom::placement::local));
	const atom::buffer back(context, bytes);
	std::memcpy(source.map().data(), pattern.data(), bytes);
	const auto as_words = [&](const atom::buffer &buffer) {
		return atom::tensor(buffer, atom::dtype::i32, {bytes / 4});
	};
	const auto there = atom::command_builder(context)
	                           .copy(as_words(source), as_words(device))
	                           .barrier()
	                           .copy(as_words(device), as_words(back))
	                           .finish();
	atom::queue queue(context);
	run(queue, there); // touches the memory
	std::memset(back.map().data(), 0, bytes);
	const auto begin = steady::now();
	run(queue, there);
	const double seconds = seconds_since(begin);
	const bool same = std::memcmp(back.map().data(), pattern.data(), bytes) == 0;
	return {same, 2 * static_cast<double>(bytes) / seconds, "B/s",
	        same ? bytes_text(std::uint64_t{bytes}) + " there and back"
	             : "what came back differs from what was sent"};
}

// The CPU writes device memory through the bus, and reads what it wrote.
outcome test_window(const atom::context &context, bool quick)
{
	const std::size_t bytes = (quick ? 1U : 8U) << 20;
	const auto pattern = noise(bytes / sizeof(std::uint64_t));
	const atom::buffer device(context, bytes, in(atom::placement::local));
	const atom::mapping view = device.map();
	const auto begin = steady::now();
	std::memcpy(view.data(), pattern.data(), bytes);
	const double seconds = seconds_since(begin);
	const bool same = std::memcmp(view.data(), pattern.data(), bytes) == 0;
	return {same, static_cast<double>(bytes) / seconds, "B/s",
	        same ? bytes_text(std::uint64_t{bytes}) + " written by the CPU"
	             : "device memory does not keep what the CPU writes"};
}

// Integers: the device must agree with the CPU to the last bit.
outcome test_integers(const atom::context &context, bool quick)
{
	const std::uint64_t n = quick ? 64 : 256;
	const atom::buffer a(context, n * n);
	const atom::buffer b(context, n * n);
	const atom::buffer c(context, n * n * sizeof(std::int32_t));
	const auto view_a = a.map();
	const auto view_b = b.map();
	std::mt19937 random(7);
	for (std::uint64_t i = 0; i < n * n; ++i) {
		view_a.as<std::int8_t>()[i] = static_cast<std::int8_t>(random());
		view_b.as<std::int8_t>()[i] = static_cast<std::int8_t>(random());
	}
	const auto multiply = atom::command_builder(context)
	                              .gemm(atom::tensor(a, atom::dtype::i8, {n, n}),
	                                    atom::tensor(b, atom::dtype::i8, {n, n}),
	                                    atom::tensor(c, atom::dtype::i32, {n, n}))
	                              .finish();
	atom::queue queue(context);
	run(queue, multiply);
	const auto view_c = c.map();
	std::uint64_t wrong = 0;
	for (std::uint64_t row = 0; row < n; ++row)
		for (std::uint64_t column = 0; column < n; ++column) {
			std::int32_t sum = 0;
			for (std::uint64_t k = 0; k < n; ++k)
				sum += view_a.as<std::int8_t>()[row * n + k] *
				       view_b.as<std::int8_t>()[k * n + column];
			wrong += sum != view_c.as<std::int32_t>()[row * n + column];
		}
	return {wrong == 0, static_cast<double>(wrong), "",
	        wrong == 0 ? "all elements of an int8 matrix product are exact"
	                   : "elements of an int8 matrix product are wrong"};
}

// Floats: how far a large product is from what it should be, and how fast it is.
outcome test_floats(const atom::context &context, bool quick)
{
	const std::uint64_t n = quick ? 128 : 1024;
	const atom::buffer a(context, n * n * sizeof(float), in(atom::placement::local));
	const atom::buffer b(context, n * n * sizeof(float), in(atom::placement::local));
	const atom::buffer c(context, n * n * sizeof(float), in(atom::placement::local));
	const auto view_a = a.map();
	const auto view_b = b.map();
	std::mt19937 random(11);
	std::uniform_real_distribution<float> value(-1, 1);
	for (std::uint64_t i = 0; i < n * n; ++i) {
		view_a.as<float>()[i] = value(random);
		view_b.as<float>()[i] = value(random);
	}
	const auto multiply = atom::command_builder(context)
	                              .gemm(atom::tensor(a, atom::dtype::f32, {n, n}),
	                                    atom::tensor(b, atom::dtype::f32, {n, n}),
	                                    atom::tensor(c, atom::dtype::f32, {n, n}))
	                              .finish();
	atom::queue queue(context);
	run(queue, multiply); // touches the memory
	const auto begin = steady::now();
	run(queue, multiply);
	const double seconds = seconds_since(begin);
	// A row in each sixteenth of the matrix stands for the others.
	const auto view_c = c.map();
	double worst = 0;
	for (std::uint64_t row = 0; row < n; row += n / 16)
		for (std::uint64_t column = 0; column < n; ++column) {
			double sum = 0;
			for (std::uint64_t k = 0; k < n; ++k)
				sum += double{view_a.as<float>()[row * n + k]} *
				       view_b.as<float>()[k * n + column];
			worst = std::max(worst, std::fabs(sum - view_c.as<float>()[row * n + column]));
		}
	const double allowed = static_cast<double>(n) * 6e-8 * std::sqrt(static_cast<double>(n));
	const auto operations = 2 * static_cast<double>(n) * static_cast<double>(n) *
	                        static_cast<double>(n);
	char text[80];
	std::snprintf(text, sizeof(text), "f32 matrix product: worst error %.1e, allowed %.1e",
	              worst, allowed);
	return {worst <= allowed, operations / seconds, "FLOP/s", text};
}

// An empty job: what a submission costs from the call to the wake-up.
outcome test_latency(const atom::context &context, bool quick)
{
	const std::size_t jobs = quick ? 100 : 2000;
	const auto nothing = atom::command_builder(context).nop().finish();
	atom::queue queue(context);
	std::vector<double> seconds;
	for (std::size_t i = 0; i < jobs; ++i) {
		const auto begin = steady::now();
		run(queue, nothing);
		seconds.push_back(seconds_since(begin));
	}
	std::sort(seconds.begin(), seconds.end());
	return {true, seconds[jobs / 2], "s",
	        std::to_string(jobs) + " empty jobs, one after the other (median)"};
}

// A job that is wrong must be refused with its place, and hit nobody else.
outcome test_isolation(const atom::context &context, bool /*quick*/)
{
	constexpr std::uint64_t bytes = 4096;
	const atom::buffer out(context, bytes);
	const auto relu = atom::command_builder(context)
	                          .unary(atom::function::relu,
	                                 atom::tensor(atom::slot(1), atom::dtype::f32, {bytes / 4}),
	                                 atom::tensor(out, atom::dtype::f32, {bytes / 4}))
	                          .finish();
	atom::queue other(context);
	{
		atom::queue queue(context);
		std::error_code error;
		// No argument for its slot: libatom or the device refuses it.
		const atom::fence fence = queue.submit(atom::submission(relu), error);
		if (!error)
			fence.wait(steady::now() + patience, error);
		if (!error)
			return {false, std::nullopt, "", "a job without its argument was run"};
	}
	run(other, atom::command_builder(context).nop().finish());
	return {true, std::nullopt, "", "a wrong job was refused, another queue works on"};
}

outcome test_telemetry(const atom::context &context, bool /*quick*/)
{
	const atom::telemetry t = context.device().read_telemetry();
	const bool sane = t.temperature_millidegrees > -40000 &&
	                  t.temperature_millidegrees < t.shutdown_temperature_millidegrees &&
	                  t.jobs_done > 0 && t.clocks_khz[1] > 0;
	return {sane, t.temperature_millidegrees / 1e3, "C",
	        sane ? "sensors and counters have sane values"
	             : "a sensor or counter has a value that cannot be"};
}

constexpr test tests[] = {
	{"memory", test_memory},       {"window", test_window},
	{"integers", test_integers},   {"floats", test_floats},
	{"latency", test_latency},     {"isolation", test_isolation},
	{"telemetry", test_telemetry},
};

outcome attempt(const test &t, const atom::context &context, bool quick)
{
	try {
		return t.run(context, quick);
	} catch (const std::exception &e) {
		return {false, std::nullopt, "", e.what()};
	}
}

std::string figure_text(const outcome &o)
{
	if (!o.figure || std::string_view(o.unit).empty())
		return unknown;
	constexpr std::pair<double, const char *> scales[] = {
		{1e9, "G"}, {1e6, "M"}, {1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}};
	const auto *const scale = std::find_if(std::begin(scales), std::end(scales),
	                                       [&](const auto &s) { return *o.figure >= s.first; });
	char text[48];
	if (scale == std::end(scales) || std::string_view(o.unit) == "C")
		std::snprintf(text, sizeof(text), "%.3g %s", *o.figure, o.unit);
	else
		std::snprintf(text, sizeof(text), "%.3g %s%s", *o.figure / scale->first,
		              scale->second, o.unit);
	return text;
}

} // namespace

exit_status validate_device(const request &r)
{
	const npu device = select_one(r);
	if (!device.node || !r.files.of_this_machine())
		throw failure(exit_status::unhealthy,
		              "the device has no driver; 'atom-smi doctor' finds why");
	const atom::context context(atom::device::open(*device.node));
	bool sound = true;
	json results = json::array();
	for (const test &t : tests) {
		const outcome o = attempt(t, context, r.quick);
		sound = sound && o.passed;
		if (r.json)
			results.push_back(
				{{"test", t.name},
			         {"passed", o.passed},
			         {"figure", o.figure ? json(*o.figure) : json(nullptr)},
			         {"unit", o.unit},
			         {"what", o.what}});
		else
			std::printf("%-6s  %-10s  %12s  %s\n", o.passed ? "passed" : "FAILED",
			            t.name, figure_text(o).c_str(), o.what.c_str());
	}
	if (r.json) {
		auto out = answer("validate");
		out["device"] = device.index;
		out["passed"] = sound;
		out["tests"] = std::move(results);
		print(out);
	}
	return sound ? exit_status::ok : exit_status::unhealthy;
}

} // namespace smi
