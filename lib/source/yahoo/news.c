/* news: stories about a symbol, from Yahoo's search and its RSS feed.
 *
 * The search tells who wrote it and about whom, the feed what it says in a
 * sentence or two; a story that both have is one record. When one of them
 * fails, the other one's are given, and that is said once.
 *
 * source  sources.md, 1.4
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "source/rss.h"
#include "source/yahoo/answer.h"
#include "source/yahoo/ask.h"
#include "source/yahoo/yahoo.h"

enum {
	LABEL_MAX = 200,
	URL_MAX = 4096,
};

struct story {
	int64_t ts_ns;
	size_t number; /* of arrival */
	char *id, *url;
	char *title, *publisher, *summary, *image; /* "" */
	char *symbols;                             /* a JSON array; "" */
	const char *kind;                          /* NULL */
};

enum step {
	SEARCH,
	SEARCH_ASKED,
	RSS,
	RSS_ASKED,
	DONE,
};

struct job {
	const struct fl_yahoo_ask *ask;
	const char *subject;
	enum step step;
	unsigned wanted, lost; /* feeds */
	struct story *stories;
	size_t count, cap;
	struct fl_json json;
	struct fl_buf mended;
	struct fl_poll_out refused;
};

static const char *const *subjects(const void *plan)
{
	const struct fl_yahoo_ask *ask = plan;

	return ask->search;
}

static void *begin(const void *plan, const char *subject,
		   const struct fl_holes *holes)
{
	struct job *job = fl_zalloc(sizeof(*job));

	(void)holes;
	job->ask = plan;
	job->subject = subject;
	job->wanted = job->ask->from_search + job->ask->from_rss;
	job->step = job->ask->from_search ? SEARCH : RSS;
	return job;
}

static void end(void *state)
{
	struct job *job = state;

	for (size_t i = 0; i < job->count; i++) {
		struct story *story = &job->stories[i];

		free(story->id);
		free(story->url);
		free(story->title);
		free(story->publisher);
		free(story->summary);
		free(story->image);
		free(story->symbols);
	}
	free(job->stories);
	fl_poll_release(&job->refused);
	fl_json_release(&job->json);
	fl_buf_release(&job->mended);
	free(job);
}

static int request(void *state, struct fl_buf *path)
{
	struct job *job = state;
	char *url;

	if (job->step == SEARCH) {
		fl_buf_puts(path, "/v1/finance/search?q=");
		fl_url_escape(job->subject, path);
		fl_buf_printf(path,
			      "&quotesCount=0&newsCount=%llu"
			      "&enableFuzzyQuery=false"
			      "&newsQueryId=news_cie_vespa",
			      (unsigned long long)job->ask->count);
		job->step = SEARCH_ASKED;
		return 1;
	}
	/* Nobody has taken the answer: --dry-run. */
	if (job->step == SEARCH_ASKED && job->ask->from_rss)
		job->step = RSS;
	if (job->step != RSS || !job->ask->from_rss)
		return 0;
	url = fl_yahoo_site("feeds", "/rss/2.0/headline?s=");
	fl_buf_puts(path, url);
	fl_url_escape(job->subject, path);
	fl_buf_puts(path, "&region=US&lang=en-US");
	free(url);
	job->step = RSS_ASKED;
	return 1;
}

/* --- stories --- */

/* What an id may be; else it is made of the URL. */
static bool is_label(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len && len <= LABEL_MAX && strncmp(text, "http", 4) != 0;
}

static bool is_url(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return len <= URL_MAX && (strncmp(text, "https://", 8) == 0 ||
				  strncmp(text, "http://", 7) == 0);
}

static char *id_of(const char *given, const char *url)
{
	struct fl_part part = { url, strlen(url) };
	char text[33];

	if (is_label(given))
		return fl_strdup(given);
	fl_id128(&part, 1, text);
	return fl_strdup(text);
}

/* Is it the same place? The feed adds where one comes from. */
static bool same_url(const char *a, const char *b)
{
	size_t len = strcspn(a, "?");

	return len == strcspn(b, "?") && strncmp(a, b, len) == 0;
}

