// SPDX-License-Identifier: MIT
// The tests of libatom's API on the kernel's driver.
#include "api_fixture.hpp"

namespace atom::test {
namespace {

INSTANTIATE_TEST_SUITE_P(, the_api, testing::Values(behind{"driver", sys::real_os}), name_of);

} // namespace
} // namespace atom::test
