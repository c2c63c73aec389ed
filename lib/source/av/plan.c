/* plan: what is wanted, by the options, and the key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "source/av/av.h"
#include "source/plan.h"

#define BASE "https://www.alphavantage.co"

/* What options take; ADJS in the order of enum fl_av_adj. */
#define INTERVALS "1m 5m 15m 30m 1h 1d 1wk 1mo"
#define ADJS      "none split all"
#define SESSIONS  "regular all"
#define LISTINGS  "active delisted"
#define RIGHTS    "delayed realtime"
#define FORMS     "json csv"

enum {
	KEY_MAX = 200,
};

static struct {
	const char *interval, *adj, *session, *base, *key_file;
	const char *search, *topics, *entitlement, *datatype, *currency;
	const char *listing, *listing_date;
	struct fl_list calendar;
	bool markets;
} option;

const struct fl_option fl_av_options[] = {
	FL_OPT_WORD(0, "interval", "IV", INTERVALS, &option.interval,
		    "of the bars: " INTERVALS " [1d]"),
	FL_OPT_WORD(0, "adj", "none|split|all", ADJS, &option.adj,
		    "prices as traded, adjusted for splits (1d alone), or for "
		    "dividends as well [none]"),
	FL_OPT_WORD(
		0, "session", "regular|all", SESSIONS, &option.session,
		"trading hours that count; all: before and after the regular "
		"ones, too, below 1d [regular]"),
	FL_OPT_TEXT(0, "search", "TEXT", &option.search,
		    "the instruments whose name or symbol is like TEXT"),
	FL_OPT_TEXT(0, "topics", "T,...", &option.topics,
		    "of news: earnings, ipo, technology ...; without symbols "
		    "news of all"),
	FL_OPT_WORDS(0, "calendar", "earnings|ipo,...", "earnings ipo",
		     &option.calendar,
		     "reports and listings to come, of all symbols; of some: "
		     "--type calendar SYMBOL..."),
	FL_OPT_WORD(0, "listing", "active|delisted", LISTINGS, &option.listing,
		    "all instruments that are listed in the US, or were"),
	FL_OPT_TEXT(0, "listing-date", "DATE", &option.listing_date,
		    "as of that day, from 2010-01-01 on [today]"),
	FL_OPT_FLAG(0, "market-status", &option.markets,
		    "which markets are open now"),
	FL_OPT_TEXT(0, "currency", "CUR", &option.currency,
		    "what prices of exchanges outside the US are in, such as "
		    "GBX for pence: Alpha Vantage does not say"),
	FL_OPT_WORD(0, "entitlement", "delayed|realtime", RIGHTS,
		    &option.entitlement,
		    "for keys that are paid for: prices of today"),
	FL_OPT_WORD(0, "datatype", "json|csv", FORMS, &option.datatype,
		    "how bars come; csv is a third of the bytes, and does not "
		    "tell the time zone [json]"),
	FL_OPT_GROUP(fl_options_polled),
	FL_OPT_WORD(0, "alphavantage-key-file", "FILE", "@file",
		    &option.key_file,
		    "the key is in FILE, which only its owner may read "
		    "[ALPHAVANTAGE_API_KEY of the environment]"),
	FL_OPT_TEXT(0, "alphavantage-url", "URL", &option.base,
		    "ask there instead [" BASE "]"),
	FL_OPT_END,
};

const char *fl_av_base(void)
{
	return option.base ? option.base : BASE;
}

/* --- the key --- */

static int bad_key(struct fl_error *err, const char *where)
{
	return fl_error_set(err, FL_ERR_USAGE,
			    "%s holds no key: one line of 1 to %d letters, "
			    "digits and signs",
			    where, KEY_MAX);
}

static int check_key(const char *key, const char *where, struct fl_error *err)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] >= 0x7f)
			return bad_key(err, where);
	return len && len <= KEY_MAX ? 0 : bad_key(err, where);
}

static int read_key(const char *path, char *key, struct fl_error *err)
{
	char where[250];

	snprintf(where, sizeof(where), "'%s'",
		 fl_show(path, strlen(path), 200));
	if (fl_secret_read(path, "the key", key, KEY_MAX + 20, err) < 0)
		return -1;
	return check_key(key, where, err);
}

static int take_key(struct fl_av_plan *plan, struct fl_error *err)
{
	static char key[KEY_MAX + 20]; /* for as long as the run */
	const char *given = getenv("ALPHAVANTAGE_API_KEY");

	/* What is named by hand goes before what is always there. */
	if (option.key_file) {
		if (read_key(option.key_file, key, err) < 0)
			return -1;
		plan->key = key;
	} else if (given && *given) {
		if (check_key(given, "ALPHAVANTAGE_API_KEY", err) < 0)
			return -1;
		plan->key = given;
	}
	return 0;
}

const char *fl_av_key(void)
{
	struct fl_av_plan plan = { .key = NULL };
	struct fl_error err = { .code = FL_OK };

	return take_key(&plan, &err) < 0 ? NULL : plan.key;
}

