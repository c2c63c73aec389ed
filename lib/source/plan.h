/* plan: what the plans of polled sources have in common.
 *
 * A plan says, by the options of one provider, what is to be asked about each
 * symbol (source/av/plan.c, source/yahoo/plan.c). Words, intervals, types and
 * times are read here, the same for all; what a provider has, and what it does
 * not give, is its own to say.
 *
 * Lists of words are as in fl_option.words: with one blank between.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_PLAN_H
#define FL_SOURCE_PLAN_H

#include "base/time.h"
#include "source/source.h"

/* An option that takes one of a few words.
 *
 * option  its name, without the dashes
 * value   as given; NULL: it was not, and *index stays
 * index   out: which of the words, the first at 0
 * errors  FL_ERR_USAGE, with the words */
int fl_plan_word(const char *option, const char *value, const char *words,
		 int *index, struct fl_error *err);

/* The interval of bars, where a provider has some only.
 *
 * value    as given; NULL: 1d
 * has      all that the provider has, none of them twice
 * returns  which of them, the first at 0; -1
 * errors   FL_ERR_USAGE it is none, or not one of these */
int fl_plan_interval(const char *provider, const char *value, const char *has,
		     struct fl_interval *interval, struct fl_error *err);

/* What --type chooses among; the last one has no name. */
struct fl_plan_type {
	const char *name;
	bool *wanted;
};
/* Set what is wanted of those that --type names; nothing where there is none.
 * returns NULL; a type that is not among them */
const char *fl_plan_types(const struct fl_ask *ask,
			  const struct fl_plan_type *types);

/* From when on there are to be bars: as asked, or the last month of dated ones
 * and the last five days of others. FL_TIME_NONE: from the beginning. */
int64_t fl_plan_from(const struct fl_ask *ask, bool dated);
/* The first day that begins at that time or after it, by the user's clock;
 * FL_TIME_NONE stays what it is. */
int64_t fl_plan_day(const struct fl_ask *ask, int64_t ns);

/* The first symbol that was asked for by name; NULL: they stand in a file. */
const char *fl_plan_symbol(const struct fl_ask *ask);
/* There are no bars as old as that.
 *
 * symbol  of which; NULL: of all
 * kept    what there is: "for the last 59 days"
 * asked   "from" or "up to"
 * returns -1, with FL_ERR_USAGE */
int fl_plan_too_old(const char *provider, const char *symbol,
		    const char *interval, const char *kept, const char *asked,
		    int64_t ns, struct fl_error *err);

#endif
