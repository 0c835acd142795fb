// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Arrays and structures that grow, from older, equal and newer programs.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mman.h>

/* The functions under test, linked into this module too. */
#include "../atom_uapi.c"

struct element {
	u32 first;
	u32 second;
};

/* Memory of a program, zeroed. */
static void __user *user_memory(struct kunit *test)
{
	unsigned long address = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
					      MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, address, 0ul);
	return (void __user *)address;
}

/* Three elements of @stride bytes, the first words 10, 20, 30, all others @rest. */
static struct drm_atom_obj_array user_array(struct kunit *test, u32 stride, u8 rest)
{
	u8 __user *user = user_memory(test);
	u8 bytes[3 * 16];
	u32 i;

	memset(bytes, rest, sizeof(bytes));
	for (i = 0; i < 3; i++)
		*(u32 *)&bytes[i * stride] = 10 * (i + 1);
	KUNIT_ASSERT_EQ(test, copy_to_user(user, bytes, 3 * stride), 0ul);
	return (struct drm_atom_obj_array) {
		.stride = stride,
		.count = 3,
		.array = (u64)(uintptr_t)user,
	};
}

static void *get(const struct drm_atom_obj_array *in)
{
	return atom_uobj_get_array(in, 8, sizeof(u32), sizeof(struct element));
}

static void elements_of_an_equal_size_are_copied(struct kunit *test)
{
	struct drm_atom_obj_array in = user_array(test, 8, 1);
	struct element *out = get(&in);
	u32 i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(out));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, out[i].first, 10 * (i + 1));
		KUNIT_EXPECT_EQ(test, out[i].second, 0x01010101u);
	}
	kvfree(out);
}

static void shorter_elements_are_filled_with_zeros(struct kunit *test)
{
	struct drm_atom_obj_array in = user_array(test, 4, 1);
	struct element *out = get(&in);
	u32 i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(out));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, out[i].first, 10 * (i + 1));
		KUNIT_EXPECT_EQ(test, out[i].second, 0u);
	}
	kvfree(out);
}

static void longer_elements_must_end_in_zeros(struct kunit *test)
{
	struct drm_atom_obj_array in = user_array(test, 16, 0);
	struct element *out = get(&in);

	KUNIT_ASSERT_FALSE(test, IS_ERR(out));
	KUNIT_EXPECT_EQ(test, out[2].first, 30u);
	KUNIT_EXPECT_EQ(test, out[2].second, 0u);
	kvfree(out);

	in = user_array(test, 16, 1);
	KUNIT_EXPECT_EQ(test, PTR_ERR(get(&in)), (long)-EINVAL);
}

static void strides_and_counts_beyond_the_limits_are_refused(struct kunit *test)
{
	struct drm_atom_obj_array in = user_array(test, 8, 0);

	in.count = 9;
	KUNIT_EXPECT_EQ(test, PTR_ERR(get(&in)), (long)-E2BIG);
	in.count = U32_MAX;
	KUNIT_EXPECT_EQ(test, PTR_ERR(get(&in)), (long)-E2BIG);
	in.count = 3;
	in.stride = ATOM_STRIDE_MAX + 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR(get(&in)), (long)-E2BIG);
	in.stride = 3;
	KUNIT_EXPECT_EQ(test, PTR_ERR(get(&in)), (long)-EINVAL);
	in.stride = 8;
	in.array = 16;
	KUNIT_EXPECT_EQ(test, PTR_ERR(get(&in)), (long)-EFAULT);
}

static void an_answer_tells_its_size_and_fills_what_is_longer(struct kunit *test)
{
	u8 __user *user = user_memory(test);
	u64 pointer = (u64)(uintptr_t)user;
	struct element answer = { 1, 2 }, seen[2] = { { 7, 7 }, { 7, 7 } };
	u32 size = 0;

	KUNIT_EXPECT_EQ(test, atom_uobj_put(0, &size, &answer, sizeof(answer)), 0);
	KUNIT_EXPECT_EQ(test, size, (u32)sizeof(answer));

	KUNIT_ASSERT_EQ(test, copy_to_user(user, seen, sizeof(seen)), 0ul);
	size = 4;
	KUNIT_EXPECT_EQ(test, atom_uobj_put(pointer, &size, &answer, sizeof(answer)), 0);
	KUNIT_EXPECT_EQ(test, size, (u32)sizeof(answer));
	KUNIT_ASSERT_EQ(test, copy_from_user(seen, user, sizeof(seen)), 0ul);
	KUNIT_EXPECT_EQ(test, seen[0].first, 1u);
	KUNIT_EXPECT_EQ(test, seen[0].second, 7u);

	size = sizeof(seen);
	KUNIT_EXPECT_EQ(test, atom_uobj_put(pointer, &size, &answer, sizeof(answer)), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(seen, user, sizeof(seen)), 0ul);
	KUNIT_EXPECT_EQ(test, seen[0].second, 2u);
	KUNIT_EXPECT_EQ(test, seen[1].first, 0u);

	size = ATOM_ANSWER_MAX + 1;
	KUNIT_EXPECT_EQ(test, atom_uobj_put(pointer, &size, &answer, sizeof(answer)), -E2BIG);
	size = sizeof(answer);
	KUNIT_EXPECT_EQ(test, atom_uobj_put(16, &size, &answer, sizeof(answer)), -EFAULT);
}

static struct kunit_case atom_uapi_cases[] = {
	KUNIT_CASE(elements_of_an_equal_size_are_copied),
	KUNIT_CASE(shorter_elements_are_filled_with_zeros),
	KUNIT_CASE(longer_elements_must_end_in_zeros),
	KUNIT_CASE(strides_and_counts_beyond_the_limits_are_refused),
	KUNIT_CASE(an_answer_tells_its_size_and_fills_what_is_longer),
	{}
};

static struct kunit_suite atom_uapi_suite = {
	.name = "atom_uapi",
	.test_cases = atom_uapi_cases,
};

kunit_test_suite(atom_uapi_suite);
