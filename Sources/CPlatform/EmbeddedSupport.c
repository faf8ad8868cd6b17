/* SPDX-License-Identifier: MIT */
/* What Embedded Swift's standard library expects of the C library and musl does not have. */
#include "CPlatform.h"

#if TG_EMBEDDED
#include <stdlib.h>

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
