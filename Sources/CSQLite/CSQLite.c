/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "CSQLite.h"
#include "overlay.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(
    CS_OK == SQLITE_OK && CS_PERM == SQLITE_PERM && CS_BUSY == SQLITE_BUSY &&
        CS_LOCKED == SQLITE_LOCKED && CS_READONLY == SQLITE_READONLY &&
        CS_IOERR == SQLITE_IOERR && CS_CORRUPT == SQLITE_CORRUPT && CS_FULL == SQLITE_FULL &&
        CS_CANTOPEN == SQLITE_CANTOPEN && CS_CONSTRAINT == SQLITE_CONSTRAINT &&
        CS_NOTADB == SQLITE_NOTADB && CS_ROW == SQLITE_ROW && CS_DONE == SQLITE_DONE &&
        CS_CONSTRAINT_PRIMARYKEY == SQLITE_CONSTRAINT_PRIMARYKEY &&
        CS_CONSTRAINT_UNIQUE == SQLITE_CONSTRAINT_UNIQUE,
    "the codes of CSQLite.h are SQLite's");

/* Of a file from outside: bytes of a row, bytes of one statement of its schema, nesting. */
enum { CS_UNTRUSTED_ROW = 4 << 20, CS_UNTRUSTED_SQL = 16384, CS_UNTRUSTED_DEPTH = 50 };

static sqlite3 *of(cs_database *database) { return (sqlite3 *)database; }
static sqlite3_stmt *as(cs_statement *statement) { return (sqlite3_stmt *)statement; }

const char *cs_version(void) { return sqlite3_libversion(); }

/* Of this thread: what another one writes is none of its business, and needs no lock. */
static _Thread_local int64_t written;

static ssize_t count_written(ssize_t count) {
  if (count > 0) written += count;
  return count;
}

static ssize_t counted_write(int file, const void *bytes, size_t count) {
  return count_written(write(file, bytes, count));
}

static ssize_t counted_pwrite(int file, const void *bytes, size_t count, off_t offset) {
  return count_written(pwrite(file, bytes, count, offset));
}
_Static_assert(sizeof(off_t) == 8, "pwrite64 is pwrite");

static void count_writes(void) {
  sqlite3_vfs *files = sqlite3_vfs_find(NULL);
  if (files == NULL || files->iVersion < 3) return;
  /* Which of them is used depends on how SQLite was built. */
  files->xSetSystemCall(files, "write", (sqlite3_syscall_ptr)counted_write);
  files->xSetSystemCall(files, "pwrite", (sqlite3_syscall_ptr)counted_pwrite);
  files->xSetSystemCall(files, "pwrite64", (sqlite3_syscall_ptr)counted_pwrite);
}

int64_t cs_written_bytes(void) { return written; }

/* unixepoch(), which migrations use: releases are built without SQLite's date functions. */
static void tell_time(sqlite3_context *context, int count, sqlite3_value **arguments) {
  (void)count;
  (void)arguments;
  sqlite3_result_int64(context, (sqlite3_int64)time(NULL));
}

static int32_t open_file(
    const char *name, int flags, const char *layer, cs_database **database) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, count_writes);
  sqlite3 *opened = NULL;
  int result = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX, layer);
  *database = (cs_database *)opened;
  if (opened == NULL) return SQLITE_NOMEM;
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_create_function(
      opened, "unixepoch", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, tell_time, NULL, NULL);
  cs_set_checkpoint_on_close(*database, 0);
  return result;
}

int32_t cs_open(const char *path, cs_database **database) {
  return open_file(path, SQLITE_OPEN_READWRITE, NULL, database);
}

int32_t cs_open_overlay(const char *path, cs_database **database) {
  *database = NULL;
  int result = cs_take_overlay(path);
  if (result != SQLITE_OK) return result;
  return open_file(path, SQLITE_OPEN_READWRITE, CS_OVERLAY, database);
}

/* The path as a URI; each byte that could mean something there is encoded. */
static char *uri_of(const char *path, const char *mode) {
  static const char scheme[] = "file:", digits[] = "0123456789ABCDEF";
  char *uri = malloc(sizeof scheme + 3 * strlen(path) + strlen(mode));
  if (uri == NULL) return NULL;
  char *at = stpcpy(uri, scheme);
  for (; *path != 0; path++) {
    unsigned char byte = (unsigned char)*path;
    if (byte == '/' || byte == '.' || byte == '-' || byte == '_' ||
        (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= 'a' && byte <= 'z')) {
      *at++ = (char)byte;
    } else {
      *at++ = '%';
      *at++ = digits[byte >> 4];
      *at++ = digits[byte & 15];
    }
  }
  strcpy(at, mode);
  return uri;
}

