/* session: see session.h.
 *
 * There are two ways. The first fetches fc.yahoo.com for its cookie alone; the
 * name stands on lists of advertisers, so that it may not resolve, and then a
 * page of finance.yahoo.com does as well. The second goes by guce.yahoo.com,
 * which asks for consent. In Europe the first leads there, too, by redirects.
 *
 * libcurl keeps the cookies of one visit; of these a text is made that is sent
 * with each question later.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/state.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/consent.h"
#include "source/yahoo/yahoo.h"

#define FILE_NAME "yahoo-session"
#define FILE_HEAD "FinanceLake 1: cookies of Yahoo, nobody else's business"
#define PAGE_TYPE "text/html,application/xhtml+xml,application/xml"

enum {
	WAYS = 2,
	CRUMB_MAX = 64,
	FILE_BYTES = 64 * 1024,
	PAUSE_MINUTES = 15,
};

struct fl_yahoo_session {
	const struct fl_ask *ask;
	struct fl_http *http; /* of the visit under way */
	char *agent;
	struct fl_buf crumb; /* percent-encoded; empty: none */
	char plain[CRUMB_MAX + 1];
	struct fl_buf cookies; /* lines as fl_http_cookies() has them */
	struct fl_buf cookie;  /* "A=1; B=2" */
	unsigned way;          /* tried next; WAYS: both were */
	int64_t pause_ns;      /* no visit before; monotonic */
	bool told;
	bool plays; /* --replay: cookies are masked in what was recorded */
	char why[300];
};

/* --- what is kept --- */

/* Some 11 characters; a slash may come as \u002F. */
static bool read_crumb(const char *text, size_t len, char *crumb)
{
	size_t n = 0;

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (len - i >= 6 && strncmp(text + i, "\\u00", 4) == 0) {
			char hex[3] = { text[i + 4], text[i + 5], '\0' }, *end;

			c = (char)strtoul(hex, &end, 16);
			if (*end)
				return false;
			i += 5;
		}
		if (n == CRUMB_MAX || c <= ' ' || c > '~' ||
		    strchr("<>{}\"", c))
			return false;
		crumb[n++] = c;
	}
	crumb[n] = '\0';
	return n > 0;
}

/* Does a cookie of that domain go to that host? Subdomains as well, which is
 * all that Yahoo's are. */
static bool is_for(const char *domain, size_t len, const char *base)
{
	const char *host = strstr(base, "://");
	size_t host_len;

	if (!host)
		return false;
	host += 3;
	host_len = strcspn(host, ":/");
	if (len > 10 && strncmp(domain, "#HttpOnly_", 10) == 0) {
		domain += 10;
		len -= 10;
	}
	if (len && *domain == '.') {
		domain++;
		len--;
	}
	return len && len <= host_len &&
	       strncasecmp(host + host_len - len, domain, len) == 0 &&
	       (len == host_len || host[host_len - len - 1] == '.');
}

/* One line of fl_http_cookies(): appended to the cookie that is sent.
 * returns false: it has expired, or is none */
static bool take_cookie(struct fl_yahoo_session *s, const char *line)
{
	const char *field[7], *at = line;
	size_t len[7];
	long long ends;

	for (int i = 0; i < 7; i++) {
		field[i] = at;
		len[i] = strcspn(at, "\t\n");
		at += len[i];
		if (i < 6 && *at++ != '\t')
			return false;
	}
	ends = strtoll(field[4], NULL, 10);
	/* Seen in milliseconds. */
	if (ends > 100000000000)
		ends /= 1000;
	if (ends && ends <= fl_now_ns() / FL_SECOND)
		return false;
	if (is_for(field[0], len[0], fl_yahoo_bases()))
		fl_buf_printf(&s->cookie, "%s%.*s=%.*s",
			      s->cookie.len ? "; " : "", (int)len[5], field[5],
			      (int)len[6], field[6]);
	return true;
}

