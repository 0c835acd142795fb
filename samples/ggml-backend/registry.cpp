// SPDX-License-Identifier: MIT
// What ggml finds when it loads libggml-atom.so: the NPUs of this machine as devices.
#include <memory>
#include <string_view>

#include "backend.hpp"
#include "ggml-impl.h"
#include "memory.hpp"

namespace ggml_atom {
namespace {

/** An NPU with what ggml wants to know of it. */
struct entry {
	explicit entry(const atom::device_node &node) : on(node) {}

	npu on;
	ggml_backend_device device{};
	ggml_backend_buffer_type buffers{};
};

entry &entry_of(ggml_backend_dev_t device) { return *static_cast<entry *>(device->context); }

const char *get_name(ggml_backend_dev_t device) { return entry_of(device).on.name().c_str(); }

const char *get_description(ggml_backend_dev_t device)
{
	return entry_of(device).on.description().c_str();
}

void get_memory(ggml_backend_dev_t device, std::size_t *free, std::size_t *total)
{
	std::error_code error;
	const atom::memory_info memory = entry_of(device).on.device().memory(error);
	*total = memory.local_visible_size;
	*free = memory.local_visible_size - memory.local_visible_used;
}

enum ggml_backend_dev_type get_type(ggml_backend_dev_t /*device*/)
{
	return GGML_BACKEND_DEVICE_TYPE_GPU; // a device that holds the layers given to it
}

void get_props(ggml_backend_dev_t device, ggml_backend_dev_props *props)
{
	*props = {};
	props->name = get_name(device);
	props->description = get_description(device);
	props->type = get_type(device);
	const std::string &address = entry_of(device).on.info().bdf;
	props->device_id = address.empty() ? nullptr : address.c_str();
	props->caps.async = true;
	get_memory(device, &props->memory_free, &props->memory_total);
}

ggml_backend_t init_backend(ggml_backend_dev_t device, const char * /*params*/)
{
	return make_backend(device, entry_of(device).on);
}

ggml_backend_buffer_type_t get_buffer_type(ggml_backend_dev_t device)
{
	return &entry_of(device).buffers;
}

bool supports_op(ggml_backend_dev_t device, const ggml_tensor *op)
{
	return entry_of(device).on.supports(op);
}

bool supports_buft(ggml_backend_dev_t device, ggml_backend_buffer_type_t type)
{
	return type == get_buffer_type(device);
}

constexpr ggml_backend_device_i device_interface{
	.get_name = get_name,
	.get_description = get_description,
	.get_memory = get_memory,
	.get_type = get_type,
	.get_props = get_props,
	.init_backend = init_backend,
	.get_buffer_type = get_buffer_type,
	.get_host_buffer_type = nullptr,
	.buffer_from_host_ptr = nullptr,
	.supports_op = supports_op,
	.supports_buft = supports_buft,
	.offload_op = nullptr,
	.event_new = nullptr,
	.event_free = nullptr,
	.event_synchronize = nullptr,
};

using entries = std::vector<std::unique_ptr<entry>>;

entries &all(ggml_backend_reg_t registry) { return *static_cast<entries *>(registry->context); }

const char *registry_name(ggml_backend_reg_t /*registry*/) { return "ATOM"; }

std::size_t device_count(ggml_backend_reg_t registry) { return all(registry).size(); }

ggml_backend_dev_t get_device(ggml_backend_reg_t registry, std::size_t index)
{
	return &all(registry).at(index)->device;
}

void get_statistics(ggml_backend_dev_t device, atom_statistics *to)
{
	*to = entry_of(device).on.statistics();
}

void *get_proc_address(ggml_backend_reg_t /*registry*/, const char *name)
{
	if (std::string_view(name) != ATOM_GET_STATISTICS)
		return nullptr;
	const atom_get_statistics_t found = get_statistics;
	return reinterpret_cast<void *>(found);
}

constexpr ggml_backend_reg_i registry_interface{
	.get_name = registry_name,
	.get_device_count = device_count,
	.get_device = get_device,
	.get_proc_address = get_proc_address,
};

std::vector<atom::device_node> nodes()
{
	try {
		return atom::enumerate();
	} catch (const std::exception &why) {
		GGML_LOG_WARN("ATOM: %s\n", why.what());
		return {};
	}
}

/** Opens what there is; what cannot be opened is told and left out. */
void find_devices(ggml_backend_reg_t registry, entries &to)
{
	for (const atom::device_node &node : nodes()) {
		try {
			auto e = std::make_unique<entry>(node);
			e->device = {device_interface, registry, e.get()};
			e->buffers = buffer_type_of(&e->device, e->on);
			to.push_back(std::move(e));
		} catch (const std::exception &why) {
			GGML_LOG_WARN("ATOM: %s\n", why.what());
		}
	}
}

ggml_backend_reg_t find_registry()
{
	// Never destroyed: buffers and backends refer to it until the very end of the process.
	static auto *registry = [] {
		auto *found = new entries;
		auto *made =
			new ggml_backend_reg{GGML_BACKEND_API_VERSION, registry_interface, found};
		find_devices(made, *found);
		return made;
	}();
	return registry;
}

} // namespace
} // namespace ggml_atom

GGML_BACKEND_DL_IMPL(ggml_atom::find_registry)
