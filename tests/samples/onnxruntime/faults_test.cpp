// SPDX-License-Identifier: MIT
// A device that fails: the run says so, and the next one is right. Which fault is armed is told in ATOM_DEVICE.
#include <gtest/gtest.h>

#include "layers.hpp"

namespace ort_test {
namespace {

constexpr int width = 64;

class faults_test : public testing::Test {
protected:
	temporary_folder folder;
};

TEST_F(faults_test, a_run_that_fails_says_so_and_the_next_is_right)
{
	const std::string file = folder.write("layers.onnx", layers(2, width));
	Ort::Session npu = open(file, processor::npu);
	Ort::Session cpu = open(file, processor::cpu);
	int failed = 0;
	for (unsigned i = 0; i < 30; ++i) {
		const Ort::Value in = rows_of(4, width, i);
		try {
			const Ort::Value out = run_layers(npu, in);
			EXPECT_LT(relative_difference(out, run_layers(cpu, in)), 1e-4) << "run " << i;
		} catch (const Ort::Exception &e) {
			++failed;
			EXPECT_EQ(e.GetOrtErrorCode(), ORT_EP_FAIL) << e.what();
		}
	}
	EXPECT_EQ(failed, 1);
}

} // namespace
} // namespace ort_test
