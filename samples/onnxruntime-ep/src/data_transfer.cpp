// SPDX-License-Identifier: MIT
#include "data_transfer.hpp"

#include <cstring>

#include "allocator.hpp"

namespace atom_ort {
namespace {

bool is_cpu(const OrtMemoryDevice *where)
{
	return Ort::GetEpApi().MemoryDevice_GetDeviceType(where) == OrtMemoryInfoDeviceType_CPU;
}

[[noreturn]] void fail(const std::string &what) { throw Ort::Exception(what, ORT_EP_FAIL); }

} // namespace

data_transfer::data_transfer(const std::vector<std::unique_ptr<npu>> &all)
	: OrtDataTransferImpl{}, npus_(all)
{
	ort_version_supported = ORT_API_VERSION;
	Release = [](OrtDataTransferImpl *t) noexcept { delete static_cast<data_transfer *>(t); };
	CanCopy = [](const OrtDataTransferImpl *t, const OrtMemoryDevice *from,
	             const OrtMemoryDevice *to) noexcept {
		const auto &self = *static_cast<const data_transfer *>(t);
		const bool from_npu = self.owner(from) != nullptr;
		const bool to_npu = self.owner(to) != nullptr;
		return (from_npu || is_cpu(from)) && (to_npu || is_cpu(to)) && (from_npu || to_npu);
	};
	CopyTensors = [](OrtDataTransferImpl *t, const OrtValue **from, OrtValue **to,
	                 OrtSyncStream ** /*streams*/, std::size_t count) noexcept {
		return guarded([&] {
			for (std::size_t i = 0; i < count; ++i)
				static_cast<const data_transfer *>(t)->copy(from[i], to[i]);
		});
	};
}

npu *data_transfer::owner(const OrtMemoryDevice *where) const
{
	for (const auto &n : npus_)
		if (is_memory_of(where, *n))
			return n.get();
	return nullptr;
}

// By the CPU, through the mapping, once the jobs that use the memory are done: blocks know them, whatever
// stream they were submitted to.
void data_transfer::copy(const OrtValue *from, OrtValue *to) const
{
	const Ort::ConstValue source(from);
	Ort::UnownedValue target(to);
	const std::size_t bytes = source.GetTensorSizeInBytes();
	if (bytes == 0)
		return;
	if (target.GetTensorSizeInBytes() < bytes)
		fail("a tensor of " + std::to_string(bytes) + " bytes does not fit into its copy");
	const void *source_address = source.GetTensorRawData();
	void *target_address = target.GetTensorMutableRawData();
	npu *const target_npu = owner(Ort::GetEpApi().Value_GetMemoryDevice(to));
	if (target_address == nullptr)
		fail("no device memory for a tensor: " +
		     (target_npu != nullptr ? target_npu->memory_error() : ""));
	if (source_address == nullptr)
		fail("a tensor without memory cannot be copied");
	if (npu *n = owner(Ort::GetEpApi().Value_GetMemoryDevice(from)))
		if (const auto at = n->memory().find(source_address))
			at->where->wait();
	if (target_npu != nullptr)
		if (const auto at = target_npu->memory().find(target_address))
			at->where->wait_until_free();
	std::memmove(target_address, source_address, bytes);
}

} // namespace atom_ort
