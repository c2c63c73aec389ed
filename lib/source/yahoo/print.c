/* print: bars, dividends and splits as records.
 *
 * Yahoo's prices are adjusted for splits as of today, its `adjclose` for
 * dividends as well. As traded means undoing the splits that came later: prices
 * times the product of their ratios, volume divided by it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/adjust.h"
#include "source/bar-line.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/yahoo.h"

/* What stands in every bar of the symbol, made once. */
struct printer {
	const struct fl_yahoo_job *job;
	const struct fl_yahoo_plan *plan;
	struct fl_yahoo_chart *chart;
	struct fl_poll_out *out;
	struct fl_buf *text;
	const struct fl_subunit *sub; /* of the prices; NULL */
	struct fl_bar_line line;
	struct fl_buf symbol; /* "provider":…,"symbol":… */
	struct fl_buf source; /* ,"symbol_src":… or nothing */
	struct fl_splits splits;
};

static void put_number(struct fl_buf *out, struct fl_decimal value)
{
	char text[FL_DECIMAL_TEXT];

	fl_buf_append(out, text, fl_decimal_print(value, text));
}

/* --- arithmetic --- */

/* The product of all splits behind the day; NULL: there are none. */
static const struct fl_split *factor_of(const struct printer *p, int64_t day)
{
	return p->plan->adj == FL_YAHOO_NONE ? fl_splits_behind(&p->splits, day)
					     : NULL;
}

