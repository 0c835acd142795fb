// SPDX-License-Identifier: MIT
#include "c/border.hpp"

using namespace atom::c;

int atom_context_create(const atom_device *device, atom_context **out)
{
	return give(out, [&] { return atom::context(live(device, "device").value); });
}

void atom_context_destroy(atom_context *context) { delete context; }

int atom_buffer_create(const atom_context *context, uint64_t bytes,
                       const atom_buffer_options *options, atom_buffer **out)
{
	return guarded([&] {
		atom_buffer *&place = live(out, "out");
		const atom_buffer_options wanted = read(options);
		if (wanted.placement > ATOM_PLACEMENT_SHM)
			atom::core::fail(atom::errc::invalid_argument,
			                 "create buffer: there is no placement " +
			                         std::to_string(wanted.placement));
		atom::buffer_options o;
		o.placement = static_cast<atom::placement>(wanted.placement);
		o.cpu_access = wanted.no_cpu_access == 0;
		if (wanted.label != nullptr)
			o.label = wanted.label;
		place = new atom_buffer{
			atom::buffer(live(context, "context").value, bytes, o), {}, {}};
	});
}

void atom_buffer_destroy(atom_buffer *buffer) { delete buffer; }

uint64_t atom_buffer_size(const atom_buffer *buffer)
{
	return buffer == nullptr ? 0 : buffer->value.size();
}

uint64_t atom_buffer_address(const atom_buffer *buffer)
{
	return buffer == nullptr ? 0 : buffer->value.device_address();
}

int atom_buffer_map(atom_buffer *buffer, void **address)
{
	return guarded([&] {
		void *&place = live(address, "address");
		atom_buffer &b = live(buffer, "buffer");
		const std::lock_guard lock(b.mutex);
		if (!b.mapped)
			b.mapped = b.value.map();
		place = b.mapped.data();
	});
}
