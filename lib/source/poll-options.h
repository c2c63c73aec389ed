/* poll-options: what the options say about asking a provider, for polled.c.
 *
 * What other sources may know of them is in polled.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_POLL_OPTIONS_H
#define FL_SOURCE_POLL_OPTIONS_H

#include "net/tape.h"
#include "source/polled.h"

/* NULL: not given. */
struct fl_poll_options {
	const char *symbols_from, *agent, *ca_file, *fill, *limit, *record,
		*replay;
	uint64_t parallel, tries;
	int64_t retry_ns, connect_ns, stall_ns, every_ns;
	bool dry_run, ordered, wait;
};

/* Good once they were checked, for as long as the run. */
const struct fl_poll_options *fl_poll_options(void);
/* errors  FL_ERR_USAGE a number that is out of range */
int fl_poll_options_check(const struct fl_ask *ask, struct fl_error *err);

/* What is recorded or played from here on; the same for all sources of a run.
 * errors  FL_ERR_USAGE both, and those of net/tape.h */
int fl_poll_tape_open(const struct fl_ask *ask, struct fl_error *err);
/* The tape that keeps the answers of a run that may be cut off; NULL: none
 * does. */
struct fl_tape *fl_poll_answers(void);

#endif
