/* every: the times of what is done again and again.
 *
 * The n-th time is the first plus n times the step, by the monotonic clock:
 * however long each takes, they do not drift. A time that was missed is left
 * out, not made up for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_EVERY_H
#define FL_SOURCE_EVERY_H

#include <stdint.h>

struct fl_every {
	int64_t first_ns, step_ns;
};

/* The first time that lies behind now_ns. */
static inline int64_t fl_every_next(const struct fl_every *every,
				    int64_t now_ns)
{
	return every->first_ns + ((now_ns - every->first_ns) / every->step_ns +
				  1) * every->step_ns;
}

#endif
