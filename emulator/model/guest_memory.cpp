/* SPDX-License-Identifier: MIT */
#include "guest_memory.h"

#include <algorithm>
#include <utility>

namespace atom::model {

translation guest_memory::stretch(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes,
				  std::uint32_t access)
{
	translation whole = mmu_.translate(asid, va, access, cache_);
	if (whole.fault)
		return whole;
	while (whole.bytes < bytes) {
		const translation next = mmu_.translate(asid, va + whole.bytes, access, cache_);
		/* A fault is met again, and told, when the copy gets there. */
		if (next.fault || next.at.aperture != whole.at.aperture ||
		    next.at.address != whole.at.address + whole.bytes)
			break;
		whole.bytes += next.bytes;
	}
	whole.bytes = std::min(whole.bytes, bytes);
	return whole;
}

void guest_memory::count(std::uint32_t aperture, std::uint64_t bytes, std::uint32_t access)
{
	if (aperture == ATOM_APERTURE_SHM)
		return;
	const bool dma = aperture == ATOM_APERTURE_SYSTEM;
	if (access & ATOM_ACCESS_READ)
		(dma ? traffic_.dma_read : traffic_.dram_read) += bytes;
	if (access & ATOM_ACCESS_WRITE)
		(dma ? traffic_.dma_write : traffic_.dram_write) += bytes;
}

std::uint16_t guest_memory::injected(bool is_read)
{
	if (!inject_.any())
		return ATOM_FAULT_NONE;
	if (inject_.strike(inject_kind::dma_error, queue_))
		return ATOM_FAULT_DMA_ERROR;
	if (is_read && data_ && inject_.strike(inject_kind::poison, queue_))
		return ATOM_FAULT_POISON;
	return ATOM_FAULT_NONE;
}

bool guest_memory::copy(std::uint32_t asid, std::uint64_t va, std::byte *buffer, std::uint64_t bytes,
			std::uint32_t access, engine::fault &why)
{
	const bool is_read = access == ATOM_ACCESS_READ;
	const auto fail = [&](std::uint16_t code) {
		why.code = code;
		why.va = va;
		why.access = access;
		return false;
	};
	if (bytes == 0)
		return true;
	if (va + (bytes - 1) < va)
		return fail(ATOM_FAULT_VA_RANGE);
	if (data_ && inject_.any() && inject_.strike(inject_kind::mmu_fault, queue_))
		return fail(ATOM_FAULT_NOT_PRESENT);
	while (bytes) {
		const translation t = stretch(asid, va, bytes, access);
		if (t.fault)
			return fail(t.fault);
		if (t.at.aperture == ATOM_APERTURE_SYSTEM) {
			if (const std::uint16_t code = injected(is_read))
				return fail(code);
			const bool done = is_read ? host_.dma_read(t.at.address, buffer, t.bytes)
						  : host_.dma_write(t.at.address, buffer, t.bytes);
			if (!done)
				return fail(ATOM_FAULT_DMA_ERROR);
		} else {
			std::byte *at = memory_.find(t.at, t.bytes);
			if (!at) /* the walker let no such leaf through */
				return fail(ATOM_FAULT_INTERNAL);
			if (is_read)
				guest_copy(buffer, at, t.bytes);
			else
				guest_copy(at, buffer, t.bytes);
		}
		count(t.at.aperture, t.bytes, access);
		va += t.bytes;
		buffer += t.bytes;
		bytes -= t.bytes;
	}
	return true;
}

/*
 * A range that cannot be had in one piece is no fault here: between the bytes
 * that a strided tensor touches there may be pages that are not mapped at all.
 * The engine then copies what it touches, and that tells.
 */
std::byte *guest_memory::map(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes,
			     std::uint32_t access, engine::fault &why)
{
	if (bytes == 0 || bytes > mapping_bytes_max || va + (bytes - 1) < va)
		return nullptr;
	if (inject_.any()) {
		if (inject_.strike(inject_kind::mmu_fault, queue_)) {
			why.code = ATOM_FAULT_NOT_PRESENT;
			why.va = va;
			why.access = access;
			return nullptr;
		}
	}
	const translation t = stretch(asid, va, bytes, access);
	if (t.fault || t.bytes < bytes)
		return nullptr;
	if (t.at.aperture != ATOM_APERTURE_SYSTEM) {
		count(t.at.aperture, bytes, access);
		return memory_.find(t.at, bytes);
	}
	if (!host_.can_map() || mappings_.size() >= mappings_max)
		return nullptr;
	if (const std::uint16_t code = injected(access & ATOM_ACCESS_READ)) {
		why.code = code;
		why.va = va;
		why.access = access;
		return nullptr;
	}
	const bool is_write = access & ATOM_ACCESS_WRITE;
	std::uint64_t covered = bytes;
	mappings_.reserve(mappings_.size() + 1);
	std::byte *pointer = host_.dma_map(t.at.address, covered, is_write);
	if (!pointer)
		return nullptr;
	if (covered < bytes) {
		host_.dma_unmap(pointer, covered, is_write);
		return nullptr;
	}
	mappings_.push_back({pointer, bytes, is_write});
	count(ATOM_APERTURE_SYSTEM, bytes, access);
	return pointer;
}

void guest_memory::unmap_all()
{
	for (const mapping &m : mappings_)
		host_.dma_unmap(m.pointer, m.bytes, m.is_write);
	mappings_.clear();
}

std::uint32_t guest_memory::aperture(std::uint32_t asid, std::uint64_t va)
{
	const translation t = mmu_.translate(asid, va, 0, cache_);
	return t.fault ? static_cast<std::uint32_t>(ATOM_APERTURE_SYSTEM) : t.at.aperture;
}

traffic guest_memory::take_traffic()
{
	return std::exchange(traffic_, traffic{});
}

void tile_memory::fail_data(std::size_t operand, engine::fault why)
{
	why.where = ATOM_WHERE_DATA;
	why.field = operands_[operand].field;
	fail(why);
}

std::byte *tile_memory::map(std::size_t operand, std::int64_t low, std::int64_t high, std::uint32_t access)
{
	if (failed() || operand >= operands_.size() || high <= low)
		return nullptr;
	engine::fault why;
	std::byte *pointer = memory_.map(asid_, operands_[operand].va + static_cast<std::uint64_t>(low),
					 static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low),
					 access, why);
	if (why)
		fail_data(operand, why);
	return pointer;
}

