/* SPDX-License-Identifier: MIT */
/*
 * Trusted certificates read when a chain needs them.
 *
 * A parsed certificate takes about 7 kB, and a public set has 150 of which a gateway needs three.
 * So a bundle on disk is indexed by subject (12 bytes each), the built-in table is its own index,
 * and the handshake asks for the authorities with the subject that a chain's issuer names.
 * The bundle is read through its descriptor and not mapped: a mapping of a file that somebody
 * truncates is a SIGBUS.
 */
#include "internal.h"

#if CM_ON_DEMAND

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/asn1.h>
#include <mbedtls/base64.h>
#include <mbedtls/platform.h>

#include "CRoots.h"

/* The largest PEM block looked at; certificates of public authorities are below 4 kB. */
#define BLOCK_LIMIT 65536u

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";

/* Decodes base64 of a PEM block into memory to be freed. */
static unsigned char *decode_block(const unsigned char *text, size_t length, size_t *der_length) {
  if (length > BLOCK_LIMIT) return NULL;
  unsigned char *der = malloc(length + 1);
  if (der == NULL) return NULL;
  while (length > 0 && text[0] <= ' ') text++, length--;
  while (length > 0 && text[length - 1] <= ' ') length--;
  if (mbedtls_base64_decode(der, length + 1, der_length, text, length) == 0) return der;
  free(der);
  return NULL;
}

/* Hashes the subject of a DER certificate (RFC 5280 section 4.1). 0, or Mbed TLS's code. */
static int hash_subject(unsigned char *der, size_t length, uint32_t *hash) {
  const int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
  /* Skipped before the subject: version, serial, signature algorithm, issuer, validity. */
  const int skipped[] = {MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
                         MBEDTLS_ASN1_INTEGER, sequence, sequence, sequence};
  unsigned char *at = der;
  const unsigned char *end = der + length;
  size_t size = 0;
  int code = mbedtls_asn1_get_tag(&at, end, &size, sequence);
  if (code == 0) code = mbedtls_asn1_get_tag(&at, end, &size, sequence);
  for (size_t i = 0; code == 0 && i < sizeof skipped / sizeof skipped[0]; i++) {
    if (i == 0 && at < end && *at != (unsigned char)skipped[0]) continue;
    code = mbedtls_asn1_get_tag(&at, end, &size, skipped[i]);
    if (code == 0) at += size;
  }
  unsigned char *subject = at;
  if (code == 0) code = mbedtls_asn1_get_tag(&at, end, &size, sequence);
  if (code == 0) *hash = cr_hash(subject, (size_t)(at - subject) + size);
  return code;
}

/* Finds the next block at or after `from`; the base64 text lies between the two results. */
static const char *next_block(const char *from, const char **end) {
  const char *begin = strstr(from, pem_begin);
  if (begin == NULL) return NULL;
  begin += sizeof pem_begin - 1;
  *end = strstr(begin, pem_end);
  return *end == NULL ? NULL : begin;
}

/* Notes where each certificate of the bundle lies. Blocks that are no certificate are left out:
 * one bad line must not cost all authorities. */
int cm_index_bundle(cm_trust *trust, const char *bundle) {
  size_t blocks = 0;
  const char *end = NULL;
  for (const char *at = next_block(bundle, &end); at != NULL; at = next_block(end, &end)) blocks++;
  trust->anchors = calloc(blocks + 1, sizeof *trust->anchors);
  if (trust->anchors == NULL) return -1;
  for (const char *at = next_block(bundle, &end); at != NULL; at = next_block(end, &end)) {
    size_t der_length = 0;
    size_t length = (size_t)(end - at);
    unsigned char *der = decode_block((const unsigned char *)at, length, &der_length);
    struct cm_anchor *anchor = &trust->anchors[trust->count];
    if (der != NULL && hash_subject(der, der_length, &anchor->subject_hash) == 0) {
      anchor->offset = (uint32_t)(at - bundle);
      anchor->length = (uint32_t)length;
      trust->count++;
    }
    free(der);
  }
  return 0;
}

int cm_add_candidate(mbedtls_x509_crt **found, const uint8_t *der, size_t length, int copy) {
  /* Mbed TLS frees the list with its own allocator. */
  mbedtls_x509_crt *candidate = mbedtls_calloc(1, sizeof *candidate);
  if (candidate == NULL) return MBEDTLS_ERR_X509_ALLOC_FAILED;
  mbedtls_x509_crt_init(candidate);
  int code = copy ? mbedtls_x509_crt_parse_der(candidate, der, length)
                  : mbedtls_x509_crt_parse_der_nocopy(candidate, der, length);
  if (code != 0) {
    /* An authority that Mbed TLS cannot read is one that is not trusted. */
    mbedtls_x509_crt_free(candidate);
    mbedtls_free(candidate);
    return code == MBEDTLS_ERR_X509_ALLOC_FAILED ? code : 0;
  }
  candidate->next = *found;
  *found = candidate;
  return 0;
}

/* Reads one certificate of the bundle; adds it if its subject is the issuer wanted. */
static int add_anchor(const cm_trust *trust, const struct cm_anchor *anchor,
                      const mbedtls_x509_buf *issuer, mbedtls_x509_crt **found) {
  int code = 0;
  unsigned char *text = malloc(anchor->length + 1);
  if (text == NULL) return MBEDTLS_ERR_X509_ALLOC_FAILED;
  ssize_t count = pread(trust->fd, text, anchor->length, (off_t)anchor->offset);
  size_t der_length = 0;
  unsigned char *der = NULL;
  if (count == (ssize_t)anchor->length) der = decode_block(text, anchor->length, &der_length);
  if (der != NULL) code = cm_add_candidate(found, der, der_length, 1);
  free(der);
  free(text);
  mbedtls_x509_crt *added = *found;
  if (code != 0 || der == NULL || added == NULL) return code;
  /* Another subject with the same hash, or a file that was rewritten in place. */
  if (added->subject_raw.len != issuer->len ||
      memcmp(added->subject_raw.p, issuer->p, issuer->len) != 0) {
    *found = added->next;
    added->next = NULL;
    mbedtls_x509_crt_free(added);
    mbedtls_free(added);
  }
  return 0;
}

int cm_trust_candidates(const cm_trust *trust, const mbedtls_x509_crt *child,
                        mbedtls_x509_crt **found) {
  const mbedtls_x509_buf *issuer = &child->issuer_raw;
  int code = 0;
  if (trust->is_builtin) {
    int32_t index = cr_find(issuer->p, issuer->len, -1);
    while (index >= 0 && code == 0) {
      uint8_t der[CR_LARGEST_CERTIFICATE];
      size_t length = cr_certificate((size_t)index, der);
      code = cm_add_candidate(found, der, length, 1);
      index = cr_find(issuer->p, issuer->len, index);
    }
    return code;
  }
  uint32_t hash = cr_hash(issuer->p, issuer->len);
  for (int32_t i = 0; trust->anchors != NULL && i < trust->count && code == 0; i++) {
    if (trust->anchors[i].subject_hash == hash) {
      code = add_anchor(trust, &trust->anchors[i], issuer, found);
    }
  }
  return code;
}

#endif
