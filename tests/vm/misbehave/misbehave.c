// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Does on load what a driver must never do, so that the tests of atom-vm can
 * see that it is noticed.
 */
#include <linux/bug.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>

static char *how = "";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "warn, oops, hang, leak or overflow");

static void hang(void *unused)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static int __init misbehave_init(void)
{
	if (!strcmp(how, "warn")) {
		WARN(1, "misbehave: a warning as ordered");
	} else if (!strcmp(how, "oops")) {
		int *volatile nowhere = NULL;

		*nowhere = 1;
	} else if (!strcmp(how, "hang")) {
		smp_call_function(hang, NULL, 0);
		hang(NULL);
	} else if (!strcmp(how, "leak")) {
		char *volatile lost = kmalloc(100, GFP_KERNEL);

		lost = NULL;
	} else if (!strcmp(how, "overflow")) {
		char *volatile small = kmalloc(64, GFP_KERNEL);

		small[64] = 1;
		kfree(small);
	} else {
		pr_err("misbehave: unknown how=%s\n", how);
		return -EINVAL;
	}
	return 0;
}

static void __exit misbehave_exit(void)
{
}

module_init(misbehave_init);
module_exit(misbehave_exit);
MODULE_DESCRIPTION("Breaks the kernel to test who notices");
MODULE_LICENSE("Dual MIT/GPL");
