// SPDX-License-Identifier: MIT
/**
 * @file span.hpp
 * @brief A view of elements that lie one behind the other, for C++17.
 *
 * Converts from std::span, std::vector, std::array and C arrays. It owns
 * nothing: what it was made from must outlive it.
 */
#ifndef ATOM_SPAN_HPP
#define ATOM_SPAN_HPP

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <utility>

namespace atom {
inline namespace v1 {

/** @tparam T element; const for a view that cannot write. */
template <class T>
class span {
public:
	using element_type = T;                 ///< what it points to
	using value_type = std::remove_cv_t<T>; ///< without const
	using iterator = T *;                   ///< a pointer

	constexpr span() noexcept = default;
	/** @p size elements from @p data on. */
	constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

	/** From a container with data() and size(); from a temporary only if T is const. */
	template <class C, class P = decltype(std::data(std::declval<C &>())),
	          class = std::enable_if_t<
			  std::is_convertible_v<std::remove_pointer_t<P> (*)[], T (*)[]> &&
			  (std::is_const_v<T> || std::is_lvalue_reference_v<C> ||
	                   std::is_trivially_copyable_v<std::remove_reference_t<C>>)>>
	constexpr span(C &&container) noexcept // NOLINT(bugprone-forwarding-reference-overload)
		: data_(std::data(container)), size_(std::size(container))
	{
	}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime" // meant so, see below
#endif
	/** From {a, b, c}, which lives until the end of the full expression: for arguments only. */
	template <class U = T, class = std::enable_if_t<std::is_const_v<U>>>
	constexpr span(std::initializer_list<value_type> list) noexcept
		: data_(list.begin()), size_(list.size())
	{
	}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

	/** First element. */
	[[nodiscard]] constexpr T *data() const noexcept { return data_; }
	/** Number of elements. */
	[[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
	/** Whether it has no element. */
	[[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
	/** First element. */
	[[nodiscard]] constexpr T *begin() const noexcept { return data_; }
	/** Behind the last element. */
	[[nodiscard]] constexpr T *end() const noexcept { return data_ + size_; }
	/** @p index must be less than size(). */
	constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

	/** @p count elements from @p offset, clamped to what there is. */
	[[nodiscard]] constexpr span subspan(std::size_t offset,
	                                     std::size_t count = static_cast<std::size_t>(-1)) const
	{
		const std::size_t from = offset < size_ ? offset : size_;
		return {data_ + from, count < size_ - from ? count : size_ - from};
	}

private:
	T *data_ = nullptr;
	std::size_t size_ = 0;
};

} // namespace v1
} // namespace atom

#endif
