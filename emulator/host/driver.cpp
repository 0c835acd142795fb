/* SPDX-License-Identifier: MIT */
#include "driver.h"

#include <cstring>
#include <new>
#include <stdexcept>

namespace atom::host {

namespace {

template <typename T> std::uint64_t load_acquire(const T *from)
{
	return std::atomic_ref(*const_cast<T *>(from)).load(std::memory_order_acquire);
}

template <typename T> void store_release(T *to, std::uint64_t value)
{
	std::atomic_ref(*to).store(value, std::memory_order_release);
}

/* Bytes of an element or block. */
std::int64_t element_bytes(std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return 1;
	case ATOM_DTYPE_I16:
	case ATOM_DTYPE_F16:
	case ATOM_DTYPE_BF16:
		return 2;
	case ATOM_DTYPE_I64:
		return 8;
	default:
		return 4;
	}
}

} // namespace

page_tables::page_tables(driver &d) : driver_(d), root_(d.allocate(ATOM_PT_BYTES, ATOM_PT_BYTES)) {}

std::uint64_t *page_tables::entry(std::uint64_t va, unsigned level)
{
	std::uint64_t table = root_;
	for (unsigned l = ATOM_PT_LEVELS - 1;; --l) {
		const std::uint64_t index = va >> ATOM_PT_SHIFT(l) & (ATOM_PT_ENTRIES - 1);
		auto *e = driver_.at<std::uint64_t>(table + index * sizeof(std::uint64_t));
		if (l == level)
			return e;
		std::uint64_t value = load_acquire(e);
		if (!(value & ATOM_PTE_VALID)) {
			value = driver_.allocate(ATOM_PT_BYTES, ATOM_PT_BYTES) | ATOM_PTE_VALID;
			store_release(e, value);
		}
		table = value & ATOM_PTE_ADDR_MASK;
	}
}

void page_tables::map(std::uint64_t va, std::uint64_t bytes, std::uint32_t aperture, std::uint64_t address,
		      std::uint64_t flags, std::uint64_t page)
{
	const unsigned level = page == 1ull << ATOM_PT_SHIFT(1) ? 1 : 0;
	const std::uint64_t step = 1ull << ATOM_PT_SHIFT(level);
	if (page == 65536)
		flags |= ATOM_PTE_CONT64K;
	for (std::uint64_t done = 0; done < bytes; done += step)
		store_release(entry(va + done, level), (address + done) | ATOM_PTE_APERTURE(aperture) |
							       ATOM_PTE_VALID | ATOM_PTE_LEAF | flags);
}

void page_tables::unmap(std::uint64_t va, std::uint64_t bytes)
{
	for (std::uint64_t done = 0; done < bytes; done += ATOM_PT_BYTES)
		store_release(entry(va + done, 0), 0);
}

job_queue::job_queue(driver &d, std::uint32_t id, std::uint16_t job_asid, const queue_setup &setup)
	: driver_(d), id_(id), mask_((1ull << setup.ring_log2) - 1), tail_(setup.seq_start)
{
	ring_address_ = d.allocate((mask_ + 1) * sizeof(atom_ring_desc));
	tail_address_ = d.allocate(sizeof(std::uint64_t));
	completion_address_ = d.allocate(ATOM_CPL_AREA_BYTES(setup.ring_log2));
	ring_ = d.at<atom_ring_desc>(ring_address_);
	tail_memory_ = d.at<std::uint64_t>(tail_address_);
	header_ = d.at<atom_cpl_header>(completion_address_);
	records_ = d.at<atom_cpl_record>(completion_address_ + sizeof(atom_cpl_header));
	store_release(tail_memory_, tail_);
	store_release(&header_->seqno, setup.seq_start);
	create_.opcode = ATOM_ADMIN_QUEUE_CREATE;
	create_.id = id;
	auto &c = create_.queue_create;
	c.ring_va = ring_address_;
	c.tail_va = tail_address_;
	c.completion_va = completion_address_;
	c.seq_start = setup.seq_start;
	c.job_asid = job_asid;
	c.ring_asid = ATOM_ASID_DRIVER;
	c.vector = setup.vector;
	c.ring_log2 = setup.ring_log2;
	c.priority = setup.priority;
	c.generation = setup.generation;
}

