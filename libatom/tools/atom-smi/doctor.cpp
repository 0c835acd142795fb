// SPDX-License-Identifier: MIT
// atom-smi doctor: why it does not work here, and what to do. Each check looks at one thing in the
// order in which things must be right; what follows from an earlier one is not told again.
#include <algorithm>
#include <cstdint>
#include <cstdio>

#include <sys/resource.h>
#include <unistd.h>

#include "atom/device.hpp"
#include "atom/error.hpp"
#include "commands.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

enum class verdict : std::uint8_t {
	ok,
	warning,
	problem
};

struct finding {
	const char *check;
	verdict result;
	std::string what;
	std::string fix; ///< empty if nothing is to be done
};

using findings = std::vector<finding>;

const char *to_word(verdict v)
{
	if (v == verdict::ok)
		return "ok";
	return v == verdict::warning ? "warning" : "problem";
}

std::string release_of(const system_files &files)
{
	return files.read("/proc/sys/kernel/osrelease").value_or("?");
}

// By secure boot, or because the kernel was told so.
bool only_signed_modules(const system_files &files)
{
	// Four bytes of attributes, then the value.
	const auto value = files.read("/sys/firmware/efi/efivars/"
	                              "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
	return (value && value->size() >= 5 && (*value)[4] == 1) ||
	       files.read("/sys/module/module/parameters/sig_enforce") == "Y";
}

// The certificate that DKMS signs with: its own, or Ubuntu's.
std::string certificate(const system_files &files)
{
	const std::string own = "/var/lib/dkms/mok.pub";
	const std::string ubuntu = "/var/lib/shim-signed/mok/MOK.der";
	return files.exists(ubuntu) && !files.exists(own) ? ubuntu : own;
}

// Whether the firmware's list of the owner's keys has the one that DKMS signs with. Both are
// certificates as they are in files.
bool key_is_enrolled(const system_files &files)
{
	const auto key = files.read(certificate(files));
	const auto keys = files.read("/sys/firmware/efi/efivars/"
	                             "MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23");
	return key && keys && !key->empty() && keys->find(*key) != std::string::npos;
}

// Where DKMS, make modules_install and distributions put it.
bool module_built(const system_files &files, const std::string &release)
{
	for (const char *folder : {"updates/dkms", "updates", "extra", "kernel/drivers/accel/atom"})
		for (const std::string &name : files.list("/lib/modules/" + release + "/" + folder))
			if (name.starts_with("atom_npu.ko"))
				return true;
	return false;
}

void check_device(findings &out, const std::vector<pci_function> &functions)
{
	if (functions.empty())
		out.push_back({"device", verdict::problem, "no PCI device of an ATOM NPU is seen",
		               "seat the card, or give the virtual machine one; then: "
		               "echo 1 > /sys/bus/pci/rescan"});
	else
		out.push_back({"device", verdict::ok,
		               std::to_string(functions.size()) + " on the PCI bus", ""});
}

// False if this kernel can have no module.
bool check_kernel(findings &out, const system_files &files)
{
	const std::string release = release_of(files);
	unsigned major = 0;
	unsigned minor = 0;
	if (std::sscanf(release.c_str(), "%u.%u", &major, &minor) == 2 &&
	    std::pair(major, minor) < std::pair(6U, 12U)) {
		out.push_back({"kernel", verdict::problem,
		               "Linux " + release + " is older than 6.12, which the driver needs",
		               "install a newer kernel (Debian 12: linux-image-amd64 from "
		               "bookworm-backports) and boot it"});
		return false;
	}
	const auto config = files.read("/boot/config-" + release);
	if (config && config->find("CONFIG_DRM_ACCEL=y") == std::string::npos) {
		out.push_back({"kernel", verdict::problem,
		               "Linux " + release + " is built without DRM accel devices",
		               "boot a kernel with CONFIG_DRM_ACCEL, not a cloud flavour"});
		return false;
	}
	out.push_back({"kernel", verdict::ok, "Linux " + release, ""});
	return true;
}

void check_module(findings &out, const system_files &files)
{
	if (files.exists("/sys/module/atom_npu")) {
		out.push_back({"module", verdict::ok, "atom_npu is loaded", ""});
		return;
	}
	const std::string release = release_of(files);
	const std::string key = certificate(files);
	if (!module_built(files, release))
		out.push_back({"module", verdict::problem,
		               "there is no module atom_npu for this kernel (" + release + ")",
		               "install the headers of this kernel (Debian: linux-headers-" +
		                       release + "), then: atom-dkms build && modprobe atom_npu"});
	else if (only_signed_modules(files) && !key_is_enrolled(files))
		out.push_back({"module", verdict::problem,
		               "atom_npu is not loaded, and this kernel (secure boot) refuses "
		               "modules whose key is not enrolled",
		               "mokutil --import " + key +
		                       " && reboot, and confirm in the firmware; then "
		                       "mokutil --test-key " +
		                       key + " says that it is enrolled"});
	else
		out.push_back({"module", verdict::problem, "atom_npu is not loaded",
		               "modprobe atom_npu; if that fails, dmesg tells why"});
}

void check_binding(findings &out, const system_files &files, const pci_function &f)
{
	if (!f.driver)
		out.push_back({"driver", verdict::problem, f.address + " has no driver",
		               "echo " + f.address +
		                       " > /sys/bus/pci/drivers/atom_npu/bind; "
		                       "if that fails, dmesg tells why"});
	else if (*f.driver != "atom_npu")
		out.push_back({"driver", verdict::problem,
		               f.address + " is held by the driver " + *f.driver,
		               "unbind it there, then bind it to atom_npu"});
	else if (files.read("/sys/bus/pci/devices/" + f.address + "/state") == "dead")
		out.push_back({"driver", verdict::problem, f.address + " has failed and is stopped",
		               "unbind and bind it: echo " + f.address +
		                       " > /sys/bus/pci/drivers/atom_npu/unbind, then .../bind"});
	else
		out.push_back({"driver", verdict::ok, f.address + " is bound to atom_npu", ""});
}

void check_permission(findings &out, const system_files &files, const pci_function &f)
{
	if (!f.accel)
		return;
	const std::string node = "/dev/accel/" + *f.accel;
	if (!files.exists(node))
		out.push_back({"permission", verdict::problem, node + " does not exist",
		               "in a container: pass the device in; else: udevadm trigger"});
	else if (::access(files.at(node).c_str(), R_OK | W_OK) != 0)
		out.push_back({"permission", verdict::problem, "you may not open " + node,
		               "as root: usermod -aG render USER, then log in again"});
	else
		out.push_back({"permission", verdict::ok, "you may open " + node, ""});
}

// Versions need not be the same: what counts is whether library and driver understand each other.
void check_versions(findings &out, const system_files &files, const pci_function &f)
{
	if (!f.accel || !files.of_this_machine())
		return;
	std::error_code error;
	const atom::device open = atom::device::open("/dev/accel/" + *f.accel, error);
	if (error == atom::errc::incompatible_kernel)
		out.push_back({"versions", verdict::problem,
		               "libatom and the loaded module do not understand each other",
		               "install libatom1 and atom-dkms of one release, then load the module "
		               "anew: modprobe -r atom_npu && modprobe atom_npu"});
	else if (!error)
		out.push_back({"versions", verdict::ok,
		               "driver " + open.info().driver_version + ", interface " +
		                       std::to_string(open.info().interface_major) + "." +
		                       std::to_string(open.info().interface_minor),
		               ""});
}

void check_iommu(findings &out, const pci_function &f)
{
	if (!f.iommu_group)
		out.push_back({"IOMMU", verdict::warning,
		               "no IOMMU confines what " + f.address + " reaches in memory",
		               "turn on VT-d or AMD-Vi in the firmware, and boot with "
		               "intel_iommu=on where it is off by default"});
	else
		out.push_back({"IOMMU", verdict::ok,
		               f.address + " is in group " + std::to_string(*f.iommu_group) + " (" +
		                       f.iommu_type.value_or("type unknown") + ")",
		               ""});
}

void check_link(findings &out, const pci_function &f)
{
	const bool narrow = f.link.width && f.link_max.width && *f.link.width < *f.link_max.width;
	const bool slow = f.link.transfers_per_second && f.link_max.transfers_per_second &&
	                  *f.link.transfers_per_second < *f.link_max.transfers_per_second;
	if (narrow || slow)
		out.push_back(
			{"link", verdict::warning,
		         f.address + " runs at " + describe(f.link) + " of " + describe(f.link_max),
		         "put the card in a slot that has all lanes and the speed"});
}

void check_bars(findings &out, const pci_function &f)
{
	constexpr unsigned needed[] = {0, 2, 4};
	for (const unsigned index : needed)
		if (std::none_of(f.bars.begin(), f.bars.end(),
		                 [&](const pci_bar &bar) { return bar.index == index; }))
			out.push_back(
				{"BARs", verdict::problem,
			         f.address + " has no memory for its BAR " + std::to_string(index),
			         "turn on \"above 4G decoding\" in the firmware, or boot with "
			         "pci=realloc"});
}

void check_memlock(findings &out)
{
	constexpr rlim_t little = 64U << 20;
	rlimit limit{};
	if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < little)
		out.push_back({"memlock", verdict::warning,
		               "a process may lock " + bytes_text(std::uint64_t{limit.rlim_cur}) +
		                       " only, which limits imported user memory",
		               "raise memlock in /etc/security/limits.d"});
}

