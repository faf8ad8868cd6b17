/* SPDX-License-Identifier: MIT */
/*
 * Free blocks kept for the main thread, which runs the event loop: taking one back needs
 * no lock, and none of the checks of musl's allocator. A request makes about a hundred such
 * blocks. Linked with --wrap, so that Swift, SQLite and Mbed TLS all come here; what other
 * threads do goes straight to musl.
 *
 * Sizes are rounded up to 12 modulo 16, which is what one of musl's slots holds, so rounding
 * costs no memory, and the size musl reports for a block names its bin.
 *
 * Of larger blocks a few are kept as well: bytes that wait to be sent within a turn of the loop.
 * musl gives each such block back to the kernel at once, and the next one comes page by page.
 */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  unit = 16,
  bin_count = 97,      /* blocks of up to 1548 bytes, so that a relay is one */
  capacity = 262144,   /* bytes in all bins at most, and the half of it in one */
  spare_count = 4,     /* larger blocks */
  spare_limit = 32768, /* bytes of one */
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

static struct spare {
  void *memory;
  size_t size;
} spares[spare_count];
static size_t oldest;
static void *main_thread;
static int is_clearing; /* the main thread is in calloc for a block that must be musl's own */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *memory);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);

static void remember_main_thread(void) { main_thread = __builtin_thread_pointer(); }

/* Called before main. Aligned for 8, since this is what follows the data that threads have of
   their own: lld leaves a gap of 64 kB in the file where that needs more alignment. */
__attribute__((section(".init_array"), aligned(8), used)) static void (*at_start)(void) =
    remember_main_thread;

/* A kept block of at most twice the size, or NULL. */
static void *take_spare(size_t size) {
  for (size_t index = 0; index < spare_count; index++) {
    struct spare *spare = &spares[index];
    if (spare->size >= size && spare->size / 2 <= size) {
      spare->size = 0;
      return spare->memory;
    }
  }
  return NULL;
}

/* Keeps a block, if need be in the place of the oldest one, and returns what is to be freed. */
static void *keep_spare(void *memory, size_t size) {
  size_t place = oldest;
  for (size_t index = 0; index < spare_count; index++) {
    if (spares[index].size == 0) place = index;
  }
  void *former = spares[place].size ? spares[place].memory : NULL;
  if (former) oldest = (oldest + 1) % spare_count;
  spares[place] = (struct spare){memory, size};
  return former;
}

void *__wrap_malloc(size_t size) {
  size_t index = (size + 3) / unit;
  if (size > PTRDIFF_MAX) return __real_malloc(size);
  if (index >= bin_count) {
    void *spare = NULL;
    if (size <= spare_limit && __builtin_thread_pointer() == main_thread && !is_clearing)
      spare = take_spare(size);
    return spare ? spare : __real_malloc(size);
  }
  if (__builtin_thread_pointer() == main_thread && bins[index].first) {
    struct block *block = bins[index].first;
    bins[index].first = block->next;
    bins[index].count--;
    kept -= index * unit + unit - 4;
    return block;
  }
  return __real_malloc(index * unit + unit - 4);
}

/*
 * musl clears no block that it takes to be fresh from the kernel, as it takes a kept one to be: so
 * it gets none of these. Clearing it here would touch pages that the caller may never use, such
 * as those of TLS's buffers.
 */
void *__wrap_calloc(size_t count, size_t size) {
  size_t all;
  if (__builtin_mul_overflow(count, size, &all) || all > PTRDIFF_MAX) {
    errno = ENOMEM;
    return NULL;
  }
  if ((all + 3) / unit < bin_count) {
    void *memory = __wrap_malloc(all);
    return memory ? memset(memory, 0, all) : NULL;
  }
  if (__builtin_thread_pointer() != main_thread) return __real_calloc(count, size);
  is_clearing = 1;
  void *memory = __real_calloc(count, size);
  is_clearing = 0;
  return memory;
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
    if (index >= bin_count && size <= spare_limit) memory = keep_spare(memory, size);
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
  for (size_t index = 0; index < spare_count; index++) {
    if (spares[index].size) __real_free(spares[index].memory);
    spares[index].size = 0;
  }
}

/* What Swift allocates with. Every block of musl is aligned for 16. */
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment > unit) return __real_posix_memalign(memory, alignment, size);
  void *result = __wrap_malloc(size);
  if (!result) return ENOMEM;
  *memory = result;
  return 0;
}
