/* instrument: a record of what a symbol stands for.
 *
 * Quotes, charts, searches and summaries tell it under different keys, of which
 * the first that is there is taken.
 *
 * source  sources.md, 1.4
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "base/zone.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/ask.h"

struct objects {
	const struct fl_json *json;
	const uint32_t *at;
	size_t count;
};

/* The first text under one of the keys, the first key first. */
static const struct fl_json_tok *find_any(const struct objects *objects,
					  const char *const *keys)
{
	for (; *keys; keys++) {
		for (size_t i = 0; i < objects->count; i++) {
			uint32_t at =
				objects->at[i]
					? fl_yahoo_find_kind(
						  objects->json, objects->at[i],
						  *keys, FL_JSON_STRING)
					: 0;

			if (at && objects->json->toks[at].len)
				return &objects->json->toks[at];
		}
	}
	return NULL;
}

/* The same, short and without control characters; "". */
static void find_short(const struct objects *objects, const char *const *keys,
		       char *text, size_t size)
{
	const struct fl_json_tok *tok = find_any(objects, keys);

	*text = '\0';
	if (!tok || tok->len >= size)
		return;
	for (uint32_t i = 0; i < tok->len; i++)
		if ((unsigned char)tok->text[i] < ' ' || tok->text[i] == 0x7f)
			return;
	memcpy(text, tok->text, tok->len);
	text[tok->len] = '\0';
}

static void put_words(const struct objects *objects, const char *name,
		      const char *const *keys, struct fl_buf *out)
{
	const struct fl_json_tok *tok = find_any(objects, keys);

	if (tok)
		fl_yahoo_put_words(out, name, tok->text, tok->len);
}

#define KEYS(...)                                                              \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

static void put_zone(const struct objects *objects, struct fl_buf *out)
{
	const struct fl_zone *zone;
	struct fl_error err = { .code = FL_OK };
	char name[64];

	find_short(objects, KEYS("exchangeTimezoneName", "timeZoneFullName"),
		   name, sizeof(name));
	if (*name && fl_zone_open(name, &zone, &err) == 0)
		fl_yahoo_put_text(out, "tz", fl_zone_name(zone));
}

static void put_all(const struct objects *objects, const char *symbol,
		    const char *own, struct fl_buf *out)
{
	char text[64];
	const char *word;

	put_words(objects, "name",
		  KEYS("longName", "longname", "shortName", "shortname"), out);
	find_short(objects, KEYS("quoteType", "instrumentType"), text,
		   sizeof(text));
	word = fl_yahoo_asset(text);
	if (word)
		fl_yahoo_put_text(out, "asset", word);
	find_short(objects, KEYS("currency"), text, 8);
	fl_yahoo_put_currency(out, text);
	/* What is an exchange's code here is its name in a chart. */
	find_short(objects, KEYS("exchange", "exchangeName"), text,
		   sizeof(text));
	fl_yahoo_put_exchange(out, text);
	put_zone(objects, out);
	put_words(objects, "sector", KEYS("sector", "sectorDisp"), out);
	put_words(objects, "industry", KEYS("industry", "industryDisp"), out);
	find_short(objects, KEYS("country"), text, sizeof(text));
	word = *text ? fl_yahoo_country(text) : NULL;
	if (word)
		fl_yahoo_put_text(out, "country", word);
	find_short(objects, KEYS("quoteType"), text, sizeof(text));
	if (strcmp(text, "NONE") == 0)
		fl_buf_puts(out, ",\"active\":false");
	if (*own && strcmp(own, symbol) != 0)
		fl_yahoo_put_text(out, "symbol_src", own);
}

void fl_yahoo_put_instrument(const struct fl_json *json,
			     const uint32_t *objects, size_t count,
			     const char *symbol, int64_t ts_ns, unsigned status,
			     struct fl_poll_out *out)
{
	struct objects all = { json, objects, count };
	struct fl_buf *text = fl_poll_text(out);
	char own[65], upper[65], ts[FL_TIME_TEXT];

	find_short(&all, KEYS("symbol"), own, sizeof(own));
	if (!symbol && !fl_yahoo_symbol(own, upper)) {
		fl_json_print(json, objects[0], text);
		fl_yahoo_refuse(NULL, FL_REASON_missing_field,
				"an entry without a symbol", status, out);
		return;
	}
	if (!symbol)
		symbol = upper;
	fl_time_print(ts_ns, ts);
	fl_buf_printf(text, "{\"type\":\"instrument\",\"ts\":\"%s\"", ts);
	fl_yahoo_put_text(text, "provider", "yahoo");
	fl_yahoo_put_text(text, "symbol", symbol);
	put_all(&all, symbol, own, text);
	fl_buf_putc(text, '}');
	fl_poll_record(out, ts_ns, false);
}
