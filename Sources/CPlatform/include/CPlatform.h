/* SPDX-License-Identifier: MIT */
/* What Swift cannot import from the C library: macros, unions, variadics, errno, argv.
 *
 * Every call returns a value >= 0, or -errno. Only fixed-width integers, sizes and pointers
 * cross this boundary, so that no layout depends on the C library. */
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>

/* Build facts, for --version. */
const char *cp_version(void);
const char *cp_build_target(void);
int64_t cp_build_time(void);

/* Memory. */
void *cp_allocate(size_t size);
void *cp_reallocate(void *memory, size_t size);
void cp_free(void *memory);
void cp_copy(void *to, const void *from, size_t count);
void cp_move(void *to, const void *from, size_t count);
int32_t cp_compare(const void *left, const void *right, size_t count);
/* Number of bytes at the start that may stand in a token (RFC 9110, 5.6.2). */
size_t cp_token_count(const void *memory, size_t count);
/* 1 when the text is that in lower case, ASCII letters of either case being equal; else 0. */
int32_t cp_equals_lower(const void *memory, const void *lower, size_t count);
/* Offset of the first `byte`, or -1. */
int64_t cp_find_byte(const void *memory, uint8_t byte, size_t count);
/* Offset of the first occurrence of `needle`, or -1. */
int64_t cp_find(const void *memory, size_t count, const void *needle, size_t needle_count);
/* Offset of the first CR or LF, or `count`. */
size_t cp_line_count(const void *memory, size_t count);
/* Offset of the first quote before one of the letters, or -1; bit 0 of `letters` means `a`. */
int64_t cp_find_name(const void *memory, size_t count, uint32_t letters);
/* Offset behind the empty line that ends the head of a message from `start` on (RFC 9112); 0 when
 * none is there, -1 when a line feed stands alone. Nothing before `position` is searched. */
int64_t cp_head_end(const void *memory, size_t count, size_t start, size_t position);
/* Number of bytes at the start that may stand in a header's value (RFC 9110, 5.5). */
size_t cp_value_count(const void *memory, size_t count);
/* Where the parts of a header line lie; its name begins where it does, `end` is its CRLF. */
typedef struct cp_field {
  size_t name_end, value_start, value_end, end;
} cp_field;
/* Reads the header line at `start`: 1, or 0 when no colon follows, or what follows that up to CRLF
 * is no value (RFC 9110, 5.5). Whether the name is one is not looked at. */
int32_t cp_field_line(const void *memory, size_t count, size_t start, cp_field *field);

#if defined(__SSE2__)
typedef signed char cp_bytes __attribute__((vector_size(16)));
/* Which of the 16 bytes at `memory` are quotes or backslashes, one bit for each byte: the lowest
 * for the first. */
static inline uint32_t cp_quote_flags(const void *memory) {
  cp_bytes bytes;
  __builtin_memcpy(&bytes, memory, sizeof bytes);
  return (uint32_t)__builtin_ia32_pmovmskb128((bytes == '"') | (bytes == '\\'));
}
/* As cp_quote_flags, and controls and what is not ASCII. */
static inline uint32_t cp_string_flags(const void *memory) {
  cp_bytes bytes;
  __builtin_memcpy(&bytes, memory, sizeof bytes);
  return (uint32_t)__builtin_ia32_pmovmskb128((bytes == '"') | (bytes == '\\') | (bytes < ' '));
}
#endif

/* Errors. */
int32_t cp_describe_error(int32_t error_number, uint8_t *text, int32_t capacity);
extern const int32_t cp_eagain, cp_eintr, cp_einprogress, cp_emfile, cp_enfile, cp_eaddrinuse,
    cp_eacces, cp_enoent, cp_enotdir, cp_epipe, cp_econnreset, cp_eexist, cp_econnaborted,
    cp_enospc;

