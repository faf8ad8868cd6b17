/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1
#include "CPlatform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

static int32_t result(int value) { return value < 0 ? -errno : value; }

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} address_t;

static socklen_t fill(address_t *to, const uint8_t *bytes, int32_t count, int32_t port,
                      uint32_t scope) {
  memset(to, 0, sizeof *to);
  if (count == 4) {
    to->v4.sin_family = AF_INET;
    to->v4.sin_port = htons((uint16_t)port);
    memcpy(&to->v4.sin_addr, bytes, 4);
    return sizeof to->v4;
  }
  to->v6.sin6_family = AF_INET6;
  to->v6.sin6_port = htons((uint16_t)port);
  to->v6.sin6_scope_id = scope;
  memcpy(&to->v6.sin6_addr, bytes, 16);
  return sizeof to->v6;
}

static void set_no_delay(int descriptor) {
  int one = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

int32_t cp_listen(const uint8_t *address, int32_t address_count, int32_t port, int32_t backlog) {
  address_t local;
  socklen_t length = fill(&local, address, address_count, port, 0);
  int descriptor = socket(local.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int one = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  set_no_delay(descriptor); /* Accepted connections inherit it. */
  if (bind(descriptor, &local.any, length) != 0 || listen(descriptor, backlog) != 0) {
    int32_t error = -errno;
    close(descriptor);
    return error;
  }
  return descriptor;
}

int32_t cp_connect(const uint8_t *address, int32_t address_count, int32_t port, uint32_t scope) {
  address_t remote;
  socklen_t length = fill(&remote, address, address_count, port, scope);
  int descriptor = socket(remote.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  set_no_delay(descriptor);
  if (connect(descriptor, &remote.any, length) != 0 && errno != EINPROGRESS) {
    int32_t error = -errno;
    close(descriptor);
    return error;
  }
  return descriptor;
}

int32_t cp_accept(int32_t listener, uint8_t *address, int32_t *address_count) {
  address_t peer;
  socklen_t length = sizeof peer;
  int descriptor = accept4(listener, &peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return -errno;
  *address_count = 0;
  if (peer.any.sa_family == AF_INET) {
    memcpy(address, &peer.v4.sin_addr, 4);
    *address_count = 4;
  } else if (peer.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr)) {
    memcpy(address, (uint8_t *)&peer.v6.sin6_addr + 12, 4);
    *address_count = 4;
  } else if (peer.any.sa_family == AF_INET6) {
    memcpy(address, &peer.v6.sin6_addr, 16);
    *address_count = 16;
  }
  return descriptor;
}

int32_t cp_local_port(int32_t descriptor) {
  address_t local;
  socklen_t length = sizeof local;
  if (getsockname(descriptor, &local.any, &length) != 0) return -errno;
  return ntohs(local.any.sa_family == AF_INET ? local.v4.sin_port : local.v6.sin6_port);
}

int32_t cp_is_own_peer(int32_t descriptor) {
  address_t local, peer;
  socklen_t local_length = sizeof local, peer_length = sizeof peer;
  if (getsockname(descriptor, &local.any, &local_length) != 0) return 0;
  if (getpeername(descriptor, &peer.any, &peer_length) != 0) return 0;
  if (local.any.sa_family != peer.any.sa_family) return 0;
  if (local.any.sa_family == AF_INET) {
    return local.v4.sin_addr.s_addr == peer.v4.sin_addr.s_addr;
  }
  return memcmp(&local.v6.sin6_addr, &peer.v6.sin6_addr, 16) == 0;
}

int32_t cp_socket_error(int32_t descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -errno;
  return -error;
}

int32_t cp_await_connection(int32_t descriptor, int32_t milliseconds) {
  struct pollfd asked = {.fd = descriptor, .events = POLLOUT};
  int count = poll(&asked, 1, milliseconds);
  if (count == 0) return -ETIMEDOUT;
  return count < 0 ? -errno : cp_socket_error(descriptor);
}

int64_t cp_receive(int32_t descriptor, void *bytes, size_t count) {
  ssize_t got;
  do got = recv(descriptor, bytes, count, 0);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

int64_t cp_send(int32_t descriptor, const void *bytes, size_t count) {
  ssize_t put;
  do put = send(descriptor, bytes, count, MSG_NOSIGNAL);
  while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : put;
}

int32_t cp_send_datagram(const uint8_t *address, int32_t address_count, int32_t port,
                         const void *bytes, size_t count) {
  address_t remote;
  socklen_t length = fill(&remote, address, address_count, port, 0);
  int descriptor = socket(remote.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int one = 1;
  int32_t error = 0;
  if (setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) != 0 ||
      sendto(descriptor, bytes, count, MSG_NOSIGNAL, &remote.any, length) < 0) {
    error = -errno;
  }
  close(descriptor);
  return error;
}

int32_t cp_shutdown_write(int32_t descriptor) { return result(shutdown(descriptor, SHUT_WR)); }

int32_t cp_parse_address(const char *text, uint8_t *address) {
  if (inet_pton(AF_INET, text, address) == 1) return 4;
  if (inet_pton(AF_INET6, text, address) == 1) return 16;
  return 0;
}

int32_t cp_format_address(const uint8_t *address, int32_t count, uint8_t *text, int32_t capacity) {
  char formatted[INET6_ADDRSTRLEN];
  if (!inet_ntop(count == 4 ? AF_INET : AF_INET6, address, formatted, sizeof formatted)) return 0;
  int32_t length = (int32_t)strlen(formatted);
  if (length > capacity) return 0;
  memcpy(text, formatted, (size_t)length);
  return length;
}

int32_t cp_resolve(const char *host, uint8_t *entries, int32_t capacity) {
  struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int code = getaddrinfo(host, NULL, &wanted, &found);
  if (code != 0) return code < 0 ? code : -code;
  int32_t count = 0;
  for (struct addrinfo *at = found; at && count < capacity; at = at->ai_next) {
    uint8_t *entry = entries + (size_t)count * CP_ADDRESS_ENTRY;
    uint32_t scope = 0;
    memset(entry, 0, CP_ADDRESS_ENTRY);
    if (at->ai_family == AF_INET) {
      entry[0] = 4;
      memcpy(entry + 1, &((struct sockaddr_in *)at->ai_addr)->sin_addr, 4);
    } else if (at->ai_family == AF_INET6) {
      entry[0] = 16;
      memcpy(entry + 1, &((struct sockaddr_in6 *)at->ai_addr)->sin6_addr, 16);
      scope = ((struct sockaddr_in6 *)at->ai_addr)->sin6_scope_id;
    } else {
      continue;
    }
    memcpy(entry + 17, &scope, 4);
    count++;
  }
  freeaddrinfo(found);
  return count;
}

int32_t cp_describe_resolve_error(int32_t code, uint8_t *text, int32_t capacity) {
  const char *description = gai_strerror(code);
  size_t length = strlen(description);
  if (length > (size_t)capacity) length = (size_t)capacity;
  memcpy(text, description, length);
  return (int32_t)length;
}

/* epoll: struct epoll_event is packed on x86-64, so Swift sees cp_event instead. */

int32_t cp_poller_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int32_t control(int32_t poller, int operation, int32_t descriptor, uint32_t interest,
                       uint64_t token) {
  struct epoll_event event = {.data = {.u64 = token}};
  if (interest & CP_READABLE) event.events |= EPOLLIN | EPOLLRDHUP;
  if (interest & CP_WRITABLE) event.events |= EPOLLOUT;
  if (interest & CP_EDGE) event.events |= EPOLLET;
  return result(epoll_ctl(poller, operation, descriptor, &event));
}

int32_t cp_poller_add(int32_t poller, int32_t descriptor, uint32_t interest, uint64_t token) {
  return control(poller, EPOLL_CTL_ADD, descriptor, interest, token);
}

int32_t cp_poller_change(int32_t poller, int32_t descriptor, uint32_t interest, uint64_t token) {
  return control(poller, EPOLL_CTL_MOD, descriptor, interest, token);
}

int32_t cp_poller_remove(int32_t poller, int32_t descriptor) {
  return result(epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL));
}

int32_t cp_poller_wait(int32_t poller, cp_event *events, int32_t capacity, int32_t milliseconds) {
  struct epoll_event ready[128];
  if (capacity > 128) capacity = 128;
  int count = epoll_wait(poller, ready, capacity, milliseconds);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    uint32_t flags = 0;
    if (ready[i].events & (EPOLLIN | EPOLLRDHUP)) flags |= CP_READABLE;
    if (ready[i].events & EPOLLRDHUP) flags |= CP_ENDED;
    if (ready[i].events & EPOLLOUT) flags |= CP_WRITABLE;
    if (ready[i].events & (EPOLLHUP | EPOLLERR)) flags |= CP_HANGUP;
    events[i].token = ready[i].data.u64;
    events[i].ready = flags;
  }
  return count;
}

int32_t cp_wake_create(void) { return result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

void cp_wake_signal(int32_t descriptor) {
  uint64_t one = 1;
  ssize_t put = write(descriptor, &one, sizeof one);
  (void)put; /* a full counter has woken the loop already */
}

void cp_wake_clear(int32_t descriptor) {
  uint64_t count;
  ssize_t got = read(descriptor, &count, sizeof count);
  (void)got;
}

int32_t cp_signal_descriptor(void) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGPWR);
  if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -errno;
  return result(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int32_t cp_signal_next(int32_t descriptor) {
  struct signalfd_siginfo received;
  ssize_t got = read(descriptor, &received, sizeof received);
  if (got != (ssize_t)sizeof received) return -EAGAIN;
  return (int32_t)received.ssi_signo;
}
