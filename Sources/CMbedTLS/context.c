/* SPDX-License-Identifier: MIT */
/* Configuration shared by sessions: what is offered, who is trusted, who we are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>

#include "internal.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#define START_CRYPTO() psa_crypto_init() /* TLS 1.3 works through PSA; repeating it is allowed */
#else
#define START_CRYPTO() 0
#endif

#define CHAIN_FILE_LIMIT (256u << 10)
#define KEY_FILE_LIMIT (64u << 10)
#define OTHERS_MODE 077u
/* What a certificate message holds besides the chain: headers and TLS 1.3's context and tag. */
#define CERTIFICATE_MESSAGE_OVERHEAD 64
#define ENTRY_OVERHEAD 5 /* TLS 1.3: length 3, extensions length 2 */
#define TICKET_SECONDS 86400

/* Authenticated encryption with forward secrecy only. ChaCha20 comes first where a processor is
 * likely to have no AES instructions. */
static const int suites[] = {
#if defined(__arm__)
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
#endif
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
#if !defined(__arm__)
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
#endif
    0,
};

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
/* As Mbed TLS's own list, but for the place of PKCS #1: version 3.6.6 offers PSS for TLS 1.3's
 * sake and then refuses it in TLS 1.2 (Mbed-TLS/mbedtls pull request 10674). Servers that go by
 * our order take PKCS #1 there; in TLS 1.3 it is for certificates only, and PSS is taken. */
static const uint16_t signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,    MBEDTLS_TLS1_3_SIG_NONE,
};
#endif

static const char *protocols[] = {"http/1.1", NULL};

const char *cm_version(void) { return MBEDTLS_VERSION_STRING; }

cm_context *cm_context_retain(cm_context *context) {
  context->references++;
  return context;
}

void cm_context_free(cm_context *context) {
  if (context == NULL || --context->references > 0) return;
  mbedtls_ssl_config_free(&context->config);
  if (context->joint != NULL) context->joint->next = NULL; /* the rest is the trust set's */
  mbedtls_x509_crt_free(&context->extra);
  mbedtls_pk_free(&context->key);
#if defined(MBEDTLS_SSL_TICKET_C)
  mbedtls_ssl_ticket_free(&context->ticket);
#endif
  cm_trust_free(context->trust);
  free(context);
}

int64_t cm_context_valid_until(const cm_context *context) {
  return context->is_server ? cm_seconds_of(&context->extra.valid_to) : 0;
}

static cm_context *make_context(int endpoint, char *error, size_t error_size) {
  cm_context *context = calloc(1, sizeof *context);
  if (context == NULL) {
    cm_say(error, error_size, "no memory");
    return NULL;
  }
  context->references = 1;
  context->is_server = endpoint == MBEDTLS_SSL_IS_SERVER;
  mbedtls_ssl_config_init(&context->config);
  mbedtls_x509_crt_init(&context->extra);
  mbedtls_pk_init(&context->key);
#if defined(MBEDTLS_SSL_TICKET_C)
  mbedtls_ssl_ticket_init(&context->ticket);
#endif
  int code = START_CRYPTO();
  if (code == 0) {
    code = mbedtls_ssl_config_defaults(&context->config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                       MBEDTLS_SSL_PRESET_DEFAULT);
  }
  if (code == 0) code = mbedtls_ssl_conf_alpn_protocols(&context->config, protocols);
  if (code != 0) {
    cm_say_code(error, error_size, "TLS could not be set up", code);
    cm_context_free(context);
    return NULL;
  }
  mbedtls_ssl_conf_rng(&context->config, cm_rng, NULL);
  mbedtls_ssl_conf_ciphersuites(&context->config, suites);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  mbedtls_ssl_conf_sig_algs(&context->config, signatures);
  mbedtls_ssl_conf_min_tls_version(&context->config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
  mbedtls_ssl_conf_min_version(&context->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                               MBEDTLS_SSL_MINOR_VERSION_3);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
  mbedtls_ssl_conf_renegotiation(&context->config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
  return context;
}

#if CM_ON_DEMAND
/* Mbed TLS asks who may have signed `child`. */
static int candidates(void *argument, const mbedtls_x509_crt *child, mbedtls_x509_crt **found) {
  const cm_context *context = argument;
  *found = NULL;
  int code = context->trust == NULL ? 0 : cm_trust_candidates(context->trust, child, found);
  const mbedtls_x509_crt *own = &context->extra;
  for (; code == 0 && own != NULL && own->raw.len > 0; own = own->next) {
    if (own->subject_raw.len == child->issuer_raw.len &&
        memcmp(own->subject_raw.p, child->issuer_raw.p, own->subject_raw.len) == 0) {
      code = cm_add_candidate(found, own->raw.p, own->raw.len, 0);
    }
  }
  if (code != 0 && *found != NULL) {
    mbedtls_x509_crt_free(*found);
    mbedtls_free(*found);
    *found = NULL;
  }
  return code;
}

static void install_trust(cm_context *context) {
  mbedtls_ssl_conf_ca_cb(&context->config, candidates, context);
}
#else
/* One chain for Mbed TLS: the private authorities, and behind them the shared set. */
static void install_trust(cm_context *context) {
  mbedtls_x509_crt *shared = cm_trust_chain(context->trust);
  mbedtls_x509_crt *own = &context->extra;
  if (own->raw.len == 0) {
    mbedtls_ssl_conf_ca_chain(&context->config, shared, NULL);
    return;
  }
  while (own->next != NULL) own = own->next;
  if (shared != NULL) {
    own->next = shared;
    context->joint = own;
  }
  mbedtls_ssl_conf_ca_chain(&context->config, &context->extra, NULL);
}
#endif

cm_context *cm_context_client(cm_trust *trust, const uint8_t *extra, size_t extra_length,
                              char *error, size_t error_size) {
  if (trust == NULL && extra_length == 0) {
    cm_say(error, error_size, "no certificate authorities to trust");
    return NULL;
  }
  cm_context *context = make_context(MBEDTLS_SSL_IS_CLIENT, error, error_size);
  if (context == NULL) return NULL;
  int code = extra_length == 0 ? 0 : cm_parse_pem(&context->extra, extra, extra_length);
  if (code != 0) {
    /* Positive: so many certificates are unreadable. A private set is small and deliberate, so
     * one bad entry is an error. */
    cm_say_code(error, error_size, "the private authority is not a readable PEM certificate",
                code > 0 ? -code : code);
    cm_context_free(context);
    return NULL;
  }
  context->trust = cm_trust_retain(trust);
  mbedtls_ssl_conf_authmode(&context->config, MBEDTLS_SSL_VERIFY_REQUIRED);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
  mbedtls_ssl_conf_session_tickets(&context->config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#endif
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED) && \
    defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_SESSION_TICKETS)
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
      &context->config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
  install_trust(context);
  return context;
}

/* Mbed TLS sends the certificate message as one record. */
static int chain_fits(const mbedtls_x509_crt *chain) {
  size_t total = CERTIFICATE_MESSAGE_OVERHEAD;
  for (; chain != NULL && chain->raw.len > 0; chain = chain->next) {
    total += chain->raw.len + ENTRY_OVERHEAD;
  }
  return total <= MBEDTLS_SSL_OUT_CONTENT_LEN;
}

int cm_parse_key(mbedtls_pk_context *key, const uint8_t *pem, size_t length) {
  unsigned char *copy = malloc(length + 1);
  if (copy == NULL) return MBEDTLS_ERR_X509_ALLOC_FAILED;
  memcpy(copy, pem, length);
  copy[length] = 0;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  int code = mbedtls_pk_parse_key(key, copy, length + 1, NULL, 0, cm_rng, NULL);
#else
  int code = mbedtls_pk_parse_key(key, copy, length + 1, NULL, 0);
#endif
  mbedtls_platform_zeroize(copy, length);
  free(copy);
  return code;
}

static int is_pair(mbedtls_pk_context *public_key, mbedtls_pk_context *key) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_pk_check_pair(public_key, key, cm_rng, NULL) == 0;
#else
  return mbedtls_pk_check_pair(public_key, key) == 0;
#endif
}

