/* event: dividends and splits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/av/av.h"

static bool is_split(const struct fl_av_event *event)
{
	return event->under.mant != 0;
}

static void add(struct fl_av_job *job, const struct fl_av_event *event)
{
	/* Two functions may tell of one: the later answer says more. */
	for (size_t i = 0; i < job->event_count; i++) {
		if (job->events[i].day == event->day &&
		    is_split(&job->events[i]) == is_split(event)) {
			job->events[i] = *event;
			return;
		}
	}
	if (job->event_count == job->event_cap) {
		job->event_cap = job->event_cap ? 2 * job->event_cap : 16;
		job->events = fl_realloc(job->events, job->event_cap,
					 sizeof(*job->events));
	}
	job->events[job->event_count++] = *event;
}

void fl_av_add_dividend(struct fl_av_job *job, const struct fl_av_event *event)
{
	if (event->over.mant > 0)
		add(job, event);
}

/* The plainest fraction that is written so: 0.3333 is 1 for 3. */
static bool fraction(struct fl_av_value ratio, struct fl_decimal value,
		     int64_t *over, int64_t *under)
{
	const char *dot = memchr(ratio.text, '.', ratio.len);
	size_t digits = dot ? (size_t)(ratio.text + ratio.len - dot) - 1 : 0;
	int64_t unit = 1, scaled;
	struct fl_decimal whole;

	if (digits > 8)
		return false;
	for (size_t i = 0; i < digits; i++)
		unit *= 10;
	if (!fl_decimal_mul(value, fl_decimal_from_i64(unit), &whole) ||
	    whole.scale > 0 || whole.mant <= 0)
		return false;
	for (scaled = whole.mant; whole.scale < 0; whole.scale++) {
		if (scaled > INT64_C(100000000000))
			return false;
		scaled *= 10;
	}
	if (scaled > INT64_C(100000000000))
		return false;
	*over = scaled;
	*under = unit;
	/* Few digits say what they say: 0.1 is not 1 for 7. */
	for (int64_t d = 1; d <= 1000; d++) {
		/* The nearest n: scaled × d / unit */
		int64_t n = (2 * scaled * d + unit) / (2 * unit);
		int64_t off = n * unit - scaled * d;

		/* Is n / d within half a unit of what is written? */
		if (n > 0 && (digits < 3 ? off == 0 : 2 * llabs(off) <= d)) {
			*over = n;
			*under = d;
			break;
		}
	}
	return true;
}

bool fl_av_add_split(struct fl_av_job *job, int64_t day,
		     struct fl_av_value ratio)
{
	struct fl_av_event event = { .day = day };
	struct fl_decimal value;
	bool rounded = false;
	int64_t over = 0, under = 0;

	if (!fl_av_number(ratio, &value, &rounded) || value.mant < 0)
		return false;
	if (!value.mant || (value.mant == 1 && !value.scale))
		return true; /* none on that day */
	if (!fraction(ratio, value, &over, &under))
		return false;
	event.over = fl_decimal_from_i64(over);
	event.under = fl_decimal_from_i64(under);
	add(job, &event);
	return true;
}

/* Each of {"symbol":…,"data":[{…}]}, or of a table. */
struct events {
	struct fl_av_job *job;
	bool splits;
};

static void refuse(struct fl_av_job *job, struct fl_av_value date,
		   struct fl_av_value amount)
{
	struct fl_buf raw = FL_BUF_INIT;

	fl_buf_append(&raw, date.text ? date.text : "-",
		      date.text ? date.len : 1);
	fl_buf_putc(&raw, ' ');
	fl_buf_append(&raw, amount.text ? amount.text : "-",
		      amount.text ? amount.len : 1);
	job->item_start = job->text.len;
	fl_av_item_refuse(job, FL_REASON_bad_number, raw.data, raw.len, "",
			  "an event without a date or a number: '%s'",
			  fl_show(raw.data, raw.len, 100));
	fl_buf_release(&raw);
}

static void take(const struct events *e, struct fl_av_value date,
		 struct fl_av_value amount, const struct fl_av_value dates[3])
{
	struct fl_av_event event = { .day = 0 };
	bool rounded = false;
	int64_t day;

	if (e->splits) {
		if (!fl_av_day(date, &event.day) ||
		    !fl_av_add_split(e->job, event.day, amount))
			refuse(e->job, date, amount);
		return;
	}
	if (!fl_av_day(date, &event.day) ||
	    !fl_av_number(amount, &event.over, &rounded)) {
		refuse(e->job, date, amount);
		return;
	}
	for (int i = 0; i < 3; i++)
		if (fl_av_day(dates[i], &day))
			memcpy(event.dates[i], dates[i].text, 10);
	fl_av_add_dividend(e->job, &event);
}

static const char *const names[2][6] = {
	{ "ex dividend date", "amount", "declaration date", "record date",
	  "payment date", NULL },
	{ "effective date", "split factor", NULL, NULL, NULL, NULL },
};

static int take_table(const struct events *e,
		      const struct fl_http_answer *answer,
		      struct fl_poll_fault *fault)
{
	struct fl_av_table table;
	int got = fl_av_table_open(&table, names[e->splits], answer, fault);

	while (got >= 0 &&
	       (got = fl_av_table_next(&table, answer, fault)) == 1) {
		struct fl_av_value dates[3] = { { NULL, 0 } };

		for (size_t i = 0; i < 3 && !e->splits; i++)
			dates[i] = fl_av_cell(&table, i + 2);
		take(e, fl_av_cell(&table, 0), fl_av_cell(&table, 1), dates);
	}
	fl_av_table_close(&table);
	return got < 0 && fault->pause ? 1 : got;
}

static int take_both(const struct events *e,
		     const struct fl_http_answer *answer, bool csv,
		     struct fl_poll_fault *fault)
{
	const struct fl_json *json = &e->job->json;
	uint32_t data;

	if (csv)
		return take_table(e, answer, fault);
	data = fl_av_find(json, 0, "data");
	if (!data || json->toks[data].kind != FL_JSON_ARRAY)
		return fl_av_malformed(fault, answer, "no list of %s",
				       e->splits ? "splits" : "dividends");
	for (uint32_t at = data + 1; at < json->toks[data].next;
	     at = json->toks[at].next) {
		struct fl_av_value dates[3] = { { NULL, 0 } };

		for (int i = 0; i < 3 && !e->splits; i++)
			dates[i] = fl_av_member(json, at, names[0][i + 2]);
		take(e, fl_av_member(json, at, names[e->splits][0]),
		     fl_av_member(json, at, names[e->splits][1]), dates);
	}
	return 0;
}

int fl_av_take_dividends(struct fl_av_job *job,
			 const struct fl_http_answer *answer, bool csv,
			 struct fl_poll_fault *fault)
{
	return take_both(&(struct events){ job, false }, answer, csv, fault);
}

int fl_av_take_splits(struct fl_av_job *job,
		      const struct fl_http_answer *answer, bool csv,
		      struct fl_poll_fault *fault)
{
	return take_both(&(struct events){ job, true }, answer, csv, fault);
}
