/* bar-series: the bars that are open, by series and interval, and when they are
 * done.
 *
 * A series is what shares a natural key before the time. Its watermark is the
 * newest time seen in it less the lateness allowed: a bar that ends there or
 * before is written and gone, and a record for it is late. No series makes
 * another one late, so history may come symbol by symbol.
 *
 * In a marked stream nothing is late: at each mark all open bars are written as
 * parts, which the stores merge.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_BAR_SERIES_H
#define FL_OP_BAR_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "base/zone.h"
#include "io/io.h"
#include "io/writer.h"
#include "rec/bar.h"
#include "rec/sessions.h"

#define FL_BARS_INTERVALS_MAX 16

struct fl_bars_config {
	struct fl_io *io;
	struct fl_writer *out;
	struct fl_interval intervals[FL_BARS_INTERVALS_MAX];
	unsigned count;
	int64_t lateness_ns;
	int64_t close_idle_ns; /* 0: never */
	bool partial;          /* parts, also without marks */
	bool gaps;             /* fill what had no trade */
};

/* What records agree in that go into the same bars. Absent texts have bytes
 * NULL. */
struct fl_bar_origin {
	struct fl_part provider, symbol, adj, session, tz;
	struct fl_part currency, currency_src, price_scale, mic, exchange;
	struct fl_interval interval;  /* of the input's bars; ns and months 0:
				       * ticks */
	const struct fl_zone *zone;   /* whose wall clock decides; NULL: UTC */
	const struct fl_exchange *ex; /* NULL: not known */
};

/* Figures that go into the bars of one moment. */
struct fl_bar_input {
	const struct fl_ohlcv *v;
	int64_t at_ns;  /* in which intraday interval */
	int64_t day;    /* in which dated one */
	int64_t end_ns; /* up to which time they tell: of a tick its own */
};

enum fl_bars_taken {
	FL_BARS_TAKEN,
	FL_BARS_LATE,    /* a bar it belongs to was written before */
	FL_BARS_OTHER,   /* the series is made of another interval */
	FL_BARS_REFUSED, /* `reason` and the note say why */
};

struct fl_bars;
struct fl_bar_source;

/* Borrows io and out until closed. */
void fl_bars_open(struct fl_bars **bars, const struct fl_bars_config *config);
/* The source of that origin, made when it is new; lives until closed. */
struct fl_bar_source *fl_bars_source(struct fl_bars *bars,
				     const struct fl_bar_origin *origin);
const struct fl_bar_origin *
fl_bar_source_origin(const struct fl_bar_source *source);
/* For whoever asks the exchange about each tick. */
struct fl_session_cache *fl_bar_source_cache(struct fl_bar_source *source);

/* Take figures in; what that closes is written.
 * reason  out, when REFUSED; the note is filled then and when LATE */
int fl_bars_add(struct fl_bars *bars, struct fl_bar_source *source,
		const struct fl_bar_input *in, enum fl_bars_taken *taken,
		enum fl_reason *reason, struct fl_note *note,
		struct fl_error *err);
/* Before a mark: write all that is open as parts. */
int fl_bars_mark(struct fl_bars *bars, struct fl_error *err);
/* Nothing comes: write what --close-idle says is over. */
int fl_bars_idle(struct fl_bars *bars, struct fl_error *err);
/* The input has ended: write the rest. */
int fl_bars_end(struct fl_bars *bars, struct fl_error *err);
void fl_bars_close(struct fl_bars **bars); /* NULL is fine; sets NULL */

#endif
