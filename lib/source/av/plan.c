/* plan: what is wanted, by the options, and the key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/av/av.h"

#define BASE "https://www.alphavantage.co"

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
	{ .kind = FL_OPTION_TEXT,
	  .name = "interval",
	  .arg = "IV",
	  .target = &option.interval,
	  .words = "1m 5m 15m 30m 1h 1d 1wk 1mo",
	  .help = "of the bars: 1m 5m 15m 30m 1h 1d 1wk 1mo [1d]" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "adj",
	  .arg = "none|split|all",
	  .target = &option.adj,
	  .words = "none split all",
	  .help = "prices as traded, adjusted for splits (1d alone), or for "
		  "dividends as well [none]" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "session",
	  .arg = "regular|all",
	  .target = &option.session,
	  .words = "regular all",
	  .help = "trading hours that count; all: before and after the regular "
		  "ones, too, below 1d [regular]" },
	FL_OPT_TEXT(0, "search", "TEXT", &option.search,
		    "the instruments whose name or symbol is like TEXT"),
	FL_OPT_TEXT(0, "topics", "T,...", &option.topics,
		    "of news: earnings, ipo, technology ...; without symbols "
		    "news of all"),
	{ .kind = FL_OPTION_LIST,
	  .name = "calendar",
	  .arg = "earnings|ipo,...",
	  .target = &option.calendar,
	  .words = "earnings ipo",
	  .help = "reports and listings to come, of all symbols; of some: "
		  "--type calendar SYMBOL..." },
	{ .kind = FL_OPTION_TEXT,
	  .name = "listing",
	  .arg = "active|delisted",
	  .target = &option.listing,
	  .words = "active delisted",
	  .help = "all instruments that are listed in the US, or were" },
	FL_OPT_TEXT(0, "listing-date", "DATE", &option.listing_date,
		    "as of that day, from 2010-01-01 on [today]"),
	FL_OPT_FLAG(0, "market-status", &option.markets,
		    "which markets are open now"),
	FL_OPT_TEXT(0, "currency", "CUR", &option.currency,
		    "what prices of exchanges outside the US are in, such as "
		    "GBX for pence: Alpha Vantage does not say"),
	{ .kind = FL_OPTION_TEXT,
	  .name = "entitlement",
	  .arg = "delayed|realtime",
	  .target = &option.entitlement,
	  .words = "delayed realtime",
	  .help = "for keys that are paid for: prices of today" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "datatype",
	  .arg = "json|csv",
	  .target = &option.datatype,
	  .words = "json csv",
	  .help = "how bars come; csv is a third of the bytes, and does not "
		  "tell the time zone [json]" },
	FL_OPT_GROUP(fl_options_polled),
	{ .kind = FL_OPTION_TEXT,
	  .name = "alphavantage-key-file",
	  .arg = "FILE",
	  .target = &option.key_file,
	  .words = "@file",
	  .help = "the key is in FILE, which only its owner may read "
		  "[ALPHAVANTAGE_API_KEY of the environment]" },
	FL_OPT_TEXT(0, "alphavantage-url", "URL", &option.base,
		    "ask there instead [" BASE "]"),
	FL_OPT_END,
};

static const struct {
	int64_t ns;
	int months;
	const char *minutes;
} intervals[] = {
	{ FL_MINUTE, 0, "1min" },       { 5 * FL_MINUTE, 0, "5min" },
	{ 15 * FL_MINUTE, 0, "15min" }, { 30 * FL_MINUTE, 0, "30min" },
	{ FL_HOUR, 0, "60min" },        { FL_DAY, 0, NULL },
	{ 7 * FL_DAY, 0, NULL },        { 0, 1, NULL },
};

const char *fl_av_base(void)
{
	return option.base ? option.base : BASE;
}

/* One of two or three words, the first at 0. */
static int take_word(const char *name, const char *value,
		     const char *const *words, int *index, struct fl_error *err)
{
	char list[60] = "";

	for (int i = 0; value && words[i]; i++) {
		if (strcmp(value, words[i]) == 0) {
			*index = i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s%s", i ? (words[i + 1] ? ", " : " or ") : "",
			 words[i]);
	}
	return !value ? 0
		      : fl_error_set(err, FL_ERR_USAGE,
				     "--%s takes %s, not '%s'", name, list,
				     fl_show(value, strlen(value), 60));
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

/* A file that others can read keeps no secret. */
static int read_key(const char *path, char *key, struct fl_error *err)
{
	const char *shown = fl_show(path, strlen(path), 200);
	char where[250];
	struct stat st;
	ssize_t got = 0;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	snprintf(where, sizeof(where), "'%s'", shown);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fl_error_set(err, FL_ERR_IO, "cannot open %s, the key: %s",
			     where, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fl_error_set(err, FL_ERR_USAGE, "%s, the key, is no file",
			     where);
	} else if (st.st_mode & 077) {
		fl_error_set(err, FL_ERR_USAGE,
			     "others may read or write %s, the key (mode "
			     "%04o): chmod 600 %s",
			     where, (unsigned)(st.st_mode & 07777), shown);
	} else {
		while (len < KEY_MAX + 20 &&
		       (got = read(fd, key + len, KEY_MAX + 20 - len)) > 0)
			len += (size_t)got;
		if (got < 0)
			fl_error_set(err, FL_ERR_IO,
				     "cannot read %s, the key: %s", where,
				     strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	if (err->code)
		return -1;
	if (memchr(key, '\0', len))
		return bad_key(err, where);
	while (len && strchr("\r\n \t", key[len - 1]))
		len--;
	key[len] = '\0';
	return check_key(key, where, err);
}

static int take_key(struct fl_av_plan *plan, struct fl_error *err)
{
	static char key[KEY_MAX + 21]; /* for as long as the run */
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
	if (fl_interval_parse(option.interval ? option.interval : "1d",
			      &plan->interval, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(*intervals); i++)
		if (intervals[i].ns == plan->interval.ns &&
		    intervals[i].months == plan->interval.months) {
			plan->minutes = intervals[i].minutes;
			return 0;
		}
	return fl_error_set(err, FL_ERR_USAGE,
			    FL_AV " gives bars of 1m 5m 15m 30m 1h 1d 1wk "
				  "1mo, not %s; fl-agg makes others of them",
			    plan->interval.text);
}

static int take_types(const struct fl_ask *ask, struct fl_av_plan *plan,
		      struct fl_error *err)
{
	const struct {
		const char *name;
		bool *wanted;
	} types[] = {
		{ "bar", &plan->bars },
		{ "quote", &plan->quotes },
		{ "news", &plan->news },
		{ "instrument", &plan->instruments },
		{ "dividend", &plan->dividends },
		{ "split", &plan->splits },
		{ "calendar", &plan->calendar },
	};

	if (!ask->types) {
		plan->news = option.topics != NULL;
		plan->bars = plan->dividends = plan->splits = plan->along =
			!plan->news;
	}
	for (const char *const *type = ask->types; type && *type; type++) {
		size_t i = 0;

		while (i < sizeof(types) / sizeof(*types) &&
		       strcmp(types[i].name, *type) != 0)
			i++;
		if (i == sizeof(types) / sizeof(*types))
			return fl_error_set(
				err, FL_ERR_USAGE,
				FL_AV " gives bar, dividend, split, quote, "
				      "news, instrument and calendar of a "
				      "symbol; no %s",
				*type);
		*types[i].wanted = true;
	}
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
	static const char *const states[] = { "active", "delisted", NULL };
	int state = 0;
	int64_t day;

	if (take_word("listing", option.listing, states, &state, err) < 0)
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

static int64_t ceil_div(int64_t value, int64_t by)
{
	return value / by + (value % by > 0);
}

static int too_old(const struct fl_ask *ask, const struct fl_av_plan *plan,
		   const char *symbol, const char *since, struct fl_error *err)
{
	char asked[FL_TIME_TEXT];

	(void)ask;
	fl_time_print(plan->from_ns, asked);
	return fl_error_set(err, FL_ERR_USAGE,
			    "%s%s%s" FL_AV " gives %s bars %s only; asked from "
			    "%.10s",
			    symbol ? "'" : "",
			    symbol ? fl_show(symbol, strlen(symbol), 64) : "",
			    symbol ? "': " : "", plan->interval.text, since,
			    asked);
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
	const char *first = ask->operands && *ask->operands ? *ask->operands
			    : ask->symbols                  ? *ask->symbols
							    : NULL;
	char since[60];

	if (!plan->bars || !plan->minutes || !plan->ranged)
		return 0;
	if (plan->from_ns < fl_days_from_civil(2000, 1, 1) * FL_DAY)
		return too_old(ask, plan, first, "since 2000-01", err);
	if (plan->from_ns >= plan->now_ns - FL_AV_BACK_DAYS * FL_DAY)
		return 0;
	snprintf(since, sizeof(since), "of pairs for the last %d days",
		 FL_AV_BACK_DAYS);
	for (char **at = ask->operands; at && *at; at++)
		if (is_pair(*at))
			return too_old(ask, plan, *at, since, err);
	for (const char *const *at = ask->symbols; at && *at; at++)
		if (is_pair(*at))
			return too_old(ask, plan, *at, since, err);
	return 0;
}

static int take_times(const struct fl_ask *ask, struct fl_av_plan *plan,
		      struct fl_error *err)
{
	const struct fl_zone *zone = ask->io->zone;
	bool dated = !plan->minutes;
	const struct fl_span usual = { dated ? 0 : 5 * FL_DAY, dated };
	bool calendar = plan->calendar || option.calendar.count;

	plan->now_ns = ask->now_ns;
	plan->from_ns = ask->from;
	plan->to_ns = ask->to;
	plan->ranged = plan->said_from = ask->from != FL_TIME_NONE;
	/* News have no usual span, but a usual count; calendars lie ahead. */
	if (ask->from == FL_TIME_NONE && ask->to == FL_TIME_NONE && !ask->all &&
	    !plan->news && !calendar) {
		plan->from_ns = fl_time_minus_span(ask->now_ns, &usual);
		plan->ranged = true;
	}
	plan->from_day = plan->to_day = FL_TIME_NONE;
	if (plan->from_ns != FL_TIME_NONE)
		plan->from_day =
			ceil_div(fl_zone_wall(zone, plan->from_ns), FL_DAY);
	if (plan->to_ns != FL_TIME_NONE)
		plan->to_day =
			ceil_div(fl_zone_wall(zone, plan->to_ns), FL_DAY);
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
	static const char *const adjs[] = { "none", "split", "all", NULL };
	static const char *const sessions[] = { "regular", "all", NULL };
	static const char *const forms[] = { "json", "csv", NULL };
	static const char *const rights[] = { "delayed", "realtime", NULL };
	static struct fl_av_learnt learnt;
	int adj = FL_AV_NONE, session = 0, form = 0, right = 0;

	*plan = (struct fl_av_plan){ .last = ask->last, .learnt = &learnt };
	if (take_interval(plan, err) < 0 ||
	    take_word("adj", option.adj, adjs, &adj, err) < 0 ||
	    take_word("session", option.session, sessions, &session, err) < 0 ||
	    take_word("datatype", option.datatype, forms, &form, err) < 0 ||
	    take_word("entitlement", option.entitlement, rights, &right, err) <
		    0 ||
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
