/* SPDX-License-Identifier: MIT */
/* The documents of the management API, inside the binary: packed with gzip. */
#ifndef CDOCUMENTS_H
#define CDOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* docs/API.md, packed, in read-only memory for ever. */
const uint8_t *cd_reference(size_t *length);

/* docs/openapi.json, packed, in read-only memory for ever. */
const uint8_t *cd_openapi(size_t *length);

/* Packed files look no further back than 2 to the power of this, so that few bytes are enough to
 * unpack them; scripts/documents.py has the same number. */
#define CD_WINDOW_BITS 13

/* Unpacks one file; its bytes must stay where they are. */
struct cd_reader;

/* NULL without memory. */
struct cd_reader *cd_open(const uint8_t *packed, size_t length);

/* Writes the next bytes; fewer than there is room for at the end, or where the file is broken. */
size_t cd_read(struct cd_reader *reader, uint8_t *output, size_t room);

void cd_close(struct cd_reader *reader);

/* What the whole comes to, as the file says. */
size_t cd_unpacked_length(const uint8_t *packed, size_t length);

#endif