static void keep_line(void *arg, const char *line)
{
	struct fl_yahoo_session *s = arg;

	if (strpbrk(line, "\r\n") || !take_cookie(s, line))
		return;
	fl_buf_puts(&s->cookies, line);
	fl_buf_putc(&s->cookies, '\n');
}

static void forget(struct fl_yahoo_session *s)
{
	fl_buf_reset(&s->crumb);
	fl_buf_reset(&s->cookies);
	fl_buf_reset(&s->cookie);
}

static void save(const struct fl_yahoo_session *s)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_buf text = FL_BUF_INIT;

	fl_buf_printf(&text, "%s\n%s\n%s\n%s", FILE_HEAD, fl_yahoo_bases(),
		      s->plain, fl_buf_text(&s->cookies));
	if (fl_state_write(FILE_NAME, text.data, text.len, &err) < 0)
		fl_log("yahoo's cookies are not kept: %s", err.text);
	fl_buf_release(&text);
}

/* The next line of the text; NULL: none. */
static char *next_line(char **rest)
{
	return *rest && **rest ? strsep(rest, "\n") : NULL;
}

/* One cookie that has expired makes all of them useless. */
static void load(struct fl_yahoo_session *s)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_buf text = { .max = FILE_BYTES };
	char *rest, *line, *bases;
	bool good;

	if (fl_state_read(FILE_NAME, &text, &err) < 0)
		fl_log("yahoo's cookies are not read: %s", err.text);
	rest = text.data;
	line = next_line(&rest);
	bases = next_line(&rest);
	good = !text.over && line && strcmp(line, FILE_HEAD) == 0 && bases &&
	       strcmp(bases, fl_yahoo_bases()) == 0;
	line = good ? next_line(&rest) : NULL;
	good = line && read_crumb(line, strlen(line), s->plain);
	if (good)
		fl_url_escape(s->plain, &s->crumb);
	while (good && (line = next_line(&rest))) {
		good = take_cookie(s, line);
		fl_buf_puts(&s->cookies, line);
		fl_buf_putc(&s->cookies, '\n');
	}
	if (!good || !s->cookie.len)
		forget(s);
	else
		fl_log("yahoo: cookies of an earlier run");
	fl_buf_release(&text);
}

/* --- visits --- */

/* returns 0; -1 with why, also when a stop was asked for */
static int visit(struct fl_yahoo_session *s, const char *url, const char *form,
		 const char *accept, struct fl_http_answer *answer)
{
	struct fl_error err = { .code = FL_OK };
	int got;

	fl_http_ask(s->http, &(struct fl_http_request){ .url = url,
							.form = form,
							.accept = accept });
	do
		got = fl_http_next(s->http, answer, FL_SECOND / 10, &err);
	while (got == 2);
	if (got == 1 && !answer->fault)
		return 0;
	snprintf(s->why, sizeof(s->why), "%s",
		 got == 1  ? answer->why
		 : got < 0 ? err.text
			   : "stopped");
	return -1;
}

static int fail(struct fl_yahoo_session *s, const char *why, unsigned status)
{
	if (status)
		snprintf(s->why, sizeof(s->why), "%s (HTTP %u)", why, status);
	else
		snprintf(s->why, sizeof(s->why), "%s", why);
	return -1;
}

static int visit_site(struct fl_yahoo_session *s, const char *site,
		      const char *path, const char *accept,
		      struct fl_http_answer *answer)
{
	char *url = fl_yahoo_site(site, path);
	int result = visit(s, url, NULL, accept, answer);

	free(url);
	return result;
}

/* Where the answer is the page that asks for consent, agree.
 * also     more of the form
 * session  out: the sessionId, when it was
 * returns  1 agreed; 0 it is no such page; -1 with why */
