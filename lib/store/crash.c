/* crash: see crash.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/crash.h"

#ifdef FL_TESTING
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void fl_crash_at(const char *point, uint64_t passage)
{
	const char *wish = getenv("FL_CRASH_AT");
	size_t len = strlen(point);

	if (wish && strncmp(wish, point, len) == 0 && wish[len] == ':' &&
	    strtoull(wish + len + 1, NULL, 10) == passage)
		raise(SIGKILL);
}
#endif