std::uint64_t job_queue::push(atom_ring_desc desc)
{
	desc.seq = tail_ + 1;
	slot(desc.seq) = desc;
	store_release(tail_memory_, ++tail_);
	return tail_;
}

void job_queue::ring()
{
	driver_.bus().doorbell(id_);
}

std::uint64_t job_queue::submit(const atom_ring_desc &desc)
{
	const std::uint64_t seq = push(desc);
	ring();
	return seq;
}

std::uint64_t job_queue::seqno() const
{
	return load_acquire(&header_->seqno);
}

bool job_queue::wait(std::uint64_t seq)
{
	return driver_.bus().wait([&] { return seqno() >= seq; });
}

atom_cpl_record job_queue::record(std::uint64_t seq) const
{
	const atom_cpl_record *r = records_ + ((seq - 1) & mask_);
	atom_cpl_record copy;
	load_acquire(&r->seq);
	std::memcpy(&copy, r, sizeof copy);
	return copy;
}

void job_queue::set_tail(std::uint64_t value)
{
	store_release(tail_memory_, value);
}

std::uint64_t driver::allocate(std::uint64_t bytes, std::uint64_t alignment)
{
	allocated_ = (allocated_ + alignment - 1) / alignment * alignment;
	const std::uint64_t address = host_bus::ram_base + allocated_;
	std::byte *p = bus_.ram(address, bytes);
	if (!p)
		throw std::bad_alloc();
	allocated_ += bytes;
	return address;
}

bool driver::reset()
{
	bus_.write32(ATOM_REG_CTRL, ATOM_CTRL_RESET);
	return bus_.wait([&] { return bus_.read32(ATOM_REG_STATUS) & ATOM_STATUS_READY; });
}

void driver::set_up_admin(std::uint8_t log2)
{
	admin_mask_ = (1ull << log2) - 1;
	admin_tail_ = 0;
	admin_ring_ = allocate((admin_mask_ + 1) * sizeof(atom_admin_desc));
	admin_tail_address_ = allocate(sizeof(std::uint64_t));
	admin_completion_ = allocate(ATOM_CPL_AREA_BYTES(log2));
	bus_.write64(ATOM_REG_ADMIN_RING, admin_ring_);
	bus_.write64(ATOM_REG_ADMIN_TAIL, admin_tail_address_);
	bus_.write64(ATOM_REG_ADMIN_COMPLETION, admin_completion_);
	bus_.write32(ATOM_REG_ADMIN_LOG2, log2);
}

bool driver::bring_up(std::uint32_t fault_log2)
{
	const std::uint32_t version = ATOM_VERSION(ATOM_INTERFACE_MAJOR, ATOM_INTERFACE_MINOR);
	bus_.write32(ATOM_REG_DRIVER_VERSION, version);
	if (!reset())
		return false;
	bus_.write32(ATOM_REG_DRIVER_VERSION, version);
	set_up_admin();
	fault_log2_ = fault_log2;
	fault_base_ = allocate(sizeof(atom_fault_record) << fault_log2);
	bus_.write64(ATOM_REG_FAULT_BASE, fault_base_);
	bus_.write32(ATOM_REG_FAULT_LOG2, fault_log2);
	bus_.write32(ATOM_REG_CTRL, ATOM_CTRL_ENABLE);
	if (!(bus_.read32(ATOM_REG_STATUS) & ATOM_STATUS_ENABLED))
		return false;
	atom_admin_desc identity{};
	identity.opcode = ATOM_ADMIN_ASID_SET;
	identity.id = ATOM_ASID_DRIVER;
	identity.asid_set.flags = ATOM_ASID_IDENTITY;
	return admin(identity).status == ATOM_CPL_OK;
}

std::uint64_t driver::admin_push(atom_admin_desc desc)
{
	desc.seq = ++admin_tail_;
	*at<atom_admin_desc>(admin_ring_ + ((admin_tail_ - 1) & admin_mask_) * sizeof desc) = desc;
	store_release(at<std::uint64_t>(admin_tail_address_), admin_tail_);
	bus_.doorbell(0);
	return admin_tail_;
}

