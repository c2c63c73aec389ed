/* bar: a bar as numbers, and how two of one interval become one.
 *
 * What fl-agg makes, what stores merge and what a reader of the lake puts
 * together are the same sums: they all come from here.
 *
 * source  records.md: "Partial bars merge"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_REC_BAR_H
#define FL_REC_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "io/reject.h"
#include "rec/record.h"
#include "rec/sessions.h"

/* The bar's fields by their place in its table. */
enum fl_bar_field {
	FL_BAR_TYPE,
	FL_BAR_TS,
	FL_BAR_PROVIDER,
	FL_BAR_SYMBOL,
	FL_BAR_INTERVAL,
	FL_BAR_OPEN,
	FL_BAR_HIGH,
	FL_BAR_LOW,
	FL_BAR_CLOSE,
	FL_BAR_ADJ,
	FL_BAR_DATE,
	FL_BAR_TS_END,
	FL_BAR_TZ,
	FL_BAR_VOLUME,
	FL_BAR_TURNOVER,
	FL_BAR_VWAP,
	FL_BAR_TRADES,
	FL_BAR_ADJ_CLOSE,
	FL_BAR_FIRST_TS,
	FL_BAR_LAST_TS,
	FL_BAR_SESSION,
	FL_BAR_FINAL,
	FL_BAR_PARTIAL,
	FL_BAR_IND,
	FL_BAR_REPAIRED,
	FL_BAR_GAP,
	FL_BAR_CURRENCY,
	FL_BAR_CURRENCY_SRC,
	FL_BAR_PRICE_SCALE,
	FL_BAR_MIC,
	FL_BAR_EXCHANGE,
	FL_BAR_SYMBOL_SRC,
	FL_BAR_TS_RECV,
	FL_BAR_FIELDS, /* how many */
};

/* The figures of a bar, or of one tick. */
struct fl_ohlcv {
	struct fl_decimal open, high, low, close;
	struct fl_sum volume, turnover; /* 0 while has_… is false: unknown */
	int64_t trades;
	int64_t first_ts, last_ts;
	bool has_volume, has_turnover, has_trades;
};

/* Take `b` into `a`. Where first_ts or last_ts tie, `a` is the earlier one.
 * Unknown figures count as nothing, so the merge is associative.
 * returns false and leaves `a` as it was when a sum overflows */
bool fl_ohlcv_merge(struct fl_ohlcv *a, const struct fl_ohlcv *b);

/* A bar whole. Texts are borrowed; absent ones have bytes NULL. */
struct fl_bar {
	struct fl_ohlcv v;
	int64_t ts_ns, ts_end_ns; /* ts_end_ns: FL_TIME_NONE when absent */
	struct fl_part provider, symbol, interval, adj, date, tz, session;
	struct fl_part currency, currency_src, mic, exchange;
	struct fl_part price_scale; /* a number as text */
	bool partial, gap;
	bool open_yet; /* final: false */
};

/* From a checked record of type bar without fixes. What a merge does not keep
 * (adj_close, ind, repaired, a vendor's vwap …) is left behind. */
void fl_bar_read(const struct fl_record *rec, struct fl_bar *bar);
/* Append the canonical record: of a whole bar with the vwap that volume and
 * turnover give, of a partial one without. */
void fl_bar_print(const struct fl_bar *bar, struct fl_buf *out);
/* Take `b` into `a`, which is the earlier one in mark order; both of one
 * natural key.
 * returns FL_REASON_NONE; mixed_currency, out_of_range (a sum overflows) with
 *         the note filled and `a` as it was */
enum fl_reason fl_bar_join(struct fl_bar *a, const struct fl_bar *b,
			   struct fl_note *note);

/* The same for records: `out` gets the merged one, still partial.
 * returns also merge_conflict: one of them is no partial bar */
enum fl_reason fl_bar_merge(const struct fl_record *a,
			    const struct fl_record *b, struct fl_buf *out,
			    struct fl_note *note);
/* May trades of the bar still come when all up to newest_ns have (FL_TIME_NONE:
 * unknown)? Not when it has ended, nor when its exchange (NULL: not known)
 * trades no more until then: a week is over on Friday's close. */
bool fl_bar_is_open(const struct fl_bar *bar, int64_t newest_ns,
		    const struct fl_exchange *ex);
/* Append what readers get for a bar made of all its parts: no longer partial,
 * with its vwap, and final:false when it is open yet, by the exchange that its
 * `mic` or `exchange` names in the calendars built in. */
void fl_bar_finish(const struct fl_record *merged, int64_t newest_ns,
		   struct fl_buf *out);
/* Does the record say partial:true? Of any type but bar: no. */
bool fl_bar_is_partial(const struct fl_record *rec);
/* Is it a bar that fl-agg made, of parts or whole? Only such can meet the other
 * kind. */
bool fl_bar_may_meet_parts(const struct fl_record *rec);

#endif
