// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Quotas
 *
 * What a device has is shared by all users, and nothing is taken from a program
 * that holds it. So that no user can shut out the others, each one may hold only
 * a part of a device: of its address spaces, queues, LOCAL and SHM memory
 * (-ENOSPC beyond), and of the machine's memory for its sake (-ENOMEM). The parts
 * are the administrator's to choose (sysfs, folder quota). A lower limit takes
 * nothing away; it holds for what is asked for from then on. CAP_SYS_RESOURCE goes
 * beyond all of them.
 *
 * The user is the one who opened the device file, whoever uses it afterwards; for
 * the memory of an imported dma-buf, the one who imports it. A buffer stays on the
 * account of its maker until its memory is freed, also if others hold it by then.
 * Buffers of system memory count from their creation, because mapping them for the
 * CPU already pins them. Page tables are system memory, too.
 *
 * Pinned memory does not come back before its buffer is freed, and the OOM killer
 * does not see whose it is. So nobody, privileged or not, pins what would leave the
 * machine less than 1/16 of its memory, available or to be swapped: the mapping of
 * such a buffer, for the device or the CPU, is -ENOMEM, and so is one that takes so
 * many page tables.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/uidgid.h>

#include "atom_device.h"
#include "atom_quota.h"

/* Of the machine's memory this part is not pinned, whoever asks for it. */
#define ATOM_QUOTA_SPARED	16

/* Pages that are being allocated at this moment, for all devices. */
static atomic_long_t atom_quota_pages_wanted;

/* So that something is left for another user. */
static u64 atom_quota_all_but(u64 total, u32 parts)
{
	return total - DIV_ROUND_UP_ULL(total, parts);
}

/**
 * atom_quota_init() - set the limits that hold until the administrator sets others
 * @adev: device, its limits and memory known
 */
void atom_quota_init(struct atom_device *adev)
{
	struct atom_quotas *quotas = &adev->quotas;

	spin_lock_init(&quotas->lock);
	INIT_LIST_HEAD(&quotas->users);
	quotas->limits[ATOM_QUOTA_CONTEXTS] = atom_quota_all_but(adev->limits.num_asids - 1, 8);
	quotas->limits[ATOM_QUOTA_QUEUES] = atom_quota_all_but(adev->limits.num_queues, 8);
	quotas->limits[ATOM_QUOTA_LOCAL] = atom_quota_all_but(adev->vram.local_size, 16);
	quotas->limits[ATOM_QUOTA_SHM] = atom_quota_all_but(adev->vram.shm_size, 16);
	quotas->limits[ATOM_QUOTA_SYSTEM] = atom_quota_all_but((u64)totalram_pages() << PAGE_SHIFT,
							       4);
}

static struct atom_quota *atom_quota_find(struct atom_quotas *quotas, kuid_t uid)
{
	struct atom_quota *quota;

	lockdep_assert_held(&quotas->lock);

	list_for_each_entry(quota, &quotas->users, link)
		if (uid_eq(quota->uid, uid))
			return quota;
	return NULL;
}

/**
 * atom_quota_of_caller() - the account of who runs us
 * @adev: device
 *
 * Return: account with a reference for the caller, or NULL without memory.
 */
struct atom_quota *atom_quota_of_caller(struct atom_device *adev)
{
	struct atom_quotas *quotas = &adev->quotas;
	struct atom_quota *quota, *fresh;

	fresh = kzalloc_obj(*fresh, GFP_KERNEL);
	if (!fresh)
		return NULL;
	fresh->adev = adev;
	fresh->uid = current_uid();

	spin_lock(&quotas->lock);
	quota = atom_quota_find(quotas, fresh->uid);
	if (!quota) {
		quota = fresh;
		fresh = NULL;
		list_add_tail(&quota->link, &quotas->users);
	}
	quota->refs++;
	spin_unlock(&quotas->lock);
	kfree(fresh);
	return quota;
}

/**
 * atom_quota_get() - take a reference
 * @quota: account
 *
 * Return: @quota.
 */
struct atom_quota *atom_quota_get(struct atom_quota *quota)
{
	spin_lock(&quota->adev->quotas.lock);
	quota->refs++;
	spin_unlock(&quota->adev->quotas.lock);
	return quota;
}

/**
 * atom_quota_put() - drop a reference
 * @quota: account; with the last one it must be empty
 */
