/* SPDX-License-Identifier: MIT */
/*
 * A guest without manners: registers, rings, page tables, command buffers and
 * injected faults as the input says, on the inline executor. Half of the steps
 * are well formed, so that the input gets behind the first check.
 *
 * What must hold: no crash, no sanitizer report, work ends (each pump is
 * bounded), no mapping outlives its tile, and the device comes up again after a
 * reset whatever was done to it.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>

#include "atom/hw/pci.h"
#include "driver.h"

namespace {

using namespace atom::host;

constexpr std::uint64_t arena_va = 0x10'0000'0000;
constexpr std::uint64_t work_va = 0x20'0000'0000;
constexpr std::uint64_t work_bytes = 1 << 20;
constexpr std::uint16_t asid = 1;
constexpr std::uint32_t queues = 4;

void insist(bool holds, const char *what)
{
	if (holds)
		return;
	std::fprintf(stderr, "device_fuzz: %s\n", what);
	std::abort();
}

/* The input, taken from the front; zeros when it is used up. */
class bytes {
public:
	bytes(const std::uint8_t *data, std::size_t size) : data_(data), size_(size) {}
	bool empty() const { return size_ == 0; }
	template <typename T> T take()
	{
		T value{};
		const std::size_t n = std::min(sizeof value, size_);
		std::memcpy(&value, data_, n);
		data_ += n;
		size_ -= n;
		return value;
	}

private:
	const std::uint8_t *data_;
	std::size_t size_;
};

class session {
public:
	explicit session(bytes in)
		: in_(in), bus_({.ram_size = 24ull << 20, .dram_size = 4ull << 20, .shm_size = 1 << 20,
				 .num_queues = queues, .num_asids = 4, .num_vectors = 3,
				 .engine = ATOM_ENGINE_REFERENCE, .manual_clock = true}),
		  driver_(bus_)
	{
	}

	void run()
	{
		start();
		for (int step = 0; step < 64 && !in_.empty(); ++step) {
			one_step();
			bounded_pump();
			insist(bus_.mappings() == 0, "a mapping outlived its tile");
		}
		insist(bus_.log().size() < 1000, "a guest flooded the log");
		std::free(atom_model_describe(bus_.model()));
		/* Whatever happened, a reset gives a working device. */
		atom_model_inject(bus_.model(), "kind=clear", nullptr);
		bus_.heal_dma();
		bus_.set_bus_master(true);
		atom_model_cfg(bus_.model(), 0, ATOM_CFG_POWER, 0);
		atom_model_cfg(bus_.model(), 0, ATOM_CFG_LINK, 1);
		atom_model_reset(bus_.model(), 0, ATOM_RESET_FLR);
		insist(driver_.bring_up(), "no life after a reset");
	}

private:
	void start()
	{
		insist(driver_.bring_up(), "bring-up failed");
		tables_ = std::make_unique<page_tables>(driver_);
		work_ = driver_.allocate(work_bytes, 4096);
		tables_->map(arena_va, 2 << 20, ATOM_APERTURE_LOCAL, 0);
		tables_->map(arena_va + (2 << 20), 1 << 20, ATOM_APERTURE_SHM, 0);
		tables_->map(work_va, work_bytes, ATOM_APERTURE_SYSTEM, work_);
		insist(driver_.asid_set(asid, *tables_), "ASID_SET failed");
		for (std::uint32_t id = 1; id <= queues; ++id) {
			queue_setup setup;
			setup.ring_log2 = 3;
			setup.priority = static_cast<std::uint8_t>(id - 1);
			queue_[id - 1] = std::make_unique<job_queue>(driver_, id, asid, setup);
			insist(driver_.create(*queue_[id - 1]), "QUEUE_CREATE failed");
		}
	}

