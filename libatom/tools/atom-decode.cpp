// SPDX-License-Identifier: MIT
// atom-decode: command buffers, rings, completion areas and dumps of the driver in words.
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <getopt.h>

#include "decode/decode.hpp"
#include "decode/dump.hpp"
#include "decode/layouts.hpp"

namespace {

using namespace atom::decode;

constexpr int exit_usage = 2;
constexpr int exit_bad_data = 1;
constexpr std::size_t input_max = 256U << 20;

constexpr const char *usage =
	"usage: atom-decode [--kind KIND] [--json] [FILE]\n"
	"       atom-decode --field NAME:OFFSET\n"
	"\n"
	"Prints what the ATOM NPU reads or writes, or what its driver dumped when it failed\n"
	"(/sys/class/devcoredump/devcdN/data), in words. Without FILE, or with -, it reads\n"
	"standard input.\n"
	"\n"
	"  -k, --kind KIND     what the bytes are: command-buffer, ring, completions or coredump;\n"
	"                      a dump is known without\n"
	"  -j, --json          JSON with numbers in base units\n"
	"  -f, --field N:O     name of the field at byte O of structure N, as in a fault record;\n"
	"                      N is a command (gemm, copy, ..), header, descriptor, argument, "
	"record\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit status: 0 all is well, 1 the bytes have problems (told on standard error), 2 "
	"usage.\n";

[[noreturn]] void fail(int status, const std::string &what)
{
	std::cerr << "atom-decode: " << what << '\n';
	if (status == exit_usage)
		std::cerr << "Try 'atom-decode --help'.\n";
	std::exit(status);
}

std::vector<std::byte> read_all(std::istream &in, const std::string &name)
{
	std::vector<std::byte> bytes;
	char chunk[65536];
	do {
		in.read(chunk, sizeof(chunk));
		const auto *from = reinterpret_cast<const std::byte *>(chunk);
		bytes.insert(bytes.end(), from, from + in.gcount());
		if (bytes.size() > input_max)
			fail(exit_bad_data, name + ": more than 256 MiB");
	} while (in);
	if (in.bad())
		fail(exit_bad_data, "read " + name + ": " + std::strerror(errno));
	return bytes;
}

std::vector<std::byte> read_input(const char *path)
{
	if (path == nullptr || std::string_view(path) == "-")
		return read_all(std::cin, "standard input");
	std::ifstream file(path, std::ios::binary);
	if (!file)
		fail(exit_bad_data, "open " + std::string(path) + ": " + std::strerror(errno));
	return read_all(file, path);
}

const structure *find_structure(std::string_view name)
{
	if (const command_layout *c = find_command(name))
		return c->layout;
	for (const structure *s :
	     {&cmdbuf_header_layout, &ring_desc_layout, &arg_layout, &cpl_record_layout})
		if (name == s->name)
			return s;
	return nullptr;
}

int print_field(std::string_view text)
{
	const std::size_t colon = text.find(':');
	if (colon == std::string_view::npos)
		fail(exit_usage,
		     "--field " + std::string(text) + ": write NAME:OFFSET, as gemm:136");
	const std::string_view name = text.substr(0, colon);
	const std::string_view digits = text.substr(colon + 1);
	const structure *layout = find_structure(name);
	if (layout == nullptr)
		fail(exit_usage, "--field: there is no structure \"" + std::string(name) + "\"");
	std::uint32_t offset = 0;
	const auto [end, error] =
		std::from_chars(digits.data(), digits.data() + digits.size(), offset);
	if (error != std::errc() || end != digits.data() + digits.size())
		fail(exit_usage, "--field: \"" + std::string(digits) + "\" is no byte offset");
	const std::string field = field_name(*layout, offset);
	if (field.empty())
		fail(exit_bad_data,
		     std::string(layout->name) + " has " + std::to_string(layout->bytes) +
		             " bytes; there is no field at " + std::to_string(offset));
	std::cout << layout->name << ": " << field << '\n';
	return 0;
}

decoded decode(std::string_view kind, const std::vector<std::byte> &bytes)
{
	if (kind == "command-buffer")
		return decode_command_buffer(bytes);
	if (kind == "ring")
		return decode_ring(bytes);
	if (kind == "coredump")
		return decode_dump(bytes);
	return decode_completions(bytes);
}

} // namespace

int main(int argc, char **argv)
{
	const option options[] = {
		{"kind", required_argument, nullptr, 'k'},
		{"json", no_argument, nullptr, 'j'},
		{"field", required_argument, nullptr, 'f'},
		{"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	std::optional<std::string_view> kind;
	bool json = false;
	for (int c = 0; (c = getopt_long(argc, argv, "k:jf:h", options, nullptr)) != -1;) {
		switch (c) {
		case 'k':
			kind = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'f':
			return print_field(optarg);
		case 'h':
			std::cout << usage;
			return 0;
		default:
			std::cerr << "Try 'atom-decode --help'.\n";
			return exit_usage;
		}
	}
	if (kind && kind != "command-buffer" && kind != "ring" && kind != "completions" &&
	    kind != "coredump")
		fail(exit_usage,
		     "--kind " + std::string(*kind) +
		             ": there are command-buffer, ring, completions and coredump");
	if (argc - optind > 1)
		fail(exit_usage, "one file at a time");

	const std::vector<std::byte> bytes = read_input(argv[optind]);
	if (!kind && !is_dump(bytes))
		fail(exit_usage, "say what the bytes are: --kind command-buffer, ring or "
		                 "completions; only a dump is known without");
	const decoded result = decode(kind.value_or("coredump"), bytes);
	if (json)
		std::cout << to_json(result.tree) << '\n';
	else
		std::cout << to_text(result.tree);
	for (const std::string &problem : result.problems)
		std::cerr << "atom-decode: " << problem << '\n';
	return result.problems.empty() ? 0 : exit_bad_data;
}
