// SPDX-License-Identifier: MIT
#include "backend.hpp"

#include <deque>

#include "graph.hpp"

namespace ggml_atom {
namespace {

/** One queue of the device. ggml uses it from one thread at a time. */
class stream {
public:
	explicit stream(npu &on) : npu_(on), plans_(on), queue_(on.context(), {.name = "ggml"}) {}

	[[nodiscard]] const npu &on() const { return npu_; }

	/** Gives @p graph to the device; throws, also if the one before it has failed. */
	void compute(const ggml_cgraph *graph)
	{
		const job todo = plans_.prepare(graph);
		if (pending_.size() == pending_max)
			finish_first();
		if (failed_)
			start_again();
		if (todo.what->commands)
			pending_.push_back(queue_.submit({todo.what->commands, todo.arguments}));
	}

	/** Waits for what was given to the device; says in the log what went wrong. */
	void synchronize() noexcept
	{
		while (!pending_.empty())
			finish_first();
	}

private:
	// Less than a queue has slots: it keeps the times of as many jobs.
	static constexpr std::size_t pending_max = 8;

	/** The results of a graph are wrong and somebody must hear of it; the next may be right. */
	[[noreturn]] void start_again()
	{
		synchronize();
		failed_ = false;
		queue_ = atom::queue(npu_.context(), {.name = "ggml"});
		throw std::runtime_error("the graph before has failed");
	}

	void finish_first() noexcept
	{
		std::error_code error;
		const atom::completion done = pending_.front().wait(atom::no_deadline, error);
		pending_.pop_front();
		npu_.count(done);
		if (!error)
			return;
		// One failure stops the queue: what it did to the others needs no line each.
		if (!failed_)
			GGML_LOG_ERROR("%s: %s\n", npu_.name().c_str(), done.to_string().c_str());
		failed_ = true;
	}

	npu &npu_;
	planner plans_;
	atom::queue queue_;
	std::deque<atom::fence> pending_; // in the order of their end
	bool failed_ = false;
};

stream &stream_of(ggml_backend_t backend) { return *static_cast<stream *>(backend->context); }

const char *get_name(ggml_backend_t backend) { return stream_of(backend).on().name().c_str(); }

void free_backend(ggml_backend_t backend)
{
	stream_of(backend).synchronize();
	delete &stream_of(backend);
	delete backend;
}

void synchronize(ggml_backend_t backend) { stream_of(backend).synchronize(); }

ggml_status graph_compute(ggml_backend_t backend, ggml_cgraph *graph)
{
	try {
		stream_of(backend).compute(graph);
		return GGML_STATUS_SUCCESS;
	} catch (const std::bad_alloc &) {
		return GGML_STATUS_ALLOC_FAILED;
	} catch (const std::exception &e) {
		GGML_LOG_ERROR("%s: %s\n", get_name(backend), e.what());
		return GGML_STATUS_FAILED;
	}
}

constexpr ggml_backend_i interface {
	.get_name = get_name, .free = free_backend, .set_tensor_async = nullptr,
	.get_tensor_async = nullptr, .set_tensor_2d_async = nullptr, .get_tensor_2d_async = nullptr,
	.cpy_tensor_async = nullptr, .synchronize = synchronize, .graph_plan_create = nullptr,
	.graph_plan_free = nullptr, .graph_plan_update = nullptr, .graph_plan_compute = nullptr,
	.graph_compute = graph_compute, .event_record = nullptr, .event_wait = nullptr,
	.graph_optimize = nullptr,
};

// Random: it tells backends of this kind from others.
ggml_guid guid = {0x1d, 0x7c, 0x52, 0xe9, 0x0b, 0xa4, 0x4f, 0x36,
                  0x93, 0x58, 0xc8, 0x21, 0x6e, 0xd0, 0x97, 0x4a};

} // namespace

ggml_backend_t make_backend(ggml_backend_dev_t device, npu &on)
{
	try {
		auto context = std::make_unique<stream>(on);
		auto *made = new ggml_backend{&guid, interface, device, context.get()};
		static_cast<void>(context.release()); // free_backend() deletes it
		return made;
	} catch (const std::exception &e) {
		GGML_LOG_ERROR("%s: %s\n", on.name().c_str(), e.what());
		return nullptr;
	}
}

} // namespace ggml_atom
