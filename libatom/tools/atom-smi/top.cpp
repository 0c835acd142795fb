// SPDX-License-Identifier: MIT
// atom-smi top: live, on the whole screen; with --json a line for each look.
#include <clocale>
#include <thread>

#include <curses.h>
#include <unistd.h>

#include "commands.hpp"
#include "top_screen.hpp"

namespace smi {

namespace {

using steady = std::chrono::steady_clock;

/** Reads devices and clients anew; shares of time are of the time between two looks. */
class observer {
public:
	explicit observer(const request &r) : r_(r) {}

	void look(top_state &state)
	{
		// Once there was one, it may go and come back.
		state.devices = seen_ ? matching_npus(r_.files, r_.device)
		                      : select_npus(r_.files, r_.device);
		std::vector<client> now = clients_of(state.devices, find_clients(r_.files));
		const auto moment = steady::now();
		if (seen_)
			compare(now, before_, moment - moment_);
		before_ = now;
		moment_ = moment;
		seen_ = true;
		state.clients = std::move(now);
		state.remember();
		state.sort();
	}

private:
	const request &r_;
	std::vector<client> before_;
	steady::time_point moment_;
	bool seen_ = false;
};

/** The terminal, for as long as it is ours. */
class terminal {
public:
	terminal()
	{
		std::setlocale(LC_CTYPE, "");
		if (::newterm(nullptr, stdout, stdin) == nullptr)
			throw failure(exit_status::failed,
			              "the terminal \"" + std::string(term()) +
			                      "\" is not known; set TERM, or use top --json");
		::cbreak();
		::noecho();
		::curs_set(0);
		::keypad(stdscr, TRUE);
		if (::has_colors()) {
			::start_color();
			::use_default_colors();
			::init_pair(pair_of(colour::good), COLOR_GREEN, -1);
			::init_pair(pair_of(colour::warm), COLOR_YELLOW, -1);
			::init_pair(pair_of(colour::hot), COLOR_RED, -1);
		}
	}
	terminal(const terminal &) = delete;
	terminal &operator=(const terminal &) = delete;
	~terminal() { ::endwin(); }

	void paint(const top_state &state)
	{
		const auto width = static_cast<std::size_t>(std::max(getmaxx(stdscr), 0));
		const auto height = static_cast<std::size_t>(std::max(getmaxy(stdscr), 0));
		::erase();
		int y = 0;
		for (const screen_line &line : compose(state, width, height)) {
			::move(y++, 0);
			for (const run_of_text &run : line)
				put(run);
		}
		::refresh();
	}

	/** The key that was pressed, ERR if none was in that time. */
	int key(std::chrono::milliseconds limit)
	{
		::timeout(static_cast<int>(limit.count()));
		return ::getch();
	}

private:
	static const char *term()
	{
		const char *name = std::getenv("TERM");
		return name == nullptr ? "" : name;
	}

	static short pair_of(colour how) { return static_cast<short>(how); }

	static void put(const run_of_text &run)
	{
		attr_t look = A_NORMAL;
		if (run.how == colour::title)
			look = A_BOLD;
		else if (run.how != colour::plain)
			look = COLOR_PAIR(pair_of(run.how));
		::attrset(look);
		::addstr(run.text.c_str());
	}
};

/** false: the user has had enough. */
bool obey(int key, top_state &state)
{
	switch (key) {
	case 'q':
	case 3: // ^C, where the terminal sends it as a key
		return false;
	case 'u':
		state.by = order::utilisation;
		break;
	case 'm':
		state.by = order::memory;
		break;
	case 'p':
		state.by = order::pid;
		break;
	case KEY_DOWN:
		++state.first_client;
		break;
	case KEY_UP:
		state.first_client -= state.first_client > 0 ? 1 : 0;
		break;
	default:
		break;
	}
	return true;
}

exit_status run_on_screen(const request &r)
{
	observer eyes(r);
	top_state state;
	eyes.look(state); // what is wrong is told before the screen is taken
	terminal screen;
	for (unsigned looks = 1;; ++looks) {
		const auto next = steady::now() + r.interval;
		for (auto now = steady::now(); now < next; now = steady::now()) {
			screen.paint(state);
			const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next - now);
			const int key = screen.key(rest);
			if (!obey(key, state))
				return exit_status::ok;
			// A terminal that hung up has no keys, at once.
			if (key == ERR)
				std::this_thread::sleep_for(std::chrono::milliseconds(20));
			state.sort();
		}
		if (looks == r.count)
			return exit_status::ok;
		eyes.look(state);
	}
}

exit_status run_as_json(const request &r)
{
	observer eyes(r);
	top_state state;
	for (unsigned looks = 0; r.count == 0 || looks < r.count; ++looks) {
		if (looks > 0)
			std::this_thread::sleep_for(r.interval);
		eyes.look(state);
		auto out = answer("top");
		out["devices"] = to_json(state.devices);
		out["clients"] = to_json(state.clients);
		print_line(out);
		if (!std::cout)
			return exit_status::failed;
	}
	return exit_status::ok;
}

} // namespace

exit_status run_top(const request &r)
{
	if (r.json)
		return run_as_json(r);
	if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
		throw failure(exit_status::usage,
		              "top needs a terminal; use 'atom-smi --json top' or 'atom-smi'");
	return run_on_screen(r);
}

} // namespace smi