// Who has set it and forgotten it looks for a device that works everywhere else.
void check_environment(findings &out)
{
	if (!in_process())
		return;
	constexpr const char *name = "ATOM_DEVICE";
	const std::string fix = "unset ATOM_DEVICE, to use the NPUs of this machine";
	try {
		const std::size_t devices = atom::enumerate().size();
		out.push_back({name, verdict::warning,
		               "it is set: programs see " + std::to_string(devices) +
		                       (devices == 1 ? " device" : " devices") +
		                       " inside of their process, and no NPU of this machine",
		               fix});
	} catch (const atom::system_error &e) {
		out.push_back({name, verdict::problem, e.what(), fix});
	}
}

findings examine(const system_files &files)
{
	findings out;
	check_environment(out);
	const std::vector<pci_function> functions = find_pci_functions(files);
	check_device(out, functions);
	const bool loaded = files.exists("/sys/module/atom_npu");
	if (check_kernel(out, files) || loaded)
		check_module(out, files);
	for (const pci_function &f : functions) {
		if (loaded)
			check_binding(out, files, f);
		check_permission(out, files, f);
		check_versions(out, files, f);
		check_iommu(out, f);
		check_link(out, f);
		check_bars(out, f);
	}
	check_memlock(out);
	return out;
}

} // namespace

exit_status run_doctor(const request &r)
{
	const findings found = examine(r.files);
	const bool sick = std::any_of(found.begin(), found.end(), [](const finding &f) {
		return f.result == verdict::problem;
	});
	if (r.json) {
		auto out = answer("doctor");
		out["checks"] = json::array();
		for (const finding &f : found)
			out["checks"].push_back(
				{{"check", f.check},
			         {"result", to_word(f.result)},
			         {"what", f.what},
			         {"fix", f.fix.empty() ? json(nullptr) : json(f.fix)}});
		print(out);
	} else {
		for (const finding &f : found) {
			std::printf("%-8s %-11s %s\n", to_word(f.result), f.check,
			            printable(f.what).c_str());
			if (!f.fix.empty())
				std::printf("%20s to fix it: %s\n", "", printable(f.fix).c_str());
		}
	}
	return sick ? exit_status::unhealthy : exit_status::ok;
}

} // namespace smi
