// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include <dlfcn.h>
#include <unistd.h>

#include "atom/error.hpp"
#include "atom/inprocess.h"
#include "sys/os.hpp"
#include "sys/process.hpp"

namespace atom::sys {
namespace {

constexpr std::size_t sentence_bytes = 256;
constexpr std::string_view path_start = "model:";

std::string name_of(const std::string &options) { return "ATOM_DEVICE=model" + options + ": "; }

const atom_inprocess_ops &load(const std::string &options)
{
	// The model's threads may outlive everything else: it stays.
	void *library = ::dlopen(ATOM_INPROCESS_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	void *entry = library != nullptr ? ::dlsym(library, ATOM_INPROCESS_ENTRY) : nullptr;
	if (entry == nullptr) {
		const char *why = ::dlerror();
		throw system_error(errc::no_device,
		                   name_of(options) + "cannot load " ATOM_INPROCESS_LIBRARY " (" +
		                           (why != nullptr ? why : "unknown error") +
		                           "): install the package libatom-model1, or unset "
		                           "ATOM_DEVICE");
	}
	return *reinterpret_cast<const atom_inprocess_ops *(*)()>(entry)();
}

// Its devices are there from the first to the last.
class unchanging final : public node_monitor {
public:
	explicit unchanging(std::unique_ptr<event> never) : never_(std::move(never)) {}

	[[nodiscard]] int fd() const override { return never_->fd(); }
	int next(node_event &) override { return 0; }

private:
	std::unique_ptr<event> never_;
};

class inprocess final : public os {
public:
	explicit inprocess(const std::string &options) : options_(options), ops_(load(options))
	{
		std::array<char, sentence_bytes> why{};
		const int error = ops_.create(options.c_str(), &machine_, why.data(), why.size());
		if (error < 0)
			throw system_error(error == -EINVAL ? errc::invalid_argument
			                                    : errc::out_of_host_memory,
			                   name_of(options) + why.data());
	}

	int open(const char *path, int) override
	{
		for (std::uint32_t n = 0; n < ops_.devices(machine_); ++n) {
			if (path_of(n) != path)
				continue;
			std::array<char, sentence_bytes> why{};
			const int fd = ops_.open(machine_, n, why.data(), why.size());
			if (fd < 0 && why.front() != '\0')
				throw system_error(errc::out_of_host_memory,
				                   name_of(options_) + "open " + path + ": " +
				                           why.data());
			return fd;
		}
		return -ENOENT;
	}

	void close(int fd) override { ops_.close(machine_, fd); }

	int ioctl(int fd, unsigned long request, void *argument) override
	{
		return ops_.ioctl(machine_, fd, request, argument);
	}

	int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	         void **address) override
	{
		return ops_.mmap(machine_, bytes, protection, fd, offset, address);
	}

	void munmap(void *address, std::size_t bytes) override
	{
		ops_.munmap(machine_, address, bytes);
	}

	int read(int fd, void *buffer, std::size_t bytes) override
	{
		// A library of before has no events.
		if (ops_.struct_size <= offsetof(atom_inprocess_ops, read))
			return -ENOTTY;
		return ops_.read(machine_, fd, buffer, bytes);
	}

	int process_id() override { return current_process(); }

	int list_accel_nodes(std::vector<accel_node> &nodes) override
	{
		for (std::uint32_t n = 0; n < ops_.devices(machine_); ++n)
			nodes.push_back({path_of(n), "", -1});
		return 0;
	}

	int follow_accel_nodes(std::unique_ptr<node_monitor> &out) override
	{
		std::unique_ptr<event> never;
		if (const int error = make_eventfd(never); error < 0)
			return error;
		out.reset(new (std::nothrow) unchanging(std::move(never)));
		return out ? 0 : -ENOMEM;
	}

	int make_event(std::unique_ptr<event> &out) override { return make_eventfd(out); }

	void describe_access(const char *, std::string &, std::string &) override {}

	[[nodiscard]] std::string remedy() const override
	{
		return name_of(options_) + "its devices are " + path_of(0) + " to " +
		       path_of(ops_.devices(machine_) - 1);
	}

private:
	static std::string path_of(std::uint32_t n)
	{
		return std::string(path_start) + std::to_string(n);
	}

	std::string options_;
	const atom_inprocess_ops &ops_;
	atom_inprocess *machine_ = nullptr; // for as long as the process lives
};

} // namespace

std::shared_ptr<os> inprocess_os(const std::string &options)
{
	return std::make_shared<inprocess>(options);
}

} // namespace atom::sys
