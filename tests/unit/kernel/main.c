/* SPDX-License-Identifier: MIT */
/* Runs the suite of one KUnit source: kernel_test_SUITE [CASE]. */
#include <kunit/test.h>

extern struct kunit_suite *const SUITE;

static bool passes(const struct kunit_suite *suite, const struct kunit_case *one)
{
	struct kunit test = { 0 };

	if (!setjmp(test.end)) {
		if (suite->init && suite->init(&test))
			test.failed = true;
		else
			one->run(&test);
	}
	if (suite->exit)
		suite->exit(&test);
	while (test.owned_count)
		free(test.owned[--test.owned_count]);
	return !test.failed;
}

int main(int argc, char **argv)
{
	int failed = 0, ran = 0;

	for (const struct kunit_case *one = SUITE->test_cases; one->run; one++) {
		if (argc > 1 && strcmp(argv[1], one->name))
			continue;
		bool good = passes(SUITE, one);

		printf("%sok %d %s.%s\n", good ? "" : "not ", ++ran, SUITE->name, one->name);
		failed += !good;
	}
	return failed || !ran;
}
