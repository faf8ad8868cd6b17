/* SPDX-License-Identifier: MIT */
/* Whether the loop's thread is the only one that counts references. */
#ifndef REFERENCES_H
#define REFERENCES_H

#include <stdint.h>

/* Written by the thread of the loop alone, and 0 before a helper thread is given something to do:
 * helpers, which read it only while they are busy, always find 0. */
extern int32_t cp_is_alone;

#endif