bool driver::admin_wait(std::uint64_t seq)
{
	const auto *header = at<atom_cpl_header>(admin_completion_);
	return bus_.wait([&] { return load_acquire(&header->seqno) >= seq; });
}

atom_cpl_record driver::admin_record(std::uint64_t seq) const
{
	atom_cpl_record r;
	const std::uint64_t address =
		admin_completion_ + sizeof(atom_cpl_header) + ((seq - 1) & admin_mask_) * sizeof r;
	std::memcpy(&r, bus_.ram(address, sizeof r), sizeof r);
	return r;
}

atom_cpl_record driver::admin(atom_admin_desc desc)
{
	const std::uint64_t seq = admin_push(desc);
	if (!admin_wait(seq))
		return {};
	return admin_record(seq);
}

bool driver::asid_set(std::uint32_t asid, const page_tables &tables, std::uint32_t generation)
{
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_ASID_SET;
	d.id = asid;
	d.asid_set.root = tables.root();
	d.asid_set.generation = generation;
	return admin(d).status == ATOM_CPL_OK;
}

bool driver::asid_clear(std::uint32_t asid)
{
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_ASID_CLEAR;
	d.id = asid;
	return admin(d).status == ATOM_CPL_OK;
}

bool driver::invalidate(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes)
{
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_TLB_INVALIDATE;
	d.id = asid;
	d.tlb.va = va;
	d.tlb.bytes = bytes;
	return admin(d).status == ATOM_CPL_OK;
}

bool driver::create(const job_queue &queue)
{
	return admin(queue.create_desc()).status == ATOM_CPL_OK;
}

bool driver::queue_reset(std::uint32_t id, std::uint32_t generation)
{
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_QUEUE_RESET;
	d.id = id;
	d.queue_reset.generation = generation;
	return admin(d).status == ATOM_CPL_OK;
}

bool driver::queue_destroy(std::uint32_t id)
{
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_QUEUE_DESTROY;
	d.id = id;
	return admin(d).status == ATOM_CPL_OK;
}

std::vector<atom_fault_record> driver::faults() const
{
	const std::uint64_t entries = 1ull << fault_log2_;
	const std::uint64_t tail = bus_.read64(ATOM_REG_FAULT_TAIL);
	std::vector<atom_fault_record> all;
	for (std::uint64_t n = tail > entries ? tail - entries : 0; n < tail; ++n) {
		atom_fault_record r;
		std::memcpy(&r, bus_.ram(fault_base_ + (n & (entries - 1)) * sizeof r, sizeof r), sizeof r);
		all.push_back(r);
	}
	return all;
}

command_bytes::command_bytes(std::uint32_t slots) : bytes_(sizeof(atom_cmdbuf_header)), slots_(slots) {}

void command_bytes::append(const void *from, std::size_t bytes)
{
	const auto *p = static_cast<const std::byte *>(from);
	bytes_.insert(bytes_.end(), p, p + bytes);
	++commands_;
}

const std::vector<std::byte> &command_bytes::bytes()
{
	atom_cmdbuf_header h{};
	h.magic = ATOM_CMDBUF_MAGIC;
	h.major = ATOM_CMDBUF_MAJOR;
	h.minor = ATOM_CMDBUF_MINOR;
	h.bytes = static_cast<std::uint32_t>(bytes_.size());
	h.commands = commands_;
	h.slots = slots_;
	std::memcpy(bytes_.data(), &h, sizeof h);
	return bytes_;
}

atom_tensor dense(std::uint16_t slot, std::uint64_t offset, std::uint8_t dtype,
		  std::initializer_list<std::uint64_t> dims)
{
	atom_tensor t{};
	t.slot = slot;
	t.dtype = dtype;
	t.rank = static_cast<std::uint8_t>(dims.size());
	t.offset = offset;
	std::int64_t stride = element_bytes(dtype);
	std::size_t i = 0;
	for (const std::uint64_t d : dims)
		t.dims[i++] = d;
	while (i-- > 0) {
		t.strides[i] = static_cast<std::uint64_t>(stride);
		stride *= static_cast<std::int64_t>(t.dims[i]);
	}
	return t;
}

} // namespace atom::host