/* A new one, or NULL: it is known, and *known is that. */
static struct story *add_story(struct job *job, const char *given,
			       const char *url, struct story **known)
{
	char *id = id_of(given, url);
	struct story *story;

	*known = NULL;
	for (size_t i = 0; i < job->count && !*known; i++)
		if (strcmp(job->stories[i].id, id) == 0 ||
		    same_url(job->stories[i].url, url))
			*known = &job->stories[i];
	if (*known) {
		free(id);
		return NULL;
	}
	if (job->count == job->cap) {
		job->cap = job->cap ? 2 * job->cap : 32;
		job->stories = fl_realloc(job->stories, job->cap,
					  sizeof(*job->stories));
	}
	story = &job->stories[job->count];
	*story = (struct story){ .number = job->count++,
				 .id = id,
				 .url = fl_strdup(url) };
	return story;
}

static bool has_words(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > ' ' && *text != 0x7f)
			return true;
	return false;
}

/* Why it is no story; NULL: it is one. */
static const char *story_fault(const char *title, const char *url,
			       int64_t ts_ns, enum fl_reason *reason,
			       const char **field)
{
	*reason = FL_REASON_missing_field;
	*field = "title";
	if (!has_words(title))
		return "a story without a title";
	*field = "url";
	if (!is_url(url))
		return "a story without an address";
	*field = "ts";
	*reason = FL_REASON_bad_time;
	return ts_ns == FL_TIME_NONE ? "a story without a time" : NULL;
}

/* --- the search --- */

/* A text member, to be freed; "". */
static char *take_text(const struct fl_json *json, uint32_t object,
		       const char *key)
{
	uint32_t at = fl_yahoo_find_kind(json, object, key, FL_JSON_STRING);

	return at ? fl_strndup(json->toks[at].text, json->toks[at].len)
		  : fl_strdup("");
}

/* The largest picture. */
static char *take_image(const struct fl_json *json, uint32_t object)
{
	uint32_t thumbnail =
		fl_yahoo_find_kind(json, object, "thumbnail", FL_JSON_OBJECT);
	uint32_t list =
		thumbnail ? fl_yahoo_find_kind(json, thumbnail, "resolutions",
					       FL_JSON_ARRAY)
			  : 0;
	int64_t most = -1, width;
	uint32_t best = 0;
	char *url;

	for (uint32_t at = list ? list + 1 : 0;
	     at && at < json->toks[list].next; at = json->toks[at].next) {
		if (json->toks[at].kind != FL_JSON_OBJECT)
			continue;
		if (!fl_yahoo_find_seconds(json, at, "width", &width))
			width = 0;
		if (width > most) {
			most = width;
			best = at;
		}
	}
	url = best ? take_text(json, best, "url") : fl_strdup("");
	if (!is_url(url))
		*url = '\0';
	return url;
}

static char *take_symbols(const struct fl_json *json, uint32_t object)
{
	uint32_t list = fl_yahoo_find_kind(json, object, "relatedTickers",
					   FL_JSON_ARRAY);
	struct fl_buf out = FL_BUF_INIT;
	char given[65], symbol[65];

	for (uint32_t at = list ? list + 1 : 0;
	     at && at < json->toks[list].next; at = json->toks[at].next) {
		const struct fl_json_tok *tok = &json->toks[at];

		if (tok->kind != FL_JSON_STRING || tok->len >= sizeof(given))
			continue;
		memcpy(given, tok->text, tok->len);
		given[tok->len] = '\0';
		if (!fl_yahoo_symbol(given, symbol))
			continue;
		fl_buf_putc(&out, out.len ? ',' : '[');
		fl_buf_json_string(&out, symbol, strlen(symbol));
	}
	if (out.len)
		fl_buf_putc(&out, ']');
	return fl_buf_take(&out);
}

static const char *kind_of(const struct fl_json *json, uint32_t object)
{
	static const char *const kinds[] = { "story", "video", "press_release",
					     "filing" };
	char given[32];

	fl_yahoo_find_text(json, object, "type", given, sizeof(given));
	for (char *at = given; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i], given) == 0)
			return kinds[i];
	return NULL;
}

