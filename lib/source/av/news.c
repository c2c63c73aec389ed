/* news: articles with what a machine makes of their mood.
 *
 * source  sources.md, 2.3: NEWS_SENTIMENT; time_published is UTC
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "source/av/av.h"

#define PAGE 1000 /* articles of one answer, at the most */

/* 20260102T160000, or without seconds. */
static bool read_time(struct fl_av_value value, int64_t *ns)
{
	struct fl_civil civil = { .nanos = 0 };
	int *const parts[] = { &civil.month, &civil.day, &civil.hour,
			       &civil.minute, &civil.second };

	if ((value.len != 15 && value.len != 13) || value.text[8] != 'T')
		return false;
	for (size_t i = 0; i < value.len; i++)
		if (i != 8 && (value.text[i] < '0' || value.text[i] > '9'))
			return false;
	for (int i = 0; i < 4; i++)
		civil.year = 10 * civil.year + value.text[i] - '0';
	for (size_t i = 0; i < 5; i++) {
		const char *at = value.text + 4 + 2 * i + (i > 1);

		if (at < value.text + value.len)
			*parts[i] = 10 * (at[0] - '0') + at[1] - '0';
	}
	*ns = fl_time_from_civil(&civil);
	return *ns != FL_TIME_NONE;
}

/* The strings of an array. */
static void put_strings(struct fl_av_job *job, const char *key, uint32_t array)
{
	const struct fl_json *json = &job->json;
	bool any = false;

	if (!array || json->toks[array].kind != FL_JSON_ARRAY)
		return;
	for (uint32_t at = array + 1; at < json->toks[array].next;
	     at = json->toks[at].next) {
		struct fl_av_value value =
			fl_av_value(json->toks[at].text, json->toks[at].len);

		if (json->toks[at].kind != FL_JSON_STRING || !value.text)
			continue;
		if (any)
			fl_buf_putc(&job->text, ',');
		else
			fl_buf_printf(&job->text, ",\"%s\":[", key);
		fl_buf_json_string(&job->text, value.text, value.len);
		any = true;
	}
	if (any)
		fl_buf_putc(&job->text, ']');
}

struct part {
	const char *key, *member;
	bool number;
};

/* Each object of an array, of which the first part must be there. */
static void put_objects(struct fl_av_job *job, const char *key,
			const char *member, uint32_t article,
			const struct part *parts, bool tickers, bool *rounded)
{
	const struct fl_json *json = &job->json;
	struct fl_buf *out = &job->text;
	uint32_t array = fl_av_find(json, article, member);
	bool any = false;

	if (!array || json->toks[array].kind != FL_JSON_ARRAY)
		return;
	for (uint32_t at = array + 1; at < json->toks[array].next;
	     at = json->toks[at].next) {
		struct fl_av_value first =
			fl_av_member(json, at, parts[0].member);
		char symbol[80];

		if (!first.text)
			continue;
		if (tickers) {
			fl_av_yahoo(first.text, first.len, symbol,
				    sizeof(symbol));
			first = fl_av_value(symbol, strlen(symbol));
		}
		if (any)
			fl_buf_putc(out, ',');
		else
			fl_buf_printf(out, ",\"%s\":[", key);
		any = true;
		fl_buf_printf(out, "{\"%s\":", parts[0].key);
		fl_buf_json_string(out, first.text, first.len);
		for (const struct part *part = parts + 1; part->key; part++) {
			struct fl_av_value value =
				fl_av_member(json, at, part->member);

			if (part->number)
				(void)fl_av_put_number(out, part->key, value,
						       rounded);
			else
				fl_av_put_text(out, part->key, value);
		}
		fl_buf_putc(out, '}');
	}
	if (any)
		fl_buf_putc(out, ']');
}

/* The tickers as symbols, each once. */
static void put_symbols(struct fl_av_job *job, uint32_t article)
{
	const struct fl_json *json = &job->json;
	uint32_t array = fl_av_find(json, article, "ticker sentiment");
	struct fl_map seen = FL_MAP_INIT;

	if (!array || json->toks[array].kind != FL_JSON_ARRAY)
		return;
	for (uint32_t at = array + 1; at < json->toks[array].next;
	     at = json->toks[at].next) {
		struct fl_av_value ticker = fl_av_member(json, at, "ticker");
		char symbol[80];

		if (!ticker.text)
			continue;
		fl_av_yahoo(ticker.text, ticker.len, symbol, sizeof(symbol));
		fl_map_at(&seen, symbol, strlen(symbol));
	}
	for (size_t i = 0; i < seen.count; i++) {
		fl_buf_puts(&job->text, i ? "," : ",\"symbols\":[");
		fl_buf_json_string(&job->text, seen.entries[i].key,
				   seen.entries[i].len);
	}
	if (seen.count)
		fl_buf_putc(&job->text, ']');
	fl_map_release(&seen, NULL);
}

