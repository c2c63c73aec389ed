/* quota: see quota.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/limit.h"
#include "source/polled.h"
#include "source/source.h"

struct all {
	struct fl_limit_left *items;
	size_t count;
};

/* Once for each provider and key: a source's own limits come first. */
static int add(void *arg, const struct fl_limit_left *left,
	       struct fl_error *err)
{
	struct all *all = arg;

	(void)err;
	for (size_t i = 0; i < all->count; i++) {
		if (strcmp(all->items[i].provider, left->provider) == 0 &&
		    strcmp(all->items[i].key, left->key) == 0)
			return 0;
	}
	all->items =
		fl_realloc(all->items, all->count + 1, sizeof(*all->items));
	all->items[all->count++] = *left;
	return 0;
}

static int find(const char *limit, struct all *all, struct fl_error *err)
{
	for (size_t i = 0; fl_sources[i]; i++) {
		const struct fl_polled *polled = fl_sources[i]->polled;
		struct fl_limits limits;
		struct fl_limit_left left;

		if (!polled)
			continue;
		limits = polled->limits;
		if (fl_limits_read(limit, polled->provider, &limits, err) < 0 ||
		    fl_limit_look(polled->provider,
				  polled->key ? polled->key() : NULL, &limits,
				  &left, err) < 0)
			return -1;
		add(all, &left, err);
	}
	return fl_limit_each(add, all, err);
}

static unsigned less(unsigned limit, unsigned used)
{
	return used < limit ? limit - used : 0;
}

static void put_record(const struct fl_limit_left *left, const char *now,
		       struct fl_buf *line)
{
	const struct fl_limits *limits = &left->limits;
	char end[FL_TIME_TEXT];
	const char *comma = "";

	fl_buf_reset(line);
	fl_buf_printf(line,
		      "{\"type\":\"stat\",\"ts\":\"%s\",\"provider\":"
		      "\"fl-fetch\",\"stat\":\"quota\",\"subject\":\"%s\"",
		      now, left->provider);
	if (*left->key)
		fl_buf_printf(line, ",\"by\":{\"key\":\"%s\"}", left->key);
	fl_buf_puts(line, ",\"values\":{");
	if (limits->per_second) {
		fl_buf_printf(line, "\"second_limit\":%u", limits->per_second);
		comma = ",";
	}
	if (limits->per_minute) {
		fl_buf_printf(line,
			      "%s\"minute_limit\":%u,\"minute_used\":%u,"
			      "\"minute_left\":%u",
			      comma, limits->per_minute, left->minute_used,
			      less(limits->per_minute, left->minute_used));
		comma = ",";
	}
	if (limits->per_day)
		fl_buf_printf(line, "%s\"day_limit\":%u,\"day_left\":%u,",
			      comma, limits->per_day,
			      less(limits->per_day, left->day_used));
	else
		fl_buf_puts(line, comma);
	fl_time_print(left->day_end_ns, end);
	fl_buf_printf(line, "\"day_used\":%u,\"day_ends\":\"%s\"}}",
		      left->day_used, end);
}

int fl_quota_each(const char *limit, int64_t now_ns,
		  int (*each)(void *arg, const char *bytes, size_t len,
			      struct fl_error *err),
		  void *arg, struct fl_error *err)
{
	struct fl_buf line = FL_BUF_INIT;
	struct all all = { NULL, 0 };
	char now[FL_TIME_TEXT];
	int result = find(limit, &all, err);

	fl_time_print(now_ns / 1000000 * 1000000, now);
	for (size_t i = 0; result == 0 && i < all.count; i++) {
		put_record(&all.items[i], now, &line);
		result = each(arg, line.data, line.len, err);
	}
	free(all.items);
	fl_buf_release(&line);
	return result;
}

/* used NULL: nobody counts that */
static void put_row(const struct fl_limit_left *left, unsigned limit,
		    const char *unit, const unsigned *used, const char *again,
		    struct fl_buf *out)
{
	char most[24] = "none", asked[16] = "", rest[16] = "";

	if (limit)
		snprintf(most, sizeof(most), "%u/%s", limit, unit);
	if (used)
		snprintf(asked, sizeof(asked), "%u", *used);
	if (used && limit)
		snprintf(rest, sizeof(rest), "%u", less(limit, *used));
	fl_buf_printf(out, "%-14s%-14s%9s%8s%8s", left->provider, left->key,
		      most, asked, rest);
	fl_buf_printf(out, "%s%s\n", *again ? "  " : "", again);
}

int fl_quota_table(const char *limit, struct fl_buf *out, struct fl_error *err)
{
	struct all all = { NULL, 0 };
	int result = find(limit, &all, err);

	fl_buf_printf(out, "%-14s%-14s%9s%8s%8s  %s\n", "PROVIDER", "KEY",
		      "LIMIT", "USED", "LEFT", "ANEW");
	for (size_t i = 0; result == 0 && i < all.count; i++) {
		const struct fl_limit_left *left = &all.items[i];
		char end[FL_TIME_TEXT];

		fl_time_print(left->day_end_ns, end);
		if (left->limits.per_second)
			put_row(left, left->limits.per_second, "s", NULL, "",
				out);
		if (left->limits.per_minute)
			put_row(left, left->limits.per_minute, "m",
				&left->minute_used, "", out);
		end[10] = ' ';
		snprintf(end + 16, sizeof(end) - 16, "Z");
		put_row(left, left->limits.per_day, "d", &left->day_used, end,
			out);
	}
	free(all.items);
	return result;
}
