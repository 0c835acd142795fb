// SPDX-License-Identifier: MIT
#include "factory.hpp"

#include <onnxruntime_ep_device_ep_metadata_keys.h>

#include "atom/hw/pci.h"
#include "atom_ort_ep.h"
#include "compiled_form.hpp"
#include "data_transfer.hpp"
#include "provider.hpp"
#include "stream.hpp"

namespace atom_ort {
namespace {

constexpr const char *vendor = "ATOM";
// Key of a device's metadata and, with the prefix of the provider, of a session's options.
constexpr const char *device_key = "device";
constexpr const char *device_option = "ep.atomexecutionprovider.device";

bool is_npu(const OrtHardwareDevice *device)
{
	const Ort::ConstHardwareDevice d(device);
	return d.Type() == OrtHardwareDeviceType_NPU && d.VendorId() == ATOM_PCI_VENDOR_ID &&
	       d.DeviceId() == ATOM_PCI_DEVICE_ID_PF;
}

} // namespace

factory::factory() : OrtEpFactory{}
{
	std::error_code none; // no NPU is no error: the plug-in offers none
	for (const atom::device_node &node : atom::enumerate(none)) {
		npus_.push_back(std::make_unique<npu>(node, static_cast<unsigned>(npus_.size())));
		infos_.push_back(memory_info_of(*npus_.back()));
	}
	ort_version_supported = ORT_API_VERSION;
	GetName = [](const OrtEpFactory * /*f*/) noexcept -> const char * {
		return ATOM_ORT_EP_NAME;
	};
	GetVendor = [](const OrtEpFactory * /*f*/) noexcept -> const char * { return vendor; };
	GetVendorId = [](const OrtEpFactory * /*f*/) noexcept -> std::uint32_t {
		return ATOM_PCI_VENDOR_ID;
	};
	GetVersion = [](const OrtEpFactory * /*f*/) noexcept -> const char * { return "1.0.0"; };
	GetSupportedDevices = [](OrtEpFactory *f, const OrtHardwareDevice *const *devices,
	                         std::size_t count, OrtEpDevice **offered, std::size_t offered_max,
	                         std::size_t *offered_count) noexcept {
		return guarded([&] {
			*offered_count = self(f).offer(devices, count, offered, offered_max);
		});
	};
	CreateEp = [](OrtEpFactory *f, const OrtHardwareDevice *const * /*devices*/,
	              const OrtKeyValuePairs *const *metadata, std::size_t count,
	              const OrtSessionOptions *options, const OrtLogger *log,
	              OrtEp **made) noexcept {
		return guarded([&] { *made = self(f).create(metadata, count, options, log); });
	};
	ReleaseEp = [](OrtEpFactory * /*f*/, OrtEp *ep) noexcept {
		delete static_cast<provider *>(ep);
	};
	CreateAllocator = [](OrtEpFactory *f, const OrtMemoryInfo *memory,
	                     const OrtKeyValuePairs * /*options*/, OrtAllocator **made) noexcept {
		return guarded([&] {
			*made = new allocator(self(f).of_memory(
				Ort::GetEpApi().MemoryInfo_GetMemoryDevice(memory)));
		});
	};
	ReleaseAllocator = [](OrtEpFactory * /*f*/, OrtAllocator *a) noexcept {
		delete static_cast<allocator *>(a);
	};
	CreateDataTransfer = [](OrtEpFactory *f, OrtDataTransferImpl **made) noexcept {
		return guarded([&] { *made = new data_transfer(self(f).npus_); });
	};
	IsStreamAware = [](const OrtEpFactory * /*f*/) noexcept { return true; };
	CreateSyncStreamForDevice = [](OrtEpFactory *f, const OrtMemoryDevice *memory,
	                               const OrtKeyValuePairs * /*options*/,
	                               OrtSyncStreamImpl **made) noexcept {
		return guarded([&] { *made = new sync_stream(self(f).of_memory(memory).open()); });
	};
	ValidateCompiledModelCompatibilityInfo =
		[](OrtEpFactory * /*f*/, const OrtHardwareDevice *const * /*devices*/,
	           std::size_t /*count*/, const char *info,
	           OrtCompiledModelCompatibility *answer) noexcept -> OrtStatus * {
		*answer = info == std::to_string(compiled_form_version)
		                  ? OrtCompiledModelCompatibility_EP_SUPPORTED_OPTIMAL
		                  : OrtCompiledModelCompatibility_EP_UNSUPPORTED;
		return nullptr;
	};
}

npu &factory::find(const std::string &which)
{
	std::string known;
	for (const auto &n : npus_) {
		if (which == n->node().path || which == n->node().bdf ||
		    which == std::to_string(n->node().index))
			return *n;
		known += " " + n->node().path;
	}
	throw Ort::Exception("there is no NPU '" + which + "'" +
	                             (known.empty() ? "" : "; there are:" + known),
	                     ORT_INVALID_ARGUMENT);
}

npu &factory::of_memory(const OrtMemoryDevice *memory)
{
	for (const auto &n : npus_)
		if (is_memory_of(memory, *n))
			return *n;
	throw Ort::Exception("no NPU has this memory", ORT_INVALID_ARGUMENT);
}

OrtEpDevice *factory::offer_one(const OrtHardwareDevice *device, const npu &on)
{
	Ort::KeyValuePairs metadata;
	metadata.Add(device_key, on.node().path.c_str());
	OrtEpDevice *made = nullptr;
	Ort::ThrowOnError(
		Ort::GetEpApi().CreateEpDevice(this, device, metadata, nullptr, &made));
	Ort::EpDevice owner(made);
	Ort::ThrowOnError(
		Ort::GetEpApi().EpDevice_AddAllocatorInfo(made, infos_[on.number()]));
	return owner.release();
}

// ONNX Runtime lists what /sys/class/accel has, in the order of libatom. What it does not list, as a device
// inside of the process, is told to it as a virtual device.
std::size_t factory::offer(const OrtHardwareDevice *const *devices, std::size_t count,
                           OrtEpDevice **offered, std::size_t offered_max)
{
	std::vector<const OrtHardwareDevice *> listed;
	for (std::size_t i = 0; i < count; ++i)
		if (is_npu(devices[i]))
			listed.push_back(devices[i]);
	std::size_t made = 0;
	for (const auto &n : npus_) {
		if (made == offered_max)
			break;
		if (n->number() < listed.size() && !n->node().bdf.empty()) {
			offered[made++] = offer_one(listed[n->number()], *n);
			continue;
		}
		Ort::KeyValuePairs metadata;
		metadata.Add(kOrtHardwareDevice_MetadataKey_IsVirtual, "1");
		OrtHardwareDevice *device = nullptr;
		Ort::ThrowOnError(Ort::GetEpApi().CreateHardwareDevice(
			OrtHardwareDeviceType_NPU, ATOM_PCI_VENDOR_ID, ATOM_PCI_DEVICE_ID_PF,
			vendor, metadata, &device));
		virtual_devices_.push_back(device);
		offered[made++] = offer_one(device, *n);
	}
	return made;
}

OrtEp *factory::create(const OrtKeyValuePairs *const *metadata, std::size_t count,
                       const OrtSessionOptions *options, const OrtLogger *log)
{
	if (count != 1)
		throw Ort::Exception("a session runs on one NPU; " + std::to_string(count) +
		                             " were given",
		                     ORT_INVALID_ARGUMENT);
	const Ort::ConstSessionOptions session(options);
	std::string which = session.GetConfigEntryOrDefault(device_option, "");
	if (which.empty())
		which = Ort::ConstKeyValuePairs(metadata[0]).GetValue(device_key);
	npu &on = find(which);
	static_cast<void>(on.open()); // what is wrong is told now
	return new provider(on, context_options::of(session), Ort::Logger(log));
}

} // namespace atom_ort
