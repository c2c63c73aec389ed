/* fallback: several sources in a row, fl-fetch yahoo,alphavantage,csv:DIR: what
 * the first cannot give of the symbols the second is asked for, and so on.
 *
 * Each source is asked for all that is missing at once, so that it works as it
 * does alone: several questions at a time, in the order of the list. A symbol
 * that none can give is one reject with the words of each.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_FALLBACK_H
#define FL_SOURCE_FALLBACK_H

#include "base/error.h"
#include "source/source.h"

/* Is the word a list of sources? */
bool fl_fallback_is(const char *word);
/* The source that such a word names; the same one each time.
 * errors  FL_ERR_USAGE: NULL: it names none */
const struct fl_source *fl_fallback_find(const char *word,
					 struct fl_error *err);
/* When options are set: those of one name hold for every source that has such
 * an option. */
void fl_fallback_share(void);

#endif
