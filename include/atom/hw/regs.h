/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: the registers of BAR0 (spec: include/README.md, 2).
 *
 * Access: registers are little-endian and naturally aligned. Those that end in
 * _LO/_HI pairs or are marked 64 are read and written as one 64-bit access, or
 * as two 32-bit ones (low first: the device latches the high half of a counter
 * when its low half is read, for each function). Any other size, a misaligned
 * access, and any offset that is not listed reads as 0 and ignores writes. A
 * read that returns all ones means that the device is gone.
 */
#ifndef ATOM_HW_REGS_H
#define ATOM_HW_REGS_H

/* Identity, read-only. */
#define ATOM_REG_MAGIC			0x0000	/* 32 RO */
#define   ATOM_MAGIC			0x4d4f5441u /* "ATOM" in memory order */
#define ATOM_REG_VERSION		0x0004	/* 32 RO: newest interface offered */
#define ATOM_REG_VERSION_MIN		0x0008	/* 32 RO: oldest interface offered */
#define   ATOM_VERSION(major, minor)	(((major) << 16) | (minor))
#define   ATOM_VERSION_MAJOR(v)		(((v) >> 16) & 0xffffu)
#define   ATOM_VERSION_MINOR(v)		((v) & 0xffffu)
#define   ATOM_INTERFACE_MAJOR		1
#define   ATOM_INTERFACE_MINOR		0
#define ATOM_REG_DRIVER_VERSION		0x000c	/* 32 RW: what the driver speaks; 0 after reset */
#define ATOM_REG_FW_VERSION		0x0010	/* 32 RO: device build, for people only */
#define ATOM_REG_PLATFORM		0x0014	/* 32 RO: scales time-outs, nothing else */
#define   ATOM_PLATFORM_SILICON		0
#define   ATOM_PLATFORM_EMULATOR	1
#define   ATOM_PLATFORM_INPROCESS	2
#define ATOM_REG_FUNCTION		0x0018	/* 32 RO: 0 = PF, n = VF n */
#define ATOM_REG_CAPS			0x0020	/* 64 RO */
#define   ATOM_CAP_QUEUE_RESET		(1ull << 0)
#define   ATOM_CAP_PREEMPT_COMMAND	(1ull << 1)	/* preempts between commands */
#define   ATOM_CAP_SHM			(1ull << 2)
#define   ATOM_CAP_MEM_CLEAR		(1ull << 3)
#define   ATOM_CAP_FAULT_INJECTION	(1ull << 4)	/* emulators only */
#define   ATOM_CAP_USER_QUEUE		(1ull << 5)	/* reserved: 0 in 1.0 */
#define   ATOM_CAP_SRIOV		(1ull << 6)	/* reserved: 0 in 1.0 */
#define   ATOM_CAP_PASID		(1ull << 7)	/* reserved: 0 in 1.0 */
#define ATOM_REG_OPCODES		0x0030	/* 64 x 4 RO: bit n of the 256 = opcode n */
#define ATOM_REG_DTYPES			0x0050	/* 64 RO: bit n = enum atom_dtype n implemented */
#define ATOM_REG_SERIAL			0x0058	/* 64 RO */
#define ATOM_REG_UUID			0x0060	/* 64 x 2 RO, bytes in RFC 4122 order */

/* Limits, read-only. */
#define ATOM_REG_NUM_QUEUES		0x0080	/* 32 RO: job queues; ids 1..n (0: admin) */
#define ATOM_REG_NUM_ASIDS		0x0084	/* 32 RO: ids 0..n-1 (0 is the driver's) */
#define ATOM_REG_NUM_VECTORS		0x0088	/* 32 RO: MSI-X vectors that the device can use */
#define ATOM_REG_RING_LOG2_MAX		0x008c	/* 32 RO */
#define ATOM_REG_DOORBELL_LOG2		0x0090	/* 32 RO: log2 of the doorbell stride, >= 12 */
#define ATOM_REG_VA_BITS		0x0094	/* 32 RO: 48 */
#define ATOM_REG_DMA_BITS		0x0098	/* 32 RO: bus address bits */
#define ATOM_REG_PAGE_SIZES		0x009c	/* 32 RO: bit n = pages of 2^n bytes */
#define ATOM_REG_DRAM_SIZE		0x00a0	/* 64 RO: bytes */
#define ATOM_REG_DRAM_WINDOW		0x00a8	/* 64 RO: bytes that BAR4 shows, from 0 */
#define ATOM_REG_SHM_SIZE		0x00b0	/* 64 RO: bytes */
#define ATOM_REG_CMDBUF_BYTES_MAX	0x00b8	/* 32 RO */
#define ATOM_REG_ARGS_MAX		0x00bc	/* 32 RO */
#define ATOM_REG_MACS_LOG2_MAX		0x00c0	/* 32 RO: work limit of one command, 36 */
#define ATOM_REG_NUM_ENGINES		0x00c4	/* 32 RO: neural engines */

