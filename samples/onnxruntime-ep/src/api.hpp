// SPDX-License-Identifier: MIT
// ONNX Runtime's interface, as it is handed to a plug-in: nothing is linked.
#pragma once

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT

#include <new>

#include "atom/error.hpp"
#include "atom_onnx/unsupported.hpp"

namespace atom_ort {

/** Runs @p f; what it throws becomes a status, as no exception may leave the plug-in. */
template <class F>
OrtStatus *guarded(F &&f) noexcept
{
	const auto failed = [](const char *what, OrtErrorCode code) {
		return Ort::GetApi().CreateStatus(code, what);
	};
	try {
		f();
		return nullptr;
	} catch (const Ort::Exception &e) {
		return failed(e.what(), e.GetOrtErrorCode());
	} catch (const atom_onnx::unsupported &e) {
		const bool invalid = e.why() == atom_onnx::reason::invalid_model;
		return failed(e.what(), invalid ? ORT_INVALID_GRAPH : ORT_NOT_IMPLEMENTED);
	} catch (const std::bad_alloc &) {
		return failed("the host is out of memory", ORT_EP_FAIL);
	} catch (const std::exception &e) {
		return failed(e.what(), ORT_EP_FAIL);
	}
}

} // namespace atom_ort
