/* SPDX-License-Identifier: MIT */
/* KUnit on the host: as much of it as kernel/tests uses. */
#ifndef SHIM_KUNIT_TEST_H
#define SHIM_KUNIT_TEST_H

#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../kernel.h"

struct kunit {
	void *priv;
	bool failed;
	jmp_buf end;
	void *owned[64];
	unsigned owned_count;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function) { .run = function, .name = #function }
/* main.c runs what this names. */
#define kunit_test_suite(suite) struct kunit_suite *const suite##_of_kunit = &(suite)

#define SHIM_CHECK(test, condition, end_it)                                                    \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			printf("%s:%d: expected %s\n", __FILE__, __LINE__, #condition);        \
			(test)->failed = true;                                                 \
			if (end_it)                                                            \
				longjmp((test)->end, 1);                                       \
		}                                                                              \
	} while (0)

#define KUNIT_EXPECT_TRUE(test, condition) SHIM_CHECK(test, condition, false)
#define KUNIT_EXPECT_FALSE(test, condition) SHIM_CHECK(test, !(condition), false)
#define KUNIT_EXPECT_EQ(test, a, b) SHIM_CHECK(test, (a) == (b), false)
#define KUNIT_EXPECT_NE(test, a, b) SHIM_CHECK(test, (a) != (b), false)
#define KUNIT_EXPECT_LE(test, a, b) SHIM_CHECK(test, (a) <= (b), false)
#define KUNIT_EXPECT_LT(test, a, b) SHIM_CHECK(test, (a) < (b), false)
#define KUNIT_EXPECT_GE(test, a, b) SHIM_CHECK(test, (a) >= (b), false)
#define KUNIT_ASSERT_EQ(test, a, b) SHIM_CHECK(test, (a) == (b), true)
#define KUNIT_ASSERT_NE(test, a, b) SHIM_CHECK(test, (a) != (b), true)
#define KUNIT_ASSERT_LT(test, a, b) SHIM_CHECK(test, (a) < (b), true)
#define KUNIT_ASSERT_FALSE(test, condition) SHIM_CHECK(test, !(condition), true)
#define KUNIT_ASSERT_NOT_NULL(test, pointer) SHIM_CHECK(test, (pointer) != NULL, true)

static inline void *kunit_kzalloc(struct kunit *test, size_t bytes, int flags)
{
	void *memory = calloc(1, bytes);

	test->owned[test->owned_count++] = memory;
	return memory;
}
#define kunit_device_register(test, name) ((struct device *)kunit_kzalloc(test, sizeof(struct device), 0))
#define kunit_vm_mmap(test, file, address, bytes, protection, flags, offset) \
	((unsigned long)kunit_kzalloc(test, bytes, 0))

#endif
