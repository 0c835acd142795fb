/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_AER_H
#define ATOM_AER_H

struct pci_error_handlers;

extern const struct pci_error_handlers atom_pci_error_handlers;

#endif
