/* SPDX-License-Identifier: MIT */
/**
 * @file atom.h
 * @brief libatom for C, and for every language that can call C.
 *
 * The same objects, rules and costs as the C++ interface (libatom.so.1 has both); what is said there
 * of blocking, threads, fork and lifetimes holds here.
 *
 * Errors: functions return 0, or a number below 0 (enum atom_error). atom_last_error() then tells it
 * in a sentence. Nothing is written through the pointers of a call that fails, unless said.
 *
 * Ownership: what a function gives by a pointer to a pointer is the caller's, until he gives it to
 * the function with _destroy of the same name; null is allowed there. Objects may be destroyed in
 * any order: each keeps alive what it was made from, jobs in flight keep their memory. Nothing that is
 * passed to a function is kept by it, unless said. A null where an object must be is
 * ATOM_ERROR_INVALID_ARGUMENT.
 *
 * Structures that begin with `size` may grow at their end: set it to sizeof, and what you do not use
 * to 0. The library takes shorter ones of older programs, and of longer ones those whose unknown rest
 * is 0; it fills as much of an output as there is room. 0 and null mean the usual value.
 */
#ifndef ATOM_ATOM_H
#define ATOM_ATOM_H

#include "atom/atom_commands.h"
#include "atom/atom_device.h"
#include "atom/atom_memory.h"
#include "atom/atom_queue.h"

#endif
