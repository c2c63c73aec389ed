/* ask: see ask.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/yahoo/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "io/xml.h"
#include "source/yahoo/yahoo.h"

#define SCREENERS                                                              \
	"aggressive_small_caps conservative_foreign_funds day_gainers "        \
	"day_losers growth_technology_stocks high_yield_bond most_actives "    \
	"most_shorted_stocks portfolio_anchors small_cap_gainers "             \
	"solid_large_growth_funds solid_midcap_growth_funds "                  \
	"top_mutual_funds undervalued_growth_stocks undervalued_large_caps"

enum {
	COUNT_MAX = 250, /* of a screener; more is not given */
};

static struct {
	const char *search;
	struct fl_list screeners, feeds;
	uint64_t count;
} option;

const struct fl_option fl_yahoo_ask_options[] = {
	FL_OPT_TEXT(0, "search", "TEXT", &option.search,
		    "instruments that TEXT may mean, or with --type news, "
		    "stories about it"),
	FL_OPT_WORDS(0, "screener", "NAME,...", SCREENERS, &option.screeners,
		     "quotes of a list that Yahoo keeps, or with --type "
		     "instrument, what they are: day_gainers day_losers "
		     "most_actives most_shorted_stocks small_cap_gainers ..."),
	FL_OPT_WORDS(0, "feed", "search,rss", "search rss", &option.feeds,
		     "where news come from; those of both are joined "
		     "[search,rss]"),
	FL_OPT_U64(0, "count", "N", &option.count,
		   "at most N of a list, a search or a symbol's stories, 1 to "
		   "250 [a list 100, else 20]"),
	FL_OPT_END,
};

static bool is_word(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int fl_yahoo_declines(const char *type, struct fl_error *err)
{
	if (is_word(type, "option", "options"))
		return fl_error_set(err, FL_ERR_USAGE,
				    "yahoo: option chains are not fetched: no "
				    "record type holds one; an option's own "
				    "symbol has quotes and bars");
	if (is_word(type, "fundamental", "fundamentals"))
		return fl_error_set(err, FL_ERR_USAGE,
				    "yahoo: fundamentals are not fetched: no "
				    "record type holds balance sheets and "
				    "their like; --type instrument gives "
				    "sector and industry");
	return 0;
}

static int kind_of(const char *type, enum fl_yahoo_kind *kind,
		   struct fl_error *err)
{
	static const struct {
		const char *name;
		enum fl_yahoo_kind kind;
	} kinds[] = {
		{ "bar", FL_YAHOO_BARS },
		{ "dividend", FL_YAHOO_BARS },
		{ "split", FL_YAHOO_BARS },
		{ "quote", FL_YAHOO_QUOTES },
		{ "instrument", FL_YAHOO_INSTRUMENTS },
		{ "news", FL_YAHOO_NEWS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, type) == 0) {
			*kind = kinds[i].kind;
			return 0;
		}
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "yahoo gives bar, dividend, split; quote; "
			    "instrument; news; no %s",
			    fl_show(type, strlen(type), 60));
}

static int take_kind(const struct fl_ask *ask, struct fl_yahoo_ask *out,
		     struct fl_error *err)
{
	enum fl_yahoo_kind kind = FL_YAHOO_BARS;

	out->kind = option.search            ? FL_YAHOO_INSTRUMENTS
		    : option.screeners.count ? FL_YAHOO_QUOTES
					     : FL_YAHOO_BARS;
	for (const char *const *type = ask->types; type && *type; type++) {
		if (kind_of(*type, &kind, err) < 0)
			return -1;
		if (type != ask->types && kind != out->kind)
			return fl_error_set(
				err, FL_ERR_USAGE,
				"yahoo gives bars with their dividends and "
				"splits, quotes, instruments and news in runs "
				"of their own: one kind in --type");
		out->kind = kind;
	}
	return 0;
}

const char *fl_yahoo_list_option(void)
{
	return option.search            ? "search"
	       : option.screeners.count ? "screener"
	       : option.feeds.count     ? "feed"
					: NULL;
}

/* A name that is near to one of ours is a slip; others may be new ones. */
static int check_screener(const char *name, struct fl_error *err)
{
	static const char words[] = SCREENERS;
	static char text[sizeof(words)];
	static const char *names[32];
	char *rest = text;
	const char *near;
	size_t count = 0;

	memcpy(text, words, sizeof(words));
	while (rest)
		names[count++] = strsep(&rest, " ");
	names[count] = NULL;
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return 0;
	near = fl_nearest(name, names);
	if (near)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"unknown screener '%s' (did you mean '%s'?)",
			fl_show(name, strlen(name), 60), near);
	if (!*name || strlen(name) > 64 ||
	    strspn(name,
		   "abcdefghijklmnopqrstuvwxyz"
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' names no screener: it is a word such "
				    "as day_gainers",
				    fl_show(name, strlen(name), 60));
	return 0;
}