static int agree(struct fl_yahoo_session *s, struct fl_http_answer *answer,
		 const char *also, struct fl_buf *session)
{
	struct fl_buf form = FL_BUF_INIT;
	char *place;
	int result = 0;

	if (!fl_yahoo_is_consent(answer->place))
		return 0;
	place = fl_strdup(answer->place);
	fl_log("yahoo asks for consent");
	if (!fl_yahoo_consent(answer->body, answer->len, also, &form, session))
		result = fail(s, "no form on the page that asks for consent",
			      answer->status);
	else if (visit(s, place, fl_buf_text(&form), PAGE_TYPE, answer) < 0)
		result = -1;
	else if (answer->status >= 400)
		result = fail(s, "consent was not taken", answer->status);
	free(place);
	fl_buf_release(&form);
	return result < 0 ? -1 : 1;
}

static void count_cookie(void *arg, const char *line)
{
	size_t *count = arg;

	*count += *line != '\0';
}

static bool has_cookies(struct fl_yahoo_session *s)
{
	size_t count = 0;

	fl_http_cookies(s->http, count_cookie, &count);
	return count > 0 || s->plays;
}

/* The page of a symbol, which sets cookies for whoever wants HTML. */
static int visit_page(struct fl_yahoo_session *s)
{
	struct fl_http_answer answer;
	struct fl_buf session = FL_BUF_INIT;
	int result =
		visit_site(s, "finance", "/quote/AAPL", PAGE_TYPE, &answer);

	if (result == 0)
		result = agree(s, &answer, "", &session);
	fl_buf_release(&session);
	return result < 0 ? -1 : 0;
}

/* fc.yahoo.com: neither status nor body matter. */
static int visit_first(struct fl_yahoo_session *s)
{
	struct fl_http_answer answer;
	struct fl_buf session = FL_BUF_INIT;
	int result = visit_site(s, "fc", "", NULL, &answer);

	if (result == 0)
		result = agree(s, &answer, "", &session);
	fl_buf_release(&session);
	if (result < 0)
		fl_log("yahoo: fc: %s", s->why);
	return has_cookies(s) ? 0 : visit_page(s);
}

/* guce.yahoo.com, and where consent was asked for, the copy of its cookies. */
static int visit_second(struct fl_yahoo_session *s)
{
	struct fl_http_answer answer;
	struct fl_buf session = FL_BUF_INIT, path = FL_BUF_INIT;
	int result = visit_site(s, "guce", "/consent", PAGE_TYPE, &answer);

	if (result == 0)
		result = agree(s, &answer, "consentUUID=default", &session);
	if (result == 1) {
		fl_buf_puts(&path, "/copyConsent?sessionId=");
		fl_url_escape(fl_buf_text(&session), &path);
		result = visit_site(s, "guce", fl_buf_text(&path), PAGE_TYPE,
				    &answer);
	}
	if (result < 0)
		fl_log("yahoo: guce: %s", s->why);
	fl_buf_release(&session);
	fl_buf_release(&path);
	return has_cookies(s) ? 0 : visit_page(s);
}

/* --- the crumb --- */

static int get_crumb(struct fl_yahoo_session *s, const char *base, size_t len)
{
	char *url = fl_sprintf("%.*s/v1/test/getcrumb", (int)len, base);
	struct fl_http_answer answer;
	int result = visit(s, url, NULL, "text/plain,*/*", &answer);

	free(url);
	if (result < 0)
		return -1;
	/* With status 200, too. */
	if (strstr(answer.body, "Too Many Requests") || answer.status == 429)
		return fail(s, "Too Many Requests", answer.status);
	if (answer.status != 200)
		return fail(s, "no crumb is given", answer.status);
	if (!read_crumb(answer.body, answer.len, s->plain))
		return fail(s, "what came is no crumb", answer.status);
	fl_url_escape(s->plain, &s->crumb);
	return 0;
}

static int visit_all(struct fl_yahoo_session *s, unsigned way)
{
	const char *base = fl_yahoo_bases(), *other = strchr(base, ',');

	if ((way ? visit_second : visit_first)(s) < 0)
		return -1;
	if (!has_cookies(s))
		return fail(s, "no cookie is set", 0);
	/* The first way asks the second host, the second the first. */
	if (way == 0 && other)
		base = other + 1;
	if (get_crumb(s, base, strcspn(base, ",")) < 0)
		return -1;
	fl_http_cookies(s->http, keep_line, s);
	if (!s->cookie.len && !s->plays)
		return fail(s, "no cookie is set", 0);
	return 0;
}

