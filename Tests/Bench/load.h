/* SPDX-License-Identifier: MIT */
/* What the load driver was asked to do and what it counted. */
#ifndef TINYGATEWAY_BENCH_LOAD_H
#define TINYGATEWAY_BENCH_LOAD_H

#include "histogram.h"
#include "wire.h"

struct settings {
  const char *path, *key, *model;
  int port, connections, padding, chunks;
  long total;
  double seconds, grace, ramp;
  bool streams;
};
extern struct settings setting;

struct results {
  long sent, ok, non200, broken, short_streams, no_done, reordered, timeout, connects, chunks;
  int active, most_active;
  int64_t last_ok; /* time of the last good answer, 0 = none */
  long statuses[600];
  struct histogram latency, first, delay;
};
extern struct results result;

/* Reads the command line; false = it is wrong. */
bool settings_read(int argc, char **argv);

/* Prints the results of a run that began at `started` (ns) as one JSON object. */
void results_print(int64_t started);

#endif