/* Device control. */
#define ATOM_REG_CTRL			0x0100	/* 32 RW, 0 after reset */
#define   ATOM_CTRL_ENABLE		(1u << 0)	/* needs DRIVER_VERSION, admin queue */
#define   ATOM_CTRL_RESET		(1u << 31)	/* write 1: function reset, reads 0 */
#define ATOM_REG_STATUS			0x0104	/* 32 RO */
#define   ATOM_STATUS_READY		(1u << 0)	/* reset is over */
#define   ATOM_STATUS_ENABLED		(1u << 1)
#define   ATOM_STATUS_VERSION_REFUSED	(1u << 2)	/* DRIVER_VERSION not offered */
#define   ATOM_STATUS_QUIESCING		(1u << 3)	/* a reset waits for running tiles */
#define   ATOM_STATUS_FATAL		(1u << 31)	/* reset needed; see ERROR_CODE */
#define ATOM_REG_ERROR_CODE		0x0108	/* 32 RO: enum atom_fault_code of the fatal error */
#define ATOM_REG_GENERATION		0x010c	/* 32 RO: counts function resets */
#define ATOM_REG_TIMESTAMP		0x0110	/* 64 RO: ns, monotonic, not reset by FLR */

/* Interrupt causes. Vector 0 carries these; job queues choose a vector each. */
#define ATOM_REG_INTR_CAUSE		0x0120	/* 32 RW1C */
#define ATOM_REG_INTR_MASK		0x0124	/* 32 RW: 1 = no interrupt; 0 after reset */
#define   ATOM_INTR_ADMIN		(1u << 0)	/* admin queue retired descriptors */
#define   ATOM_INTR_FAULT		(1u << 1)	/* fault FIFO is not empty */
#define   ATOM_INTR_FATAL		(1u << 2)	/* STATUS.FATAL was set */
#define   ATOM_INTR_THERMAL		(1u << 3)	/* THROTTLE changed */
#define   ATOM_INTR_ECC			(1u << 4)	/* an ECC counter changed */
#define ATOM_REG_INTR_MODERATION	0x0128	/* 32 RW: reserved, 0 */

/* Admin queue (id 0). All are bus addresses; written while CTRL.ENABLE is 0. */
#define ATOM_REG_ADMIN_RING		0x0140	/* 64 RW: ring, 64-byte aligned */
#define ATOM_REG_ADMIN_TAIL		0x0148	/* 64 RW: address of the tail, 8-byte aligned */
#define ATOM_REG_ADMIN_COMPLETION	0x0150	/* 64 RW: completion area, 64-byte aligned */
#define ATOM_REG_ADMIN_LOG2		0x0158	/* 32 RW: log2 of ring entries, 1..RING_LOG2_MAX */

/* Fault FIFO: a ring of struct atom_fault_record in system memory. */
#define ATOM_REG_FAULT_BASE		0x0160	/* 64 RW: bus address, 64-byte aligned */
#define ATOM_REG_FAULT_LOG2		0x0168	/* 32 RW: log2 of entries; one a queue at least */
#define ATOM_REG_FAULT_TAIL		0x0170	/* 64 RO: records ever written by the device */
#define ATOM_REG_FAULT_HEAD		0x0178	/* 64 RW: records ever consumed by the driver */
#define ATOM_REG_FAULT_LOST		0x0180	/* 32 RO: records dropped, FIFO full */

