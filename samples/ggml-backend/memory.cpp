// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <cstring>

#include "emitter.hpp"
#include "ggml-impl.h"

namespace ggml_atom {
namespace {

// As wide as the widest vectors of a host that fills them; the device needs 8 at most.
constexpr std::size_t alignment = 128;

memory &memory_of(ggml_backend_buffer_t buffer) { return *static_cast<memory *>(buffer->context); }

std::byte *host_address(ggml_backend_buffer_t buffer, const ggml_tensor *t, std::size_t offset)
{
	const auto first = reinterpret_cast<std::uintptr_t>(t->data);
	const memory &m = memory_of(buffer);
	return m.bytes.data() + (first - m.buffer.device_address()) + offset;
}

void free_buffer(ggml_backend_buffer_t buffer) { delete &memory_of(buffer); }

void *get_base(ggml_backend_buffer_t buffer)
{
	// Nobody follows it: what is done with it is arithmetic.
	return reinterpret_cast<void *>( // NOLINT(performance-no-int-to-ptr)
		memory_of(buffer).buffer.device_address());
}

void memset_tensor(ggml_backend_buffer_t buffer, ggml_tensor *t, std::uint8_t value,
                   std::size_t offset, std::size_t size)
{
	std::memset(host_address(buffer, t, offset), value, size);
}

void set_tensor(ggml_backend_buffer_t buffer, ggml_tensor *t, const void *data, std::size_t offset,
                std::size_t size)
{
	std::memcpy(host_address(buffer, t, offset), data, size);
}

void get_tensor(ggml_backend_buffer_t buffer, const ggml_tensor *t, void *data, std::size_t offset,
                std::size_t size)
{
	std::memcpy(data, host_address(buffer, t, offset), size);
}

void clear(ggml_backend_buffer_t buffer, std::uint8_t value)
{
	const memory &m = memory_of(buffer);
	std::memset(m.bytes.data(), value, m.bytes.size());
}

bool cpy_tensor(ggml_backend_buffer_t buffer, const ggml_tensor *from, ggml_tensor *to)
{
	ggml_backend_buffer_t source =
		from->view_src != nullptr ? from->view_src->buffer : from->buffer;
	if (source->iface.free_buffer != free_buffer)
		return false; // of another backend: through the host, as ggml does
	std::memmove(host_address(buffer, to, 0), host_address(source, from, 0), ggml_nbytes(from));
	return true;
}

constexpr ggml_backend_buffer_i buffer_interface{
	.free_buffer = free_buffer,
	.get_base = get_base,
	.init_tensor = nullptr,
	.memset_tensor = memset_tensor,
	.set_tensor = set_tensor,
	.get_tensor = get_tensor,
	.set_tensor_2d = nullptr,
	.get_tensor_2d = nullptr,
	.cpy_tensor = cpy_tensor,
	.clear = clear,
	.reset = nullptr,
};

const char *type_name(ggml_backend_buffer_type_t type)
{
	return static_cast<npu *>(type->context)->name().c_str();
}

ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, std::size_t size)
{
	npu &on = *static_cast<npu *>(type->context);
	try {
		auto m = std::make_unique<memory>();
		m->buffer = atom::buffer(on.context(), size,
		                         {.placement = atom::placement::local, .label = "ggml"});
		m->bytes = m->buffer.map();
		ggml_backend_buffer_t made =
			ggml_backend_buffer_init(type, buffer_interface, m.get(), size);
		static_cast<void>(m.release()); // free_buffer() deletes it
		return made;
	} catch (const std::exception &e) {
		on.count_refused(size);
		GGML_LOG_ERROR("%s: %zu bytes: %s\n", on.name().c_str(), size, e.what());
		return nullptr;
	}
}

std::size_t get_alignment(ggml_backend_buffer_type_t /*type*/) { return alignment; }

std::size_t get_alloc_size(ggml_backend_buffer_type_t /*type*/, const ggml_tensor *t)
{
	return ggml_nbytes(t) + work_bytes(t);
}

} // namespace

const memory &memory_of(const ggml_tensor *t)
{
	return memory_of(t->view_src != nullptr ? t->view_src->buffer : t->buffer);
}

std::uint64_t offset_of(const ggml_tensor *t)
{
	return reinterpret_cast<std::uintptr_t>(t->data) - memory_of(t).buffer.device_address();
}

ggml_backend_buffer_type buffer_type_of(ggml_backend_dev_t device, npu &on)
{
	return {{
			.get_name = type_name,
			.alloc_buffer = alloc_buffer,
			.get_alignment = get_alignment,
			.get_max_size = nullptr,
			.get_alloc_size = get_alloc_size,
			.is_host = nullptr,
		},
	        device,
	        &on};
}

} // namespace ggml_atom
