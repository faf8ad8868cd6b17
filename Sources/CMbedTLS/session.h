/* SPDX-License-Identifier: MIT */
/* The inside of a session, shared by the files that move its bytes and judge its peer. */
#ifndef CM_SESSION_H
#define CM_SESSION_H

#include "internal.h"

/* Mbed TLS asks for a record's 5-byte header, then for its body: two calls of recv per record.
 * Reading ahead into this buffer makes it one for the small records of a token stream; larger
 * records go straight to their place. */
#define CM_AHEAD_SIZE 2048

struct cm_session {
  mbedtls_ssl_context ssl;
  cm_context *context;
  int32_t fd;
  int32_t final;         /* CM_CLOSED, CM_EOF or CM_FAILED once that has happened */
  int32_t code;          /* Mbed TLS's code behind `final` */
  int32_t system_error;  /* errno of the socket call that failed */
  uint32_t flags;        /* what is wrong with the peer's chain */
  size_t offered;        /* bytes encrypted and not yet sent */
  char *detail;          /* issuer that is not known, or the day of expiry */
  uint16_t ahead_start;
  uint16_t ahead_end;
  uint8_t is_ready;      /* the handshake is complete */
  uint8_t is_closing;    /* our close_notify is on its way */
  uint8_t is_drained;    /* the last recv gave less than asked: spare the next one */
  uint8_t is_starved;    /* the socket had nothing for us */
  uint8_t is_verified;   /* a certificate chain was judged, so the session is not a resumed one */
  uint8_t has_ticket;    /* a TLS 1.3 ticket came since the last save */
  uint8_t has_news;      /* a final result that no read has told yet */
  uint8_t alert;         /* number of the fatal alert received */
  uint8_t first_byte;    /* of what the peer sent; 0 before that */
  uint8_t address_length; /* of the host, if it is an address: 4 or 16 */
  uint8_t address[16];
  uint8_t ahead[CM_AHEAD_SIZE];
};

/* bio.c: the two functions through which Mbed TLS reaches the socket. */
int cm_bio_send(void *session, const unsigned char *bytes, size_t length);
int cm_bio_receive(void *session, unsigned char *bytes, size_t length);

/* verify.c */
uint8_t cm_parse_address(const char *text, uint8_t *address);
int cm_verify(void *session, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

#endif
