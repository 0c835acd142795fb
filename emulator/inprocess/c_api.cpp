/* SPDX-License-Identifier: MIT */
/* The table of functions: no exception passes it. */
#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "atom/inprocess.h"
#include "machine.h"

struct atom_inprocess {
	atom::inprocess::machine machine;
};

namespace {

using atom::inprocess::options;

void tell(char *error, std::size_t room, const char *sentence)
{
	if (room)
		std::snprintf(error, room, "%s", sentence);
}

/* Calls @p function; what it throws becomes an errno value and a sentence. */
template <typename F> int guarded(char *error, std::size_t room, F &&function) noexcept
{
	try {
		return function();
	} catch (const std::bad_alloc &) {
		tell(error, room, "out of memory");
		return -ENOMEM;
	} catch (const std::exception &e) {
		tell(error, room, e.what());
		return -EIO;
	}
}

int create(const char *text, atom_inprocess **out, char *error, std::size_t room)
{
	return guarded(error, room, [&] {
		options how;
		std::string wrong;
		if (!atom::inprocess::parse(text, how, wrong)) {
			tell(error, room, wrong.c_str());
			return -EINVAL;
		}
		*out = new atom_inprocess{atom::inprocess::machine(how)};
		return 0;
	});
}

std::uint32_t devices(atom_inprocess *m)
{
	return m->machine.devices();
}

int open(atom_inprocess *m, std::uint32_t number, char *error, std::size_t room)
{
	return guarded(error, room, [&] { return m->machine.open(number); });
}

void close(atom_inprocess *m, int fd)
{
	guarded(nullptr, 0, [&] {
		m->machine.close(fd);
		return 0;
	});
}

int ioctl(atom_inprocess *m, int fd, unsigned long request, void *argument)
{
	return guarded(nullptr, 0, [&] { return m->machine.ioctl(fd, request, argument); });
}

int mmap(atom_inprocess *m, std::size_t bytes, int protection, int fd, std::uint64_t offset, void **address)
{
	return guarded(nullptr, 0, [&] { return m->machine.mmap(fd, bytes, protection, offset, *address); });
}

void munmap(atom_inprocess *m, void *address, std::size_t)
{
	guarded(nullptr, 0, [&] {
		m->machine.munmap(address);
		return 0;
	});
}

int read(atom_inprocess *m, int fd, void *buffer, std::size_t bytes)
{
	return guarded(nullptr, 0, [&] { return m->machine.read(fd, buffer, bytes); });
}

int inject(atom_inprocess *m, std::uint32_t number, const char *spec, char *error, std::size_t room)
{
	return guarded(error, room, [&] {
		std::string wrong;
		const int result = m->machine.inject(number, spec, wrong);
		tell(error, room, wrong.c_str());
		return result;
	});
}

constexpr atom_inprocess_ops table{
	.struct_size = sizeof table,
	.reserved = 0,
	.create = create,
	.devices = devices,
	.open = open,
	.close = close,
	.ioctl = ioctl,
	.mmap = mmap,
	.munmap = munmap,
	.inject = inject,
	.read = read,
};

} // namespace

const atom_inprocess_ops *atom_inprocess_v1(void)
{
	return &table;
}
