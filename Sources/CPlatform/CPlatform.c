/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef TG_VERSION
#define TG_VERSION "unknown"
#endif
#ifndef TG_BUILD_TIME
#define TG_BUILD_TIME 0
#endif

const int32_t cp_eagain = EAGAIN, cp_eintr = EINTR, cp_einprogress = EINPROGRESS,
              cp_emfile = EMFILE, cp_enfile = ENFILE, cp_eaddrinuse = EADDRINUSE,
              cp_eacces = EACCES, cp_enoent = ENOENT, cp_enotdir = ENOTDIR, cp_epipe = EPIPE,
              cp_econnreset = ECONNRESET, cp_eexist = EEXIST, cp_econnaborted = ECONNABORTED,
              cp_enospc = ENOSPC;
const int32_t cp_sigterm = SIGTERM, cp_sigint = SIGINT, cp_sighup = SIGHUP,
              cp_sigpwr = SIGPWR;

const char *cp_version(void) { return TG_VERSION; }
int64_t cp_build_time(void) { return TG_BUILD_TIME; }

const char *cp_build_target(void) {
#if defined(__x86_64__)
  return "x86_64-linux";
#elif defined(__aarch64__)
  return "aarch64-linux";
#elif defined(__arm__) && defined(__ARM_PCS_VFP)
  return "armv7-linux hard-float";
#elif defined(__arm__) && __ARM_ARCH == 6
  return "armv6-linux vfpv2";
#elif defined(__arm__)
  return "armv5te-linux soft-float";
#else
  return "unknown";
#endif
}

int32_t cp_describe_error(int32_t error_number, uint8_t *text, int32_t capacity) {
  const char *description = strerror(error_number);
  size_t length = strlen(description);
  if (length > (size_t)capacity) length = (size_t)capacity;
  memcpy(text, description, length);
  return (int32_t)length;
}

static int32_t result(int value) { return value < 0 ? -errno : value; }

/* Clocks. */

int64_t cp_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static _Thread_local int64_t held_wall;

void cp_wall_hold(void) { held_wall = cp_wall_milliseconds(); }
void cp_wall_release(void) { held_wall = 0; }

int64_t cp_wall_milliseconds(void) {
  if (held_wall != 0) return held_wall;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cp_thread_nanoseconds(void) {
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

void cp_local_time(int64_t unix_seconds, int32_t *fields) {
  time_t seconds = (time_t)unix_seconds;
  struct tm local;
  memset(&local, 0, sizeof local);
  localtime_r(&seconds, &local);
  fields[0] = local.tm_year + 1900;
  fields[1] = local.tm_mon + 1;
  fields[2] = local.tm_mday;
  fields[3] = local.tm_hour;
  fields[4] = local.tm_min;
  fields[5] = local.tm_sec;
}

/* Random: Linux before 3.17 has no getrandom. */

int32_t cp_random(void *bytes, size_t count) {
  uint8_t *at = bytes;
  while (count > 0) {
#ifdef SYS_getrandom
    ssize_t got = syscall(SYS_getrandom, at, count, 0);
#else
    ssize_t got = -1;
    errno = ENOSYS;
#endif
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    at += got;
    count -= (size_t)got;
  }
  if (count == 0) return 0;
  int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  while (count > 0) {
    ssize_t got = read(descriptor, at, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      close(descriptor);
      return -EIO;
    }
    at += got;
    count -= (size_t)got;
  }
  close(descriptor);
  return 0;
}

int32_t cp_random_is_ready(void) {
#ifdef SYS_getrandom
  uint8_t byte;
  return syscall(SYS_getrandom, &byte, 1, GRND_NONBLOCK) >= 0 || errno != EAGAIN;
#else
  return 1;
#endif
}

void cp_sleep(int64_t milliseconds) {
  struct timespec rest = {.tv_sec = (time_t)(milliseconds / 1000),
                          .tv_nsec = (long)(milliseconds % 1000) * 1000000};
  nanosleep(&rest, NULL);
}

/* Process. */

int64_t cp_command_line(uint8_t *text, int64_t capacity) {
  int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  int64_t total = 0;
  while (total < capacity) {
    ssize_t got = read(descriptor, text + total, (size_t)(capacity - total));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    total += got;
  }
  close(descriptor);
  return total;
}

extern char **environ;

const char *cp_environment(const char *name) { return getenv(name); }

const char *cp_environment_entry(int32_t index) { return environ ? environ[index] : NULL; }

void cp_exit(int32_t status) { exit(status); }

void cp_set_umask(int32_t mask) { umask((mode_t)mask); }

#if TG_EMBEDDED
extern const char __executable_start[], etext[]; /* code and constants, as the linker placed them */
void cp_drop_blocks(void);                       /* cross/malloc_cache.c */

/* Linux maps 64 kB around each page that is touched: a start leaves most of the file mapped. */
void cp_end_start(void) {
  cp_drop_blocks();
  madvise((void *)__executable_start, (size_t)(etext - __executable_start), MADV_DONTNEED);
}
#else
void cp_end_start(void) {}
#endif

int64_t cp_raise_descriptor_limit(int64_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  rlim_t target = (rlim_t)wanted;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < target) target = limit.rlim_max;
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < target) {
    limit.rlim_cur = target;
    /* musl's setrlimit brings code that stops all threads, for kernels before 2.6.36. */
    prlimit(0, RLIMIT_NOFILE, &limit, NULL);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur == RLIM_INFINITY ? wanted : (int64_t)limit.rlim_cur;
}

/* Whoever leaves a question by Ctrl-C wants to see again what he types. */
static void show_and_end(int signal_number) {
  cp_set_terminal_echo(1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

int32_t cp_set_terminal_echo(int32_t on) {
  struct termios settings;
  if (tcgetattr(0, &settings) != 0) return -errno;
  if (on) settings.c_lflag |= ECHO;
  else settings.c_lflag &= ~(tcflag_t)ECHO;
  for (int i = 0; i < 2; i++) signal(i == 0 ? SIGINT : SIGTERM, on ? SIG_DFL : show_and_end);
  return result(tcsetattr(0, TCSANOW, &settings));
}

/* The number behind the first `mark` in the beginning of a file; 0 when there is none. */
static int64_t number_in(const char *path, const char *mark) {
  char text[1024];
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  ssize_t got = read(descriptor, text, sizeof text - 1);
  close(descriptor);
  if (got <= 0) return 0;
  text[got] = 0;
  const char *found = strstr(text, mark);
  return found ? strtoll(found + strlen(mark), NULL, 10) : 0;
}

int64_t cp_resident_bytes(void) {
  return number_in("/proc/self/statm", " ") * sysconf(_SC_PAGESIZE);
}

int64_t cp_machine_memory(const char *name) { return number_in("/proc/meminfo", name) * 1024; }
