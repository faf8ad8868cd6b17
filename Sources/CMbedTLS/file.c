/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static void say_about(char *error, size_t size, const char *path, const char *what) {
  if (size > 0) (void)snprintf(error, size, "%s: %s", path, what);
}

/* Reads to the end of the file or to `limit`; the count, or -1. */
static int64_t read_all(int fd, uint8_t *bytes, size_t limit) {
  size_t total = 0;
  while (total < limit) {
    ssize_t count = read(fd, bytes + total, limit - total);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    total += (size_t)count;
  }
  return (int64_t)total;
}

uint8_t *cm_load(const char *path, size_t limit, uint32_t forbidden_mode, size_t *length,
                 char *error, size_t error_size) {
  struct stat about;
  uint8_t *bytes = NULL;
  int64_t count = -1;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &about) != 0) {
    say_about(error, error_size, path, strerror(errno));
  } else if (!S_ISREG(about.st_mode)) {
    say_about(error, error_size, path, "not a regular file");
  } else if (((uint32_t)about.st_mode & forbidden_mode) != 0) {
    say_about(error, error_size, path, "holds a private key: make it readable by its owner alone");
  } else if (about.st_size < 0 || (uint64_t)about.st_size > limit) {
    say_about(error, error_size, path, "too large");
  } else if ((bytes = malloc((size_t)about.st_size + 1)) == NULL) {
    say_about(error, error_size, path, "no memory");
  } else if ((count = read_all(fd, bytes, (size_t)about.st_size)) < 0) {
    say_about(error, error_size, path, strerror(errno));
    free(bytes);
    bytes = NULL;
  } else {
    bytes[count] = 0;
    *length = (size_t)count;
  }
  if (fd >= 0) close(fd);
  return bytes;
}
