/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mbedtls/gcm.h>

#include "internal.h"

#define NONCE_SIZE 12
#define TAG_SIZE 16

int32_t cm_seal(const uint8_t *key, const uint8_t *label, size_t label_length,
                const uint8_t *plain, size_t length, uint8_t *out) {
  uint8_t *tag = out + NONCE_SIZE + length;
  if (cm_random(out, NONCE_SIZE) != 0) return -1;
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int code = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, CM_SEAL_KEY_SIZE * 8);
  if (code == 0) {
    code = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, length, out, NONCE_SIZE, label,
                                     label_length, plain, out + NONCE_SIZE, TAG_SIZE, tag);
  }
  mbedtls_gcm_free(&gcm);
  return code == 0 ? 0 : -1;
}

int32_t cm_open(const uint8_t *key, const uint8_t *label, size_t label_length,
                const uint8_t *sealed, size_t length, uint8_t *out) {
  if (length < CM_SEAL_OVERHEAD) return -1;
  size_t plain_length = length - CM_SEAL_OVERHEAD;
  const uint8_t *text = sealed + NONCE_SIZE;
  mbedtls_gcm_context gcm;
  mbedtls_gcm_init(&gcm);
  int code = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, CM_SEAL_KEY_SIZE * 8);
  if (code == 0) {
    code = mbedtls_gcm_auth_decrypt(&gcm, plain_length, sealed, NONCE_SIZE, label, label_length,
                                    text + plain_length, TAG_SIZE, text, out);
  }
  mbedtls_gcm_free(&gcm);
  return code == 0 ? 0 : -1;
}
