/* SPDX-License-Identifier: MIT */
/* Load driver for an OpenAI-compatible endpoint on 127.0.0.1: one thread, one epoll loop, closed
 * loop (each connection sends its next request when the last is answered). Prints one JSON object.
 *
 *   load -a PORT -c 64 -d 2                          plain requests for two seconds
 *   load -a PORT -c 100 -n 100 -s -N 50 -m mock-i20  100 streams of 50 chunks
 *
 * -a PORT  -p PATH  -k KEY  -m MODEL  -b BYTES added to the prompt
 * -c connections  -n requests in all (0 = no bound)  -d seconds to go on sending (5)
 * -t seconds after that at which it gives up (30)
 * -s streams  -N chunks expected in each  -R at most so many new connections per second
 *
 * Each chunk of mock.c carries "@<time>.<index>@". `delay` is the one-way time of a chunk,
 * `first` the time from sending a request to its first chunk. A stream counts as ok only when all
 * chunks came, in order, and then one [DONE] and nothing after it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "load.h"

enum { LINE_LIMIT = 8192 };

struct client {
  int descriptor;
  bool active, connecting, reordered, done;
  int request_offset, chunks, line_length;
  int64_t began;
  struct message response;
  char line[LINE_LIMIT];
};

static struct client *clients;
static int *idle, idle_count, poller;
static char *request;
static int request_length;

static void watch(struct client *c, int operation, bool writes) {
  struct epoll_event e = {EPOLLIN | (writes ? EPOLLOUT : 0), {.u32 = (uint32_t)(c - clients)}};
  epoll_ctl(poller, operation, c->descriptor, &e);
}

static void hang_up(struct client *c) {
  if (c->descriptor >= 0) close(c->descriptor);
  c->descriptor = -1;
}

static void rest(struct client *c) {
  if (c->active) result.active--;
  c->active = false;
  idle[idle_count++] = (int)(c - clients);
}

static void fail(struct client *c) {
  result.broken++;
  hang_up(c);
  rest(c);
}

static void push(struct client *c) {
  while (c->request_offset < request_length) {
    ssize_t n = send(c->descriptor, request + c->request_offset,
                     request_length - c->request_offset, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
      c->connecting = true;
      watch(c, EPOLL_CTL_MOD, true);
      return;
    }
    if (n < 0) {
      fail(c);
      return;
    }
    c->request_offset += n;
  }
  if (c->connecting) watch(c, EPOLL_CTL_MOD, false);
  c->connecting = false;
}

static void begin(struct client *c, int64_t now) {
  c->active = true;
  c->reordered = c->done = false;
  c->began = now;
  c->request_offset = c->chunks = c->line_length = 0;
  message_begin(&c->response, false);
  result.sent++;
  if (++result.active > result.most_active) result.most_active = result.active;
  if (c->descriptor >= 0) {
    push(c);
    return;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(setting.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->descriptor < 0) {
    perror("load: socket");
    exit(1);
  }
  send_at_once(c->descriptor);
  result.connects++;
  c->connecting = true;
  if (connect(c->descriptor, (void *)&address, sizeof address) && errno != EINPROGRESS) fail(c);
  else watch(c, EPOLL_CTL_ADD, true);
}

static void complete(struct client *c) {
  int64_t now = now_ns();
  int status = c->response.status;
  if (status >= 0 && status < 600) result.statuses[status]++;
  if (status != 200) result.non200++;
  else if (setting.streams && setting.chunks >= 0 && c->chunks != setting.chunks)
    result.short_streams++;
  else if (setting.streams && c->reordered) result.reordered++;
  else if (setting.streams && !c->done) result.no_done++;
  else {
    result.ok++;
    result.last_ok = now;
    histogram_add(&result.latency, now - c->began);
  }
  if (c->response.closes) hang_up(c);
  rest(c);
}

static void take_line(struct client *c) {
  c->line[c->line_length] = 0;
  c->line_length = 0;
  if (strncmp(c->line, "data:", 5)) return;
  if (c->done) c->reordered = true;
  if (strstr(c->line, "[DONE]")) {
    c->done = true;
    return;
  }
  for (const char *mark = c->line; (mark = strchr(mark, '@')); mark++) {
    if (strspn(mark + 1, "0123456789") != 19 || mark[20] != '.') continue;
    int64_t now = now_ns();
    histogram_add(&result.delay, now - atoll(mark + 1));
    if (!c->chunks) histogram_add(&result.first, now - c->began);
    if (atoi(mark + 21) != c->chunks++) c->reordered = true;
    result.chunks++;
    return;
  }
}

static void take_body(void *context, const char *bytes, long count) {
  struct client *c = context;
  while (setting.streams && count > 0) {
    const char *end = memchr(bytes, '\n', count);
    long part = end ? end - bytes : count;
    if (c->line_length + part < LINE_LIMIT) {
      memcpy(c->line + c->line_length, bytes, part);
      c->line_length += (int)part;
    }
    if (!end) return;
    take_line(c);
    bytes += part + 1;
    count -= part + 1;
  }
}

static void receive(struct client *c) {
  static char buffer[262144];
  ssize_t n = recv(c->descriptor, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (!c->active) { /* the server ended a kept connection */
    hang_up(c);
    return;
  }
  if (n > 0) message_feed(&c->response, buffer, n, take_body, c);
  if (c->response.state == MESSAGE_DONE || (!n && c->response.until_close)) complete(c);
  else if (n <= 0 || c->response.state == MESSAGE_BAD) fail(c);
}

