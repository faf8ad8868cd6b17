/* SPDX-License-Identifier: MIT */
/* Signatures with a private key that an owner has given. */
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>

#include "internal.h"

#define NO_KEY (-1)
#define NO_SIGNATURE (-2)
#define LEAST_KEY_SIZE 256 /* 2048 bits */

static int32_t sign_hash(mbedtls_pk_context *key, const uint8_t *hash, size_t hash_length,
                         uint8_t *out) {
  size_t length = 0;
  /* A key read from a file uses PKCS #1 version 1.5 unless told otherwise. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  int code = mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, hash_length, out,
                             CM_RSA_SIGNATURE_SIZE, &length, cm_rng, NULL);
#else
  int code = mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, hash_length, out, &length, cm_rng,
                             NULL);
#endif
  return code == 0 ? (int32_t)length : NO_SIGNATURE;
}

int32_t cm_rs256(const uint8_t *pem, size_t pem_length, const uint8_t *bytes, size_t length,
                 uint8_t *out) {
  uint8_t hash[32];
  mbedtls_pk_context key;
  mbedtls_pk_init(&key);
  int32_t result = NO_KEY;
  if (cm_parse_key(&key, pem, pem_length) == 0 && mbedtls_pk_can_do(&key, MBEDTLS_PK_RSA) == 1 &&
      mbedtls_pk_get_len(&key) >= LEAST_KEY_SIZE &&
      mbedtls_pk_get_len(&key) <= CM_RSA_SIGNATURE_SIZE) {
    cm_sha256(bytes, length, hash);
    result = sign_hash(&key, hash, sizeof hash, out);
  }
  mbedtls_pk_free(&key);
  return result;
}
