/* SPDX-License-Identifier: MIT */
/* What Embedded Swift's standard library expects of the C library and musl does not have. */
#include "CPlatform.h"

#include <stddef.h>

#if TG_EMBEDDED
#include <errno.h>
#include <stdlib.h>

/* Embedded Swift allocates every object through posix_memalign, whose musl version searches for
 * an aligned place in a larger block. malloc's own alignment suffices for nearly all of them. */
int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *block = alignment <= _Alignof(max_align_t) ? malloc(size) : aligned_alloc(alignment, size);
  if (!block) return ENOMEM;
  *memory = block;
  return 0;
}

void arc4random_buf(void *bytes, size_t count) {
  if (cp_random(bytes, count) != 0) abort();
}

/* Double(String) asks for a parser in the C locale; this program never sets another. */
const char *_swift_stdlib_strtod_clocale(const char *text, double *value) {
  char *end;
  *value = strtod(text, &end);
  return end == text ? NULL : end;
}
#else
/* A translation unit must not be empty. */
typedef int cp_embedded_support_is_not_needed;
#endif
