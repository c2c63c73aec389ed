/* logs_access: see access.h.
 *
 * source  Apache mod_log_config, "Common Log Format": host ident user [time]
 *         "request" status bytes
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/access.h"

#include "source/log/stamp.h"

bool fl_logs_quoted(const char **at, const char *end, struct fl_logs_text *text)
{
	const char *p = *at;

	if (p == end || *p != '"')
		return false;
	text->at = ++p;
	while (p < end && *p != '"')
		p += *p == '\\' && p + 1 < end ? 2 : 1;
	if (p >= end)
		return false;
	text->len = (size_t)(p - text->at);
	*at = p + 1;
	return true;
}

void fl_logs_version(struct fl_logs_work *w, const char *text, size_t len)
{
	if (len > 5 && memcmp(text, "HTTP/", 5) == 0)
		fl_logs_put(w, FL_LOGS_HTTP_VERSION, text + 5, len - 5);
}

/* GET /path HTTP/1.1; what is none stays whole, as the address asked for. */
void fl_logs_request(struct fl_logs_work *w, const struct fl_logs_text *text)
{
	const char *at = text->at, *end = at + text->len;
	const char *url = fl_logs_until(at, end, ' ');
	const char *last = end;

	while (last > url && last[-1] != ' ')
		last--;
	for (const char *p = at; p < url; p++)
		if (*p < 'A' || *p > 'Z')
			url = at;
	if (url == at || url == end || last <= url + 1 ||
	    !fl_logs_starts(last, end, "HTTP/")) {
		fl_logs_put(w, FL_LOGS_URL_ORIGINAL, at, text->len);
		return;
	}
	fl_logs_label(w, FL_LOGS_HTTP_METHOD, at, (size_t)(url - at));
	fl_logs_put(w, FL_LOGS_URL_ORIGINAL, url + 1,
		    (size_t)(last - 1 - url - 1));
	fl_logs_version(w, last, (size_t)(end - last));
}

/* A word and the blank behind it. */
static bool word(const char **at, const char *end, struct fl_logs_text *text)
{
	const char *to = fl_logs_until(*at, end, ' ');

	*text = (struct fl_logs_text){ *at, (size_t)(to - *at) };
	if (to == end || to == *at)
		return false;
	*at = to + 1;
	return true;
}

/* User names may hold blanks: up to " [" and what looks like a day. */
static bool user(const char **at, const char *end, struct fl_logs_text *text)
{
	for (const char *p = *at; end - p > 4; p++) {
		p = memchr(p, '[', (size_t)(end - p));
		if (!p || end - p < 4)
			return false;
		if (p - *at < 2 || p[-1] != ' ' || p[3] != '/')
			continue;
		*text = (struct fl_logs_text){ *at, (size_t)(p - 1 - *at) };
		*at = p + 1;
		return true;
	}
	return false;
}

enum fl_logs_got fl_logs_access(struct fl_logs_work *w, const char **out)
{
	const char *at = w->at, *end = w->end;
	struct fl_logs_text host, ident, name, request, status, bytes;
	enum fl_logs_clock clock;

	if (!word(&at, end, &host) || !word(&at, end, &ident) ||
	    !user(&at, end, &name))
		return FL_LOGS_NOT_MINE;
	clock = fl_logs_stamp_clf(&at, end, &w->ts_ns);
	if (clock == FL_LOGS_NO_STAMP || !fl_logs_starts(at, end, "] \""))
		return clock == FL_LOGS_BAD_STAMP
			       ? fl_logs_refuse(w, FL_REASON_bad_time, "ts",
						"no such day or time")
			       : FL_LOGS_NOT_MINE;
	at += 2;
	if (!fl_logs_quoted(&at, end, &request) || at == end || *at++ != ' ' ||
	    !word(&at, end, &status))
		return FL_LOGS_NOT_MINE;
	bytes.at = at;
	at = fl_logs_until(at, end, ' ');
	bytes.len = (size_t)(at - bytes.at);
	fl_logs_host(w, FL_LOGS_SOURCE_IP, host.at, host.len);
	fl_logs_put(w, FL_LOGS_SOURCE_USER, name.at, name.len);
	fl_logs_request(w, &request);
	fl_logs_count(w, FL_LOGS_HTTP_STATUS, status.at, status.len);
	fl_logs_count(w, FL_LOGS_HTTP_BYTES, bytes.at, bytes.len);
	*out = at;
	return FL_LOGS_RECORD;
}
