// SPDX-License-Identifier: MIT
#include "trouble.hpp"

#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace vmtest {

namespace {

bool root_is_lost = false;

const std::filesystem::path driver_folder = "/sys/bus/pci/drivers/atom_npu";

void await_service()
{
	const bool works = eventually([] {
		try {
			context c;
			c.run(command_list(make_nop()));
			return true;
		} catch (const std::exception &) {
			return false;
		}
	}, 60);
	if (!works)
		throw std::runtime_error("the new device does not work");
}

bool has_hotplug_driver()
{
	return std::filesystem::exists("/sys/bus/pci_express/drivers/pciehp");
}

void remove_by_hand()
{
	write_to(sysfs_folder() / "remove", "1");
	if (!device_nodes().empty())
		throw std::runtime_error("the driver does not let the device go");
}

} // namespace

void write_to(const std::filesystem::path &file, const std::string &text)
{
	std::ofstream stream(file);
	stream << text << std::flush;
	if (!stream)
		throw std::runtime_error("cannot write " + text + " to " + file.string());
}

void lose_root()
{
	root_is_lost = true;
}

void leave_word(int status)
{
	if (!root_is_lost)
		return;
	std::fflush(stdout);
	write_to("/run/atom/ended", std::to_string(status));
	kill(1, SIGUSR1);
}

troubled::troubled()
{
	if (!has_control())
		throw std::runtime_error("there is no control port: the test must run in atom-vm");
	inject("kind=clear");
}

troubled::~troubled()
{
	try {
		inject("kind=clear");
	} catch (const std::exception &) {
		// The device may have gone: then the next test finds out.
	}
}

void troubled::inject(const std::string &spec)
{
	control("inject 0 " + spec);
}

std::uint32_t device_generation()
{
	return device().info().generation;
}

void break_device()
{
	control("inject 0 kind=dma-error,queue=0,count=1");
	// Mapping and unmapping needs an admin command; the caller sees no more of the reset than a delay.
	context c;
	const memory m = c.alloc(page);
	c.space.unmap(m.va, page);
}

void reset_by_sysfs()
{
	write_to(sysfs_folder() / "reset", "1");
}

std::string unbind_driver()
{
	std::string address = sysfs_folder().filename();
	write_to(driver_folder / "unbind", address);
	return address;
}

void bind_driver(const std::string &address)
{
	write_to(driver_folder / "bind", address);
	if (!eventually([] { return device_nodes().size() == 1; }))
		throw std::runtime_error("the driver does not serve the device again");
}

void rebind_driver()
{
	bind_driver(unbind_driver());
}

void pull_device()
{
	control("surprise-remove 0");
	if (!has_hotplug_driver())
		remove_by_hand();
}

void unplug_device()
{
	if (has_hotplug_driver())
		control("unplug 0");
	else
		remove_by_hand();
}

void plug_back()
{
	if (!has_hotplug_driver()) {
		// What left by hand is in its slot yet.
		if (control("list").find("0=pulled") != std::string::npos)
			control("plug 0");
		write_to("/sys/bus/pci/rescan", "1");
		await_service();
		return;
	}
	// The kernel's hot-plug driver turns the slot off and then looks at nothing for a second: a card that is put in
	// meanwhile is not seen.
	if (!eventually([] { return device_nodes().empty(); }, 60))
		throw std::runtime_error("the driver does not let the device go");
	pause_ms(3000);
	std::string refusal;
	const bool plugged = eventually([&] {
		try {
			control("plug 0");
			return true;
		} catch (const std::exception &error) {
			refusal = error.what();
			return false;
		}
	}, 60);
	if (!plugged)
		throw std::runtime_error(refusal);
	await_service();
}

} // namespace vmtest
