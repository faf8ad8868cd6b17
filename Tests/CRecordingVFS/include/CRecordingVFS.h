/* SPDX-License-Identifier: MIT */
/* A layer below SQLite that writes down, or refuses, what is written to some files.
 *
 * For tests only; no product target depends on it. */
#ifndef CRECORDINGVFS_H
#define CRECORDINGVFS_H

#include <stdint.h>

typedef struct rv_recording rv_recording;

enum {
  RV_WRITE = 1,    /* bytes at an offset */
  RV_TRUNCATE = 2, /* offset is the new size */
  RV_SYNC = 3,     /* all that was written to the file is on the medium */
  RV_DELETE = 4,   /* offset is 1 when the folder was synced, too */
  RV_MARK = 5      /* offset is the test's number */
};

typedef struct {
  int32_t kind;
  /* 0: the database, 1: its -wal, 2: its -journal. */
  int32_t file;
  int64_t offset;
  int64_t count;
  const uint8_t *bytes;
} rv_event;

/* Records what SQLite does to the database `path` and its journals in this process, from now on,
 * where they are opened later. One test may have one recording of a path. */
rv_recording *rv_begin(const char *path);
/* Nothing may be open any more. */
void rv_end(rv_recording *recording);
void rv_mark(rv_recording *recording, int64_t number);
/* Lets writes and syncs fail with SQLite's code; 0: no more. */
void rv_fail(rv_recording *recording, int32_t code);
int64_t rv_event_count(rv_recording *recording);
/* Valid until rv_end. */
rv_event rv_event_at(rv_recording *recording, int64_t index);

extern const int32_t rv_full, rv_write_failed, rv_sync_failed;

#endif
