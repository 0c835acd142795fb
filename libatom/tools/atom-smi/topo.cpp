// SPDX-License-Identifier: MIT
// atom-smi topo: which CPUs are near to each NPU, and what lies between two of them.
#include <algorithm>

#include "commands.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

/** What traffic between two devices passes; words and meaning as other vendors' tools have them. */
enum class relation : std::uint8_t {
	self,
	pix,  ///< one switch at most
	pxb,  ///< several switches, no host bridge
	node, ///< host bridges of one NUMA node
	sys,  ///< the link between NUMA nodes
	unknown,
};

struct wording {
	const char *word;
	const char *meaning;
};

wording words_of(relation r)
{
	switch (r) {
	case relation::self:
		return {"self", "the device itself"};
	case relation::pix:
		return {"PIX", "one PCIe switch"};
	case relation::pxb:
		return {"PXB", "several PCIe switches, no host bridge"};
	case relation::node:
		return {"NODE", "PCIe host bridges of one NUMA node"};
	case relation::sys:
		return {"SYS", "the link between NUMA nodes"};
	case relation::unknown:
		break;
	}
	return {"-", "not known"};
}

relation between(const npu &a, const npu &b)
{
	if (a.index == b.index)
		return relation::self;
	if (!a.pci || !b.pci)
		return relation::unknown;
	const auto &left = a.pci->bridges;
	const auto &right = b.pci->bridges;
	const auto [l, r] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
	const auto own = std::max(left.end() - l, right.end() - r);
	if (l != left.begin()) // they meet at a port below the same root
		return own <= 1 ? relation::pix : relation::pxb;
	if (a.pci->numa_node && b.pci->numa_node && a.pci->numa_node != b.pci->numa_node)
		return relation::sys;
	return relation::node;
}

std::string path_text(const npu &device)
{
	if (!device.pci)
		return unknown;
	std::string text;
	for (const std::string &bridge : device.pci->bridges)
		text += bridge + " > ";
	return text + device.pci->address;
}

void print_for_people(const std::vector<npu> &devices)
{
	std::vector<text_table::column> columns = {{"NPU"}};
	for (const npu &d : devices)
		columns.push_back({"NPU" + std::to_string(d.index)});
	for (const char *title : {"NUMA", "NEAR CPUS", "LINK", "IOMMU", "PATH"})
		columns.push_back({title});
	text_table table(std::move(columns));
	std::vector<relation> used;
	for (const npu &d : devices) {
		std::vector<std::string> row = {"NPU" + std::to_string(d.index)};
		for (const npu &other : devices) {
			used.push_back(between(d, other));
			row.emplace_back(words_of(used.back()).word);
		}
		const pci_function f = d.pci.value_or(pci_function());
		row.push_back(f.numa_node ? std::to_string(*f.numa_node) : unknown);
		row.push_back(or_unknown(f.local_cpus));
		row.push_back(d.pci ? describe(f.link) : unknown);
		row.push_back(or_unknown(f.iommu_type));
		row.push_back(path_text(d));
		table.add(std::move(row));
	}
	std::cout << table.to_string();
	std::sort(used.begin(), used.end());
	used.erase(std::unique(used.begin(), used.end()), used.end());
	for (const relation r : used)
		if (r != relation::self)
			std::cout << "\n" << words_of(r).word << ": " << words_of(r).meaning;
	if (used.size() > 1)
		std::cout << '\n';
}

} // namespace

exit_status show_topology(const request &r)
{
	const std::vector<npu> devices = select_npus(r.files, r.device);
	if (!r.json) {
		print_for_people(devices);
		return exit_status::ok;
	}
	json pairs = json::array();
	for (const npu &a : devices)
		for (const npu &b : devices)
			if (a.index < b.index)
				pairs.push_back({{"a", a.index},
				                 {"b", b.index},
				                 {"relation", words_of(between(a, b)).word}});
	auto out = answer("topo");
	out["devices"] = to_json(devices);
	out["pairs"] = std::move(pairs);
	print(out);
	return exit_status::ok;
}

} // namespace smi
