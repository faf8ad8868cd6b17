/* SPDX-License-Identifier: MIT */
#include "CRoots.h"

#include <string.h>

/* One certificate: where its DER lies in root_bytes, and its subject within that. */
struct root {
  uint32_t subject_hash;
  uint32_t offset;
  uint16_t length;
  uint16_t subject_offset;
  uint16_t subject_length;
};

#if !defined(TG_NO_ROOTS) && __has_include("roots.generated.inc")
/* Defines root_source, root_bytes[], roots[] sorted by subject_hash, and ROOT_COUNT. */
#include "roots.generated.inc"
#else
#define ROOT_COUNT 0
static const char root_source[] = "";
static const uint8_t root_bytes[1];
static const struct root roots[1];
#endif

size_t cr_count(void) { return ROOT_COUNT; }

const char *cr_source(void) { return root_source; }

const uint8_t *cr_certificate(size_t index, size_t *length) {
  *length = 0;
  if (index >= cr_count()) return NULL;
  *length = roots[index].length;
  return root_bytes + roots[index].offset;
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
