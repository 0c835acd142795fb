// SPDX-License-Identifier: MIT
// Words for what dumps of the driver hold: registers, reasons, states of queues.
#pragma once

#include <drm/atom_accel.h>

#include "atom/hw/coredump.h"
#include "atom/hw/regs.h"
#include "decode/layouts.hpp"

namespace atom::decode {

inline constexpr word register_table[] = {
	{ATOM_REG_MAGIC, "MAGIC"},
	{ATOM_REG_VERSION, "VERSION"},
	{ATOM_REG_DRIVER_VERSION, "DRIVER_VERSION"},
	{ATOM_REG_FW_VERSION, "FW_VERSION"},
	{ATOM_REG_CAPS, "CAPS"},
	{ATOM_REG_CTRL, "CTRL"},
	{ATOM_REG_STATUS, "STATUS"},
	{ATOM_REG_ERROR_CODE, "ERROR_CODE"},
	{ATOM_REG_GENERATION, "GENERATION"},
	{ATOM_REG_TIMESTAMP, "TIMESTAMP"},
	{ATOM_REG_INTR_CAUSE, "INTR_CAUSE"},
	{ATOM_REG_INTR_MASK, "INTR_MASK"},
	{ATOM_REG_ADMIN_RING, "ADMIN_RING"},
	{ATOM_REG_ADMIN_TAIL, "ADMIN_TAIL"},
	{ATOM_REG_ADMIN_COMPLETION, "ADMIN_COMPLETION"},
	{ATOM_REG_ADMIN_LOG2, "ADMIN_LOG2"},
	{ATOM_REG_FAULT_BASE, "FAULT_BASE"},
	{ATOM_REG_FAULT_LOG2, "FAULT_LOG2"},
	{ATOM_REG_FAULT_TAIL, "FAULT_TAIL"},
	{ATOM_REG_FAULT_HEAD, "FAULT_HEAD"},
	{ATOM_REG_FAULT_LOST, "FAULT_LOST"},
	{ATOM_REG_TEMPERATURE, "TEMPERATURE"},
	{ATOM_REG_POWER, "POWER"},
	{ATOM_REG_PSTATE, "PSTATE"},
	{ATOM_REG_THROTTLE, "THROTTLE"},
	{ATOM_REG_UTILISATION, "UTILISATION"},
	{ATOM_REG_BUSY_COMPUTE, "BUSY_COMPUTE"},
	{ATOM_REG_BUSY_DMA, "BUSY_DMA"},
	{ATOM_REG_MODELLED_BUSY, "MODELLED_BUSY"},
	{ATOM_REG_ECC_CE, "ECC_CE"},
	{ATOM_REG_ECC_UE, "ECC_UE"},
	{ATOM_REG_JOBS_DONE, "JOBS_DONE"},
	{ATOM_REG_MACS, "MACS"},
};

/** In the block of a queue. */
inline constexpr word queue_register_table[] = {
	{ATOM_QREG_STATE, "STATE"},
	{ATOM_QREG_GENERATION, "GENERATION"},
	{ATOM_QREG_SEQNO, "SEQNO"},
	{ATOM_QREG_HEAD, "HEAD"},
	{ATOM_QREG_PROGRESS, "PROGRESS"},
	{ATOM_QREG_BUSY_NS, "BUSY_NS"},
	{ATOM_QREG_MODELLED_NS, "MODELLED_NS"},
	{ATOM_QREG_COMMAND, "COMMAND"},
	{ATOM_QREG_FAULT_CODE, "FAULT_CODE"},
};

inline constexpr word dump_reason_table[] = {
	{ATOM_DUMP_HANG, "hang"},
	{ATOM_DUMP_MMU_FAULT, "mmu fault"},
	{ATOM_DUMP_HARDWARE, "hardware error"},
	{ATOM_DUMP_DEVICE_RESET, "device reset"},
};

inline constexpr word dump_flag_table[] = {
	{ATOM_DUMP_TRUNCATED, "truncated"},
	{ATOM_DUMP_BUSY, "address space busy"},
};

inline constexpr word dump_section_table[] = {
	{ATOM_DUMP_REGISTERS, "registers"},     {ATOM_DUMP_QUEUE, "queue"},
	{ATOM_DUMP_RING, "ring"},               {ATOM_DUMP_COMPLETIONS, "completions"},
	{ATOM_DUMP_COMMANDS, "command buffer"}, {ATOM_DUMP_ARGUMENTS, "arguments"},
	{ATOM_DUMP_MAPPINGS, "mappings"},
};

inline constexpr word queue_flag_table[] = {
	{DRM_ATOM_QUEUE_STATE_FAULT, "fault"},
	{DRM_ATOM_QUEUE_STATE_TIMEDOUT, "timed out"},
	{DRM_ATOM_QUEUE_STATE_INNOCENT, "innocent"},
	{DRM_ATOM_QUEUE_STATE_BANNED, "banned"},
	{DRM_ATOM_QUEUE_STATE_DEVICE_LOST, "device lost"},
};

inline constexpr word placement_table[] = {
	{DRM_ATOM_BO_SYSTEM, "system"},
	{DRM_ATOM_BO_LOCAL, "local"},
	{DRM_ATOM_BO_SHM, "shm"},
};

inline constexpr word mapping_flag_table[] = {
	{ATOM_DUMP_MAPPING_READONLY, "read-only"},
	{ATOM_DUMP_MAPPING_USERPTR, "memory of a program"},
	{ATOM_DUMP_MAPPING_IMPORTED, "imported"},
};

} // namespace atom::decode
