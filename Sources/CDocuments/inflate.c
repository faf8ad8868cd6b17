/* SPDX-License-Identifier: MIT */
/* Inflates what scripts/documents.sh packs (RFC 1951, RFC 1952), a piece at a time.
 *
 * The packed bytes are in memory as a whole, so only the output is cut: whatever is left of a
 * copy waits in the state. Any bytes are taken without harm; what is no gzip ends the output. */
#include "CDocuments.h"
#include <stdlib.h>

enum {
  WINDOW = 1 << 15,
  LENGTH_CODES = 288,
  DISTANCE_CODES = 32,
  LONGEST_CODE = 15,
  HEADER = 10
};

/* A canonical Huffman code: how many codes have each length, and their symbols in order. */
struct code {
  uint16_t counts[LONGEST_CODE + 1];
  uint16_t symbols[LENGTH_CODES];
};

enum phase { NEW_BLOCK, STORED, CODED, ENDED };

struct cd_reader {
  const uint8_t *bytes;
  size_t length, position;
  uint32_t bits;
  unsigned bit_count;
  enum phase phase;
  int is_last;
  /* Bytes of a stored block, or of a copy, that are still to come. */
  size_t left;
  size_t distance;
  size_t made;
  struct code lengths, distances;
  /* The last bytes that were made: as many as copies can reach back, a power of two. */
  size_t room;
  uint8_t window[];
};

static unsigned take(struct cd_reader *r, unsigned count) {
  while (r->bit_count < count) {
    uint32_t byte = 0;
    if (r->position < r->length)
      byte = r->bytes[r->position++];
    else
      r->phase = ENDED;
    r->bits |= byte << r->bit_count;
    r->bit_count += 8;
  }
  unsigned value = r->bits & ((1u << count) - 1);
  r->bits >>= count;
  r->bit_count -= count;
  return value;
}

/* False for more codes than there are bits for; too few are found when one that is not there is
 * read. */
static int build(struct code *code, const uint8_t *lengths, unsigned count) {
  int left = 1;
  uint16_t starts[LONGEST_CODE + 1];
  for (unsigned i = 0; i <= LONGEST_CODE; i++) code->counts[i] = 0;
  for (unsigned i = 0; i < count; i++) code->counts[lengths[i]]++;
  starts[1] = 0;
  for (unsigned i = 1; i < LONGEST_CODE; i++)
    starts[i + 1] = (uint16_t)(starts[i] + code->counts[i]);
  for (unsigned i = 0; i < count; i++)
    if (lengths[i]) code->symbols[starts[lengths[i]]++] = (uint16_t)i;
  code->counts[0] = 0;
  for (unsigned i = 1; i <= LONGEST_CODE; i++) {
    left = (left << 1) - code->counts[i];
    if (left < 0) return 0;
  }
  return 1;
}

