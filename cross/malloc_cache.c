/* SPDX-License-Identifier: MIT */
/*
 * Small free blocks kept for the main thread, which runs the event loop: taking one back needs
 * no lock, and none of the checks of musl's allocator. A request makes about a hundred such
 * blocks. Linked with --wrap, so that Swift, SQLite and Mbed TLS all come here; what other
 * threads do goes straight to musl.
 *
 * Sizes are rounded up to 12 modulo 16, which is what one of musl's slots holds, so rounding
 * costs no memory, and the size musl reports for a block names its bin.
 */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum {
  unit = 16,
  bin_count = 97,      /* blocks of up to 1548 bytes, so that a relay is one */
  capacity = 262144,   /* bytes in all bins at most, and the half of it in one */
};

struct block {
  struct block *next;
};

struct bin {
  struct block *first;
  size_t count;
};

static struct bin bins[bin_count];
static size_t kept; /* bytes in all bins */
static void *main_thread;

void *__real_malloc(size_t size);
void __real_free(void *memory);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);

static void remember_main_thread(void) { main_thread = __builtin_thread_pointer(); }

/* Called before main. Aligned for 8, since this is what follows the data that threads have of
   their own: lld leaves a gap of 64 kB in the file where that needs more alignment. */
__attribute__((section(".init_array"), aligned(8), used)) static void (*at_start)(void) =
    remember_main_thread;

void *__wrap_malloc(size_t size) {
  size_t index = (size + 3) / unit;
  if (size > PTRDIFF_MAX || index >= bin_count) return __real_malloc(size);
  if (__builtin_thread_pointer() == main_thread && bins[index].first) {
    struct block *block = bins[index].first;
    bins[index].first = block->next;
    bins[index].count--;
    kept -= index * unit + unit - 4;
    return block;
  }
  return __real_malloc(index * unit + unit - 4);
}

void __wrap_free(void *memory) {
  if (memory && __builtin_thread_pointer() == main_thread) {
    size_t size = malloc_usable_size(memory); /* as asked for; stops the program if corrupt */
    size_t index = size / unit;
    if (size % unit == unit - 4 && index < bin_count && kept + size <= capacity &&
        bins[index].count * size < capacity / 2) {
      struct block *block = memory;
      block->next = bins[index].first;
      bins[index].first = block;
      bins[index].count++;
      kept += size;
      return;
    }
  }
  __real_free(memory);
}

/* Gives back what is kept; called by CPlatform in the main thread when the start is over. */
void cp_drop_blocks(void) {
  for (size_t index = 0; index < bin_count; index++) {
    struct block *block = bins[index].first;
    while (block) {
      struct block *next = block->next;
      __real_free(block);
      block = next;
    }
    bins[index] = (struct bin){0};
  }
  kept = 0;
}

/* What Swift allocates with. Every block of musl is aligned for 16. */
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment > unit) return __real_posix_memalign(memory, alignment, size);
  void *result = __wrap_malloc(size);
  if (!result) return ENOMEM;
  *memory = result;
  return 0;
}
