// SPDX-License-Identifier: MIT
// atom-smi: what the NPUs of this machine are, how they do, and why they do not work.
#include <CLI/CLI.hpp>

#include "atom/error.hpp"
#include "commands.hpp"

namespace {

using smi::exit_status;

constexpr const char *footer =
	"Exit status: 0 all right, 1 a device does not work or a check found a problem, 2 usage,\n"
	"3 no device, 4 something failed on the way, 7 no permission.";

struct command {
	const char *name;
	const char *help;
	exit_status (*run)(const smi::request &);
};

constexpr command commands[] = {
	{"status", "devices and the programs that use them (default)", smi::show_status},
	{"info", "everything about each device", smi::show_info},
	{"ps", "programs that use the devices", smi::show_processes},
	{"doctor", "find why it does not work here, and say what to do", smi::run_doctor},
	{"version", "versions of library, driver and kernel", smi::show_version},
};

int fail(exit_status status, const char *what)
{
	std::cerr << "atom-smi: " << what << '\n';
	return static_cast<int>(status);
}

exit_status status_of(const atom::system_error &e)
{
	if (e.code() == atom::errc::no_device)
		return exit_status::no_device;
	if (e.code() == atom::errc::permission_denied)
		return exit_status::no_permission;
	return e.code() == atom::errc::invalid_argument ? exit_status::usage : exit_status::failed;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Looks after the ATOM NPUs of this machine. Reading needs no root.",
	             "atom-smi");
	smi::request request;
	std::string root = "/";
	auto run = smi::show_status;
	app.add_option("-d,--device", request.device,
	               "only this one: index, node, PCI address, serial number or UUID")
		->option_text("WHICH");
	app.add_flag("-j,--json", request.json,
	             "print JSON: base units, null for what is not known");
	app.add_option("--root", root, "read /sys, /proc and /dev below DIR (for tests)")
		->option_text("DIR")
		->check(CLI::ExistingDirectory);
	app.require_subcommand(0, 1);
	app.fallthrough();
	app.footer(footer);
	for (const command &c : commands)
		app.add_subcommand(c.name, c.help)->callback([&run, &c] { run = c.run; });
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &e) {
		return app.exit(e) == 0 ? 0 : static_cast<int>(exit_status::usage);
	}
	request.files = smi::system_files(root);
	try {
		return static_cast<int>(run(request));
	} catch (const smi::failure &e) {
		return fail(e.status(), e.what());
	} catch (const atom::system_error &e) {
		return fail(status_of(e), e.what());
	} catch (const std::exception &e) {
		return fail(exit_status::failed, e.what());
	}
}
