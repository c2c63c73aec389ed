/* logs_parser: see parser.h.
 *
 * The format of the line before is tried first: a file has one, mostly. That
 * is safe because a format takes no line that one before it in formats.def
 * would take as well, but for `syslog`, which is tried last in any case.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/short.h"
#include "base/utf8.h"
#include "rec/mark.h"
#include "source/log/head.h"

#define FORMAT(name) &fl_logs_format_##name,
const struct fl_logs_format *const fl_logs_formats[] = {
#include "source/log/formats.def"
	NULL,
};
#undef FORMAT

int fl_logs_format_find(const char *name, const struct fl_logs_format **format,
			struct fl_error *err)
{
	const char *names[40] = { "auto" }, *near;
	size_t count = 1;

	*format = NULL;
	if (!name || strcmp(name, "auto") == 0)
		return 0;
	for (size_t i = 0; fl_logs_formats[i]; i++) {
		if (strcmp(fl_logs_formats[i]->name, name) == 0) {
			*format = fl_logs_formats[i];
			return 0;
		}
		names[count++] = fl_logs_formats[i]->name;
	}
	near = fl_nearest(name, names);
	if (near)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--format '%s' is none that is known (did "
				    "you mean '%s'?)",
				    fl_show(name, strlen(name), 40), near);
	return fl_error_set(err, FL_ERR_USAGE,
			    "--format '%s' is none of auto, ufw, iptables, "
			    "cisco_asa, panos, pfsense, vpc_flow, aws_waf, "
			    "cef, leef, combined, clf, w3c, syslog",
			    fl_show(name, strlen(name), 40));
}

int fl_logs_prefixes_check(const struct fl_list *prefixes, struct fl_error *err)
{
	for (uint64_t i = 0; i < prefixes->count; i++) {
		const char *text = prefixes->items[i];
		const char *equals = strrchr(text, '=');

		if (!equals || equals == text ||
		    fl_logs_verdict_of(equals + 1, strlen(equals + 1)) ==
			    FL_LOGS_NO_VERDICT)
			return fl_error_set(
				err, FL_ERR_USAGE,
				"--prefix-action takes PREFIX=ACTION, the "
				"action one of allow, deny, drop, reset, "
				"audit; not '%s'",
				fl_show(text, strlen(text), 60));
	}
	return 0;
}

void fl_logs_parser_init(struct fl_logs_parser *parser,
			 const struct fl_logs_job *job, int64_t file_ns)
{
	memset(parser, 0, sizeof(*parser));
	parser->job = job;
	parser->times.zone = job->io->zone;
	parser->times.year = job->year;
	parser->times.file_ns = file_ns;
	parser->columns.day = FL_TIME_NONE;
	parser->work.parser = parser;
}

void fl_logs_parser_release(struct fl_logs_parser *parser)
{
	fl_buf_release(&parser->columns.names);
	fl_logs_repeats_release(&parser->repeats);
	fl_json_release(&parser->json);
	fl_arena_release(&parser->work.arena);
}

void fl_logs_columns_set(struct fl_logs_columns *columns,
			 const struct fl_logs_format *of, const char *at,
			 const char *end)
{
	columns->of = of;
	fl_buf_reset(&columns->names);
	columns->count = 0;
	while (at < end && columns->count < FL_LOGS_COLUMNS) {
		const char *to = fl_logs_until(at, end, ' ');

		if (columns->names.len + (size_t)(to - at) > UINT16_MAX)
			return;
		if (to > at) {
			columns->at[columns->count++] =
				(uint16_t)columns->names.len;
			fl_buf_append(&columns->names, at, (size_t)(to - at));
			fl_buf_putc(&columns->names, '\0');
		}
		at = to < end ? to + 1 : to;
	}
}

const char *fl_logs_column(const struct fl_logs_columns *columns, size_t i)
{
	return columns->names.data + columns->at[i];
}

/* --- one line --- */

