/* SPDX-License-Identifier: MIT */
/* The documents of the management API, inside the binary as they are in docs/. */
#ifndef CDOCUMENTS_H
#define CDOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* docs/API.md, in read-only memory for ever. */
const uint8_t *cd_reference(size_t *length);

/* docs/openapi.json, in read-only memory for ever. */
const uint8_t *cd_openapi(size_t *length);

#endif
