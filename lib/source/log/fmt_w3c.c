/* logs_w3c: W3C extended logs, whose #Fields: names the columns: of IIS,
 * CloudFront, proxies, and Windows' firewall.
 *
 * source  W3C working draft WD-logfile-960323: times are UTC, unless the file
 *         says "#Time Format: Local" as Windows' firewall does
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "source/log/access.h"
#include "source/log/pairs.h"
#include "source/log/parser.h"
#include "source/log/stamp.h"
#include "source/log/work.h"

enum {
	DATE_LEN = 10,
	TIME_MIN = 8,
	STAMP_MAX = 40,
};

static void put_version(struct fl_logs_work *w, enum fl_logs_field field,
			const char *text, size_t len)
{
	(void)field;
	fl_logs_version(w, text, len);
}

/* Blanks are written as +. */
static void put_plus(struct fl_logs_work *w, enum fl_logs_field field,
		     const char *text, size_t len)
{
	char *copy = fl_logs_copy(w, text, len);

	for (size_t i = 0; i < len; i++)
		if (copy[i] == '+')
			copy[i] = ' ';
	fl_logs_put(w, field, copy, len);
}

static const struct fl_logs_key keys[] = {
	{ "c-ip", fl_logs_host, FL_LOGS_SOURCE_IP },
	{ "c-port", fl_logs_port, FL_LOGS_SOURCE_PORT },
	{ "s-ip", fl_logs_host, FL_LOGS_DESTINATION_IP },
	{ "s-port", fl_logs_port, FL_LOGS_DESTINATION_PORT },
	{ "cs-username", fl_logs_put, FL_LOGS_SOURCE_USER },
	{ "s-computername", fl_logs_put, FL_LOGS_OBSERVER_HOSTNAME },
	{ "cs-method", fl_logs_label, FL_LOGS_HTTP_METHOD },
	{ "cs-uri", fl_logs_put, FL_LOGS_URL_ORIGINAL },
	{ "cs-uri-stem", fl_logs_put, FL_LOGS_URL_ORIGINAL },
	{ "cs-version", put_version, FL_LOGS_HTTP_VERSION },
	{ "cs-protocol-version", put_version, FL_LOGS_HTTP_VERSION },
	{ "sc-status", fl_logs_count, FL_LOGS_HTTP_STATUS },
	{ "sc-bytes", fl_logs_count, FL_LOGS_HTTP_BYTES },
	{ "cs-bytes", fl_logs_count, FL_LOGS_SOURCE_BYTES },
	{ "cs(User-Agent)", put_plus, FL_LOGS_USER_AGENT },
	{ "cs(Referer)", fl_logs_put, FL_LOGS_HTTP_REFERRER },
	{ "action", fl_logs_put_act, FL_LOGS_EVENT_ACTION },
	{ "protocol", fl_logs_put_protocol, FL_LOGS_NETWORK_TRANSPORT },
	{ "src-ip", fl_logs_host, FL_LOGS_SOURCE_IP },
	{ "dst-ip", fl_logs_host, FL_LOGS_DESTINATION_IP },
	{ "src-port", fl_logs_port, FL_LOGS_SOURCE_PORT },
	{ "dst-port", fl_logs_port, FL_LOGS_DESTINATION_PORT },
	{ "size", fl_logs_count, FL_LOGS_NETWORK_BYTES },
	{ NULL, NULL, 0 },
};

static enum fl_logs_got take_directive(struct fl_logs_work *w)
{
	static const char *const known[] = {
		"#Version:", "#Software:", "#Start-Date:", "#End-Date:",
		"#Remark:",  "#Date:",     "#Fields:",     "#Time Format:"
	};
	struct fl_logs_columns *columns = &w->parser->columns;
	const char *rest = NULL;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known) && !rest; i++)
		if (fl_logs_starts(w->at, w->end, known[i]))
			rest = w->at + strlen(known[i]);
	if (!rest)
		return FL_LOGS_NOT_MINE;
	while (rest < w->end && *rest == ' ')
		rest++;
	if (fl_logs_starts(w->at, w->end, "#Fields:"))
		fl_logs_columns_set(columns, &fl_logs_format_w3c, rest, w->end);
	else if (fl_logs_starts(w->at, w->end, "#Date:") &&
		 (w->end - rest < DATE_LEN ||
		  !fl_date_parse(rest, DATE_LEN, &columns->day)))
		columns->day = FL_TIME_NONE;
	else if (fl_logs_starts(w->at, w->end, "#Time Format:"))
		columns->local = fl_logs_starts(rest, w->end, "Local");
	return FL_LOGS_NOTHING;
}

