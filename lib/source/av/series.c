/* series: rows of bars, in JSON or CSV.
 *
 * Rows are keyed by local time without an offset, the newest first. Columns
 * bear numbers that differ, older ones of coins their currency as well; keys
 * of one answer are alike, so each is looked up where the last row had it.
 *
 * source  sources.md, 2.3 and 2.4
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/av/av.h"

enum {
	MOST_ROWS = 1 << 22,
	KEYS = 24, /* of a row, that are looked at */
};

static const char *const names[FL_AV_COLUMNS] = {
	[FL_AV_OPEN] = "open",
	[FL_AV_HIGH] = "high",
	[FL_AV_LOW] = "low",
	[FL_AV_CLOSE] = "close",
	[FL_AV_VOLUME] = "volume",
	[FL_AV_ADJCLOSE] = "adjusted close",
	[FL_AV_DIVIDEND] = "dividend amount",
	[FL_AV_RATIO] = "split coefficient",
};

struct reader {
	struct fl_av_job *job;
	const struct fl_http_answer *answer;
	struct fl_poll_fault *fault;
	/* The zone's offset on the day of the last row, when it had one. */
	int64_t day, offset_ns;
	/* Of the hour that a clock shows twice: the rows since it began, as
	 * they stand for the earlier one. */
	size_t twice_from;
	int64_t twice_local, twice_step;
	/* Where the last row had what. */
	struct {
		const char *text;
		uint32_t len;
		int column; /* -1: none of ours */
	} keys[KEYS];
};

/* The column of a key; "1a. open (EUR)" is that of EUR alone. */
static int column_of(const struct fl_av_job *job, const char *key, size_t len)
{
	const char *open = memchr(key, '(', len);

	if (open) {
		size_t at = (size_t)(open - key);

		if (len - at < 5 ||
		    memcmp(open + 1, job->symbol.against, 3) != 0)
			return -1;
		len = at && key[at - 1] == ' ' ? at - 1 : at;
	}
	for (int c = 0; c < FL_AV_COLUMNS; c++)
		if (fl_av_is(key, len, names[c]))
			return c;
	return -1;
}

/* --- times --- */

/* The rows of the hour came a second time, newer first: those before were of
 * the later hour. */
static void find_twice(struct reader *r, int64_t local, int64_t step)
{
	struct fl_av_job *job = r->job;

	if (!r->twice_step || r->twice_local / FL_DAY != local / FL_DAY)
		r->twice_from = job->row_count;
	else if (local >= r->twice_local)
		for (; r->twice_from < job->row_count; r->twice_from++)
			job->rows[r->twice_from].at += step;
	r->twice_local = local;
	r->twice_step = step;
}

static bool read_intraday(struct reader *r, struct fl_av_value value,
			  int64_t *ns)
{
	struct fl_civil civil;
	int64_t local, day, later = 0;
	int read;

	if (!fl_av_time(value, NULL, &local))
		return false;
	day = local / FL_DAY - (local % FL_DAY < 0);
	if (day == r->day) {
		*ns = local - r->offset_ns;
		return true;
	}
	fl_civil_from_time(local, &civil);
	read = fl_zone_to_utc(r->job->zone, &civil, ns, &later);
	if (read == FL_ZONE_RANGE)
		return false;
	if (read == FL_ZONE_REPEATED) {
		find_twice(r, local, later - *ns);
		return true;
	}
	/* One offset all day long? */
	r->offset_ns = local - *ns;
	if (fl_zone_wall(r->job->zone, day * FL_DAY - r->offset_ns) ==
		    day * FL_DAY &&
	    fl_zone_wall(r->job->zone, (day + 1) * FL_DAY - 1 - r->offset_ns) ==
		    (day + 1) * FL_DAY - 1)
		r->day = day;
	return true;
}

static bool read_when(struct reader *r, struct fl_av_value value, int64_t *at)
{
	return r->job->plan->minutes ? read_intraday(r, value, at)
				     : fl_av_day(value, at);
}

