/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "internal.h"

#ifndef TG_BUILD_TIME
#error "TG_BUILD_TIME must be defined: Unix seconds of the build"
#endif

#define DAY_SECONDS 86400

int64_t cm_build_time(void) { return (int64_t)TG_BUILD_TIME; }

int64_t cm_judging_time(void) {
  /* Boards without a clock chip start in 1970; a certificate of today is not "not yet valid"
   * there. */
  int64_t now = (int64_t)time(NULL);
  return now > cm_build_time() ? now : cm_build_time();
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. The year is taken to begin
 * in March, so that the leap day comes last; 719468 days lie before 1970 from 0000-03-01. */
static int64_t days_of(int32_t year, int32_t month, int32_t day) {
  int64_t y = month <= 2 ? (int64_t)year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

struct cm_date cm_date_of(int64_t seconds) {
  int64_t days = seconds / DAY_SECONDS;
  int64_t rest = seconds % DAY_SECONDS;
  if (rest < 0) {
    rest += DAY_SECONDS;
    days--;
  }
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * day_of_year + 2) / 153;
  struct cm_date date;
  date.day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  date.month = (int32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
  date.hour = (int32_t)(rest / 3600);
  date.minute = (int32_t)(rest / 60 % 60);
  date.second = (int32_t)(rest % 60);
  return date;
}

int64_t cm_seconds_of(const mbedtls_x509_time *time) {
  return days_of(time->year, time->mon, time->day) * DAY_SECONDS + (int64_t)time->hour * 3600 +
         (int64_t)time->min * 60 + time->sec;
}

void cm_judge_validity(const mbedtls_x509_crt *certificate, uint32_t *flags) {
  int64_t now = cm_judging_time();
  *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  if (now < cm_seconds_of(&certificate->valid_from)) *flags |= MBEDTLS_X509_BADCERT_FUTURE;
  if (now > cm_seconds_of(&certificate->valid_to)) *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
}
