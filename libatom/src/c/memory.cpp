// SPDX-License-Identifier: MIT
#include "c/border.hpp"

using namespace atom::c;

namespace {

atom::cpu_use use_of(uint32_t use)
{
	if (use < ATOM_CPU_READ || use > ATOM_CPU_READ_WRITE)
		atom::core::fail(atom::errc::invalid_argument,
		                 "access buffer: there is no use " + std::to_string(use));
	return static_cast<atom::cpu_use>(use);
}

/** Its mapping, which must be there. Stays where it is until the buffer is destroyed. */
const atom::mapping &mapping_of(atom_buffer *buffer)
{
	atom_buffer &b = live(buffer, "buffer");
	const std::lock_guard lock(b.mutex);
	if (!b.mapped)
		atom::core::fail(atom::errc::invalid_argument,
		                 "access buffer: it is not mapped (atom_buffer_map)");
	return b.mapped;
}

} // namespace

int atom_context_create(const atom_device *device, atom_context **out)
{
	return give(out, [&] { return atom::context(live(device, "device").value); });
}

int atom_context_create_with(const atom_device *device, const atom_context_options *options,
                             atom_context **out)
{
	return give(out, [&] {
		return atom::context(live(device, "device").value,
		                     options_of<atom::context_options>(options));
	});
}

void atom_context_destroy(atom_context *context) { delete context; }

int atom_buffer_create(const atom_context *context, uint64_t bytes,
                       const atom_buffer_options *options, atom_buffer **out)
{
	return give(out, [&] {
		const atom_buffer_options wanted = read(options);
		if (wanted.placement > ATOM_PLACEMENT_SHM)
			atom::core::fail(atom::errc::invalid_argument,
			                 "create buffer: there is no placement " +
			                         std::to_string(wanted.placement));
		atom::buffer_options o;
		o.placement = static_cast<atom::placement>(wanted.placement);
		o.cpu_access = wanted.no_cpu_access == 0;
		o.shareable = wanted.shareable != 0;
		if (wanted.label != nullptr)
			o.label = wanted.label;
		return atom::buffer(live(context, "context").value, bytes, o);
	});
}

int atom_buffer_from_user(const atom_context *context, void *memory, uint64_t bytes,
                          const atom_user_memory_options *options, atom_buffer **out)
{
	return give(out, [&] {
		const auto access = read(options).read_only != 0 ? atom::device_access::read_only
		                                                 : atom::device_access::read_write;
		return atom::buffer::from_user(live(context, "context").value, memory, bytes,
		                               access);
	});
}

int atom_buffer_import(const atom_context *context, int fd, atom_buffer **out)
{
	return give(out, [&] {
		return atom::buffer::import_dmabuf(live(context, "context").value, fd);
	});
}

int atom_buffer_export(const atom_buffer *buffer, int *fd)
{
	return guarded([&] {
		int &place = live(fd, "fd");
		place = live(buffer, "buffer").value.export_dmabuf();
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

int atom_buffer_placement(const atom_buffer *buffer)
{
	return guarded([&] { return static_cast<int>(live(buffer, "buffer").value.placement()); });
}

int atom_buffer_begin_cpu(atom_buffer *buffer, uint32_t use)
{
	return guarded([&] { mapping_of(buffer).begin(use_of(use)); });
}

int atom_buffer_end_cpu(atom_buffer *buffer, uint32_t use)
{
	return guarded([&] { mapping_of(buffer).end(use_of(use)); });
}
