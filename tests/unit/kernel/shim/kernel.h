/* SPDX-License-Identifier: MIT */
/*
 * What of the kernel the sources under test use, on the host. The compiler includes it before everything; the kernel's own
 * headers are empty files here (CMakeLists.txt).
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef u64 dma_addr_t;
#define U32_MAX UINT32_MAX
#define U64_MAX (~0ull)
#define __user

#define SZ_4K 0x1000u
#define SZ_64K 0x10000u
#define SZ_1M 0x100000u
#define SZ_2M 0x200000u
#define SZ_4M 0x400000u
#define SZ_8M 0x800000u
#define SZ_64M 0x4000000u
#define SZ_1G 0x40000000u
#define PAGE_SIZE 4096u
#define PAGE_SHIFT 12
#define totalram_pages() (1ul << 20)
#define si_mem_available() (1l << 20)
#define get_nr_swap_pages() 0l

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define dma_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define cpu_to_le16(x) ((u16)(x))
#define cpu_to_le32(x) ((u32)(x))
#define cpu_to_le64(x) ((u64)(x))
#define le16_to_cpu(x) ((u16)(x))
#define le64_to_cpu(x) ((u64)(x))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define DIV_ROUND_UP_ULL(a, b) (((u64)(a) + (b) - 1) / (b))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define roundup_pow_of_two(x) (2ull << (63 - __builtin_clzll((x) - 1)))
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define WARN_ON(condition) ((condition) ? abort() : (void)0)
#define cond_resched() ((void)0)
#define fatal_signal_pending(task) false

#define ERR_PTR(error) ((void *)(intptr_t)(error))
#define PTR_ERR(pointer) ((long)(intptr_t)(pointer))
#define IS_ERR(pointer) ((uintptr_t)(pointer) >= (uintptr_t)-4095)

#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0
#define kzalloc(bytes, flags) calloc(1, bytes)
#define kzalloc_obj(object, flags) calloc(1, sizeof(object))
#define kvcalloc(count, bytes, flags) calloc(count, bytes)
#define kfree(pointer) free(pointer)
#define kvfree(pointer) free(pointer)

typedef struct {
	int counter;
} atomic_t;
#define atomic_inc(a) ((void)++(a)->counter)
#define atomic_dec(a) ((void)--(a)->counter)
#define atomic_read(a) ((a)->counter)
typedef struct {
	long counter;
} atomic_long_t;
#define atomic_long_add_return(n, a) ((a)->counter += (long)(n))
#define atomic_long_sub(n, a) ((void)((a)->counter -= (long)(n)))

/* One thread has nobody to wait for. */
typedef struct {
	bool held;
} spinlock_t;
#define spin_lock_init(lock) ((lock)->held = false)
#define spin_lock(lock) ((lock)->held = true)
#define spin_unlock(lock) ((lock)->held = false)
#define lockdep_assert_held(lock) WARN_ON(!(lock)->held)
struct mutex {
	bool held;
};
#define mutex_init(lock) ((lock)->held = false)
#define mutex_lock(lock) ((lock)->held = true)
#define mutex_unlock(lock) ((lock)->held = false)

struct list_head {
	struct list_head *next, *prev;
};
static inline void INIT_LIST_HEAD(struct list_head *list) { list->next = list->prev = list; }
static inline bool list_empty(const struct list_head *list) { return list->next == list; }
static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->prev = list->prev;
	entry->next = list;
	list->prev->next = entry;
	list->prev = entry;
}
static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}
static inline void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}
static inline size_t list_count_nodes(struct list_head *list)
{
	size_t count = 0;

	for (const struct list_head *at = list->next; at != list; at = at->next)
		count++;
	return count;
}
#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first_entry(list, type, member) list_entry((list)->next, type, member)
#define list_for_each_entry(at, list, member)                                                              \
	for (at = list_first_entry(list, __typeof__(*at), member); &at->member != (list);                     \
	     at = list_entry(at->member.next, __typeof__(*at), member))
#define list_for_each_entry_safe(at, after, list, member)                                                                        \
	for (at = list_first_entry(list, __typeof__(*at), member), after = list_entry(at->member.next, __typeof__(*at), member); \
	     &at->member != (list); at = after, after = list_entry(at->member.next, __typeof__(*at), member))

/* User memory is the program's own; its first page is never there. */
#define u64_to_user_ptr(x) ((void *)(uintptr_t)(x))
static inline unsigned long copy_from_user(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)from < PAGE_SIZE)
		return bytes;
	memcpy(to, from, bytes);
	return 0;
}
static inline unsigned long copy_to_user(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)to < PAGE_SIZE)
		return bytes;
	memcpy(to, from, bytes);
	return 0;
}
static inline unsigned long clear_user(void *to, size_t bytes)
{
	memset(to, 0, bytes);
	return 0;
}
static inline int check_zeroed_user(const void *from, size_t bytes)
{
	const u8 *at = from;

	while (bytes && !*at)
		at++, bytes--;
	return !bytes;
}

static inline void *memchr_inv(const void *memory, int byte, size_t bytes)
{
	for (const u8 *at = memory; bytes; at++, bytes--)
		if (*at != byte)
			return (void *)(uintptr_t)at;
	return NULL;
}

#define MODULE_DESCRIPTION(text) _Static_assert(1, text)
#define MODULE_LICENSE(text) _Static_assert(1, text)

#endif
