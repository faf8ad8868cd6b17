/* SPDX-License-Identifier: MIT */
/* A certificate of our own making, for a first start with TLS. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>

#include "internal.h"

#define SERIAL_SIZE 16
#define NAMES_LIMIT 1024  /* bytes of the subjectAltName extension */
#define COMMON_NAME_LIMIT 64 /* RFC 5280, ub-common-name-length */
#define TAG_DNS_NAME 0x82
#define TAG_IP_ADDRESS 0x87

/* Extended key usage with the one purpose serverAuth (RFC 5280 section 4.2.1.12). */
static const unsigned char server_purpose[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                               0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

/* Letters that need no escape in a distinguished name and occur in names and addresses. */
static int is_plain_name(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= 253 &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*_") ==
             length;
}

/* Appends one general name. 0, or -1 when there is no room. */
static int add_name(const char *name, uint8_t *out, size_t *used) {
  uint8_t address[16];
  const void *bytes = name;
  size_t length = strlen(name);
  uint8_t tag = TAG_IP_ADDRESS;
  if (inet_pton(AF_INET, name, address) == 1) {
    bytes = address;
    length = 4;
  } else if (inet_pton(AF_INET6, name, address) == 1) {
    bytes = address;
    length = 16;
  } else {
    tag = TAG_DNS_NAME;
  }
  size_t head = length < 0x80 ? 2 : 3;
  if (*used + head + length > NAMES_LIMIT) return -1;
  uint8_t *at = out + *used;
  *at++ = tag;
  if (length >= 0x80) *at++ = 0x81;
  *at++ = (uint8_t)length;
  memcpy(at, bytes, length);
  *used += head + length;
  return 0;
}

/* Writes the subjectAltName extension (RFC 5280 section 4.2.1.6); its length, or 0. */
static size_t encode_names(const char *names, int32_t count, uint8_t *out) {
  uint8_t *content = out + 4;
  size_t used = 0;
  for (int32_t i = 0; i < count; i++, names += strlen(names) + 1) {
    if (!is_plain_name(names) || add_name(names, content, &used) != 0) return 0;
  }
  out[0] = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
  out[1] = 0x82;
  out[2] = (uint8_t)(used >> 8);
  out[3] = (uint8_t)used;
  if (used >= 0x100) return used + 4;
  /* DER wants the shortest length. */
  size_t head = used < 0x80 ? 2 : 3;
  if (head == 3) out[1] = 0x81;
  out[head - 1] = (uint8_t)used;
  memmove(out + head, content, used);
  return used + head;
}

static void format_time(int64_t seconds, char *text, size_t size) {
  struct cm_date date = cm_date_of(seconds);
  (void)snprintf(text, size, "%04u%02u%02u%02u%02u%02u", (unsigned)date.year % 10000u,
                 (unsigned)date.month % 100u, (unsigned)date.day % 100u,
                 (unsigned)date.hour % 100u, (unsigned)date.minute % 100u,
                 (unsigned)date.second % 100u);
}

static int set_serial(mbedtls_x509write_cert *certificate) {
  uint8_t serial[SERIAL_SIZE];
  if (cm_random(serial, sizeof serial) != 0) return cm_rng(NULL, serial, sizeof serial);
  serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and of fixed length */
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
  return mbedtls_x509write_crt_set_serial_raw(certificate, serial, sizeof serial);
#else
  mbedtls_mpi number;
  mbedtls_mpi_init(&number);
  int code = mbedtls_mpi_read_binary(&number, serial, sizeof serial);
  if (code == 0) code = mbedtls_x509write_crt_set_serial(certificate, &number);
  mbedtls_mpi_free(&number);
  return code;
#endif
}

/* Fills everything but the key. The certificate is its own authority (CA:TRUE), so that a client
 * can trust it by naming it. */
static int fill(mbedtls_x509write_cert *certificate, const char *names, int32_t count,
                int64_t not_before, int64_t not_after) {
  char subject[COMMON_NAME_LIMIT + 4];
  char from[16];
  char to[16];
  uint8_t alternatives[NAMES_LIMIT + 4];
  size_t length = encode_names(names, count, alternatives);
  if (count < 1 || length == 0) return MBEDTLS_ERR_X509_INVALID_NAME;
  const char *common = strlen(names) <= COMMON_NAME_LIMIT ? names : "TinyGateway";
  (void)snprintf(subject, sizeof subject, "CN=%.*s", COMMON_NAME_LIMIT, common);
  format_time(not_before, from, sizeof from);
  format_time(not_after, to, sizeof to);
  mbedtls_x509write_crt_set_version(certificate, MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(certificate, MBEDTLS_MD_SHA256);
  int code = set_serial(certificate);
  if (code == 0) code = mbedtls_x509write_crt_set_validity(certificate, from, to);
  if (code == 0) code = mbedtls_x509write_crt_set_subject_name(certificate, subject);
  if (code == 0) code = mbedtls_x509write_crt_set_issuer_name(certificate, subject);
  if (code == 0) code = mbedtls_x509write_crt_set_basic_constraints(certificate, 1, 0);
  if (code == 0) {
    code = mbedtls_x509write_crt_set_key_usage(
        certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_CERT_SIGN);
  }
  if (code == 0) {
    code = mbedtls_x509write_crt_set_extension(certificate, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                               alternatives, length);
  }
  if (code == 0) {
    code = mbedtls_x509write_crt_set_extension(certificate, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
                                               0, server_purpose, sizeof server_purpose);
  }
  return code;
}

int32_t cm_self_signed(const char *names, int32_t count, int64_t not_before, int64_t not_after,
                       char *certificate, char *key, char *error, size_t error_size) {
  mbedtls_pk_context pair;
  mbedtls_x509write_cert writer;
  mbedtls_pk_init(&pair);
  mbedtls_x509write_crt_init(&writer);
  int code = mbedtls_pk_setup(&pair, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (code == 0) {
    code = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pair), cm_rng, NULL);
  }
  if (code == 0) code = fill(&writer, names, count, not_before, not_after);
  if (code == 0) {
    mbedtls_x509write_crt_set_subject_key(&writer, &pair);
    mbedtls_x509write_crt_set_issuer_key(&writer, &pair);
    code = mbedtls_x509write_crt_pem(&writer, (unsigned char *)certificate, CM_PEM_SIZE, cm_rng,
                                     NULL);
  }
  if (code == 0) code = mbedtls_pk_write_key_pem(&pair, (unsigned char *)key, CM_PEM_SIZE);
  mbedtls_x509write_crt_free(&writer);
  mbedtls_pk_free(&pair);
  if (code == 0) return 0;
  mbedtls_platform_zeroize(key, CM_PEM_SIZE);
  if (code == MBEDTLS_ERR_X509_INVALID_NAME) {
    cm_say(error, error_size, "a certificate needs host names or addresses in plain ASCII");
  } else {
    cm_say_code(error, error_size, "the certificate could not be made", code);
  }
  return -1;
}