static void take_item(struct job *job, uint32_t at)
{
	const struct fl_json *json = &job->json;
	char *title = take_text(json, at, "title");
	char *url = take_text(json, at, "link");
	char *id = take_text(json, at, "uuid");
	struct story *story = NULL, *known;
	int64_t time_s, ts_ns = FL_TIME_NONE;
	enum fl_reason reason;
	const char *field, *why;

	if (fl_yahoo_find_seconds(json, at, "providerPublishTime", &time_s))
		ts_ns = time_s * FL_SECOND;
	why = story_fault(title, url, ts_ns, &reason, &field);
	if (why) {
		struct fl_note note;

		fl_note_set(&note, field, "%s", why);
		fl_json_print(json, at, fl_poll_text(&job->refused));
		fl_poll_reject(&job->refused, reason, &note);
	} else {
		story = add_story(job, id, url, &known);
	}
	if (story) {
		story->ts_ns = ts_ns;
		story->title = fl_strdup(title);
		story->publisher = take_text(json, at, "publisher");
		story->summary = take_text(json, at, "summary");
		story->image = take_image(json, at);
		story->symbols = take_symbols(json, at);
		story->kind = kind_of(json, at);
	}
	free(title);
	free(url);
	free(id);
}

static int take_search(struct job *job, const struct fl_http_answer *answer,
		       struct fl_poll_fault *fault)
{
	const struct fl_json *json = &job->json;
	uint64_t words = 0;
	int got =
		fl_yahoo_read(&job->json, &job->mended, answer, &words, fault);
	uint32_t list;

	if (got < 0)
		return -1;
	list = got == 0 && json->toks[0].kind == FL_JSON_OBJECT
		       ? fl_yahoo_find_kind(json, 0, "news", FL_JSON_ARRAY)
		       : 0;
	if (!list)
		return fl_yahoo_fault(fault, FL_REASON_provider_error, false,
				      "not a search", answer);
	for (uint32_t at = list + 1; at < json->toks[list].next;
	     at = json->toks[at].next)
		if (json->toks[at].kind == FL_JSON_OBJECT)
			take_item(job, at);
	return 0;
}

/* --- the feed --- */

static void refuse_rss(struct job *job, const struct fl_rss_item *item,
		       enum fl_reason reason, const char *field,
		       const char *why)
{
	struct fl_buf *raw = fl_poll_text(&job->refused);
	struct fl_note note;

	fl_note_set(&note, field, "%s", why);
	fl_buf_puts(raw, "{\"title\":");
	fl_buf_json_string(raw, item->title, strlen(item->title));
	fl_buf_puts(raw, ",\"link\":");
	fl_buf_json_string(raw, item->url, strlen(item->url));
	fl_buf_puts(raw, ",\"guid\":");
	fl_buf_json_string(raw, item->id, strlen(item->id));
	fl_buf_putc(raw, '}');
	fl_poll_reject(&job->refused, reason, &note);
}

static void take_rss_item(void *arg, const struct fl_rss_item *item)
{
	struct job *job = arg;
	struct story *story, *known = NULL;
	enum fl_reason reason;
	const char *field;
	char *url, *trimmed;
	const char *why;

	/* Blanks around an address are how feeds are laid out. */
	trimmed = url = fl_strdup(item->url);
	while (isspace((unsigned char)*trimmed))
		trimmed++;
	for (size_t len = strlen(trimmed);
	     len && isspace((unsigned char)trimmed[len - 1]); len--)
		trimmed[len - 1] = '\0';
	why = story_fault(item->title, trimmed, item->ts_ns, &reason, &field);
	if (why) {
		refuse_rss(job, item, reason, field, why);
		free(url);
		return;
	}
	story = add_story(job, item->id, trimmed, &known);
	free(url);
	if (!story) {
		/* What the search does not tell. */
		if (!has_words(known->summary)) {
			free(known->summary);
			known->summary = fl_strdup(item->summary);
		}
		return;
	}
	story->ts_ns = item->ts_ns;
	story->title = fl_strdup(item->title);
	story->publisher = fl_strdup(item->publisher);
	story->summary = fl_strdup(item->summary);
	story->image = fl_strdup("");
	story->symbols = fl_sprintf("[\"%s\"]", job->subject);
}

