/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_LOCKDEP_H
#define ATOM_LOCKDEP_H

struct atom_device;

#ifdef CONFIG_LOCKDEP
void atom_lockdep_prime(struct atom_device *adev);
#else
static inline void atom_lockdep_prime(struct atom_device *adev) { }
#endif

#endif
