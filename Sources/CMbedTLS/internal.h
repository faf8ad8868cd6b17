/* SPDX-License-Identifier: MIT */
/* What the files of the bridge share. Names that Mbed TLS changed between 2.28 and 3.6 are
 * levelled here and nowhere else. */
#ifndef CM_INTERNAL_H
#define CM_INTERNAL_H

#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define CM_FIELD(name) MBEDTLS_PRIVATE(name)
#else
#define CM_FIELD(name) name
#endif

#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#include "CMbedTLS.h"

#if defined(MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK)
#define CM_ON_DEMAND 1
#else
#define CM_ON_DEMAND 0
#endif

/* A calendar date and time in UTC. */
struct cm_date {
  int32_t year, month, day, hour, minute, second;
};

/* One certificate of a bundle on disk: base64 text at `offset`. */
struct cm_anchor {
  uint32_t subject_hash;
  uint32_t offset;
  uint32_t length;
};

struct cm_trust {
  int32_t references;
  int32_t is_builtin;
  int32_t count;
  int fd;
  struct cm_anchor *anchors;
  mbedtls_x509_crt *chain; /* everything parsed, where on demand is not possible */
};

struct cm_context {
  int32_t references;
  int32_t is_server;
  mbedtls_ssl_config config;
  mbedtls_x509_crt extra; /* client: private authorities; server: own chain */
  mbedtls_pk_context key;
  mbedtls_ssl_ticket_context ticket;
  cm_trust *trust;
  mbedtls_x509_crt *joint; /* last of `extra` when the trust set's chain hangs on it */
};

struct cm_saved {
  mbedtls_ssl_session session;
};

/* The mask that turns a general name's tag into its number (RFC 5280 section 4.2.1.6). */
#define CM_GENERAL_NAME_MASK 0x1f

/* errors.c */
void cm_say(char *error, size_t size, const char *text);
void cm_say_code(char *error, size_t size, const char *text, int code);
const char *cm_code_text(int code);
void cm_describe_alert(int number, char *text, size_t size);
int32_t cm_describe_flags(uint32_t flags, char *text, size_t size);

/* clock.c */
struct cm_date cm_date_of(int64_t seconds);
int64_t cm_seconds_of(const mbedtls_x509_time *time);
void cm_judge_validity(const mbedtls_x509_crt *certificate, uint32_t *flags);

/* random.c: the shape Mbed TLS asks for. */
int cm_rng(void *unused, unsigned char *out, size_t length);

/* file.c: the file with a NUL behind it, to be freed; NULL with a sentence on failure. */
uint8_t *cm_load(const char *path, size_t limit, uint32_t forbidden_mode, size_t *length,
                 char *error, size_t error_size);

/* trust.c */
cm_trust *cm_trust_retain(cm_trust *trust);
mbedtls_x509_crt *cm_trust_chain(const cm_trust *trust);
int cm_parse_pem(mbedtls_x509_crt *chain, const uint8_t *pem, size_t length);

/* anchors.c; only with CM_ON_DEMAND */
int cm_index_bundle(cm_trust *trust, const char *bundle);
int cm_trust_candidates(const cm_trust *trust, const mbedtls_x509_crt *child,
                        mbedtls_x509_crt **found);
int cm_add_candidate(mbedtls_x509_crt **found, const uint8_t *der, size_t length, int copy);

/* context.c */
cm_context *cm_context_retain(cm_context *context);
int cm_parse_key(mbedtls_pk_context *key, const uint8_t *pem, size_t length);

#endif
