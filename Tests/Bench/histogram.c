/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include <stdio.h>

void histogram_add(struct histogram *h, int64_t duration) {
  if (duration < 0) duration = 0;
  int shift = duration < 256 ? 0 : 63 - __builtin_clzll((unsigned long long)duration) - 7;
  int slot = shift * 128 + (int)(duration >> shift);
  h->counts[slot < HISTOGRAM_SLOTS ? slot : HISTOGRAM_SLOTS - 1]++;
  h->total++;
  h->sum += (double)duration;
  if (duration > h->largest) h->largest = duration;
}

static double percentile(const struct histogram *h, double share) {
  uint64_t wanted = (uint64_t)((double)h->total * share), seen = 0;
  for (int i = 0; i < HISTOGRAM_SLOTS; i++) {
    seen += h->counts[i];
    if (seen <= wanted) continue;
    int shift = i < 256 ? 0 : i / 128 - 1;
    int64_t low = (int64_t)(i - shift * 128) << shift;
    return (double)(low + (shift ? (INT64_C(1) << shift) / 2 : 0)) / 1000;
  }
  return (double)h->largest / 1000;
}

void histogram_print(const char *name, const struct histogram *h) {
  printf(",\"%s_us\":{\"count\":%llu,\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,"
         "\"max\":%.1f}",
         name, (unsigned long long)h->total, h->total ? h->sum / (double)h->total / 1000 : 0,
         percentile(h, .5), percentile(h, .9), percentile(h, .99), (double)h->largest / 1000);
}
