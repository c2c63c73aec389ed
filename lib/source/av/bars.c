/* bars: rows, dividends and splits as records.
 *
 * Daily prices come as traded; adjusted for splits means dividing by the ratios
 * of those that came later, adjusted for all multiplying by adjusted close /
 * close. Weeks and months are dated by their last trading day: records have the
 * first day.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/adjust.h"
#include "source/av/av.h"
#include "source/bar-line.h"

#define DAY_S INT64_C(86400)
#define CLOSE (16 * FL_HOUR) /* of the regular session in New York */

struct printer {
	struct fl_av_job *job;
	const struct fl_av_plan *plan;
	struct fl_poll_out *out;
	struct fl_buf *text;
	const struct fl_subunit *sub;
	struct fl_bar_line line;
	struct fl_splits splits;
};

/* --- days --- */

static int64_t first_day(const struct fl_av_plan *plan, int64_t day)
{
	int year, month, dom;

	if (plan->interval.ns == FL_DAY)
		return day;
	if (plan->interval.ns) /* 1970-01-01 was a Thursday */
		return day - ((day + 3) % 7 + 7) % 7;
	fl_civil_from_days(day, &year, &month, &dom);
	return day - (dom - 1);
}

static int64_t next_day(const struct fl_av_plan *plan, int64_t day)
{
	int year, month, dom;

	if (plan->interval.ns)
		return day + plan->interval.ns / FL_DAY;
	fl_civil_from_days(day, &year, &month, &dom);
	return month == 12 ? fl_days_from_civil(year + 1, 1, 1)
			   : fl_days_from_civil(year, month + 1, 1);
}

/* Was the interval not over when the provider answered? */
static bool is_open(const struct fl_av_job *job, const struct fl_av_row *row)
{
	const struct fl_av_plan *plan = job->plan;
	int64_t wall, today;

	if (plan->minutes)
		return row->at + plan->interval.ns > job->answered_ns;
	wall = fl_zone_wall(job->zone, job->answered_ns);
	today = wall / FL_DAY;
	/* Shares are not traded at weekends, nor after the close. */
	if (job->symbol.market == FL_AV_EQUITY) {
		int64_t weekday = (today + 3) % 7;

		if (wall % FL_DAY >= CLOSE)
			today++, weekday++;
		if (plan->interval.ns == 7 * FL_DAY && weekday >= 5)
			today += 2;
	}
	return today < next_day(plan, row->at);
}

/* --- order --- */

