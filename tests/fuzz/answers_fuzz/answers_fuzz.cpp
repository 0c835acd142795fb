// SPDX-License-Identifier: MIT
// libatom on a kernel whose every answer may be wrong: what ioctls return, events, completion
// records. Calls then fail, or tell nonsense; nothing else.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "atom/atom.hpp"
#include "core/access.hpp"
#include "core/device.hpp"
#include "core/outcome.hpp"
#include "fake_kernel.hpp"

namespace {

using namespace atom;
using test::fake_kernel;

void check(bool good)
{
	if (!good)
		__builtin_trap();
}

/** The fake kernel, with answers that are changed on their way. */
class lying_kernel final : public sys::os {
public:
	explicit lying_kernel(FuzzedDataProvider &input) : input_(input) {}

	fake_kernel &truth() { return *truth_; }
	/** From now on; the device has to be opened first. */
	bool lies = false;

	int open(const char *path, int flags) override { return truth_->open(path, flags); }
	void close(int fd) override { truth_->close(fd); }
	int ioctl(int fd, unsigned long request, void *argument) override
	{
		const auto number = static_cast<std::uint32_t>(request);
		if (lies && input_.ConsumeIntegralInRange(0, 15) == 1)
			return -input_.ConsumeIntegralInRange(1, 133);
		const int result = truth_->ioctl(fd, request, argument);
		if (result != 0)
			return result;
		if (number == static_cast<std::uint32_t>(DRM_IOCTL_ATOM_DEV_QUERY)) {
			const auto &q = *static_cast<const drm_atom_dev_query *>(argument);
			change(reinterpret_cast<void *>(static_cast<std::uintptr_t>(q.pointer)),
			       asked(q));
		} else if (number == DRM_IOCTL_SYNCOBJ_QUERY) {
			const auto &q = *static_cast<const drm_syncobj_timeline_array *>(argument);
			change(reinterpret_cast<void *>(static_cast<std::uintptr_t>(q.points)),
			       sizeof(std::uint64_t));
		} else if ((_IOC_DIR(number) & _IOC_READ) != 0 && number != DRM_IOCTL_VERSION) {
			change(argument, _IOC_SIZE(number));
		}
		return 0;
	}
	int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	         void **address) override
	{
		return truth_->mmap(bytes, protection, fd, offset, address);
	}
	void munmap(void *address, std::size_t bytes) override { truth_->munmap(address, bytes); }
	int read(int fd, void *buffer, std::size_t bytes) override
	{
		return truth_->read(fd, buffer, bytes);
	}
	int process_id() override { return truth_->process_id(); }
	int list_accel_nodes(std::vector<sys::accel_node> &out) override
	{
		return truth_->list_accel_nodes(out);
	}
	int follow_accel_nodes(std::unique_ptr<sys::node_monitor> &out) override
	{
		return truth_->follow_accel_nodes(out);
	}
	int make_event(std::unique_ptr<sys::event> &out) override
	{
		return truth_->make_event(out);
	}
	void describe_access(const char *path, std::string &access, std::string &group) override
	{
		truth_->describe_access(path, access, group);
	}

private:
	static std::size_t asked(const drm_atom_dev_query &q)
	{
		switch (q.type) {
		case DRM_ATOM_DEV_QUERY_INFO:
			return sizeof(drm_atom_dev_info);
		case DRM_ATOM_DEV_QUERY_MEMORY:
			return sizeof(drm_atom_dev_memory);
		case DRM_ATOM_DEV_QUERY_TIMESTAMP:
			return sizeof(drm_atom_dev_timestamp);
		default:
			return sizeof(drm_atom_dev_telemetry);
		}
	}
	// A word or a byte here and there.
	void change(void *answer, std::size_t bytes)
	{
		if (!lies)
			return;
		auto *at = static_cast<std::byte *>(answer);
		for (int n = input_.ConsumeIntegralInRange(0, 3); n > 0; --n) {
			const std::size_t width = input_.ConsumeBool()   ? 8
			                          : input_.ConsumeBool() ? 4
			                                                 : 1;
			if (width > bytes)
				continue;
			const auto value = input_.ConsumeIntegral<std::uint64_t>();
			const auto where =
				input_.ConsumeIntegralInRange<std::size_t>(0, bytes / width - 1) *
				width;
			std::memcpy(at + where, &value, width);
		}
	}

	FuzzedDataProvider &input_;
	std::shared_ptr<fake_kernel> truth_ = std::make_shared<fake_kernel>();
};

void use(const completion &done) { check(!done.to_string().empty()); }

void use(const device_event &event) { (void)to_string(event.fault); }

