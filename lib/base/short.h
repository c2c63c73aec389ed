/* short: comparing and copying a few bytes without a call.
 *
 * Keys and values of records are 2 to 24 bytes long, where calling the C
 * library costs more than the work. Longer ones go there all the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_SHORT_H
#define FL_BASE_SHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For a large buffer on a hot path, filled before it is read: leave out the
 * zeroing of automatic variables that the hardening flags ask for. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define FL_UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef FL_UNINITIALIZED
#define FL_UNINITIALIZED
#endif

static inline uint64_t fl_load64(const char *p)
{
	uint64_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint32_t fl_load32(const char *p)
{
	uint32_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

/* Are a[len] and b[len] the same? Never reads past either. */
static inline __attribute__((always_inline)) bool
fl_short_equal(const char *a, const char *b, size_t len)
{
	if (len > 16)
		return memcmp(a, b, len) == 0;
	/* Two words that overlap cover every length between one and two. */
	if (len >= 8)
		return fl_load64(a) == fl_load64(b) &&
		       fl_load64(a + len - 8) == fl_load64(b + len - 8);
	if (len >= 4)
		return fl_load32(a) == fl_load32(b) &&
		       fl_load32(a + len - 4) == fl_load32(b + len - 4);
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

/* A hash of text[len] for tables of short keys that nobody chooses to collide:
 * symbols and the like. */
static inline uint64_t fl_short_hash(const char *text, size_t len)
{
	uint64_t a = 0, b = 0;

	if (len >= 8) {
		a = fl_load64(text);
		b = fl_load64(text + len - 8);
	} else if (len >= 4) {
		a = fl_load32(text);
		b = fl_load32(text + len - 4);
	} else {
		for (size_t i = 0; i < len; i++)
			a = a << 8 | (unsigned char)text[i];
	}
	a = (a ^ len) * UINT64_C(0x9e3779b97f4a7c15) ^ b;
	a *= UINT64_C(0xd6e8feb86659fd93);
	return a ^ a >> 32;
}

/* Copy from[len] to `to`, which must not overlap. */
static inline __attribute__((always_inline)) void
fl_short_copy(char *to, const char *from, size_t len)
{
	if (len > 32) {
		__builtin_memcpy(to, from, len);
	} else if (len >= 16) {
		__builtin_memcpy(to, from, 16);
		__builtin_memcpy(to + len - 16, from + len - 16, 16);
	} else if (len >= 8) {
		__builtin_memcpy(to, from, 8);
		__builtin_memcpy(to + len - 8, from + len - 8, 8);
	} else if (len >= 4) {
		__builtin_memcpy(to, from, 4);
		__builtin_memcpy(to + len - 4, from + len - 4, 4);
	} else {
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
	}
}

#endif
