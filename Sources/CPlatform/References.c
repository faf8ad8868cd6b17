/* SPDX-License-Identifier: MIT */
/*
 * Swift's counting of references without the processor's lock while no other thread can count.
 *
 * These take the place of the weak functions that Embedded Swift emits, which always lock: a
 * request counts about five hundred times, and a locked addition takes as long as twenty plain
 * ones.
 * Helper threads touch objects between cp_lock_unpark and cp_lock_park only; while all of them are
 * parked (cp_is_alone) the loop counts plainly.
 *
 * The layout is that of Embedded Swift 6.3 (HeapObject.h, EmbeddedRuntime.swift): the metadata,
 * whose second word destroys the object, and the count, whose upper bit belongs to the runtime and
 * whose other bits are all set in objects that are never freed.
 */
#include "CPlatform.h"
#include "References.h"

#if TG_EMBEDDED
typedef void __attribute__((swiftcall)) (*destroy_t)(void *object __attribute__((swift_context)));

typedef struct {
  void *superclass;
  destroy_t destroy;
} metadata_t;

typedef struct {
  const metadata_t *metadata;
  intptr_t count;
} object_t;

void *swift_retain(void *raw);
void swift_release(void *raw);

/* Addresses with the upper bit are no objects on 64-bit processors. */
static int is_object(const object_t *object) {
  return sizeof object == 8 ? (intptr_t)object > 0 : object != NULL;
}

/* Whether the count says "never freed". No object has so many references that the bit below the
 * upper one is set, so one bit tells, in two instructions: these functions run hundreds of times
 * per request. */
static int is_eternal(intptr_t count) { return (count & (INTPTR_MAX - (INTPTR_MAX >> 1))) != 0; }

/* Apart, so that the plain way needs no frame. */
__attribute__((noinline)) static void add_locked(object_t *object) {
  __atomic_fetch_add(&object->count, 1, __ATOMIC_RELAXED);
}

void *swift_retain(void *raw) {
  object_t *object = raw;
  if (!is_object(object)) return raw;
  intptr_t count = __atomic_load_n(&object->count, __ATOMIC_RELAXED);
  if (is_eternal(count)) return raw;
  if (__builtin_expect(cp_is_alone, 1)) {
    object->count = count + 1;
    return raw;
  }
  add_locked(object);
  return raw;
}

void swift_release(void *raw) {
  object_t *object = raw;
  if (!is_object(object)) return;
  intptr_t count = __atomic_load_n(&object->count, __ATOMIC_RELAXED);
  if (is_eternal(count)) return;
  if (__builtin_expect(cp_is_alone, 1)) {
    object->count = --count;
  } else {
    count = __atomic_sub_fetch(&object->count, 1, __ATOMIC_ACQ_REL);
  }
  if ((count & INTPTR_MAX) != 0) return;
  /* While it is destroyed its own releases and retains do not count. */
  object->count = count | INTPTR_MAX;
  object->metadata->destroy(object);
}
#else
/* A translation unit must not be empty. */
typedef int cp_references_are_swifts;
#endif
