// SPDX-License-Identifier: MIT
#include "recorder.hpp"

#include <algorithm>
#include <string_view>

#include "atom_onnx/unsupported.hpp"

namespace atom_onnx {
namespace {

// A model must not make the host build commands without end.
constexpr std::size_t commands_max = 1 << 18;

} // namespace

atom::tensor placement_map::operator()(const view &v) const
{
	std::vector<std::uint64_t> dims(v.dims.begin(), v.dims.end());
	atom::tensor t(locate(v.storage), v.type, dims);
	t.strides(v.strides).advance(v.offset);
	const view_quantisation &q = v.quant;
	if (q.of == view_quantisation::kind::per_tensor)
		t.quantise(q.scale, q.zero_point);
	else if (q.of == view_quantisation::kind::per_channel && q.zero_points < 0)
		t.quantise(q.axis, locate(q.scales));
	else if (q.of == view_quantisation::kind::per_channel)
		t.quantise(q.axis, locate(q.scales), locate(q.zero_points));
	return t;
}

int recorder::add_storage(storage::kind of, std::int64_t bytes, int index)
{
	storages_.push_back({of, index, bytes});
	return static_cast<int>(storages_.size()) - 1;
}

int recorder::add_constant(std::vector<std::byte> data)
{
	const std::size_t hash = std::hash<std::string_view>()(
		{reinterpret_cast<const char *>(data.data()), data.size()});
	const auto [begin, end] = constants_.equal_range(hash);
	for (auto it = begin; it != end; ++it)
		if (storages_[static_cast<std::size_t>(it->second)].data == data)
			return it->second;
	const int id = add_storage(storage::kind::constant, static_cast<std::int64_t>(data.size()));
	storages_.back().data = std::move(data);
	constants_.emplace(hash, id);
	return id;
}

bool recorder::is_constant(const view &v) const
{
	const auto all = {v.storage, v.quant.scales, v.quant.zero_points};
	return std::all_of(all.begin(), all.end(), [this](int id) {
		return id < 0 || storages_[static_cast<std::size_t>(id)].of ==
		                         storage::kind::constant;
	});
}

void recorder::make_output(int storage, int index)
{
	auto &s = storages_[static_cast<std::size_t>(storage)];
	s.of = storage::kind::output;
	s.index = index;
}

void recorder::add(std::function<void(atom::command_builder &, const placement_map &)> emit,
                   const std::vector<view> &reads, const std::vector<view> &writes)
{
	if (commands_.size() == commands_max)
		throw unsupported(reason::not_lowered, "more than " + std::to_string(commands_max) +
		                                               " commands");
	command c{std::move(emit), {}, group_, node_};
	const auto whole = [&](int id) {
		if (id >= 0)
			c.accesses.push_back(
				{id, {0, storages_[static_cast<std::size_t>(id)].bytes}, false});
	};
	for (const view &v : reads) {
		c.accesses.push_back({v.storage, extent_of(v), false});
		whole(v.quant.scales);
		whole(v.quant.zero_points);
	}
	for (const view &v : writes) {
		c.accesses.push_back({v.storage, extent_of(v), true});
		whole(v.quant.scales);
		whole(v.quant.zero_points);
	}
	commands_.push_back(std::move(c));
}

} // namespace atom_onnx
