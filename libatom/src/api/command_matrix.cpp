// SPDX-License-Identifier: MIT
// The commands of the matrix unit.
#include <algorithm>
#include <cmath>
#include <string>

#include "core/encoder.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

} // namespace

command_builder &command_builder::gemm(const tensor &a, const tensor &b, const tensor &out,
                                       const gemm_options &options)
{
	command c(impl_, "gemm", ATOM_OP_GEMM);
	const unsigned r = out.rank();
	c.check(r >= 2 && a.rank() == r && b.rank() == r,
	        "a, b and out must have the same rank, 2 to 5");
	const auto leading = [r](const tensor &t) { return t.dims().subspan(0, r - 2); };
	const auto same = [](span<const std::uint64_t> x, span<const std::uint64_t> y) {
		return std::equal(x.begin(), x.end(), y.begin(), y.end());
	};
	const std::uint64_t rows = out.dims()[r - 2];
	const std::uint64_t columns = out.dims()[r - 1];
	if (a.dims()[r - 2] != rows || b.dims()[r - 1] != columns ||
	    a.dims()[r - 1] != b.dims()[r - 2] || !same(leading(a), leading(out)) ||
	    !same(leading(b), leading(out)))
		c.fail(errc::invalid_argument,
		       "dimensions do not fit: a " + core::to_string(a.dims()) + ", b " +
		               core::to_string(b.dims()) + ", out " + core::to_string(out.dims()) +
		               "; needed: [.., m, k], [.., k, n], [.., m, n]");
	c.check(std::isfinite(options.alpha), "alpha is not finite");
	atom_cmd_gemm e{};
	e.alpha = options.alpha;
	e.a = c.encode(a, use::input, "a");
	e.b = c.encode(b, use::input, "b");
	e.out = c.encode(out, use::output, "out");
	e.epilogue = c.encode(options.epilogue, out);
	c.append(e,
	         static_cast<std::uint16_t>((options.quantise_activations ? ATOM_GEMM_ACT_Q8 : 0) |
	                                    (options.constant_b ? ATOM_GEMM_B_CONSTANT : 0)));
	return *this;
}

} // namespace v1
} // namespace atom
