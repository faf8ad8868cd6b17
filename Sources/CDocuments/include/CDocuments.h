/* SPDX-License-Identifier: MIT */
/* The documents of the management API and the web pages, inside the binary: packed with gzip. */
#ifndef CDOCUMENTS_H
#define CDOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* A file as clients ask for it. */
struct cd_file {
  const char *path;
  const char *type;
  /* Validators of the packed and of the plain form, without quotes. */
  const char *packed_tag;
  const char *plain_tag;
  /* Packed, in read-only memory for ever. */
  const uint8_t *packed;
  size_t packed_length;
};

/* The file with this path, in read-only memory for ever; NULL for another path. */
const struct cd_file *cd_find(const uint8_t *path, size_t length);

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
