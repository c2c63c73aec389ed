/* answer: what came, told from the errors that come in its place.
 *
 * Errors have status 200 and a text under one of several keys; the wording and
 * the keys have changed more than once. So keys are looked at before data,
 * words decide what is meant, and an answer without what was asked for is an
 * error whatever it says.
 *
 * source  sources.md, 2.1
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/utf8.h"
#include "source/av/av.h"

enum {
	SAID_MAX = 300, /* bytes of a message that are shown */
	MINUTE = 30,    /* a minute, in times of --retry-wait at its default */
};

static int fault_set(struct fl_poll_fault *fault, enum fl_reason reason,
		     bool retryable, const char *text,
		     const struct fl_http_answer *answer)
{
	fault->reason = reason;
	fault->retryable = retryable;
	snprintf(fault->text, sizeof(fault->text),
		 "%.340s (HTTP %u, " FL_AV ")", text, answer->status);
	return -1;
}

int fl_av_malformed(struct fl_poll_fault *fault,
		    const struct fl_http_answer *answer, const char *format,
		    ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fault_set(fault, FL_REASON_provider_error, false, text, answer);
}

int fl_av_unknown(struct fl_poll_fault *fault,
		  const struct fl_http_answer *answer)
{
	return fault_set(fault, FL_REASON_unknown_symbol, false,
			 "symbol not found: the answer is empty", answer);
}

/* The message with stars for the key, which messages have repeated. */
static void put_said(const struct fl_av_job *job, const char *text, size_t len,
		     struct fl_buf *out)
{
	const char *key = job->plan->key;
	size_t size = key ? strlen(key) : 0;

	while (len) {
		const char *at = size ? memmem(text, len, key, size) : NULL;
		size_t part = at ? (size_t)(at - text) : len;

		fl_buf_append(out, text, part);
		if (at)
			fl_buf_puts(out, "***");
		text += part + (at ? size : 0);
		len -= part + (at ? size : 0);
	}
}

/* When the day of the provider's count is over. */
static void put_again(const struct fl_av_job *job, struct fl_buf *out)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *zone = NULL;
	char text[FL_TIME_TEXT];
	struct fl_civil civil;
	int64_t ns;

	if (fl_zone_open("America/New_York", &zone, &err) < 0)
		return;
	fl_civil_from_time(fl_zone_wall(zone, job->answered_ns), &civil);
	fl_civil_from_days(
		fl_days_from_civil(civil.year, civil.month, civil.day) + 1,
		&civil.year, &civil.month, &civil.day);
	civil.hour = civil.minute = civil.second = civil.nanos = 0;
	if (fl_zone_to_utc(zone, &civil, &ns, NULL) == FL_ZONE_RANGE)
		return;
	fl_time_print(ns, text);
	fl_buf_printf(out, "; again after %.16sZ", text);
}

static bool says(const char *text, const char *words)
{
	return strcasestr(text, words) != NULL;
}

/* What a message means. The one about haste names the day's count and paid
 * plans as well, so the order of the questions matters. */
static enum fl_reason meaning(const char *text, unsigned *pause)
{
	*pause = 0;
	if (says(text, "sparingly") || says(text, "per second")) {
		*pause = 1;
		return FL_REASON_rate_limited;
	}
	if (says(text, "per minute") || says(text, "call frequency")) {
		*pause = MINUTE;
		return FL_REASON_rate_limited;
	}
	if (says(text, "per day") || says(text, "daily rate limit"))
		return FL_REASON_quota_exceeded;
	if ((says(text, "apikey") || says(text, "api key")) &&
	    (says(text, "invalid") || says(text, "missing") ||
	     says(text, "demo")))
		return FL_REASON_auth;
	if (says(text, "premium"))
		return FL_REASON_premium_only;
	if (says(text, "invalid api call") || says(text, "invalid inputs"))
		return FL_REASON_unknown_symbol;
	return FL_REASON_provider_error;
}

/* A message in place of the answer, under the key `code`. returns 0 where the
 * answer is dealt with, -1, 1 */
static int take_message(struct fl_av_job *job, const char *code,
			const struct fl_json_tok *said,
			const struct fl_http_answer *answer,
			struct fl_poll_fault *fault)
{
	struct fl_buf text = FL_BUF_INIT;
	unsigned pause;
	enum fl_reason reason;
	char shown[SAID_MAX + 60];
	int result = -1;