/* --- rows --- */

static struct fl_av_row *add_row(struct reader *r)
{
	struct fl_av_job *job = r->job;
	struct fl_av_row *row;

	if (job->row_count == job->row_cap) {
		job->row_cap = job->row_cap ? 2 * job->row_cap : 128;
		job->rows =
			fl_realloc(job->rows, job->row_cap, sizeof(*job->rows));
	}
	row = &job->rows[job->row_count];
	row->has = 0;
	row->rounded = false;
	row->number = (uint32_t)job->row_count;
	return row;
}

/* returns false: what stands there is no number */
static bool take_cell(struct reader *r, struct fl_av_row *row, int column,
		      struct fl_av_value value)
{
	struct fl_av_job *job = r->job;
	bool daily = job->plan->interval.ns == FL_DAY;

	if (column < 0 || !value.text)
		return true;
	if (column == FL_AV_RATIO)
		return !daily || fl_av_add_split(job, row->at, value);
	if (column == FL_AV_DIVIDEND) {
		struct fl_av_event event = { .day = row->at, .beside = true };

		if (!fl_av_number(value, &event.over, &row->rounded))
			return false;
		if (daily)
			fl_av_add_dividend(job, &event);
		return true;
	}
	row->has |= 1u << column;
	return fl_av_number(value, &row->value[column], &row->rounded);
}

static int bad_cell(struct reader *r, int column, struct fl_av_value value)
{
	assert(column >= 0 && column < FL_AV_COLUMNS && value.text);
	return fl_av_malformed(r->fault, r->answer, "'%s' is '%s', no number",
			       names[column],
			       fl_show(value.text, value.len, 40));
}

/* One row of JSON: the time, and an object. */
static int take_object(struct reader *r, uint32_t at)
{
	const struct fl_json *json = &r->job->json;
	const struct fl_json_tok *when = &json->toks[at];
	struct fl_av_row *row = add_row(r);
	uint32_t end = json->toks[at + 1].next, k = 0;

	if (json->toks[at + 1].kind != FL_JSON_OBJECT ||
	    !read_when(r, fl_av_value(when->text, when->len), &row->at))
		return fl_av_malformed(r->fault, r->answer,
				       "a row of the time '%s'",
				       fl_show(when->text, when->len, 40));
	for (at += 2; at < end; at = json->toks[at + 1].next, k++) {
		const struct fl_json_tok *key = &json->toks[at];
		const struct fl_json_tok *tok = &json->toks[at + 1];
		struct fl_av_value value = fl_av_value(tok->text, tok->len);
		int column;

		if (k < KEYS && r->keys[k].len == key->len && r->keys[k].text &&
		    fl_short_equal(r->keys[k].text, key->text, key->len))
			column = r->keys[k].column;
		else
			column = column_of(r->job, key->text, key->len);
		if (k < KEYS) {
			r->keys[k].text = key->text;
			r->keys[k].len = key->len;
			r->keys[k].column = column;
		}
		if (tok->kind == FL_JSON_NULL)
			continue;
		if (tok->kind != FL_JSON_STRING && tok->kind != FL_JSON_NUMBER)
			return fl_av_malformed(r->fault, r->answer,
					       "a row of something else");
		if (!take_cell(r, row, column, value))
			return bad_cell(r, column, value);
	}
	r->job->row_count++;
	return 0;
}

/* "Time Series (Daily)", "Weekly Adjusted Time Series", with anything behind:
 * entitled answers say so in the key. */
static uint32_t find_series(const struct fl_json *json)
{
	for (uint32_t at = 1; at < json->toks[0].next;
	     at = json->toks[at + 1].next)
		if (json->toks[at + 1].kind == FL_JSON_OBJECT &&
		    memmem(json->toks[at].text, json->toks[at].len,
			   "Time Series", 11))
			return at + 1;
	return 0;
}

