/* SPDX-License-Identifier: MIT */
/*
 * Everything TinyGateway wants from Mbed TLS, behind one narrow boundary: fixed-width integers,
 * pointers and sizes. Compiles against Mbed TLS 2.28 and 3.6.
 *
 * Threads: digests, signatures and cm_random may be called from any thread. Trust sets, contexts
 * and sessions belong to one thread; reference counts are plain integers.
 *
 * Texts: functions that can fail take `error` and `error_size`; on failure they write one
 * NUL-terminated English sentence there, without secrets.
 */
#ifndef CMBEDTLS_H
#define CMBEDTLS_H

#include <stddef.h>
#include <stdint.h>

/* Results of a session's calls; values >= 0 are byte counts. */
#define CM_WANT_READ (-1)  /* wait until the socket is readable, then call again */
#define CM_WANT_WRITE (-2) /* wait until the socket is writable, then call again */
#define CM_CLOSED (-3)     /* the peer sent close_notify */
#define CM_EOF (-4)        /* the stream ended without close_notify */
#define CM_FAILED (-5)     /* see cm_session_error */

/* A set of trusted authorities. */
typedef struct cm_trust cm_trust;
/* Configuration shared by many sessions. */
typedef struct cm_context cm_context;
/* One TLS connection over one socket. */
typedef struct cm_session cm_session;
/* What a later connection to the same server may resume. */
typedef struct cm_saved cm_saved;

/* ---- The library and the clock ---- */

/* For instance "3.6.6". */
const char *cm_version(void);

/* Unix seconds of the build: certificates are never judged by an earlier time. */
int64_t cm_build_time(void);

/* The later of the system clock and the build time, in Unix seconds. */
int64_t cm_judging_time(void);

/* Fills `out` from the system's generator without blocking. 0, or -1 while it is not seeded. */
int32_t cm_random(uint8_t *out, size_t length);

/* ---- Digests ---- */

/* SHA-256 (FIPS 180-4); `out` takes 32 bytes. No allocation. */
void cm_sha256(const uint8_t *bytes, size_t length, uint8_t *out);

/* SHA-1 (FIPS 180-4), for protocols that name it and not for secrets; `out` takes 20 bytes. */
void cm_sha1(const uint8_t *bytes, size_t length, uint8_t *out);

/* HMAC-SHA-256 (RFC 2104); `out` takes 32 bytes. No allocation. */
void cm_hmac_sha256(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length,
                    uint8_t *out);

/* PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2); `rounds` below 1 counts as 1. */
void cm_pbkdf2_sha256(const uint8_t *password, size_t password_length, const uint8_t *salt,
                      size_t salt_length, uint32_t rounds, uint8_t *out, size_t out_length);

/* 1 if equal; the time depends on `length` alone. */
int32_t cm_equal(const uint8_t *left, const uint8_t *right, size_t length);

#define CM_RSA_SIGNATURE_SIZE 512 /* a key of 4096 bits */

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2) under an unencrypted private key in PEM,
 * PKCS #8 or PKCS #1, of 2048 to 4096 bits. `out` takes CM_RSA_SIGNATURE_SIZE bytes; the result is
 * the signature's length. -1: not such a key; -2: it could not sign. Takes tens of milliseconds on
 * small processors. May be called from any thread. */
int32_t cm_rs256(const uint8_t *pem, size_t pem_length, const uint8_t *bytes, size_t length,
                 uint8_t *out);

/* ---- Secrets at rest ---- */

#define CM_SEAL_KEY_SIZE 32
#define CM_SEAL_OVERHEAD 28 /* nonce 12 + tag 16 */

/* AES-256-GCM with a random nonce: `out` takes length + CM_SEAL_OVERHEAD bytes. 0 or -1. */
int32_t cm_seal(const uint8_t *key, const uint8_t *label, size_t label_length,
                const uint8_t *plain, size_t length, uint8_t *out);

