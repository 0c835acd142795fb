// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "atom/context.hpp"
#include "atom/pool.hpp"
#include "atom_onnx/constant_pool.hpp"
#include "memory.hpp"

namespace atom_ort {

/** An NPU that was opened: one address space for all sessions, so that they share memory. */
struct opened {
	explicit opened(const std::string &path)
		: device(atom::device::open(path)), context(device),
		  spare(context,
	                {.memory = {.placement = atom::placement::local, .label = "onnxruntime"}}),
		  weights(context)
	{
	}
	atom::device device;
	atom::context context;
	atom::buffer_pool spare; ///< memory for tensors
	atom_onnx::constant_pool weights;
};

/**
 * One NPU of the machine. Opened when it is needed first, and again after it was lost. Lives as
 * long as the plug-in is loaded. Thread-safe.
 */
class npu {
public:
	npu(const atom::device_node &node, unsigned number) : node_(node), number_(number) {}

	/** @throws atom::system_error saying why it cannot be used */
	[[nodiscard]] std::shared_ptr<opened> open();
	/** What is open now, or nothing. */
	[[nodiscard]] std::shared_ptr<opened> current();

	[[nodiscard]] const atom::device_node &node() const { return node_; }
	/** As ONNX Runtime's memory has it. */
	[[nodiscard]] unsigned number() const { return number_; }
	[[nodiscard]] device_memory &memory() { return memory_; }

	/** Why memory could last not be had, for who finds none. */
	[[nodiscard]] std::string memory_error();
	void set_memory_error(const std::string &what);

private:
	atom::device_node node_;
	unsigned number_;
	device_memory memory_;
	std::mutex mutex_;
	std::shared_ptr<opened> opened_;
	std::string memory_error_;
};

} // namespace atom_ort
