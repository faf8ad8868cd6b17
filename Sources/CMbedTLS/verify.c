/* SPDX-License-Identifier: MIT */
/* Judging a server's certificate beyond what Mbed TLS does, and saying what was wrong. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define DETAIL_SIZE 192
/* The first byte of whoever speaks TLS (RFC 8446 section 5.1). */
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22

uint8_t cm_parse_address(const char *text, uint8_t *address) {
  if (inet_pton(AF_INET, text, address) == 1) return 4;
  return inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
}

/* Whether an iPAddress entry of subjectAltName is the host (RFC 5280 section 4.2.1.6). The common
 * name is not looked at: it never stood for addresses. */
static int names_address(const cm_session *session, const mbedtls_x509_crt *certificate) {
  const mbedtls_x509_sequence *name = &certificate->subject_alt_names;
  for (; name != NULL; name = name->next) {
    if ((name->buf.tag & CM_GENERAL_NAME_MASK) == MBEDTLS_X509_SAN_IP_ADDRESS &&
        name->buf.len == session->address_length &&
        memcmp(name->buf.p, session->address, session->address_length) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Whether exactly this certificate was given as private authority: a self-signed server
 * certificate that is no CA is trusted by naming it. */
static int is_pinned(const cm_context *context, const mbedtls_x509_crt *certificate) {
  const mbedtls_x509_crt *own = &context->extra;
  const mbedtls_x509_crt *end = context->joint == NULL ? NULL : context->joint->next;
  for (; own != end && own->raw.len > 0; own = own->next) {
    if (own->raw.len == certificate->raw.len &&
        memcmp(own->raw.p, certificate->raw.p, own->raw.len) == 0) {
      return 1;
    }
    if (own->next == NULL) break;
  }
  return 0;
}

/* Keeps for the log what a flag alone does not tell: who the issuer is, or which day it was. */
static void note_detail(cm_session *session, const mbedtls_x509_crt *certificate,
                        uint32_t flags) {
  char *text = session->detail == NULL ? malloc(DETAIL_SIZE) : session->detail;
  if (text == NULL) return;
  session->detail = text;
  text[0] = 0;
  if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
    /* Negative when the name is longer than the room; then it stays unnamed. */
    if (mbedtls_x509_dn_gets(text, DETAIL_SIZE, &certificate->issuer) < 0) text[0] = 0;
    return;
  }
  const mbedtls_x509_time *time = (flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0
                                      ? &certificate->valid_to
                                      : &certificate->valid_from;
  if ((flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) != 0) {
    (void)snprintf(text, DETAIL_SIZE, "%04d-%02d-%02d", time->year, time->mon, time->day);
  }
}

int cm_verify(void *argument, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
  cm_session *session = argument;
  session->is_verified = 1;
  cm_judge_validity(certificate, flags);
  if (depth == 0) {
    if (is_pinned(session->context, certificate)) {
      *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    }
    if (session->address_length > 0 && !names_address(session, certificate)) {
      *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
  }
  session->flags |= *flags;
  if (*flags != 0) note_detail(session, certificate, *flags);
  return 0;
}

/* What is wrong with the peer's certificate, in words. */
static int describe_certificate(const cm_session *session, uint32_t flags, char *text,
                                size_t size) {
  char reasons[160];
  cm_describe_flags(flags, reasons, sizeof reasons);
  int has_detail = session->detail != NULL && session->detail[0] != 0;
  return snprintf(text, size, "certificate refused: %s%s%s%s", reasons, has_detail ? " (" : "",
                  has_detail ? session->detail : "", has_detail ? ")" : "");
}

/* Plain HTTP on a TLS port, in either direction. */
static int speaks_otherwise(const cm_session *session) {
  return session->first_byte != 0 && session->first_byte != RECORD_ALERT &&
         session->first_byte != RECORD_HANDSHAKE;
}

int32_t cm_session_error(const cm_session *session, char *text, size_t size) {
  if (size == 0) return 0;
  const char *why = cm_code_text(session->code);
  /* Key usage is judged outside the callback, so both sources count. */
  uint32_t flags = session->flags;
  uint32_t result = mbedtls_ssl_get_verify_result(&session->ssl);
  if (result != UINT32_MAX) flags |= result & ~(uint32_t)MBEDTLS_X509_BADCERT_SKIP_VERIFY;
  if (session->final == 0 || session->final == CM_CLOSED) {
    text[0] = 0;
  } else if (!session->is_ready && !session->context->is_server && flags != 0) {
    (void)describe_certificate(session, flags, text, size);
  } else if (session->final == CM_EOF) {
    (void)snprintf(text, size, "%s",
                   session->is_ready ? "the connection ended without close_notify"
                                     : "the peer closed the connection during the handshake");
  } else if (!session->is_ready && speaks_otherwise(session)) {
    cm_say(text, size, "the peer does not speak TLS here");
  } else if (session->alert != 0) {
    cm_describe_alert(session->alert, text, size);
  } else if (session->system_error != 0) {
    (void)snprintf(text, size, "%s: %s", why != NULL ? why : "socket error",
                   strerror(session->system_error));
  } else if (why != NULL) {
    (void)snprintf(text, size, "%s", why);
  } else {
    (void)snprintf(text, size, "TLS failed (Mbed TLS -0x%04x)", (unsigned)-session->code);
  }
  return (int32_t)strlen(text);
}