bool tile_memory::read(std::size_t operand, std::int64_t low, void *to, std::size_t bytes)
{
	if (failed())
		return false;
	if (operand >= operands_.size()) {
		fail({.code = ATOM_FAULT_INTERNAL, .where = ATOM_WHERE_COMMAND});
		return false;
	}
	engine::fault why;
	if (memory_.read(asid_, operands_[operand].va + static_cast<std::uint64_t>(low), to, bytes, why))
		return true;
	fail_data(operand, why);
	return false;
}

bool tile_memory::write(std::size_t operand, std::int64_t low, const void *from, std::size_t bytes)
{
	if (failed())
		return false;
	if (operand >= operands_.size()) {
		fail({.code = ATOM_FAULT_INTERNAL, .where = ATOM_WHERE_COMMAND});
		return false;
	}
	engine::fault why;
	if (memory_.write(asid_, operands_[operand].va + static_cast<std::uint64_t>(low), from, bytes, why))
		return true;
	fail_data(operand, why);
	return false;
}

std::byte *tile_memory::keep(std::size_t operand, std::span<const std::uint64_t> form, std::size_t bytes)
{
	if (failed() || operand >= operands_.size())
		return nullptr;
	const engine::operand &o = operands_[operand];
	return kept_.keep(asid_, o.va + static_cast<std::uint64_t>(o.low),
			  static_cast<std::uint64_t>(o.high) - static_cast<std::uint64_t>(o.low), form, bytes);
}

void tile_memory::fail(const engine::fault &why)
{
	if (!failed())
		fault_ = why;
}

void tile_memory::heed(const std::atomic<std::uint32_t> &urgency,
		       std::chrono::steady_clock::duration patience)
{
	urgency_ = &urgency;
	give_way_at_ = std::chrono::steady_clock::now() + patience;
}

bool tile_memory::interrupted()
{
	if (!urgency_ || interrupted_)
		return interrupted_;
	const std::uint32_t urgency = urgency_->load(std::memory_order_relaxed);
	given_patience_ = (urgency & urgency_admin) && std::chrono::steady_clock::now() >= give_way_at_;
	interrupted_ = given_patience_ || (urgency & (urgency_stop | urgency_reset));
	return interrupted_;
}

} // namespace atom::model
