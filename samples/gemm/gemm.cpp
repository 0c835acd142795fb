// SPDX-License-Identifier: MIT
// A matrix product large enough to see, in three types: checked on the host, with where the time
// went. check.hpp says how the check is sound without doing the work again.
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include <getopt.h>

#include "atom/atom.hpp"
#include "check.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr int exit_wrong = 1;  // a result is wrong
constexpr int exit_usage = 2;  // the call is wrong
constexpr int exit_device = 3; // no device, or none that may be used
constexpr int exit_job = 4;    // anything that failed on the way

constexpr std::uint64_t size_max = 4096;

constexpr const char *usage =
	"usage: gemm [--size N] [--type f32|bf16|i8] [--placement local|system]\n"
	"            [--device WHICH] [--json]\n"
	"\n"
	"Multiplies two N x N matrices (1024 unless told, at most 4096) on the ATOM NPU in f32, "
	"bf16\n"
	"and int8, checks every result and prints where the time went:\n"
	"  submit    the call that hands the job over, or what of it passed before the device "
        "started\n"
	"  queue     from its end until the device starts\n"
	"  device    from start to end on the device's clock\n"
	"  wake-up   from the device's end until the program runs again\n"
	"  modelled  what the modelled silicon takes for the job\n"
	"\n"
	"Exit status: 0 all right, 1 a wrong result, 2 usage, 3 no device, 4 a job or call "
	"failed.\n";

struct options {
	std::uint64_t size = 1024;
	std::optional<std::string_view> type;
	atom::placement placement = atom::placement::local;
	std::string_view device = "0";
	bool json = false;
};

struct kind {
	const char *name;
	atom::dtype in;
	atom::dtype out;
	int largest;     ///< inputs are integers of at most this size ..
	int denominator; ///< .. over this
};

// Sums stay below 2^24 units for sizes up to 4096, so that f32 represents each of them exactly.
constexpr kind kinds[] = {
	{"f32", atom::dtype::f32, atom::dtype::f32, 60, 64},
	{"bf16", atom::dtype::bf16, atom::dtype::f32, 60, 64},
	{"i8", atom::dtype::i8, atom::dtype::i32, 127, 1},
};

struct timing {
	nanoseconds submit{};
	nanoseconds queue{};
	nanoseconds device{};
	nanoseconds wake_up{};
	nanoseconds total{};
	nanoseconds modelled{};
	nanoseconds uncertainty{}; ///< of the line between device and host in queue and wake-up
};

struct run_result {
	const kind *type;
	timing time;
	std::string error; ///< empty: the result is right
};

void store(std::byte *to, atom::dtype type, float value)
{
	if (type == atom::dtype::f32) {
		std::memcpy(to, &value, sizeof(value));
	} else if (type == atom::dtype::bf16) {
		// Exact: the inputs have at most 8 significant bits.
		const auto bits =
			static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
		std::memcpy(to, &bits, sizeof(bits));
	} else {
		const auto byte = static_cast<std::int8_t>(value);
		std::memcpy(to, &byte, sizeof(byte));
	}
}

void fill(const atom::buffer &to, const kind &k, std::vector<std::int32_t> &values,
          std::mt19937 &random)
{
	std::uniform_int_distribution<std::int32_t> entry(-k.largest, k.largest);
	std::vector<std::byte> bytes(to.size());
	const std::size_t element = block_bytes(k.in);
	for (std::size_t i = 0; i < values.size(); ++i) {
		values[i] = entry(random);
		store(&bytes[i * element], k.in,
		      static_cast<float>(values[i]) / static_cast<float>(k.denominator));
	}
	// One pass over the bus rather than one write an element.
	std::memcpy(to.map().data(), bytes.data(), bytes.size());
}

