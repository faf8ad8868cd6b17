/* SPDX-License-Identifier: MIT */
/* What the mock upstream and the load driver share: a clock, HTTP/1.1 framing, sockets. */
#ifndef TINYGATEWAY_BENCH_WIRE_H
#define TINYGATEWAY_BENCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>

enum { HEAD_LIMIT = 4096, DESCRIPTOR_LIMIT = 65536 };

enum message_state {
  MESSAGE_HEAD,
  MESSAGE_BODY,
  MESSAGE_SIZE,
  MESSAGE_DATA,
  MESSAGE_DATA_END,
  MESSAGE_TRAILER,
  MESSAGE_DONE,
  MESSAGE_BAD,
};

/* One HTTP message being received; zeroed with message_begin. */
struct message {
  enum message_state state;
  bool is_request;
  bool closes;         /* the sender ends the connection after it */
  bool until_close;    /* a response without a length */
  bool line_has_bytes; /* trailer line under way */
  bool expects;        /* Expect: 100-continue */
  int status;          /* of a response */
  int head_length;
  int64_t left; /* bytes of the body or of the chunk still to come */
  char head[HEAD_LIMIT];
};

/* Takes `count` bytes of the body, in order. */
typedef void (*body_sink)(void *context, const char *bytes, long count);

/* Makes `message` ready for the next request or response. */
void message_begin(struct message *message, bool is_request);

/* Takes bytes until they are used up or the message is done or bad; returns how many it took. */
long message_feed(struct message *message, const char *bytes, long count, body_sink sink,
                  void *context);

/* Value of the first header `name` in the received head, or NULL. */
const char *message_header(const struct message *message, const char *name);

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t now_ns(void);

/* Lets the process open DESCRIPTOR_LIMIT descriptors, or as many as it may; returns the number. */
int raise_descriptor_limit(void);

/* Switches Nagle's algorithm off. */
void send_at_once(int descriptor);

#endif
