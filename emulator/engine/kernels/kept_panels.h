/* SPDX-License-Identifier: MIT */
/**
 * @file kept_panels.h
 * @brief Packed weights that outlive a call: all columns, each panel over all of k.
 *
 * A panel is packed by the first thread that needs it; one that comes meanwhile packs for itself.
 */
#pragma once

#include "driver.h"
#include "kept_once.h"

namespace atom::engine::kernels {

class kept_panels {
public:
	/** @param room bytes() of it, aligned, zeroed before its first use */
	kept_panels(std::byte *room, const family &f, std::size_t groups, std::size_t columns)
	    : f_(f), states_(reinterpret_cast<std::uint32_t *>(room)),
	      sums_(reinterpret_cast<std::uint32_t *>(room + states_bytes(f, columns))),
	      panels_(room + states_bytes(f, columns) + sums_bytes(f, columns)), panel_bytes_(groups * f.columns * 4)
	{
	}

	static std::size_t bytes(const family &f, std::size_t groups, std::size_t columns)
	{
		return states_bytes(f, columns) + sums_bytes(f, columns) + count(f, columns) * groups * f.columns * 4;
	}

	std::size_t panel_bytes() const { return panel_bytes_; }
	const std::byte *panel(std::size_t column) const { return panels_ + column / f_.columns * panel_bytes_; }
	/** Of columns of integers. */
	const std::uint32_t *sums(std::size_t column) const { return sums_ + column; }

	/** Whether the panel of @p column is there, packed by pack(to) if nobody was before. */
	template <class Pack> bool have(std::size_t column, const Pack &pack)
	{
		return made_once(states_[column / f_.columns], [&] {
			std::byte *to = panels_ + column / f_.columns * panel_bytes_;
			pack(to);
			if (f_.integer)
				f_.sum_columns(to, panel_bytes_ / f_.columns / 4, sums_ + column);
			return true;
		});
	}

private:
	static std::size_t count(const family &f, std::size_t columns) { return divide_up(columns, f.columns); }
	static std::size_t states_bytes(const family &f, std::size_t columns)
	{
		return aligned(count(f, columns) * sizeof(std::uint32_t));
	}
	static std::size_t sums_bytes(const family &f, std::size_t columns)
	{
		return f.integer ? aligned(count(f, columns) * f.columns * sizeof(std::uint32_t)) : 0;
	}

	const family &f_;
	std::uint32_t *states_, *sums_;
	std::byte *panels_;
	std::size_t panel_bytes_;
};

} // namespace atom::engine::kernels