static void put_sentiment(struct fl_av_job *job, uint32_t article,
			  bool *rounded)
{
	const struct fl_json *json = &job->json;
	struct fl_buf *out = &job->text;
	size_t start = out->len;
	size_t inside;

	fl_buf_puts(out, ",\"sentiment\":{");
	inside = out->len;
	(void)fl_av_put_number(
		out, "score",
		fl_av_member(json, article, "overall sentiment score"),
		rounded);
	fl_av_put_text(out, "label",
		       fl_av_member(json, article, "overall sentiment label"));
	if (out->len == inside) {
		out->len = start;
		return;
	}
	/* The first comma is one too many. */
	memmove(out->data + inside, out->data + inside + 1,
		out->len - inside - 1);
	out->len--;
	fl_buf_putc(out, '}');
}

static void put_article(struct fl_av_job *job, uint32_t at, const char *id,
			int64_t ts_ns)
{
	static const struct part topics[] = {
		{ "name", "topic", false },
		{ "relevance", "relevance score", true },
		{ NULL, NULL, false },
	};
	static const struct part tickers[] = {
		{ "symbol", "ticker", false },
		{ "relevance", "relevance score", true },
		{ "score", "ticker sentiment score", true },
		{ "label", "ticker sentiment label", false },
		{ NULL, NULL, false },
	};
	const struct fl_json *json = &job->json;
	struct fl_buf *out = fl_av_item_begin(job, "news", ts_ns, false);
	bool rounded = false;

	fl_av_put_text(out, "id", fl_av_value(id, 32));
	fl_av_put_text(out, "title", fl_av_member(json, at, "title"));
	fl_av_put_text(out, "url", fl_av_member(json, at, "url"));
	fl_av_put_text(out, "publisher", fl_av_member(json, at, "source"));
	put_strings(job, "author", fl_av_find(json, at, "authors"));
	fl_av_put_text(out, "summary", fl_av_member(json, at, "summary"));
	put_symbols(job, at);
	put_objects(job, "topics", "topics", at, topics, false, &rounded);
	put_sentiment(job, at, &rounded);
	put_objects(job, "symbol_sentiment", "ticker sentiment", at, tickers,
		    true, &rounded);
	fl_av_put_text(out, "image", fl_av_member(json, at, "banner image"));
	fl_av_put_text(out, "category",
		       fl_av_member(json, at, "category within source"));
	fl_av_item_end(job, ts_ns, rounded);
}

static void refuse(struct fl_av_job *job, uint32_t at, const char *field)
{
	struct fl_buf raw = FL_BUF_INIT;

	job->item_start = job->text.len;
	fl_json_print(&job->json, at, &raw);
	fl_av_item_refuse(job, FL_REASON_missing_field, raw.data, raw.len,
			  field, "the article has no good '%s'", field);
	fl_buf_release(&raw);
}

/* returns false: it was there already */
static bool take_article(struct fl_av_job *job, uint32_t at, int64_t *oldest)
{
	const struct fl_av_plan *plan = job->plan;
	const struct fl_json *json = &job->json;
	struct fl_av_value url = fl_av_member(json, at, "url");
	int64_t ts_ns;
	void **seen;
	char id[33];

	if (!url.text || !memchr(url.text, ':', url.len)) {
		refuse(job, at, "url");
		return true;
	}
	fl_id128(&(struct fl_part){ url.text, url.len }, 1, id);
	seen = fl_map_at(job->seen, id, 32);
	if (*seen)
		return false;
	*seen = job;
	if (!read_time(fl_av_member(json, at, "time published"), &ts_ns)) {
		refuse(job, at, "ts");
		return true;
	}
	if (ts_ns < *oldest)
		*oldest = ts_ns;
	if (!fl_av_member(json, at, "title").text)
		refuse(job, at, "title");
	else if ((plan->from_ns == FL_TIME_NONE || !plan->ranged ||
		  ts_ns >= plan->from_ns) &&
		 (plan->to_ns == FL_TIME_NONE || ts_ns < plan->to_ns))
		put_article(job, at, id, ts_ns);
	return true;
}

int fl_av_take_news(struct fl_av_job *job, const struct fl_http_answer *answer,
		    bool csv, struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint32_t feed = csv ? 0 : fl_av_find(json, 0, "feed");
	int64_t oldest = INT64_MAX;
	size_t count = 0, fresh = 0;

	if (!feed || json->toks[feed].kind != FL_JSON_ARRAY)
		return fl_av_malformed(fault, answer, "no list of articles");
	if (!job->seen)
		job->seen = fl_zalloc(sizeof(*job->seen));
	for (uint32_t at = feed + 1; at < json->toks[feed].next;
	     at = json->toks[at].next, count++)
		fresh += take_article(job, at, &oldest);
	/* A full page has more behind it, from the minute of its oldest on. */
	job->news_to = FL_TIME_NONE;
	if (count >= PAGE && fresh && oldest != INT64_MAX &&
	    job->plan->ranged && oldest > job->plan->from_ns &&
	    (!job->plan->last || job->item_count < job->plan->last))
		job->news_to = oldest - oldest % FL_MINUTE + FL_MINUTE;
	return 0;
}

bool fl_av_news_more(struct fl_av_job *job)
{
	return job->news_to != FL_TIME_NONE;
}
