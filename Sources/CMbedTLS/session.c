/* SPDX-License-Identifier: MIT */
/* One TLS connection over one non-blocking socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform.h>

#include "session.h"

/* The largest count a call reports. */
#define COUNT_LIMIT ((size_t)INT32_MAX)
#define HOST_LIMIT 253 /* RFC 1035 section 2.3.4, without the last dot */

/* Turns a result of Mbed TLS into one of ours; the final ones are remembered. */
static int32_t conclude(cm_session *session, int code) {
  switch (code) {
    case MBEDTLS_ERR_SSL_WANT_READ:
      return CM_WANT_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
      return CM_WANT_WRITE;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
      session->final = CM_CLOSED;
      break;
    case MBEDTLS_ERR_SSL_CONN_EOF:
      session->final = CM_EOF;
      break;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
      session->alert = session->ssl.CM_FIELD(in_msg)[1];
      session->final = CM_FAILED;
      break;
    default:
      session->final = CM_FAILED;
      break;
  }
  session->code = code;
  return session->final;
}

/* Sets the name to ask for and to check. 0, or Mbed TLS's code. */
static int set_host(cm_session *session, const char *host) {
  char name[HOST_LIMIT + 1];
  size_t length = strlen(host);
  session->address_length = cm_parse_address(host, session->address);
  if (session->address_length > 0) {
    /* RFC 6066 section 3 forbids addresses in SNI. The verify callback compares them with the
     * certificate's iPAddress entries, in every version of Mbed TLS. */
    return mbedtls_ssl_set_hostname(&session->ssl, NULL);
  }
  if (length > 0 && host[length - 1] == '.') length--;
  if (length == 0 || length > HOST_LIMIT) return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
  for (size_t i = 0; i < length; i++) {
    if (host[i] <= ' ' || host[i] >= 0x7f) return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
  }
  memcpy(name, host, length);
  name[length] = 0;
  return mbedtls_ssl_set_hostname(&session->ssl, name);
}

static int set_up(cm_session *session, const char *host, const cm_saved *saved) {
  int code = mbedtls_ssl_setup(&session->ssl, &session->context->config);
  if (code != 0) return code;
  mbedtls_ssl_set_bio(&session->ssl, session, cm_bio_send, cm_bio_receive, NULL);
  if (session->context->is_server) return 0;
  if (host == NULL) return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
  code = set_host(session, host);
  if (code != 0) return code;
  mbedtls_ssl_set_verify(&session->ssl, cm_verify, session);
  /* A session that cannot be used is no error: the handshake is a full one then. */
  if (saved != NULL) (void)mbedtls_ssl_set_session(&session->ssl, &saved->session);
  return 0;
}

cm_session *cm_session_create(cm_context *context, int32_t fd, const char *host,
                              const cm_saved *saved, char *error, size_t error_size) {
  cm_session *session = calloc(1, sizeof *session);
  if (session == NULL) {
    cm_say(error, error_size, "no memory");
    return NULL;
  }
  session->context = cm_context_retain(context);
  session->fd = fd;
  mbedtls_ssl_init(&session->ssl);
  int code = set_up(session, host, saved);
  if (code == 0) return session;
  if (code == MBEDTLS_ERR_SSL_BAD_INPUT_DATA) {
    cm_say(error, error_size, "not a host name that can be checked");
  } else {
    cm_say_code(error, error_size, "a TLS session could not be made", code);
  }
  cm_session_free(session);
  return NULL;
}

void cm_session_free(cm_session *session) {
  if (session == NULL) return;
  mbedtls_ssl_free(&session->ssl);
  cm_context_free(session->context);
  free(session->detail);
  free(session);
}

/* Mbed TLS keeps the server's parsed chain, several kilobytes, for callers that ask for it. */
static void drop_peer_certificate(cm_session *session) {
#if defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE)
  mbedtls_ssl_session *current = session->ssl.CM_FIELD(session);
  if (current == NULL || current->CM_FIELD(peer_cert) == NULL) return;
  mbedtls_x509_crt_free(current->CM_FIELD(peer_cert));
  mbedtls_free(current->CM_FIELD(peer_cert));
  current->CM_FIELD(peer_cert) = NULL;
#else
  (void)session;
#endif
}

int32_t cm_session_handshake(cm_session *session) {
  if (session->final != 0) return session->final;
  if (session->is_ready) return 0;
  session->is_drained = 0;
  int code = mbedtls_ssl_handshake(&session->ssl);
  if (code != 0) return conclude(session, code);
  session->is_ready = 1;
  drop_peer_certificate(session);
  return 0;
}

/* Whether Mbed TLS stopped for a reason that is none: it returns after each ticket, and wants to
 * read although the socket was not asked, after a ticket's record or a harmless alert. */
static int is_interlude(cm_session *session, int code) {
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
  if (code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
    session->has_ticket = 1;
    return 1;
  }
#endif
  return code == MBEDTLS_ERR_SSL_WANT_READ && !session->is_starved;
}

/* Reads once, through tickets and the like. */
static int read_record(cm_session *session, uint8_t *bytes, size_t length) {
  int count;
  do {
    session->is_starved = 0;
    count = mbedtls_ssl_read(&session->ssl, bytes, length);
  } while (is_interlude(session, count));
  return count == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : count;
}

