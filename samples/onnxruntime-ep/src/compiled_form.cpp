// SPDX-License-Identifier: MIT
#include "compiled_form.hpp"

#include <cstring>

namespace atom_ort {
namespace {

constexpr std::string_view magic = "ATOM-ORT";

struct header {
	char magic[8];
	std::uint32_t version;
	std::uint32_t reserved;
	std::uint64_t bytes; // behind the header
	std::uint64_t checksum;
};

// FNV-1a: against accidents. Nothing behind relies on it, each field is checked where it is used.
std::uint64_t checksum(std::string_view bytes)
{
	std::uint64_t sum = 0xcbf29ce484222325;
	for (const char c : bytes)
		sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
	return sum;
}

[[noreturn]] void refuse(const std::string &what)
{
	throw atom_onnx::unsupported(atom_onnx::reason::invalid_model,
	                             "the compiled form: " + what + "; compile the model again");
}

// What writer and reader have in the same order.
template <class Archive, class Node>
void node_fields(Archive &archive, Node &n)
{
	archive(n.op_type);
	archive(n.domain);
	archive(n.name);
	archive(n.opset);
	archive(n.attributes);
	archive(n.inputs);
	archive(n.outputs);
}

template <class Archive, class Graph>
void graph_fields(Archive &archive, Graph &g)
{
	archive(g.values);
	archive(g.nodes);
	archive(g.inputs);
	archive(g.outputs);
}

class writer {
public:
	template <class T>
	void number(T value)
	{
		static_assert(std::is_arithmetic_v<T>);
		out_.append(reinterpret_cast<const char *>(&value), sizeof(value));
	}
	void operator()(std::int64_t v) { number(v); }
	void operator()(float v) { number(v); }
	void operator()(const std::string &v)
	{
		number(std::uint64_t{v.size()});
		out_ += v;
	}
	template <class T>
	void operator()(const std::vector<T> &all)
	{
		number(std::uint64_t{all.size()});
		for (const T &v : all)
			(*this)(v);
	}
	void operator()(int v) { number(std::int64_t{v}); }
	void operator()(const atom_onnx::host_tensor &t)
	{
		(*this)(static_cast<int>(t.type()));
		(*this)(t.dims());
		number(std::uint64_t{t.bytes().size()});
		out_.append(reinterpret_cast<const char *>(t.bytes().data()), t.bytes().size());
	}
	void operator()(const atom_onnx::subgraph & /*body*/) {}
	void operator()(const atom_onnx::attribute &a)
	{
		(*this)(a.name);
		(*this)(static_cast<int>(a.value.index()));
		std::visit(*this, a.value);
	}
	void operator()(const atom_onnx::node &n) { node_fields(*this, n); }
	template <class T>
	void operator()(const std::optional<T> &v)
	{
		(*this)(v ? 1 : 0);
		if (v)
			(*this)(*v);
	}
	void operator()(const atom_onnx::value &v)
	{
		(*this)(v.name);
		(*this)(static_cast<int>(v.kind));
		(*this)(static_cast<int>(v.type));
		(*this)(v.dims);
		(*this)(v.constant);
	}
	std::string take() { return std::move(out_); }

private:
	std::string out_;
};

class reader {
public:
	explicit reader(std::string_view bytes) : left_(bytes) {}

	[[nodiscard]] bool at_end() const { return left_.empty(); }

	template <class T>
	void number(T &value)
	{
		std::memcpy(&value, bytes(sizeof(value)).data(), sizeof(value));
	}
	void operator()(std::int64_t &v) { number(v); }
	void operator()(float &v) { number(v); }
	void operator()(std::string &v) { v = bytes(size()); }
	template <class T>
	void operator()(std::vector<T> &all)
	{
		// Grows with what is there: a size that lies makes no large vector.
		for (std::uint64_t left = size(); left != 0; --left)
			(*this)(all.emplace_back());
	}
	void operator()(int &v)
	{
		std::int64_t wide = 0;
		number(wide);
		if (wide < INT32_MIN || wide > INT32_MAX)
			refuse("a number is out of its range");
		v = static_cast<int>(wide);
	}
	template <class T>
	void choice(T &v, int last)
	{
		int index = 0;
		(*this)(index);
		if (index < 0 || index > last)
			refuse("a choice is none of those that there are");
		v = static_cast<T>(index);
	}
	void operator()(atom_onnx::host_tensor &t)
	{
		atom_onnx::element_type type{};
		atom_onnx::shape dims;
		choice(type, static_cast<int>(atom_onnx::element_type::i2));
		(*this)(dims);
		const std::string_view data = bytes(size());
		const auto *first = reinterpret_cast<const std::byte *>(data.data());
		t = atom_onnx::host_tensor(type, std::move(dims), {first, first + data.size()});
	}
	void operator()(atom_onnx::subgraph & /*body*/) {}
	void operator()(atom_onnx::attribute &a)
	{
		int kind = 0;
		(*this)(a.name);
		choice(kind, static_cast<int>(std::variant_size_v<decltype(a.value)>) - 1);
		alternative<0>(a, kind);
	}
	void operator()(atom_onnx::node &n) { node_fields(*this, n); }
	template <class T>
	void operator()(std::optional<T> &v)
	{
		bool there = false;
		choice(there, 1);
		if (there)
			(*this)(v.emplace());
	}
	void operator()(atom_onnx::value &v)
	{
		(*this)(v.name);
		choice(v.kind, static_cast<int>(atom_onnx::value_kind::optional));
		choice(v.type, static_cast<int>(atom_onnx::element_type::i2));
		(*this)(v.dims);
		(*this)(v.constant);
	}

private:
	std::string_view bytes(std::uint64_t count)
	{
		if (count > left_.size())
			refuse("it ends too early");
		const std::string_view taken = left_.substr(0, count);
		left_.remove_prefix(count);
		return taken;
	}
	std::uint64_t size()
	{
		std::uint64_t count = 0;
		number(count);
		return count;
	}
	template <int index>
	void alternative(atom_onnx::attribute &a, int wanted)
	{
		if (index == wanted)
			(*this)(a.value.template emplace<index>());
		else if constexpr (index + 1 < std::variant_size_v<decltype(a.value)>)
			alternative<index + 1>(a, wanted);
	}

	std::string_view left_;
};

} // namespace

std::string to_bytes(const atom_onnx::graph &g)
{
	writer w;
	graph_fields(w, g);
	const std::string body = w.take();
	header h{{}, compiled_form_version, 0, body.size(), checksum(body)};
	std::memcpy(h.magic, magic.data(), sizeof(h.magic));
	return std::string(reinterpret_cast<const char *>(&h), sizeof(h)) + body;
}

atom_onnx::graph from_bytes(std::string_view bytes)
{
	header h{};
	if (bytes.size() < sizeof(h))
		refuse("it is too short");
	std::memcpy(&h, bytes.data(), sizeof(h));
	bytes.remove_prefix(sizeof(h));
	if (std::string_view(h.magic, sizeof(h.magic)) != magic)
		refuse("it was not made by this provider");
	if (h.version != compiled_form_version)
		refuse("it is of version " + std::to_string(h.version) + ", this provider reads " +
		       std::to_string(compiled_form_version));
	if (h.bytes != bytes.size() || h.checksum != checksum(bytes))
		refuse("it is damaged");
	reader r(bytes);
	atom_onnx::graph g;
	graph_fields(r, g);
	if (!r.at_end())
		refuse("there is more behind its end");
	atom_onnx::check(g);
	return g;
}

} // namespace atom_ort
