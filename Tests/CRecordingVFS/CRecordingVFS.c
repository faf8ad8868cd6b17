/* SPDX-License-Identifier: MIT */
#include "CRecordingVFS.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

const int32_t rv_full = SQLITE_FULL, rv_write_failed = SQLITE_IOERR_WRITE,
              rv_sync_failed = SQLITE_IOERR_FSYNC;

struct rv_recording {
  char *path;
  rv_event *events;
  int64_t count, capacity;
  int32_t failure;
  rv_recording *next;
};

/* An open file of a recording; the system's own follows behind it. */
typedef struct {
  sqlite3_file base;
  rv_recording *recording;
  int32_t file;
} recorded_file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static rv_recording *recordings;
static sqlite3_vfs *system_vfs;
static sqlite3_vfs recording_vfs;

static sqlite3_file *real(sqlite3_file *file) {
  return (sqlite3_file *)((recorded_file *)file + 1);
}

static rv_recording *recording_of(const char *path, int32_t *file) {
  static const char *const suffixes[] = {"", "-wal", "-journal"};
  if (path == NULL) return NULL;
  for (rv_recording *each = recordings; each != NULL; each = each->next) {
    size_t length = strlen(each->path);
    if (strncmp(path, each->path, length) != 0) continue;
    for (*file = 0; *file < 3; (*file)++) {
      if (strcmp(path + length, suffixes[*file]) == 0) return each;
    }
  }
  return NULL;
}

static void add(
    rv_recording *recording, int32_t kind, int32_t file, int64_t offset, const void *bytes,
    int64_t count) {
  pthread_mutex_lock(&lock);
  if (recording->count == recording->capacity) {
    recording->capacity = recording->capacity * 2 + 64;
    recording->events =
        realloc(recording->events, (size_t)recording->capacity * sizeof *recording->events);
  }
  uint8_t *copy = NULL;
  if (count > 0) memcpy(copy = malloc((size_t)count), bytes, (size_t)count);
  recording->events[recording->count++] =
      (rv_event){.kind = kind, .file = file, .offset = offset, .count = count, .bytes = copy};
  pthread_mutex_unlock(&lock);
}

static void note(
    sqlite3_file *file, int32_t kind, int64_t offset, const void *bytes, int64_t count) {
  recorded_file *known = (recorded_file *)file;
  add(known->recording, kind, known->file, offset, bytes, count);
}

static int32_t failure(sqlite3_file *file) { return ((recorded_file *)file)->recording->failure; }

static int x_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int x_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int x_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  if (failure(file) != 0) return failure(file);
  int result = real(file)->pMethods->xWrite(real(file), bytes, count, offset);
  if (result == SQLITE_OK) note(file, RV_WRITE, offset, bytes, count);
  return result;
}

static int x_truncate(sqlite3_file *file, sqlite3_int64 size) {
  if (failure(file) != 0) return failure(file);
  int result = real(file)->pMethods->xTruncate(real(file), size);
  if (result == SQLITE_OK) note(file, RV_TRUNCATE, size, NULL, 0);
  return result;
}

static int x_sync(sqlite3_file *file, int flags) {
  (void)flags; /* The medium is simulated: nothing has to wait for the real one. */
  if (failure(file) != 0) return failure(file);
  note(file, RV_SYNC, 0, NULL, 0);
  return SQLITE_OK;
}

static int x_size(sqlite3_file *file, sqlite3_int64 *size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

static int x_lock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}

static int x_unlock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}

static int x_check(sqlite3_file *file, int *result) {
  return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int x_control(sqlite3_file *file, int operation, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int x_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }

static int x_characteristics(sqlite3_file *file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

/* Version 1: without shared memory, which exclusive locking does not need. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_characteristics,
};

static int x_open(
    sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *answer) {
  (void)vfs;
  int32_t number = 0;
  pthread_mutex_lock(&lock);
  rv_recording *recording = recording_of(path, &number);
  pthread_mutex_unlock(&lock);
  if (recording == NULL) return system_vfs->xOpen(system_vfs, path, file, flags, answer);
  recorded_file *opened = (recorded_file *)file;
  memset(opened, 0, sizeof *opened);
  int result = system_vfs->xOpen(system_vfs, path, real(file), flags, answer);
  if (real(file)->pMethods == NULL) return result;
  opened->base.pMethods = &methods;
  opened->recording = recording;
  opened->file = number;
  return result;
}

static int x_delete(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
  (void)vfs;
  int32_t number = 0;
  pthread_mutex_lock(&lock);
  rv_recording *recording = recording_of(path, &number);
  pthread_mutex_unlock(&lock);
  int result = system_vfs->xDelete(system_vfs, path, syncs_folder);
  if (recording != NULL && result == SQLITE_OK) {
    add(recording, RV_DELETE, number, syncs_folder != 0, NULL, 0);
  }
  return result;
}

static void install(void) {
  system_vfs = sqlite3_vfs_find(NULL);
  recording_vfs = *system_vfs;
  recording_vfs.zName = "recording";
  recording_vfs.pNext = NULL;
  recording_vfs.szOsFile += (int)sizeof(recorded_file);
  recording_vfs.xOpen = x_open;
  recording_vfs.xDelete = x_delete;
  sqlite3_vfs_register(&recording_vfs, 1);
}

rv_recording *rv_begin(const char *path) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  rv_recording *made = calloc(1, sizeof *made);
  made->path = strdup(path);
  pthread_mutex_lock(&lock);
  made->next = recordings;
  recordings = made;
  pthread_mutex_unlock(&lock);
  return made;
}

void rv_end(rv_recording *recording) {
  pthread_mutex_lock(&lock);
  for (rv_recording **at = &recordings; *at != NULL; at = &(*at)->next) {
    if (*at != recording) continue;
    *at = recording->next;
    break;
  }
  pthread_mutex_unlock(&lock);
  for (int64_t i = 0; i < recording->count; i++) free((void *)recording->events[i].bytes);
  free(recording->events);
  free(recording->path);
  free(recording);
}

void rv_mark(rv_recording *recording, int64_t number) {
  add(recording, RV_MARK, 0, number, NULL, 0);
}

void rv_fail(rv_recording *recording, int32_t code) { recording->failure = code; }

int64_t rv_event_count(rv_recording *recording) { return recording->count; }

rv_event rv_event_at(rv_recording *recording, int64_t index) { return recording->events[index]; }
