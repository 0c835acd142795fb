// SPDX-License-Identifier: MIT
// The commands of a program before memory is planned: each says which bytes of which storages
// it reads and writes, so that the plan can put barriers and share memory.
#ifndef ATOM_ONNX_RECORDER_HPP
#define ATOM_ONNX_RECORDER_HPP

#include <functional>
#include <map>
#include <vector>

#include "atom/command.hpp"
#include "view.hpp"

namespace atom_onnx {

struct storage {
	enum class kind {
		input,    ///< an input of the program
		output,   ///< an output of the program
		constant, ///< bytes that are known now
		scratch,  ///< lives from its first command to its last
	} of = kind::scratch;
	int index = 0;                ///< of input and output
	std::int64_t bytes = 0;
	std::vector<std::byte> data{}; ///< of constant
};

/** Where views lie, once memory is planned. */
class placement_map {
public:
	virtual ~placement_map() = default;
	[[nodiscard]] virtual atom::location locate(int storage) const = 0;
	/** The view as the device wants it. */
	[[nodiscard]] atom::tensor operator()(const view &v) const;
};

struct access {
	int storage;
	extent range;
	bool write;
};

struct command {
	std::function<void(atom::command_builder &, const placement_map &)> emit;
	std::vector<access> accesses;
	int group = 0; ///< commands of one group other than 0 are independent of each other
	int node = 0;  ///< tag: index of the node that it was lowered from
};

class recorder {
public:
	int add_storage(storage::kind of, std::int64_t bytes, int index = 0);
	/** The same bytes give the same storage. */
	int add_constant(std::vector<std::byte> data);
	/**
	 * Whether all bytes of @p v are known now, its channels' scales and zero points too. No
	 * command writes them, and the program's memory for them holds nothing else.
	 */
	[[nodiscard]] bool is_constant(const view &v) const;
	/** What was scratch is written to an output instead. */
	void make_output(int storage, int index);

	/** @p reads and @p writes: all views that the command touches. */
	void add(std::function<void(atom::command_builder &, const placement_map &)> emit,
	         const std::vector<view> &reads, const std::vector<view> &writes);

	void begin_group() { group_ = ++groups_; }
	void end_group() { group_ = 0; }
	void set_node(int node) { node_ = node; }

	[[nodiscard]] const std::vector<storage> &storages() const { return storages_; }
	[[nodiscard]] const std::vector<command> &commands() const { return commands_; }

private:
	std::vector<storage> storages_;
	std::vector<command> commands_;
	std::multimap<std::size_t, int> constants_; // hash of the bytes -> storage
	int groups_ = 0;
	int group_ = 0;
	int node_ = 0;
};

/** begin_group() and end_group(). */
class independent {
public:
	explicit independent(recorder &r) : recorder_(r) { r.begin_group(); }
	independent(const independent &) = delete;
	independent &operator=(const independent &) = delete;
	~independent() { recorder_.end_group(); }

private:
	recorder &recorder_;
};

} // namespace atom_onnx

#endif
