/* plan: see plan.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/div.h"
#include "base/mem.h"
#include "base/zone.h"

/* The word at *at, or behind the blank there; false: there is none. */
static bool next_word(const char **at, size_t *len)
{
	*at += **at == ' ';
	*len = strcspn(*at, " ");
	return *len;
}

int fl_plan_word(const char *option, const char *value, const char *words,
		 int *index, struct fl_error *err)
{
	char list[60] = "";
	size_t len;

	if (!value)
		return 0;
	for (int i = 0; next_word(&words, &len); words += len, i++) {
		if (strlen(value) == len && memcmp(value, words, len) == 0) {
			*index = i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s%.*s", i ? (words[len] ? ", " : " or ") : "",
			 (int)len, words);
	}
	return fl_error_set(err, FL_ERR_USAGE, "--%s takes %s, not '%s'",
			    option, list, fl_show(value, strlen(value), 60));
}

int fl_plan_interval(const char *provider, const char *value, const char *has,
		     struct fl_interval *interval, struct fl_error *err)
{
	const char *at = has;
	size_t len;

	if (fl_interval_parse(value ? value : "1d", interval, err) < 0)
		return -1;
	for (int i = 0; next_word(&at, &len); at += len, i++) {
		struct fl_interval one = { .ns = -1 };
		char word[sizeof(one.text)];

		/* 90m is 1h30m, too. */
		snprintf(word, sizeof(word), "%.*s", (int)len, at);
		if (fl_interval_parse(word, &one, err) < 0)
			FL_BUG("a provider's own interval is none");
		if (one.ns == interval->ns && one.months == interval->months)
			return i;
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "%s gives bars of %s, not %s; fl-agg makes others "
			    "of them",
			    provider, has, interval->text);
}

const char *fl_plan_types(const struct fl_ask *ask,
			  const struct fl_plan_type *types)
{
	for (const char *const *type = ask->types; type && *type; type++) {
		const struct fl_plan_type *at = types;

		while (at->name && strcmp(at->name, *type) != 0)
			at++;
		if (!at->name)
			return *type;
		*at->wanted = true;
	}
	return NULL;
}

int64_t fl_plan_from(const struct fl_ask *ask, bool dated)
{
	const struct fl_span usual = { dated ? 0 : 5 * FL_DAY, dated };

	if (ask->from != FL_TIME_NONE || ask->to != FL_TIME_NONE || ask->all)
		return ask->from;
	return fl_time_minus_span(ask->now_ns, &usual);
}

int64_t fl_plan_day(const struct fl_ask *ask, int64_t ns)
{
	return ns == FL_TIME_NONE
		       ? ns
		       : fl_div_ceil(fl_zone_wall(ask->io->zone, ns), FL_DAY);
}

const char *fl_plan_symbol(const struct fl_ask *ask)
{
	return ask->operands && *ask->operands ? *ask->operands
	       : ask->symbols                  ? *ask->symbols
					       : NULL;
}

int fl_plan_too_old(const char *provider, const char *symbol,
		    const char *interval, const char *kept, const char *asked,
		    int64_t ns, struct fl_error *err)
{
	char text[FL_TIME_TEXT];

	fl_time_print(ns, text);
	fl_error_set(err, FL_ERR_USAGE,
		     "%s gives %s bars %s only; asked %s %.10s", provider,
		     interval, kept, asked, text);
	if (symbol)
		fl_error_wrap(err, "'%s'", fl_show(symbol, strlen(symbol), 64));
	return -1;
}
