/* calendar: reports and listings to come. These answers are always CSV.
 *
 * source  sources.md, 2.3
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "source/av/av.h"

enum {
	DATE,
	SYMBOL,
	NAME,
	CURRENCY,
	ESTIMATE, /* of an offering the lowest price */
	PERIOD,   /* of an offering the highest one */
	TIME,     /* of an offering the exchange */
};

static const char *const earnings[] = { "reportdate",   "symbol",
					"name",         "currency",
					"estimate",     "fiscaldateending",
					"timeoftheday", NULL };
static const char *const ipos[] = { "ipodate",       "symbol",
				    "name",          "currency",
				    "pricerangelow", "pricerangehigh",
				    "exchange",      NULL };

static bool is_symbol(struct fl_av_value value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.text[i] <= ' ' || value.text[i] >= 0x7f)
			return false;
	return value.text && value.len <= 64;
}

/* Zero is how a price range says that it is not known. */
static struct fl_av_value positive(struct fl_av_value value)
{
	struct fl_decimal number;
	bool rounded = false;

	if (fl_av_number(value, &number, &rounded) && !number.mant)
		value.text = NULL;
	return value;
}

/* One row, whose date is good. returns the field that is not; NULL */
static const char *put_row(struct fl_av_job *job, const struct fl_av_table *t,
			   int64_t day)
{
	bool ipo = job->asked == FL_AV_IPOS, rounded = false;
	struct fl_av_value code = fl_av_cell(t, SYMBOL);
	struct fl_av_value currency = fl_av_cell(t, CURRENCY);
	const struct fl_subunit *sub =
		currency.text ? fl_subunit_find(currency.text, currency.len)
			      : NULL;
	struct fl_buf *out;
	char symbol[80];

	if (!is_symbol(code))
		return "symbol";
	fl_av_yahoo(code.text, code.len, symbol, sizeof(symbol));
	if (strlen(symbol) > 64)
		return "symbol";
	out = fl_av_item_begin(job, "calendar", day * FL_DAY, true);
	fl_buf_puts(out, ipo ? ",\"kind\":\"ipo\"" : ",\"kind\":\"earnings\"");
	fl_av_put_text(out, "symbol", fl_av_value(symbol, strlen(symbol)));
	if (!ipo && !fl_av_put_scaled(out, "estimate", fl_av_cell(t, ESTIMATE),
				      sub, &rounded))
		return "estimate";
	(void)fl_av_put_currency(out, currency);
	if (!ipo) {
		fl_av_put_label(out, "period", fl_av_cell(t, PERIOD));
		fl_av_put_label(out, "time_of_day", fl_av_cell(t, TIME));
	}
	fl_av_put_source(out, code.text, code.len, symbol);
	fl_av_put_text(out, "name", fl_av_cell(t, NAME));
	if (ipo) {
		if (!fl_av_put_scaled(out, "price_low",
				      positive(fl_av_cell(t, ESTIMATE)), sub,
				      &rounded))
			return "price_low";
		if (!fl_av_put_scaled(out, "price_high",
				      positive(fl_av_cell(t, PERIOD)), sub,
				      &rounded))
			return "price_high";
		fl_av_put_label(out, "exchange", fl_av_cell(t, TIME));
	}
	fl_av_item_end(job, day * FL_DAY, rounded);
	return NULL;
}

int fl_av_take_calendar(struct fl_av_job *job,
			const struct fl_http_answer *answer, bool csv,
			struct fl_poll_fault *fault)
{
	const struct fl_av_plan *plan = job->plan;
	struct fl_av_table table;
	int got;

	if (!csv)
		return fl_av_malformed(fault, answer, "no calendar");
	got = fl_av_table_open(&table,
			       job->asked == FL_AV_IPOS ? ipos : earnings,
			       answer, fault);
	while (got >= 0 &&
	       (got = fl_av_table_next(&table, answer, fault)) == 1) {
		const char *bad = "date";
		int64_t day;

		job->item_start = job->text.len;
		if (fl_av_day(fl_av_cell(&table, DATE), &day)) {
			if ((plan->from_day != FL_TIME_NONE &&
			     day < plan->from_day) ||
			    (plan->to_day != FL_TIME_NONE &&
			     day >= plan->to_day))
				continue;
			bad = put_row(job, &table, day);
		}
		if (bad)
			fl_av_item_refuse(job,
					  strcmp(bad, "date") == 0
						  ? FL_REASON_bad_time
						  : FL_REASON_bad_type,
					  table.row.raw, table.row.raw_len, bad,
					  "the row has no good '%s'", bad);
	}
	fl_av_table_close(&table);
	return got < 0 && fault->pause ? 1 : got;
}
