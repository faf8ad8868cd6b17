/* SPDX-License-Identifier: MIT */
/*
 * Where Mbed TLS gets its entropy: getrandom, which waits until the kernel has gathered some;
 * /dev/urandom on kernels before 3.17. Mbed TLS's own code asks getrandom under glibc only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/random.h>
#include <unistd.h>

#include <mbedtls/build_info.h>
#include <mbedtls/entropy.h>

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t length, size_t *written);

static ssize_t read_device(unsigned char *output, size_t length) {
  int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  ssize_t count = read(descriptor, output, length);
  close(descriptor);
  return count;
}

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t length, size_t *written) {
  (void)data;
  ssize_t count;
  do {
    count = getrandom(output, length, 0);
    if (count < 0 && errno == ENOSYS) count = read_device(output, length);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
  *written = (size_t)count;
  return 0;
}
