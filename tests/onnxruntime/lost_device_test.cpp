// SPDX-License-Identifier: MIT
// Run with ATOM_DEVICE=model,inject=kind=link-down: the device goes as soon as it is turned on.
#include <gtest/gtest.h>

#include "models.hpp"
#include "runtime.hpp"

namespace {

TEST(LostDeviceTest, ADeviceThatIsGoneIsAnErrorThatSaysSo)
{
	try {
		Ort::Session s = runtime::load(models::multiply(), runtime::where::npu);
		std::vector<Ort::Value> input;
		input.push_back(runtime::noise({3, 64}));
		runtime::run(s, input);
		FAIL() << "it ran";
	} catch (const Ort::Exception &e) {
		EXPECT_NE(std::string(e.what()).find("model:0"), std::string::npos) << e.what();
	}
}

} // namespace
