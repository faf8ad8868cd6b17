/* SPDX-License-Identifier: MIT */
/*
 * What the release binaries need of two functions of the C library, in place of musl's, which
 * are 13 kB with all that they pull in. Linked before musl, so that Mbed TLS, musl's inet_ntop
 * and our own C come here.
 */
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct target {
  char *text;
  size_t size, count; /* count goes on where the text is full */
};

static void put(struct target *target, char byte) {
  if (target->count + 1 < target->size) target->text[target->count] = byte;
  target->count++;
}

static void put_number(struct target *target, unsigned number, unsigned base, char letter,
                       int width) {
  char digits[sizeof number * CHAR_BIT];
  int count = 0;
  do {
    unsigned digit = number % base;
    digits[count++] = (char)(digit < 10 ? '0' + digit : letter + (digit - 10));
    number /= base;
  } while (number > 0);
  for (; width > count; width--) put(target, '0');
  while (count > 0) put(target, digits[--count]);
}

/* Knows %s, %.*s, %d, %u, %x, %X, and numbers with zeros in front (%04d); else it returns -1. */
static int format(struct target *target, const char *format, va_list *arguments) {
  for (; *format; format++) {
    int width = 0, precision = INT_MAX, number;
    if (*format != '%') {
      put(target, *format);
      continue;
    }
    if (*++format == '0')
      while (*format >= '0' && *format <= '9') width = width * 10 + (*format++ - '0');
    if (format[0] == '.' && format[1] == '*') {
      precision = va_arg(*arguments, int);
      format += 2;
    }
    switch (*format) {
      case 's':
        for (const char *text = va_arg(*arguments, const char *); precision > 0 && *text;
             precision--)
          put(target, *text++);
        break;
      case 'd':
        number = va_arg(*arguments, int);
        if (number < 0) {
          put(target, '-');
          width--;
        }
        put_number(target, number < 0 ? 0u - (unsigned)number : (unsigned)number, 10, 0, width);
        break;
      case 'u': put_number(target, va_arg(*arguments, unsigned), 10, 0, width); break;
      case 'x':
      case 'X':
        put_number(target, va_arg(*arguments, unsigned), 16, (char)(*format - 'x' + 'a'), width);
        break;
      default: return -1;
    }
  }
  return (int)target->count;
}

int snprintf(char *restrict text, size_t size, const char *restrict pattern, ...) {
  struct target target = {text, size, 0};
  va_list arguments;
  va_start(arguments, pattern);
  int count = format(&target, pattern, &arguments);
  va_end(arguments);
  if (size > 0) text[target.count < size ? target.count : size - 1] = 0;
  return count;
}

/* SQLite's CURRENT_TIMESTAMP asks for it, which no statement of ours uses: nothing is written. */
size_t strftime(char *restrict text, size_t size, const char *restrict pattern,
                const struct tm *restrict time) {
  (void)pattern;
  (void)time;
  if (size > 0) *text = 0;
  return 0;
}
