/* SPDX-License-Identifier: MIT */
/* The lines of heads of messages (RFC 9112), each looked at once. */
#include "CPlatform.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What a line feed at `at` means: as cp_head_end, and 0 for the end of any other line. */
static int64_t head_end_at(const uint8_t *text, size_t start, size_t at) {
  /* RFC 9112, 2.2: a lone LF could be read as a line end by others. */
  if (at == start || text[at - 1] != '\r') return -1;
  return at >= start + 3 && text[at - 2] == '\n' && text[at - 3] == '\r' ? (int64_t)at + 1 : 0;
}

int64_t cp_head_end(const void *memory, size_t count, size_t start, size_t position) {
  const uint8_t *text = memory;
  int64_t end;
#if defined(__SSE2__)
  const __m128i feed = _mm_set1_epi8('\n');
  for (; position < count && count - position >= 16; position += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(text + position));
    unsigned feeds = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, feed));
    for (; feeds; feeds &= feeds - 1) {
      end = head_end_at(text, start, position + (size_t)__builtin_ctz(feeds));
      if (end != 0) return end;
    }
  }
#endif
  for (; position < count; position++) {
    if (text[position] == '\n' && (end = head_end_at(text, start, position)) != 0) return end;
  }
  return 0;
}

/* Visible characters, space, tab and obs-text. */
static int is_value_byte(uint8_t byte) { return (byte >= 0x20 && byte != 0x7F) || byte == '\t'; }

size_t cp_value_count(const void *memory, size_t count) {
  const uint8_t *text = memory;
  size_t index = 0;
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1F), delete = _mm_set1_epi8(0x7F);
  for (; count - index >= 16; index += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(text + index));
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    unsigned flags =
        (unsigned)_mm_movemask_epi8(_mm_or_si128(controls, _mm_cmpeq_epi8(bytes, delete)));
    for (; flags; flags &= flags - 1) {
      size_t at = index + (size_t)__builtin_ctz(flags);
      if (text[at] != '\t') return at;
    }
  }
#endif
  while (index < count && is_value_byte(text[index])) index++;
  return index;
}

static int is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

int32_t cp_field_line(const void *memory, size_t count, size_t start, cp_field *field) {
  const uint8_t *text = memory;
  int64_t colon = start < count ? cp_find_byte(text + start, ':', count - start) : -1;
  if (colon < 0) return 0;
  size_t first = start + (size_t)colon + 1;
  size_t end = first + cp_value_count(text + first, count - first);
  if (count - end < 2 || text[end] != '\r' || text[end + 1] != '\n') return 0;
  field->name_end = first - 1;
  field->end = end;
  while (first < end && is_blank(text[first])) first++;
  while (end > first && is_blank(text[end - 1])) end--;
  field->value_start = first;
  field->value_end = end;
  return 1;
}
