/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "session.h"

int cm_bio_send(void *argument, const unsigned char *bytes, size_t length) {
  cm_session *session = argument;
  for (;;) {
    ssize_t count = send(session->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return (int)count;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return MBEDTLS_ERR_SSL_WANT_WRITE;
    session->system_error = errno;
    if (errno == EPIPE || errno == ECONNRESET) return MBEDTLS_ERR_NET_CONN_RESET;
    return MBEDTLS_ERR_NET_SEND_FAILED;
  }
}

static int starve(cm_session *session) {
  session->is_starved = 1;
  return MBEDTLS_ERR_SSL_WANT_READ;
}

/* One recv; the count, 0 at the end, or Mbed TLS's code. */
static int receive(cm_session *session, unsigned char *bytes, size_t length) {
  if (session->is_drained) return starve(session);
  for (;;) {
    ssize_t count = recv(session->fd, bytes, length, MSG_DONTWAIT);
    if (count >= 0) {
      session->is_drained = (size_t)count < length;
      return (int)count;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return starve(session);
    session->system_error = errno;
    if (errno == ECONNRESET) return MBEDTLS_ERR_NET_CONN_RESET;
    return MBEDTLS_ERR_NET_RECV_FAILED;
  }
}

int cm_bio_receive(void *argument, unsigned char *bytes, size_t length) {
  cm_session *session = argument;
  if (session->ahead_start == session->ahead_end) {
    if (length >= CM_AHEAD_SIZE) return receive(session, bytes, length);
    int count = receive(session, session->ahead, CM_AHEAD_SIZE);
    if (count <= 0) return count;
    session->ahead_start = 0;
    session->ahead_end = (uint16_t)count;
    if (session->first_byte == 0) session->first_byte = session->ahead[0];
  }
  size_t there = (size_t)(session->ahead_end - session->ahead_start);
  size_t count = length < there ? length : there;
  memcpy(bytes, session->ahead + session->ahead_start, count);
  session->ahead_start = (uint16_t)(session->ahead_start + count);
  return (int)count;
}
