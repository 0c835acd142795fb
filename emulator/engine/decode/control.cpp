/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

namespace atom::engine {

namespace {

/* Ordering and time are the model's; nothing is computed. */
class control final : public operation {
public:
	explicit control(std::vector<operand> operands) { operands_ = std::move(operands); }
	void run(std::uint64_t, memory &, scratch &) const override {}
};

} // namespace

std::unique_ptr<operation> decode_nop(parser &in)
{
	atom_cmd_nop c;
	if (!in.command(c, 0))
		return nullptr;
	return std::make_unique<control>(in.take_operands());
}

std::unique_ptr<operation> decode_fence(parser &in)
{
	atom_cmd_fence c;
	if (!in.command(c, 0))
		return nullptr;
	return std::make_unique<control>(in.take_operands());
}

std::unique_ptr<operation> decode_timestamp(parser &in)
{
	atom_cmd_timestamp c;
	std::size_t operand;
	if (!in.command(c, 0) ||
	    !in.read_ref(c.out, offsetof(atom_cmd_timestamp, out), sizeof(atom_timestamp), 8, ATOM_ACCESS_WRITE,
			 operand))
		return nullptr;
	return std::make_unique<control>(in.take_operands());
}

} // namespace atom::engine
