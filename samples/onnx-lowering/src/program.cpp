// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>

#include "plan_data.hpp"

namespace atom_onnx {

const std::vector<argument> &plan::inputs() const { return data_->inputs; }
const std::vector<argument> &plan::outputs() const { return data_->outputs; }
std::size_t plan::commands() const { return data_->commands.size(); }

std::size_t plan::barriers() const
{
	const auto &before = data_->memory.barrier_before;
	return static_cast<std::size_t>(std::count(before.begin(), before.end(), true));
}

std::uint64_t plan::scratch_bytes() const
{
	return static_cast<std::uint64_t>(data_->memory.scratch_bytes);
}

std::uint64_t plan::constant_bytes() const
{
	return static_cast<std::uint64_t>(data_->memory.constant_bytes);
}

namespace {

/** Inputs, then outputs, then the scratch memory. */
std::uint16_t slot_number(std::size_t index) { return static_cast<std::uint16_t>(index + 1); }

class device_placement : public placement_map {
public:
	device_placement(const detail::plan_data &data, const atom::buffer &constants)
		: data_(data), constants_(constants)
	{
	}

	[[nodiscard]] atom::location locate(int id) const override
	{
		const storage &s = data_.storages[static_cast<std::size_t>(id)];
		const auto offset = static_cast<std::uint64_t>(
			data_.memory.offsets[static_cast<std::size_t>(id)]);
		const auto index = static_cast<std::size_t>(s.index);
		switch (s.of) {
		case storage::kind::input:
			return atom::slot(slot_number(index));
		case storage::kind::output:
			return atom::slot(slot_number(data_.inputs.size() + index));
		case storage::kind::constant:
			return constants_.slice(offset, static_cast<std::uint64_t>(s.bytes));
		case storage::kind::scratch:
			break;
		}
		return {atom::slot(slot_number(data_.inputs.size() + data_.outputs.size())),
		        offset};
	}

private:
	const detail::plan_data &data_;
	const atom::buffer &constants_;
};

atom::buffer upload_constants(const atom::context &ctx, const detail::plan_data &data)
{
	if (data.memory.constant_bytes == 0)
		return {};
	atom::buffer_options options;
	options.placement = atom::placement::local;
	options.label = "onnx constants";
	atom::buffer constants(ctx, static_cast<std::uint64_t>(data.memory.constant_bytes),
	                       options);
	const atom::mapping memory = constants.map();
	std::vector<bool> used(data.storages.size(), false);
	for (const command &c : data.commands)
		for (const access &a : c.accesses)
			used[static_cast<std::size_t>(a.storage)] = true;
	for (std::size_t i = 0; i < data.storages.size(); ++i)
		if (used[i] && !data.storages[i].data.empty())
			std::memcpy(memory.data() + data.memory.offsets[i],
			            data.storages[i].data.data(), data.storages[i].data.size());
	return constants;
}

atom::command_buffer encode(const atom::context &ctx, const detail::plan_data &data,
                            const atom::buffer &constants)
{
	atom::command_builder builder(ctx);
	const device_placement at(data, constants);
	for (std::size_t i = 0; i < data.commands.size(); ++i) {
		if (data.memory.barrier_before[i])
			builder.barrier();
		builder.tag(static_cast<std::uint32_t>(data.commands[i].node));
		data.commands[i].emit(builder, at);
	}
	if (data.commands.empty())
		builder.nop();
	return builder.finish();
}

} // namespace

program::program(const atom::context &ctx, atom_onnx::plan lowered)
	: plan_(std::move(lowered)), constants_(upload_constants(ctx, *plan_.data_)),
	  commands_(encode(ctx, *plan_.data_, constants_))
{
}

atom::args program::arguments(const std::vector<atom::buffer_view> &inputs,
                              const std::vector<atom::buffer_view> &outputs,
                              const atom::buffer_view &scratch) const
{
	atom::args all;
	std::size_t next = 0;
	for (const auto *views : {&inputs, &outputs})
		for (const atom::buffer_view &v : *views)
			all.set(atom::slot(slot_number(next++)), v);
	if (scratch)
		all.set(atom::slot(slot_number(next)), scratch);
	return all;
}

} // namespace atom_onnx