void read_back(const atom::buffer &from, const kind &k, std::vector<std::int32_t> &values)
{
	std::vector<std::int32_t> words(values.size());
	std::memcpy(words.data(), from.map().data(), from.size());
	const double units = double{1} * k.denominator * k.denominator;
	for (std::size_t i = 0; i < values.size(); ++i) {
		if (k.out == atom::dtype::i32) {
			values[i] = words[i];
			continue;
		}
		const double scaled = std::bit_cast<float>(words[i]) * units;
		// What is no multiple of a unit, infinite or no number cannot be right.
		const bool good = std::rint(scaled) == scaled && std::fabs(scaled) < 1e9;
		values[i] = good ? static_cast<std::int32_t>(scaled) : INT32_MIN;
	}
}

// A program that was interrupted while it read two clocks knows little: the best of some readings.
atom::clock_sample read_clocks(const atom::device &device)
{
	atom::clock_sample best = device.clock();
	for (int i = 1; i < 16; ++i) {
		const atom::clock_sample next = device.clock();
		if (next.uncertainty < best.uncertainty)
			best = next;
	}
	return best;
}

timing measure(const atom::device &device, atom::queue &queue, const atom::submission &job)
{
	const auto begin = steady_clock::now();
	const atom::fence done = queue.submit(job);
	const auto submitted = steady_clock::now();
	const atom::completion result = done.wait(submitted + 120s);
	const auto awake = steady_clock::now();
	if (!result.has_times)
		throw atom::system_error(atom::errc::job_fault, "the device told no times");
	const atom::clock_sample clock = read_clocks(device);
	const auto start = clock.to_host(result.start_ns);
	const auto end = clock.to_host(result.end_ns);
	// A fast device starts, or is even done, before the call that submits has returned. The
	// parts follow each other all the same, and add up to the whole.
	const auto from = std::max(start, begin);
	const auto to = std::min(end, awake);
	const auto handed_over = std::min(submitted, from);
	return {handed_over - begin, from - handed_over, to - from,
	        awake - to,          awake - begin,      nanoseconds(result.modelled_ns),
	        clock.uncertainty};
}

run_result run(const atom::device &device, const atom::context &context, atom::queue &queue,
               const kind &k, const options &o)
{
	const std::uint64_t n = o.size;
	std::mt19937 random(2023);
	sample::product p{n, std::vector<std::int32_t>(n * n), std::vector<std::int32_t>(n * n),
	                  std::vector<std::int32_t>(n * n)};
	atom::buffer_options where;
	where.placement = o.placement;
	const atom::buffer a(context, n * n * block_bytes(k.in), where);
	const atom::buffer b(context, n * n * block_bytes(k.in), where);
	const atom::buffer c(context, n * n * block_bytes(k.out), where);
	fill(a, k, p.a, random);
	fill(b, k, p.b, random);
	using atom::slot, atom::tensor;
	const auto commands =
		atom::command_builder(context)
			.gemm(tensor(slot(1), k.in, {n, n}), tensor(slot(2), k.in, {n, n}),
	                      tensor(slot(3), k.out, {n, n}))
			.finish();
	run_result r{&k, measure(device, queue, {commands, {a, b, c}}), {}};
	read_back(c, k, p.c);
	r.error = sample::find_error(p, random);
	return r;
}

double us(nanoseconds t) { return static_cast<double>(t.count()) / 1000; }

void print_table(const atom::device &device, const options &o, const std::vector<run_result> &runs)
{
	std::printf("%llu x %llu x %llu on %s (%s), times in us\n",
	            static_cast<unsigned long long>(o.size),
	            static_cast<unsigned long long>(o.size),
	            static_cast<unsigned long long>(o.size), device.info().path.c_str(),
	            device.info().emulated ? "emulator" : "silicon");
	std::printf("%-6s %10s %10s %12s %10s %12s %10s  %s\n", "type", "submit", "queue", "device",
	            "wake-up", "total", "modelled", "result");
	for (const run_result &r : runs)
		std::printf("%-6s %10.1f %10.1f %12.1f %10.1f %12.1f %10.1f  %s\n", r.type->name,
		            us(r.time.submit), us(r.time.queue), us(r.time.device),
		            us(r.time.wake_up), us(r.time.total), us(r.time.modelled),
		            r.error.empty() ? "right" : "WRONG");
}

