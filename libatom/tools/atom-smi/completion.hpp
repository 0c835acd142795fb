// SPDX-License-Identifier: MIT
// Completion for shells, made from the options that the program itself has.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace smi {

/** Script for @p shell: "bash", "zsh" or "fish"; to be sourced or installed as "atom-smi". */
std::string completion_script(const CLI::App &app, const std::string &shell);

} // namespace smi
