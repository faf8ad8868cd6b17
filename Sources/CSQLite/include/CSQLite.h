/* SPDX-License-Identifier: MIT */
/* SQLite as Swift can import it: no macros, no variadics, no destructor pointers.
 *
 * Only fixed-width integers, sizes and pointers cross this boundary. Results are SQLite's own
 * codes, extended where SQLite offers that, unless a line says otherwise. */
#ifndef CSQLITE_H
#define CSQLITE_H

#include <stddef.h>
#include <stdint.h>

typedef struct cs_database cs_database;
typedef struct cs_statement cs_statement;

/* Primary codes, the low byte of each result; CSQLite.c asserts that they are SQLite's. */
enum {
  CS_OK = 0,
  CS_PERM = 3,
  CS_BUSY = 5,
  CS_LOCKED = 6,
  CS_READONLY = 8,
  CS_IOERR = 10,
  CS_CORRUPT = 11,
  CS_FULL = 13,
  CS_CANTOPEN = 14,
  CS_CONSTRAINT = 19,
  CS_NOTADB = 26,
  CS_ROW = 100,
  CS_DONE = 101
};
/* Extended codes of a unique column and of a primary key. */
enum { CS_CONSTRAINT_PRIMARYKEY = 1555, CS_CONSTRAINT_UNIQUE = 2067 };

/* SQLite's version, such as "3.46.1". */
const char *cs_version(void);

/* Makes an empty file of mode 0600, or gives an existing one that mode.
 * 1 when it was made, 0 when it was there, -errno when it can be neither read nor written. */
int32_t cs_prepare_file(const char *path);
/* First byte of a file; -1 when it is missing, empty or unreadable. */
int32_t cs_first_byte(const char *path);
int32_t cs_file_exists(const char *path);
void cs_remove_file(const char *path);
/* 0, or -errno. */
int32_t cs_rename_file(const char *from, const char *to);
/* Meanings of -errno that need a sentence of their own. */
int32_t cs_is_read_only(int32_t error_number);
int32_t cs_is_full(int32_t error_number);

/* Opens an existing file for reading and writing. `*database` may be set on failure, too: it
 * then holds the message, and is closed like any other. */
int32_t cs_open(const char *path, cs_database **database);
/* Opens a database whose medium takes no writes, as if it did: what is written stays in memory, up
 * to 4 MiB, and ends with cs_close. One at a time, with locking_mode=EXCLUSIVE. CS_BUSY while
 * another process has it open for writing; none can until it is closed. */
int32_t cs_open_overlay(const char *path, cs_database **database);
/* Whether a file can be made, written and synced; it is removed again. 0, or -errno. */
int32_t cs_try_writing(const char *path);
/* Opens a file from outside for reading only, with narrow limits: whatever its schema holds must
 * not cost much stack or memory, and nothing that it names is run. `is_immutable`: without any
 * lock, as one that nobody changes. `*database` as above. */
int32_t cs_open_untrusted(const char *path, int32_t is_immutable, cs_database **database);
/* Bytes that SQLite has written to files in the calling thread: databases, journals, copies. */
int64_t cs_written_bytes(void);
/* Closes; without a checkpoint unless cs_set_checkpoint_on_close asked for it. */
void cs_close(cs_database *database);
void cs_set_checkpoint_on_close(cs_database *database, int32_t on);
/* Frees cached pages and what else is not in use. */
void cs_release_memory(cs_database *database);
/* Moves the write-ahead log into the database and empties it; nothing in other modes. */
int32_t cs_checkpoint(cs_database *database);
int32_t cs_is_database_read_only(cs_database *database);
int32_t cs_is_in_transaction(cs_database *database);
/* SQLite's words for the last failure of this connection. */
const char *cs_message(cs_database *database);
int64_t cs_last_inserted_id(cs_database *database);
/* Rows changed by the last statement, and by all statements of this connection. */
int64_t cs_changed_row_count(cs_database *database);
int64_t cs_total_change_count(cs_database *database);
/* Runs statements without results; stops at the first failure. */
int32_t cs_execute(cs_database *database, const char *sql);

int32_t cs_prepare(cs_database *database, const void *sql, size_t count, cs_statement **statement);
void cs_finalize(cs_statement *statement);
int32_t cs_step(cs_statement *statement);
/* Makes the statement ready for another run and forgets what was bound. */
void cs_reset(cs_statement *statement);

/* Parameters count from 1. Text and blobs are copied. */
int32_t cs_parameter_count(cs_statement *statement);
int32_t cs_bind_null(cs_statement *statement, int32_t index);
int32_t cs_bind_int64(cs_statement *statement, int32_t index, int64_t value);
int32_t cs_bind_text(cs_statement *statement, int32_t index, const void *bytes, size_t count);
int32_t cs_bind_blob(cs_statement *statement, int32_t index, const void *bytes, size_t count);
/* Binds what another statement's row has in a column, with its type. */
int32_t cs_bind_column(
    cs_statement *statement, int32_t index, cs_statement *source, int32_t column);

/* Columns count from 0. The bytes are valid until the next step or reset. */
int32_t cs_column_count(cs_statement *statement);
/* The column's name; NULL when there is no memory for it. */
const char *cs_column_name(cs_statement *statement, int32_t column);
int32_t cs_is_null(cs_statement *statement, int32_t column);
/* 1 when the value is stored as a whole number. */
int32_t cs_is_integer(cs_statement *statement, int32_t column);
int64_t cs_column_int64(cs_statement *statement, int32_t column);
const void *cs_column_bytes(cs_statement *statement, int32_t column, int64_t *count);

#endif
