// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * In place of the rest of the driver, for functions under test that call it.
 */
#include "../atom_bo.h"
#include "../atom_device.h"
#include "atom_fake_kunit.h"

struct atom_fake atom_fake;

int atom_admin_exec(struct atom_device *adev, struct atom_admin_desc *desc)
{
	atom_fake.commands++;
	atom_fake.last = *desc;
	if (le16_to_cpu(desc->opcode) == ATOM_ADMIN_MEM_CLEAR)
		atom_fake.cleared += le64_to_cpu(desc->mem_clear.bytes);
	return 0;
}

int atom_admin_set_root(struct atom_device *adev, u32 asid, dma_addr_t root)
{
	return 0;
}

void atom_admin_take_back(struct atom_device *adev, struct atom_admin_desc *desc,
			  const char *refused)
{
	atom_admin_exec(adev, desc);
}

int atom_reset_force(struct atom_device *adev, const char *reason)
{
	return -EIO;
}

void atom_device_stop_hw(struct atom_device *adev)
{
}

/* Unlike the driver's it joins nothing: one extent a block. */
void atom_extent_append(struct atom_extent *extents, u32 *count, u64 address, u64 bytes)
{
	extents[*count].offset = 0;
	extents[*count].address = address;
	extents[*count].bytes = bytes;
	(*count)++;
}
