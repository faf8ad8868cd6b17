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

/* Most copies are of a few bytes. Copies of a fixed size become plain loads and stores; the second
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

/* One bit per byte: letters, digits and !#$%&'*+-.^_`|~ */
static const uint32_t token_bytes[8] = {0, 0x03FF6CFA, 0xC7FFFFFE, 0x57FFFFFF};

size_t cp_token_count(const void *memory, size_t count) {
  const uint8_t *at = memory;
  size_t index = 0;
  while (index < count && (token_bytes[at[index] >> 5] >> (at[index] & 31) & 1)) index++;
  return index;
}

#if defined(__SSE2__)
/* Eight bytes at a time, the last ones overlapping. A byte may differ in the bit that tells case
 * where the wanted one is a letter; all wanted ones are ASCII. */
static int equals_lower_words(const uint8_t *text, const uint8_t *wanted, size_t count) {
  const uint64_t ones = 0x0101010101010101;
  for (size_t index = 0; index < count; index += 8) {
    if (index > count - 8) index = count - 8;
    uint64_t byte, lower;
    __builtin_memcpy(&byte, text + index, 8);
    __builtin_memcpy(&lower, wanted + index, 8);
    uint64_t letters = (lower + (0x80 - 'a') * ones) & ~(lower + (0x7F - 'z') * ones);
    if ((byte ^ lower) & ~(letters >> 2 & 0x20 * ones)) return 0;
  }
  return 1;
}
#endif

int32_t cp_equals_lower(const void *memory, const void *lower, size_t count) {
  const uint8_t *text = memory, *wanted = lower;
#if defined(__SSE2__)
  if (count >= 8) return equals_lower_words(text, wanted, count);
#endif
  for (size_t index = 0; index < count; index++) {
    uint8_t byte = text[index];
    if (byte != wanted[index] && ((byte | 0x20) != wanted[index] || (uint8_t)(byte - 'A') > 25)) {
      return 0;
    }
  }
  return 1;
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

#if defined(__SSE2__)
/* Which of 16 bytes are CR or LF. */
static __m128i line_ends(const uint8_t *text) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)text);
  return _mm_or_si128(
      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
}
#endif

size_t cp_line_count(const void *memory, size_t count) {
  const uint8_t *text = memory;
  size_t index = 0;
#if defined(__SSE2__)
  while (count - index >= 32 &&
         !_mm_movemask_epi8(_mm_or_si128(line_ends(text + index), line_ends(text + index + 16)))) {
    index += 32;
  }
  for (; count - index >= 16; index += 16) {
    int ends = _mm_movemask_epi8(line_ends(text + index));
    if (ends) return index + (size_t)__builtin_ctz((unsigned)ends);
    if (count - index < 32 && count - index > 16) index = count - 32; /* The last ones overlap. */
  }
#endif
  while (index < count && text[index] != '\n' && text[index] != '\r') index++;
  return index;
}

static int begins_name(uint8_t byte, uint32_t letters) {
  unsigned place = (unsigned)byte - 'a';
  return place < 26 && (letters >> place & 1);
}

int64_t cp_find_name(const void *memory, size_t count, uint32_t letters) {
  const uint8_t *text = memory;
  size_t index = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  for (; count - index > 16; index += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(text + index));
    unsigned quotes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote));
    for (; quotes; quotes &= quotes - 1) {
      size_t at = index + (size_t)__builtin_ctz(quotes);
      if (begins_name(text[at + 1], letters)) return (int64_t)at;
    }
  }
#endif
  for (; index + 1 < count; index++) {
    if (text[index] == '"' && begins_name(text[index + 1], letters)) return (int64_t)index;
  }
  return -1;
}

#if TG_EMBEDDED && defined(__SSE2__)
/* In place of musl's, which copy small blocks with a string instruction that takes longer to begin
 * than they take to copy, and compare byte by byte. Blocks that are no multiple of the step end
 * with a step that overlaps the one before. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;
typedef uint32_t __attribute__((may_alias, aligned(1))) half_t;
typedef uint16_t __attribute__((may_alias, aligned(1))) pair_t;

enum { STRING_INSTRUCTION = 1024 };

static __m128i load(const uint8_t *at) { return _mm_loadu_si128((const __m128i *)at); }
static void store(uint8_t *at, __m128i bytes) { _mm_storeu_si128((__m128i *)at, bytes); }

static void copy_upto_16(uint8_t *target, const uint8_t *source, size_t count) {
  if (count >= 8) {
    word_t first = *(const word_t *)source, last = *(const word_t *)(source + count - 8);
    *(word_t *)target = first;
    *(word_t *)(target + count - 8) = last;
  } else if (count >= 4) {
    half_t first = *(const half_t *)source, last = *(const half_t *)(source + count - 4);
    *(half_t *)target = first;
    *(half_t *)(target + count - 4) = last;
  } else if (count >= 2) {
    pair_t first = *(const pair_t *)source, last = *(const pair_t *)(source + count - 2);
    *(pair_t *)target = first;
    *(pair_t *)(target + count - 2) = last;
  } else if (count == 1) {
    *target = *source;
  }
}

__attribute__((no_builtin)) void *memcpy(
    void *restrict to, const void *restrict from, size_t count) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (count <= 16) {
    copy_upto_16(target, source, count);
  } else if (count < STRING_INSTRUCTION) {
    __m128i last = load(source + count - 16);
    uint8_t *end = target + count - 16;
    for (; end - target > 64; target += 64, source += 64) {
      __m128i first = load(source), second = load(source + 16), third = load(source + 32);
      __m128i fourth = load(source + 48);
      store(target, first);
      store(target + 16, second);
      store(target + 32, third);
      store(target + 48, fourth);
    }
    for (; target < end; target += 16, source += 16) store(target, load(source));
    store(end, last);
  } else {
    __asm__ volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
  }
  return to;
}

/* Forwards as well where the target lies before the source. */
__attribute__((no_builtin)) void *memmove(void *to, const void *from, size_t count) {
  uint8_t *target = to;
  const uint8_t *source = from;
  if (count <= 16 || (uintptr_t)target - (uintptr_t)source >= count) {
    return memcpy(to, from, count);
  }
  __m128i first = load(source);
  for (; count > 16; count -= 16) store(target + count - 16, load(source + count - 16));
  store(target, first);
  return to;
}

__attribute__((no_builtin)) int memcmp(const void *left, const void *right, size_t count) {
  const uint8_t *one = left, *other = right;
  for (; count >= 16; one += 16, other += 16, count -= 16) {
    unsigned equal = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(load(one), load(other)));
    if (equal != 0xFFFF) {
      int at = __builtin_ctz(~equal);
      return one[at] - other[at];
    }
  }
  if (count >= 8) {
    word_t a = *(const word_t *)one, b = *(const word_t *)other;
    if (a != b) return __builtin_bswap64(a) < __builtin_bswap64(b) ? -1 : 1;
    one += 8, other += 8, count -= 8;
  }
  for (; count > 0; one++, other++, count--) {
    if (*one != *other) return *one - *other;
  }
  return 0;
}
#endif