/* The next symbol; -1 for bits that no code has. */
static int decode(struct cd_reader *r, const struct code *code) {
  int value = 0, first = 0, index = 0;
  for (unsigned length = 1; length <= LONGEST_CODE; length++) {
    value |= (int)take(r, 1);
    int count = code->counts[length];
    if (value - count < first) return code->symbols[index + value - first];
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  return -1;
}

static void read_fixed(struct cd_reader *r) {
  uint8_t lengths[LENGTH_CODES];
  for (unsigned i = 0; i < LENGTH_CODES; i++)
    lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  build(&r->lengths, lengths, LENGTH_CODES);
  for (unsigned i = 0; i < DISTANCE_CODES; i++) lengths[i] = 5;
  build(&r->distances, lengths, DISTANCE_CODES);
}

static int read_dynamic(struct cd_reader *r) {
  static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
  uint8_t lengths[LENGTH_CODES + DISTANCE_CODES] = {0};
  unsigned literal_count = take(r, 5) + 257, distance_count = take(r, 5) + 1;
  unsigned order_count = take(r, 4) + 4, index = 0;
  if (literal_count > 286 || distance_count > 30) return 0;
  for (unsigned i = 0; i < order_count; i++) lengths[order[i]] = (uint8_t)take(r, 3);
  if (!build(&r->lengths, lengths, 19)) return 0;
  for (unsigned i = 0; i < 19; i++) lengths[i] = 0;
  while (index < literal_count + distance_count) {
    int symbol = decode(r, &r->lengths);
    uint8_t repeated = 0;
    unsigned times = 1;
    if (symbol < 0 || r->phase == ENDED) return 0;
    if (symbol < 16) {
      repeated = (uint8_t)symbol;
    } else if (symbol == 16) {
      if (index == 0) return 0;
      repeated = lengths[index - 1];
      times = 3 + take(r, 2);
    } else {
      times = symbol == 17 ? 3 + take(r, 3) : 11 + take(r, 7);
    }
    if (index + times > literal_count + distance_count) return 0;
    while (times--) lengths[index++] = repeated;
  }
  return build(&r->lengths, lengths, literal_count) &&
         build(&r->distances, lengths + literal_count, distance_count);
}

static void begin_block(struct cd_reader *r) {
  unsigned kind;
  if (r->is_last) {
    r->phase = ENDED;
    return;
  }
  r->phase = CODED;
  r->is_last = (int)take(r, 1);
  kind = take(r, 2);
  if (kind == 0) {
    r->bits = 0;
    r->bit_count = 0;
    r->left = take(r, 16);
    unsigned check = take(r, 16);
    r->phase = r->phase != ENDED && (r->left ^ check) == 0xFFFF ? STORED : ENDED;
  } else if (kind == 1) {
    read_fixed(r);
  } else if (kind == 3 || !read_dynamic(r)) {
    r->phase = ENDED;
  }
}

/* Reads a length and its distance. */
static void begin_copy(struct cd_reader *r, int symbol) {
  static const uint16_t bases[29] = {3,  4,  5,  6,  7,  8,  9,  10,  11,  13,
                                     15, 17, 19, 23, 27, 31, 35, 43,  51,  59,
                                     67, 83, 99, 115, 131, 163, 195, 227, 258};
  unsigned extra;
  int code = symbol - 257;
  if (code >= 29) {
    r->phase = ENDED;
    return;
  }
  extra = code < 8 || code == 28 ? 0 : (unsigned)(code - 4) / 4;
  r->left = bases[code] + take(r, extra);
  code = decode(r, &r->distances);
  if (code < 0 || code >= 30) {
    r->phase = ENDED;
    return;
  }
  extra = code < 4 ? 0 : (unsigned)(code - 2) / 2;
  r->distance = code < 4 ? (size_t)code + 1 : ((2u + (code & 1)) << extra) + 1 + take(r, extra);
  if (r->distance > r->made || r->distance > r->room) r->phase = ENDED;
}

static int next(struct cd_reader *r, uint8_t *byte) {
  for (;;) {
    if (r->phase == NEW_BLOCK) begin_block(r);
    if (r->phase == ENDED) return 0;
    if (r->phase == STORED) {
      if (r->left == 0) {
        r->phase = NEW_BLOCK;
        continue;
      }
      if (r->position >= r->length) return 0;
      r->left--;
      *byte = r->bytes[r->position++];
      return 1;
    }
    if (r->phase == NEW_BLOCK) continue;
    if (r->phase != CODED) return 0;
    if (r->left > 0) {
      r->left--;
      *byte = r->window[(r->made - r->distance) & (r->room - 1)];
      return 1;
    }
    int symbol = decode(r, &r->lengths);
    if (symbol < 0 || r->phase == ENDED) return 0;
    if (symbol < 256) {
      *byte = (uint8_t)symbol;
      return 1;
    }
    if (symbol == 256)
      r->phase = NEW_BLOCK;
    else
      begin_copy(r, symbol);
  }
}

struct cd_reader *cd_open(const uint8_t *packed, size_t length) {
  /* Most pages are shorter than the window, and many clients may ask at a time. */
  size_t room = 1, whole = cd_unpacked_length(packed, length);
  while (room < whole && room < WINDOW) room *= 2;
  struct cd_reader *r = calloc(1, sizeof *r + room);
  if (!r) return NULL;
  r->room = room;
  r->bytes = packed;
  r->length = length;
  r->position = HEADER;
  /* Without any optional part of the header, as the script packs. */
  if (length < HEADER + 8 || packed[0] != 0x1F || packed[1] != 0x8B || packed[2] != 8 || packed[3])
    r->phase = ENDED;
  return r;
}

size_t cd_read(struct cd_reader *r, uint8_t *output, size_t room) {
  size_t count = 0;
  while (count < room && next(r, &output[count])) {
    r->window[r->made & (r->room - 1)] = output[count];
    r->made++;
    count++;
  }
  if (count < room) r->phase = ENDED;
  return count;
}

void cd_close(struct cd_reader *reader) { free(reader); }

size_t cd_unpacked_length(const uint8_t *packed, size_t length) {
  const uint8_t *end = packed + length - 4;
  if (length < HEADER + 8) return 0;
  return end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
}