/* Clocks. */
int64_t cp_monotonic_nanoseconds(void);
int64_t cp_wall_milliseconds(void);
/* Lets the wall clock stand still for the calling thread, from now until it is let go. */
void cp_wall_hold(void);
void cp_wall_release(void);
/* What the calling thread has used of the processor. */
int64_t cp_thread_nanoseconds(void);
/* Local calendar time of a Unix time as year, month, day, hour, minute, second. */
void cp_local_time(int64_t unix_seconds, int32_t *fields);

/* Random bytes from the kernel; waits for its pool at boot. */
int32_t cp_random(void *bytes, size_t count);
int32_t cp_random_is_ready(void); /* 0 while the pool is filling at boot, else 1 */
void cp_sleep(int64_t milliseconds);

/* Process. */
int64_t cp_command_line(uint8_t *text, int64_t capacity); /* NUL-separated */
const char *cp_environment(const char *name);
const char *cp_environment_entry(int32_t index); /* "NAME=value", NULL behind the last */
void cp_exit(int32_t status) __attribute__((noreturn));
void cp_set_umask(int32_t mask);
/* Gives back what only the start needed: free blocks, and the program's own pages, which are mapped
 * again when they are used. In the main thread; does nothing outside release builds. */
void cp_end_start(void);
/* Raises the soft descriptor limit to the hard one, at most `wanted`; returns what is in force. */
int64_t cp_raise_descriptor_limit(int64_t wanted);
/* Ignores SIGPIPE; blocks SIGTERM, SIGINT, SIGHUP and SIGPWR and returns a descriptor that reports
   them. */
int32_t cp_signal_descriptor(void);
int32_t cp_signal_next(int32_t descriptor); /* signal number, or -EAGAIN */
extern const int32_t cp_sigterm, cp_sigint, cp_sighup, cp_sigpwr;
/* Whether a terminal at standard input shows what is typed; a signal that ends the process while
   it does not turns it on again. */
int32_t cp_set_terminal_echo(int32_t on);

/* Files. */
enum { CP_READ = 0, CP_WRITE_NEW = 1, CP_WRITE_REPLACE = 2, CP_APPEND = 3 };
int32_t cp_open(const char *path, int32_t how, int32_t mode);
int64_t cp_read(int32_t descriptor, void *bytes, size_t count);
int64_t cp_write(int32_t descriptor, const void *bytes, size_t count);
/* 1 when a write of at most PIPE_BUF bytes does not block, or fails at once; else 0. */
int32_t cp_can_write(int32_t descriptor);
int32_t cp_sync(int32_t descriptor);
int32_t cp_close(int32_t descriptor);
int32_t cp_rename(const char *from, const char *to);
int32_t cp_remove(const char *path);
int64_t cp_read_link(const char *path, uint8_t *target, int64_t capacity); /* bytes, no NUL */
/* Gives an open file owner and mode of the one at `path`, which this user must be able to write. */
int32_t cp_take_owner(int32_t descriptor, const char *path);
int32_t cp_make_directory(const char *path, int32_t mode);
int32_t cp_sync_directory(const char *path);
int32_t cp_is_directory(const char *path); /* 1, 0, or -errno */
int32_t cp_is_writable(const char *path);  /* 0, or -errno */
int64_t cp_file_size(const char *path);
/* Facts about the file system of a path, each at its place. */
enum {
  CP_FS_MAGIC = 0, /* as in statfs(2) */
  CP_FS_TOTAL = 1, /* bytes */
  CP_FS_FREE = 2,  /* bytes that this user may still write */
  CP_FS_READ_ONLY = 3,
  CP_FS_MAJOR = 4, /* the device that stat(2) gives for the path */
  CP_FS_MINOR = 5,
  CP_FS_COUNT = 6
};
int32_t cp_file_system(const char *path, int64_t *facts);
/* Another process that has a file locked; 0 where there is none, or none to be seen. */
int32_t cp_lock_holder(const char *path);
int64_t cp_file_time(const char *path); /* of its last change, seconds since 1970; or -errno */
/* Names in a folder that begin with `prefix`, each with a zero byte behind it; those that do not
 * fit into `capacity` are left out. Their bytes, or -errno. */
