/* SPDX-License-Identifier: MIT */
#include "CPlatform.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include <stdlib.h>
#include <string.h>

void *cp_allocate(size_t size) { return malloc(size); }
void *cp_reallocate(void *memory, size_t size) { return realloc(memory, size); }
void cp_free(void *memory) { free(memory); }

/* Most copies are of a few bytes, for which musl's memcpy, a string instruction on x86-64, takes
 * longer to begin than to copy. Copies of a fixed size become plain loads and stores; the second
 * one overlaps the first. */
void cp_copy(void *to, const void *from, size_t count) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (count > 64) {
    memcpy(to, from, count);
  } else if (count >= 32) {
    __builtin_memcpy(target, source, 32);
    __builtin_memcpy(target + count - 32, source + count - 32, 32);
  } else if (count >= 16) {
    __builtin_memcpy(target, source, 16);
    __builtin_memcpy(target + count - 16, source + count - 16, 16);
  } else if (count >= 8) {
    __builtin_memcpy(target, source, 8);
    __builtin_memcpy(target + count - 8, source + count - 8, 8);
  } else {
    for (size_t index = 0; index < count; index++) target[index] = source[index];
  }
}

void cp_move(void *to, const void *from, size_t count) { memmove(to, from, count); }

int32_t cp_compare(const void *left, const void *right, size_t count) {
  return memcmp(left, right, count);
}

#if defined(__SSE2__)
/* Sixteen bytes at a time: musl's memchr takes eight, and aligns first. Heads and events are
 * searched in many short pieces. */
static const uint8_t *find_byte(const uint8_t *at, uint8_t byte, size_t count) {
  const __m128i wanted = _mm_set1_epi8((char)byte);
  for (; count >= 16; at += 16, count -= 16) {
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), wanted);
    int mask = _mm_movemask_epi8(equal);
    if (mask) return at + __builtin_ctz((unsigned)mask);
  }
  for (; count > 0; at++, count--) {
    if (*at == byte) return at;
  }
  return NULL;
}
#else
static const uint8_t *find_byte(const uint8_t *at, uint8_t byte, size_t count) {
  return memchr(at, byte, count);
}
#endif

int64_t cp_find_byte(const void *memory, uint8_t byte, size_t count) {
  if (count == 0) return -1;
  const uint8_t *found = find_byte(memory, byte, count);
  return found ? found - (const uint8_t *)memory : -1;
}

/* memmem prepares tables that cost more than a search in a short text. Names in JSON begin with
 * a quote, which is everywhere, so the second byte is looked for. */
int64_t cp_find(const void *memory, size_t count, const void *needle, size_t needle_count) {
  if (needle_count > count || needle_count < 2) {
    return needle_count == 1 ? cp_find_byte(memory, *(const uint8_t *)needle, count) : -1;
  }
  const uint8_t *text = memory, *wanted = needle;
  const uint8_t *at = text + 1, *last = text + count - needle_count + 1;
  while (at <= last && (at = find_byte(at, wanted[1], (size_t)(last - at) + 1)) != NULL) {
    if (at[-1] == wanted[0] && memcmp(at + 1, wanted + 2, needle_count - 2) == 0) {
      return at - 1 - text;
    }
    at++;
  }
  return -1;
}
