/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1
#include "CPlatform.h"
#include "References.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* Helper threads give way to the loop: on one core a batch of log rows, or a password, must not
   delay a stream. On Linux a niceness is a thread's own. */
static const int HELPER_NICENESS = 5;

/* Helper threads that are not parked: they may count references. */
static int32_t busy;
int32_t cp_is_alone;

static void become_busy(void) {
  __atomic_fetch_add(&busy, 1, __ATOMIC_RELAXED);
  cp_is_alone = 0;
}

/* What the thread wrote before is seen by who reads that nobody is busy. */
static void become_idle(void) { __atomic_fetch_sub(&busy, 1, __ATOMIC_RELEASE); }

void cp_note_helpers(void) { cp_is_alone = __atomic_load_n(&busy, __ATOMIC_ACQUIRE) == 0; }

typedef struct {
  void (*body)(void *);
  void *argument;
} start_t;

static void *begin(void *raw) {
  start_t start = *(start_t *)raw;
  free(raw);
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + HELPER_NICENESS);
  start.body(start.argument);
  become_idle();
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
  become_busy();
  int error = pthread_create(&thread, &attributes, begin, start);
  pthread_attr_destroy(&attributes);
  if (error) {
    become_idle();
    free(start);
    return -error;
  }
  pthread_setname_np(thread, name);
  return 0;
}

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  int32_t is_parked;
} lock_t;

void *cp_lock_create(void) {
  lock_t *lock = malloc(sizeof *lock);
  if (!lock) abort();
  lock->is_parked = 0;
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

/* Waits in C: between being idle and being busy no Swift code runs. */
void cp_lock_park(void *raw) {
  lock_t *lock = raw;
  lock->is_parked = 1;
  become_idle();
  while (lock->is_parked) pthread_cond_wait(&lock->condition, &lock->mutex);
}

void cp_lock_unpark(void *raw) {
  lock_t *lock = raw;
  if (!lock->is_parked) return;
  become_busy();
  lock->is_parked = 0;
  pthread_cond_broadcast(&lock->condition);
}