int32_t cm_session_read(cm_session *session, uint8_t *bytes, size_t length) {
  if (!session->is_ready) {
    int32_t result = cm_session_handshake(session);
    if (result != 0) return result;
  }
  session->has_news = 0;
  if (session->final != 0) return session->final;
  if (length > COUNT_LIMIT) length = COUNT_LIMIT;
  session->is_drained = 0;
  size_t total = 0;
  while (total < length) {
    int count = read_record(session, bytes + total, length - total);
    if (count < 0) {
      int32_t result = conclude(session, count);
      if (total == 0) return result;
      session->has_news = session->final != 0; /* told by the next call */
      return (int32_t)total;
    }
    total += (size_t)count;
  }
  return (int32_t)total;
}

/* Sends what Mbed TLS holds of something else than application bytes, such as an alert: its
 * write function would count our bytes as sent when it merely got rid of those. */
static int flush_foreign(cm_session *session) {
  static const uint8_t nothing = 0;
  if (session->offered > 0 || session->ssl.CM_FIELD(out_left) == 0) return 0;
  int code = mbedtls_ssl_write(&session->ssl, &nothing, 0);
  return code < 0 ? code : 0;
}

int32_t cm_session_write(cm_session *session, const uint8_t *bytes, size_t length) {
  if (!session->is_ready) {
    int32_t result = cm_session_handshake(session);
    if (result != 0) return result;
  }
  if (session->final != 0) return session->final;
  if (length > COUNT_LIMIT) length = COUNT_LIMIT;
  if (length < session->offered) return conclude(session, MBEDTLS_ERR_SSL_BAD_INPUT_DATA);
  size_t total = 0;
  int code = flush_foreign(session);
  while (code == 0 && total < length) {
    /* Bytes that were encrypted but not sent are in Mbed TLS's buffer: it must be offered the
     * same count again, and then counts them as sent. */
    size_t part = session->offered > 0 ? session->offered : length - total;
    size_t limit = (size_t)mbedtls_ssl_get_max_out_record_payload(&session->ssl);
    if (part > limit) part = limit;
    session->is_starved = 0;
    int count = mbedtls_ssl_write(&session->ssl, bytes + total, part);
    if (is_interlude(session, count)) continue;
    if (count < 0) {
      session->offered = count == MBEDTLS_ERR_SSL_WANT_WRITE ? part : 0;
      code = count;
    } else {
      session->offered = 0;
      total += (size_t)count;
    }
  }
  if (code == 0) return (int32_t)total;
  int32_t result = conclude(session, code);
  return total > 0 ? (int32_t)total : result;
}

int32_t cm_session_close_notify(cm_session *session) {
  if (session->final == CM_FAILED || session->final == CM_EOF || !session->is_ready) return 0;
  int code = 0;
  if (!session->is_closing && session->ssl.CM_FIELD(out_left) != 0) {
    /* The first call only sends what is left of the last record. */
    code = mbedtls_ssl_close_notify(&session->ssl);
    if (code == 0) session->offered = 0;
  }
  if (code == 0) {
    session->is_closing = 1;
    code = mbedtls_ssl_close_notify(&session->ssl);
  }
  if (code == 0) return 0;
  /* What the peer said last stays the result of reading. */
  if (session->final != 0) return code == MBEDTLS_ERR_SSL_WANT_WRITE ? CM_WANT_WRITE : 0;
  return conclude(session, code);
}

int32_t cm_session_has_pending_input(const cm_session *session) {
  if (!session->is_ready) return 0;
  return session->has_news || session->ahead_start < session->ahead_end ||
         mbedtls_ssl_check_pending(&session->ssl) != 0;
}

int32_t cm_session_is_resumed(const cm_session *session) {
  return session->is_ready && !session->context->is_server && !session->is_verified;
}

/* Whether the server offered something with which to resume. */
static int can_resume(const cm_session *session, const mbedtls_ssl_session *saved) {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
  if (mbedtls_ssl_get_version_number(&session->ssl) == MBEDTLS_SSL_VERSION_TLS1_3) {
    return session->has_ticket;
  }
#else
  (void)session;
#endif
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
  if (saved->CM_FIELD(ticket_len) > 0) return 1;
#endif
  return saved->CM_FIELD(id_len) > 0;
}

cm_saved *cm_session_save(cm_session *session) {
  if (!session->is_ready || session->context->is_server || session->final == CM_FAILED) {
    return NULL;
  }
  cm_saved *saved = calloc(1, sizeof *saved);
  if (saved == NULL) return NULL;
  mbedtls_ssl_session_init(&saved->session);
  if (mbedtls_ssl_get_session(&session->ssl, &saved->session) != 0 ||
      !can_resume(session, &saved->session)) {
    cm_saved_free(saved);
    return NULL;
  }
  session->has_ticket = 0;
  return saved;
}

void cm_saved_free(cm_saved *saved) {
  if (saved == NULL) return;
  mbedtls_ssl_session_free(&saved->session);
  free(saved);
}