static int take_meta(struct reader *r)
{
	struct fl_av_job *job = r->job;
	const struct fl_json *json = &job->json;
	uint32_t meta = fl_av_find(json, 0, "meta data");
	struct fl_av_value zone = meta ? fl_av_member(json, meta, "time zone")
				       : (struct fl_av_value){ NULL, 0 };

	if (zone.text)
		job->zone = fl_av_zone(zone);
	if (zone.text && !job->zone)
		return fl_av_malformed(r->fault, r->answer,
				       "the time zone '%s' is not known",
				       fl_show(zone.text, zone.len, 40));
	return 0;
}

static int take_json(struct reader *r)
{
	const struct fl_json *json = &r->job->json;
	uint32_t series = find_series(json);

	if (!series)
		return fl_av_malformed(
			r->fault, r->answer, "no time series, but '%s'",
			fl_show(json->toks[1].text, json->toks[1].len, 60));
	if (take_meta(r) < 0)
		return -1;
	if (json->toks[series].len + r->job->row_count > MOST_ROWS)
		return fl_av_malformed(r->fault, r->answer, "too many rows");
	for (uint32_t at = series + 1; at < json->toks[series].next;
	     at = json->toks[at + 1].next)
		if (take_object(r, at) < 0)
			return -1;
	return 0;
}

static int take_csv(struct reader *r)
{
	static const char *const columns[] = { "timestamp",
					       "open",
					       "high",
					       "low",
					       "close",
					       "volume",
					       "adjusted close",
					       "dividend amount",
					       "split coefficient",
					       NULL };
	struct fl_av_table table;
	int got = fl_av_table_open(&table, columns, r->answer, r->fault);

	while (got >= 0 &&
	       (got = fl_av_table_next(&table, r->answer, r->fault)) == 1) {
		struct fl_av_row *row = add_row(r);
		struct fl_av_value when = fl_av_cell(&table, 0);

		if (table.row.count != table.columns ||
		    !read_when(r, when, &row->at)) {
			got = fl_av_malformed(
				r->fault, r->answer, "a row '%s'",
				fl_show(table.row.raw, table.row.raw_len, 60));
			break;
		}
		for (int c = 0; c < FL_AV_COLUMNS && got == 1; c++) {
			struct fl_av_value value =
				fl_av_cell(&table, (size_t)c + 1);

			if (!take_cell(r, row, c, value))
				got = bad_cell(r, c, value);
		}
		if (got < 0 || r->job->row_count >= MOST_ROWS)
			break;
		r->job->row_count++;
	}
	fl_av_table_close(&table);
	return got < 0 && r->fault->pause ? 1 : got < 0 ? -1 : 0;
}

/* Did the newest hundred not go back far enough? */
static bool lacks_older(const struct fl_av_job *job)
{
	int64_t oldest = INT64_MAX;

	if (job->full || job->plan->interval.ns != FL_DAY ||
	    job->row_count < FL_AV_COMPACT || !job->ranged)
		return false;
	for (size_t i = 0; i < job->row_count; i++)
		if (job->rows[i].at < oldest)
			oldest = job->rows[i].at;
	return oldest > job->from_day;
}

int fl_av_take_series(struct fl_av_job *job,
		      const struct fl_http_answer *answer, bool csv,
		      struct fl_poll_fault *fault)
{
	struct reader r = {
		.job = job, .answer = answer, .fault = fault, .day = INT64_MIN
	};
	size_t before = job->row_count, events = job->event_count;
	int result;

	if (fl_av_take_zone(job->symbol.market == FL_AV_EQUITY
				    ? "America/New_York"
				    : "UTC",
			    &job->zone, fault) < 0)
		return -1;
	result = csv ? take_csv(&r) : take_json(&r);
	if (result) {
		/* Asked again, the same comes a second time. */
		job->row_count = before;
		job->event_count = events;
		return result;
	}
	job->month_known |= job->row_count > before;
	if (lacks_older(job)) {
		job->full = true;
		job->step_at--;
	}
	return 0;
}
