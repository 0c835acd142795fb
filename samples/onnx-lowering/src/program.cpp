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

std::optional<std::size_t> plan::node_of(std::size_t index) const
{
	std::size_t at = 0; // barriers are commands as well
	for (std::size_t i = 0; i < data_->commands.size(); ++i) {
		at += data_->memory.barrier_before[i] ? 1 : 0;
		if (at++ == index)
			return static_cast<std::size_t>(data_->commands[i].node);
	}
	return std::nullopt;
}

namespace {

/** Inputs, then outputs, then the scratch memory. */
std::uint16_t slot_number(std::size_t index) { return static_cast<std::uint16_t>(index + 1); }

// What is smaller is not worth memory of its own.
constexpr std::size_t shared_min = 16384;
constexpr std::uint64_t alignment = 64;

/** The constants of a plan on a device: small ones together, large ones where the pool says. */
class uploaded {
public:
	uploaded(const atom::context &ctx, constant_pool *pool, const detail::plan_data &data)
		: data_(data), shared_(data.storages.size()), offsets_(data.storages.size())
	{
		std::vector<std::size_t> together;
		std::uint64_t end = 0;
		for (const std::size_t i : used_constants(data)) {
			const std::vector<std::byte> &bytes = data.storages[i].data;
			if (pool != nullptr && bytes.size() >= shared_min) {
				shared_[i] = pool->find_or_upload(bytes);
				continue;
			}
			together.push_back(i);
			offsets_[i] = end;
			end += (bytes.size() + alignment - 1) / alignment * alignment;
		}
		if (together.empty())
			return;
		small_ = atom::buffer(
			ctx, end,
			{.placement = atom::placement::local, .label = "onnx constants"});
		const atom::mapping memory = small_.map();
		for (const std::size_t i : together)
			std::memcpy(memory.data() + offsets_[i], data.storages[i].data.data(),
			            data.storages[i].data.size());
	}

	[[nodiscard]] atom::location locate(std::size_t storage) const
	{
		if (shared_[storage])
			return shared_[storage]->view();
		return small_.slice(offsets_[storage],
		                    static_cast<std::uint64_t>(data_.storages[storage].bytes));
	}

	/** What the pool is to keep as long as the program lives. */
	[[nodiscard]] const std::vector<std::shared_ptr<const atom::buffer>> &shared() const
	{
		return shared_;
	}

private:
	static std::vector<std::size_t> used_constants(const detail::plan_data &data)
	{
		std::vector<bool> used(data.storages.size(), false);
		for (const command &c : data.commands)
			for (const access &a : c.accesses)
				used[static_cast<std::size_t>(a.storage)] = true;
		std::vector<std::size_t> constants;
		for (std::size_t i = 0; i < used.size(); ++i)
			if (used[i] && !data.storages[i].data.empty())
				constants.push_back(i);
		return constants;
	}

	const detail::plan_data &data_;
	atom::buffer small_;
	std::vector<std::shared_ptr<const atom::buffer>> shared_; ///< of each storage, if it is
	std::vector<std::uint64_t> offsets_;                      ///< in small_
};

class device_placement : public placement_map {
public:
	device_placement(const detail::plan_data &data, const uploaded &constants)
		: data_(data), constants_(constants)
	{
	}

	[[nodiscard]] atom::location locate(int id) const override
	{
		const storage &s = data_.storages[static_cast<std::size_t>(id)];
		const auto index = static_cast<std::size_t>(s.index);
		switch (s.of) {
		case storage::kind::input:
			return atom::slot(slot_number(index));
		case storage::kind::output:
			return atom::slot(slot_number(data_.inputs.size() + index));
		case storage::kind::constant:
			return constants_.locate(static_cast<std::size_t>(id));
		case storage::kind::scratch:
			break;
		}
		return {atom::slot(slot_number(data_.inputs.size() + data_.outputs.size())),
		        static_cast<std::uint64_t>(
				data_.memory.offsets[static_cast<std::size_t>(id)])};
	}

private:
	const detail::plan_data &data_;
	const uploaded &constants_;
};

atom::command_buffer encode(const atom::context &ctx, const detail::plan_data &data,
                            const uploaded &constants)
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
	: program(ctx, nullptr, std::move(lowered))
{
}

program::program(constant_pool &pool, atom_onnx::plan lowered)
	: program(pool.context(), &pool, std::move(lowered))
{
}

program::program(const atom::context &ctx, constant_pool *pool, atom_onnx::plan lowered)
	: plan_(std::move(lowered))
{
	const uploaded constants(ctx, pool, *plan_.data_);
	commands_ = encode(ctx, *plan_.data_, constants); // which keep the memory that they name
	weights_ = constants.shared();
	// The host needs its copy no longer.
	plan_.data_ = std::make_shared<detail::plan_data>(detail::plan_data{
		plan_.data_->inputs, plan_.data_->outputs, {}, plan_.data_->commands,
		plan_.data_->memory});
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
