/* chart: an answer of /v8/finance/chart as rows, events and what goes with
 * them.
 *
 * Keys come in any order and new ones without notice, so everything is looked
 * up by name and nothing else is expected. A status of 200 does not make an
 * answer JSON, nor an error of one without.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "rec/record.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/number.h"
#include "source/yahoo/yahoo.h"

enum {
	MOST_ROWS = 1 << 21,
};

static const struct fl_json_tok *tok_at(const struct fl_json *json, uint32_t at)
{
	return &json->toks[at];
}

/* --- the table --- */

struct reader {
	struct fl_yahoo_job *job;
	struct fl_yahoo_chart *chart;
	const struct fl_json *json;
	const struct fl_http_answer *answer;
	struct fl_poll_fault *fault;
};

static int malformed(struct reader *r, const char *what)
{
	char text[200];

	snprintf(text, sizeof(text), "not a chart: %s", what);
	return fl_yahoo_fault(r->fault, FL_REASON_provider_error, false, text,
			      r->answer);
}

/* The first token of an array of `count` numbers and nulls; *at is 0 where the
 * object has no such array. */
static int find_column(struct reader *r, uint32_t object, const char *key,
		       uint32_t count, uint32_t *at)
{
	uint32_t array = fl_yahoo_find(r->json, object, key);
	const struct fl_json_tok *tok = tok_at(r->json, array);
	char text[120];

	*at = 0;
	if (!array)
		return 0;
	if (tok->kind != FL_JSON_ARRAY || tok->len != count ||
	    tok->next != array + 1 + count) {
		snprintf(text, sizeof(text),
			 "'%s' is no list of %u numbers, one for each time",
			 key, count);
		return malformed(r, text);
	}
	*at = array + 1;
	return 0;
}

static void reserve_rows(struct fl_yahoo_chart *chart, size_t more)
{
	if (chart->row_cap - chart->row_count >= more)
		return;
	chart->row_cap = chart->row_count + more;
	chart->rows =
		fl_realloc(chart->rows, chart->row_cap, sizeof(*chart->rows));
}

/* Seconds since 1970; plain digits are what comes. */
static bool read_time(const struct fl_json_tok *tok, int64_t *ts)
{
	int64_t value = 0;

	if (tok->kind != FL_JSON_NUMBER)
		return false;
	for (uint32_t i = 0; i < tok->len && i < 12; i++) {
		unsigned digit = (unsigned)(tok->text[i] - '0');

		if (digit > 9)
			break;
		value = 10 * value + digit;
		*ts = value;
		if (i + 1 == tok->len)
			return value < FL_TIME_MAX / FL_SECOND;
	}
	return fl_integer_parse(tok->text, tok->len, ts) &&
	       *ts > FL_TIME_MIN / FL_SECOND && *ts < FL_TIME_MAX / FL_SECOND;
}

/* returns 0; -1 what stands there is neither number nor null */
static int read_cell(const struct fl_json_tok *tok, unsigned bit, bool price,
		     struct fl_yahoo_row *row, struct fl_decimal *out)
{
	bool rounded = false;

	if (tok->kind == FL_JSON_NULL)
		return 0;
	if (tok->kind != FL_JSON_NUMBER)
		return -1;
	if (!(price ? fl_yahoo_number : fl_yahoo_exact)(tok->text, tok->len,
							out, &rounded))
		return -1;
	row->has |= bit | (rounded ? FL_YAHOO_ROUNDED : 0u);
	return 0;
}

static int take_rows(struct reader *r, uint32_t result)
{
	static const char *const names[] = { "open", "high", "low", "close" };
	struct fl_yahoo_chart *chart = r->chart;
	const struct fl_json *json = r->json;
	uint32_t times = fl_yahoo_find(json, result, "timestamp");
	uint32_t indicators = fl_yahoo_find(json, result, "indicators");
	uint32_t quote = fl_yahoo_find(json, indicators, "quote");
	uint32_t adjclose = fl_yahoo_find(json, indicators, "adjclose");
	uint32_t count, column[4], volume, adjusted = 0;
	int64_t end_s = r->job->end_s;

	if (!times)
		return 0; /* nothing in the window */
	count = json->toks[times].len;
	if (json->toks[times].kind != FL_JSON_ARRAY || !indicators || !quote ||
	    json->toks[quote].kind != FL_JSON_ARRAY || !json->toks[quote].len)
		return malformed(r, "times without prices");
	if (json->toks[times].next != times + 1 + count)
		return malformed(r, "'timestamp' is no list of numbers");
	if (chart->row_count + count > MOST_ROWS)
		return malformed(r, "too many rows");
	for (int i = 0; i < 4; i++)
		if (find_column(r, quote + 1, names[i], count, &column[i]) < 0)
			return -1;
	if (find_column(r, quote + 1, "volume", count, &volume) < 0)
		return -1;
	if (adjclose && json->toks[adjclose].kind == FL_JSON_ARRAY &&
	    json->toks[adjclose].len &&
	    find_column(r, adjclose + 1, "adjclose", count, &adjusted) < 0)
		return -1;
	chart->has_adjclose |= adjusted != 0;
	reserve_rows(chart, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct fl_json_tok *time = tok_at(json, times + 1 + i);
		struct fl_yahoo_row *row;
		int bad = 0;
		int64_t ts;

		if (!read_time(time, &ts))
			return malformed(r, "a time that is none");
		if (ts >= end_s)
			continue; /* appended, though nobody asked for it */
		row = &chart->rows[chart->row_count];
		row->ts = ts;
		row->day = 0;
		row->has = 0;
		row->number = (uint32_t)chart->row_count++;
		row->open_ended = false;
		for (unsigned c = 0; c < 4; c++)
			if (column[c])
				bad |= read_cell(tok_at(json, column[c] + i),
						 1u << c, true, row,
						 &row->price[c]);
		if (adjusted)
			bad |= read_cell(tok_at(json, adjusted + i),
					 FL_YAHOO_ADJCLOSE, true, row,
					 &row->adjclose);
		if (volume)
			bad |= read_cell(tok_at(json, volume + i),
					 FL_YAHOO_VOLUME, false, row,
					 &row->volume);
		if (bad)
			return malformed(r, "a price that is no number");
	}
	return 0;
}

