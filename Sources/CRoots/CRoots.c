/* SPDX-License-Identifier: MIT */
#include "CRoots.h"

#include <string.h>

/* One authority: where its validity, subject and public key lie in root_bytes, in this order and
 * one behind the other as in its certificate; the subject within that; and where its extensions
 * lie in root_extensions (length 0: a certificate of version 1). */
struct root {
  uint32_t subject_hash;
  uint32_t offset;
  uint16_t length;
  uint16_t subject_offset;
  uint16_t subject_length;
  uint16_t extensions;
  uint8_t extensions_length;
};

#if !defined(TG_NO_ROOTS) && __has_include("roots.generated.inc")
/* Defines root_source, root_bytes[], root_extensions[], roots[] sorted by subject_hash, and
 * ROOT_COUNT. */
#include "roots.generated.inc"
#else
#define ROOT_COUNT 0
static const char root_source[] = "";
static const uint8_t root_bytes[1];
static const uint8_t root_extensions[1];
static const struct root roots[1];
#endif

size_t cr_count(void) { return ROOT_COUNT; }

const char *cr_source(void) { return root_source; }

/* What a certificate has before its issuer: version 3, left out for version 1, a serial number,
 * and the algorithm (RSA with SHA-256) of a signature that nobody checks. */
static const uint8_t before_issuer[] = {0xa0, 3, 2, 1, 2, 2, 1, 1};
static const uint8_t algorithm[] = {0x30, 13,   6,    9,    0x2a, 0x86, 0x48, 0x86,
                                    0xf7, 0x0d, 0x01, 0x01, 0x0b, 5,    0};
static const uint8_t signature[] = {3, 2, 0, 0};
#define VERSION_LENGTH 5
#define HEADER_LENGTH 4

static uint8_t *put(uint8_t *at, const uint8_t *bytes, size_t length) {
  memcpy(at, bytes, length);
  return at + length;
}

/* A sequence's tag and a length of two octets. */
static uint8_t *put_header(uint8_t *at, size_t length) {
  const uint8_t header[HEADER_LENGTH] = {0x30, 0x82, (uint8_t)(length >> 8), (uint8_t)length};
  return put(at, header, sizeof header);
}

size_t cr_certificate(size_t index, uint8_t *der) {
  if (index >= cr_count()) return 0;
  const struct root *root = &roots[index];
  const uint8_t *bytes = root_bytes + root->offset;
  size_t skipped = root->extensions_length == 0 ? VERSION_LENGTH : 0;
  size_t inner = sizeof before_issuer - skipped + sizeof algorithm + root->subject_length +
                 root->length + root->extensions_length;
  size_t outer = HEADER_LENGTH + inner + sizeof algorithm + sizeof signature;
  if (HEADER_LENGTH + outer > CR_LARGEST_CERTIFICATE) return 0;
  uint8_t *at = put_header(der, outer);
  at = put_header(at, inner);
  at = put(at, before_issuer + skipped, sizeof before_issuer - skipped);
  at = put(at, algorithm, sizeof algorithm);
  at = put(at, bytes + root->subject_offset, root->subject_length); /* the issuer: itself */
  at = put(at, bytes, root->length);
  at = put(at, root_extensions + root->extensions, root->extensions_length);
  at = put(at, algorithm, sizeof algorithm);
  at = put(at, signature, sizeof signature);
  return (size_t)(at - der);
}

uint32_t cr_hash(const uint8_t *bytes, size_t length) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

/* The first index whose hash is not below `hash`. */
static size_t lower_bound(uint32_t hash) {
  size_t low = 0;
  size_t high = cr_count();
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (roots[middle].subject_hash < hash) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int32_t cr_find(const uint8_t *subject, size_t length, int32_t after) {
  uint32_t hash = cr_hash(subject, length);
  size_t index = after < 0 ? lower_bound(hash) : (size_t)after + 1;
  for (; index < cr_count() && roots[index].subject_hash == hash; index++) {
    const struct root *root = &roots[index];
    const uint8_t *own = root_bytes + root->offset + root->subject_offset;
    if (root->subject_length == length && memcmp(own, subject, length) == 0) return (int32_t)index;
  }
  return -1;
}
