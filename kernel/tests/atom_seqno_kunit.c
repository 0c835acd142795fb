// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <kunit/test.h>

#include "../atom_seqno.h"

static void a_number_between_completed_and_emitted_is_credible(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(5, 5, 9));
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(7, 5, 9));
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(9, 5, 9));
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(0, 0, 0));
}

static void a_number_that_goes_back_or_ahead_is_not(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(4, 5, 9));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(10, 5, 9));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(0, 5, 9));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(1, 0, 0));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(U64_MAX, 0, 256));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(1ull << 32, 5, 9));
}

static void the_count_may_wrap(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(U64_MAX, U64_MAX - 1, 3));
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(0, U64_MAX - 1, 3));
	KUNIT_EXPECT_TRUE(test, atom_seqno_is_credible(3, U64_MAX - 1, 3));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(4, U64_MAX - 1, 3));
	KUNIT_EXPECT_FALSE(test, atom_seqno_is_credible(U64_MAX - 2, U64_MAX - 1, 3));
}

static void the_first_job_has_the_first_slot_and_the_ring_goes_round(struct kunit *test)
{
	u64 seqno;

	for (seqno = 1; seqno <= 600; seqno++)
		KUNIT_EXPECT_EQ(test, atom_seqno_slot(seqno, 256), (u32)((seqno - 1) % 256));
	KUNIT_EXPECT_EQ(test, atom_seqno_slot(0, 256), 255u);
	KUNIT_EXPECT_EQ(test, atom_seqno_slot(1, 1), 0u);
}

static struct kunit_case atom_seqno_cases[] = {
	KUNIT_CASE(a_number_between_completed_and_emitted_is_credible),
	KUNIT_CASE(a_number_that_goes_back_or_ahead_is_not),
	KUNIT_CASE(the_count_may_wrap),
	KUNIT_CASE(the_first_job_has_the_first_slot_and_the_ring_goes_round),
	{}
};

static struct kunit_suite atom_seqno_suite = {
	.name = "atom_seqno",
	.test_cases = atom_seqno_cases,
};

kunit_test_suite(atom_seqno_suite);