static int by_time(const void *left, const void *right)
{
	const struct fl_av_row *a = left, *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static int by_day(const void *left, const void *right)
{
	const struct fl_av_event *a = left, *b = right;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return (a->under.mant != 0) - (b->under.mant != 0);
}

/* Newest first is how they come. */
static void sort_rows(struct fl_av_job *job)
{
	bool falls = true;
	size_t kept = 0;

	for (size_t i = 1; i < job->row_count && falls; i++)
		falls = job->rows[i - 1].at > job->rows[i].at;
	for (size_t i = 0; falls && i < job->row_count / 2; i++) {
		struct fl_av_row row = job->rows[i];

		job->rows[i] = job->rows[job->row_count - 1 - i];
		job->rows[job->row_count - 1 - i] = row;
	}
	if (!falls)
		qsort(job->rows, job->row_count, sizeof(*job->rows), by_time);
	for (size_t i = 0; i < job->row_count; i++) {
		struct fl_av_row *row = &job->rows[i];

		/* Of one week the later row counts, of one time that which came
		 * later. */
		if (!job->plan->minutes)
			row->at = first_day(job->plan, row->at);
		if (kept && job->rows[kept - 1].at == row->at)
			kept--;
		if (kept != i)
			job->rows[kept] = *row;
		kept++;
	}
	job->row_count = kept;
}

static bool in_days(const struct fl_av_job *job, int64_t day)
{
	const struct fl_av_plan *plan = job->plan;

	if (job->holes)
		return fl_fill_has_day(job->holes, day);
	return (plan->from_day == FL_TIME_NONE || day >= plan->from_day) &&
	       (plan->to_day == FL_TIME_NONE || day < plan->to_day);
}

static bool row_wanted(const struct fl_av_job *job, const struct fl_av_row *row)
{
	const struct fl_av_plan *plan = job->plan;

	if (!plan->bars)
		return false;
	if (!plan->minutes)
		return in_days(job, row->at);
	if (job->holes)
		return fl_fill_has(job->holes, row->at);
	return (plan->from_ns == FL_TIME_NONE || row->at >= plan->from_ns) &&
	       (plan->to_ns == FL_TIME_NONE || row->at < plan->to_ns);
}

static bool event_wanted(const struct fl_av_job *job,
			 const struct fl_av_event *event)
{
	return (event->under.mant ? job->plan->splits : job->plan->dividends) &&
	       in_days(job, event->day);
}

/* The wanted ones, of each kind the newest under --last. */
static void select_all(struct fl_av_job *job)
{
	uint64_t last = job->plan->last ? job->plan->last : UINT64_MAX;
	uint64_t bars = 0, dividends = 0, splits = 0;
	size_t kept = job->row_count;

	for (size_t i = job->row_count; i > 0; i--)
		if (row_wanted(job, &job->rows[i - 1]) && bars++ < last &&
		    --kept != i - 1)
			job->rows[kept] = job->rows[i - 1];
	job->row_count -= kept;
	if (kept && job->row_count)
		memmove(job->rows, job->rows + kept,
			job->row_count * sizeof(*job->rows));
	kept = job->event_count;
	for (size_t i = job->event_count; i > 0; i--) {
		struct fl_av_event *event = &job->events[i - 1];
		uint64_t *count = event->under.mant ? &splits : &dividends;

		if (event_wanted(job, event) && (*count)++ < last)
			job->events[--kept] = *event;
	}
	job->event_count -= kept;
	if (kept && job->event_count)
		memmove(job->events, job->events + kept,
			job->event_count * sizeof(*job->events));
}

/* --- arithmetic --- */

static void make_factors(struct printer *p)
{
	const struct fl_av_job *job = p->job;

	if (p->plan->adj == FL_AV_NONE || p->plan->interval.ns != FL_DAY)
		return;
	for (size_t i = 0; i < job->event_count; i++)
		if (job->events[i].under.mant)
			fl_splits_add(&p->splits, job->events[i].day,
				      job->events[i].over,
				      job->events[i].under);
	fl_splits_multiply(&p->splits);
}

static void adjust(const struct printer *p, struct fl_av_row *row)
{
	struct fl_decimal one = { 1, 0 }, close = row->value[FL_AV_CLOSE];
	const struct fl_split *factor = fl_splits_behind(&p->splits, row->at);
	bool all = p->plan->adj == FL_AV_ALL && !p->plan->minutes;

	for (int c = FL_AV_OPEN; c <= FL_AV_CLOSE; c++) {
		struct fl_decimal *price = &row->value[c];

		if (all && fl_decimal_cmp(*price, close) == 0)
			*price = row->value[FL_AV_ADJCLOSE];
		else if (all && close.mant)
			*price = fl_adjust_price(
				*price, row->value[FL_AV_ADJCLOSE], close);
		else if (factor)
			*price = fl_adjust_price(*price, factor->under,
						 factor->over);
		if (p->sub)
			*price = fl_adjust_times(*price, p->sub->scale);
	}
	if (p->sub)
		row->value[FL_AV_ADJCLOSE] = fl_adjust_times(
			row->value[FL_AV_ADJCLOSE], p->sub->scale);
	if (factor)
		row->value[FL_AV_VOLUME] = fl_adjust_volume(
			row->value[FL_AV_VOLUME], factor->over, factor->under);
	else if (row->value[FL_AV_VOLUME].scale > 9)
		row->value[FL_AV_VOLUME] =
			fl_adjust_volume(row->value[FL_AV_VOLUME], one, one);
}

/* --- records --- */

/* Why the row is no bar. */
static enum fl_reason row_fault(const struct printer *p,
				const struct fl_av_row *row, const char *ts,
				struct fl_note *note)
{
	static const char *const names[] = { "open", "high", "low", "close" };
	int len = p->plan->minutes ? 24 : 10;

	if (!(row->has & FL_AV_PRICES)) {
		fl_note_set(note, "", "no prices on %.*s", len, ts);
		return FL_REASON_null_bar;
	}
	for (unsigned c = 0; c < 4; c++) {
		if (row->has & 1u << c)
			continue;
		fl_note_set(note, names[c], "'%s' is missing on %.*s", names[c],
			    len, ts);
		return FL_REASON_missing_field;
	}
	if (p->plan->adj != FL_AV_ALL || p->plan->minutes ||
	    (row->has & 1u << FL_AV_ADJCLOSE))
		return FL_REASON_NONE;
	fl_note_set(note, "adj_close",
		    "'adj_close' is missing on %.*s, which --adj all needs",
		    len, ts);
	return FL_REASON_missing_field;
}

static void put_bar(struct printer *p, const struct fl_av_row *from)
{
	struct fl_av_row row = *from;
	int64_t ns = p->plan->minutes ? row.at : row.at * FL_DAY;
	struct fl_note note = { "", "" };
	enum fl_reason reason;
	char ts[FL_TIME_TEXT];
	size_t len = fl_time_print(ns, ts);

	reason = row_fault(p, &row, ts, &note);
	if (!reason)
		adjust(p, &row);
	fl_bar_line_put(
		&p->line, ts, len,
		&(struct fl_bar_values){
			.prices = row.value,
			.has = row.has,
			.volume = row.has & 1u << FL_AV_VOLUME
					  ? &row.value[FL_AV_VOLUME]
					  : NULL,
			.adjclose = (row.has & 1u << FL_AV_ADJCLOSE) &&
						    p->plan->adj != FL_AV_ALL
					    ? &row.value[FL_AV_ADJCLOSE]
					    : NULL,
			.open = is_open(p->job, &row) },
		p->text);
	if (reason)
		fl_poll_reject(p->out, reason, &note);
	else
		fl_poll_record(p->out, ns, row.rounded);
}

static void put_event(struct printer *p, const struct fl_av_event *event)
{
	static const char *const dates[] = { "declared", "record_date",
					     "paid" };
	struct fl_buf *out = p->text;
	bool split = event->under.mant != 0;
	char ts[FL_TIME_TEXT];

	fl_buf_printf(out, "{\"type\":\"%s\",\"ts\":\"",
		      split ? "split" : "dividend");
	fl_buf_append(out, ts, fl_time_print(event->day * FL_DAY, ts));
	fl_buf_printf(out, "\",\"date\":\"%.10s\",\"provider\":\"" FL_AV "\"",
		      ts);
	fl_av_put_text(out, "symbol",
		       fl_av_value(p->job->name, strlen(p->job->name)));
	if (split) {
		fl_av_put_decimal(out, "numerator", event->over);
		fl_av_put_decimal(out, "denominator", event->under);
	} else {
		fl_av_put_decimal(
			out, "amount",
			p->sub ? fl_adjust_times(event->over, p->sub->scale)
			       : event->over);
		if (p->plan->currency || p->job->symbol.home)
			(void)fl_av_put_currency(
				out,
				p->plan->currency && !p->job->symbol.home
					? fl_av_value(p->plan->currency,
						      strlen(p->plan->currency))
					: fl_av_value("USD", 3));
		if (event->beside)
			fl_buf_puts(out, ",\"adj\":\"none\"");
	}
	fl_av_put_source(out, p->job->symbol.code, strlen(p->job->symbol.code),
			 p->job->name);
	for (int i = 0; i < 3 && !split; i++)
		fl_av_put_text(
			out, dates[i],
			fl_av_value(event->dates[i], strlen(event->dates[i])));
	fl_buf_putc(out, '}');
	fl_poll_record(p->out, event->day * FL_DAY, false);
}

/* What all bars of the symbol have in common. */
static void prepare(struct printer *p)
{
	const struct fl_av_job *job = p->job;
	const struct fl_av_symbol *symbol = &job->symbol;
	const char *currency = symbol->market != FL_AV_EQUITY ? symbol->against
			       : symbol->home                 ? "USD"
					      : p->plan->currency;

	fl_bar_line_begin(&p->line, p->plan->adj, !p->plan->minutes,
			  p->plan->all_sessions &&
				  symbol->market == FL_AV_EQUITY);
	fl_buf_puts(&p->line.middle, "\",\"provider\":\"" FL_AV "\"");
	fl_av_put_text(&p->line.middle, "symbol",
		       fl_av_value(job->name, strlen(job->name)));
	fl_av_put_text(&p->line.middle, "interval",
		       fl_av_value(p->plan->interval.text,
				   strlen(p->plan->interval.text)));
	fl_buf_puts(&p->line.middle, ",\"open\":");
	if (job->zone && (p->plan->minutes || symbol->home ||
			  symbol->market != FL_AV_EQUITY)) {
		const char *zone = fl_zone_name(job->zone);

		fl_av_put_text(&p->line.zone, "tz",
			       fl_av_value(zone, strlen(zone)));
	}
	if (currency)
		p->sub = fl_av_put_currency(
			&p->line.tail, fl_av_value(currency, strlen(currency)));
	if (symbol->mic)
		fl_av_put_text(&p->line.tail, "mic",
			       fl_av_value(symbol->mic, strlen(symbol->mic)));
	if (symbol->market == FL_AV_EQUITY)
		fl_av_put_source(&p->line.tail, symbol->code,
				 strlen(symbol->code), job->name);
	fl_buf_putc(&p->line.tail, '}');
}

/* --- the rest --- */

static int by_item_time(const void *left, const void *right)
{
	const struct fl_av_item *a = left, *b = right;

	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static void put_items(struct printer *p)
{
	struct fl_av_job *job = p->job;
	size_t first = 0;

	/* News come newest first, and by pages. */
	if (p->plan->news && job->item_count > 1)
		qsort(job->items, job->item_count, sizeof(*job->items),
		      by_item_time);
	if (p->plan->news && p->plan->last && job->item_count > p->plan->last)
		first = job->item_count - (size_t)p->plan->last;
	for (size_t i = first; i < job->item_count; i++) {
		const struct fl_av_item *item = &job->items[i];

		fl_buf_append(p->text, job->text.data + item->at, item->len);
		if (item->reason)
			fl_poll_reject(p->out, item->reason, item->note);
		else
			fl_poll_record(p->out, item->ts_ns, item->rounded);
	}
}

/* Pairs below a day are not kept for long. */
static void refuse_gone(struct printer *p)
{
	struct fl_note note = { "", "" };
	char from[FL_TIME_TEXT];

	fl_time_print(p->job->from_ns, from);
	fl_note_set(&note, "",
		    FL_AV " gives %s bars of pairs for the last %d days only; "
			  "asked from %.10s",
		    p->plan->interval.text, FL_AV_BACK_DAYS, from);
	fl_buf_puts(p->text, p->job->name);
	fl_poll_reject(p->out, FL_REASON_provider_error, &note);
}

void fl_av_records(void *state, struct fl_poll_out *out)
{
	struct fl_av_job *job = state;
	struct printer p = { .job = job,
			     .plan = job->plan,
			     .out = out,
			     .text = fl_poll_text(out) };
	size_t event = 0;

	prepare(&p);
	if (job->nothing_there)
		refuse_gone(&p);
	if (job->event_count > 1)
		qsort(job->events, job->event_count, sizeof(*job->events),
		      by_day);
	make_factors(&p);
	sort_rows(job);
	select_all(job);
	for (size_t i = 0; i < job->row_count; i++) {
		int64_t ns = p.plan->minutes ? job->rows[i].at
					     : job->rows[i].at * FL_DAY;

		/* What happened on a day stands behind that day's bar. */
		while (event < job->event_count &&
		       job->events[event].day * FL_DAY < ns)
			put_event(&p, &job->events[event++]);
		put_bar(&p, &job->rows[i]);
	}
	while (event < job->event_count)
		put_event(&p, &job->events[event++]);
	put_items(&p);
	fl_bar_line_release(&p.line);
	fl_splits_release(&p.splits);
}
