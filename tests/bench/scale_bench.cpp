// SPDX-License-Identifier: MIT
// What a second thread brings: layers of ResNet-50 as one job of a device model on the host bus, with a pool of one thread and
// of two, against oneDNN's convolutions on one and two threads of OpenMP. Wall time, in turns; the best of several counts.
#include <omp.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <thread>

#include "convs.hpp"
#include "driver.h"
#include "figures.hpp"
#include "resnet50.hpp"

namespace {

using namespace atom;
using bench::conv_layer;
using bench::operands;

constexpr std::uint64_t base_va = 1 << 30, memory_bytes = 256 << 20;
constexpr std::uint16_t asid = 1;

/** All layers but the first, which has few channels, as they follow one another. */
std::span<const conv_layer> layers()
{
	return std::span(bench::resnet50).subspan(1, 16);
}

/** A device with its memory and one job, f32. */
class machine {
public:
	explicit machine(std::uint32_t threads) : bus_(options(threads)), driver_(bus_), tables_(driver_)
	{
		if (!driver_.bring_up())
			throw std::runtime_error("the device does not come up");
		tables_.map(base_va, memory_bytes, ATOM_APERTURE_LOCAL, 0, ATOM_PTE_READ | ATOM_PTE_WRITE, 2 << 20);
		const std::uint64_t buffer = driver_.allocate(1 << 20, 4096);
		tables_.map(base_va + memory_bytes, 1 << 20, ATOM_APERTURE_SYSTEM, buffer);
		if (!driver_.asid_set(asid, tables_))
			throw std::runtime_error("the device takes no address space");
		queue_ = std::make_unique<host::job_queue>(driver_, 1, asid, host::queue_setup{});
		if (!driver_.create(*queue_))
			throw std::runtime_error("the device takes no queue");
		host::command_bytes commands;
		std::uint64_t at = 0;
		for (const conv_layer &l : layers()) {
			const operands o(bench::kinds[0], l);
			bench::fill(bus_.dram() + at, bench::kinds[0], l, o);
			commands.add(bench::make_command(bench::kinds[0], l, o, base_va + at));
			at += o.end;
		}
		const auto &bytes = commands.bytes();
		std::memcpy(bus_.ram(buffer, bytes.size()), bytes.data(), bytes.size());
		job_.type = ATOM_DESC_EXECUTE;
		job_.flags = ATOM_DESC_IRQ;
		job_.cmd_va = base_va + memory_bytes;
		job_.cmd_bytes = static_cast<std::uint32_t>(bytes.size());
	}

	void run()
	{
		const std::uint64_t seq = queue_->submit(job_);
		if (!queue_->wait(seq) || queue_->record(seq).status != ATOM_CPL_OK)
			throw std::runtime_error("the job failed");
	}

private:
	static host::bus_options options(std::uint32_t threads)
	{
		host::bus_options o;
		o.dram_size = memory_bytes;
		o.executor = ATOM_EXECUTOR_POOL;
		o.threads = threads;
		return o;
	}

	host::host_bus bus_;
	host::driver driver_;
	host::page_tables tables_;
	std::unique_ptr<host::job_queue> queue_;
	atom_ring_desc job_{};
};

/** The same layers of oneDNN on some threads. */
class their_machine {
public:
	explicit their_machine(int threads) : threads_(threads), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_)
	{
		omp_set_num_threads(threads_);
		for (const conv_layer &l : layers()) {
			const operands o(bench::kinds[0], l);
			std::vector<std::byte> &data = data_.emplace_back(o.end);
			bench::fill(data.data(), bench::kinds[0], l, o);
			layers_.push_back(std::make_unique<bench::theirs>(engine_, stream_, bench::kinds[0], l, data.data(), o));
		}
	}
	void run()
	{
		omp_set_num_threads(threads_);
		for (const auto &layer : layers_)
			layer->execute();
	}

private:
	int threads_;
	dnnl::engine engine_;
	dnnl::stream stream_;
	std::vector<std::vector<std::byte>> data_;
	std::vector<std::unique_ptr<bench::theirs>> layers_;
};

template <class Machine> void take_turn(Machine &m, double &best)
{
	/* Threads of OpenMP spin for a while after their work. */
	std::this_thread::sleep_for(std::chrono::milliseconds(20));
	const double start = bench::now();
	m.run();
	best = std::min(best, bench::now() - start);
}

} // namespace

int main()
{
	try {
		machine one(1), two(2);
		their_machine their_one(1), their_two(2);
		double best[4] = {1e30, 1e30, 1e30, 1e30};
		for (int turn = 0; turn < 25; ++turn) {
			take_turn(one, best[0]);
			take_turn(two, best[1]);
			take_turn(their_one, best[2]);
			take_turn(their_two, best[3]);
		}
		std::printf("layers of ResNet-50, f32: device %.2f ms with one thread, %.2f with two; oneDNN %.2f, %.2f\n", best[0] * 1e3,
			    best[1] * 1e3, best[2] * 1e3, best[3] * 1e3);
		bench::tell("scale.threads", best[0] / best[1]);
		bench::tell("scale.threads.reference", best[2] / best[3]);
	} catch (const std::exception &error) {
		std::fprintf(stderr, "bench_scale: %s\n", error.what());
		return 1;
	}
	return 0;
}
