// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Recovery of PCI errors, and resets by others than us (the file reset in sysfs). The
 * device is out of service from the first callback to the last one; what was on its
 * rings is lost to queues that did nothing wrong.
 */
#include <linux/pci.h>

#include "atom_aer.h"
#include "atom_device.h"
#include "atom_reset.h"

static pci_ers_result_t atom_aer_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct atom_device *adev = pci_get_drvdata(pdev);

	if (state == pci_channel_io_perm_failure) {
		atom_reset_abandon(adev, "a PCI error is permanent");
		return PCI_ERS_RESULT_DISCONNECT;
	}
	/*
	 * What a transaction has lost nobody knows: in any case it is reset. As long as the link
	 * works that is our affair (atom_aer_reset()), because a reset of the link would cost
	 * device memory too; newer kernels do that whenever a reset is asked for.
	 */
	atom_reset_hold(adev);
	return state == pci_channel_io_normal ? PCI_ERS_RESULT_CAN_RECOVER :
	       PCI_ERS_RESULT_NEED_RESET;
}

/* Registers can be reached: from the beginning, or again after a reset of the link. */
static pci_ers_result_t atom_aer_reset(struct pci_dev *pdev)
{
	struct atom_device *adev = pci_get_drvdata(pdev);

	if (!atom_reset_function(adev))
		return PCI_ERS_RESULT_RECOVERED;
	/* Nobody resumes a device that is given up: whoever waits for it must be told. */
	atom_reset_abandon(adev, "its reset after a PCI error failed");
	return PCI_ERS_RESULT_DISCONNECT;
}

static void atom_aer_resume(struct pci_dev *pdev)
{
	atom_reset_release(pci_get_drvdata(pdev), false);
}

static void atom_aer_reset_prepare(struct pci_dev *pdev)
{
	atom_reset_hold(pci_get_drvdata(pdev));
}

static void atom_aer_reset_done(struct pci_dev *pdev)
{
	atom_reset_release(pci_get_drvdata(pdev), false);
}

const struct pci_error_handlers atom_pci_error_handlers = {
	.error_detected = atom_aer_error_detected,
	.mmio_enabled = atom_aer_reset,
	.slot_reset = atom_aer_reset,
	.resume = atom_aer_resume,
	.reset_prepare = atom_aer_reset_prepare,
	.reset_done = atom_aer_reset_done,
};
