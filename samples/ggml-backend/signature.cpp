// SPDX-License-Identifier: MIT
#include "signature.hpp"

namespace ggml_atom {
namespace {

template <class T>
void append(std::string &to, const T &value)
{
	to.append(reinterpret_cast<const char *>(&value), sizeof(value));
}

void append_layout(std::string &to, const ggml_tensor *t)
{
	append(to, t->type);
	append(to, t->ne);
	append(to, t->nb);
}

} // namespace

void describe(const ggml_tensor *node, std::string &to)
{
	append(to, node->op);
	append(to, node->op_params);
	append_layout(to, node);
	for (int i = 0; i < GGML_MAX_SRC; ++i)
		if (node->src[i] != nullptr) {
			append(to, i);
			append_layout(to, node->src[i]);
		}
}

} // namespace ggml_atom
