/* answer: see answer.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "rec/record.h"
#include "rec/subunit.h"
#include "source/yahoo/number.h"
#include "source/yahoo/yahoo.h"

uint32_t fl_yahoo_find(const struct fl_json *json, uint32_t object,
		       const char *key)
{
	uint32_t at = fl_json_find(json, object, key, strlen(key));

	return at && json->toks[at].kind != FL_JSON_NULL ? at : 0;
}

bool fl_yahoo_find_seconds(const struct fl_json *json, uint32_t object,
			   const char *key, int64_t *value)
{
	uint32_t at = fl_yahoo_find(json, object, key);

	if (at && json->toks[at].kind == FL_JSON_OBJECT)
		at = fl_yahoo_find(json, at, "raw");
	return at && json->toks[at].kind == FL_JSON_NUMBER &&
	       fl_integer_parse(json->toks[at].text, json->toks[at].len,
				value) &&
	       *value > FL_TIME_MIN / FL_SECOND &&
	       *value < FL_TIME_MAX / FL_SECOND;
}

void fl_yahoo_find_text(const struct fl_json *json, uint32_t object,
			const char *key, char *text, size_t size)
{
	uint32_t at = fl_yahoo_find(json, object, key);
	const struct fl_json_tok *tok = &json->toks[at];

	*text = '\0';
	if (!at || tok->kind != FL_JSON_STRING || tok->len >= size)
		return;
	for (uint32_t i = 0; i < tok->len; i++) {
		if (tok->text[i] < ' ' || tok->text[i] == 0x7f)
			return;
	}
	memcpy(text, tok->text, tok->len);
	text[tok->len] = '\0';
}

uint32_t fl_yahoo_find_kind(const struct fl_json *json, uint32_t object,
			    const char *key, enum fl_json_kind kind)
{
	uint32_t at = fl_yahoo_find(json, object, key);

	return at && json->toks[at].kind == kind ? at : 0;
}

uint32_t fl_yahoo_find_result(const struct fl_json *json, const char *name)
{
	uint32_t all = fl_yahoo_find_kind(json, 0, name, FL_JSON_OBJECT);
	uint32_t list =
		all ? fl_yahoo_find_kind(json, all, "result", FL_JSON_ARRAY)
		    : 0;

	return list && json->toks[list].len &&
			       json->toks[list + 1].kind == FL_JSON_OBJECT
		       ? list + 1
		       : 0;
}

bool fl_yahoo_find_number(const struct fl_json *json, uint32_t object,
			  const char *key, bool price, struct fl_decimal *out,
			  bool *rounded)
{
	uint32_t at = fl_yahoo_find(json, object, key);

	if (at && json->toks[at].kind == FL_JSON_OBJECT)
		at = fl_yahoo_find(json, at, "raw");
	return at && json->toks[at].kind == FL_JSON_NUMBER &&
	       (price ? fl_yahoo_number : fl_yahoo_exact)(
		       json->toks[at].text, json->toks[at].len, out, rounded);
}

/* --- answers that are none --- */

int fl_yahoo_fault(struct fl_poll_fault *fault, enum fl_reason reason,
		   bool retryable, const char *text,
		   const struct fl_http_answer *answer)
{
	fault->reason = reason;
	fault->retryable = retryable;
	snprintf(fault->text, sizeof(fault->text), "%.300s (HTTP %u, yahoo)",
		 text, answer->status);
	return -1;
}

/* The error in {"chart":{"result":null,"error":{…}}}, whatever the one key is
 * called; 0: none. */
static uint32_t find_error(const struct fl_json *json)
{
	uint32_t error;

	if (json->toks[0].kind != FL_JSON_OBJECT || json->toks[0].len != 1 ||
	    json->toks[2].kind != FL_JSON_OBJECT)
		return 0;
	error = fl_yahoo_find(json, 2, "error");
	return error && json->toks[error].kind == FL_JSON_OBJECT ? error : 0;
}

/* Yahoo's own words. returns 0 where they mean that there is nothing, -1 */
static int take_error(const struct fl_json *json, uint32_t error,
		      const struct fl_http_answer *answer,
		      struct fl_poll_fault *fault)
{
	static const char nothing[] = "Data doesn't exist for startDate";
	unsigned status = answer->status;
	enum fl_reason reason = FL_REASON_provider_error;
	char said[320], text[400];

	fl_yahoo_find_text(json, error, "code", fault->code,
			   sizeof(fault->code));
	fl_yahoo_find_text(json, error, "description", said, sizeof(said));
	if (status == 400 && strncmp(said, nothing, sizeof(nothing) - 1) == 0) {
		fl_log("%s", said);
		fault->code[0] = '\0';
		return 0;
	}
	if (status == 429)
		reason = FL_REASON_rate_limited;
	else if (status == 401 || status == 403)
		reason = FL_REASON_auth;
	else if (status == 404 || strcmp(fault->code, "Not Found") == 0)
		reason = FL_REASON_unknown_symbol;
	snprintf(text, sizeof(text), "%s%s%s", fault->code,
		 *fault->code && *said ? ": " : "", said);
	return fl_yahoo_fault(fault, reason, fl_http_retryable(answer),
			      *text ? text : "an error without words", answer);
}

