// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace chat {
namespace {

/** @p total for one token, scaled. */
double each(std::uint64_t total, double scale, const phase &p)
{
	return static_cast<double>(total) * scale /
	       static_cast<double>(std::max<std::size_t>(p.tokens, 1));
}

double device_ms(const phase &p) { return each(p.npu.busy_ns, 1e-6, p); }
double modelled_ms(const phase &p) { return each(p.npu.modelled_ns, 1e-6, p); }
double energy_mj(const phase &p) { return each(p.npu.energy_uj, 1e-3, p); }

nlohmann::ordered_json to_json(const phase &p, bool on_npu)
{
	nlohmann::ordered_json out{{"tokens", p.tokens},
	                           {"seconds", p.seconds},
	                           {"tokens_per_second", p.tokens_per_second()}};
	if (on_npu) {
		out["device_ms_per_token"] = device_ms(p);
		out["modelled_ms_per_token"] = modelled_ms(p);
		out["energy_mj_per_token"] = energy_mj(p);
	}
	return out;
}

} // namespace

double phase::tokens_per_second() const
{
	return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

std::string report::sentence() const
{
	std::ostringstream text;
	text << std::fixed << std::setprecision(1) << model << " on " << device << ": "
	     << graph.on_npu << " of " << graph.operators << " operators on the NPU; prompt of "
	     << prompt.tokens << " tokens " << prompt.tokens_per_second() << " tokens/s, answer of "
	     << answer.tokens << " tokens " << answer.tokens_per_second() << " tokens/s";
	if (on_npu)
		text << "; for a token " << device_ms(answer) << " ms of the device, "
		     << std::setprecision(2) << modelled_ms(answer) << " ms modelled on silicon, "
		     << std::setprecision(1) << energy_mj(answer) << " mJ";
	return text.str();
}

nlohmann::ordered_json report::json() const
{
	return {{"model", model},
	        {"device", device},
	        {"operators", graph.operators},
	        {"operators_on_npu", graph.on_npu},
	        {"multiplications", graph.products},
	        {"multiplications_on_npu", graph.products_on_npu},
	        {"prompt", to_json(prompt, on_npu)},
	        {"generation", to_json(answer, on_npu)}};
}

} // namespace chat
