/* logs_head: see head.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/head.h"

enum {
	PRI_MAX = 191, /* facility 23, severity 7 */
	TAG_MAX = 64,
	HOST_MAX = 255,
};

static struct fl_logs_text text_of(const char *at, const char *end)
{
	return (struct fl_logs_text){ at, (size_t)(end - at) };
}

/* <134> */
static bool take_pri(const char **at, const char *end, int *pri)
{
	const char *p = *at + 1;
	int value = 0;

	if (end - *at < 3 || **at != '<' || !fl_logs_digit(*p))
		return false;
	for (; p < end && p < *at + 4 && fl_logs_digit(*p); p++)
		value = value * 10 + (*p - '0');
	if (p == end || *p != '>' || value > PRI_MAX)
		return false;
	*pri = value;
	*at = p + 1;
	return true;
}

/* --- RFC 5424 --- */

/* A word and the blank behind it; "-" is nil. */
static bool take_word(const char **at, const char *end,
		      struct fl_logs_text *word)
{
	const char *to = fl_logs_until(*at, end, ' ');

	*word = text_of(*at, to);
	if (fl_logs_is(word->at, word->len, "-"))
		word->len = 0;
	if (to == *at)
		return false;
	*at = to < end ? to + 1 : to;
	return true;
}

/* [id k="v"]…, where \" \\ and \] are escaped in v; or - */
static bool skip_data(const char **at, const char *end)
{
	const char *p = *at;

	if (p < end && *p == '-') {
		p++;
	} else {
		if (p == end || *p != '[')
			return false;
		while (p < end && *p == '[') {
			bool quoted = false;

			for (p++; p < end && (quoted || *p != ']'); p++) {
				if (quoted && *p == '\\' && p + 1 < end)
					p++;
				else if (*p == '"')
					quoted = !quoted;
			}
			if (p == end)
				return false;
			p++;
		}
	}
	if (p < end && *p != ' ')
		return false;
	*at = p < end ? p + 1 : p;
	return true;
}

static enum fl_logs_clock read_structured(struct fl_logs_work *w,
					  const char *at)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct fl_logs_head *head = &w->head;
	struct fl_logs_text stamp;
	enum fl_logs_clock got = FL_LOGS_NO_STAMP;

	at += 2;
	if (!take_word(&at, w->end, &stamp) ||
	    !take_word(&at, w->end, &head->host) ||
	    !take_word(&at, w->end, &head->app) ||
	    !take_word(&at, w->end, &head->procid) ||
	    !take_word(&at, w->end, &head->msgid) || !skip_data(&at, w->end))
		return FL_LOGS_BAD_STAMP;
	if (stamp.len) {
		if (fl_time_parse(stamp.at, stamp.len, &head->ts_ns) ==
		    FL_TIME_BAD)
			return FL_LOGS_BAD_STAMP;
		got = FL_LOGS_STAMP;
	}
	if (fl_logs_starts(at, w->end, bom))
		at += 3;
	head->found = head->structured = true;
	w->at = at;
	return got;
}

/* --- RFC 3164 --- */

static bool host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       fl_logs_digit(c) || memchr(".-_:%/", c, 6);
}

/* The host, unless what stands there is a tag or the message. */
static void take_host(struct fl_logs_head *head, const char **at,
		      const char *end)
{
	const char *to = fl_logs_until(*at, end, ' ');
	size_t len = (size_t)(to - *at);

	if (!len || len > HOST_MAX || to == end || **at == '%' ||
	    fl_logs_starts(*at, end, "CEF:") ||
	    fl_logs_starts(*at, end, "LEEF:") ||
	    (to[-1] == ':' && !(len > 1 && to[-2] == ':')))
		return;
	for (const char *p = *at; p < to; p++)
		if (!host_byte(*p))
			return;
	head->host = text_of(*at, to);
	*at = to + 1;
}

/* kernel: or sshd[123]: */
static void take_tag(struct fl_logs_head *head, const char **at,
		     const char *end)
{
	const char *p = *at, *app_end;

	while (p < end && p - *at < TAG_MAX &&
	       ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		fl_logs_digit(*p) || memchr("._-/()", *p, 6)))
		p++;
	app_end = p;
	if (p == *at)
		return;
	if (p < end && *p == '[') {
		const char *close = fl_logs_until(p, end, ']');

		if (end - close < 2 || close - p > TAG_MAX || close[1] != ':')
			return;
		head->procid = text_of(p + 1, close);
		p = close + 1;
	}
	if (p == end || *p != ':' || (p + 1 < end && p[1] != ' ')) {
		head->procid.len = 0;
		return;
	}
	head->app = text_of(*at, app_end);
	*at = p + 1 < end ? p + 2 : p + 1;
}

/* Cisco: ": " or "45: " before the stamp, and a * for a clock that is not set.
 */
static const char *skip_sequence(const char *at, const char *end)
{
	const char *p = at;

	while (p < end && fl_logs_digit(*p) && p - at < 12)
		p++;
	if (p < end && *p == ':') {
		p++;
		while (p < end && *p == ' ')
			p++;
		at = p;
	}
	if (at < end && (*at == '*' || *at == '.'))
		at++;
	return at;
}

static enum fl_logs_clock read_stamp(struct fl_logs_times *times,
				     const char **at, const char *end,
				     int64_t *ns)
{
	enum fl_logs_clock got = fl_logs_stamp_bsd(times, at, end, ns);

	return got != FL_LOGS_NO_STAMP ? got : fl_logs_stamp_iso(at, end, ns);
}

enum fl_logs_clock fl_logs_head_read(struct fl_logs_work *w,
				     struct fl_logs_times *times)
{
	struct fl_logs_head *head = &w->head;
	const char *at = w->line, *end = w->end, *from;
	enum fl_logs_clock got;

	*head = (struct fl_logs_head){ .pri = -1 };
	w->at = at;
	if (take_pri(&at, end, &head->pri)) {
		head->found = true;
		if (fl_logs_starts(at, end, "1 "))
			return read_structured(w, at);
	}
	from = head->found ? skip_sequence(at, end) : at;
	got = read_stamp(times, &from, end, &head->ts_ns);
	if (got == FL_LOGS_NO_STAMP) {
		if (head->found)
			take_tag(head, &at, end);
		w->at = at;
		return got;
	}
	head->found = true;
	at = from;
	if (at < end && *at == ':')
		at++;
	while (at < end && *at == ' ')
		at++;
	take_host(head, &at, end);
	if (fl_logs_starts(at, end, ": "))
		at += 2;
	take_tag(head, &at, end);
	w->at = at;
	return got;
}
