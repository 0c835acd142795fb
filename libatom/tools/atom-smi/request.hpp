// SPDX-License-Identifier: MIT
// What every command is asked for, and how it answers.
#pragma once

#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "client.hpp"
#include "npu.hpp"
#include "system_files.hpp"

namespace smi {

struct request {
	system_files files{"/"};
	std::string device; ///< empty: all
	bool json = false;
};

/** The beginning of every answer in JSON: schema, command, time. */
nlohmann::ordered_json answer(const char *command);

/** Prints an answer. */
void print(const nlohmann::ordered_json &answer);

/** The devices for JSON. */
nlohmann::ordered_json to_json(const std::vector<npu> &devices);
nlohmann::ordered_json to_json(const std::vector<client> &clients);

/** Those clients whose device is among @p devices. */
std::vector<client> clients_of(const std::vector<npu> &devices, std::vector<client> clients);

/** Index of the client's device as text, or "-". */
std::string index_text(const std::vector<npu> &devices, const client &c);

} // namespace smi
