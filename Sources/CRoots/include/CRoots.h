/* SPDX-License-Identifier: MIT */
/*
 * The certificate authorities built into the binary, found by subject.
 *
 * The table is made by scripts/make-roots.py from Debian's ca-certificates. Without it, or with
 * TG_NO_ROOTS defined, the table is empty and every function says so.
 */
#ifndef CROOTS_H
#define CROOTS_H

#include <stddef.h>
#include <stdint.h>

/* How many certificates are built in. */
size_t cr_count(void);

/* The largest certificate that cr_certificate() writes. */
#define CR_LARGEST_CERTIFICATE 4096

/* Writes a certificate of authority `index` as DER to CR_LARGEST_CERTIFICATE bytes at `der`: its
 * own validity, subject, public key and limiting extensions, in a frame without a signature. A
 * trust anchor is these (RFC 5280 section 6.1.1 d); what it says of itself in a signature proves
 * nothing. Returns the length, 0 past the end. */
size_t cr_certificate(size_t index, uint8_t *der);

/* Index of the first certificate after `after` (-1: from the start) whose DER subject is exactly
 * `subject`, or -1. Several authorities may share a subject. */
int32_t cr_find(const uint8_t *subject, size_t length, int32_t after);

/* 32-bit FNV-1a, the order of the table. */
uint32_t cr_hash(const uint8_t *bytes, size_t length);

/* Version of the ca-certificates package the table was made from; empty without a table. */
const char *cr_source(void);

#endif
