/* value: values as the provider writes them.
 *
 * All are strings, numbers too, and their digits are taken as they stand. Keys
 * bear numbers that differ from function to function, so names are compared
 * behind them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/av/av.h"

struct fl_av_value fl_av_value(const char *text, size_t len)
{
	static const char *const none[] = { "None", "-", ".", "null", "n/a" };

	/* A list or an object where a value is looked for is none. */
	if (!text)
		len = 0;
	while (len && (*text == ' ' || *text == '\t'))
		text++, len--;
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none) && len <= 4; i++)
		if (strlen(none[i]) == len && memcmp(none[i], text, len) == 0)
			len = 0;
	return (struct fl_av_value){ len ? text : NULL, len };
}

bool fl_av_is(const char *key, size_t len, const char *name)
{
	size_t at = 0;

	while (at < len && key[at] >= '0' && key[at] <= '9')
		at++;
	if (at && at < len && key[at] >= 'a' && key[at] <= 'z')
		at++;
	if (at && at + 1 < len && (key[at] == '.' || key[at] == ':') &&
	    key[at + 1] == ' ')
		at += 2;
	else
		at = 0;
	for (; at < len && *name; at++, name++) {
		char c = key[at] == '_' ? ' ' : key[at];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != *name)
			return false;
	}
	return at == len && !*name;
}

uint32_t fl_av_find(const struct fl_json *json, uint32_t object,
		    const char *name)
{
	if (json->toks[object].kind != FL_JSON_OBJECT)
		return 0;
	for (uint32_t at = object + 1; at < json->toks[object].next;
	     at = json->toks[at + 1].next)
		if (fl_av_is(json->toks[at].text, json->toks[at].len, name))
			return at + 1;
	return 0;
}

struct fl_av_value fl_av_member(const struct fl_json *json, uint32_t object,
				const char *name)
{
	uint32_t at = fl_av_find(json, object, name);
	const struct fl_json_tok *tok = &json->toks[at];

	if (!at || (tok->kind != FL_JSON_STRING && tok->kind != FL_JSON_NUMBER))
		return (struct fl_av_value){ NULL, 0 };
	return fl_av_value(tok->text, tok->len);
}

bool fl_av_number(struct fl_av_value value, struct fl_decimal *out,
		  bool *rounded)
{
	int read = value.text ? fl_decimal_parse(value.text, value.len, out)
			      : FL_DECIMAL_BAD;

	*rounded |= read == FL_DECIMAL_ROUNDED;
	return read >= 0;
}

bool fl_av_day(struct fl_av_value value, int64_t *day)
{
	return value.text && value.len >= 10 &&
	       (value.len == 10 || value.text[10] == ' ') &&
	       fl_date_parse(value.text, 10, day);
}

/* Two digits, or -1. */
static int pair(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return 10 * (text[0] - '0') + text[1] - '0';
}

bool fl_av_time(struct fl_av_value value, const struct fl_zone *zone,
		int64_t *ns)
{
	struct fl_civil civil = { .nanos = 0 };
	int64_t day;

	if (!fl_av_day(value, &day) || (value.len != 16 && value.len != 19) ||
	    value.text[13] != ':' || (value.len == 19 && value.text[16] != ':'))
		return false;
	fl_civil_from_days(day, &civil.year, &civil.month, &civil.day);
	civil.hour = pair(value.text + 11);
	civil.minute = pair(value.text + 14);
	civil.second = value.len == 19 ? pair(value.text + 17) : 0;
	if (civil.hour < 0 || civil.hour > 23 || civil.minute < 0 ||
	    civil.minute > 59 || civil.second < 0 || civil.second > 59)
		return false;
	return fl_zone_to_utc(zone, &civil, ns, NULL) != FL_ZONE_RANGE;
}

int fl_av_take_zone(const char *name, const struct fl_zone **zone,
		    struct fl_poll_fault *fault)
{
	struct fl_error err = { .code = FL_OK };

