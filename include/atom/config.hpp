// SPDX-License-Identifier: MIT
/**
 * @file config.hpp
 * @brief What every other header of libatom needs: symbol export and version.
 */
#ifndef ATOM_CONFIG_HPP
#define ATOM_CONFIG_HPP

#if defined(__GNUC__)
#define ATOM_API __attribute__((visibility("default")))
#else
#define ATOM_API
#endif

namespace atom {
inline namespace v1 {

/** Version of the library: of these headers, or of the shared object. */
struct library_version {
	unsigned major; ///< changes with the ABI
	unsigned minor; ///< changes with additions
	unsigned patch; ///< changes with corrections
};

/** The version that the program is compiled against. */
inline constexpr library_version compiled_version{1, 0, 0};

/** The version that the program runs with. Thread-safe, never fails. */
ATOM_API library_version runtime_version() noexcept;

} // namespace v1
} // namespace atom

#endif
