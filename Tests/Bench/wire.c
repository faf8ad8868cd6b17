/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit)) return 1024;
  limit.rlim_cur = limit.rlim_max < DESCRIPTOR_LIMIT ? limit.rlim_max : DESCRIPTOR_LIMIT;
  setrlimit(RLIMIT_NOFILE, &limit);
  return (int)limit.rlim_cur;
}

void send_at_once(int descriptor) {
  int one = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void message_begin(struct message *message, bool is_request) {
  message->state = MESSAGE_HEAD;
  message->is_request = is_request;
  message->closes = message->until_close = message->line_has_bytes = message->expects = false;
  message->status = message->head_length = 0;
  message->left = 0;
}

const char *message_header(const struct message *message, const char *name) {
  size_t length = strlen(name);
  for (const char *line = strchr(message->head, '\n'); line; line = strchr(line, '\n')) {
    line++;
    if (!strncasecmp(line, name, length) && line[length] == ':') {
      line += length + 1;
      return line + strspn(line, " ");
    }
  }
  return NULL;
}

static void read_head(struct message *m) {
  const char *connection = message_header(m, "connection");
  const char *coding = message_header(m, "transfer-encoding");
  const char *length = message_header(m, "content-length");
  m->status = m->is_request ? 0 : atoi(m->head + 9);
  if (m->status == 100) {
    message_begin(m, false);
    return;
  }
  m->closes = connection ? !strncasecmp(connection, "close", 5) : !!strstr(m->head, "HTTP/1.0");
  m->expects = m->is_request && message_header(m, "expect");
  if (coding && !strncasecmp(coding, "chunked", 7)) {
    m->state = MESSAGE_SIZE;
  } else if (length || m->is_request) {
    m->left = length ? atoll(length) : 0;
    m->state = m->left > 0 ? MESSAGE_BODY : MESSAGE_DONE;
  } else {
    m->state = MESSAGE_BODY;
    m->until_close = m->closes = true;
    m->left = INT64_MAX;
  }
}

static long take_head(struct message *m, const char *bytes, long count) {
  long room = HEAD_LIMIT - 1 - m->head_length, take = count < room ? count : room;
  int before = m->head_length;
  memcpy(m->head + before, bytes, take);
  int length = before + (int)take, from = before > 3 ? before - 3 : 0;
  char *end = memmem(m->head + from, length - from, "\r\n\r\n", 4);
  if (!end) {
    m->head[length] = 0;
    m->head_length = length;
    if (length == HEAD_LIMIT - 1) m->state = MESSAGE_BAD;
    return take;
  }
  end[2] = 0;
  m->head_length = (int)(end + 4 - m->head);
  int used = m->head_length - before;
  read_head(m);
  return used;
}

static long take_line(struct message *m, char byte) {
  if (m->state == MESSAGE_SIZE) {
    int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                             : -1;
    if (digit >= 0) m->left = m->left * 16 + digit;
    if (byte == '\n') m->state = m->left ? MESSAGE_DATA : MESSAGE_TRAILER;
  } else if (m->state == MESSAGE_DATA_END) {
    if (byte == '\n') m->state = MESSAGE_SIZE;
  } else if (byte == '\n') {
    if (!m->line_has_bytes) m->state = MESSAGE_DONE;
    m->line_has_bytes = false;
  } else if (byte != '\r') {
    m->line_has_bytes = true;
  }
  return 1;
}

long message_feed(struct message *m, const char *bytes, long count, body_sink sink,
                  void *context) {
  long used = 0;
  while (used < count && m->state < MESSAGE_DONE) {
    if (m->state == MESSAGE_HEAD) {
      used += take_head(m, bytes + used, count - used);
    } else if (m->state == MESSAGE_BODY || m->state == MESSAGE_DATA) {
      long take = count - used < m->left ? count - used : (long)m->left;
      sink(context, bytes + used, take);
      used += take;
      m->left -= take;
      if (!m->left) m->state = m->state == MESSAGE_BODY ? MESSAGE_DONE : MESSAGE_DATA_END;
    } else {
      used += take_line(m, bytes[used]);
    }
  }
  return used;
}
