# SPDX-License-Identifier: MIT
"""Runs a unittest program so that its last line is "N passed, N failed, N skipped", as all test runners of this project end."""

import sys
import unittest


class _Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    """Run the tests of __main__; exit with 0 only if some have passed and none has failed."""
    runner = unittest.TextTestRunner(sys.stdout, resultclass=_Result, verbosity=2)
    result = unittest.main(module="__main__", exit=False, testRunner=runner).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    sys.exit(0 if result.wasSuccessful() and result.passed else 1)