static void make_request(void) {
  char *filler = calloc(1, setting.padding + 1), *body = NULL;
  memset(filler, 'x', setting.padding);
  int length = asprintf(
      &body,
      "{\"model\":\"%s\",%s\"messages\":[{\"role\":\"system\",\"content\":\"You are a terse "
      "assistant.\"},{\"role\":\"user\",\"content\":\"Say something short about gateways.%s\"}],"
      "\"max_tokens\":64,\"temperature\":0.2}",
      setting.model, setting.streams ? "\"stream\":true," : "", filler);
  request_length = asprintf(&request,
                            "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
                            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                            setting.path, setting.port, setting.key, length, body);
  free(filler);
  free(body);
}

/* Starts what is due; returns the time of the next start, 0 = none. */
static int64_t start_due(int64_t started, int64_t now) {
  static long opened;
  while (idle_count && (!setting.total || result.sent < setting.total)) {
    int64_t due = now;
    if (setting.ramp > 0 && opened < setting.connections)
      due = started + (int64_t)((double)opened * 1e9 / setting.ramp);
    if (due > now) return due;
    opened++;
    begin(&clients[idle[--idle_count]], now);
  }
  return 0;
}

static void handle(struct epoll_event event) {
  struct client *c = &clients[event.data.u32];
  bool trouble = event.events & (EPOLLERR | EPOLLHUP);
  if (c->descriptor < 0) return;
  if (trouble && c->active && c->connecting) {
    fail(c);
    return;
  }
  if ((event.events & EPOLLOUT) && c->active) push(c);
  if (c->descriptor >= 0 && (trouble || (event.events & EPOLLIN))) receive(c);
}

static void run(int64_t started) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event timer_event = {EPOLLIN, {.u32 = UINT32_MAX}};
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &timer_event);
  int64_t stop = started + (int64_t)(setting.seconds * 1e9);
  for (;;) {
    int64_t now = now_ns(), next = 0;
    bool sends = now < stop && (!setting.total || result.sent < setting.total);
    if (sends) next = start_due(started, now);
    if (!sends && !result.active) break;
    if (now > stop + (int64_t)(setting.grace * 1e9)) {
      result.timeout = result.active;
      break;
    }
    struct itimerspec t = {.it_value = {next / 1000000000, next % 1000000000}};
    if (next) timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL);
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, 200);
    for (int i = 0; i < count; i++) {
      uint64_t expirations;
      if (events[i].data.u32 != UINT32_MAX) handle(events[i]);
      else if (read(timer, &expirations, sizeof expirations) < 0) continue;
    }
  }
}

int main(int argc, char **argv) {
  if (!settings_read(argc, argv)) return 2;
  raise_descriptor_limit();
  signal(SIGPIPE, SIG_IGN);
  make_request();
  poller = epoll_create1(0);
  clients = calloc(setting.connections, sizeof *clients);
  idle = calloc(setting.connections + 1, sizeof *idle);
  for (int i = setting.connections - 1; i >= 0; i--) {
    clients[i].descriptor = -1;
    rest(&clients[i]);
  }
  int64_t started = now_ns();
  run(started);
  results_print(started);
  return 0;
}