int32_t cs_open_untrusted(const char *path, int32_t is_immutable, cs_database **database) {
  *database = NULL;
  char *uri = uri_of(path, is_immutable ? "?immutable=1" : "?mode=ro");
  if (uri == NULL) return SQLITE_NOMEM;
  int result = open_file(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL, database);
  free(uri);
  if (*database == NULL) return result;
  sqlite3 *opened = of(*database);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, CS_UNTRUSTED_ROW);
  sqlite3_limit(opened, SQLITE_LIMIT_SQL_LENGTH, CS_UNTRUSTED_SQL);
  sqlite3_limit(opened, SQLITE_LIMIT_EXPR_DEPTH, CS_UNTRUSTED_DEPTH);
  sqlite3_limit(opened, SQLITE_LIMIT_COMPOUND_SELECT, CS_UNTRUSTED_DEPTH);
  sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  return result;
}

void cs_close(cs_database *database) { sqlite3_close_v2(of(database)); }

void cs_release_memory(cs_database *database) { sqlite3_db_release_memory(of(database)); }

void cs_set_checkpoint_on_close(cs_database *database, int32_t on) {
  sqlite3_db_config(of(database), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, NULL);
}

int32_t cs_checkpoint(cs_database *database) {
  return sqlite3_wal_checkpoint_v2(of(database), NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

int32_t cs_is_database_read_only(cs_database *database) {
  return sqlite3_db_readonly(of(database), "main") == 1;
}

int32_t cs_is_in_transaction(cs_database *database) {
  return !sqlite3_get_autocommit(of(database));
}

const char *cs_message(cs_database *database) { return sqlite3_errmsg(of(database)); }

int64_t cs_last_inserted_id(cs_database *database) {
  return sqlite3_last_insert_rowid(of(database));
}

int64_t cs_changed_row_count(cs_database *database) { return sqlite3_changes(of(database)); }

int64_t cs_total_change_count(cs_database *database) {
  return sqlite3_total_changes(of(database));
}

int32_t cs_execute(cs_database *database, const char *sql) {
  return sqlite3_exec(of(database), sql, NULL, NULL, NULL);
}

int32_t cs_prepare(cs_database *database, const void *sql, size_t count, cs_statement **statement) {
  sqlite3_stmt *prepared = NULL;
  int result = sqlite3_prepare_v3(
      of(database), sql, (int)count, SQLITE_PREPARE_PERSISTENT, &prepared, NULL);
  *statement = (cs_statement *)prepared;
  return result;
}

void cs_finalize(cs_statement *statement) { sqlite3_finalize(as(statement)); }

int32_t cs_step(cs_statement *statement) { return sqlite3_step(as(statement)); }

void cs_reset(cs_statement *statement) {
  sqlite3_reset(as(statement));
  sqlite3_clear_bindings(as(statement));
}

int32_t cs_parameter_count(cs_statement *statement) {
  return sqlite3_bind_parameter_count(as(statement));
}

int32_t cs_bind_null(cs_statement *statement, int32_t index) {
  return sqlite3_bind_null(as(statement), index);
}

int32_t cs_bind_int64(cs_statement *statement, int32_t index, int64_t value) {
  return sqlite3_bind_int64(as(statement), index, value);
}

/* A null pointer would bind NULL instead of no bytes. */
int32_t cs_bind_text(cs_statement *statement, int32_t index, const void *bytes, size_t count) {
  return sqlite3_bind_text64(
      as(statement), index, bytes ? bytes : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int32_t cs_bind_blob(cs_statement *statement, int32_t index, const void *bytes, size_t count) {
  return sqlite3_bind_blob64(as(statement), index, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}

int32_t cs_bind_column(
    cs_statement *statement, int32_t index, cs_statement *source, int32_t column) {
  return sqlite3_bind_value(as(statement), index, sqlite3_column_value(as(source), column));
}

int32_t cs_column_count(cs_statement *statement) {
  return sqlite3_column_count(as(statement));
}

const char *cs_column_name(cs_statement *statement, int32_t column) {
  return sqlite3_column_name(as(statement), column);
}

int32_t cs_is_integer(cs_statement *statement, int32_t column) {
  return sqlite3_column_type(as(statement), column) == SQLITE_INTEGER;
}

int32_t cs_is_null(cs_statement *statement, int32_t column) {
  return sqlite3_column_type(as(statement), column) == SQLITE_NULL;
}

int64_t cs_column_int64(cs_statement *statement, int32_t column) {
  return sqlite3_column_int64(as(statement), column);
}

const void *cs_column_bytes(cs_statement *statement, int32_t column, int64_t *count) {
  const void *bytes = sqlite3_column_blob(as(statement), column);
  *count = sqlite3_column_bytes(as(statement), column);
  return bytes;
}
