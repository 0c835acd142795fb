/* SPDX-License-Identifier: MIT */
/**
 * @file inprocess.h
 * @brief What libatom asks of a library that stands in for the kernel driver: files, ioctls and
 * mappings that behave like those of /dev/accel/accelN, inside of the process.
 *
 * libatom loads libatom-model.so.1 when ATOM_DEVICE asks for it and finds there one function,
 * atom_inprocess_v1(). The table that it returns is all that passes between the two libraries: no
 * C++ object and no exception does, so that they may be built apart.
 *
 * Functions return 0 or a value >= 0, or a negative errno value. All are thread-safe. Growth: a table
 * only grows at its end, and struct_size says how long it is.
 */
#ifndef ATOM_INPROCESS_H
#define ATOM_INPROCESS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Name of the library, for dlopen(). */
#define ATOM_INPROCESS_LIBRARY "libatom-model.so.1"
/** Name of the function that gives its operations. */
#define ATOM_INPROCESS_ENTRY "atom_inprocess_v1"

/** A machine with devices in it. */
struct atom_inprocess;

/** What the library of the in-process device offers. */
struct atom_inprocess_ops {
	/** sizeof of this structure as the library knows it. */
	uint32_t struct_size;
	/** Zero. */
	uint32_t reserved;
	/**
	 * Builds a machine. @p options: what stands in ATOM_DEVICE behind "model", for
	 * instance ":2,engine=reference". On failure (-EINVAL: the options; -ENOMEM) @p error
	 * holds a sentence. Nothing runs and little memory is used until a device is opened.
	 */
	int (*create)(const char *options, struct atom_inprocess **machine, char *error,
		      size_t error_bytes);
	/** Devices of the machine, numbered from 0. */
	uint32_t (*devices)(struct atom_inprocess *machine);
	/**
	 * Opens a device and returns a file descriptor of the process, close-on-exec. The
	 * first one powers the device on, the last one that is closed powers it off.
	 * On failure @p error holds a sentence.
	 */
	int (*open)(struct atom_inprocess *machine, uint32_t device, char *error, size_t error_bytes);
	/** Ends all that was made through the file. In a forked child only the descriptor is closed. */
	void (*close)(struct atom_inprocess *machine, int fd);
	/** As ioctl(2) of the driver, drm/atom_accel.h; pointers in @p argument must be good. */
	int (*ioctl)(struct atom_inprocess *machine, int fd, unsigned long request, void *argument);
	/** As mmap(2), shared; the address is the memory itself, the same each time. */
	int (*mmap)(struct atom_inprocess *machine, size_t bytes, int protection, int fd,
		    uint64_t offset, void **address);
	/** Ends what one mmap() gave. */
	void (*munmap)(struct atom_inprocess *machine, void *address, size_t bytes);
	/**
	 * For tests: arms a fault in a device that is powered on; the grammar of @p spec is in
	 * emulator/README.md. On failure (-EINVAL, -ENODEV) @p error holds a sentence.
	 */
	int (*inject)(struct atom_inprocess *machine, uint32_t device, const char *spec, char *error,
		      size_t error_bytes);
	/**
	 * As read(2) of the driver: events (struct drm_event), as many whole ones as fit; -EAGAIN if
	 * there is none. The descriptor is readable (POLLIN) while there is one. Not in
	 * the first tables: struct_size tells.
	 */
	int (*read)(struct atom_inprocess *machine, int fd, void *buffer, size_t bytes);
};

/** The table; constant, never NULL. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct atom_inprocess_ops *atom_inprocess_v1(void);

#ifdef __cplusplus
}
#endif

#endif
