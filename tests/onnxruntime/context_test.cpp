// SPDX-License-Identifier: MIT
// Sessions that save their compiled form, and those that load it.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "models.hpp"
#include "runtime.hpp"

namespace {

namespace fs = std::filesystem;
using runtime::where;

class ContextTest : public testing::TestWithParam<const char *> {
protected:
	void SetUp() override
	{
		folder_ = fs::path(testing::TempDir()) /
		          ("atom-context-" + std::to_string(getpid()));
		fs::create_directories(folder_);
	}
	void TearDown() override { fs::remove_all(folder_); }

	[[nodiscard]] std::string model() const { return folder_ / "model_ctx.onnx"; }
	void save(const std::string &embedded) const
	{
		runtime::load(models::multiply(), where::npu,
		              {{"ep.context_enable", "1"},
		               {"ep.context_file_path", model()},
		               {"ep.context_embed_mode", embedded}});
	}
	[[nodiscard]] fs::path compiled_file() const
	{
		for (const auto &f : fs::directory_iterator(folder_))
			if (f.path().extension() == ".atom")
				return f.path();
		return {};
	}
	/** The error of a session whose compiled form holds @p bytes. */
	[[nodiscard]] std::string error_with(const std::string &bytes) const
	{
		std::ofstream(compiled_file(), std::ios::binary) << bytes;
		try {
			runtime::load_file(model(), where::npu);
		} catch (const Ort::Exception &e) {
			return e.what();
		}
		return "it was loaded";
	}
	[[nodiscard]] std::string compiled() const
	{
		std::ifstream file(compiled_file(), std::ios::binary);
		return {std::istreambuf_iterator<char>(file), {}};
	}

	fs::path folder_;
};

TEST_P(ContextTest, ASavedModelComputesTheSame)
{
	save(GetParam());
	std::vector<Ort::Value> input;
	input.push_back(runtime::noise({3, 64}));
	Ort::Session original = runtime::load(models::multiply(), where::npu);
	Ort::Session saved = runtime::load_file(model(), where::npu);
	EXPECT_EQ(runtime::difference(runtime::run(original, input)[0],
	                              runtime::run(saved, input)[0]),
	          0);
}

INSTANTIATE_TEST_SUITE_P(Both, ContextTest, testing::Values("0", "1"),
                         [](const auto &info) {
				 return info.param[0] == '1' ? "InTheModel" : "BesideTheModel";
			 });

using FileTest = ContextTest;

TEST_F(FileTest, ADamagedFormIsRefused)
{
	save("0");
	std::string bytes = compiled();
	bytes[bytes.size() / 2] ^= 1;
	EXPECT_NE(error_with(bytes).find("it is damaged"), std::string::npos);
}

TEST_F(FileTest, AFormThatEndsTooEarlyIsRefused)
{
	save("0");
	EXPECT_NE(error_with(compiled().substr(0, 100)).find("it is damaged"), std::string::npos);
	EXPECT_NE(error_with("").find("it is too short"), std::string::npos);
}

TEST_F(FileTest, AnotherVersionIsRefusedByItsNumber)
{
	save("0");
	std::string bytes = compiled();
	bytes[8] = 77;
	EXPECT_NE(error_with(bytes).find("it is of version 77"), std::string::npos);
}

TEST_F(FileTest, AForeignFileIsRefused)
{
	save("0");
	EXPECT_NE(error_with(std::string(4096, 'x')).find("not made by this provider"),
	          std::string::npos);
}

TEST_F(FileTest, AMissingFileIsNamed)
{
	save("0");
	const fs::path file = compiled_file();
	fs::remove(file);
	try {
		runtime::load_file(model(), where::npu);
		FAIL() << "it was loaded";
	} catch (const Ort::Exception &e) {
		EXPECT_NE(std::string(e.what()).find(file.filename()), std::string::npos);
	}
}

} // namespace