void print_json(const atom::device &device, const options &o, const std::vector<run_result> &runs)
{
	std::printf("{\"schema\":\"atom-gemm/1\",\"device\":\"%s\",\"emulated\":%s,\"size\":%llu,"
	            "\"runs\":[",
	            device.info().path.c_str(), device.info().emulated ? "true" : "false",
	            static_cast<unsigned long long>(o.size));
	const char *comma = "";
	for (const run_result &r : runs) {
		const auto ns = [](nanoseconds t) { return static_cast<long long>(t.count()); };
		std::printf("%s{\"type\":\"%s\",\"right\":%s,\"submit_ns\":%lld,\"queue_ns\":%lld,"
		            "\"device_ns\":%lld,\"wake_up_ns\":%lld,\"total_ns\":%lld,"
		            "\"modelled_ns\":%lld,\"clock_uncertainty_ns\":%lld}",
		            comma, r.type->name, r.error.empty() ? "true" : "false",
		            ns(r.time.submit), ns(r.time.queue), ns(r.time.device),
		            ns(r.time.wake_up), ns(r.time.total), ns(r.time.modelled),
		            ns(r.time.uncertainty));
		comma = ",";
	}
	std::puts("]}");
}

[[noreturn]] void fail_usage(const std::string &what)
{
	std::fprintf(stderr, "gemm: %s\nTry 'gemm --help'.\n", what.c_str());
	std::exit(exit_usage);
}

options parse(int argc, char **argv)
{
	const ::option known[] = {
		{"size", required_argument, nullptr, 's'},
		{"type", required_argument, nullptr, 't'},
		{"placement", required_argument, nullptr, 'p'},
		{"device", required_argument, nullptr, 'd'},
		{"json", no_argument, nullptr, 'j'},
		{"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	options o;
	for (int c = 0; (c = getopt_long(argc, argv, "s:t:p:d:jh", known, nullptr)) != -1;) {
		const std::string_view value = optarg != nullptr ? optarg : "";
		switch (c) {
		case 's': {
			const char *end = value.data() + value.size();
			const auto [stop, error] = std::from_chars(value.data(), end, o.size);
			if (error != std::errc() || stop != end || o.size == 0 || o.size > size_max)
				fail_usage("--size " + std::string(value) +
				           ": a number from 1 to " + std::to_string(size_max));
			break;
		}
		case 't':
			o.type = value;
			if (std::none_of(std::begin(kinds), std::end(kinds),
			                 [&](const kind &k) { return value == k.name; }))
				fail_usage("--type " + std::string(value) + ": f32, bf16 or i8");
			break;
		case 'p':
			if (value != "local" && value != "system")
				fail_usage("--placement " + std::string(value) +
				           ": local or system");
			o.placement =
				value == "local" ? atom::placement::local : atom::placement::system;
			break;
		case 'd':
			o.device = value;
			break;
		case 'j':
			o.json = true;
			break;
		case 'h':
			std::fputs(usage, stdout);
			std::exit(0);
		default:
			std::exit(exit_usage);
		}
	}
	if (optind != argc)
		fail_usage("what is " + std::string(argv[optind]) + "?");
	return o;
}

} // namespace

int main(int argc, char **argv)
{
	const options o = parse(argc, argv);
	try {
		const auto device = atom::device::open(o.device);
		const atom::context context(device);
		atom::queue queue(context);
		queue.run(atom::submission(), steady_clock::now() + 10s); // wakes the device up
		std::vector<run_result> runs;
		for (const kind &k : kinds)
			if (!o.type || *o.type == k.name)
				runs.push_back(run(device, context, queue, k, o));
		(o.json ? print_json : print_table)(device, o, runs);
		int status = 0;
		for (const run_result &r : runs) {
			if (r.error.empty())
				continue;
			std::fprintf(stderr, "gemm: %s: %s\n", r.type->name, r.error.c_str());
			status = exit_wrong;
		}
		return status;
	} catch (const atom::system_error &e) {
		std::fprintf(stderr, "gemm: %s\n", e.what());
		const bool none = e.code() == atom::errc::no_device ||
		                  e.code() == atom::errc::permission_denied;
		return none ? exit_device : exit_job;
	}
}