/* --- events --- */

static bool find_number(const struct fl_json *json, uint32_t object,
			const char *key, struct fl_decimal *out)
{
	uint32_t at = fl_yahoo_find(json, object, key);
	bool rounded = false;

	return at && json->toks[at].kind == FL_JSON_NUMBER &&
	       fl_yahoo_number(json->toks[at].text, json->toks[at].len, out,
			       &rounded);
}

static void add_event(struct fl_yahoo_chart *chart,
		      const struct fl_yahoo_event *event)
{
	/* Windows may tell of one twice. */
	for (size_t i = 0; i < chart->event_count; i++) {
		if (chart->events[i].kind == event->kind &&
		    chart->events[i].ts == event->ts)
			return;
	}
	if (chart->event_count == chart->event_cap) {
		chart->event_cap = chart->event_cap ? 2 * chart->event_cap : 16;
		chart->events = fl_realloc(chart->events, chart->event_cap,
					   sizeof(*chart->events));
	}
	chart->events[chart->event_count++] = *event;
}

/* Objects by their time as text, in any order. */
static int take_events(struct reader *r, uint32_t events, const char *name,
		       enum fl_yahoo_event_kind kind)
{
	const struct fl_json *json = r->json;
	uint32_t object = fl_yahoo_find(json, events, name);

	if (!object)
		return 0;
	if (json->toks[object].kind != FL_JSON_OBJECT)
		return malformed(r, "events that are none");
	for (uint32_t at = object + 1; at < json->toks[object].next;
	     at = json->toks[at + 1].next) {
		struct fl_yahoo_event event = { .kind = kind };
		bool split = kind == FL_YAHOO_SPLITS;

		if (!fl_yahoo_find_seconds(json, at + 1, "date", &event.ts) ||
		    !find_number(json, at + 1, split ? "numerator" : "amount",
				 &event.amount) ||
		    (split &&
		     !find_number(json, at + 1, "denominator", &event.under)) ||
		    (split &&
		     (event.amount.mant <= 0 || event.under.mant <= 0)))
			return malformed(r, "an event without date or amount");
		if (event.amount.mant <= 0)
			continue; /* nothing was paid */
		fl_yahoo_find_text(json, at + 1, "currency", event.currency,
				   sizeof(event.currency));
		add_event(r->chart, &event);
	}
	return 0;
}

/* --- meta --- */

static void add_period(struct fl_yahoo_chart *chart,
		       struct fl_yahoo_period period)
{
	if (period.start >= period.end)
		return;
	if (chart->period_count == chart->period_cap) {
		chart->period_cap =
			chart->period_cap ? 2 * chart->period_cap : 16;
		chart->periods = fl_realloc(chart->periods, chart->period_cap,
					    sizeof(*chart->periods));
	}
	chart->periods[chart->period_count++] = period;
}

/* [[{start,end}], …], or an object of which `regular` is that. */
static void take_periods(struct reader *r, uint32_t at)
{
	const struct fl_json *json = r->json;
	struct fl_yahoo_period period;
	uint32_t end;

	if (at && json->toks[at].kind == FL_JSON_OBJECT)
		at = fl_yahoo_find(json, at, "regular");
	if (!at || json->toks[at].kind != FL_JSON_ARRAY)
		return;
	end = json->toks[at].next;
	/* Whatever is nested how: all objects in it that are periods. */
	for (uint32_t i = at + 1; i < end; i++) {
		if (json->toks[i].kind == FL_JSON_OBJECT &&
		    fl_yahoo_find_seconds(json, i, "start", &period.start) &&
		    fl_yahoo_find_seconds(json, i, "end", &period.end))
			add_period(r->chart, period);
	}
}

