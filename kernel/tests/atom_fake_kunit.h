/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_FAKE_KUNIT_H
#define ATOM_FAKE_KUNIT_H

#include "../atom_device.h"

/**
 * struct atom_fake - what would have been asked of the device
 */
struct atom_fake {
	/** @commands: Admin commands. */
	u32 commands;
	/** @last: The last of them. */
	struct atom_admin_desc last;
	/** @cleared: Bytes of all MEM_CLEARs. */
	u64 cleared;
};

extern struct atom_fake atom_fake;

#endif