static int by_day(const void *left, const void *right)
{
	const struct fl_yahoo_event *a = left, *b = right;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static void make_factors(struct printer *p)
{
	const struct fl_yahoo_chart *chart = p->chart;

	for (size_t i = 0; i < chart->event_count; i++) {
		const struct fl_yahoo_event *event = &chart->events[i];

		if (event->kind == FL_YAHOO_SPLITS)
			fl_splits_add(&p->splits, event->day, event->amount,
				      event->under);
	}
	fl_splits_multiply(&p->splits);
}

/* Prices, adjusted close and volume as they are to be given. */
static void adjust(struct printer *p, struct fl_yahoo_row *row)
{
	struct fl_decimal close = row->price[3];
	const struct fl_split *factor = NULL;

	if (p->plan->adj == FL_YAHOO_NONE)
		factor = factor_of(
			p, p->plan->dated ? row->day
					  : fl_yahoo_day(p->chart, row->ts));
	else if (p->plan->adj == FL_YAHOO_SPLIT && !p->sub &&
		 row->volume.scale <= 9)
		return;
	for (int i = 0; i < 4; i++) {
		struct fl_decimal *price = &row->price[i];

		if (factor)
			*price = fl_adjust_price(*price, factor->over,
						 factor->under);
		else if (p->plan->adj != FL_YAHOO_ALL || !close.mant)
			;
		else if (fl_decimal_cmp(*price, close) == 0)
			*price = row->adjclose;
		else
			*price = fl_adjust_price(*price, row->adjclose, close);
		if (p->sub)
			*price = fl_adjust_times(*price, p->sub->scale);
	}
	if (p->sub)
		row->adjclose = fl_adjust_times(row->adjclose, p->sub->scale);
	if (factor)
		row->volume = fl_adjust_volume(row->volume, factor->under,
					       factor->over);
	else if (row->volume.scale > 9)
		row->volume = fl_adjust_volume(row->volume,
					       (struct fl_decimal){ 1, 0 },
					       (struct fl_decimal){ 1, 0 });
}

/* --- bars --- */

static int64_t bar_ns(const struct printer *p, const struct fl_yahoo_row *row)
{
	return p->plan->dated ? row->day * FL_DAY : row->ts * FL_SECOND;
}

static bool bar_wanted(const struct printer *p, const struct fl_yahoo_row *row)
{
	const struct fl_yahoo_plan *plan = p->plan;
	int64_t at = plan->dated ? row->day : row->ts * FL_SECOND;
	int64_t from = plan->dated ? plan->from_day : plan->from_ns;
	int64_t to = plan->dated ? plan->to_day : plan->to_ns;

	if (p->job->holes)
		return plan->dated ? fl_fill_has_day(p->job->holes, at)
				   : fl_fill_has(p->job->holes, at);
	return (from == FL_TIME_NONE || at >= from) &&
	       (to == FL_TIME_NONE || at < to);
}

/* Why the row is no bar. */
static enum fl_reason row_fault(const struct printer *p,
				const struct fl_yahoo_row *row,
				struct fl_note *note)
{
	static const char *const names[] = { "open", "high", "low", "close" };
	char when[FL_TIME_TEXT];

	if ((row->has & FL_YAHOO_PRICES) == FL_YAHOO_PRICES &&
	    (p->plan->adj != FL_YAHOO_ALL || (row->has & FL_YAHOO_ADJCLOSE)))
		return FL_REASON_NONE;
	fl_time_print(bar_ns(p, row), when);
	if (p->plan->dated)
		when[10] = '\0';
	if (!(row->has & FL_YAHOO_PRICES)) {
		fl_note_set(note, "", "no prices on %s", when);
		return FL_REASON_null_bar;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (row->has & 1u << i)
			continue;
		fl_note_set(note, names[i], "'%s' is null on %s", names[i],
			    when);
		return FL_REASON_missing_field;
	}
	fl_note_set(note, "adj_close",
		    "'adj_close' is null on %s, which --adj all needs", when);
	return FL_REASON_missing_field;
}

static void put_bar(struct printer *p, const struct fl_yahoo_row *from)
{
	static const char midnight[] = "T00:00:00.000Z";
	struct fl_yahoo_row row = *from;
	struct fl_note note;
	enum fl_reason reason = row_fault(p, &row, &note);
	char ts[FL_TIME_TEXT];
	size_t len;

	if (p->plan->dated) {
		len = fl_date_print(row.day, ts);
		memcpy(ts + len, midnight, sizeof(midnight));
		len += sizeof(midnight) - 1;
	} else {
		len = fl_time_print(bar_ns(p, &row), ts);
	}
	adjust(p, &row);
	fl_bar_line_put(
		&p->line, ts, len,
		&(struct fl_bar_values){
			.prices = row.price,
			.has = row.has,
			.volume =
				row.has & FL_YAHOO_VOLUME ? &row.volume : NULL,
			.adjclose = (row.has & FL_YAHOO_ADJCLOSE) &&
						    p->plan->adj != FL_YAHOO_ALL
					    ? &row.adjclose
					    : NULL,
			.open = row.open_ended },
		p->text);
	if (reason)
		fl_poll_reject(p->out, reason, &note);
	else
		fl_poll_record(p->out, bar_ns(p, &row),
			       row.has & FL_YAHOO_ROUNDED);
}

/* --- events --- */

static bool event_wanted(const struct printer *p,
			 const struct fl_yahoo_event *event)
{
	const struct fl_yahoo_plan *plan = p->plan;

	if (event->kind == FL_YAHOO_SPLITS ? !plan->splits : !plan->dividends)
		return false;
	if (p->job->holes)
		return fl_fill_has_day(p->job->holes, event->day);
	return (plan->from_day == FL_TIME_NONE ||
		event->day >= plan->from_day) &&
	       (plan->to_day == FL_TIME_NONE || event->day < plan->to_day);
}

/* {"type":…,"ts":…,"date":…,"provider":…,"symbol":… */
static void put_event(struct printer *p, const char *type, int64_t day)
{
	char ts[FL_TIME_TEXT];

	fl_buf_puts(p->text, "{\"type\":\"");
	fl_buf_puts(p->text, type);
	fl_buf_puts(p->text, "\",\"ts\":\"");
	fl_buf_append(p->text, ts, fl_time_print(day * FL_DAY, ts));
	fl_buf_puts(p->text, "\",\"date\":\"");
	fl_buf_append(p->text, ts, 10);
	fl_buf_puts(p->text, "\",");
	fl_buf_append(p->text, p->symbol.data, p->symbol.len);
}

/* The amount as it is to be given. */
static struct fl_decimal amount_of(struct printer *p,
				   const struct fl_yahoo_event *event)
{
	const char *code =
		*event->currency ? event->currency : p->chart->currency;
	const struct fl_subunit *sub = fl_subunit_find(code, strlen(code));
	const struct fl_split *factor = factor_of(p, event->day);
	struct fl_decimal amount = event->amount;

	if (factor)
		amount = fl_adjust_price(amount, factor->over, factor->under);
	return sub ? fl_adjust_times(amount, sub->scale) : amount;
}

/* also: the gain of the same day. One dividend a day is all that stores can
 * hold. */
static void put_dividend(struct printer *p, const struct fl_yahoo_event *event,
			 const struct fl_yahoo_event *also)
{
	put_event(p, "dividend", event->day);
	fl_buf_puts(p->text, ",\"amount\":");
	put_number(p->text, amount_of(p, event));
	fl_yahoo_put_currency(p->text, *event->currency ? event->currency
							: p->chart->currency);
	if (event->kind == FL_YAHOO_GAIN)
		fl_buf_puts(p->text, ",\"kind\":\"capital_gain\"");
	fl_yahoo_put_text(p->text, "adj",
			  p->plan->adj == FL_YAHOO_NONE ? "none" : "split");
	fl_buf_append(p->text, p->source.data, p->source.len);
	if (also) {
		fl_buf_puts(p->text, ",\"capital_gain\":");
		put_number(p->text, amount_of(p, also));
	}
	fl_buf_putc(p->text, '}');
	fl_poll_record(p->out, event->day * FL_DAY, false);
}

static void put_split(struct printer *p, const struct fl_yahoo_event *event)
{
	put_event(p, "split", event->day);
	fl_buf_puts(p->text, ",\"numerator\":");
	put_number(p->text, event->amount);
	fl_buf_puts(p->text, ",\"denominator\":");
	put_number(p->text, event->under);
	fl_buf_append(p->text, p->source.data, p->source.len);
	fl_buf_putc(p->text, '}');
	fl_poll_record(p->out, event->day * FL_DAY, false);
}

/* --- all of them --- */

/* Keep the wanted rows and events, the newest of them under --last. */
static void select_all(struct printer *p, struct fl_yahoo_chart *chart)
{
	uint64_t last = p->plan->last ? p->plan->last : UINT64_MAX;
	uint64_t bars = 0, dividends = 0, splits = 0;
	size_t kept = chart->row_count;

	for (size_t i = chart->row_count; i > 0; i--) {
		const struct fl_yahoo_row *row = &chart->rows[i - 1];
		bool empty = !(row->has & FL_YAHOO_PRICES);

		/* What is refused does not take a good one's place. */
		if (!p->plan->bars || !bar_wanted(p, row) || bars >= last)
			continue;
		if (--kept != i - 1)
			chart->rows[kept] = *row;
		bars += !empty;
	}
	chart->row_count -= kept;
	if (kept)
		memmove(chart->rows, chart->rows + kept,
			chart->row_count * sizeof(*chart->rows));
	kept = chart->event_count;
	for (size_t i = chart->event_count; i > 0; i--) {
		const struct fl_yahoo_event *event = &chart->events[i - 1];
		uint64_t *count =
			event->kind == FL_YAHOO_SPLITS ? &splits : &dividends;

		if (event_wanted(p, event) && (*count)++ < last)
			chart->events[--kept] = *event;
	}
	chart->event_count -= kept;
	if (kept)
		memmove(chart->events, chart->events + kept,
			chart->event_count * sizeof(*chart->events));
}

static void prepare(struct printer *p)
{
	const struct fl_yahoo_chart *chart = p->chart;

	fl_bar_line_begin(&p->line, p->plan->adj, p->plan->dated,
			  p->plan->all_sessions);
	fl_buf_puts(&p->symbol, "\"provider\":\"yahoo\"");
	fl_yahoo_put_text(&p->symbol, "symbol", p->job->symbol);
	fl_buf_puts(&p->line.middle, "\",");
	fl_buf_append(&p->line.middle, p->symbol.data, p->symbol.len);
	fl_yahoo_put_text(&p->line.middle, "interval", p->plan->interval_text);
	fl_buf_puts(&p->line.middle, ",\"open\":");
	if (*chart->symbol && strcmp(chart->symbol, p->job->symbol) != 0)
		fl_yahoo_put_text(&p->source, "symbol_src", chart->symbol);
	if (chart->zone)
		fl_yahoo_put_text(&p->line.zone, "tz",
				  fl_zone_name(chart->zone));
	p->sub = fl_yahoo_put_currency(&p->line.tail, chart->currency);
	fl_yahoo_put_exchange(&p->line.tail, chart->exchange);
	fl_buf_append(&p->line.tail, p->source.data, p->source.len);
	fl_buf_putc(&p->line.tail, '}');
}

/* The event, and another one when that was of the same day; returns how many.
 */
static size_t put_events(struct printer *p, size_t at)
{
	const struct fl_yahoo_event *event = &p->chart->events[at];
	bool more = at + 1 < p->chart->event_count &&
		    event[1].kind == FL_YAHOO_GAIN &&
		    event[1].day == event->day;

	if (event->kind == FL_YAHOO_SPLITS) {
		put_split(p, event);
		return 1;
	}
	more &= event->kind == FL_YAHOO_DIVIDEND;
	put_dividend(p, event, more ? event + 1 : NULL);
	return 1u + more;
}

/* Holes that the provider cannot fill any more: one does not wait for them in
 * silence. */
static void refuse_gone(struct printer *p)
{
	const struct fl_holes *holes = p->job->holes;

	for (size_t i = 0; holes && i < holes->count; i++) {
		struct fl_note note = { "", "" };
		char from[FL_TIME_TEXT];

		if (holes->items[i].from_ns >= fl_yahoo_oldest(p->plan))
			continue;
		fl_time_print(holes->items[i].from_ns, from);
		fl_note_set(&note, "",
			    "bars from %s on are missing, and yahoo gives "
			    "%s bars for the last %lld days only",
			    from, p->plan->interval_text,
			    (long long)(p->plan->interval->back_s / 86400));
		fl_buf_printf(p->text, "bar/yahoo/%s/%s %s", p->job->symbol,
			      p->plan->interval_text, from);
		fl_poll_reject(p->out, FL_REASON_provider_error, &note);
	}
}

void fl_yahoo_records(void *state, struct fl_poll_out *out)
{
	struct fl_yahoo_job *job = state;
	struct fl_yahoo_chart *chart = &job->chart;
	struct printer p = { .job = job,
			     .plan = job->plan,
			     .chart = chart,
			     .out = out,
			     .text = fl_poll_text(out) };
	size_t event = 0;

	fl_yahoo_bars(job);
	if (chart->event_count > 1)
		qsort(chart->events, chart->event_count, sizeof(*chart->events),
		      by_day);
	prepare(&p);
	refuse_gone(&p);
	make_factors(&p);
	select_all(&p, chart);
	fl_buf_reserve(p.text, chart->row_count * 300);
	for (size_t i = 0; i < chart->row_count; i++) {
		int64_t ns = bar_ns(&p, &chart->rows[i]);

		/* What happened on a day stands behind that day's bar. */
		while (event < chart->event_count &&
		       chart->events[event].day * FL_DAY < ns)
			event += put_events(&p, event);
		put_bar(&p, &chart->rows[i]);
	}
	while (event < chart->event_count)
		event += put_events(&p, event);
	fl_bar_line_release(&p.line);
	fl_buf_release(&p.symbol);
	fl_buf_release(&p.source);
	fl_splits_release(&p.splits);
}
