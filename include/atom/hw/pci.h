/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: PCI identity and BARs (spec: include/README.md, 1).
 *
 * The vendor id is QEMU's experimental one. The chip's vendor has ids of its
 * own; they are not used here, so that a driver of this interface can never
 * bind to the vendor's silicon.
 */
#ifndef ATOM_HW_PCI_H
#define ATOM_HW_PCI_H

#define ATOM_PCI_VENDOR_ID		0x1234
#define ATOM_PCI_DEVICE_ID_PF		0xa70a	/* physical function */
#define ATOM_PCI_DEVICE_ID_VF		0xa70b	/* virtual function, reserved */
#define ATOM_PCI_CLASS			0x120000 /* processing accelerator */
#define ATOM_PCI_REVISION		0x01

#define ATOM_BAR_REGS			0	/* registers, MSI-X table and PBA */
#define ATOM_BAR_DOORBELL		2	/* one page a queue */
#define ATOM_BAR_DRAM			4	/* window on device memory, prefetchable */

#define ATOM_BAR_REGS_SIZE		0x10000
#define ATOM_MSIX_TABLE_OFFSET		0xe000	/* in BAR0 */
#define ATOM_MSIX_PBA_OFFSET		0xf000	/* in BAR0 */

#endif