static void put_head(struct fl_logs_work *w)
{
	const struct fl_logs_head *head = &w->head;

	fl_logs_put(w, FL_LOGS_HOST_NAME, head->host.at, head->host.len);
	if (w->parser->peer && !fl_logs_has(w, FL_LOGS_HOST_NAME))
		fl_logs_say(w, FL_LOGS_HOST_NAME, w->parser->peer);
	fl_logs_put(w, FL_LOGS_SYSLOG_APP, head->app.at, head->app.len);
	fl_logs_put(w, FL_LOGS_SYSLOG_PROCID, head->procid.at,
		    head->procid.len);
	fl_logs_put(w, FL_LOGS_SYSLOG_MSGID, head->msgid.at, head->msgid.len);
	if (head->pri < 0)
		return;
	fl_logs_integer(w, FL_LOGS_SYSLOG_PRIORITY, head->pri);
	fl_logs_integer(w, FL_LOGS_SYSLOG_FACILITY, head->pri / 8);
	fl_logs_integer(w, FL_LOGS_SYSLOG_SEVERITY, head->pri % 8);
}

static enum fl_logs_got try_format(struct fl_logs_work *w,
				   const struct fl_logs_format *format)
{
	const char *at = w->at;
	enum fl_logs_got got;

	w->set = 0;
	w->reason = FL_REASON_NONE;
	w->ts_ns = FL_TIME_NONE;
	got = format->parse(w);
	if (got == FL_LOGS_RECORD && w->reason != FL_REASON_NONE)
		got = FL_LOGS_REFUSED;
	w->at = at;
	if (got != FL_LOGS_NOT_MINE)
		w->parser->last = format;
	return got;
}

static enum fl_logs_got find_format(struct fl_logs_work *w)
{
	const struct fl_logs_format *only = w->parser->job->format;
	const struct fl_logs_format *last = w->parser->last;
	enum fl_logs_got got = FL_LOGS_NOT_MINE;

	if (only)
		return try_format(w, only);
	/* The last format of the list takes everything. */
	if (last && strcmp(last->name, "syslog") != 0)
		got = try_format(w, last);
	for (size_t i = 0; got == FL_LOGS_NOT_MINE && fl_logs_formats[i]; i++)
		if (fl_logs_formats[i] != last ||
		    strcmp(last->name, "syslog") == 0)
			got = try_format(w, fl_logs_formats[i]);
	return got;
}

/* The time of the record, and the reason when there is none. */
static enum fl_logs_got settle_time(struct fl_logs_work *w,
				    enum fl_logs_clock clock, int64_t recv_ns)
{
	if (w->ts_ns != FL_TIME_NONE)
		return FL_LOGS_RECORD;
	if (clock == FL_LOGS_STAMP) {
		w->ts_ns = w->head.ts_ns;
		return FL_LOGS_RECORD;
	}
	if (clock == FL_LOGS_NO_YEAR) {
		w->parser->lacks_year = true;
		return fl_logs_refuse(w, FL_REASON_bad_time, "ts",
				      "the stamp has no year, and what comes "
				      "through a pipe has no time of its own: "
				      "--year says it");
	}
	if (clock == FL_LOGS_BAD_STAMP)
		return fl_logs_refuse(w, FL_REASON_bad_time, "ts",
				      "no such day or time");
	if (!w->parser->job->received)
		return fl_logs_refuse(w, FL_REASON_bad_time, "ts",
				      "the line has no time");
	w->ts_ns = recv_ns;
	return FL_LOGS_RECORD;
}

/* The id: host and line, and the number among its equals of that second. */
static void print_id(struct fl_logs_work *w, struct fl_buf *out)
{
	const struct fl_logs_value *host = &w->values[FL_LOGS_HOST_NAME];
	bool named = fl_logs_has(w, FL_LOGS_HOST_NAME);
	struct fl_part parts[2] = {
		{ named ? host->text : "", named ? host->len : 0 },
		{ w->line, w->len },
	};
	int64_t second = w->ts_ns / FL_SECOND - (w->ts_ns % FL_SECOND < 0);
	uint64_t key[2] = { fl_hash64(w->line, w->len), (uint64_t)second };
	uint32_t count;
	char id[33];

	fl_id128(parts, 2, id);
	fl_buf_append(out, ",\"id\":\"", 7);
	fl_buf_append(out, id, 32);
	count = fl_logs_repeats_add(&w->parser->repeats,
				    fl_hash64(key, sizeof(key)));
	if (count > 1) {
		fl_buf_putc(out, '#');
		fl_buf_u64(out, count);
	}
	fl_buf_putc(out, '"');
}

