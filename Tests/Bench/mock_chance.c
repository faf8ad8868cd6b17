/* SPDX-License-Identifier: MIT */
#include "mock.h"

/* xorshift64*: the same numbers in every run. */
static unsigned draw(unsigned bound) {
  static unsigned long long state = 0x9E3779B97F4A7C15ULL;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (unsigned)((state * 0x2545F4914F6CDD1DULL) >> 33) % bound;
}

void options_draw(struct options *o) {
  unsigned fate = draw(100);
  o->interval_ms = o->interval_ms == 20 ? 0 : o->interval_ms;
  o->chunks = (int)draw(20) + 1;
  o->prompt = (int)draw(5000);
  o->completion = (int)draw(2000);
  o->cached = draw(3) ? 0 : (int)draw((unsigned)o->prompt + 1);
  if (fate < 4) o->status = 429;
  else if (fate < 8) o->status = 500;
  else if (fate < 12) o->cut = true;
  else if (fate < 22) o->silent = true;
}