int64_t cp_list_names(const char *folder, const char *prefix, uint8_t *names, int64_t capacity);
int64_t cp_free_bytes(const char *path); /* what this user may still write to its file system */
int64_t cp_total_bytes(const char *path); /* how large that is */

/* Sockets: all non-blocking and closed on exec. Addresses are 4 or 16 bytes. */
int32_t cp_listen(const uint8_t *address, int32_t address_count, int32_t port, int32_t backlog);
int32_t cp_connect(const uint8_t *address, int32_t address_count, int32_t port, uint32_t scope);
/* The new descriptor; writes the peer's address (IPv4-mapped ones as 4 bytes) and its length. */
int32_t cp_accept(int32_t listener, uint8_t *address, int32_t *address_count);
int32_t cp_local_port(int32_t descriptor);
int32_t cp_is_own_peer(int32_t descriptor); /* 1 when both ends have the same address */
/* Waits until a connection under way is made: 0, or -errno, -ETIMEDOUT after `milliseconds`. */
int32_t cp_await_connection(int32_t descriptor, int32_t milliseconds);
int32_t cp_socket_error(int32_t descriptor); /* pending -errno, or 0 */
int64_t cp_receive(int32_t descriptor, void *bytes, size_t count);
int64_t cp_send(int32_t descriptor, const void *bytes, size_t count);
/* One UDP datagram from a socket of its own, which may broadcast; 0 or -errno. */
int32_t cp_send_datagram(const uint8_t *address, int32_t address_count, int32_t port,
                         const void *bytes, size_t count);
int32_t cp_shutdown_write(int32_t descriptor);
int32_t cp_parse_address(const char *text, uint8_t *address); /* 4, 16, or 0 when not numeric */
int32_t cp_format_address(const uint8_t *address, int32_t count, uint8_t *text, int32_t capacity);
/* Blocking look-up: entries of 21 bytes (length, 16 address bytes, 4 scope bytes); the count. */
enum { CP_ADDRESS_ENTRY = 21 };
int32_t cp_resolve(const char *host, uint8_t *entries, int32_t capacity);
int32_t cp_describe_resolve_error(int32_t code, uint8_t *text, int32_t capacity);

/* epoll. */
enum { CP_READABLE = 1, CP_WRITABLE = 2, CP_HANGUP = 4, CP_ENDED = 8, CP_EDGE = 16 };
typedef struct cp_event {
  uint64_t token;
  uint32_t ready;
} cp_event;
int32_t cp_poller_create(void);
int32_t cp_poller_add(int32_t poller, int32_t descriptor, uint32_t interest, uint64_t token);
int32_t cp_poller_change(int32_t poller, int32_t descriptor, uint32_t interest, uint64_t token);
int32_t cp_poller_remove(int32_t poller, int32_t descriptor);
int32_t cp_poller_wait(int32_t poller, cp_event *events, int32_t capacity, int32_t milliseconds);

/* Threads, locks, and a descriptor that wakes the loop. */
int32_t cp_thread_start(const char *name, size_t stack, void (*body)(void *), void *argument);
void *cp_lock_create(void); /* a mutex with a condition */
void cp_lock_destroy(void *lock);
void cp_lock_acquire(void *lock);
void cp_lock_release(void *lock);
void cp_lock_wait(void *lock);
/* As cp_lock_wait, at most `milliseconds`. */
void cp_lock_wait_for(void *lock, int64_t milliseconds);
void cp_lock_signal(void *lock);
/* Waits for cp_lock_unpark, by which another thread says that there is something to do. */
void cp_lock_park(void *lock);
void cp_lock_unpark(void *lock);
/* Finds out whether all helper threads are parked; for the thread that gives them work. */
void cp_note_helpers(void);
int32_t cp_wake_create(void);
void cp_wake_signal(int32_t descriptor);
void cp_wake_clear(int32_t descriptor);

/* Resident memory of this process in bytes, or 0 where /proc is missing. */
int64_t cp_resident_bytes(void);
/* An amount of /proc/meminfo by its name, such as "MemTotal:", in bytes; 0 where it is missing. */
int64_t cp_machine_memory(const char *name);

#endif
