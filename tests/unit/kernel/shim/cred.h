/* SPDX-License-Identifier: MIT */
/* Who runs the code under test: at first root, with all privileges. */
#ifndef SHIM_CRED_H
#define SHIM_CRED_H

#include "kernel.h"

typedef struct {
	unsigned int val;
} kuid_t;
#define KUIDT_INIT(value) ((kuid_t){ value })
#define uid_eq(a, b) ((a).val == (b).val)
#define from_kuid_munged(ns, uid) ((uid).val)

#define CAP_SYS_RESOURCE 0
struct cred {
	kuid_t uid;
	u32 cap_effective;
};
static struct cred shim_root = { { 0 }, ~0u };
static const struct cred *shim_cred = &shim_root;

#define current_uid() (shim_cred->uid)
#define capable(cap) (shim_cred->cap_effective >> (cap) & 1)
#define cap_lower(caps, cap) ((caps) &= ~(1u << (cap)))
static inline struct cred *prepare_creds(void)
{
	struct cred *copy = malloc(sizeof(*copy));

	*copy = *shim_cred;
	return copy;
}
static inline const struct cred *override_creds(const struct cred *as)
{
	const struct cred *before = shim_cred;

	shim_cred = as;
	return before;
}
#define revert_creds(before) ((void)(shim_cred = (before)))
#define put_cred(cred) free(cred)

#endif
