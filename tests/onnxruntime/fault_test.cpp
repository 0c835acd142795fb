// SPDX-License-Identifier: MIT
// Run with ATOM_DEVICE=model,inject=..: the third job of the device fails.
#include <gtest/gtest.h>

#include "models.hpp"
#include "runtime.hpp"

namespace {

using runtime::where;

std::vector<Ort::Value> input()
{
	std::vector<Ort::Value> all;
	all.push_back(runtime::noise({3, 64}));
	return all;
}

TEST(FaultTest, AFailedJobIsAnErrorOfItsRunAndTheNextRunIsRight)
{
	Ort::Session s = runtime::load(models::multiply(), where::npu);
	const Ort::Value expected = std::move(runtime::run(s, input())[0]);
	runtime::run(s, input());
	try {
		runtime::run(s, input());
		FAIL() << "the third job did not fail";
	} catch (const Ort::Exception &e) {
		EXPECT_EQ(e.GetOrtErrorCode(), ORT_EP_FAIL);
		const std::string text = e.what();
		EXPECT_NE(text.find("NPU model:0, part "), std::string::npos) << text;
		EXPECT_NE(text.find("the next run starts anew"), std::string::npos) << text;
	}
	for (int i = 0; i < 3; ++i)
		EXPECT_EQ(runtime::difference(runtime::run(s, input())[0], expected), 0);
	EXPECT_EQ(runtime::statistics().failed, 1U);
}

} // namespace