void atom_quota_put(struct atom_quota *quota)
{
	struct atom_quotas *quotas = &quota->adev->quotas;
	bool last;

	spin_lock(&quotas->lock);
	last = !--quota->refs;
	if (last)
		list_del(&quota->link);
	spin_unlock(&quotas->lock);
	if (!last)
		return;
	WARN_ON(memchr_inv(quota->held, 0, sizeof(quota->held)));
	kfree(quota);
}

/**
 * atom_quota_take() - put something on an account
 * @quota: account
 * @kind: what
 * @amount: how much
 *
 * Return: 0, -ENOMEM if it would be too much system memory, -ENOSPC if too much of
 * what the device has.
 */
int atom_quota_take(struct atom_quota *quota, enum atom_quota_kind kind, u64 amount)
{
	struct atom_quotas *quotas = &quota->adev->quotas;
	u64 *held = &quota->held[kind];
	bool fits;

	spin_lock(&quotas->lock);
	fits = *held <= quotas->limits[kind] && amount <= quotas->limits[kind] - *held;
	if (fits)
		*held += amount;
	spin_unlock(&quotas->lock);
	if (fits)
		return 0;

	/* Last, because each use of the privilege may be audited. */
	if (!capable(CAP_SYS_RESOURCE))
		return kind == ATOM_QUOTA_SYSTEM ? -ENOMEM : -ENOSPC;
	spin_lock(&quotas->lock);
	*held += amount;
	spin_unlock(&quotas->lock);
	return 0;
}

/**
 * atom_quota_give() - take something off an account
 * @quota: account
 * @kind: what
 * @amount: how much
 */
void atom_quota_give(struct atom_quota *quota, enum atom_quota_kind kind, u64 amount)
{
	spin_lock(&quota->adev->quotas.lock);
	quota->held[kind] -= amount;
	spin_unlock(&quota->adev->quotas.lock);
}

/**
 * atom_quota_begin_pinning() - before memory is allocated that stays
 * @pages: how much at most
 *
 * The allocation itself would fail without the OOM killer, but whoever needs a page
 * next would call it.
 *
 * Return: 0, and atom_quota_end_pinning() must follow when it has been allocated, or
 * -ENOMEM if too little would be left.
 */
int atom_quota_begin_pinning(unsigned long pages)
{
	long spared = totalram_pages() / ATOM_QUOTA_SPARED;
	long wanted = atomic_long_add_return(pages, &atom_quota_pages_wanted);

	if (!pages || wanted + spared <= si_mem_available() + get_nr_swap_pages())
		return 0;
	atomic_long_sub(pages, &atom_quota_pages_wanted);
	return -ENOMEM;
}

/**
 * atom_quota_end_pinning() - the memory was allocated, or not
 * @pages: as atom_quota_begin_pinning()
 */
void atom_quota_end_pinning(unsigned long pages)
{
	atomic_long_sub(pages, &atom_quota_pages_wanted);
}

/**
 * atom_quota_limit() - what a user may hold
 * @adev: device
 * @kind: of what
 *
 * Return: number or bytes.
 */
u64 atom_quota_limit(struct atom_device *adev, enum atom_quota_kind kind)
{
	u64 limit;

	spin_lock(&adev->quotas.lock);
	limit = adev->quotas.limits[kind];
	spin_unlock(&adev->quotas.lock);
	return limit;
}

/**
 * atom_quota_set_limit() - say what a user may hold
 * @adev: device
 * @kind: of what
 * @limit: number or bytes
 */
void atom_quota_set_limit(struct atom_device *adev, enum atom_quota_kind kind, u64 limit)
{
	spin_lock(&adev->quotas.lock);
	adev->quotas.limits[kind] = limit;
	spin_unlock(&adev->quotas.lock);
}

/**
 * atom_quota_print() - tell who holds what
 * @adev: device
 * @p: where to print: a line for each user
 */
void atom_quota_print(struct atom_device *adev, struct drm_printer *p)
{
	struct atom_quota *quota;

	spin_lock(&adev->quotas.lock);
	list_for_each_entry(quota, &adev->quotas.users, link)
		drm_printf(p, "uid %u contexts %llu queues %llu local %llu shm %llu system %llu\n",
			   from_kuid_munged(&init_user_ns, quota->uid),
			   quota->held[ATOM_QUOTA_CONTEXTS], quota->held[ATOM_QUOTA_QUEUES],
			   quota->held[ATOM_QUOTA_LOCAL], quota->held[ATOM_QUOTA_SHM],
			   quota->held[ATOM_QUOTA_SYSTEM]);
	spin_unlock(&adev->quotas.lock);
}
