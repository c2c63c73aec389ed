/* Times of what is done again and again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/every.h"
#include "base/time.h"
#include "tap.h"

int main(void)
{
	const struct fl_every every = { 5 * FL_SECOND, 10 * FL_SECOND };
	int64_t now = 5 * FL_SECOND;

	is_int(fl_every_next(&every, now), 15 * FL_SECOND,
	       "the second time is a step later");
	is_int(fl_every_next(&every, now + 1), 15 * FL_SECOND,
	       "however long the first one took");
	is_int(fl_every_next(&every, 15 * FL_SECOND - 1), 15 * FL_SECOND,
	       "up to the moment");
	is_int(fl_every_next(&every, 15 * FL_SECOND), 25 * FL_SECOND,
	       "which is over when it has come");
	is_int(fl_every_next(&every, 48 * FL_SECOND), 55 * FL_SECOND,
	       "what was missed is left out");
	for (int i = 0; i < 1000; i++) /* each takes 0.3 s */
		now = fl_every_next(&every, now + 300000000);
	is_int(now, 10005 * FL_SECOND, "a thousand times do not drift");
	return done_testing();
}
