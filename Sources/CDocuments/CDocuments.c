/* SPDX-License-Identifier: MIT */
#include "CDocuments.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

#if !__has_include("../../.build/documents/table.inc")
#error "run scripts/documents.sh, which packs documents and pages (make does it)"
#else

/* The compiler writes these files into its list of dependencies, so a changed one is compiled
 * anew. */
#include "../../.build/documents/table.inc"

const struct cd_file *cd_find(const uint8_t *path, size_t length) {
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    if (strlen(files[i].path) == length && memcmp(files[i].path, path, length) == 0)
      return &files[i];
  return NULL;
}
#endif