/* returns -1 where the zone is known, but its file cannot be read: then no day
 * would be certain. */
static int take_zone(struct reader *r, uint32_t meta)
{
	struct fl_yahoo_chart *chart = r->chart;
	struct fl_error err = { .code = FL_OK };
	char name[64];

	fl_yahoo_find_text(r->json, meta, "exchangeTimezoneName", name,
			   sizeof(name));
	if (!fl_yahoo_find_seconds(r->json, meta, "gmtoffset",
				   &chart->offset_s) ||
	    chart->offset_s < -86400 || chart->offset_s > 86400)
		chart->offset_s = 0;
	if (!*name || fl_zone_open(name, &chart->zone, &err) == 0)
		return 0;
	chart->zone = NULL;
	if (err.code != FL_ERR_USAGE) {
		r->fault->fatal = err.code;
		snprintf(r->fault->text, sizeof(r->fault->text), "%.390s",
			 err.text);
		return -1;
	}
	fl_log("'%s': %s; the offset of today is used", r->job->symbol,
	       err.text);
	return 0;
}

static int take_meta(struct reader *r, uint32_t meta)
{
	const struct fl_json *json = r->json;
	struct fl_yahoo_chart *chart = r->chart;
	const char *asked =
		r->job->splits_only ? "1d" : r->job->plan->interval->asked;
	char given[16], text[100];
	uint32_t now;

	fl_yahoo_find_text(json, meta, "dataGranularity", given, sizeof(given));
	if (strcmp(given, "60m") == 0)
		strcpy(given, "1h");
	if (*given && strcmp(given, asked) != 0) {
		snprintf(text, sizeof(text), "bars of %s came for those of %s",
			 given, asked);
		return fl_yahoo_fault(r->fault, FL_REASON_provider_error, false,
				      text, r->answer);
	}
	fl_yahoo_find_text(json, meta, "currency", chart->currency,
			   sizeof(chart->currency));
	fl_yahoo_find_text(json, meta, "exchangeName", chart->exchange,
			   sizeof(chart->exchange));
	fl_yahoo_find_text(json, meta, "symbol", chart->symbol,
			   sizeof(chart->symbol));
	if (!fl_yahoo_find_seconds(json, meta, "firstTradeDate",
				   &chart->first_trade))
		chart->first_trade = FL_TIME_NONE;
	now = fl_yahoo_find(json,
			    fl_yahoo_find(json, meta, "currentTradingPeriod"),
			    "regular");
	if (now) {
		fl_yahoo_find_seconds(json, now, "start",
				      &chart->now_regular.start);
		fl_yahoo_find_seconds(json, now, "end",
				      &chart->now_regular.end);
	}
	take_periods(r, fl_yahoo_find(json, meta, "tradingPeriods"));
	return take_zone(r, meta);
}

/* --- all of it --- */

static int take_result(struct reader *r)
{
	const struct fl_json *json = r->json;
	uint32_t chart = fl_yahoo_find(json, 0, "chart");
	uint32_t result = fl_yahoo_find(json, chart, "result");
	uint32_t meta, events;

	if (!chart || !result || json->toks[result].kind != FL_JSON_ARRAY ||
	    !json->toks[result].len)
		return malformed(r, "no result");
	result++;
	meta = fl_yahoo_find(json, result, "meta");
	if (!meta || json->toks[meta].kind != FL_JSON_OBJECT)
		return malformed(r, "no meta");
	if (take_meta(r, meta) < 0 ||
	    (!r->job->splits_only && take_rows(r, result) < 0))
		return -1;
	events = fl_yahoo_find(json, result, "events");
	if (!events)
		return 0;
	if (take_events(r, events, "splits", FL_YAHOO_SPLITS) < 0)
		return -1;
	if (r->job->splits_only)
		return 0;
	return take_events(r, events, "dividends", FL_YAHOO_DIVIDEND) < 0 ||
			       take_events(r, events, "capitalGains",
					   FL_YAHOO_GAIN) < 0
		       ? -1
		       : 0;
}

int fl_yahoo_parse(void *state, const struct fl_http_answer *answer,
		   struct fl_poll_fault *fault)
{
	struct fl_yahoo_job *job = state;
	struct fl_json *json = &job->json;
	struct reader r = { job, &job->chart, json, answer, fault };
	uint64_t words = 0;
	int got = fl_yahoo_read(json, &job->mended, answer, &words, fault);

	if (words)
		fl_log("'%s': %llu times NaN or Infinity, which is no JSON, "
		       "read as null",
		       job->symbol, (unsigned long long)words);
	job->chart.bare_words += words;
	if (got < 0)
		return -1;
	job->chart.answered_ns = answer->date_ns == FL_TIME_NONE
					 ? job->plan->now_ns
					 : answer->date_ns;
	if (got == 1)
		return 0;
	return take_result(&r);
}

void fl_yahoo_chart_release(struct fl_yahoo_chart *chart)
{
	free(chart->rows);
	free(chart->events);
	free(chart->periods);
}
