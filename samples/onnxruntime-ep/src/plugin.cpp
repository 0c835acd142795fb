// SPDX-License-Identifier: MIT
// What the library exports.
#include <cstring>
#include <set>

#include "atom_ort_ep.h"
#include "factory.hpp"
#include "statistics.hpp"

namespace {

std::mutex mutex;
std::set<const atom_ort::factory *> factories;

} // namespace

extern "C" {

OrtStatus *CreateEpFactories(const char * /*registration_name*/, const OrtApiBase *base,
                             const OrtLogger * /*log*/, OrtEpFactory **made, std::size_t made_max,
                             std::size_t *made_count)
{
	const OrtApi *api = base->GetApi(ORT_API_VERSION);
	if (api == nullptr) {
		const std::string text = "the provider for ATOM NPUs needs ONNX Runtime 1." +
		                         std::to_string(ORT_API_VERSION) + " or later; this is " +
		                         base->GetVersionString();
		return base->GetApi(1)->CreateStatus(ORT_NOT_IMPLEMENTED, text.c_str());
	}
	Ort::InitApi(api);
	return atom_ort::guarded([&] {
		if (made_max == 0)
			throw Ort::Exception("room for one factory is needed",
			                     ORT_INVALID_ARGUMENT);
		auto f = std::make_unique<atom_ort::factory>();
		const std::lock_guard lock(mutex);
		factories.insert(f.get());
		made[0] = f.release();
		*made_count = 1;
	});
}

OrtStatus *ReleaseEpFactory(OrtEpFactory *f)
{
	auto *own = static_cast<atom_ort::factory *>(f);
	const std::lock_guard lock(mutex);
	factories.erase(own);
	delete own;
	return nullptr;
}

void atom_ort_ep_get_statistics(atom_ort_ep_statistics *to, size_t bytes)
{
	atom_ort_ep_statistics now = atom_ort::counted();
	const std::lock_guard lock(mutex);
	for (const atom_ort::factory *f : factories)
		for (const auto &n : f->npus())
			if (const auto device = n->current()) {
				std::error_code error; // a device that is lost has used none
				now.energy_uj +=
					device->device.read_telemetry(error).energy_microjoules;
				now.weight_bytes += device->weights.bytes();
			}
	std::memcpy(to, &now, std::min(bytes, sizeof(now)));
}

} // extern "C"
