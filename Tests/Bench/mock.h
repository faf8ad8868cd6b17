/* SPDX-License-Identifier: MIT */
/* The mock upstream's connection, between its event loop (mock.c) and its answers. */
#ifndef TINYGATEWAY_BENCH_MOCK_H
#define TINYGATEWAY_BENCH_MOCK_H

#include "wire.h"

enum { BODY_KEPT = 4096 };

/* What the model name asked for. */
struct options {
  int chunks, interval_ms, event_bytes, latency_ms, status;
  bool cut, any;
  /* What the answer reports; `silent`: nothing. */
  int prompt, completion, cached;
  bool silent;
};

/* Anthropic's events: those before the text, one piece of it, those behind it; bytes written. */
int messages_begin(char *to);
int messages_event(char *to, int capacity, int index, int bytes);
int messages_end(char *to, int completion);

/* Chooses fate and usage of one answer by chance. */
void options_draw(struct options *o);

struct connection {
  int descriptor;
  int heap_index; /* in the timer heap, -1 = no timer */
  int64_t due;    /* ns: next write */
  bool busy, is_stream, is_messages, wants_usage, awaits_room;
  int sent; /* chunks of the stream under way */
  struct options options;
  char *out; /* what the socket did not take */
  int out_length, out_offset, out_capacity;
  int body_length;
  char body[BODY_KEPT + 1]; /* start of the request's body */
  struct message request;
};

struct counters {
  unsigned long long requests, streams, chunks, connections;
};
extern struct counters counters;

/* Makes the fixed answers. */
void answers_prepare(void);

/* Begins the answer to the request that stands complete in `c`; false = connection dropped. */
bool answer_begin(struct connection *c);

/* Writes what is due; false = connection dropped. */
bool answer_step(struct connection *c);

/* Sends bytes, or keeps what the socket does not take; false = connection dropped. */
bool connection_emit(struct connection *c, const char *bytes, int count);

/* Calls answer_step at `due` (ns). */
void connection_wake(struct connection *c, int64_t due);

/* Marks the answer as complete; false = connection dropped. */
bool connection_finish(struct connection *c);

/* Closes and frees. */
void connection_drop(struct connection *c);

#endif
