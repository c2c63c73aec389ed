/* sessions: see sessions.h. What the file says is read by sessions-file.c; here
 * it is asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/sessions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/zone.h"
#include "io/stream.h"
#include "rec/sessions-file.h"

/* --- opening and finding --- */

static int read_all(const char *path, struct fl_buf *text, struct fl_error *err)
{
	struct fl_stream *in = NULL;
	char bytes[16384];
	ssize_t got;

	if (fl_stream_open(&in, path, err) < 0)
		return -1;
	text->max = FL_CALENDARS_MAX;
	while ((got = fl_stream_read(in, bytes, sizeof(bytes), err)) > 0) {
		fl_buf_append(text, bytes, (size_t)got);
		if (text->over) {
			got = fl_error_set(err, FL_ERR_DATA,
					   "'%s' is no file of calendars: "
					   "longer than %d MiB",
					   fl_show(path, strlen(path), 200),
					   FL_CALENDARS_MAX >> 20);
			break;
		}
	}
	fl_stream_close(&in);
	return got < 0 ? -1 : 0;
}

int fl_calendars_open(const struct fl_calendars **out, const char *path,
		      struct fl_error *err)
{
	struct fl_calendars *set = fl_zalloc(sizeof(*set));
	struct fl_buf text = FL_BUF_INIT;
	int result;

	if (path) {
		result = read_all(path, &text, err);
		if (result == 0)
			result = fl_calendars_read(
				set, path, fl_buf_text(&text), text.len, err);
	} else {
		result = fl_calendars_read(
			set, "calendars.txt", fl_calendars_text,
			(size_t)(fl_calendars_text_end - fl_calendars_text),
			err);
	}
	fl_buf_release(&text);
	if (result < 0) {
		free(set);
		return -1;
	}
	*out = set;
	return 0;
}

void fl_calendars_close(const struct fl_calendars **set)
{
	/* Ours to change again: nobody else holds it. */
	struct fl_calendars *own = (struct fl_calendars *)(uintptr_t)*set;

	if (own)
		fl_calendars_release(own);
	free(own);
	*set = NULL;
}

const struct fl_exchange *fl_exchange_find(const struct fl_calendars *set,
					   const char *code, size_t len)
{
	char key[FL_CODE_MAX];

	if (!fl_calendars_key(code, len, key))
		return NULL;
	return fl_map_get(&set->codes, key, len);
}

const struct fl_exchange *fl_exchange_number(const struct fl_calendars *set,
					     size_t number)
{
	return number < set->count ? set->exchanges[number] : NULL;
}

const char *fl_exchange_name(const struct fl_exchange *ex)
{
	return ex->name;
}

const char *fl_exchange_zone_name(const struct fl_exchange *ex)
{
	return ex->zone_name;
}

const struct fl_zone *fl_exchange_zone(const struct fl_exchange *ex)
{
	return ex->zone;
}

bool fl_exchange_known(const struct fl_exchange *ex, int64_t day)
{
	return day >= ex->known_from && day <= ex->known_to;
}

/* --- trading dates --- */

/* A day of slack at both ends, for zones and evenings before. */
enum {
	FIRST_DAY = (int)(FL_TIME_MIN / FL_DAY) + 2,
	LAST_DAY = (int)(FL_TIME_MAX / FL_DAY) - 2,
};

