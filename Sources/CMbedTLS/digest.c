/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>

#include "internal.h"

#define BLOCK_SIZE 64
#define DIGEST_SIZE 32

/* Mbed TLS 2.28 spells the functions that report errors `_ret`. The software implementation
 * cannot fail, and the bridge has no use for the result. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define STARTS mbedtls_sha256_starts
#define UPDATE mbedtls_sha256_update
#define FINISH mbedtls_sha256_finish
#define SHA1 mbedtls_sha1
#else
#define STARTS mbedtls_sha256_starts_ret
#define UPDATE mbedtls_sha256_update_ret
#define FINISH mbedtls_sha256_finish_ret
#define SHA1 mbedtls_sha1_ret
#endif

/* The two hash states with which every HMAC of one key begins. */
struct hmac_key {
  mbedtls_sha256_context inner, outer;
};

void cm_sha256(const uint8_t *bytes, size_t length, uint8_t *out) {
  mbedtls_sha256_context context;
  mbedtls_sha256_init(&context);
  (void)STARTS(&context, 0);
  (void)UPDATE(&context, bytes, length);
  (void)FINISH(&context, out);
  mbedtls_sha256_free(&context);
}

void cm_sha1(const uint8_t *bytes, size_t length, uint8_t *out) {
  (void)SHA1(bytes, length, out);
}

static void hmac_start(struct hmac_key *state, const uint8_t *key, size_t length) {
  uint8_t pad[BLOCK_SIZE] = {0};
  if (length > BLOCK_SIZE) {
    cm_sha256(key, length, pad);
  } else if (length > 0) {
    memcpy(pad, key, length);
  }
  for (size_t i = 0; i < BLOCK_SIZE; i++) pad[i] ^= 0x36;
  mbedtls_sha256_init(&state->inner);
  (void)STARTS(&state->inner, 0);
  (void)UPDATE(&state->inner, pad, BLOCK_SIZE);
  for (size_t i = 0; i < BLOCK_SIZE; i++) pad[i] ^= 0x36 ^ 0x5c;
  mbedtls_sha256_init(&state->outer);
  (void)STARTS(&state->outer, 0);
  (void)UPDATE(&state->outer, pad, BLOCK_SIZE);
  mbedtls_platform_zeroize(pad, sizeof pad);
}

/* HMAC of `bytes` followed by `tail`. */
static void hmac_of(const struct hmac_key *state, const uint8_t *bytes, size_t length,
                    const uint8_t *tail, size_t tail_length, uint8_t *out) {
  mbedtls_sha256_context context;
  mbedtls_sha256_init(&context);
  mbedtls_sha256_clone(&context, &state->inner);
  (void)UPDATE(&context, bytes, length);
  if (tail_length > 0) (void)UPDATE(&context, tail, tail_length);
  (void)FINISH(&context, out);
  mbedtls_sha256_clone(&context, &state->outer);
  (void)UPDATE(&context, out, DIGEST_SIZE);
  (void)FINISH(&context, out);
  mbedtls_sha256_free(&context);
}

static void hmac_end(struct hmac_key *state) {
  mbedtls_sha256_free(&state->inner);
  mbedtls_sha256_free(&state->outer);
}

void cm_hmac_sha256(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length,
                    uint8_t *out) {
  struct hmac_key state;
  hmac_start(&state, key, key_length);
  hmac_of(&state, bytes, length, NULL, 0, out);
  hmac_end(&state);
}

void cm_pbkdf2_sha256(const uint8_t *password, size_t password_length, const uint8_t *salt,
                      size_t salt_length, uint32_t rounds, uint8_t *out, size_t out_length) {
  struct hmac_key state;
  hmac_start(&state, password, password_length);
  uint8_t last[DIGEST_SIZE];
  uint8_t sum[DIGEST_SIZE];
  for (uint32_t block = 1; out_length > 0; block++) {
    const uint8_t number[4] = {(uint8_t)(block >> 24), (uint8_t)(block >> 16),
                               (uint8_t)(block >> 8), (uint8_t)block};
    hmac_of(&state, salt, salt_length, number, sizeof number, last);
    memcpy(sum, last, DIGEST_SIZE);
    for (uint32_t round = 1; round < rounds; round++) {
      hmac_of(&state, last, DIGEST_SIZE, NULL, 0, last);
      for (size_t i = 0; i < DIGEST_SIZE; i++) sum[i] ^= last[i];
    }
    size_t count = out_length < DIGEST_SIZE ? out_length : DIGEST_SIZE;
    memcpy(out, sum, count);
    out += count;
    out_length -= count;
  }
  mbedtls_platform_zeroize(last, sizeof last);
  mbedtls_platform_zeroize(sum, sizeof sum);
  hmac_end(&state);
}

int32_t cm_equal(const uint8_t *left, const uint8_t *right, size_t length) {
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < length; i++) difference = (uint8_t)(difference | (left[i] ^ right[i]));
  return difference == 0;
}
