/* SPDX-License-Identifier: MIT */
#include "CDocuments.h"

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

/* The compiler writes these files into its list of dependencies, so a changed document is
 * compiled anew. */
static const uint8_t reference[] = {
#embed "../../docs/API.md"
};

static const uint8_t openapi[] = {
#embed "../../docs/openapi.json"
};

const uint8_t *cd_reference(size_t *length) {
  *length = sizeof reference;
  return reference;
}

const uint8_t *cd_openapi(size_t *length) {
  *length = sizeof openapi;
  return openapi;
}
