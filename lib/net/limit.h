/* limit: how often a provider is asked, by all processes together.
 *
 * A provider counts by key and address, not by process: cron starts one each
 * minute, and each would believe that nothing was asked today. So what was
 * asked stands in a file of the state folder (io/state.h), one a provider and
 * key; a lock on it makes counting and asking one step.
 *
 * Pace (per second, per minute) goes by the monotonic clock, the day by the
 * wall clock in the provider's zone: no correction of the clock gives away
 * more than there is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_LIMIT_H
#define FL_NET_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FL_LIMIT_MOST 1000000 /* of any unit */

struct fl_limits {
	unsigned per_second, per_minute, per_day; /* 0: no such limit */
	unsigned burst;       /* beyond the pace of per_second at once: our own
			       * pace; 0: the provider's, which is kept strictly */
	const char *day_zone; /* where its day begins at midnight; NULL: UTC */
};

/* Read `--limit`: "1/s,25/d", "75/m", "2/s+5" (a burst of 5), "none"; with
 * "alphavantage:" before an item it is for that provider alone. What is said
 * for a provider, or for all, stands for all that it has by itself.
 *
 * limits  in: the provider's own; out: what holds
 * errors  FL_ERR_USAGE */
int fl_limits_read(const char *text, const char *provider,
		   struct fl_limits *limits, struct fl_error *err);

struct fl_limit;

/* key     counted apart from others; only a hash of it is kept; NULL: none
 * limits  copied; none at all: no file is made, and all is granted
 * tell    about what is no error: one line; NULL
 * errors  FL_ERR_IO, FL_ERR_USAGE no folder to count in, and there is a limit a
 *         day; without one, this process counts for itself */
int fl_limit_open(struct fl_limit **limit, const char *provider,
		  const char *key, const struct fl_limits *limits,
		  void (*tell)(void *arg, const char *text), void *arg,
		  struct fl_error *err);

enum fl_granted {
	FL_LIMIT_ASK,   /* counted: ask now */
	FL_LIMIT_WAIT,  /* come back in *wait_ns */
	FL_LIMIT_SPENT, /* nothing is left of the day, which ends in *wait_ns */
};

/* May one more request be sent, now?
 * errors  FL_ERR_IO; FL_ERR_AGAIN the lock is not to be had */
int fl_limit_take(struct fl_limit *limit, enum fl_granted *granted,
		  int64_t *wait_ns, struct fl_error *err);
/* The answer came: the request may have got there only now, so the next one
 * keeps its distance from this moment. `more` requests were sent on the way, by
 * redirects. */
int fl_limit_settle(struct fl_limit *limit, unsigned more,
		    struct fl_error *err);
/* The provider says that nothing is left, whatever we have counted. */
int fl_limit_exhaust(struct fl_limit *limit, struct fl_error *err);
/* "alphavantage: 25 of 25 requests used today; again after 2026-11-24T05:00Z"
 */
void fl_limit_words(const struct fl_limit *limit, char *text, size_t size);
void fl_limit_close(struct fl_limit **limit); /* NULL is fine; sets NULL */

/* What is left, for those who look. */
struct fl_limit_left {
	char provider[33], key[13], zone[65]; /* key: of its hash; "" */
	struct fl_limits limits;              /* day_zone is zone */
	unsigned day_used, minute_used;
	int64_t day_end_ns;
};

/* Of one provider and key; a file is not needed. */
int fl_limit_look(const char *provider, const char *key,
		  const struct fl_limits *limits, struct fl_limit_left *left,
		  struct fl_error *err);
/* Of every file in the folder. */
int fl_limit_each(int (*each)(void *arg, const struct fl_limit_left *left,
			      struct fl_error *err),
		  void *arg, struct fl_error *err);

#endif
