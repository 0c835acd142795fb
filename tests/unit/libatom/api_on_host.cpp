// SPDX-License-Identifier: MIT
// The tests of the API on the fake kernel, whose jobs are done at once, and on the in-process device,
// which works.
#include "api_fixture.hpp"
#include "fake_kernel.hpp"
#include "in_process.hpp"

namespace atom::test {
namespace {

std::shared_ptr<sys::os> fake_machine()
{
	return std::make_shared<fake_kernel>();
}

INSTANTIATE_TEST_SUITE_P(, the_api,
                         testing::Values(behind{"fake_kernel", fake_machine},
                                         behind{"in_process_device", in_process_machine}),
                         name_of);

} // namespace
} // namespace atom::test