static int go(struct fl_yahoo_session *s, unsigned way)
{
	struct fl_http_settings settings = FL_HTTP_SETTINGS;
	struct fl_error err = { .code = FL_OK };
	struct fl_limit *limit = NULL;
	int result;

	forget(s);
	fl_polled_settings(s->ask, &settings, &s->agent);
	settings.accept = NULL;
	settings.cookies = true;
	settings.parallel = 1;
	settings.tries = 1; /* there is another way */
	if (fl_polled_limit(&limit, s->ask, &fl_polled_yahoo_quotes, &settings,
			    &err) < 0 ||
	    fl_http_open(&s->http, s->ask->io, &settings, &err) < 0)
		result = fail(s, err.text, 0);
	else
		result = visit_all(s, way);
	fl_http_close(&s->http);
	fl_limit_close(&limit);
	free(s->agent);
	s->agent = NULL;
	if (result < 0)
		forget(s);
	return result;
}

/* --- what the rest sees --- */

void fl_yahoo_session_open(struct fl_yahoo_session **session,
			   const struct fl_ask *ask)
{
	struct fl_yahoo_session *s = fl_zalloc(sizeof(*s));

	*session = s;
	s->ask = ask;
	/* A recording holds the visits as well. */
	if (!fl_polled_tapes(&s->plays))
		load(s);
}

void fl_yahoo_session_ready(struct fl_yahoo_session *s)
{
	if (s->crumb.len || fl_monotonic_ns() < s->pause_ns)
		return;
	s->pause_ns = 0;
	while (s->way < WAYS && !fl_stop_requested(s->ask->io)) {
		if (go(s, s->way++) == 0) {
			if (!s->plays)
				save(s);
			return;
		}
		fl_log("yahoo: no crumb: %s", s->why);
	}
	s->way = 0;
	s->pause_ns = fl_monotonic_ns() + PAUSE_MINUTES * FL_MINUTE;
}

const char *fl_yahoo_session_crumb(const struct fl_yahoo_session *s)
{
	return s->crumb.len ? fl_buf_text(&s->crumb) : NULL;
}

const char *fl_yahoo_session_secret(const struct fl_yahoo_session *s)
{
	return *s->plain ? s->plain : NULL; /* also one of before */
}

const char *fl_yahoo_session_cookie(const struct fl_yahoo_session *s)
{
	return s->cookie.len ? fl_buf_text(&s->cookie) : NULL;
}

const char *fl_yahoo_session_why(const struct fl_yahoo_session *s)
{
	return s->why;
}

void fl_yahoo_session_refused(struct fl_yahoo_session *s, const char *crumb)
{
	if (!s->crumb.len || strcmp(fl_buf_text(&s->crumb), crumb) != 0)
		return;
	fl_log("yahoo: the crumb is refused");
	forget(s);
	if (!s->plays)
		fl_state_remove(FILE_NAME);
	fail(s, "the crumb is refused", 0);
}

void fl_yahoo_session_good(struct fl_yahoo_session *s)
{
	s->way = 0;
	s->told = false;
}

void fl_yahoo_session_tell(struct fl_yahoo_session *s, const char *what)
{
	char text[500];

	if (s->told || !s->ask->tell)
		return;
	s->told = true;
	snprintf(text, sizeof(text), "%s: %s", what, s->why);
	s->ask->tell(s->ask->tell_arg, text);
}

void fl_yahoo_session_close(struct fl_yahoo_session **session)
{
	struct fl_yahoo_session *s = *session;

	*session = NULL;
	if (!s)
		return;
	fl_buf_release(&s->crumb);
	fl_buf_release(&s->cookies);
	fl_buf_release(&s->cookie);
	free(s);
}