/* The first special of the exchange that is not before `day`. */
static size_t find_special(const struct fl_exchange *ex, int64_t day)
{
	size_t low = 0, high = ex->special_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ex->specials[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* 1970-01-01 was a Thursday. */
static bool is_weekday(const struct fl_exchange *ex, int64_t day)
{
	int64_t weekday = (day + 3) % 7;

	return !(ex->weekend >> (weekday < 0 ? weekday + 7 : weekday) & 1);
}

/* NULL: as its weekday has it. */
static const struct fl_special *special_of(const struct fl_exchange *ex,
					   int64_t day)
{
	size_t i = find_special(ex, day);

	if (i < ex->special_count && ex->specials[i].day == day)
		return &ex->specials[i];
	return NULL;
}

static bool is_trading(const struct fl_exchange *ex, int64_t day)
{
	const struct fl_special *special = special_of(ex, day);

	return special ? !special->closed : is_weekday(ex, day);
}

int64_t fl_exchange_next_day(const struct fl_exchange *ex, int64_t day)
{
	day = day < FIRST_DAY ? FIRST_DAY - 1 : day;
	while (day < LAST_DAY) {
		day++;
		if (is_trading(ex, day))
			return day;
	}
	return FL_DAY_NONE;
}

int64_t fl_exchange_previous_day(const struct fl_exchange *ex, int64_t day)
{
	day = day > LAST_DAY ? LAST_DAY + 1 : day;
	while (day > FIRST_DAY) {
		day--;
		if (is_trading(ex, day))
			return day;
	}
	return FL_DAY_NONE;
}

int64_t fl_exchange_count_days(const struct fl_exchange *ex, int64_t from,
			       int64_t to)
{
	int64_t count = 0, weeks, day;

	from = from < FIRST_DAY ? FIRST_DAY : from;
	to = to > LAST_DAY + 1 ? LAST_DAY + 1 : to;
	if (from >= to)
		return 0;
	weeks = (to - from) / 7;
	for (day = from; day < from + 7; day++)
		count += is_weekday(ex, day) ? weeks : 0;
	for (day = from + weeks * 7; day < to; day++)
		count += is_weekday(ex, day);
	for (size_t i = find_special(ex, from);
	     i < ex->special_count && ex->specials[i].day < to; i++) {
		const struct fl_special *special = &ex->specials[i];

		count += !special->closed - is_weekday(ex, special->day);
	}
	return count;
}

/* --- sessions --- */

static const struct fl_hours *hours_of(const struct fl_exchange *ex,
				       int64_t day)
{
	size_t i = ex->hours_count;

	while (i > 1 && ex->hours[i - 1].from > day)
		i--;
	return &ex->hours[i - 1];
}

/* Seconds of the date's wall clock to an instant. A time that a clock change
 * repeats is the earlier one. */
static int64_t instant(const struct fl_exchange *ex, int64_t day,
		       int64_t seconds)
{
	int64_t ns = 0;
	struct fl_civil wall;

	fl_civil_from_time(day * FL_DAY + seconds * FL_SECOND, &wall);
	fl_zone_to_utc(ex->zone, &wall, &ns, NULL);
	return ns;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool fl_exchange_session(const struct fl_exchange *ex, int64_t day,
			 struct fl_session *out)
{
	const struct fl_special *special;
	struct fl_hours hours;

	if (day < FIRST_DAY || day > LAST_DAY)
		return false;
	special = special_of(ex, day);
	if (special ? special->closed : !is_weekday(ex, day))
		return false;
	hours = *hours_of(ex, day);
	if (special) {
		bool pre = hours.pre < hours.open && hours.pre < special->open;

		hours.open = special->open;
		hours.close = special->close;
		hours.break_from = special->break_from;
		hours.break_to = special->break_to;
		hours.pre = pre ? hours.pre : hours.open;
	}
	*out = (struct fl_session){
		.day = day,
		.pre_open_ns = instant(ex, day, hours.pre),
		.open_ns = instant(ex, day, hours.open),
		.close_ns = instant(ex, day, hours.close),
		.closing_ns = instant(ex, day, hours.close + hours.closing),
		.post_close_ns = instant(ex, day, hours.close + hours.post),
	};
	if (hours.break_from < hours.break_to) {
		out->break_from_ns = instant(ex, day, hours.break_from);
		out->break_to_ns = instant(ex, day, hours.break_to);
	}
	/* A clock change between two of them may turn their order. */
	out->open_ns = larger(out->open_ns, out->pre_open_ns);
	out->close_ns = larger(out->close_ns, out->open_ns);
	out->closing_ns = larger(out->closing_ns, out->close_ns);
	out->post_close_ns = larger(out->post_close_ns, out->closing_ns);
	return true;
}

/* --- instants --- */

/* The last trading date that has begun by `ns`, in *now, and the one after it,
 * in *next; their `day` is FL_DAY_NONE where there is none. Returns when *now
 * begins to hold: its pre-market, or what came before it in a file that lets a
 * date begin before the one that precedes it. */
static int64_t surround(const struct fl_exchange *ex, int64_t ns,
			struct fl_session *now, struct fl_session *next)
{
	/* A session begins on its date or the evening before, and ends at most
	 * a day after it. */
	int64_t day = fl_zone_wall(ex->zone, ns) / FL_DAY - 3;
	int64_t begin = INT64_MIN;

	now->day = next->day = FL_DAY_NONE;
	for (;;) {
		day = fl_exchange_next_day(ex, day);
		if (day == FL_DAY_NONE || !fl_exchange_session(ex, day, next)) {
			next->day = FL_DAY_NONE;
			return begin;
		}
		if (next->pre_open_ns > ns)
			return begin;
		begin = larger(begin, next->pre_open_ns);
		*now = *next;
	}
}

enum fl_session_kind fl_exchange_look(const struct fl_exchange *ex, int64_t ns,
				      struct fl_session_cache *cache)
{
	struct fl_session now = { 0 }, next = { 0 };
	/* Where each part of `now` ends, exclusive. */
	struct {
		enum fl_session_kind kind;
		int64_t to;
	} parts[6];
	size_t count = 0;
	int64_t begin = surround(ex, ns, &now, &next), limit;

	limit = next.day == FL_DAY_NONE ? INT64_MAX : next.pre_open_ns;
	*cache = (struct fl_session_cache){
		.ex = ex,
		.from_ns = ns,
		.to_ns = limit,
		.kind = FL_SESSION_CLOSED,
		.day = next.day,
		.session = next,
	};
	if (now.day == FL_DAY_NONE)
		return FL_SESSION_CLOSED;
#define PART(name, end)                                                        \
	(parts[count].kind = FL_SESSION_##name, parts[count++].to = (end))
	PART(PRE, now.open_ns);
	if (now.break_to_ns) {
		PART(REGULAR, now.break_from_ns + 1);
		PART(BREAK, now.break_to_ns);
	}
	PART(REGULAR, now.closing_ns + 1);
	PART(POST, now.post_close_ns);
#undef PART
	cache->from_ns = begin;
	for (size_t i = 0; i < count; i++) {
		int64_t to = parts[i].to < limit ? parts[i].to : limit;

		if (ns < to) {
			cache->to_ns = to;
			cache->kind = parts[i].kind;
			cache->day = now.day;
			cache->session = now;
			return cache->kind;
		}
		cache->from_ns = larger(cache->from_ns, to);
	}
	return FL_SESSION_CLOSED;
}

bool fl_exchange_trades(const struct fl_exchange *ex, int64_t from_ns,
			int64_t to_ns, int64_t *next)
{
	struct fl_session_cache cache = { .ex = NULL };
	int64_t at = from_ns;

	assert(ex);
	while (at < to_ns) {
		/* Prints of the close count before it, not at it. */
		if (fl_exchange_at(ex, at, &cache) == FL_SESSION_REGULAR &&
		    fl_session_inside(&cache.session, at) == at)
			return true;
		at = cache.to_ns;
	}
	if (next)
		*next = at;
	return false;
}
