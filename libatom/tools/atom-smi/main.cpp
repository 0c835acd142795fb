// SPDX-License-Identifier: MIT
// atom-smi: what the NPUs of this machine are, how they do, and why they do not work.
#include <CLI/CLI.hpp>

#include "atom/error.hpp"
#include "commands.hpp"
#include "completion.hpp"

namespace {

using smi::exit_status;

constexpr const char *footer =
	"Exit status: 0 all right, 1 a device does not work or a check found a problem, 2 usage,\n"
	"3 no device, 4 something failed on the way, 7 no permission.";

struct command {
	const char *name;
	const char *help;
	exit_status (*run)(const smi::request &);
	void (*add_options)(CLI::App &, smi::request &) = [](CLI::App &, smi::request &) {};
};

void add_interval(CLI::App &app, smi::request &r)
{
	app.add_option_function<unsigned>(
		   "-i,--interval",
		   [&r](unsigned ms) { r.interval = std::chrono::milliseconds(ms); },
		   "between two looks (default 1000)")
		->option_text("MS")
		->check(CLI::Range(50U, 3600000U));
}

void add_events_options(CLI::App &app, smi::request &r)
{
	app.add_flag("-f,--follow", r.follow, "go on, and tell what happens as it happens");
	add_interval(app, r);
}

void add_top_options(CLI::App &app, smi::request &r)
{
	add_interval(app, r);
	app.add_option("-n,--count", r.count, "end after so many looks")->option_text("N");
}

void add_metrics_options(CLI::App &app, smi::request &r)
{
	app.add_option("-l,--listen", r.listen,
	               "serve /metrics over HTTP, on addresses of this machine alone")
		->option_text("[HOST:]PORT");
}

void add_reset_options(CLI::App &app, smi::request &r)
{
	app.add_flag("-f,--force", r.force, "although programs use the device");
}

void add_set_options(CLI::App &app, smi::request &r)
{
	app.add_option("SETTING", r.setting, "which; without it they are listed");
	app.add_option("VALUE", r.value, "to what");
}

void add_validate_options(CLI::App &app, smi::request &r)
{
	app.add_flag("-q,--quick", r.quick, "less data, a second instead of ten");
}

constexpr command commands[] = {
	{"status", "devices and the programs that use them (default)", smi::show_status},
	{"info", "everything about each device", smi::show_info},
	{"ps", "programs that use the devices", smi::show_processes},
	{"top", "devices and programs, live", smi::run_top, add_top_options},
	{"topo", "CPUs near to each device, and what lies between two", smi::show_topology},
	{"events", "what went wrong", smi::show_events, add_events_options},
	{"metrics", "readings for Prometheus", smi::show_metrics, add_metrics_options},
	{"reset", "reset a device (root)", smi::reset_device, add_reset_options},
	{"set", "show settings of a device, or change one (root)", smi::change_setting,
         add_set_options},
	{"validate", "have a device do work whose result is known", smi::validate_device,
         add_validate_options},
	{"cdi", "names of the devices for containers, as JSON for /etc/cdi", smi::show_cdi},
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
	for (const command &c : commands) {
		CLI::App *const sub = app.add_subcommand(c.name, c.help);
		sub->callback([&run, &c] { run = c.run; });
		c.add_options(*sub, request);
	}
	std::string shell;
	app.add_subcommand("completion", "completion for a shell: source <(atom-smi completion bash)")
		->add_option("SHELL", shell, "bash, zsh or fish")
		->required()
		->check(CLI::IsMember({"bash", "zsh", "fish"}));
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &e) {
		return app.exit(e) == 0 ? 0 : static_cast<int>(exit_status::usage);
	}
	if (!shell.empty()) {
		std::cout << smi::completion_script(app, shell);
		return 0;
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
