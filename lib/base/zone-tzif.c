/* zone-tzif: see zone-tzif.h.
 *
 * A file holds its data twice: in 32 bits for readers of version 1, then, from
 * version 2 on, in 64 bits with a footer, a rule as in the TZ variable for the
 * time after the last change. Writing that rule out as further changes makes
 * one search answer every question, and costs two entries a year.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/zone-tzif.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

#define DAY_SECONDS 86400

enum {
	HEADER_BYTES = 44,
	MOST_TYPES = 256, /* their index is a byte */
	MOST_CHANGES = 100000,
};

struct header {
	int version;
	uint64_t ut_count, std_count, leap_count, change_count, type_count,
		name_bytes;
};

struct span {
	const unsigned char *p, *end;
};

static uint32_t read_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const unsigned char *p, size_t size)
{
	if (size == 4)
		return (int32_t)read_u32(p);
	return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

static bool read_header(struct span *in, struct header *head)
{
	const unsigned char *p = in->p;

	if (in->end - p < HEADER_BYTES || memcmp(p, "TZif", 4) != 0)
		return false;
	head->version = p[4] ? p[4] - '0' : 1;
	head->ut_count = read_u32(p + 20);
	head->std_count = read_u32(p + 24);
	head->leap_count = read_u32(p + 28);
	head->change_count = read_u32(p + 32);
	head->type_count = read_u32(p + 36);
	head->name_bytes = read_u32(p + 40);
	in->p += HEADER_BYTES;
	return true;
}

/* Bytes of the block after a header whose times have `size` bytes. The counts
 * have 32 bits, so the sum fits. */
static uint64_t block_bytes(const struct header *head, size_t size)
{
	return head->change_count * (size + 1) + head->type_count * 6 +
	       head->name_bytes + head->leap_count * (size + 4) +
	       head->std_count + head->ut_count;
}

static void append(struct fl_zone_table *table, int64_t at, int32_t offset)
{
	if (table->count == table->cap) {
		table->cap = table->cap ? table->cap * 2 : 16;
		table->at =
			fl_realloc(table->at, table->cap, sizeof(*table->at));
		table->offsets = fl_realloc(table->offsets, table->cap,
					    sizeof(*table->offsets));
	}
	table->at[table->count] = at;
	table->offsets[table->count++] = offset;
}

/* Add a change at or after the last one. Of two at one instant the later wins;
 * what changes nothing is left out. */
static void add_change(struct fl_zone_table *table, int64_t at, int32_t offset)
{
	while (table->count && table->at[table->count - 1] >= at)
		table->count--;
	if (!table->count || table->offsets[table->count - 1] != offset)
		append(table, table->count ? at : INT64_MIN, offset);
}

static bool offset_valid(int64_t offset)
{
	return offset >= FL_ZONE_OFFSET_MIN && offset <= FL_ZONE_OFFSET_MAX;
}

/* *last: the last change the file lists, whether or not it changed an offset.
 */
static bool read_block(struct fl_zone_table *table, struct span *in,
		       const struct header *head, size_t size, int64_t *last)
{
	const unsigned char *times = in->p;
	const unsigned char *indexes, *types;
	int32_t offsets[MOST_TYPES];

	*last = INT64_MIN;
	if (head->type_count == 0 || head->type_count > MOST_TYPES ||
	    head->change_count > MOST_CHANGES || head->leap_count ||
	    (uint64_t)(in->end - in->p) < block_bytes(head, size))
		return false;
	indexes = times + head->change_count * size;
	types = indexes + head->change_count;
	for (size_t i = 0; i < head->type_count; i++) {
		offsets[i] = (int32_t)read_u32(types + i * 6);
		if (!offset_valid(offsets[i]))
			return false;
	}
	append(table, INT64_MIN, offsets[0]);
	for (size_t i = 0; i < head->change_count; i++) {
		int64_t at = read_time(times + i * size, size);

		if (indexes[i] >= head->type_count || (i && at <= *last))
			return false;
		*last = at;
		add_change(table, at, offsets[indexes[i]]);
	}
	in->p += block_bytes(head, size);
	return true;
}

/* When in a year a rule strikes, in local time before it does. */
struct when {
	char kind; /* M, J or n */
	int month, week, weekday;
	int day;
	int32_t seconds;
};

struct rule {
	int32_t std, dst;
	bool has_dst;
	struct when start, end;
};

struct text {
	const char *p, *end;
};

static bool take(struct text *in, char c)
{
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

static bool take_number(struct text *in, int least, int most, int *value)
{
	const char *start = in->p;

	*value = 0;
	while (in->p < in->end && in->p - start < 4 && *in->p >= '0' &&
	       *in->p <= '9')
		*value = *value * 10 + (*in->p++ - '0');
	return in->p > start && *value >= least && *value <= most;
}

/* Letters, or anything between < and >; the name itself is not needed. */
static bool take_name(struct text *in)
{
	const char *start = in->p;

	if (take(in, '<')) {
		while (in->p < in->end && *in->p != '>')
			in->p++;
		return take(in, '>');
	}
	while (in->p < in->end && ((*in->p >= 'A' && *in->p <= 'Z') ||
				   (*in->p >= 'a' && *in->p <= 'z')))
		in->p++;
	return in->p - start >= 3;
}

/* [+-]hh[:mm[:ss]]; hours up to 167 since version 3. */
static bool take_time(struct text *in, int32_t *seconds)
{
	int sign = 1, hours, minutes = 0, secs = 0;

	if (take(in, '-'))
		sign = -1;
	else
		take(in, '+');
	if (!take_number(in, 0, 167, &hours))
		return false;
	if (take(in, ':')) {
		if (!take_number(in, 0, 59, &minutes))
			return false;
		if (take(in, ':') && !take_number(in, 0, 59, &secs))
			return false;
	}
	*seconds = sign * (hours * 3600 + minutes * 60 + secs);
	return true;
}

static bool take_when(struct text *in, struct when *when)
{
	if (!take(in, ','))
		return false;
	when->seconds = 2 * 3600;
	if (take(in, 'M')) {
		when->kind = 'M';
		if (!take_number(in, 1, 12, &when->month) || !take(in, '.') ||
		    !take_number(in, 1, 5, &when->week) || !take(in, '.') ||
		    !take_number(in, 0, 6, &when->weekday))
			return false;
	} else if (take(in, 'J')) {
		when->kind = 'J';
		if (!take_number(in, 1, 365, &when->day))
			return false;
	} else {
		when->kind = 'n';
		if (!take_number(in, 0, 365, &when->day))
			return false;
	}
	return !take(in, '/') || take_time(in, &when->seconds);
}

/* std offset [dst [offset] , start , end]; POSIX offsets count west. */
static bool take_rule(struct text *in, struct rule *rule)
{
	if (!take_name(in) || !take_time(in, &rule->std))
		return false;
	rule->std = -rule->std;
	rule->has_dst = in->p < in->end;
	if (!rule->has_dst)
		return offset_valid(rule->std);
	if (!take_name(in))
		return false;
	rule->dst = rule->std + 3600;
	if (in->p < in->end && *in->p != ',') {
		if (!take_time(in, &rule->dst))
			return false;
		rule->dst = -rule->dst;
	}
	return take_when(in, &rule->start) && take_when(in, &rule->end) &&
	       in->p == in->end && offset_valid(rule->std) &&
	       offset_valid(rule->dst);
}

/* Local seconds since 1970 at which the rule strikes in a year. */
static int64_t strike(const struct when *when, int year)
{
	int64_t days = fl_days_from_civil(year, 1, 1);
	int weekday, day;

	switch (when->kind) {
	case 'M':
		days = fl_days_from_civil(year, when->month, 1);
		weekday = (int)((days + 4) % 7); /* 1970-01-01: Thursday */
		weekday = weekday < 0 ? weekday + 7 : weekday;
		day = 1 + (when->weekday - weekday + 7) % 7 +
		      (when->week - 1) * 7;
		while (!fl_date_valid(year, when->month, day))
			day -= 7; /* week 5 is the last one */
		days += day - 1;
		break;
	case 'J': /* day 60 is March 1, also in leap years */
		days += when->day - 1 +
			(when->day >= 60 && fl_date_valid(year, 2, 29));
		break;
	default:
		days += when->day;
	}
	return days * DAY_SECONDS + when->seconds;
}

/* The changes of the rule after `last`, to the end of our calendar. */
static void add_rule(struct fl_zone_table *table, const struct rule *rule,
		     int64_t last)
{
	int year = FL_YEAR_MIN - 1, month, day;

	if (!rule->has_dst) {
		add_change(table, last, rule->std);
		return;
	}
	if (last >= FL_TIME_MIN / FL_SECOND) {
		if (last > FL_TIME_MAX / FL_SECOND)
			return;
		/* The year before: its changes tell what holds at `last`. */
		fl_civil_from_days(last / DAY_SECONDS, &year, &month, &day);
		year--;
	}
	for (; year <= FL_YEAR_MAX + 1; year++) {
		int64_t start = strike(&rule->start, year) - rule->std;
		int64_t end = strike(&rule->end, year) - rule->dst;
		int64_t first = start < end ? start : end;
		int64_t second = start < end ? end : start;

		if (first > last)
			add_change(table, first,
				   start < end ? rule->dst : rule->std);
		if (second > last)
			add_change(table, second,
				   start < end ? rule->std : rule->dst);
	}
}

static bool read_footer(struct fl_zone_table *table, struct span *in,
			int64_t last)
{
	const unsigned char *start = in->p + 1, *stop;
	struct text text;
	struct rule rule;

	if (in->p == in->end || *in->p != '\n')
		return false;
	stop = memchr(start, '\n', (size_t)(in->end - start));
	if (!stop)
		return false;
	if (stop == start)
		return true; /* no rule: the last offset goes on */
	text.p = (const char *)start;
	text.end = (const char *)stop;
	if (!take_rule(&text, &rule))
		return false;
	add_rule(table, &rule, last);
	return true;
}

static bool read_file(struct fl_zone_table *table, struct span *in)
{
	struct header head;
	int64_t last;

	if (!read_header(in, &head))
		return false;
	if (head.version < 2)
		return read_block(table, in, &head, 4, &last);
	if ((uint64_t)(in->end - in->p) < block_bytes(&head, 4))
		return false;
	in->p += block_bytes(&head, 4);
	return read_header(in, &head) &&
	       read_block(table, in, &head, 8, &last) &&
	       read_footer(table, in, last);
}

int fl_zone_table_read(struct fl_zone_table *table, const void *bytes,
		       size_t len, struct fl_error *err)
{
	struct span in = { bytes, (const unsigned char *)bytes + len };

	*table = (struct fl_zone_table){ 0 };
	if (read_file(table, &in))
		return 0;
	fl_zone_table_release(table);
	return fl_error_set(err, FL_ERR_DATA,
			    "not a time zone file (TZif without leap seconds)");
}

void fl_zone_table_release(struct fl_zone_table *table)
{
	free(table->at);
	free(table->offsets);
	*table = (struct fl_zone_table){ 0 };
}