/* --- what is wanted --- */

static int take_interval(struct fl_av_plan *plan, struct fl_error *err)
{
	/* As the provider is asked for them; NULL: they are dated. */
	static const char *const minutes[] = { "1min",  "5min",  "15min",
					       "30min", "60min", NULL,
					       NULL,    NULL };
	int found = fl_plan_interval(FL_AV, option.interval, INTERVALS,
				     &plan->interval, err);

	if (found < 0)
		return -1;
	plan->minutes = minutes[found];
	return 0;
}

static int take_types(const struct fl_ask *ask, struct fl_av_plan *plan,
		      struct fl_error *err)
{
	const struct fl_plan_type types[] = {
		{ "bar", &plan->bars },
		{ "quote", &plan->quotes },
		{ "news", &plan->news },
		{ "instrument", &plan->instruments },
		{ "dividend", &plan->dividends },
		{ "split", &plan->splits },
		{ "calendar", &plan->calendar },
		{ NULL, NULL },
	};
	const char *other;

	if (!ask->types) {
		plan->news = option.topics != NULL;
		plan->bars = plan->dividends = plan->splits = plan->along =
			!plan->news;
	}
	other = fl_plan_types(ask, types);
	if (other)
		return fl_error_set(err, FL_ERR_USAGE,
				    FL_AV " gives bar, dividend, split, quote, "
					  "news, instrument and calendar of a "
					  "symbol; no %s",
				    other);
	if (plan->news &&
	    (plan->bars || plan->quotes || plan->instruments || plan->calendar))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--type news stands alone: times mean "
				    "another thing for it");
	if (option.topics && !plan->news)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--topics is for --type news");
	return 0;
}

static int add_subject(struct fl_av_plan *plan, const char *name,
		       enum fl_av_step step, struct fl_error *err)
{
	size_t count = 0;

	while (plan->subjects[count])
		count++;
	if (count && (step != FL_AV_IPOS && step != FL_AV_EARNINGS))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--search, --listing, --market-status and "
				    "--calendar are asked for one at a time");
	plan->subjects[count] = name;
	plan->subject_steps[count] = step;
	return 0;
}

static int take_calendars(struct fl_av_plan *plan, struct fl_error *err)
{
	bool earnings = false, ipo = false;

	for (size_t i = 0; i < option.calendar.count; i++) {
		const char *word = option.calendar.items[i];

		if (strcmp(word, "earnings") == 0)
			earnings = true;
		else if (strcmp(word, "ipo") == 0)
			ipo = true;
		else
			return fl_error_set(err, FL_ERR_USAGE,
					    "--calendar takes earnings and "
					    "ipo, not '%s'",
					    fl_show(word, strlen(word), 60));
	}
	if ((earnings || ipo) && plan->subjects[0])
		return add_subject(plan, "", FL_AV_LISTING, err);
	if (earnings &&
	    add_subject(plan, "calendar of earnings", FL_AV_EARNINGS, err) < 0)
		return -1;
	return ipo ? add_subject(plan, "calendar of listings", FL_AV_IPOS, err)
		   : 0;
}

static int take_listing(struct fl_av_plan *plan, struct fl_error *err)
{
	int state = 0;
	int64_t day;

	if (fl_plan_word("listing", option.listing, LISTINGS, &state, err) < 0)
		return -1;
	plan->delisted = state == 1;
	plan->listing_date = option.listing_date;
	if (!option.listing_date)
		return 0;
	if (!option.listing)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--listing-date goes with --listing");
	if (!fl_date_parse(option.listing_date, strlen(option.listing_date),
			   &day))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--listing-date takes a day such as "
				    "2026-01-31, not '%s'",
				    fl_show(option.listing_date,
					    strlen(option.listing_date), 60));
	if (day < fl_days_from_civil(2010, 1, 1))
		return fl_error_set(err, FL_ERR_USAGE,
				    FL_AV " gives listings since 2010-01-01 "
					  "only; asked as of %s",
				    option.listing_date);
	return 0;
}

static int take_subjects(const struct fl_ask *ask, struct fl_av_plan *plan,
			 struct fl_error *err)
{
	if (option.search && !*option.search)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--search takes a text to look for");
	plan->search = option.search;
	if ((option.search &&
	     add_subject(plan, option.search, FL_AV_SEARCH, err) < 0) ||
	    (option.listing &&
	     add_subject(plan,
			 plan->delisted ? "listing of the delisted"
					: "listing of the active",
			 FL_AV_LISTING, err) < 0) ||
	    (option.markets &&
	     add_subject(plan, "market status", FL_AV_MARKETS, err) < 0) ||
	    take_calendars(plan, err) < 0)
		return -1;
	if (option.topics && !(ask->operands && *ask->operands) &&
	    !ask->symbols)
		return add_subject(plan, "news", FL_AV_NEWS, err);
	if (plan->subjects[0] && ask->types)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--type is for symbols, and '%s' is asked "
				    "for",
				    plan->subjects[0]);
	return 0;
}