	*zone = NULL;
	if (fl_zone_open(name, zone, &err) == 0)
		return 0;
	*zone = NULL;
	fault->fatal = err.code;
	snprintf(fault->text, sizeof(fault->text), "%.390s", err.text);
	return -1;
}

const struct fl_zone *fl_av_zone(struct fl_av_value value)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *zone = NULL;
	char name[64];

	if (!value.text || value.len >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)value.len, value.text);
	if (strcmp(name, "US/Eastern") == 0)
		strcpy(name, "America/New_York");
	else if (strncmp(name, "GMT", 3) == 0 && (!name[3] || name[4] == '0'))
		strcpy(name, "UTC");
	else if (strncmp(name, "GMT+", 4) == 0 || strncmp(name, "GMT-", 4) == 0)
		/* East is + here, and - in the names of the tz database. */
		snprintf(name, sizeof(name), "Etc/GMT%c%.*s",
			 name[3] == '+' ? '-' : '+', (int)(value.len - 4),
			 value.text + 4);
	return fl_zone_open(name, &zone, &err) == 0 ? zone : NULL;
}

/* --- writing --- */

static void put_key(struct fl_buf *out, const char *key)
{
	fl_buf_puts(out, ",\"");
	fl_buf_puts(out, key);
	fl_buf_puts(out, "\":");
}

void fl_av_put_decimal(struct fl_buf *out, const char *key,
		       struct fl_decimal value)
{
	char text[FL_DECIMAL_TEXT];

	put_key(out, key);
	fl_buf_append(out, text, fl_decimal_print(value, text));
}

bool fl_av_put_scaled(struct fl_buf *out, const char *key,
		      struct fl_av_value value, const struct fl_subunit *sub,
		      bool *rounded)
{
	struct fl_decimal number;

	if (!value.text)
		return true;
	if (value.text[value.len - 1] == '%')
		value.len--;
	if (!fl_av_number(value, &number, rounded))
		return false;
	if (sub)
		(void)fl_decimal_mul(number, sub->scale, &number);
	fl_av_put_decimal(out, key, number);
	return true;
}

bool fl_av_put_number(struct fl_buf *out, const char *key,
		      struct fl_av_value value, bool *rounded)
{
	return fl_av_put_scaled(out, key, value, NULL, rounded);
}

void fl_av_put_text(struct fl_buf *out, const char *key,
		    struct fl_av_value value)
{
	if (!value.text || memchr(value.text, '\0', value.len))
		return;
	put_key(out, key);
	fl_buf_json_string(out, value.text, value.len);
}

void fl_av_put_label(struct fl_buf *out, const char *key,
		     struct fl_av_value value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.text[i] < ' ' || value.text[i] == 0x7f)
			return;
	if (value.len <= 200)
		fl_av_put_text(out, key, value);
}

const struct fl_subunit *fl_av_put_currency(struct fl_buf *out,
					    struct fl_av_value value)
{
	const struct fl_subunit *sub =
		value.text ? fl_subunit_find(value.text, value.len) : NULL;

	if (sub) {
		fl_av_put_text(out, "currency",
			       fl_av_value(sub->main, strlen(sub->main)));
		fl_av_put_text(out, "currency_src", value);
		fl_av_put_decimal(out, "price_scale", sub->scale);
		return sub;
	}
	if (!value.text)
		return NULL;
	for (size_t i = 0; i < value.len; i++)
		if (value.text[i] < 'A' || value.text[i] > 'Z')
			return NULL;
	if (value.len == 3)
		fl_av_put_text(out, "currency", value);
	return NULL;
}

void fl_av_put_source(struct fl_buf *out, const char *code, size_t len,
		      const char *name)
{
	if (strlen(name) != len || memcmp(code, name, len) != 0)
		fl_av_put_label(out, "symbol_src", fl_av_value(code, len));
}
