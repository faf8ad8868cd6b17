/* SPDX-License-Identifier: MIT */
/* Short English for what goes wrong. Mbed TLS's own table costs tens of kilobytes and speaks of
 * functions and modules; whoever reads a log wants to know what to change. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

struct code_text {
  int code;
  const char *text;
};

static const struct code_text code_texts[] = {
    {MBEDTLS_ERR_NET_RECV_FAILED, "receiving failed"},
    {MBEDTLS_ERR_NET_SEND_FAILED, "sending failed"},
    {MBEDTLS_ERR_NET_CONN_RESET, "the peer reset the connection"},
    {MBEDTLS_ERR_SSL_CONN_EOF, "the peer closed the connection"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, "the peer does not speak TLS here"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, "a record was altered on its way"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "unexpected message"},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, "no memory"},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, "no memory"},
    {MBEDTLS_ERR_SSL_INTERNAL_ERROR, "internal error of the TLS library"},
    {MBEDTLS_ERR_X509_FATAL_ERROR, "the certificate chain could not be checked"},
    {-0x003C, "the system's random number generator is not ready yet"},
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "malformed message"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "no common TLS parameters"},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "no common TLS version (1.2 or later is needed)"},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, "malformed or missing certificate"},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, "no common application protocol"},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, "illegal parameter"},
#else
    {MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION, "no common TLS version (1.2 or later is needed)"},
    {MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN, "no common cipher suite"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO, "malformed ServerHello"},
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO, "malformed ClientHello"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE, "malformed or missing certificate"},
#endif
};

const char *cm_code_text(int code) {
  for (size_t i = 0; i < sizeof code_texts / sizeof code_texts[0]; i++) {
    if (code_texts[i].code == code) return code_texts[i].text;
  }
  return NULL;
}

void cm_say(char *error, size_t size, const char *text) {
  if (size > 0) (void)snprintf(error, size, "%s", text);
}

void cm_say_code(char *error, size_t size, const char *text, int code) {
  if (size == 0) return;
  const char *why = cm_code_text(code);
  if (why != NULL) {
    (void)snprintf(error, size, "%s: %s", text, why);
  } else {
    (void)snprintf(error, size, "%s (Mbed TLS -0x%04x)", text, (unsigned)-code);
  }
}

/* RFC 8446 section 6.2. */
static const struct code_text alert_texts[] = {
    {40, "no common TLS parameters"},
    {42, "our certificate is bad"},
    {46, "our certificate is not accepted"},
    {48, "our certificate's issuer is unknown to the peer"},
    {51, "decryption failed"},
    {70, "no common TLS version"},
    {71, "the parameters are too weak for the peer"},
    {80, "internal error of the peer"},
    {112, "the peer does not know this host name"},
    {116, "the peer demands a client certificate"},
    {120, "no common application protocol"},
};

void cm_describe_alert(int number, char *text, size_t size) {
  const char *meaning = NULL;
  for (size_t i = 0; i < sizeof alert_texts / sizeof alert_texts[0]; i++) {
    if (alert_texts[i].code == number) meaning = alert_texts[i].text;
  }
  (void)snprintf(text, size, "the peer refused with alert %d%s%s", number,
                 meaning != NULL ? ": " : "", meaning != NULL ? meaning : "");
}

struct flag_text {
  uint32_t flag;
  const char *text;
};

static const struct flag_text flag_texts[] = {
    {MBEDTLS_X509_BADCERT_CN_MISMATCH, "wrong host name"},
    {MBEDTLS_X509_BADCERT_EXPIRED, "expired"},
    {MBEDTLS_X509_BADCERT_FUTURE, "not yet valid"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "unknown issuer"},
    {MBEDTLS_X509_BADCERT_REVOKED, "revoked"},
    {MBEDTLS_X509_BADCERT_MISSING, "no certificate was sent"},
    {MBEDTLS_X509_BADCERT_BAD_MD, "signed with a weak hash"},
    {MBEDTLS_X509_BADCERT_BAD_PK, "key of a kind that is not accepted"},
    {MBEDTLS_X509_BADCERT_BAD_KEY, "key too short or on a curve that is not accepted"},
    {MBEDTLS_X509_BADCERT_KEY_USAGE, "key not meant for this use"},
    {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "certificate not meant for servers"},
    {MBEDTLS_X509_BADCERT_NS_CERT_TYPE, "certificate not meant for servers"},
};

int32_t cm_describe_flags(uint32_t flags, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < sizeof flag_texts / sizeof flag_texts[0] && used < size; i++) {
    if ((flags & flag_texts[i].flag) == 0) continue;
    int count = snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                         flag_texts[i].text);
    if (count > 0) used += (size_t)count;
  }
  if (used == 0) cm_say(text, size, "refused");
  return (int32_t)strlen(text);
}
