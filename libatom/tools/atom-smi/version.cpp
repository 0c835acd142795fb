// SPDX-License-Identifier: MIT
// atom-smi version: of all parts that have one.
#include "atom/config.hpp"
#include "commands.hpp"
#include "text_table.hpp"

namespace smi {

exit_status show_version(const request &r)
{
	const atom::library_version library = atom::runtime_version();
	const std::string version = std::to_string(library.major) + "." +
	                            std::to_string(library.minor) + "." +
	                            std::to_string(library.patch);
	const auto driver = r.files.read("/sys/module/atom_npu/version");
	const auto kernel = r.files.read("/proc/sys/kernel/osrelease");
	if (r.json) {
		auto out = answer("version");
		out["library_version"] = version;
		out["driver_version"] = or_null(driver);
		out["kernel_release"] = or_null(kernel);
		print(out);
	} else {
		std::cout << "libatom " << version << "\ndriver  " << or_unknown(driver)
			  << "\nkernel  " << or_unknown(kernel) << '\n';
	}
	return exit_status::ok;
}

} // namespace smi