static int take_feeds(struct fl_yahoo_ask *out, struct fl_error *err)
{
	out->from_search = !option.feeds.count;
	out->from_rss = !option.feeds.count && fl_xml_works() && !out->search;
	for (uint64_t i = 0; i < option.feeds.count; i++) {
		const char *name = option.feeds.items[i];

		if (strcmp(name, "search") == 0)
			out->from_search = true;
		else if (strcmp(name, "rss") == 0)
			out->from_rss = true;
		else
			return fl_error_set(err, FL_ERR_USAGE,
					    "--feed takes search, rss or both, "
					    "not '%s'",
					    fl_show(name, strlen(name), 60));
	}
	if (out->from_rss && !fl_xml_works())
		return fl_error_set(err, FL_ERR_USAGE,
				    "--feed rss is left out of this build, "
				    "which was made without expat");
	if (out->from_rss && out->search)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--feed rss is by symbol; --search goes "
				    "with --feed search");
	return 0;
}

/* Options that say nothing about this kind are refused, not passed over. */
static int check_options(const struct fl_ask *ask,
			 const struct fl_yahoo_ask *out, struct fl_error *err)
{
	bool news = out->kind == FL_YAHOO_NEWS;
	const char *bars = fl_yahoo_bars_option();

	if (out->search && out->screeners)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--search and --screener exclude each "
				    "other");
	if (out->search && out->kind != FL_YAHOO_INSTRUMENTS && !news)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--search finds instruments or news: "
				    "--type instrument or --type news");
	if (out->screeners && out->kind != FL_YAHOO_QUOTES &&
	    out->kind != FL_YAHOO_INSTRUMENTS)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--screener lists quotes or instruments: "
				    "--type quote or --type instrument");
	if (out->kind == FL_YAHOO_BARS)
		return 0;
	if (bars || fl_polled_fills())
		return fl_error_set(err, FL_ERR_USAGE, "--%s is for bars",
				    bars ? bars : "fill");
	if (option.feeds.count && !news)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--feed is for news: --type news");
	if (!news && (ask->from != FL_TIME_NONE || ask->to != FL_TIME_NONE ||
		      ask->all || ask->last))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--from, --to, --range and --last are for "
				    "bars and news; quotes and instruments "
				    "are those of now");
	return 0;
}

int fl_yahoo_ask(const struct fl_ask *ask, struct fl_yahoo_ask *out,
		 struct fl_error *err)
{
	static const char *texts[2];

	*out = (struct fl_yahoo_ask){ .from_ns = ask->from,
				      .to_ns = ask->to,
				      .last = ask->last,
				      .now_ns = ask->now_ns,
				      .tell = ask->tell,
				      .tell_arg = ask->tell_arg };
	if (option.search) {
		texts[0] = option.search;
		out->search = texts;
	}
	if (option.screeners.count)
		out->screeners = option.screeners.items;
	if (option.search && !option.search[strspn(option.search, " \t")])
		return fl_error_set(err, FL_ERR_USAGE,
				    "--search takes a text to look for");
	for (uint64_t i = 0; i < option.screeners.count; i++)
		if (check_screener(option.screeners.items[i], err) < 0)
			return -1;
	if (option.count > COUNT_MAX)
		return fl_error_set(
			err, FL_ERR_USAGE, "--count takes 1 to %d, not %llu",
			COUNT_MAX, (unsigned long long)option.count);
	if (take_kind(ask, out, err) < 0 || take_feeds(out, err) < 0 ||
	    check_options(ask, out, err) < 0)
		return -1;
	out->count = option.count ? option.count : out->screeners ? 100 : 20;
	return out->kind == FL_YAHOO_BARS
		       ? 0
		       : fl_yahoo_all_sessions(out->kind == FL_YAHOO_QUOTES,
					       &out->all_sessions, err);
}

const struct fl_polled *fl_yahoo_polled(const struct fl_yahoo_ask *ask)
{
	if (ask->kind == FL_YAHOO_NEWS)
		return &fl_polled_yahoo_news;
	if (ask->search || ask->screeners)
		return &fl_polled_yahoo_lists;
	return ask->kind == FL_YAHOO_QUOTES ? &fl_polled_yahoo_quotes
					    : &fl_polled_yahoo_instruments;
}

/* --- what jobs share --- */

const char *fl_yahoo_secret(const void *plan)
{
	const struct fl_yahoo_ask *ask = plan;

	return ask->session ? fl_yahoo_session_secret(ask->session) : NULL;
}

int64_t fl_yahoo_answered(const struct fl_yahoo_ask *ask,
			  const struct fl_http_answer *answer)
{
	return answer->date_ns == FL_TIME_NONE
		       ? ask->now_ns / FL_SECOND * FL_SECOND
		       : answer->date_ns;
}
