// SPDX-License-Identifier: MIT
#include "log.hpp"

#include <cstdio>
#include <mutex>

#include <llama.h>

namespace chat {
namespace {

struct {
	std::mutex mutex;
	bool show = false;
	bool in_error = false; ///< the line that is being written is one
	std::string error;
} state;

void write(ggml_log_level level, const char *text, void * /*unused*/)
{
	const std::lock_guard lock(state.mutex);
	if (state.show)
		std::fputs(text, stderr);
	if (level != GGML_LOG_LEVEL_CONT)
		state.in_error = level == GGML_LOG_LEVEL_ERROR;
	if (!state.in_error)
		return;
	if (level == GGML_LOG_LEVEL_ERROR)
		state.error.clear();
	state.error += text;
}

} // namespace

void take_log(bool show)
{
	state.show = show;
	llama_log_set(write, nullptr);
}

std::string last_error(const std::string &otherwise)
{
	const std::lock_guard lock(state.mutex);
	const auto end = state.error.find_last_not_of('\n');
	return end == std::string::npos ? otherwise : state.error.substr(0, end + 1);
}

} // namespace chat
