/* SPDX-License-Identifier: MIT */
#include "host_port.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace atom::model {

#if defined(__SANITIZE_THREAD__)
#define ATOM_RACES_WITH_GUEST __attribute__((no_sanitize("thread"), noinline))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ATOM_RACES_WITH_GUEST __attribute__((no_sanitize("thread"), noinline))
#endif
#endif
#ifndef ATOM_RACES_WITH_GUEST
#define ATOM_RACES_WITH_GUEST
#endif

/*
 * ThreadSanitizer intercepts memcpy itself, so that the attribute alone does not
 * reach it: under TSan the copy is spelled out, in words where it can be.
 */
ATOM_RACES_WITH_GUEST void guest_copy(void *to, const void *from, std::size_t bytes)
{
#if defined(__SANITIZE_THREAD__)
	auto *d = static_cast<volatile unsigned char *>(to);
	auto *s = static_cast<const volatile unsigned char *>(from);
	for (std::size_t i = 0; i < bytes; ++i)
		d[i] = s[i];
#else
	std::memmove(to, from, bytes);
#endif
}

ATOM_RACES_WITH_GUEST void guest_zero(void *to, std::size_t bytes)
{
#if defined(__SANITIZE_THREAD__)
	auto *d = static_cast<volatile unsigned char *>(to);
	for (std::size_t i = 0; i < bytes; ++i)
		d[i] = 0;
#else
	std::memset(to, 0, bytes);
#endif
}

bool host_port::dma_read(std::uint64_t addr, void *buf, std::uint64_t len)
{
	return reachable() && host_.dma_read(opaque_, 0, 0, addr, buf, len) == 0;
}

bool host_port::dma_write(std::uint64_t addr, const void *buf, std::uint64_t len)
{
	return reachable() && host_.dma_write(opaque_, 0, 0, addr, buf, len) == 0;
}

std::byte *host_port::dma_map(std::uint64_t addr, std::uint64_t &len, bool is_write)
{
	if (!can_map() || !reachable())
		return nullptr;
	const std::uint64_t wanted = len;
	auto *p = static_cast<std::byte *>(host_.dma_map(opaque_, 0, 0, addr, &len, is_write));
	if (p && (len == 0 || len > wanted)) {
		log(ATOM_LOG_ERROR, "dma_map returned a length of %llu for %llu bytes",
		    static_cast<unsigned long long>(len), static_cast<unsigned long long>(wanted));
		host_.dma_unmap(opaque_, 0, p, len, is_write);
		return nullptr;
	}
	return p;
}

void host_port::dma_unmap(std::byte *ptr, std::uint64_t len, bool is_write)
{
	host_.dma_unmap(opaque_, 0, ptr, len, is_write);
}

void host_port::irq(std::uint32_t vector)
{
	if (!reachable())
		return;
	trace(ATOM_TRACE_IRQ, vector);
	host_.irq(opaque_, 0, vector);
}

void host_port::trace(std::uint32_t event, std::uint64_t a0, std::uint64_t a1, std::uint64_t a2,
		      std::uint64_t a3)
{
	if (!host_.trace)
		return;
	const std::uint64_t args[4] = {a0, a1, a2, a3};
	host_.trace(opaque_, event, args);
}

void host_port::command_time(const atom_model_command_time &t)
{
	if (host_.command_time)
		host_.command_time(opaque_, &t);
}

void host_port::log(atom_log_level level, const char *format, ...)
{
	if (!host_.log)
		return;
	char message[256];
	va_list args;
	va_start(args, format);
	std::vsnprintf(message, sizeof message, format, args);
	va_end(args);
	host_.log(opaque_, level, message);
}

void host_port::misuse(guest_error what, std::uint64_t detail, const char *sentence)
{
	constexpr std::uint32_t logged = 8;
	trace(ATOM_TRACE_GUEST_ERROR, static_cast<std::uint64_t>(what), detail);
	if (misuses_[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed) < logged)
		log(ATOM_LOG_GUEST, "%s (0x%llx)", sentence, static_cast<unsigned long long>(detail));
}

} // namespace atom::model
