/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "CSQLite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CS_FILE_MODE = 0600 };
/* Of 4 KiB: a write-ahead log and a few pages. */
enum { CS_TRIED_BLOCKS = 8 };

int32_t cs_prepare_file(const char *path) {
  int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, CS_FILE_MODE);
  if (descriptor >= 0) {
    close(descriptor);
    return 1;
  }
  if (errno != EEXIST) return -errno;
  /* Not opened here: closing it would drop the locks this process may hold on it. */
  struct stat status;
  if (stat(path, &status) != 0) return -errno;
  if (S_ISDIR(status.st_mode)) return -EISDIR;
  if (access(path, R_OK | W_OK) != 0) return -errno;
  if ((status.st_mode & 0777) != CS_FILE_MODE) (void)chmod(path, CS_FILE_MODE);
  return 0;
}

int32_t cs_first_byte(const char *path) {
  unsigned char byte;
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  ssize_t got = read(descriptor, &byte, 1);
  close(descriptor);
  return got == 1 ? byte : -1;
}

int32_t cs_file_exists(const char *path) { return access(path, F_OK) == 0; }

void cs_remove_file(const char *path) { (void)unlink(path); }

int32_t cs_rename_file(const char *from, const char *to) {
  return rename(from, to) == 0 ? 0 : -errno;
}

int32_t cs_is_read_only(int32_t error_number) {
  return error_number == EROFS || error_number == EACCES || error_number == EPERM;
}

int32_t cs_is_full(int32_t error_number) {
  return error_number == ENOSPC || error_number == EDQUOT;
}

int32_t cs_try_writing(const char *path) {
  static const unsigned char bytes[4096];
  int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, CS_FILE_MODE);
  if (descriptor < 0) return -errno;
  int32_t result = 0;
  for (int done = 0; done < CS_TRIED_BLOCKS && result == 0; done++) {
    ssize_t put = write(descriptor, bytes, sizeof bytes);
    if (put != (ssize_t)sizeof bytes) result = put < 0 ? -errno : -ENOSPC;
  }
  if (result == 0 && fsync(descriptor) != 0) result = -errno;
  close(descriptor);
  (void)unlink(path);
  return result;
}
