/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1
#include "CPlatform.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* Helper threads give way to the loop: on one core a batch of log rows, or a password, must not
   delay a stream. On Linux a niceness is a thread's own. */
static const int HELPER_NICENESS = 5;

typedef struct {
  void (*body)(void *);
  void *argument;
} start_t;

static void *begin(void *raw) {
  start_t start = *(start_t *)raw;
  free(raw);
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + HELPER_NICENESS);
  start.body(start.argument);
  return NULL;
}

int32_t cp_thread_start(const char *name, size_t stack, void (*body)(void *), void *argument) {
  start_t *start = malloc(sizeof *start);
  if (!start) return -ENOMEM;
  start->body = body;
  start->argument = argument;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, begin, start);
  pthread_attr_destroy(&attributes);
  if (error) {
    free(start);
    return -error;
  }
  pthread_setname_np(thread, name);
  return 0;
}

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
} lock_t;

void *cp_lock_create(void) {
  lock_t *lock = malloc(sizeof *lock);
  if (!lock) abort();
  pthread_mutex_init(&lock->mutex, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&lock->condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return lock;
}

void cp_lock_destroy(void *raw) {
  lock_t *lock = raw;
  pthread_cond_destroy(&lock->condition);
  pthread_mutex_destroy(&lock->mutex);
  free(lock);
}

void cp_lock_acquire(void *raw) { pthread_mutex_lock(&((lock_t *)raw)->mutex); }
void cp_lock_release(void *raw) { pthread_mutex_unlock(&((lock_t *)raw)->mutex); }

void cp_lock_wait(void *raw) {
  lock_t *lock = raw;
  pthread_cond_wait(&lock->condition, &lock->mutex);
}

void cp_lock_wait_for(void *raw, int64_t milliseconds) {
  lock_t *lock = raw;
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  int64_t nanoseconds = until.tv_nsec + (milliseconds % 1000) * 1000000;
  until.tv_sec += (time_t)(milliseconds / 1000 + nanoseconds / 1000000000);
  until.tv_nsec = (long)(nanoseconds % 1000000000);
  pthread_cond_timedwait(&lock->condition, &lock->mutex, &until);
}

void cp_lock_signal(void *raw) { pthread_cond_broadcast(&((lock_t *)raw)->condition); }
