/* io: see io.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/io.h"

bool fl_stop_requested(const struct fl_io *io)
{
	int stop;

	if (!io->stop)
		return false;
	/* A handler in another thread may be writing it. */
	stop = __atomic_load_n(io->stop, __ATOMIC_RELAXED);
	return stop && (!io->drains || stop >= FL_STOP_NOW);
}