static int take_rss(struct job *job, const struct fl_http_answer *answer,
		    struct fl_poll_fault *fault)
{
	struct fl_error err = { .code = FL_OK };
	char text[300];

	if (answer->status != 200)
		return fl_yahoo_page(answer, fault);
	if (fl_rss_read(answer->body, answer->len, take_rss_item, job, &err) ==
	    0)
		return 0;
	snprintf(text, sizeof(text), "no feed: %.250s", err.text);
	return fl_yahoo_fault(fault, FL_REASON_provider_error, true, text,
			      answer);
}

/* --- both --- */

/* One of them failed. returns 0 the other one goes on; -1 there is none */
static int lost(void *state, const struct fl_poll_fault *fault)
{
	struct job *job = state;
	bool rss = job->step == RSS_ASKED;

	job->step = rss ? DONE : RSS;
	if (++job->lost == job->wanted)
		return -1;
	if (job->ask->tell && job->ask->told && !*job->ask->told) {
		char text[600];

		*job->ask->told = true;
		snprintf(text, sizeof(text),
			 "'%s': news come from the %s alone: %s", job->subject,
			 rss ? "search" : "feed", fault->text);
		job->ask->tell(job->ask->tell_arg, text);
	}
	return 0;
}

static int parse(void *state, const struct fl_http_answer *answer,
		 struct fl_poll_fault *fault)
{
	struct job *job = state;
	bool rss = job->step == RSS_ASKED;

	if ((rss ? take_rss : take_search)(job, answer, fault) < 0)
		return lost(job, fault);
	job->step = rss ? DONE : RSS;
	return 0;
}

static int by_time(const void *left, const void *right)
{
	const struct story *a = left, *b = right;

	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static bool is_wanted(const struct job *job, const struct story *story)
{
	const struct fl_yahoo_ask *ask = job->ask;

	return (ask->from_ns == FL_TIME_NONE || story->ts_ns >= ask->from_ns) &&
	       (ask->to_ns == FL_TIME_NONE || story->ts_ns < ask->to_ns);
}

static void put_story(const struct story *story, struct fl_poll_out *out)
{
	struct fl_buf *text = fl_poll_text(out);
	char ts[FL_TIME_TEXT];

	fl_time_print(story->ts_ns, ts);
	fl_buf_printf(text, "{\"type\":\"news\",\"ts\":\"%s\"", ts);
	fl_yahoo_put_text(text, "provider", "yahoo");
	fl_yahoo_put_text(text, "id", story->id);
	fl_yahoo_put_words(text, "title", story->title, strlen(story->title));
	fl_yahoo_put_text(text, "url", story->url);
	fl_yahoo_put_words(text, "publisher", story->publisher,
			   strlen(story->publisher));
	fl_yahoo_put_words(text, "summary", story->summary,
			   strlen(story->summary));
	if (*story->symbols)
		fl_buf_printf(text, ",\"symbols\":%s", story->symbols);
	if (story->kind)
		fl_yahoo_put_text(text, "kind", story->kind);
	if (*story->image)
		fl_yahoo_put_text(text, "image", story->image);
	fl_buf_putc(text, '}');
	fl_poll_record(out, story->ts_ns, false);
}

static void records(void *state, struct fl_poll_out *out)
{
	struct job *job = state;
	uint64_t last = job->ask->last ? job->ask->last : UINT64_MAX;
	size_t count = 0;

	for (size_t i = 0; i < job->count; i++) {
		struct story story = job->stories[i];

		if (!is_wanted(job, &story))
			continue;
		job->stories[i] = job->stories[count];
		job->stories[count++] = story;
	}
	if (count)
		qsort(job->stories, count, sizeof(*job->stories), by_time);
	fl_poll_move(out, &job->refused);
	for (size_t i = count > last ? count - (size_t)last : 0; i < count; i++)
		put_story(&job->stories[i], out);
}

const struct fl_polled fl_polled_yahoo_news = {
	.provider = "yahoo",
	.limits = FL_YAHOO_LIMITS,
	.subjects = subjects,
	.begin = begin,
	.request = request,
	.parse = parse,
	.lost = lost,
	.records = records,
	.end = end,
};
