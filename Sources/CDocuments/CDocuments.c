/* SPDX-License-Identifier: MIT */
#include "CDocuments.h"

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

#if !__has_embed("../../.build/documents/API.md.gz")
#error "run scripts/documents.sh, which packs docs/ (make does it)"
#else

/* The compiler writes these files into its list of dependencies, so a changed document is
 * compiled anew. */
static const uint8_t reference[] = {
#embed "../../.build/documents/API.md.gz"
};

static const uint8_t openapi[] = {
#embed "../../.build/documents/openapi.json.gz"
};

const uint8_t *cd_reference(size_t *length) {
  *length = sizeof reference;
  return reference;
}

const uint8_t *cd_openapi(size_t *length) {
  *length = sizeof openapi;
  return openapi;
}
#endif
