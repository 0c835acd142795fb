// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What users hold of a device: accounts without a device.
 */
#include <kunit/test.h>
#include <linux/cred.h>

/* The functions under test, linked into this module too. */
#include "../atom_quota.c"

#define ALICE	1001
#define BOB	1002

static int atom_quota_test_init(struct kunit *test)
{
	struct atom_device *adev = kunit_kzalloc(test, sizeof(*adev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, adev);
	adev->limits.num_asids = 17;
	adev->limits.num_queues = 8;
	adev->vram.local_size = 1600;
	adev->vram.shm_size = 160;
	atom_quota_init(adev);
	test->priv = adev;
	return 0;
}

static void atom_quota_test_exit(struct kunit *test)
{
	struct atom_device *adev = test->priv;

	/* Who has nothing open has no account. */
	if (adev)
		KUNIT_EXPECT_TRUE(test, list_empty(&adev->quotas.users));
}

/* Become @uid, without privileges; with revert_creds() and put_cred() as before. */
static const struct cred *become(struct kunit *test, unsigned int uid, struct cred **as)
{
	*as = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, *as);
	(*as)->uid = KUIDT_INIT(uid);
	cap_lower((*as)->cap_effective, CAP_SYS_RESOURCE);
	return override_creds(*as);
}

static struct atom_quota *account_of(struct kunit *test, unsigned int uid)
{
	struct cred *as;
	const struct cred *before = become(test, uid, &as);
	struct atom_quota *quota = atom_quota_of_caller(test->priv);

	revert_creds(before);
	put_cred(as);
	KUNIT_ASSERT_NOT_NULL(test, quota);
	return quota;
}

static int take(struct kunit *test, struct atom_quota *quota, enum atom_quota_kind kind, u64 amount)
{
	struct cred *as;
	const struct cred *before = become(test, BOB, &as);
	int ret = atom_quota_take(quota, kind, amount);

	revert_creds(before);
	put_cred(as);
	return ret;
}

static void nobody_gets_all_at_first(struct kunit *test)
{
	struct atom_device *adev = test->priv;

	KUNIT_EXPECT_EQ(test, atom_quota_limit(adev, ATOM_QUOTA_CONTEXTS), 14ull);
	KUNIT_EXPECT_EQ(test, atom_quota_limit(adev, ATOM_QUOTA_QUEUES), 7ull);
	KUNIT_EXPECT_EQ(test, atom_quota_limit(adev, ATOM_QUOTA_LOCAL), 1500ull);
	KUNIT_EXPECT_EQ(test, atom_quota_limit(adev, ATOM_QUOTA_SHM), 150ull);
	KUNIT_EXPECT_LT(test, atom_quota_limit(adev, ATOM_QUOTA_SYSTEM),
			(u64)totalram_pages() << PAGE_SHIFT);
}

static void an_account_holds_exactly_its_limit(struct kunit *test)
{
	struct atom_quota *quota = account_of(test, ALICE);

	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, 1000), 0);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, 501), -ENOSPC);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, 500), 0);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, 0), 0);
	KUNIT_EXPECT_EQ(test, quota->held[ATOM_QUOTA_LOCAL], 1500ull);
	/* One kind is not another. */
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_SHM, 150), 0);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_SYSTEM, 1ull << 62), -ENOMEM);
	atom_quota_give(quota, ATOM_QUOTA_LOCAL, 1500);
	atom_quota_give(quota, ATOM_QUOTA_SHM, 150);
	atom_quota_put(quota);
}

static void amounts_near_the_end_of_numbers_do_not_wrap(struct kunit *test)
{
	struct atom_quota *quota = account_of(test, ALICE);

	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, 16), 0);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, U64_MAX), -ENOSPC);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_LOCAL, U64_MAX - 15), -ENOSPC);
	KUNIT_EXPECT_EQ(test, quota->held[ATOM_QUOTA_LOCAL], 16ull);
	atom_quota_give(quota, ATOM_QUOTA_LOCAL, 16);
	atom_quota_put(quota);
}

static void a_lower_limit_takes_nothing_away(struct kunit *test)
{
	struct atom_device *adev = test->priv;
	struct atom_quota *quota = account_of(test, ALICE);

	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_QUEUES, 5), 0);
	atom_quota_set_limit(adev, ATOM_QUOTA_QUEUES, 3);
	KUNIT_EXPECT_EQ(test, quota->held[ATOM_QUOTA_QUEUES], 5ull);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_QUEUES, 1), -ENOSPC);
	atom_quota_give(quota, ATOM_QUOTA_QUEUES, 3);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_QUEUES, 1), 0);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_QUEUES, 1), -ENOSPC);
	atom_quota_give(quota, ATOM_QUOTA_QUEUES, 3);
	atom_quota_put(quota);
}

static void files_of_a_user_share_an_account_and_users_do_not(struct kunit *test)
{
	struct atom_quota *first = account_of(test, ALICE), *second = account_of(test, ALICE);
	struct atom_quota *other = account_of(test, BOB);

	KUNIT_EXPECT_TRUE(test, first == second);
	KUNIT_EXPECT_FALSE(test, first == other);
	KUNIT_EXPECT_EQ(test, take(test, first, ATOM_QUOTA_CONTEXTS, 14), 0);
	KUNIT_EXPECT_EQ(test, take(test, second, ATOM_QUOTA_CONTEXTS, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, take(test, other, ATOM_QUOTA_CONTEXTS, 14), 0);
	atom_quota_give(other, ATOM_QUOTA_CONTEXTS, 14);
	atom_quota_put(other);
	/* A buffer keeps the account that its maker's last file has left. */
	KUNIT_EXPECT_TRUE(test, atom_quota_get(first) == first);
	atom_quota_put(first);
	atom_quota_put(second);
	KUNIT_EXPECT_EQ(test, first->held[ATOM_QUOTA_CONTEXTS], 14ull);
	atom_quota_give(first, ATOM_QUOTA_CONTEXTS, 14);
	atom_quota_put(first);
}

static void privilege_goes_beyond_and_is_counted(struct kunit *test)
{
	struct atom_quota *quota = account_of(test, ALICE);

	/* Tests run with all privileges. */
	KUNIT_EXPECT_EQ(test, atom_quota_take(quota, ATOM_QUOTA_SHM, 1000), 0);
	KUNIT_EXPECT_EQ(test, quota->held[ATOM_QUOTA_SHM], 1000ull);
	KUNIT_EXPECT_EQ(test, take(test, quota, ATOM_QUOTA_SHM, 1), -ENOSPC);
	atom_quota_give(quota, ATOM_QUOTA_SHM, 1000);
	atom_quota_put(quota);
}

static struct kunit_case atom_quota_cases[] = {
	KUNIT_CASE(nobody_gets_all_at_first),
	KUNIT_CASE(an_account_holds_exactly_its_limit),
	KUNIT_CASE(amounts_near_the_end_of_numbers_do_not_wrap),
	KUNIT_CASE(a_lower_limit_takes_nothing_away),
	KUNIT_CASE(files_of_a_user_share_an_account_and_users_do_not),
	KUNIT_CASE(privilege_goes_beyond_and_is_counted),
	{}
};

static struct kunit_suite atom_quota_suite = {
	.name = "atom_quota",
	.init = atom_quota_test_init,
	.exit = atom_quota_test_exit,
	.test_cases = atom_quota_cases,
};

kunit_test_suite(atom_quota_suite);
