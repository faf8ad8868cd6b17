/* SPDX-License-Identifier: MIT */
/* Files that cannot be written, as files that can: what is written stays in memory above them.
 *
 * SQLite reads a database through this that lies on a read-only or full medium: a write-ahead log
 * is indexed, a journal rolled back, an old schema brought up to date; no byte of it gets below.
 * One database at a time, by one thread at a time. */
#define _GNU_SOURCE
#include "CSQLite.h"
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes above all three files; what does not fit is a full disk. */
enum { BLOCK = 4096, BLOCK_LIMIT = 1024, FILE_COUNT = 3 };
/* SQLite's own lock on a database that is read. */
enum { SHARED_FIRST = 0x40000002, SHARED_SIZE = 510 };

/* One file: the bytes of the one below as far as `below`, and blocks in their place. */
typedef struct {
  int descriptor, exists;
  sqlite3_int64 below, size;
  unsigned char **blocks;
  sqlite3_int64 capacity;
} layer;

typedef struct {
  sqlite3_file base;
  layer *layer;
} overlay_file;

static const char *const suffixes[FILE_COUNT] = {"", "-wal", "-journal"};
static layer layers[FILE_COUNT];
static char *database_path;
static int block_count;

static layer *layer_of(const char *path) {
  if (path == NULL || database_path == NULL) return NULL;
  size_t count = strlen(database_path);
  if (strncmp(path, database_path, count) != 0) return NULL;
  for (int at = 0; at < FILE_COUNT; at++) {
    if (strcmp(path + count, suffixes[at]) == 0) return &layers[at];
  }
  return NULL;
}

/* Forgets the blocks from `first` on. */
static void drop_blocks(layer *file, sqlite3_int64 first) {
  for (sqlite3_int64 at = first; at < file->capacity; at++) {
    if (file->blocks[at] != NULL) block_count--;
    free(file->blocks[at]);
    file->blocks[at] = NULL;
  }
}

static void forget_all(void) {
  for (int at = 0; at < FILE_COUNT; at++) {
    drop_blocks(&layers[at], 0);
    free(layers[at].blocks);
    if (layers[at].descriptor >= 0) close(layers[at].descriptor);
    layers[at] = (layer){.descriptor = -1};
  }
  free(database_path);
  database_path = NULL;
}

