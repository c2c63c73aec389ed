/* sessions: when an exchange trades: its trading dates and, of each, open,
 * close, lunch break, pre and post market.
 *
 * What is known stands in a file of text, lib/rec/calendars.txt, which is built
 * into the programs and which another of the same form may replace. Instants
 * are nanoseconds since 1970 UTC, dates are days since 1970 at the exchange.
 * What was opened is read only: safe to use from several threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_SESSIONS_H
#define FL_REC_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

struct fl_calendars; /* all exchanges of one file */
struct fl_exchange;

#define FL_DAY_NONE INT64_MIN

/* path  NULL: the calendars built in; else a file as fl_stream_open reads it
 * errors  FL_ERR_IO cannot read it; FL_ERR_DATA, with file and line, what is
 *         wrong there; FL_ERR_USAGE, likewise, a time zone that is not
 *         installed */
int fl_calendars_open(const struct fl_calendars **set, const char *path,
		      struct fl_error *err);
void fl_calendars_close(const struct fl_calendars **set);

/* By any of its names: a MIC, a provider's code, the name in the file; letter
 * case does not matter. NULL: none has it. Lives as long as the set. */
const struct fl_exchange *fl_exchange_find(const struct fl_calendars *set,
					   const char *code, size_t len);
/* All of them in the order of the file; NULL past the last. */
const struct fl_exchange *fl_exchange_number(const struct fl_calendars *set,
					     size_t number);
const char *fl_exchange_name(const struct fl_exchange *ex);
const char *fl_exchange_zone_name(const struct fl_exchange *ex);
const struct fl_zone *fl_exchange_zone(const struct fl_exchange *ex);

/* One trading date. The instants ascend in this order:
 *
 *   pre_open <= open < [break_from < break_to <] close <= closing <= post_close
 */
struct fl_session {
	int64_t day;
	int64_t pre_open_ns; /* as open_ns where there is no pre-market */
	int64_t open_ns;
	int64_t break_from_ns, break_to_ns; /* both 0: no break */
	int64_t close_ns;
	int64_t closing_ns; /* the last instant at which prints of the closing
			     * auction come; as close_ns where there is none */
	int64_t post_close_ns; /* as closing_ns where there is no post-market */
};

/* false: no trading date. Where an exchange opens on the evening before (FX on
 * Sunday at 17:00 in New York), `day` is the date on which it closes. */
bool fl_exchange_session(const struct fl_exchange *ex, int64_t day,
			 struct fl_session *out);
/* Does the file vouch for that date? Outside of what it does, weekdays are
 * trading dates and the hours are those nearest in time. */
bool fl_exchange_known(const struct fl_exchange *ex, int64_t day);

/* The first trading date after `day`, the last before it; FL_DAY_NONE beyond
 * the years of time.h. `day` itself need not be a trading date. */
int64_t fl_exchange_next_day(const struct fl_exchange *ex, int64_t day);
int64_t fl_exchange_previous_day(const struct fl_exchange *ex, int64_t day);
/* How many trading dates from (inclusive) to (exclusive). */
int64_t fl_exchange_count_days(const struct fl_exchange *ex, int64_t from,
			       int64_t to);

/* Is there regular trading at any instant from (inclusive) to (exclusive)? If
 * not, *next (unless NULL) is the end of the stretch without any, at `to` or
 * after it. */
bool fl_exchange_trades(const struct fl_exchange *ex, int64_t from_ns,
			int64_t to_ns, int64_t *next);

enum fl_session_kind {
	FL_SESSION_CLOSED = 0,
	FL_SESSION_PRE,
	FL_SESSION_REGULAR,
	FL_SESSION_BREAK, /* the lunch break */
	FL_SESSION_POST,
};

/* What holds at an instant, and how long. One for each series, or at least for
 * each thread; starts zeroed. */
struct fl_session_cache {
	const struct fl_exchange *ex;
	int64_t from_ns, to_ns; /* [from, to): the answer is the same */
	enum fl_session_kind kind;
	int64_t day; /* of `session`; FL_DAY_NONE: none is left to come */
	/* The one that the instant belongs to; when CLOSED the next one. */
	struct fl_session session;
};

enum fl_session_kind fl_exchange_look(const struct fl_exchange *ex, int64_t ns,
				      struct fl_session_cache *cache);

/* Which part of which trading date an instant belongs to; the rest of the
 * answer stands in `cache`. Made to be asked for every tick.
 *
 * Openings are inclusive. Closings are too, where the opening of another
 * session does not claim the instant: the price of the day is often made at the
 * very close, or in an auction a few minutes after it. So from close_ns up to
 * closing_ns (inclusive) it is REGULAR; fl_session_inside says where such a
 * tick counts. Likewise a tick at break_from_ns belongs to the morning. Where
 * trading goes on around the clock, midnight belongs to the new day alone. */
static inline enum fl_session_kind
fl_exchange_at(const struct fl_exchange *ex, int64_t ns,
	       struct fl_session_cache *cache)
{
	if (cache->ex == ex && ns >= cache->from_ns && ns < cache->to_ns)
		return cache->kind;
	return fl_exchange_look(ex, ns, cache);
}

/* Where a REGULAR tick counts that bars of the session are made of: those of
 * the close and its auction in the last bar, those at the break's beginning in
 * the last one before it. Other instants are given back as they are. */
static inline int64_t fl_session_inside(const struct fl_session *session,
					int64_t ns)
{
	if (ns >= session->close_ns)
		return session->close_ns - 1;
	if (session->break_to_ns && ns == session->break_from_ns)
		return ns - 1;
	return ns;
}

#endif
