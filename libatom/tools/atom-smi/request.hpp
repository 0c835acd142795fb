// SPDX-License-Identifier: MIT
// What every command is asked for, and how it answers.
#pragma once

#include <chrono>
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
	std::chrono::milliseconds interval{1000}; ///< events, top: between two looks
	unsigned count = 0;                       ///< top: looks before it ends; 0: no end
	bool follow = false;                      ///< events: go on as they happen
	std::string listen;                       ///< metrics: "[HOST:]PORT"; empty: print once
	bool force = false;                       ///< reset: although programs use the device
	bool quick = false;                       ///< validate: less data
	std::string setting;                      ///< set: which; empty: list them
	std::string value;                        ///< set: to what
};

/** The one device that is meant: of several, --device must say which. Throws failure. */
npu select_one(const request &r);

/** The beginning of every answer in JSON: schema, command, time. */
nlohmann::ordered_json answer(const char *command);

/** Prints an answer. */
void print(const nlohmann::ordered_json &answer);

/** Prints an answer on one line: of many, one after the other. */
void print_line(const nlohmann::ordered_json &answer);

/** The devices for JSON. */
nlohmann::ordered_json to_json(const std::vector<npu> &devices);
nlohmann::ordered_json to_json(const std::vector<client> &clients);

/** Those clients whose device is among @p devices. */
std::vector<client> clients_of(const std::vector<npu> &devices, std::vector<client> clients);

/** Index of the client's device as text, or "-". */
std::string index_text(const std::vector<npu> &devices, const client &c);

} // namespace smi