/* No JSON at all: the page's title, or how it begins. */
int fl_yahoo_page(const struct fl_http_answer *answer,
		  struct fl_poll_fault *fault)
{
	const char *said = fl_poll_said(answer);
	unsigned status = answer->status;
	char text[350], wait[FL_TIME_TEXT + 2] = "";

	if (status == 429 || status == 999) {
		if (answer->retry_after_ns)
			strcpy(wait + fl_duration_print(answer->retry_after_ns,
							wait),
			       "; ");
		snprintf(text, sizeof(text),
			 "%s; %s%srequests are counted by address, and "
			 "--user-agent is looked at",
			 said, *wait ? "again in " : "", wait);
		return fl_yahoo_fault(fault, FL_REASON_rate_limited, true, text,
				      answer);
	}
	if (status == 401 || status == 403)
		return fl_yahoo_fault(fault, FL_REASON_auth, false, said,
				      answer);
	if (status != 200)
		return fl_yahoo_fault(fault, FL_REASON_http_status,
				      fl_http_retryable(answer), said, answer);
	snprintf(text, sizeof(text), "no JSON: '%s'", said);
	return fl_yahoo_fault(fault, FL_REASON_provider_error, true, text,
			      answer);
}

/* Put null where NaN or Infinity stands as a bare word, which is no JSON.
 * Returns how many there were. */
static uint64_t mend_words(const char *text, size_t len, struct fl_buf *out)
{
	static const char *const words[] = { "-Infinity", "Infinity", "NaN" };
	const char *end = text + len;
	uint64_t count = 0;
	bool quoted = false;

	fl_buf_reset(out);
	fl_buf_reserve(out, len + 1);
	while (text < end) {
		size_t word = 0;

		if (*text == '\\' && quoted && text + 1 < end)
			fl_buf_putc(out, *text++);
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted && strchr("-IN", *text))
			for (int i = 0; i < 3 && !word; i++) {
				size_t n = strlen(words[i]);

				if ((size_t)(end - text) >= n &&
				    memcmp(text, words[i], n) == 0)
					word = n;
			}
		if (word) {
			fl_buf_puts(out, "null");
			text += word;
			count++;
		} else {
			fl_buf_putc(out, *text++);
		}
	}
	return count;
}

int fl_yahoo_read(struct fl_json *json, struct fl_buf *mended,
		  const struct fl_http_answer *answer, uint64_t *words,
		  struct fl_poll_fault *fault)
{
	struct fl_note note;
	enum fl_reason reason =
		fl_json_parse(json, answer->body, answer->len, &note);
	uint64_t count;
	uint32_t error;

	if (reason == FL_REASON_bad_number || reason == FL_REASON_bad_json) {
		count = mend_words(answer->body, answer->len, mended);
		if (count)
			reason = fl_json_parse(json, mended->data, mended->len,
					       &note);
		if (count && !reason)
			*words += count;
	}
	if (reason)
		return fl_yahoo_page(answer, fault);
	error = find_error(json);
	if (error)
		return take_error(json, error, answer, fault) < 0 ? -1 : 1;
	return answer->status == 200 ? 0 : fl_yahoo_page(answer, fault);
}

/* --- writing --- */

void fl_yahoo_put_text(struct fl_buf *out, const char *key, const char *text)
{
	fl_buf_puts(out, ",\"");
	fl_buf_puts(out, key);
	fl_buf_puts(out, "\":");
	fl_buf_json_string(out, text, strlen(text));
}

void fl_yahoo_put_words(struct fl_buf *out, const char *key, const char *text,
			size_t len)
{
	struct fl_buf clean = FL_BUF_INIT;
	bool gap = false;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == 0x7f) {
			gap = clean.len > 0;
			continue;
		}
		if (gap)
			fl_buf_putc(&clean, ' ');
		gap = false;
		fl_buf_putc(&clean, (char)c);
	}
	if (clean.len)
		fl_yahoo_put_text(out, key, fl_buf_text(&clean));
	fl_buf_release(&clean);
}

void fl_yahoo_put_number(struct fl_buf *out, const char *key,
			 struct fl_decimal value)
{
	char text[FL_DECIMAL_TEXT];

	fl_buf_printf(out, ",\"%s\":", key);
	fl_buf_append(out, text, fl_decimal_print(value, text));
}

static bool is_currency(const char *code)
{
	return strlen(code) == 3 && code[0] >= 'A' && code[0] <= 'Z' &&
	       code[1] >= 'A' && code[1] <= 'Z' && code[2] >= 'A' &&
	       code[2] <= 'Z';
}

const struct fl_subunit *fl_yahoo_put_currency(struct fl_buf *out,
					       const char *code)
{
	const struct fl_subunit *sub = fl_subunit_find(code, strlen(code));

	if (sub) {
		fl_yahoo_put_text(out, "currency", sub->main);
		fl_yahoo_put_text(out, "currency_src", code);
		fl_yahoo_put_number(out, "price_scale", sub->scale);
	} else if (is_currency(code)) {
		fl_yahoo_put_text(out, "currency", code);
	}
	return sub;
}

void fl_yahoo_put_exchange(struct fl_buf *out, const char *code)
{
	const char *mic = fl_yahoo_mic(code);

	if (mic)
		fl_yahoo_put_text(out, "mic", mic);
	if (*code)
		fl_yahoo_put_text(out, "exchange", code);
}
