// SPDX-License-Identifier: MIT
#include "core/encoder.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/access.hpp"
#include "core/failure.hpp"

namespace atom::core {

static_assert(std::endian::native == std::endian::little,
              "the device reads what is written here: little-endian");
static_assert(rank_max == ATOM_RANK_MAX);
static_assert(static_cast<int>(dtype::q4_1) == ATOM_DTYPE_Q4_1 &&
              static_cast<int>(dtype::f32) == ATOM_DTYPE_F32 &&
              static_cast<int>(dtype::i64) == ATOM_DTYPE_I64);
static_assert(static_cast<int>(function::gelu_quick) == ATOM_FN_GELU_QUICK &&
              static_cast<int>(function::is_inf) + 1 == ATOM_FN_COUNT &&
              static_cast<int>(function::atanh) == ATOM_FN_ATANH);
static_assert(static_cast<int>(binary_kind::shr) == ATOM_BINARY_SHR &&
              static_cast<int>(binary_kind::logical_xor) == ATOM_BINARY_LOGICAL_XOR &&
              static_cast<int>(binary_kind::atan2) == ATOM_BINARY_ATAN2);
static_assert(static_cast<int>(quantisation::block) == ATOM_QUANT_BLOCK);

namespace {

// Offsets and strides are 64-bit; their sums are not.
__extension__ using wide = __int128;

struct extent {
	wide low = 0;  // bytes before element (0, 0, ..)
	wide high = 0; // bytes behind its start, that element included
};

extent extent_of(const tensor &t)
{
	extent e;
	const std::uint32_t block = block_elements(t.type());
	const bool blocks = access::quant(t) == quantisation::block;
	for (unsigned i = 0; i < t.rank(); ++i) {
		const std::uint64_t steps =
			blocks && i == access::axis(t) ? t.dims()[i] / block : t.dims()[i];
		const wide reach = static_cast<wide>(steps - 1) * t.strides()[i];
		(reach < 0 ? e.low : e.high) += reach;
	}
	e.low = -e.low;
	e.high += block_bytes(t.type());
	return e;
}

} // namespace

std::string to_string(span<const std::uint64_t> dims)
{
	std::string text = "[";
	for (std::size_t i = 0; i < dims.size(); ++i)
		text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
	return text + "]";
}

encoder::encoder(std::shared_ptr<core::context> ctx)
	: context_(std::move(ctx)), bytes_(sizeof(atom_cmdbuf_header))
{
}

std::shared_ptr<command_memory> encoder::finish()
{
	if (commands_ == 0)
		core::fail(errc::invalid_argument, "finish command buffer: it has no command");
	if (argument_bytes_.size() > info().arguments_max)
		core::fail(errc::too_large,
		           "finish command buffer: slot " + std::to_string(argument_bytes_.size()) +
		                   " is beyond the device's limit of " +
		                   std::to_string(info().arguments_max) + " arguments");
	atom_cmdbuf_header header{};
	header.magic = ATOM_CMDBUF_MAGIC;
	header.major = ATOM_CMDBUF_MAJOR;
	header.minor = ATOM_CMDBUF_MINOR;
	header.bytes = static_cast<std::uint32_t>(bytes_.size());
	header.commands = commands_;
	header.slots = static_cast<std::uint32_t>(argument_bytes_.size() + 1);
	std::memcpy(bytes_.data(), &header, sizeof(header));

	auto done = std::make_shared<command_memory>();
	buffer_options options;
	options.label = "command buffer";
	done->memory = std::make_unique<bo>(context_, bytes_.size(), options,
	                                    device_access::read_only);
	done->bytes = done->memory->map();
	std::memcpy(done->bytes, bytes_.data(), bytes_.size());
	done->size = header.bytes;
	done->commands = commands_;
	done->argument_bytes = std::move(argument_bytes_);
	done->buffers = std::move(buffers_);
	return done;
}

encoder &live(const std::unique_ptr<encoder> &e)
{
	if (!e)
		fail(errc::invalid_argument,
		     "command builder: it was moved from or finished; make a new one");
	return *e;
}

command::command(const std::unique_ptr<encoder> &target, const char *name, atom_opcode opcode)
	: target_(live(target)), name_(name), opcode_(static_cast<std::uint16_t>(opcode))
{
	if (!target_.info().has_opcode(static_cast<std::uint8_t>(opcode_)))
		fail(errc::unsupported, "this device does not have the command");
}

void command::fail(errc code, const std::string &why) const
{
	core::fail(code, std::string(name_) + " (command " + std::to_string(target_.commands_) +
	                         "): " + why);
}

void command::check_same_dims(const tensor &a, const tensor &b, const char *names) const
{
	if (!std::equal(a.dims().begin(), a.dims().end(), b.dims().begin(), b.dims().end()))
		fail(errc::invalid_argument,
		     std::string(names) + " differ in dimensions: " + to_string(a.dims()) +
		             " and " + to_string(b.dims()));
}

void command::check_dims(const tensor &t, span<const std::uint64_t> needed, const char *part) const
{
	if (!std::equal(t.dims().begin(), t.dims().end(), needed.begin(), needed.end()))
		fail(errc::invalid_argument, std::string(part) + " has dimensions " +
		                                     to_string(t.dims()) +
		                                     "; needed: " + to_string(needed));
}

void command::check_index(const tensor &t, const char *part) const
{
	if (t.type() != dtype::i32 && t.type() != dtype::i64)
		fail(errc::invalid_argument,
		     std::string(part) + " is of type " + name_of(t.type()) + ", not i32 or i64");
}

std::uint64_t command::reach(const location &where, std::int64_t shift, std::uint64_t low,
                             std::uint64_t high, const char *part)
{
	const auto &memory = access::memory(where.view());
	const wide start = static_cast<wide>(where.offset()) + shift;
	const wide first = start - low;
	const wide end = start + high;
	if (where.slot_number() != 0) {
		if (where.slot_number() >= ATOM_SLOTS_MAX)
			fail(errc::too_large,
			     std::string(part) + ": slot " + std::to_string(where.slot_number()) +
			             " is beyond the last, " + std::to_string(ATOM_SLOTS_MAX - 1));
		if (first < 0 || end > static_cast<wide>(INT64_MAX))
			fail(errc::out_of_range,
			     std::string(part) + ": it reaches outside of every possible argument");
		slots_.emplace_back(where.slot_number(), static_cast<std::uint64_t>(end));
		return static_cast<std::uint64_t>(start);
	}
	if (!memory)
		fail(errc::invalid_argument,
		     std::string(part) +
		             ": it is in no buffer and in no slot (slots count from 1)");
	if (memory->ctx() != target_.context_)
		fail(errc::wrong_context, std::string(part) + ": its buffer is of another context");
	if (first < 0 || end > static_cast<wide>(where.view().size()))
		fail(errc::out_of_range, std::string(part) +
		                                 ": it reaches outside of its view of " +
		                                 std::to_string(where.view().size()) + " bytes");
	buffers_.push_back(memory);
	return where.view().device_address() + static_cast<std::uint64_t>(start);
}

atom_ref command::encode(const location &where, std::uint64_t bytes, std::uint64_t alignment,
                         const char *part)
{
	atom_ref ref{};
	ref.slot = where.slot_number();
	ref.offset = reach(where, 0, 0, bytes, part);
	if (ref.offset % alignment != 0)
		fail(errc::invalid_argument, std::string(part) +
		                                     ": its address is no multiple of " +
		                                     std::to_string(alignment));
	return ref;
}

void command::encode_quantisation(const tensor &t, atom_quant &out, const char *part)
{
	out.kind = static_cast<std::uint8_t>(access::quant(t));
	switch (access::quant(t)) {
	case quantisation::none:
		break;
	case quantisation::per_tensor:
		out.scale = access::scale(t);
		out.zero_point = static_cast<std::uint32_t>(access::zero_point(t));
		break;
	case quantisation::per_channel: {
		const std::uint64_t bytes = 4 * t.dims()[access::axis(t)];
		out.axis = static_cast<std::uint8_t>(access::axis(t));
		const atom_ref scales = encode(access::scales(t), bytes, 4, part);
		out.slot = scales.slot;
		out.scale_offset = scales.offset;
		if (access::has_zero_points(t)) {
			out.flags = ATOM_QUANT_ZERO_POINTS;
			out.zero_point_offset =
				encode(access::zero_points(t), bytes, 4, part).offset;
		}
		break;
	}
	case quantisation::block:
		out.axis = static_cast<std::uint8_t>(access::axis(t));
		break;
	}
}

atom_tensor command::encode(const tensor &t, use how, const char *part)
{
	const std::uint32_t unit = block_bytes(t.type());
	check(unit != 0, "a tensor has no element type");
	const bool blocks = block_elements(t.type()) > 1;
	const std::int64_t alignment = blocks ? 2 : unit;
	if (!target_.info().has_dtype(t.type()))
		fail(errc::unsupported,
		     std::string(part) + ": this device does not have type " + name_of(t.type()));
	atom_tensor out{};
	out.slot = t.where().slot_number();
	out.dtype = static_cast<std::uint8_t>(t.type());
	out.rank = static_cast<std::uint8_t>(t.rank());
	for (unsigned i = 0; i < t.rank(); ++i) {
		const std::int64_t stride = t.strides()[i];
		out.dims[i] = t.dims()[i];
		out.strides[i] = static_cast<std::uint64_t>(stride);
		const std::string which = std::string(part) + ": stride " + std::to_string(i) +
		                          ", " + std::to_string(stride) + " bytes, ";
		// Blocks lie one behind the other; everything else keeps their halves aligned.
		if (blocks && i == access::axis(t) && stride != unit && t.dims()[i] > 32)
			fail(errc::invalid_argument,
			     which + "is not the size of a block, " + std::to_string(unit));
		if (stride % alignment != 0)
			fail(errc::invalid_argument, which + "is no multiple of the element's " +
			                                     std::to_string(alignment));
		if (how == use::output && (stride < 0 || (stride == 0 && t.dims()[i] > 1)))
			fail(errc::invalid_argument, which + "is not possible for an output");
	}
	const extent e = extent_of(t);
	if (e.low > INT64_MAX || e.high > INT64_MAX)
		fail(errc::too_large, std::string(part) + ": it spans more than 2^63 bytes");
	out.offset = reach(t.where(), t.shift(), static_cast<std::uint64_t>(e.low),
	                   static_cast<std::uint64_t>(e.high), part);
	if (out.offset % alignment != 0)
		fail(errc::invalid_argument, std::string(part) +
		                                     ": its address is no multiple of " +
		                                     std::to_string(alignment));
	encode_quantisation(t, out.quant, part);
	return out;
}

atom_tensor command::encode(const std::optional<tensor> &t, use how, const char *part)
{
	return t ? encode(*t, how, part) : atom_tensor{};
}

void command::check_known(function fn) const
{
	if (fn <= function::gelu_quick || (fn >= function::abs && fn <= function::atanh) ||
	    (fn >= function::logical_not && fn <= function::is_inf))
		return;
	fail(errc::invalid_argument,
	     "there is no function " + std::to_string(static_cast<unsigned>(fn)));
}

atom_epilogue command::encode(const epilogue &e, const tensor &result)
{
	atom_epilogue out{};
	check_known(e.activation);
	check(e.activation < function::abs, "this function is no activation: use unary()");
	check((e.activation == function::lut) == e.table.has_value(),
	      "function::lut and a table go together");
	out.activation = static_cast<std::uint16_t>(e.activation);
	out.p0 = e.p0;
	out.p1 = e.p1;
	if (e.table)
		out.lut = encode(*e.table, 256, 1, "table");
	if (e.bias) {
		check_same_dims(*e.bias, result, "bias and out (see tensor::broadcast())");
		out.bias = encode(*e.bias, use::input, "bias");
	}
	if (e.residual) {
		check_same_dims(*e.residual, result, "residual and out (see tensor::broadcast())");
		out.residual = encode(*e.residual, use::input, "residual");
	}
	return out;
}

void command::append_bytes(const void *bytes, std::size_t size)
{
	encoder &e = target_;
	if (e.bytes_.size() + size > e.info().command_bytes_max)
		fail(errc::too_large, "the command buffer would exceed the device's limit of " +
		                              std::to_string(e.info().command_bytes_max) +
		                              " bytes");
	const auto *from = static_cast<const std::byte *>(bytes);
	// All that can throw comes first.
	std::size_t highest = e.argument_bytes_.size();
	for (const auto &[slot, needed] : slots_)
		highest = std::max<std::size_t>(highest, slot);
	e.argument_bytes_.reserve(highest);
	e.buffers_.reserve(e.buffers_.size() + buffers_.size());
	e.bytes_.insert(e.bytes_.end(), from, from + size);

	e.argument_bytes_.resize(highest);
	for (const auto &[slot, needed] : slots_) {
		std::uint64_t &known = e.argument_bytes_[slot - 1U];
		known = std::max(known, needed);
	}
	for (auto &b : buffers_)
		if (std::find(e.buffers_.begin(), e.buffers_.end(), b) == e.buffers_.end())
			e.buffers_.push_back(std::move(b));
	++e.commands_;
}

} // namespace atom::core
