/* SPDX-License-Identifier: MIT */
/* A mock OpenAI-compatible upstream, fast enough that what stands before it gets measured: one
 * thread, one epoll loop, no allocation per request, 127.0.0.1 only.
 *
 *   mock PORT
 *
 * POST anything    one fixed JSON answer of about 800 bytes; with "stream": true events, [DONE]
 * GET /stats       counters; any other GET a list of models
 *
 * Options stand behind "mock" in the model name, each after a '-':
 *   c200 chunks (50), i5 ms between them (20), l50 ms before the answer, b400 bytes per event,
 *   e503 this status with an error body, cut: no end, no [DONE], after half of the chunks,
 *   any: fate and usage by chance, always with usage when one is reported at all.
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

#include "mock.h"

static struct connection *connections[DESCRIPTOR_LIMIT];
static int heap[DESCRIPTOR_LIMIT], heap_count, poller, timer;
static int64_t armed; /* what the timer is set to, 0 = nothing */

static int64_t due_at(int i) { return connections[heap[i]]->due; }

static void heap_put(int i, int descriptor) {
  heap[i] = descriptor;
  connections[descriptor]->heap_index = i;
}

static void heap_sift(int i) {
  int descriptor = heap[i];
  int64_t due = connections[descriptor]->due;
  for (; i && due_at((i - 1) / 2) > due; i = (i - 1) / 2) heap_put(i, heap[(i - 1) / 2]);
  for (int child; (child = 2 * i + 1) < heap_count; i = child) {
    if (child + 1 < heap_count && due_at(child + 1) < due_at(child)) child++;
    if (due_at(child) >= due) break;
    heap_put(i, heap[child]);
  }
  heap_put(i, descriptor);
}

static void heap_remove(struct connection *c) {
  int i = c->heap_index;
  if (i < 0) return;
  c->heap_index = -1;
  if (i == --heap_count) return;
  heap_put(i, heap[heap_count]);
  heap_sift(i);
}

void connection_wake(struct connection *c, int64_t due) {
  c->due = due;
  if (c->heap_index < 0) heap_put(heap_count++, c->descriptor);
  heap_sift(c->heap_index);
}

void connection_drop(struct connection *c) {
  heap_remove(c);
  connections[c->descriptor] = NULL;
  close(c->descriptor);
  free(c->out);
  free(c);
}

static void await_room(struct connection *c, bool awaits) {
  struct epoll_event e = {EPOLLIN | (awaits ? EPOLLOUT : 0), {.fd = c->descriptor}};
  if (c->awaits_room == awaits) return;
  c->awaits_room = awaits;
  epoll_ctl(poller, EPOLL_CTL_MOD, c->descriptor, &e);
}

static bool flush(struct connection *c) {
  while (c->out_offset < c->out_length) {
    ssize_t n = send(c->descriptor, c->out + c->out_offset, c->out_length - c->out_offset,
                     MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return await_room(c, true), true;
    if (n < 0) return connection_drop(c), false;
    c->out_offset += n;
  }
  c->out_offset = c->out_length = 0;
  await_room(c, false);
  if (c->busy || !c->request.closes || c->request.state != MESSAGE_DONE) return true;
  return connection_drop(c), false;
}

bool connection_emit(struct connection *c, const char *bytes, int count) {
  if (!c->out_length) {
    ssize_t n = send(c->descriptor, bytes, count, MSG_NOSIGNAL);
    if (n == count) return true;
    if (n < 0 && errno != EAGAIN) return connection_drop(c), false;
    if (n > 0) {
      bytes += n;
      count -= n;
    }
  }
  if (c->out_length + count > c->out_capacity) {
    int capacity = (c->out_length + count) * 2;
    char *grown = realloc(c->out, capacity);
    if (!grown) return connection_drop(c), false;
    c->out = grown;
    c->out_capacity = capacity;
  }
  memcpy(c->out + c->out_length, bytes, count);
  c->out_length += count;
  return flush(c);
}

bool connection_finish(struct connection *c) {
  c->busy = false;
  if (c->request.closes && !c->out_length) return connection_drop(c), false;
  if (!c->request.closes) message_begin(&c->request, true);
  return true;
}

static void keep_body(void *context, const char *bytes, long count) {
  struct connection *c = context;
  long room = BODY_KEPT - c->body_length;
  if (count > room) count = room;
  memcpy(c->body + c->body_length, bytes, count);
  c->body_length += count;
}

static void receive(struct connection *c) {
  static char buffer[262144];
  ssize_t n = recv(c->descriptor, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0 || c->busy) { /* gone, or pipelining, which no gateway does to an upstream */
    connection_drop(c);
    return;
  }
  if (c->request.state == MESSAGE_HEAD) c->body_length = 0;
  bool before_body = c->request.state == MESSAGE_HEAD;
  long used = message_feed(&c->request, buffer, n, keep_body, c);
  if (c->request.state == MESSAGE_BAD || used < n) {
    connection_drop(c);
    return;
  }
  if (c->request.state == MESSAGE_DONE) {
    c->body[c->body_length] = 0;
    answer_begin(c);
  } else if (before_body && c->request.expects && !c->body_length) {
    connection_emit(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  }
}

static void accept_one(int listener) {
  int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  if (descriptor < 0) return;
  struct connection *c = descriptor < DESCRIPTOR_LIMIT ? calloc(1, sizeof *c) : NULL;
  if (!c) {
    close(descriptor);
    return;
  }
  send_at_once(descriptor);
  c->descriptor = descriptor;
  c->heap_index = -1;
  message_begin(&c->request, true);
  connections[descriptor] = c;
  counters.connections++;
  struct epoll_event e = {EPOLLIN, {.fd = descriptor}};
  epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &e);
}

static int listen_on(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) {
    perror("mock: listen");
    exit(1);
  }
  struct epoll_event e = {EPOLLIN, {.fd = listener}};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
  return listener;
}

static void arm_timer(void) {
  int64_t due = heap_count ? due_at(0) : 0;
  struct itimerspec t = {.it_value = {due / 1000000000, due % 1000000000}};
  if (due == armed) return;
  armed = due;
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void run_due(void) {
  int64_t now = now_ns();
  for (int guard = 0; guard < 4096 && heap_count && due_at(0) <= now; guard++) {
    struct connection *c = connections[heap[0]];
    heap_remove(c);
    answer_step(c);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  raise_descriptor_limit();
  signal(SIGPIPE, SIG_IGN);
  answers_prepare();
  poller = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event timer_event = {EPOLLIN, {.fd = timer}};
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &timer_event);
  int listener = listen_on(atoi(argv[1]));
  for (;;) {
    struct epoll_event events[256];
    arm_timer();
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int descriptor = events[i].data.fd;
      uint64_t expirations;
      if (descriptor == timer) {
        if (read(timer, &expirations, sizeof expirations) > 0) armed = 0;
      } else if (descriptor == listener) {
        accept_one(listener);
      } else if (connections[descriptor]) {
        struct connection *c = connections[descriptor];
        if ((events[i].events & EPOLLOUT) && !flush(c)) continue;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
      }
    }
    run_due();
  }
}
