// SPDX-License-Identifier: MIT
#include <exception>

#include "c/border.hpp"

namespace atom::c {
namespace {

// Of a fixed size: telling of an error must not fail.
thread_local char last_error[512] = "";

void note(const char *sentence) noexcept
{
	std::strncpy(last_error, sentence, sizeof(last_error) - 1);
}

} // namespace

int note_error(const std::error_code &code, const char *sentence) noexcept
{
	note(sentence);
	return number_of(code);
}

int number_of(const std::error_code &code) noexcept
{
	if (code.category() == error_category())
		return -code.value();
	return code ? ATOM_ERROR_SYSTEM - code.value() : ATOM_OK;
}

int note_exception() noexcept
{
	try {
		throw;
	} catch (const std::system_error &e) {
		return note_error(e.code(), e.what());
	} catch (const std::bad_alloc &) {
		note("out of system memory");
		return ATOM_ERROR_OUT_OF_HOST_MEMORY;
	} catch (const std::exception &e) {
		note(e.what());
	} catch (...) {
		note("an unknown exception");
	}
	return ATOM_ERROR_INVALID_ARGUMENT;
}

} // namespace atom::c

const char *atom_last_error(void) { return atom::c::last_error; }

const char *atom_error_text(int error)
{
	if (error == ATOM_OK)
		return "no error";
	if (error <= ATOM_ERROR_SYSTEM)
		return "an error of the system";
	const char *text = atom::core::text_of(static_cast<atom::errc>(-error));
	return text != nullptr ? text : "unknown error";
}
