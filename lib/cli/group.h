/* group: the options that several commands share, and what they set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_GROUP_H
#define FL_CLI_GROUP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "io/io.h"

enum fl_stats {
	FL_STATS_AUTO,
	FL_STATS_TEXT,
	FL_STATS_JSON,
	FL_STATS_NONE,
};

/* What the options of every command said. */
struct fl_common {
	bool quiet, verbose, help, version, show_config, help_man;
	enum fl_stats stats;
	const char *runs, *config, *help_completion;
};
extern struct fl_common fl_common;

/* When all options are read: put into `io` what the shared ones said, and into
 * fl_selects its times, which need the zone.  errors  FL_ERR_USAGE */
int fl_groups_apply(struct fl_io *io, int64_t now_ns, struct fl_arena *arena,
		    struct fl_error *err);
/* The times alone, by another now. */
int fl_groups_as_of(const struct fl_zone *zone, int64_t now_ns,
		    struct fl_error *err);

#endif
