// SPDX-License-Identifier: MIT
/**
 * @file error.hpp
 * @brief Error codes of libatom as Boost's. Part of <atom/asio.hpp>.
 */
#ifndef ATOM_ASIO_ERROR_HPP
#define ATOM_ASIO_ERROR_HPP

#include <string>
#include <system_error>
#include <type_traits>

#include <boost/system/error_code.hpp>

#include "atom/error.hpp"

namespace atom {
inline namespace v1 {
namespace detail {

/** libatom's category for versions of Boost that know nothing of std's codes. */
class boost_category_type final : public boost::system::error_category {
public:
	// The number makes the instances of several shared objects one category.
	boost_category_type() noexcept : boost::system::error_category(0x61746f6d2d6e7075) {}

	[[nodiscard]] const char *name() const noexcept override
	{
		return atom::error_category().name();
	}
	[[nodiscard]] std::string message(int value) const override
	{
		return atom::error_category().message(value);
	}
	[[nodiscard]] boost::system::error_condition
	default_error_condition(int value) const noexcept override
	{
		const std::error_condition c =
			atom::error_category().default_error_condition(value);
		if (c.category() == std::generic_category())
			return {c.value(), boost::system::generic_category()};
		return {value, *this};
	}
};

inline const boost::system::error_category &boost_category() noexcept
{
	static const boost_category_type instance;
	return instance;
}

/** Whether Boost's codes can hold those of std, and be compared with them. */
template <class Code>
inline constexpr bool holds_std = std::is_constructible_v<Code, std::error_code>;

/** Boost's codes, and nothing that converts to them as std's do. */
template <class Code>
using if_old_boost_code =
	std::enable_if_t<std::is_same_v<Code, boost::system::error_code> && !holds_std<Code>, bool>;

template <class Code>
Code boost_code(const std::error_code &code) noexcept
{
	if constexpr (holds_std<Code>)
		return Code(code);
	else
		return Code(code.value(), boost_category());
}

} // namespace detail

/** The same error for Boost. Compare it with errc, as std's. */
inline boost::system::error_code to_boost(const std::error_code &code) noexcept
{
	if (code.category() == error_category())
		return detail::boost_code<boost::system::error_code>(code);
	if (code.category() == std::generic_category())
		return {code.value(), boost::system::generic_category()};
	return {code.value(), boost::system::system_category()};
}

// What newer versions of Boost bring along.
template <class Code>
detail::if_old_boost_code<Code> operator==(const Code &code, errc what) noexcept
{
	return code.category() == detail::boost_category() &&
	       code.value() == static_cast<int>(what);
}
template <class Code>
detail::if_old_boost_code<Code> operator==(errc what, const Code &code) noexcept
{
	return code == what;
}
template <class Code>
detail::if_old_boost_code<Code> operator!=(const Code &code, errc what) noexcept
{
	return !(code == what);
}
template <class Code>
detail::if_old_boost_code<Code> operator!=(errc what, const Code &code) noexcept
{
	return !(code == what);
}

} // namespace v1
} // namespace atom

#endif
