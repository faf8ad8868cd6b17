/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "mock.h"

enum { OUT_LIMIT = 262144, EVENT_LIMIT = 4000 };

struct counters counters;

static const struct options standard = {
    .chunks = 50, .interval_ms = 20, .event_bytes = 220, .latency_ms = 0, .status = 200,
    .prompt = 21, .completion = 50};

static const char filler[] =
    "The quick brown fox jumps over the lazy dog while the gateway counts "
    "tokens, checks keys, picks an upstream and forwards bytes both ways. ";

static char plain_answer[2048], models_answer[1024];
static int plain_length, models_length;

static int wrap(char *to, int capacity, int status, const char *body) {
  return snprintf(to, capacity,
                  "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                  "x-request-id: req_mock\r\nContent-Length: %zu\r\n\r\n%s",
                  status, status == 200 ? "OK" : "Error", strlen(body), body);
}

void answers_prepare(void) {
  char body[1500], text[512];
  int n = 0;
  while (n < 292) n += snprintf(text + n, sizeof text - n, "%s", filler);
  text[292] = 0;
  snprintf(body, sizeof body,
           "{\"id\":\"chatcmpl-mock0123456789abcdef\",\"object\":\"chat.completion\","
           "\"created\":1700000000,\"model\":\"mock\",\"system_fingerprint\":\"fp_mock\","
           "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
           "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":21,"
           "\"completion_tokens\":50,\"total_tokens\":71}}",
           text);
  plain_length = wrap(plain_answer, sizeof plain_answer, 200, body);
  models_length = wrap(models_answer, sizeof models_answer, 200,
                       "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\","
                       "\"created\":1700000000,\"owned_by\":\"mock\"}]}");
}

/* Reads `-c200-i0-l50-b400-e503-cut` behind the word "mock". */
static void read_options(struct options *o, const char *s, const char *end) {
  while (s < end && *s != '-') s++;
  while (s < end) {
    const char *word = ++s;
    while (s < end && *s != '-') s++;
    int value = s - word > 1 && isdigit((unsigned char)word[1]) ? atoi(word + 1) : -1;
    if (s - word == 3 && !memcmp(word, "cut", 3)) o->cut = true;
    if (s - word == 3 && !memcmp(word, "any", 3)) o->any = true;
    if (value < 0) continue;
    if (*word == 'c') o->chunks = value;
    if (*word == 'i') o->interval_ms = value;
    if (*word == 'l') o->latency_ms = value;
    if (*word == 'b') o->event_bytes = value < EVENT_LIMIT ? value : EVENT_LIMIT;
    if (*word == 'e' && value >= 400) o->status = value;
  }
}

static bool follows(const char *body, const char *name, const char *value) {
  const char *s = strstr(body, name);
  if (!s) return false;
  s += strlen(name);
  s += strspn(s, ": \t\r\n");
  return !strncmp(s, value, strlen(value));
}

static void read_request(struct connection *c) {
  const char *body = c->body, *model = strstr(body, "\"model\"");
  c->options = standard;
  if (model && (model = strchr(model + 7, '"'))) {
    const char *end = strchr(model + 1, '"');
    if (end) read_options(&c->options, model + 1, end);
  }
  if (c->options.any) options_draw(&c->options);
  c->is_stream = c->options.status == 200 && follows(body, "\"stream\"", "true");
  c->is_messages = !strncmp(c->request.head, "POST /v1/messages ", 18);
  c->wants_usage = follows(body, "\"include_usage\"", "true");
}

static bool answer_counters(struct connection *c) {
  char body[400], whole[800];
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  snprintf(body, sizeof body,
           "{\"requests\":%llu,\"streams\":%llu,\"chunks\":%llu,\"connections\":%llu}",
           counters.requests, counters.streams, counters.chunks, counters.connections);
  return connection_emit(c, whole, wrap(whole, sizeof whole, 200, body)) && connection_finish(c);
}

bool answer_begin(struct connection *c) {
  c->busy = true;
  c->sent = 0;
  counters.requests++;
  if (!strncmp(c->request.head, "GET /stats", 10)) return answer_counters(c);
  if (!strncmp(c->request.head, "GET ", 4))
    return connection_emit(c, models_answer, models_length) && connection_finish(c);
  read_request(c);
  if (c->is_stream) counters.streams++;
  c->due = now_ns();
  if (!c->options.latency_ms) return answer_step(c);
  connection_wake(c, c->due + c->options.latency_ms * INT64_C(1000000));
  return true;
}

/* Writes the member `usage` of a drawn answer, with a comma before it. */
static int write_usage(char *to, const struct options *o, int completion) {
  if (o->silent) return 0;
  return sprintf(to,
                 ",\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,"
                 "\"total_tokens\":%d,\"prompt_tokens_details\":{\"cached_tokens\":%d}}",
                 o->prompt, completion, o->prompt + completion, o->cached);
}

