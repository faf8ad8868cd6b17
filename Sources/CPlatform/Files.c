/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1
#include "CPlatform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

static int32_t result(int value) { return value < 0 ? -errno : value; }

int32_t cp_open(const char *path, int32_t how, int32_t mode) {
  static const int flags[] = {
      [CP_READ] = O_RDONLY,
      [CP_WRITE_NEW] = O_WRONLY | O_CREAT | O_EXCL,
      [CP_WRITE_REPLACE] = O_WRONLY | O_CREAT | O_TRUNC,
      [CP_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
  };
  return result(open(path, flags[how & 3] | O_CLOEXEC, (mode_t)mode));
}

int64_t cp_read(int32_t descriptor, void *bytes, size_t count) {
  ssize_t got;
  do got = read(descriptor, bytes, count);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

int64_t cp_write(int32_t descriptor, const void *bytes, size_t count) {
  ssize_t put;
  do put = write(descriptor, bytes, count);
  while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : put;
}

int32_t cp_can_write(int32_t descriptor) {
  struct pollfd asked = {.fd = descriptor, .events = POLLOUT};
  int count;
  do count = poll(&asked, 1, 0);
  while (count < 0 && errno == EINTR);
  if (count > 0 && (asked.revents & POLLNVAL)) return -EBADF;
  return result(count);
}

int32_t cp_lock_holder(const char *path) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  int status = fcntl(descriptor, F_GETLK, &lock);
  close(descriptor);
  return status == 0 && lock.l_type != F_UNLCK ? (int32_t)lock.l_pid : 0;
}

int32_t cp_sync(int32_t descriptor) { return result(fsync(descriptor)); }
int32_t cp_close(int32_t descriptor) { return result(close(descriptor)); }
int32_t cp_rename(const char *from, const char *to) { return result(rename(from, to)); }
int32_t cp_remove(const char *path) { return result(unlink(path)); }

int64_t cp_read_link(const char *path, uint8_t *target, int64_t capacity) {
  ssize_t count = readlink(path, (char *)target, (size_t)capacity);
  return count < 0 ? -errno : count;
}

int32_t cp_take_owner(int32_t descriptor, const char *path) {
  struct stat facts;
  if (stat(path, &facts) != 0 || access(path, W_OK) != 0) return -errno;
  if (fchown(descriptor, facts.st_uid, facts.st_gid) != 0) return -errno;
  return result(fchmod(descriptor, facts.st_mode & 07777));
}

int32_t cp_make_directory(const char *path, int32_t mode) {
  return result(mkdir(path, (mode_t)mode));
}

int32_t cp_sync_directory(const char *path) {
  int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  int32_t outcome = result(fsync(descriptor));
  close(descriptor);
  return outcome;
}

int32_t cp_is_directory(const char *path) {
  struct stat facts;
  if (stat(path, &facts) != 0) return -errno;
  return S_ISDIR(facts.st_mode) ? 1 : 0;
}

int32_t cp_is_writable(const char *path) { return result(access(path, W_OK | X_OK)); }

int32_t cp_file_system(const char *path, int64_t *facts) {
  struct statfs system;
  struct stat file;
  if (statfs(path, &system) != 0 || stat(path, &file) != 0) return -errno;
  facts[CP_FS_MAGIC] = (int64_t)(uint32_t)system.f_type;
  facts[CP_FS_TOTAL] = (int64_t)system.f_blocks * (int64_t)system.f_bsize;
  facts[CP_FS_FREE] = (int64_t)system.f_bavail * (int64_t)system.f_bsize;
  struct statvfs flags;
  facts[CP_FS_READ_ONLY] = statvfs(path, &flags) == 0 && (flags.f_flag & ST_RDONLY) != 0;
  facts[CP_FS_MAJOR] = (int64_t)major(file.st_dev);
  facts[CP_FS_MINOR] = (int64_t)minor(file.st_dev);
  return 0;
}

int64_t cp_free_bytes(const char *path) {
  struct statvfs facts;
  if (statvfs(path, &facts) != 0) return -errno;
  return (int64_t)facts.f_bavail * (int64_t)facts.f_frsize;
}

int64_t cp_total_bytes(const char *path) {
  struct statvfs facts;
  if (statvfs(path, &facts) != 0) return -errno;
  return (int64_t)facts.f_blocks * (int64_t)facts.f_frsize;
}

int64_t cp_file_size(const char *path) {
  struct stat facts;
  if (stat(path, &facts) != 0) return -errno;
  return facts.st_size;
}

int64_t cp_file_time(const char *path) {
  struct stat facts;
  if (stat(path, &facts) != 0) return -errno;
  return facts.st_mtime;
}

int64_t cp_list_names(const char *folder, const char *prefix, uint8_t *names, int64_t capacity) {
  DIR *opened = opendir(folder);
  if (opened == NULL) return -errno;
  int64_t used = 0;
  const struct dirent *entry;
  while ((entry = readdir(opened)) != NULL) {
    int64_t count = (int64_t)strlen(entry->d_name) + 1;
    if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || count > capacity - used) continue;
    memcpy(names + used, entry->d_name, (size_t)count);
    used += count;
  }
  closedir(opened);
  return used;
}
