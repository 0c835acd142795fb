/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_USERPTR_H
#define ATOM_USERPTR_H

#include <linux/err.h>
#include <linux/kconfig.h>
#include <linux/types.h>

struct atom_bo;
struct atom_file;
struct atom_va;
struct atom_vm;

#define ATOM_HAVE_USERPTR	IS_ENABLED(CONFIG_MMU_NOTIFIER)

#if ATOM_HAVE_USERPTR
struct atom_bo *atom_userptr_create(struct atom_file *afile, struct atom_vm *vm, u64 address,
				    u64 bytes, bool readonly);
bool atom_userptr_insert(struct atom_va *va);
void atom_userptr_remove(struct atom_va *va);
#else
static inline struct atom_bo *atom_userptr_create(struct atom_file *afile, struct atom_vm *vm,
						  u64 address, u64 bytes, bool readonly)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline bool atom_userptr_insert(struct atom_va *va)
{
	return false;
}

static inline void atom_userptr_remove(struct atom_va *va)
{
}
#endif

#endif