/* Loads chain and key and checks that they can serve; 0, or -1 with a sentence. */
static int load_identity(cm_context *context, const uint8_t *chain, size_t chain_length,
                         const uint8_t *key, size_t key_length, char *error, size_t size) {
  int code = cm_parse_pem(&context->extra, chain, chain_length);
  if (code != 0) {
    cm_say_code(error, size, "the certificate is not readable PEM", code > 0 ? -code : code);
  } else if (!chain_fits(&context->extra)) {
    (void)snprintf(error, size, "the certificate chain is too long: at most %d bytes can be sent",
                   MBEDTLS_SSL_OUT_CONTENT_LEN - CERTIFICATE_MESSAGE_OVERHEAD);
  } else if ((code = cm_parse_key(&context->key, key, key_length)) != 0) {
    cm_say_code(error, size, "the key is not a readable unencrypted PEM key", code);
  } else if (!is_pair(&context->extra.pk, &context->key)) {
    cm_say(error, size, "the key does not belong to the certificate");
  } else if ((code = mbedtls_ssl_conf_own_cert(&context->config, &context->extra,
                                               &context->key)) != 0) {
    cm_say_code(error, size, "the certificate cannot be used", code);
  } else {
    return 0;
  }
  return -1;
}

cm_context *cm_context_server(const uint8_t *chain, size_t chain_length, const uint8_t *key,
                              size_t key_length, char *error, size_t error_size) {
  cm_context *context = make_context(MBEDTLS_SSL_IS_SERVER, error, error_size);
  if (context == NULL) return NULL;
  if (load_identity(context, chain, chain_length, key, key_length, error, error_size) != 0) {
    cm_context_free(context);
    return NULL;
  }
#if defined(MBEDTLS_SSL_TICKET_C) && defined(MBEDTLS_SSL_SESSION_TICKETS)
  int code = mbedtls_ssl_ticket_setup(&context->ticket, cm_rng, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                      TICKET_SECONDS);
  if (code != 0) {
    cm_say_code(error, error_size, "session tickets could not be set up", code);
    cm_context_free(context);
    return NULL;
  }
  mbedtls_ssl_conf_session_tickets_cb(&context->config, mbedtls_ssl_ticket_write,
                                      mbedtls_ssl_ticket_parse, &context->ticket);
#endif
  return context;
}

cm_context *cm_context_server_files(const char *chain_path, const char *key_path, char *error,
                                    size_t error_size) {
  size_t chain_length = 0;
  size_t key_length = 0;
  cm_context *context = NULL;
  uint8_t *chain = cm_load(chain_path, CHAIN_FILE_LIMIT, 0, &chain_length, error, error_size);
  if (chain == NULL) return NULL;
  uint8_t *key = cm_load(key_path, KEY_FILE_LIMIT, OTHERS_MODE, &key_length, error, error_size);
  if (key != NULL) {
    context = cm_context_server(chain, chain_length, key, key_length, error, error_size);
    mbedtls_platform_zeroize(key, key_length);
  }
  free(key);
  free(chain);
  return context;
}
