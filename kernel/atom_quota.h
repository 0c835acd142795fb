/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_QUOTA_H
#define ATOM_QUOTA_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/uidgid_types.h>

struct atom_device;
struct drm_printer;

/**
 * enum atom_quota_kind - what a user has a quota of
 */
enum atom_quota_kind {
	/** @ATOM_QUOTA_CONTEXTS: Address spaces. */
	ATOM_QUOTA_CONTEXTS,
	/** @ATOM_QUOTA_QUEUES: Queues. */
	ATOM_QUOTA_QUEUES,
	/** @ATOM_QUOTA_LOCAL: Bytes of LOCAL memory. */
	ATOM_QUOTA_LOCAL,
	/** @ATOM_QUOTA_SHM: Bytes of SHM memory. */
	ATOM_QUOTA_SHM,
	/** @ATOM_QUOTA_SYSTEM: Bytes of system memory that its use pins, and page tables. */
	ATOM_QUOTA_SYSTEM,
	/** @ATOM_QUOTA_KINDS: How many there are. */
	ATOM_QUOTA_KINDS,
};

/**
 * struct atom_quotas - the users of a device, and what each may hold
 */
struct atom_quotas {
	/** @lock: Protects all below, and what users hold; leaf. */
	spinlock_t lock;
	/** @users: struct atom_quota of those who have something open. */
	struct list_head users;
	/** @limits: What a user may hold. */
	u64 limits[ATOM_QUOTA_KINDS];
};

/**
 * struct atom_quota - what a user holds of a device
 */
struct atom_quota {
	/** @adev: Device. */
	struct atom_device *adev;
	/** @uid: User. */
	kuid_t uid;
	/** @link: Entry of struct atom_quotas.users. */
	struct list_head link;
	/** @refs: Open files, buffers and address spaces. */
	u32 refs;
	/** @held: How much of each kind. */
	u64 held[ATOM_QUOTA_KINDS];
};

void atom_quota_init(struct atom_device *adev);
struct atom_quota *atom_quota_of_caller(struct atom_device *adev);
struct atom_quota *atom_quota_get(struct atom_quota *quota);
void atom_quota_put(struct atom_quota *quota);
int atom_quota_take(struct atom_quota *quota, enum atom_quota_kind kind, u64 amount);
void atom_quota_give(struct atom_quota *quota, enum atom_quota_kind kind, u64 amount);
u64 atom_quota_limit(struct atom_device *adev, enum atom_quota_kind kind);
void atom_quota_set_limit(struct atom_device *adev, enum atom_quota_kind kind, u64 limit);
int atom_quota_begin_pinning(unsigned long pages);
void atom_quota_end_pinning(unsigned long pages);
void atom_quota_print(struct atom_device *adev, struct drm_printer *p);

#endif
