/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"

struct settings setting = {.path = "/v1/chat/completions", .key = "sk-bench",
                           .model = "mock", .connections = 1, .chunks = -1, .grace = 30};
struct results result;

bool settings_read(int argc, char **argv) {
  for (int o; (o = getopt(argc, argv, "a:p:k:m:b:c:n:d:t:sN:R:")) != -1;) {
    if (o == 'a') setting.port = atoi(optarg);
    else if (o == 'p') setting.path = optarg;
    else if (o == 'k') setting.key = optarg;
    else if (o == 'm') setting.model = optarg;
    else if (o == 'b') setting.padding = atoi(optarg);
    else if (o == 'c') setting.connections = atoi(optarg);
    else if (o == 'n') setting.total = atol(optarg);
    else if (o == 'd') setting.seconds = atof(optarg);
    else if (o == 't') setting.grace = atof(optarg);
    else if (o == 's') setting.streams = true;
    else if (o == 'N') setting.chunks = atoi(optarg);
    else if (o == 'R') setting.ramp = atof(optarg);
    else return false;
  }
  if (setting.seconds <= 0) setting.seconds = setting.total ? 60 : 5;
  return setting.port > 0 && setting.connections > 0;
}

void results_print(int64_t started) {
  double seconds = (double)((result.last_ok ? result.last_ok : now_ns()) - started) / 1e9;
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  printf("{\"sent\":%ld,\"ok\":%ld,\"non200\":%ld,\"broken\":%ld,\"short\":%ld,\"no_done\":%ld,"
         "\"reordered\":%ld,\"timeout\":%ld,\"connects\":%ld,\"chunks\":%ld,\"most_active\":%d,"
         "\"seconds\":%.3f,\"rps\":%.1f,\"chunks_per_s\":%.0f,\"driver_cpu_s\":%.3f",
         result.sent, result.ok, result.non200, result.broken, result.short_streams,
         result.no_done, result.reordered, result.timeout, result.connects, result.chunks,
         result.most_active, seconds, (double)result.ok / seconds,
         (double)result.chunks / seconds,
         (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
             (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
  histogram_print("latency", &result.latency);
  histogram_print("first", &result.first);
  histogram_print("delay", &result.delay);
  printf(",\"status\":{");
  const char *comma = "";
  for (int i = 0; i < 600; i++) {
    if (!result.statuses[i]) continue;
    printf("%s\"%d\":%ld", comma, i, result.statuses[i]);
    comma = ",";
  }
  printf("}}\n");
}