	put_said(job, said->text, said->len, &text);
	reason = meaning(fl_buf_text(&text), &pause);
	/* A Note has always been about haste. */
	if (reason == FL_REASON_provider_error &&
	    strcasecmp(code, "note") == 0) {
		reason = FL_REASON_rate_limited;
		pause = MINUTE;
	}
	snprintf(shown, sizeof(shown), "%s",
		 fl_show(fl_buf_text(&text), text.len, SAID_MAX));
	fl_buf_reset(&text);
	fl_buf_puts(&text, shown);
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	if (reason == FL_REASON_quota_exceeded)
		put_again(job, &text);
	if (reason == FL_REASON_auth)
		fl_buf_puts(&text, "; see ALPHAVANTAGE_API_KEY in fl-fetch(1)");
	/* A month before the first one of a series. */
	if (reason == FL_REASON_unknown_symbol && job->asked == FL_AV_BARS &&
	    job->monthly && (job->month_known || !job->month_is_last)) {
		fl_log("'%s': nothing of a month: %s", job->subject,
		       fl_buf_text(&text));
		fault->code[0] = '\0';
		result = 0;
	} else {
		fault_set(fault, reason,
			  reason == FL_REASON_rate_limited ||
				  reason == FL_REASON_quota_exceeded,
			  fl_buf_text(&text), answer);
		fault->pause = pause;
		if (reason == FL_REASON_premium_only &&
		    fl_av_fall_back(job, fault) == 0)
			result = 0;
		else if (pause)
			result = 1;
	}
	fl_buf_release(&text);
	return result;
}

/* Is there a message? returns its key's token, 0 */
static uint32_t find_message(const struct fl_json *json)
{
	static const char *const keys[] = { "error message", "note",
					    "information",   "error",
					    "message",       "detail" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		uint32_t at = fl_av_find(json, 0, keys[i]);

		if (at && json->toks[at].kind == FL_JSON_STRING)
			return at - 1;
	}
	/* One text and nothing else is no data of any function. */
	if (json->toks[0].len == 1 && json->toks[2].kind == FL_JSON_STRING)
		return 1;
	return 0;
}

/* Neither JSON nor CSV: a page, or a status. */
static int take_page(const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	const char *said = fl_poll_said(answer);
	unsigned status = answer->status;
	char text[350];

	if (status == 429)
		return fault_set(fault, FL_REASON_rate_limited, true, said,
				 answer);
	if (status == 401 || status == 403)
		return fault_set(fault, FL_REASON_auth, false, said, answer);
	if (status != 200)
		return fault_set(fault, FL_REASON_http_status,
				 fl_http_retryable(answer), said, answer);
	snprintf(text, sizeof(text), "neither JSON nor CSV: '%s'", said);
	return fault_set(fault, FL_REASON_provider_error, true, text, answer);
}

static fl_av_take *const takers[] = {
	[FL_AV_BARS] = fl_av_take_series,
	[FL_AV_QUOTE] = fl_av_take_quote,
	[FL_AV_NEWS] = fl_av_take_news,
	[FL_AV_OVERVIEW] = fl_av_take_overview,
	[FL_AV_DIVIDENDS] = fl_av_take_dividends,
	[FL_AV_SPLITS] = fl_av_take_splits,
	[FL_AV_EARNINGS] = fl_av_take_calendar,
	[FL_AV_IPOS] = fl_av_take_calendar,
	[FL_AV_SEARCH] = fl_av_take_search,
	[FL_AV_LISTING] = fl_av_take_listing,
	[FL_AV_MARKETS] = fl_av_take_markets,
};

static int take_json(struct fl_av_job *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault)
{
	struct fl_json *json = &job->json;
	struct fl_note note;
	char code[64];
	uint32_t key;
	enum fl_reason reason =
		fl_json_parse(json, answer->body, answer->len, &note);

	if (reason && answer->status != 200)
		return take_page(answer, fault);
	if (reason) {
		(void)fl_av_malformed(fault, answer, "broken JSON: %s",
				      note.detail);
		fault->retryable = reason != FL_REASON_duplicate_key;
		return -1;
	}
	if (json->toks[0].kind != FL_JSON_OBJECT)
		return fl_av_malformed(fault, answer, "JSON, but no object");
	key = find_message(json);
	if (key) {
		snprintf(
			code, sizeof(code), "%s",
			fl_show(json->toks[key].text, json->toks[key].len, 40));
		return take_message(job, code, &json->toks[key + 1], answer,
				    fault);
	}
	if (answer->status != 200)
		return take_page(answer, fault);
	if (!json->toks[0].len)
		return fl_av_unknown(fault, answer);
	return takers[job->asked](job, answer, false, fault);
}

int fl_av_parse(void *state, const struct fl_http_answer *answer,
		struct fl_poll_fault *fault)
{
	struct fl_av_job *job = state;
	const char *body = answer->body;

	job->answered_ns = answer->date_ns == FL_TIME_NONE ? job->plan->now_ns
							   : answer->date_ns;
	job->answered_ns -= job->answered_ns % 1000000;
	while (*body && strchr(" \t\r\n", *body))
		body++;
	if (*body == '{' || *body == '[')
		return take_json(job, answer, fault);
	/* A table begins with a name, and nothing else does. */
	if (answer->status != 200 || !strchr(body, ',') ||
	    strcspn(body, ",\r\n<") == strcspn(body, "\r\n<") ||
	    memchr(body, '<', strcspn(body, "\r\n")))
		return take_page(answer, fault);
	if (!fl_utf8_valid(answer->body, answer->len))
		return fl_av_malformed(fault, answer, "not UTF-8");
	return takers[job->asked](job, answer, true, fault);
}
