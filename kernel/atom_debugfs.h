/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_DEBUGFS_H
#define ATOM_DEBUGFS_H

struct atom_device;
struct seq_file;

#if IS_ENABLED(CONFIG_DEBUG_FS)
void atom_debugfs_init(struct atom_device *adev);
struct atom_device *atom_debugfs_device(struct seq_file *m);
void atom_debugfs_state_init(struct atom_device *adev);
#else
static inline void atom_debugfs_init(struct atom_device *adev)
{
}
#endif

#endif
