/* SPDX-License-Identifier: MIT */
/* Counts durations in 128 linear steps per power of two: under 0.8 % error. */
#ifndef TINYGATEWAY_BENCH_HISTOGRAM_H
#define TINYGATEWAY_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SLOTS = 128 * 58 };

struct histogram {
  uint32_t counts[HISTOGRAM_SLOTS];
  uint64_t total;
  int64_t largest;
  double sum;
};

/* Adds a duration in nanoseconds. */
void histogram_add(struct histogram *h, int64_t duration);

/* Prints `,"name_us":{…}`: count, mean and percentiles, in microseconds. */
void histogram_print(const char *name, const struct histogram *h);

#endif