/* Bytes of the file below; zeros beyond its end. False when it cannot be read. */
static int read_below(const layer *file, unsigned char *bytes, int count, sqlite3_int64 offset) {
  int wanted = 0;
  if (offset < file->below) {
    wanted = file->below - offset < count ? (int)(file->below - offset) : count;
  }
  memset(bytes + wanted, 0, (size_t)(count - wanted));
  for (int done = 0; done < wanted;) {
    ssize_t got = pread(file->descriptor, bytes + done, (size_t)(wanted - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    done += (int)got;
  }
  return 1;
}

/* The block that holds an offset, made of what is below; NULL with the reason in `*result`. */
static unsigned char *block_at(layer *file, sqlite3_int64 offset, int *result) {
  sqlite3_int64 number = offset / BLOCK;
  if (number >= file->capacity) {
    sqlite3_int64 capacity = number + 64;
    unsigned char **blocks = realloc(file->blocks, (size_t)capacity * sizeof *blocks);
    *result = SQLITE_NOMEM;
    if (blocks == NULL) return NULL;
    memset(blocks + file->capacity, 0, (size_t)(capacity - file->capacity) * sizeof *blocks);
    file->blocks = blocks;
    file->capacity = capacity;
  }
  unsigned char *block = file->blocks[number];
  if (block != NULL) return block;
  *result = SQLITE_FULL;
  if (block_count >= BLOCK_LIMIT || (block = malloc(BLOCK)) == NULL) return NULL;
  *result = SQLITE_IOERR_READ;
  if (!read_below(file, block, BLOCK, number * BLOCK)) {
    free(block);
    return NULL;
  }
  block_count++;
  return file->blocks[number] = block;
}

static int close_file(sqlite3_file *opened) {
  if (((overlay_file *)opened)->layer == &layers[0]) forget_all();
  return SQLITE_OK;
}

static int read_file(sqlite3_file *opened, void *bytes, int count, sqlite3_int64 offset) {
  const layer *file = ((overlay_file *)opened)->layer;
  unsigned char *target = bytes;
  sqlite3_int64 end = offset + count;
  int is_short = end > file->size;
  while (offset < end) {
    int within = (int)(offset % BLOCK), part = BLOCK - within;
    if (part > end - offset) part = (int)(end - offset);
    sqlite3_int64 number = offset / BLOCK;
    if (number < file->capacity && file->blocks[number] != NULL) {
      memcpy(target, file->blocks[number] + within, (size_t)part);
    } else if (!read_below(file, target, part, offset)) {
      return SQLITE_IOERR_READ;
    }
    target += part;
    offset += part;
  }
  return is_short ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int write_file(sqlite3_file *opened, const void *bytes, int count, sqlite3_int64 offset) {
  layer *file = ((overlay_file *)opened)->layer;
  const unsigned char *source = bytes;
  sqlite3_int64 end = offset + count;
  while (offset < end) {
    int within = (int)(offset % BLOCK), part = BLOCK - within, result = SQLITE_OK;
    if (part > end - offset) part = (int)(end - offset);
    unsigned char *block = block_at(file, offset, &result);
    if (block == NULL) return result;
    memcpy(block + within, source, (size_t)part);
    source += part;
    offset += part;
  }
  if (end > file->size) file->size = end;
  return SQLITE_OK;
}

static int truncate_file(sqlite3_file *opened, sqlite3_int64 size) {
  layer *file = ((overlay_file *)opened)->layer;
  sqlite3_int64 number = size / BLOCK;
  drop_blocks(file, number + (size % BLOCK != 0));
  if (size % BLOCK != 0 && number < file->capacity && file->blocks[number] != NULL) {
    memset(file->blocks[number] + size % BLOCK, 0, (size_t)(BLOCK - size % BLOCK));
  }
  if (size < file->below) file->below = size;
  file->size = size;
  return SQLITE_OK;
}

static int size_of_file(sqlite3_file *opened, sqlite3_int64 *size) {
  *size = ((overlay_file *)opened)->layer->size;
  return SQLITE_OK;
}

static int accept_number(sqlite3_file *opened, int number) {
  (void)opened;
  (void)number;
  return SQLITE_OK;
}

static int is_reserved(sqlite3_file *opened, int *is) {
  (void)opened;
  *is = 0;
  return SQLITE_OK;
}

static int control(sqlite3_file *opened, int operation, void *argument) {
  (void)opened;
  (void)operation;
  (void)argument;
  return SQLITE_NOTFOUND;
}

static int nothing_special(sqlite3_file *opened) {
  (void)opened;
  return 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* No shared memory: the database is opened exclusively. */
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = accept_number,
    .xFileSize = size_of_file,
    .xLock = accept_number,
    .xUnlock = accept_number,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control,
    .xDeviceCharacteristics = nothing_special,
};

static int open_overlay(
    sqlite3_vfs *files, const char *name, sqlite3_file *opened, int flags, int *given) {
  (void)files;
  overlay_file *file = (overlay_file *)opened;
  file->base.pMethods = NULL;
  file->layer = layer_of(name);
  if (file->layer == NULL) return SQLITE_CANTOPEN;
  if (!file->layer->exists && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  file->layer->exists = 1;
  file->base.pMethods = &methods;
  if (given != NULL) *given = flags;
  return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *files, const char *name, int is_synced) {
  (void)files;
  (void)is_synced;
  layer *file = layer_of(name);
  if (file == NULL || !file->exists) return SQLITE_IOERR_DELETE_NOENT;
  drop_blocks(file, 0);
  file->exists = 0;
  file->below = file->size = 0;
  return SQLITE_OK;
}

static int is_accessible(sqlite3_vfs *files, const char *name, int how, int *is) {
  (void)files;
  const layer *file = layer_of(name);
  /* As the system's own does it: an empty file counts as none. */
  *is = file != NULL && file->exists && (how != SQLITE_ACCESS_EXISTS || file->size > 0);
  return SQLITE_OK;
}

static int full_path(sqlite3_vfs *files, const char *name, int capacity, char *path) {
  (void)files;
  if (strlen(name) >= (size_t)capacity) return SQLITE_CANTOPEN;
  strcpy(path, name);
  return SQLITE_OK;
}

/* The three files as they are; SQLITE_BUSY when another process changes them. */
static int take_files(const char *path) {
  forget_all();
  char name[4096];
  if (strlen(path) + sizeof "-journal" > sizeof name) return SQLITE_CANTOPEN;
  if ((database_path = strdup(path)) == NULL) return SQLITE_NOMEM;
  for (int at = 0; at < FILE_COUNT; at++) {
    struct stat facts;
    layer *file = &layers[at];
    strcpy(stpcpy(name, path), suffixes[at]);
    file->descriptor = open(name, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0 && errno == ENOENT && at > 0) continue;
    if (file->descriptor < 0 || fstat(file->descriptor, &facts) != 0) return SQLITE_CANTOPEN;
    if (at == 0) {
      struct flock lock = {
          .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
      if (fcntl(file->descriptor, F_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)) {
        return SQLITE_BUSY;
      }
    }
    file->exists = 1;
    file->below = file->size = facts.st_size;
  }
  return SQLITE_OK;
}

int cs_take_overlay(const char *path) {
  static sqlite3_vfs overlay;
  if (overlay.zName == NULL) {
    for (int at = 0; at < FILE_COUNT; at++) layers[at].descriptor = -1;
    /* Time, pauses and random numbers are the system's. */
    overlay = *sqlite3_vfs_find(NULL);
    overlay.iVersion = 1;
    overlay.szOsFile = (int)sizeof(overlay_file);
    overlay.zName = CS_OVERLAY;
    overlay.pNext = NULL;
    overlay.xOpen = open_overlay;
    overlay.xDelete = delete_file;
    overlay.xAccess = is_accessible;
    overlay.xFullPathname = full_path;
    if (sqlite3_vfs_register(&overlay, 0) != SQLITE_OK) return SQLITE_NOMEM;
  }
  int result = take_files(path);
  if (result != SQLITE_OK) forget_all();
  return result;
}
