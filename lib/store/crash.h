/* crash: where builds for tests can be told to die.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_CRASH_H
#define FL_STORE_CRASH_H

#include <stdint.h>

/* FL_CRASH_AT=before_commit:3 kills us at the third passage of that point. Does
 * nothing in other builds. */
#ifdef FL_TESTING
void fl_crash_at(const char *point, uint64_t passage);
#else
static inline void fl_crash_at(const char *point, uint64_t passage)
{
	(void)point;
	(void)passage;
}
#endif

#endif
