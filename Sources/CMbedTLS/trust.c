/* SPDX-License-Identifier: MIT */
/* Sets of trusted certificates: made from a file or from the built-in table, shared, freed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CRoots.h"
#include "internal.h"

#define BUNDLE_LIMIT (4u << 20)

cm_trust *cm_trust_retain(cm_trust *trust) {
  if (trust != NULL) trust->references++;
  return trust;
}

void cm_trust_free(cm_trust *trust) {
  if (trust == NULL || --trust->references > 0) return;
  if (trust->fd >= 0) close(trust->fd);
  free(trust->anchors);
  if (trust->chain != NULL) {
    mbedtls_x509_crt_free(trust->chain);
    free(trust->chain);
  }
  free(trust);
}

int32_t cm_trust_count(const cm_trust *trust) { return trust->count; }

mbedtls_x509_crt *cm_trust_chain(const cm_trust *trust) {
  return trust == NULL ? NULL : trust->chain;
}

static cm_trust *make_trust(void) {
  cm_trust *trust = calloc(1, sizeof *trust);
  if (trust == NULL) return NULL;
  trust->references = 1;
  trust->fd = -1;
  return trust;
}

int cm_parse_pem(mbedtls_x509_crt *chain, const uint8_t *pem, size_t length) {
  /* Mbed TLS takes PEM only with its terminating NUL counted in. */
  unsigned char *copy = malloc(length + 1);
  if (copy == NULL) return MBEDTLS_ERR_X509_ALLOC_FAILED;
  if (length > 0) memcpy(copy, pem, length);
  copy[length] = 0;
  int code = mbedtls_x509_crt_parse(chain, copy, length + 1);
  free(copy);
  return code;
}

#if CM_ON_DEMAND

static int fill_from_file(cm_trust *trust, const char *path, const uint8_t *bundle,
                          size_t length) {
  (void)length;
  trust->fd = open(path, O_RDONLY | O_CLOEXEC);
  return trust->fd < 0 ? -1 : cm_index_bundle(trust, (const char *)bundle);
}

static int fill_from_builtin(cm_trust *trust) {
  trust->count = (int32_t)cr_count();
  return 0;
}

#else

static int32_t chain_length(const mbedtls_x509_crt *chain) {
  int32_t count = 0;
  for (; chain != NULL && chain->raw.len > 0; chain = chain->next) count++;
  return count;
}

static int make_chain(cm_trust *trust) {
  trust->chain = malloc(sizeof *trust->chain);
  if (trust->chain == NULL) return -1;
  mbedtls_x509_crt_init(trust->chain);
  return 0;
}

static int fill_from_file(cm_trust *trust, const char *path, const uint8_t *bundle,
                          size_t length) {
  (void)path;
  if (make_chain(trust) != 0) return -1;
  /* A positive result counts blocks that could not be parsed. */
  (void)mbedtls_x509_crt_parse(trust->chain, bundle, length + 1);
  trust->count = chain_length(trust->chain);
  return 0;
}

static int fill_from_builtin(cm_trust *trust) {
  if (make_chain(trust) != 0) return -1;
  for (size_t i = 0; i < cr_count(); i++) {
    uint8_t der[CR_LARGEST_CERTIFICATE];
    (void)mbedtls_x509_crt_parse_der(trust->chain, der, cr_certificate(i, der));
  }
  trust->count = chain_length(trust->chain);
  return 0;
}

#endif

/* Hands out a filled set, or frees it and says what is wrong. */
static cm_trust *finish(cm_trust *trust, int code, const char *name, char *error, size_t size) {
  if (trust != NULL && code == 0 && trust->count > 0) return trust;
  const char *why = code != 0 ? "could not be read" : "holds no certificate";
  if (size > 0) (void)snprintf(error, size, "%s: %s", name, why);
  cm_trust_free(trust);
  return NULL;
}

cm_trust *cm_trust_file(const char *path, char *error, size_t error_size) {
  size_t length = 0;
  uint8_t *bundle = cm_load(path, BUNDLE_LIMIT, 0, &length, error, error_size);
  if (bundle == NULL) return NULL;
  cm_trust *trust = make_trust();
  int code = trust == NULL ? -1 : fill_from_file(trust, path, bundle, length);
  free(bundle);
  return finish(trust, code, path, error, error_size);
}

cm_trust *cm_trust_builtin(char *error, size_t error_size) {
  cm_trust *trust = make_trust();
  if (trust != NULL) trust->is_builtin = 1;
  int code = trust == NULL ? -1 : fill_from_builtin(trust);
  return finish(trust, code, "built-in certificate authorities", error, error_size);
}