static void print_record(struct fl_logs_work *w, struct fl_buf *out)
{
	char text[FL_TIME_TEXT];
	size_t len = fl_time_print(w->ts_ns, text);

	fl_buf_append(out, "{\"type\":\"log\",\"ts\":\"", 20);
	fl_buf_append(out, text, len);
	fl_buf_append(out, "\",\"provider\":\"", 14);
	fl_buf_puts(out, w->parser->last->name);
	fl_buf_putc(out, '"');
	print_id(w, out);
	fl_logs_print(w, out);
	fl_buf_putc(out, '}');
}

/* What no format is asked about. */
static enum fl_logs_got check_line(struct fl_logs_work *w)
{
	if (w->len > FL_LINE_MAX)
		return fl_logs_refuse(w, FL_REASON_too_long, "",
				      "%zu bytes, at most 900,000 are taken",
				      w->len);
	if (memchr(w->line, '\0', w->len) || !fl_utf8_valid(w->line, w->len))
		return fl_logs_refuse(w, FL_REASON_bad_utf8, "",
				      "not UTF-8, or holds U+0000");
	return FL_LOGS_RECORD;
}

/* Would a stage behind us take the line, or its message, for a mark? */
static bool is_mark(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at < end && *at == '{' && fl_mark_is(at, (size_t)(end - at));
}

static enum fl_logs_got parse(struct fl_logs_work *w, int64_t recv_ns,
			      struct fl_buf *out)
{
	char received[FL_TIME_TEXT]; /* until it is printed */
	enum fl_logs_clock clock;
	enum fl_logs_got got = check_line(w);

	if (got != FL_LOGS_RECORD)
		return got;
	clock = fl_logs_head_read(w, &w->parser->times);
	if (is_mark(w->line, w->end) || is_mark(w->at, w->end))
		return fl_logs_refuse(w, FL_REASON_unexpected_mark, "type",
				      "a log may hold no mark");
	got = find_format(w);
	if (got == FL_LOGS_NOT_MINE)
		return fl_logs_refuse(
			w, FL_REASON_unknown_format, "", "%s%s",
			w->parser->job->format ? "not a line of format "
					       : "of no format that is known",
			w->parser->job->format ? w->parser->job->format->name
					       : "");
	if (got != FL_LOGS_RECORD)
		return got;
	got = settle_time(w, clock, recv_ns);
	if (got != FL_LOGS_RECORD)
		return got;
	put_head(w);
	if (!fl_logs_has(w, FL_LOGS_EVENT_KIND))
		fl_logs_say(w, FL_LOGS_EVENT_KIND, "event");
	if (w->parser->last->category)
		fl_logs_say(w, FL_LOGS_EVENT_CATEGORY,
			    w->parser->last->category);
	if (w->parser->last->access && !fl_logs_has(w, FL_LOGS_EVENT_TYPE))
		fl_logs_say(w, FL_LOGS_EVENT_TYPE,
			    strcmp(w->parser->last->access, "access") == 0
				    ? "[\"access\"]"
				    : "[\"connection\"]");
	fl_logs_put(w, FL_LOGS_EVENT_ORIGINAL, w->line, w->len);
	if (w->parser->job->received)
		fl_logs_put(w, FL_LOGS_TS_RECV, received,
			    fl_time_print(recv_ns, received));
	print_record(w, out);
	if (out->len > FL_LINE_MAX)
		return fl_logs_refuse(w, FL_REASON_too_long, "",
				      "the record has more than %d bytes",
				      FL_LINE_MAX);
	return FL_LOGS_RECORD;
}

enum fl_logs_got fl_logs_parse(struct fl_logs_parser *parser, const char *line,
			       size_t len, int64_t recv_ns,
			       struct fl_logs_made *made)
{
	struct fl_logs_work *w = &parser->work;
	enum fl_logs_got got;

	fl_arena_reset(&w->arena);
	fl_buf_reset(&made->text);
	w->line = line;
	w->len = len;
	w->end = line + len;
	w->reason = FL_REASON_NONE;
	w->note = &made->note;
	if (parser->job->received)
		parser->times.file_ns = recv_ns;
	got = parse(w, recv_ns, &made->text);
	made->ts_ns = w->ts_ns;
	made->reason = w->reason;
	return got;
}
