/* SPDX-License-Identifier: MIT */
/* The C ABI: checks of what the front end says, and no exception beyond it. */
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "device.h"

struct atom_model {
	atom::model::device device;
};

namespace {

constexpr std::array<const char *, ATOM_TRACE_COUNT> trace_names{{
	"mmio_read",
	"mmio_write",
	"doorbell",
	"fetch",
	"command_start",
	"command_end",
	"complete",
	"fault",
	"admin",
	"tlb_invalidate",
	"tlb_miss",
	"irq",
	"queue_state",
	"reset",
	"inject",
	"guest_error",
}};

void tell(char **error, const std::string &sentence)
{
	if (error)
		*error = strdup(sentence.c_str());
}

/* Callers of an older version know fewer fields: the rest is zero. */
template <typename T> T widen(const T *given)
{
	T whole{};
	std::memcpy(&whole, given, std::min<std::size_t>(given->struct_size, sizeof whole));
	return whole;
}

/* Empty: the configuration can be built. */
std::string check(const atom_model_host &host, const atom_model_config &c)
{
	constexpr std::uint64_t large_page = 2ull << 20;
	const auto number = [](std::uint64_t n) { return std::to_string(n); };
	if (host.abi != ATOM_MODEL_ABI)
		return "the front end speaks model ABI " + number(host.abi) + ", this model " + number(ATOM_MODEL_ABI);
	if (!host.dma_read || !host.dma_write || !host.irq || !host.now_ns || !host.kick || !host.timer)
		return "the front end lacks one of dma_read, dma_write, irq, now_ns, kick, timer";
	if (!host.dma_map != !host.dma_unmap)
		return "dma_map and dma_unmap come together or not at all";
	if (!c.dram || c.dram_size == 0 || c.dram_size % large_page)
		return "dram_size=" + number(c.dram_size) + " is not a multiple of 2 MiB, or there is no memory";
	if (c.dram_size > 1ull << 46)
		return "dram_size=" + number(c.dram_size) + " is more than 64 TiB";
	if (c.dram_window > c.dram_size)
		return "dram_window=" + number(c.dram_window) + " is more than dram_size";
	if (c.shm_size % 4096 || c.shm_size > 1ull << 32)
		return "shm_size=" + number(c.shm_size) + " is not a multiple of 4 KiB up to 4 GiB";
	if (c.num_queues < 1 || c.num_queues >= ATOM_REG_QUEUE_MAX)
		return "num_queues=" + number(c.num_queues) + " is not in 1..255";
	if (c.num_asids < 2 || c.num_asids > 4096)
		return "num_asids=" + number(c.num_asids) + " is not in 2..4096";
	if (c.num_vectors < 1 || c.num_vectors > 256)
		return "num_vectors=" + number(c.num_vectors) + " is not in 1..256";
	if (c.executor > ATOM_EXECUTOR_POOL)
		return "executor=" + number(c.executor) + " is not known";
	if (c.engine > ATOM_ENGINE_REFERENCE)
		return "engine=" + number(c.engine) + " is not known";
	if (c.threads > 256)
		return "threads=" + number(c.threads) + " is more than 256";
	if (c.pace > ATOM_PACE_DEVICE)
		return "pace=" + number(c.pace) + " is not known";
	if (c.platform > ATOM_PLATFORM_INPROCESS)
		return "platform=" + number(c.platform) + " is not known";
	return {};
}

} // namespace

extern "C" {

uint32_t atom_model_abi(void)
{
	return ATOM_MODEL_ABI;
}

atom_model *atom_model_create(const atom_model_host *host, void *opaque, const atom_model_config *config,
			      char **error)
{
	if (error)
		*error = nullptr;
	try {
		if (!host || !config) {
			tell(error, "host and config must be given");
			return nullptr;
		}
		const atom_model_host h = widen(host);
		atom_model_config c = widen(config);
		std::string wrong = check(h, c);
		atom::model::timing parameters;
		if (wrong.empty() && c.timing)
			wrong = parameters.change(c.timing);
		c.timing = nullptr; /* the caller's, for the length of this call */
		if (!wrong.empty()) {
			tell(error, wrong);
			return nullptr;
		}
		return new atom_model{{h, opaque, c, parameters}};
	} catch (const std::exception &e) {
		tell(error, std::string("the model could not be built: ") + e.what());
		return nullptr;
	}
}

void atom_model_destroy(atom_model *model)
{
	delete model;
}

void atom_model_reset(atom_model *model, uint32_t fn, uint32_t kind)
{
	if (fn == 0)
		model->device.reset(kind);
}

uint64_t atom_model_mmio_read(atom_model *model, uint32_t fn, uint64_t offset, uint32_t size)
{
	return fn == 0 ? model->device.mmio_read(offset, size) : UINT64_MAX;
}

void atom_model_mmio_write(atom_model *model, uint32_t fn, uint64_t offset, uint64_t value, uint32_t size)
{
	if (fn == 0)
		model->device.mmio_write(offset, value, size);
}

void atom_model_doorbell(atom_model *model, uint32_t fn, uint32_t queue)
{
	if (fn == 0)
		model->device.doorbell(queue);
}

void atom_model_cfg(atom_model *model, uint32_t fn, uint32_t event, uint64_t value)
{
	if (fn == 0)
		model->device.configure(event, value);
}

int atom_model_run(atom_model *model, uint64_t budget_ns)
{
	return model->device.run(budget_ns);
}

void atom_model_timer(atom_model *model)
{
	model->device.timer();
}

void atom_model_quiesce(atom_model *model)
{
	model->device.quiesce();
}

void atom_model_resume(atom_model *model)
{
	model->device.resume();
}

int atom_model_inject(atom_model *model, const char *spec, char **error)
{
	if (error)
		*error = nullptr;
	std::string why;
	try {
		if (spec && model->device.inject(spec, why))
			return 0;
		tell(error, spec ? why : "there is no specification");
	} catch (const std::exception &e) {
		tell(error, e.what());
		return -ENOMEM;
	}
	return -EINVAL;
}

char *atom_model_describe(atom_model *model)
{
	try {
		return strdup(model->device.describe().c_str());
	} catch (const std::exception &) {
		return nullptr;
	}
}

const char *atom_model_trace_name(uint32_t event)
{
	return event < trace_names.size() ? trace_names[event] : nullptr;
}

} // extern "C"
