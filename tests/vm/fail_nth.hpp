// SPDX-License-Identifier: MIT
// Makes the n-th allocation or copy of user memory in a system call of this thread fail (debug kernel only).
#pragma once

namespace vmtest {

class fail_nth {
public:
	/** Whether this kernel can, and is set to fail allocations of every kind without a word in its log. */
	static bool works();

	fail_nth();
	fail_nth(fail_nth &&) = delete;
	~fail_nth();
	/** The @p n-th from now on, counted from 1, fails. */
	void arm(unsigned n);
	/** Nothing fails any more. @return whether it has failed meanwhile */
	bool disarm();

private:
	int fd_;
};

} // namespace vmtest
