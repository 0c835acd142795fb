# SPDX-License-Identifier: MIT
"""Runs a unittest program so that its last line is "N passed, N failed, N skipped", as all test runners of this project end."""

import sys
import unittest


class _Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def take_option(name, otherwise):
    """The value behind NAME in the arguments, which unittest does not see then; OTHERWISE if it is not there."""
    if name not in sys.argv:
        return otherwise
    at = sys.argv.index(name)
    value = sys.argv[at + 1]
    del sys.argv[at:at + 2]
    return value


def main():
    """Run the tests of __main__; exit with 0 only if some have passed and none has failed."""
    runner = unittest.TextTestRunner(sys.stdout, resultclass=_Result, verbosity=2)
    result = unittest.main(module="__main__", exit=False, testRunner=runner).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    sys.exit(0 if result.wasSuccessful() and result.passed else 1)
