/* lanes: sixteen bytes looked at together.
 *
 * Of a question asked of each byte comes a mask: bit i is the answer of byte i.
 * Where the machine has no such registers a loop answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_LANES_H
#define FL_BASE_LANES_H

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define FL_LANES 16

#ifdef __SSE2__

struct fl_lanes {
	__m128i bytes;
};

static inline struct fl_lanes fl_lanes_load(const char *from)
{
	return (struct fl_lanes){ _mm_loadu_si128(
		(const __m128i *)(const void *)from) };
}

static inline void fl_lanes_store(char *to, struct fl_lanes lanes)
{
	_mm_storeu_si128((__m128i *)(void *)to, lanes.bytes);
}

/* Which bytes are `c`? */
static inline unsigned fl_lanes_equal(struct fl_lanes lanes, char c)
{
	return (unsigned)_mm_movemask_epi8(
		_mm_cmpeq_epi8(lanes.bytes, _mm_set1_epi8(c)));
}

/* Which are from `least` to `most`, as unsigned numbers? */
static inline unsigned fl_lanes_within(struct fl_lanes lanes,
				       unsigned char least, unsigned char most)
{
	__m128i from = _mm_sub_epi8(lanes.bytes, _mm_set1_epi8((char)least));
	__m128i size = _mm_set1_epi8((char)(most - least));

	return (unsigned)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_min_epu8(from, size), from));
}

#else

struct fl_lanes {
	unsigned char bytes[FL_LANES];
};

static inline struct fl_lanes fl_lanes_load(const char *from)
{
	struct fl_lanes lanes;

	__builtin_memcpy(lanes.bytes, from, FL_LANES);
	return lanes;
}

static inline void fl_lanes_store(char *to, struct fl_lanes lanes)
{
	__builtin_memcpy(to, lanes.bytes, FL_LANES);
}

static inline unsigned fl_lanes_within(struct fl_lanes lanes,
				       unsigned char least, unsigned char most)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < FL_LANES; i++)
		mask |= (unsigned)(lanes.bytes[i] >= least &&
				   lanes.bytes[i] <= most)
			<< i;
	return mask;
}

static inline unsigned fl_lanes_equal(struct fl_lanes lanes, char c)
{
	return fl_lanes_within(lanes, (unsigned char)c, (unsigned char)c);
}

#endif

/* Copy a few bytes: whole lanes are read and written, so there must be room for
 * two of them in either place. Longer ones are copied to the byte. */
static inline void fl_lanes_copy(char *to, const char *from, unsigned long len)
{
	if (len > 2UL * FL_LANES) {
		__builtin_memcpy(to, from, len);
		return;
	}
	fl_lanes_store(to, fl_lanes_load(from));
	fl_lanes_store(to + FL_LANES, fl_lanes_load(from + FL_LANES));
}

#endif
