/* lag: what topics hold, and how far a group is behind, as `stat` records or a
 * table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LAG_H
#define FL_SOURCE_LAG_H

#include <stdbool.h>
#include <stdint.h>

#include "io/writer.h"

/* topics  names, NULL-ended; none: all. lag: of the group, a line for each
 *         partition of which it has committed something; else a line a topic
 * errors  FL_ERR_USAGE --lag without a group; those of fl_kafka_open;
 *         FL_ERR_REFUSED no such topic */
int fl_lag_print(struct fl_io *io, struct fl_writer *out,
		 const char *const *topics, bool lag, const char *group,
		 int64_t now_ns, struct fl_error *err);

#endif