static bool answer_any(struct connection *c) {
  char usage[300] = "", body[800], whole[1200];
  write_usage(usage, &c->options, c->options.completion);
  snprintf(body, sizeof body,
           "{\"id\":\"any\",\"object\":\"chat.completion\",\"model\":\"mock\",\"choices\":[{"
           "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%.200s\"},"
           "\"finish_reason\":\"stop\"}]%s}",
           filler, usage);
  return connection_emit(c, whole, wrap(whole, sizeof whole, 200, body)) && connection_finish(c);
}

static bool answer_whole(struct connection *c) {
  char body[300], whole[600];
  int status = c->options.status;
  if (c->options.cut) return connection_drop(c), false;
  if (status == 200 && c->options.any) return answer_any(c);
  if (status == 200)
    return connection_emit(c, plain_answer, plain_length) && connection_finish(c);
  snprintf(body, sizeof body,
           "{\"error\":{\"message\":\"mock says %d\",\"type\":\"mock_error\",\"param\":null,"
           "\"code\":\"mock_%d\"}}",
           status, status);
  return connection_emit(c, whole, wrap(whole, sizeof whole, status, body)) &&
         connection_finish(c);
}

/* One event with "@<19 digits of now>.<4 digits of its index>@" in its content. */
static int write_event(char *to, int capacity, int index, int bytes) {
  static const char tail[] = "\"},\"finish_reason\":null}]}\n\n";
  int n = snprintf(to, capacity,
                   "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
                   "\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,"
                   "\"delta\":{%s\"content\":\"@%019lld.%04d@ ",
                   index ? "" : "\"role\":\"assistant\",", (long long)now_ns(), index);
  for (int i = 0, end = bytes - (int)sizeof tail + 1; n < end; i++)
    to[n++] = filler[i % (sizeof filler - 1)];
  memcpy(to + n, tail, sizeof tail - 1);
  return n + (int)sizeof tail - 1;
}

static int write_chunk(char *to, const char *bytes, int count) {
  int n = sprintf(to, "%x\r\n", count);
  memcpy(to + n, bytes, count);
  memcpy(to + n + count, "\r\n", 2);
  return n + count + 2;
}

static bool end_stream(struct connection *c) {
  static const char start[] =
      "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\","
      "\"created\":1700000000,\"model\":\"mock\",\"choices\":[";
  char event[1500], whole[1600];
  if (c->is_messages) {
    int count = write_chunk(whole, event, messages_end(event, c->options.chunks));
    memcpy(whole + count, "0\r\n\r\n", 5);
    return connection_emit(c, whole, count + 5) && connection_finish(c);
  }
  int n = sprintf(event, "%s{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", start);
  if (c->wants_usage && !c->options.silent) {
    n += sprintf(event + n, "%s]", start);
    n += write_usage(event + n, &c->options, c->options.chunks);
    n += sprintf(event + n, "}\n\n");
  }
  n += sprintf(event + n, "data: [DONE]\n\n");
  n = write_chunk(whole, event, n);
  memcpy(whole + n, "0\r\n\r\n", 5);
  return connection_emit(c, whole, n + 5) && connection_finish(c);
}

static bool begin_stream(struct connection *c, const char *head, int count) {
  char event[1500], whole[1600];
  if (!connection_emit(c, head, count)) return false;
  return !c->is_messages ||
         connection_emit(c, whole, write_chunk(whole, event, messages_begin(event)));
}

bool answer_step(struct connection *c) {
  static const char head[] =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
      "x-request-id: req_mock\r\nTransfer-Encoding: chunked\r\n\r\n";
  char event[EVENT_LIMIT + 600], whole[EVENT_LIMIT + 700];
  if (!c->is_stream) return answer_whole(c);
  if (!c->sent && !begin_stream(c, head, sizeof head - 1)) return false;
  while (c->sent < c->options.chunks) {
    if (c->options.cut && c->sent >= c->options.chunks / 2) return connection_drop(c), false;
    int (*write)(char *, int, int, int) = c->is_messages ? messages_event : write_event;
    int n = write(event, sizeof event, c->sent++, c->options.event_bytes);
    counters.chunks++;
    if (!connection_emit(c, whole, write_chunk(whole, event, n))) return false;
    if (c->options.interval_ms) {
      connection_wake(c, c->due + c->options.interval_ms * INT64_C(1000000));
      return true;
    }
    if (c->out_length - c->out_offset > OUT_LIMIT) {
      connection_wake(c, now_ns() + 1000000);
      return true;
    }
  }
  return end_stream(c);
}
