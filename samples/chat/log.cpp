// SPDX-License-Identifier: MIT
#include "log.hpp"

#include <cstdio>
#include <mutex>
#include <vector>

#include <llama.h>

namespace chat {
namespace {

struct {
	std::mutex mutex;
	bool show = false;
	bool in_error = false; ///< the line that is being written is one
	std::vector<std::string> errors; ///< the lines of it
} state;

// What nobody asks for may not grow for ever.
constexpr std::size_t errors_max = 16;

std::string without_newline(const std::string &line)
{
	return line.substr(0, line.find_last_not_of('\n') + 1);
}

void write(ggml_log_level level, const char *text, void * /*unused*/)
{
	const std::lock_guard lock(state.mutex);
	if (state.show)
		std::fputs(text, stderr);
	if (level != GGML_LOG_LEVEL_CONT)
		state.in_error = level == GGML_LOG_LEVEL_ERROR;
	if (!state.in_error)
		return;
	if (level != GGML_LOG_LEVEL_ERROR && !state.errors.empty()) {
		state.errors.back() += text;
		return;
	}
	if (state.errors.size() == errors_max)
		state.errors.erase(state.errors.begin());
	state.errors.emplace_back(text);
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
	return state.errors.empty() ? otherwise : without_newline(state.errors.back());
}

void forget_errors()
{
	const std::lock_guard lock(state.mutex);
	state.errors.clear();
}

std::string all_errors(const std::string &otherwise)
{
	const std::lock_guard lock(state.mutex);
	std::string text;
	for (const std::string &line : state.errors)
		text += (text.empty() ? "" : "; ") + without_newline(line);
	return text.empty() ? otherwise : text;
}

} // namespace chat
