// SPDX-License-Identifier: MIT
// A device that goes as soon as it is turned on; told in ATOM_DEVICE.
#include <gtest/gtest.h>

#include "layers.hpp"

namespace ort_test {
namespace {

TEST(lost_test, a_device_that_is_gone_is_an_error_that_names_it)
{
	const temporary_folder folder;
	const std::string file = folder.write("layers.onnx", layers(2, 64));
	try {
		Ort::Session npu = open(file, processor::npu);
		run_layers(npu, rows_of(3, 64, 1));
		FAIL() << "it ran";
	} catch (const Ort::Exception &e) {
		EXPECT_NE(std::string(e.what()).find("model:0"), std::string::npos) << e.what();
	}
}

} // namespace
} // namespace ort_test
