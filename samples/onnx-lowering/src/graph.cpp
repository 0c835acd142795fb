// SPDX-License-Identifier: MIT
#include "atom_onnx/graph.hpp"

namespace atom_onnx {

const char *name_of(reason why) noexcept
{
	switch (why) {
	case reason::dtype:
		return "dtype";
	case reason::string:
		return "string";
	case reason::sequence:
		return "sequence";
	case reason::optional:
		return "optional";
	case reason::control_flow:
		return "control flow";
	case reason::data_shape:
		return "shape depends on data";
	case reason::training:
		return "training";
	case reason::unknown_value:
		return "value unknown";
	case reason::not_lowered:
		return "not lowered";
	case reason::invalid_model:
		return "invalid model";
	}
	return "?";
}

unsupported::unsupported(atom_onnx::reason why, const std::string &text, int value)
	: std::runtime_error(std::string(name_of(why)) + ": " + text), why_(why), value_(value)
{
}

namespace {

[[noreturn]] void refuse(const std::string &what) { throw unsupported(reason::invalid_model, what); }

class checker {
public:
	explicit checker(const graph &g) : g_(g), defined_(g.values.size(), false) {}

	void run()
	{
		for (std::size_t i = 0; i < g_.values.size(); ++i)
			defined_[i] = g_.values[i].constant.has_value();
		for (const value_id v : g_.inputs)
			define(v, "an input of the graph");
		for (const node &n : g_.nodes)
			visit(n);
		for (const value_id v : g_.outputs)
			if (!is_value(v) || !defined_[static_cast<std::size_t>(v)])
				refuse("an output of the graph is not computed");
	}

private:
	bool is_value(value_id v) const
	{
		return v >= 0 && static_cast<std::size_t>(v) < g_.values.size();
	}

	void define(value_id v, const std::string &by)
	{
		if (!is_value(v))
			refuse(by + " names no value");
		if (defined_[static_cast<std::size_t>(v)] &&
		    !g_.values[static_cast<std::size_t>(v)].constant)
			refuse(by + " writes what is defined before");
		defined_[static_cast<std::size_t>(v)] = true;
	}

	void visit(const node &n)
	{
		const std::string where = n.op_type + " '" + n.name + "'";
		for (const value_id v : n.inputs)
			if (v != absent && (!is_value(v) || !defined_[static_cast<std::size_t>(v)]))
				refuse(where + " reads what is not computed before");
		for (const value_id v : n.outputs)
			if (v != absent)
				define(v, where);
	}

	const graph &g_;
	std::vector<bool> defined_;
};

} // namespace

void check(const graph &g) { checker(g).run(); }

} // namespace atom_onnx
