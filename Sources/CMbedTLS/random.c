/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "internal.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#endif

#define NOT_SEEDED (-0x003C) /* MBEDTLS_ERR_ENTROPY_SOURCE_FAILED */

/* For kernels before 3.17, which lack getrandom. */
static int32_t read_device(uint8_t *out, size_t length) {
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  while (length > 0) {
    ssize_t count = read(fd, out, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    out += count;
    length -= (size_t)count;
  }
  close(fd);
  return length == 0 ? 0 : -1;
}

int32_t cm_random(uint8_t *out, size_t length) {
  while (length > 0) {
    ssize_t count = getrandom(out, length, GRND_NONBLOCK);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == ENOSYS) return read_device(out, length);
    /* EAGAIN: the pool is not seeded yet, early after power-on. Failing one handshake is
     * better than a guessable key or a loop that stands still. */
    if (count <= 0) return -1;
    out += count;
    length -= (size_t)count;
  }
  return 0;
}

int cm_rng(void *unused, unsigned char *out, size_t length) {
  (void)unused;
  return cm_random(out, length) == 0 ? 0 : NOT_SEEDED;
}

#if defined(MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG)
/* The release build's Mbed TLS has no generator of its own; it asks for this one. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *out, size_t size, size_t *length) {
  (void)context;
  *length = 0;
  if (cm_random(out, size) != 0) return PSA_ERROR_INSUFFICIENT_ENTROPY;
  *length = size;
  return PSA_SUCCESS;
}
#endif