	/* No work that a guest asks for goes on for ever. */
	void bounded_pump()
	{
		for (int n = 0; atom_model_run(bus_.model(), 1'000'000); ++n)
			insist(n < 20'000, "work without end");
	}

	/* An offset that is most often a register's. */
	std::uint64_t offset()
	{
		const auto raw = in_.take<std::uint16_t>();
		return raw & 0x8000 ? raw : (raw & 0x7fc) % 0x290 + (raw & 0x4000 ? ATOM_REG_QUEUE_BASE : 0);
	}

	job_queue &a_queue() { return *queue_[in_.take<std::uint8_t>() % queues]; }

	template <typename T> void spoil(T &what)
	{
		auto *p = reinterpret_cast<std::uint8_t *>(&what);
		for (int n = in_.take<std::uint8_t>() % 4; n > 0; --n) {
			const auto at = in_.take<std::uint16_t>() % sizeof what;
			p[at] = in_.take<std::uint8_t>();
		}
	}

	/* A tensor that mostly fits into what is mapped, and small: the fuzzer is after checks, not sums. */
	atom_tensor tensor(std::uint8_t dtype, std::initializer_list<std::uint64_t> dims)
	{
		const std::uint64_t base = in_.take<std::uint8_t>() & 1 ? arena_va : work_va + 65536;
		return dense(0, base + in_.take<std::uint16_t>() * 8u, dtype, dims);
	}

	void add_command(command_bytes &c)
	{
		const std::uint64_t n = 1 + in_.take<std::uint8_t>() % 32;
		const auto f32 = ATOM_DTYPE_F32;
		switch (in_.take<std::uint8_t>() % 8) {
		case 0: {
			atom_cmd_nop nop{};
			nop.header.opcode = in_.take<std::uint8_t>();
			spoil(nop);
			c.add(nop);
			break;
		}
		case 1: {
			atom_cmd_timestamp t{};
			t.header.opcode = ATOM_OP_TIMESTAMP;
			t.out.offset = work_va + in_.take<std::uint16_t>() * 8u;
			spoil(t);
			c.add(t);
			break;
		}
		case 2: {
			atom_cmd_gemm g{};
			g.header.opcode = ATOM_OP_GEMM;
			g.alpha = 1.0f;
			g.a = tensor(f32, {n, 8});
			g.b = tensor(f32, {8, n});
			g.out = tensor(f32, {n, n});
			spoil(g);
			c.add(g);
			break;
		}
		case 3: {
			atom_cmd_binary b{};
			b.header.opcode = ATOM_OP_BINARY;
			b.kind = in_.take<std::uint8_t>() % 12;
			b.a = tensor(f32, {n, n});
			b.b = tensor(f32, {n, n});
			b.out = tensor(f32, {n, n});
			spoil(b);
			c.add(b);
			break;
		}
		case 4: {
			atom_cmd_unary u{};
			u.header.opcode = ATOM_OP_UNARY;
			u.function = in_.take<std::uint8_t>() % ATOM_FN_COUNT;
			u.in = tensor(f32, {n, n});
			u.out = tensor(f32, {n, n});
			spoil(u);
			c.add(u);
			break;
		}
		case 5: {
			atom_cmd_cast k{};
			k.header.opcode = ATOM_OP_CAST;
			k.in = tensor(f32, {n});
			k.out = tensor(static_cast<std::uint8_t>(in_.take<std::uint8_t>() % 9), {n});
			spoil(k);
			c.add(k);
			break;
		}
		default: {
			atom_cmd_copy k{};
			k.header.opcode = ATOM_OP_COPY;
			if (in_.take<std::uint8_t>() & 1)
				k.header.flags = ATOM_COPY_FILL;
			else
				k.in = tensor(ATOM_DTYPE_U8, {n, 64});
			k.out = tensor(ATOM_DTYPE_U8, {n, 64});
			spoil(k);
			c.add(k);
			break;
		}
		}
	}

	void submit()
	{
		job_queue &q = a_queue();
		command_bytes c(1 + in_.take<std::uint8_t>() % 3);
		for (int n = in_.take<std::uint8_t>() % 4; n >= 0; --n)
			add_command(c);
		auto buffer = c.bytes();
		for (int n = in_.take<std::uint8_t>() % 3; n > 0; --n) {
			const std::size_t at = in_.take<std::uint16_t>() % buffer.size();
			buffer[at] = in_.take<std::byte>();
		}
		std::memcpy(bus_.ram(work_, buffer.size()), buffer.data(), buffer.size());
		auto *args = driver_.at<atom_arg>(work_ + 0x8000);
		args[0] = {in_.take<std::uint64_t>(), in_.take<std::uint32_t>()};
		args[1] = {arena_va, 4096};
		atom_ring_desc d{};
		d.type = ATOM_DESC_EXECUTE;
		d.flags = ATOM_DESC_IRQ;
		d.cmd_va = work_va;
		d.cmd_bytes = static_cast<std::uint32_t>(buffer.size());
		d.args_va = work_va + 0x8000;
		d.arg_count = 2;
		spoil(d);
		q.push(d);
		if (in_.take<std::uint8_t>() & 1)
			spoil(q.slot(q.last()));
		q.ring();
	}

	void admin()
	{
		atom_admin_desc d{};
		d.opcode = in_.take<std::uint8_t>() % 12;
		d.id = in_.take<std::uint8_t>() % 6;
		const bool use_good = in_.take<std::uint8_t>() & 1;
		switch (d.opcode) {
		case ATOM_ADMIN_QUEUE_CREATE:
			if (use_good && d.id >= 1 && d.id <= queues)
				d = queue_[d.id - 1]->create_desc();
			break;
		case ATOM_ADMIN_ASID_SET:
			d.asid_set.root = use_good ? tables_->root() : work_;
			break;
		case ATOM_ADMIN_MEM_CLEAR:
			d.id = 0;
			d.mem_clear.aperture = 1 + in_.take<std::uint8_t>() % 2;
			d.mem_clear.bytes = 4096u << in_.take<std::uint8_t>() % 10;
			break;
		case ATOM_ADMIN_TLB_INVALIDATE:
			d.tlb.va = arena_va;
			d.tlb.bytes = in_.take<std::uint16_t>() * 4096u;
			break;
		}
		spoil(d);
		if (!(bus_.read32(ATOM_REG_STATUS) & ATOM_STATUS_FATAL))
			driver_.admin_push(d);
	}

	void page_table()
	{
		const std::uint64_t va = (in_.take<std::uint8_t>() & 1 ? arena_va : work_va) +
					 in_.take<std::uint8_t>() * 4096u;
		std::uint64_t *e = tables_->entry(va, 0);
		*e = in_.take<std::uint8_t>() & 1 ? in_.take<std::uint64_t>() : *e ^ 1ull << in_.take<std::uint8_t>() % 64;
		if (in_.take<std::uint8_t>() & 1) {
			/* A table of the guest's fantasy; entry 0 leads to those that this program edits. */
			*driver_.at<std::uint64_t>(tables_->root() + (1 + in_.take<std::uint16_t>() % 511) * 8u) =
				in_.take<std::uint64_t>();
		}
	}

	void inject()
	{
		static const char *const specs[] = {
			"kind=lost-irq", "kind=duplicate-irq,count=3", "kind=late-irq,delay_us=10", "kind=hang",
			"kind=hung-detected", "kind=mmu-fault,after=1", "kind=dma-error,after=2,count=2",
			"kind=dma-error,queue=0", "kind=poison", "kind=ecc-ce,count=2", "kind=ecc-ue",
			"kind=thermal,temp_mc=90000", "kind=thermal,temp_mc=120000", "kind=power",
			"kind=stuck-register,offset=0x104,value=0", "kind=all-ones,count=2", "kind=link-down",
			"kind=corrupt-seqno,value=77", "kind=corrupt-record", "kind=corrupt-seqno,queue=0,value=7",
			"kind=corrupt-record,queue=0", "kind=corrupt-fault", "kind=forged-fault,value=2", "kind=clear",
		};
		if (in_.take<std::uint8_t>() & 7) {
			atom_model_inject(bus_.model(), specs[in_.take<std::uint8_t>() % std::size(specs)], nullptr);
			return;
		}
		char text[32] = "kind=";
		for (std::size_t i = 5; i < sizeof text - 1; ++i)
			text[i] = in_.take<char>();
		char *error = nullptr;
		const int r = atom_model_inject(bus_.model(), text, &error);
		insist((r == 0) == (error == nullptr), "an error without a sentence");
		std::free(error);
	}

	void one_step()
	{
		switch (in_.take<std::uint8_t>() % 16) {
		case 0:
			bus_.write(offset(), in_.take<std::uint64_t>(), 1u << in_.take<std::uint8_t>() % 4);
			break;
		case 1:
			bus_.read(offset(), 1u << in_.take<std::uint8_t>() % 5);
			break;
		case 2:
			bus_.doorbell(in_.take<std::uint8_t>() & 7);
			break;
		case 3:
			a_queue().set_tail(in_.take<std::uint64_t>());
			break;
		case 4:
			a_queue().set_tail(a_queue().last());
			break;
		case 5:
			page_table();
			break;
		case 6:
			inject();
			break;
		case 7:
			bus_.advance(in_.take<std::uint32_t>());
			break;
		case 8:
			bus_.fail_dma(work_ + in_.take<std::uint16_t>(), in_.take<std::uint16_t>());
			break;
		case 9:
			atom_model_cfg(bus_.model(), 0, in_.take<std::uint8_t>() % 5, in_.take<std::uint8_t>() % 4);
			break;
		case 10:
			atom_model_reset(bus_.model(), 0, in_.take<std::uint8_t>() % 4);
			break;
		case 11:
		case 12:
			admin();
			break;
		default:
			submit();
			break;
		}
	}

	bytes in_;
	host_bus bus_;
	driver driver_;
	std::unique_ptr<page_tables> tables_;
	std::unique_ptr<job_queue> queue_[queues];
	std::uint64_t work_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	session s(bytes(data, size));
	s.run();
	return 0;
}