/* --- times --- */

static int too_old(const struct fl_av_plan *plan, const char *symbol,
		   const char *kept, struct fl_error *err)
{
	return fl_plan_too_old(FL_AV, symbol, plan->interval.text, kept, "from",
			       plan->from_ns, err);
}

/* A pair, whose bars are not kept for long? */
static bool is_pair(const char *name)
{
	struct fl_av_symbol symbol;
	char upper[65];
	size_t i = 0;

	for (; name[i] && i < 64; i++)
		upper[i] = name[i] >= 'a' && name[i] <= 'z'
				   ? (char)(name[i] - 'a' + 'A')
				   : name[i];
	upper[i] = '\0';
	fl_av_symbol(upper, &symbol);
	return symbol.market != FL_AV_EQUITY;
}

static int check_age(const struct fl_ask *ask, const struct fl_av_plan *plan,
		     struct fl_error *err)
{
	char kept[60];

	if (!plan->bars || !plan->minutes || !plan->ranged)
		return 0;
	if (plan->from_ns < fl_days_from_civil(2000, 1, 1) * FL_DAY)
		return too_old(plan, fl_plan_symbol(ask), "since 2000-01", err);
	if (plan->from_ns >= plan->now_ns - FL_AV_BACK_DAYS * FL_DAY)
		return 0;
	snprintf(kept, sizeof(kept), "of pairs for the last %d days",
		 FL_AV_BACK_DAYS);
	for (char **at = ask->operands; at && *at; at++)
		if (is_pair(*at))
			return too_old(plan, *at, kept, err);
	for (const char *const *at = ask->symbols; at && *at; at++)
		if (is_pair(*at))
			return too_old(plan, *at, kept, err);
	return 0;
}

static int take_times(const struct fl_ask *ask, struct fl_av_plan *plan,
		      struct fl_error *err)
{
	bool calendar = plan->calendar || option.calendar.count;

	plan->now_ns = ask->now_ns;
	/* News have no usual span, but a usual count; calendars lie ahead. */
	plan->from_ns = plan->news || calendar
				? ask->from
				: fl_plan_from(ask, !plan->minutes);
	plan->to_ns = ask->to;
	plan->ranged = plan->from_ns != FL_TIME_NONE;
	plan->said_from = ask->from != FL_TIME_NONE;
	plan->from_day = fl_plan_day(ask, plan->from_ns);
	plan->to_day = fl_plan_day(ask, plan->to_ns);
	if (calendar && plan->to_day != FL_TIME_NONE &&
	    plan->to_day > plan->now_ns / FL_DAY + 366)
		return fl_error_set(err, FL_ERR_USAGE,
				    FL_AV " gives the reports of the coming 12 "
					  "months only");
	if (!calendar && plan->from_ns != FL_TIME_NONE &&
	    plan->from_ns > plan->now_ns)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--from lies in the future");
	return check_age(ask, plan, err);
}

static int check_adj(const struct fl_av_plan *plan, struct fl_error *err)
{
	if (plan->minutes && plan->adj == FL_AV_SPLIT)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--adj split is for 1d: below a day " FL_AV
				    " gives prices as traded (none) or "
				    "adjusted for dividends, too (all)");
	if (!plan->minutes && plan->interval.ns != FL_DAY &&
	    plan->adj == FL_AV_SPLIT)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--adj split is for 1d: a split may lie "
				    "within a week or month; fl-agg makes "
				    "those of bars of 1d");
	if (!plan->minutes && plan->all_sessions)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--session all is for intervals below 1d: "
				    "longer bars are of the regular session");
	return 0;
}

int fl_av_plan(const struct fl_ask *ask, struct fl_av_plan *plan,
	       struct fl_error *err)
{
	static struct fl_av_learnt learnt;
	int adj = FL_AV_NONE, session = 0, form = 0, right = 0;

	*plan = (struct fl_av_plan){ .last = ask->last, .learnt = &learnt };
	if (take_interval(plan, err) < 0 ||
	    fl_plan_word("adj", option.adj, ADJS, &adj, err) < 0 ||
	    fl_plan_word("session", option.session, SESSIONS, &session, err) <
		    0 ||
	    fl_plan_word("datatype", option.datatype, FORMS, &form, err) < 0 ||
	    fl_plan_word("entitlement", option.entitlement, RIGHTS, &right,
			 err) < 0 ||
	    take_types(ask, plan, err) < 0 || take_listing(plan, err) < 0 ||
	    take_subjects(ask, plan, err) < 0)
		return -1;
	plan->adj = (enum fl_av_adj)adj;
	plan->all_sessions = session;
	plan->csv = form;
	plan->entitlement = option.entitlement;
	plan->topics = option.topics;
	plan->currency = option.currency;
	if (check_adj(plan, err) < 0 || take_times(ask, plan, err) < 0)
		return -1;
	return take_key(plan, err);
}