test::job_end any_end(FuzzedDataProvider &input)
{
	test::job_end end;
	if (input.ConsumeBool())
		return end;
	end.status = input.ConsumeIntegral<std::uint16_t>();
	end.fault_code = input.ConsumeIntegral<std::uint16_t>();
	end.fault_where = input.ConsumeIntegral<std::uint16_t>();
	end.fault_opcode = input.ConsumeIntegral<std::uint16_t>();
	end.fault_command = input.ConsumeIntegral<std::uint32_t>();
	end.fault_field = input.ConsumeIntegral<std::uint32_t>();
	end.fault_va = input.ConsumeIntegral<std::uint64_t>();
	end.state_flags = input.ConsumeIntegral<std::uint32_t>();
	end.error = input.ConsumeIntegral<int>();
	return end;
}

/** Calls of a program, in an order that the input chooses. Each may fail. */
class program {
public:
	program(FuzzedDataProvider &input, fake_kernel &kernel, device dev)
		: input_(input), kernel_(kernel), dev_(std::move(dev))
	{
	}

	void step()
	{
		std::error_code ec;
		switch (input_.ConsumeIntegralInRange(0, 16)) {
		case 16:
			if (ctx_ && !pool_)
				pool_ = buffer_pool(ctx_);
			if (pool_) {
				buffer b = pool_.take(input_.ConsumeIntegralInRange(1, 9000), ec);
				pool_.give(std::move(b), fences_);
			}
			break;
		case 0:
			ctx_ = context::create(dev_, ec);
			break;
		case 1:
			if (ctx_)
				memory_.push_back(
					buffer::create(ctx_, input_.ConsumeIntegralInRange(1, 9000),
				                       options(), ec));
			break;
		case 2:
			if (ctx_)
				queues_.push_back(queue::create(ctx_, {}, ec));
			break;
		case 3:
			(void)dev_.memory(ec);
			(void)dev_.read_telemetry(ec);
			break;
		case 4:
			(void)dev_.clock(ec).to_host(input_.ConsumeIntegral<std::uint64_t>());
			break;
		case 5: {
			const auto bytes = input_.ConsumeBytes<std::byte>(
				input_.ConsumeIntegralInRange(8, 96));
			if (bytes.size() >= 8)
				kernel_.send(bytes);
			break;
		}
		case 6:
			if (const auto event = dev_.next_event(ec))
				use(*event);
			break;
		case 7:
			submit();
			break;
		case 8:
			for (queue &q : queues_) {
				completion done[4];
				const std::size_t n = q.reap(done, ec);
				std::for_each(done, done + n, [](const completion &c) { use(c); });
			}
			break;
		case 9:
			for (const queue &q : queues_)
				(void)to_string(q.state(ec).fault);
			break;
		case 10:
			for (const fence &f : fences_)
				use(f.wait(deadline(), ec));
			break;
		case 11:
			if (!fences_.empty()) {
				const std::size_t first = wait_any(fences_, deadline(), ec);
				check(ec || first < fences_.size());
				wait_all(fences_, deadline(), ec);
			}
			break;
		case 12:
			timelines_.push_back(timeline::create(dev_, ec));
			if (timelines_.back())
				fences_.push_back(
					timelines_.back().at(input_.ConsumeIntegralInRange(1, 9)));
			break;
		case 13:
			for (buffer &b : memory_)
				if (const mapping m = b.map(ec); m.size() != 0)
					m.data()[m.size() - 1] = m.data()[0];
			break;
		case 14: {
			memory_.resize(memory_.size() / 2);
			queues_.resize(queues_.size() / 2);
			break;
		}
		default:
			if (auto n = notifier::create(dev_, ec); n && !fences_.empty()) {
				n.watch(fences_.back(), ec);
				n.clear();
			}
			break;
		}
	}

private:
	buffer_options options()
	{
		buffer_options o;
		o.placement = input_.ConsumeBool() ? placement::local : placement::system;
		return o;
	}
	void submit()
	{
		if (queues_.empty() || !queues_.back())
			return;
		std::error_code ec;
		const std::vector<submission> jobs(input_.ConsumeIntegralInRange(1, 3));
		if (const fence f = queues_.back().submit(jobs, ec))
			fences_.push_back(f);
		if (const fence last = queues_.back().last(ec))
			fences_.push_back(last);
	}

	FuzzedDataProvider &input_;
	fake_kernel &kernel_;
	device dev_;
	context ctx_;
	buffer_pool pool_;
	std::vector<buffer> memory_;
	std::vector<queue> queues_;
	std::vector<timeline> timelines_;
	std::vector<fence> fences_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	FuzzedDataProvider input(data, size);
	if (const auto event = kmd::event_of({reinterpret_cast<const std::byte *>(data), size}))
		use(*event);
	const auto kernel = std::make_shared<lying_kernel>(input);
	kernel->truth().policy = [&input](const test::fake_job &) { return any_end(input); };
	kernel->lies = input.ConsumeBool();
	try {
		program p(input, kernel->truth(),
		          core::access::wrap(core::device::open(kernel, "0")));
		kernel->lies = true;
		for (int steps = 0; steps < 64 && input.remaining_bytes() != 0; ++steps)
			try {
				p.step();
			} catch (const system_error &) { // of what has no form with a code
			}
	} catch (const system_error &) { // nothing that is a device
	}
	return 0;
}