/* Telemetry. All counters run from cold reset and survive FLR. */
#define ATOM_REG_TEMPERATURE		0x0200	/* 32 RO: milli-degrees Celsius, signed */
#define ATOM_REG_TEMP_THROTTLE		0x0204	/* 32 RO: limit, milli-degrees */
#define ATOM_REG_TEMP_ABORT		0x0208	/* 32 RO: limit, milli-degrees */
#define ATOM_REG_TEMP_SHUTDOWN		0x020c	/* 32 RO: limit, milli-degrees */
#define ATOM_REG_POWER			0x0210	/* 32 RO: milliwatts, mean of the last second */
#define ATOM_REG_PSTATE			0x0214	/* 32 RO: 2, 4, 6, 10, 12 or 14 (P-state number) */
#define ATOM_REG_THROTTLE		0x0218	/* 32 RO: reasons in force */
#define   ATOM_THROTTLE_THERMAL		(1u << 0)
#define   ATOM_THROTTLE_POWER		(1u << 1)
#define   ATOM_THROTTLE_ABORT		(1u << 2)
#define ATOM_REG_UTILISATION		0x021c	/* 32 RO: compute, 1/1000 of the last second */
#define ATOM_REG_ENERGY			0x0220	/* 64 RO: microjoules, the power over chip time */
#define ATOM_REG_CLOCK_CP		0x0228	/* 32 RO: kHz, command processor */
#define ATOM_REG_CLOCK_NE0		0x022c	/* 32 RO: kHz, first cluster of neural engines */
#define ATOM_REG_CLOCK_NE1		0x0230	/* 32 RO: kHz, second cluster */
#define ATOM_REG_CLOCK_BUS		0x0234	/* 32 RO: kHz */
#define ATOM_REG_CLOCK_SHM		0x0238	/* 32 RO: kHz */
#define ATOM_REG_BUSY_COMPUTE		0x0240	/* 64 RO: ns of wall time, compute running */
#define ATOM_REG_BUSY_DMA		0x0248	/* 64 RO: ns of wall time, a copy running */
#define ATOM_REG_MODELLED_BUSY		0x0250	/* 64 RO: ns of modelled device time spent */
#define ATOM_REG_DRAM_READ		0x0258	/* 64 RO: bytes */
#define ATOM_REG_DRAM_WRITE		0x0260	/* 64 RO: bytes */
#define ATOM_REG_DMA_READ		0x0268	/* 64 RO: bytes over PCIe, host to device */
#define ATOM_REG_DMA_WRITE		0x0270	/* 64 RO: bytes over PCIe, device to host */
#define ATOM_REG_ECC_CE			0x0278	/* 32 RO: corrected errors */
#define ATOM_REG_ECC_UE			0x027c	/* 32 RO: uncorrected errors */
#define ATOM_REG_JOBS_DONE		0x0280	/* 64 RO: job descriptors retired, any status */
#define ATOM_REG_MACS			0x0288	/* 64 RO: multiply-accumulates executed */
/* Busy time of each engine, ns of modelled time; engines work side by side. */
#define ATOM_REG_MODELLED_COMPUTE	0x0290	/* 64 RO: neural engines */
#define ATOM_REG_MODELLED_DRAM		0x0298	/* 64 RO: DMA of device memory */
#define ATOM_REG_MODELLED_LINK		0x02a0	/* 64 RO: DMA over PCIe */

/* One block a queue, read-only: queue q at ATOM_REG_QUEUE(q). */
#define ATOM_REG_QUEUE_BASE		0x4000
#define ATOM_REG_QUEUE_STRIDE		0x40
#define ATOM_REG_QUEUE(q)		(ATOM_REG_QUEUE_BASE + (q) * ATOM_REG_QUEUE_STRIDE)
#define ATOM_REG_QUEUE_MAX		256	/* blocks reserved in the map */
#define ATOM_QREG_STATE			0x00	/* 32 RO: enum atom_queue_state */
#define ATOM_QREG_GENERATION		0x04	/* 32 RO: as given to QUEUE_CREATE / QUEUE_RESET */
#define ATOM_QREG_SEQNO			0x08	/* 64 RO: last retired sequence number */
#define ATOM_QREG_HEAD			0x10	/* 64 RO: descriptors ever fetched */
#define ATOM_QREG_PROGRESS		0x18	/* 64 RO: counts tiles of work finished */
#define ATOM_QREG_BUSY_NS		0x20	/* 64 RO: ns of wall time with a job running */
#define ATOM_QREG_MODELLED_NS		0x28	/* 64 RO: ns of modelled time used by this queue */
#define ATOM_QREG_COMMAND		0x30	/* 32 RO: index of the running command, or ~0 */
#define ATOM_QREG_FAULT_CODE		0x34	/* 32 RO: enum atom_fault_code of the stop */

/* 0x9000..0xdfff: reserved for virtual functions (PF only). */
#define ATOM_REG_VF_BASE		0x9000

#endif