/* The reverse: `out` takes length - CM_SEAL_OVERHEAD bytes. -1: too short, altered, wrong key
 * or wrong label; then `out` holds zeros. */
int32_t cm_open(const uint8_t *key, const uint8_t *label, size_t label_length,
                const uint8_t *sealed, size_t length, uint8_t *out);

/* ---- Trust sets ---- */

/* A PEM bundle on disk. It is indexed once and certificates are read when a chain needs them;
 * where Mbed TLS lacks the trusted-certificate callback the bundle is loaded whole. */
cm_trust *cm_trust_file(const char *path, char *error, size_t error_size);

/* The authorities built into the binary (CRoots); an error if there are none. */
cm_trust *cm_trust_builtin(char *error, size_t error_size);

/* How many certificates the set holds. */
int32_t cm_trust_count(const cm_trust *trust);

void cm_trust_free(cm_trust *trust);

/* ---- Contexts ---- */

/* For connections to servers. Verification cannot be switched off. Trusted are the set and the
 * certificates in `extra` (PEM); either may be missing (NULL, length 0), both may not. */
cm_context *cm_context_client(cm_trust *trust, const uint8_t *extra, size_t extra_length,
                              char *error, size_t error_size);

/* For accepting connections, from PEM texts: certificate chain, leaf first, and its key. */
cm_context *cm_context_server(const uint8_t *chain, size_t chain_length, const uint8_t *key,
                              size_t key_length, char *error, size_t error_size);

/* The same from files. A key file that group or others may use is refused. */
cm_context *cm_context_server_files(const char *chain_path, const char *key_path, char *error,
                                    size_t error_size);

/* Unix seconds after which the server's own certificate is invalid; 0 for a client context. */
int64_t cm_context_valid_until(const cm_context *context);

/* Gives up one reference; sessions hold their own. */
void cm_context_free(cm_context *context);

#define CM_PEM_SIZE 2048

/* Makes a P-256 key and a certificate signed with it, valid between two Unix times.
 * `names` are `count` NUL-terminated DNS names or IP address texts, one after the other.
 * `certificate` and `key` take CM_PEM_SIZE bytes each and hold NUL-terminated PEM. 0 or -1. */
int32_t cm_self_signed(const char *names, int32_t count, int64_t not_before, int64_t not_after,
                       char *certificate, char *key, char *error, size_t error_size);

/* ---- Sessions ---- */

/* Over a connected non-blocking socket that stays the caller's. A client must name the `host` it
 * means, DNS name or IP address text; a server passes NULL. `saved` (or NULL) is copied. */
cm_session *cm_session_create(cm_context *context, int32_t fd, const char *host,
                              const cm_saved *saved, char *error, size_t error_size);

/* 0 when the handshake is complete and, for a client, the server is verified. */
int32_t cm_session_handshake(cm_session *session);

/* Reads what is there, up to `length` bytes, over several records; never 0 unless length is. */
int32_t cm_session_read(cm_session *session, uint8_t *bytes, size_t length);

/* Writes up to `length` bytes and says how many are on their way. After CM_WANT_WRITE, or fewer
 * than `length`, the next call must begin with the bytes that were not counted. */
int32_t cm_session_write(cm_session *session, const uint8_t *bytes, size_t length);

/* Tells the peer that no more will come. 0 when it is sent. */
int32_t cm_session_close_notify(cm_session *session);

/* 1 if a read would give something without the socket becoming readable. */
int32_t cm_session_has_pending_input(const cm_session *session);

/* 1 if the handshake resumed a saved session (a client's view). */
int32_t cm_session_is_resumed(const cm_session *session);

/* Why the last call gave CM_FAILED or CM_EOF. Returns the length without the NUL. */
int32_t cm_session_error(const cm_session *session, char *text, size_t size);

/* What a later connection may resume, or NULL if the server has offered nothing (new). Free it. */
cm_saved *cm_session_save(cm_session *session);

void cm_session_free(cm_session *session);

void cm_saved_free(cm_saved *saved);

#endif