/* Blanks or tabs between; a text may stand in quotes. */
static size_t split(struct fl_logs_work *w, struct fl_logs_text *words)
{
	const char *at = w->at;
	size_t count = 0;

	while (at < w->end) {
		const char *to = at;

		if (*at == '"') {
			struct fl_logs_text text;

			if (!fl_logs_quoted(&to, w->end, &text))
				return 0;
			if (count < FL_LOGS_COLUMNS)
				words[count] = text;
		} else {
			while (to < w->end && *to != ' ' && *to != '\t')
				to++;
			if (count < FL_LOGS_COLUMNS)
				words[count] = (struct fl_logs_text){
					at, (size_t)(to - at)
				};
		}
		count++;
		at = to < w->end ? to + 1 : to;
	}
	return count;
}

/* Date and time stand apart, or the date above the lines. */
static bool put_time(struct fl_logs_work *w, const struct fl_logs_text *date,
		     const struct fl_logs_text *time)
{
	const struct fl_logs_columns *columns = &w->parser->columns;
	char text[STAMP_MAX], day[FL_TIME_TEXT];
	const char *at = text;
	int len;

	if (time->len < TIME_MIN || time->len > STAMP_MAX - DATE_LEN - 2)
		return false;
	if (date->len == DATE_LEN)
		memcpy(day, date->at, DATE_LEN);
	else if (columns->day != FL_TIME_NONE)
		fl_date_print(columns->day, day);
	else
		return false;
	len = snprintf(text, sizeof(text), "%.10s %.*s", day, (int)time->len,
		       time->at);
	return fl_logs_stamp_wall(columns->local ? w->parser->times.zone : NULL,
				  &at, text + len, &w->ts_ns) == FL_LOGS_STAMP;
}

static void put_query(struct fl_logs_work *w, const struct fl_logs_text *query)
{
	const struct fl_logs_value *stem = &w->values[FL_LOGS_URL_ORIGINAL];
	size_t len = (size_t)stem->len + 1 + query->len;
	char *whole;

	if (!fl_logs_has(w, FL_LOGS_URL_ORIGINAL) || !query->len ||
	    fl_logs_is(query->at, query->len, "-"))
		return;
	whole = fl_arena_alloc(&w->arena, len);
	memcpy(whole, stem->text, stem->len);
	whole[stem->len] = '?';
	memcpy(whole + stem->len + 1, query->at, query->len);
	fl_logs_put(w, FL_LOGS_URL_ORIGINAL, whole, len);
}

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_columns *columns = &w->parser->columns;
	struct fl_logs_text words[FL_LOGS_COLUMNS],
		date = { "", 0 }, time = { "", 0 }, query = { "", 0 };
	bool packets = false;
	size_t count;

	if (w->head.found || w->at == w->end)
		return FL_LOGS_NOT_MINE;
	if (*w->at == '#')
		return take_directive(w);
	if (columns->of != &fl_logs_format_w3c)
		return FL_LOGS_NOT_MINE;
	count = split(w, words);
	if (!count || count != columns->count)
		return FL_LOGS_NOT_MINE;
	for (size_t i = 0; i < count; i++) {
		const char *name = fl_logs_column(columns, i);

		if (strcmp(name, "date") == 0)
			date = words[i];
		else if (strcmp(name, "time") == 0)
			time = words[i];
		else if (strcmp(name, "cs-uri-query") == 0)
			query = words[i];
		else
			fl_logs_put_key(w, keys, name, strlen(name),
					words[i].at, words[i].len);
		packets = packets || strcmp(name, "src-ip") == 0;
	}
	if (!put_time(w, &date, &time))
		return fl_logs_refuse(w, FL_REASON_bad_time, "ts",
				      "no date and time, or no such ones");
	put_query(w, &query);
	/* Windows' firewall writes of packets, all others of requests. */
	if (packets) {
		fl_logs_put_kind(w);
	} else {
		fl_logs_say(w, FL_LOGS_EVENT_CATEGORY, "[\"web\"]");
		fl_logs_say(w, FL_LOGS_EVENT_TYPE, "[\"access\"]");
	}
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_w3c = {
	.name = "w3c",
	.parse = parse,
};
