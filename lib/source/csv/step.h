/* csv_step: the interval of bars, from the steps between a symbol's rows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_STEP_H
#define FL_SOURCE_CSV_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/map.h"
#include "base/time.h"
#include "source/csv/date.h"

#define FL_CSV_SYMBOLS_MAX 250000 /* of one file: about 30 MiB */

struct fl_csv_step {
	int64_t size; /* ns, or the count's unit */
	uint64_t rows;
};

/* The steps of one reading of the file's dates. */
struct fl_csv_steps {
	struct fl_csv_step *slots; /* a hash table; rows 0: free */
	size_t used;
};

struct fl_csv_learner {
	struct fl_map symbols; /* the last row of each */
	struct fl_csv_steps steps[FL_CSV_READINGS];
	uint64_t up, down; /* steps forward and back */
};

#define FL_CSV_LEARNER_INIT                                                    \
	{                                                                      \
		0                                                              \
	}

/* What a row's date and time are worth in each way of reading them. */
struct fl_csv_values {
	bool good[FL_CSV_READINGS];
	int64_t value[FL_CSV_READINGS];
};

/* The last row of a symbol. */
struct fl_csv_last;

void fl_csv_learn_values(const struct fl_csv_when *when,
			 struct fl_csv_values *values);
/* Of the symbol; stays where it is until the learner is released.
 * errors  NULL, FL_ERR_DATA over FL_CSV_SYMBOLS_MAX symbols */
struct fl_csv_last *fl_csv_learn_last(struct fl_csv_learner *learner,
				      const char *symbol, size_t len,
				      struct fl_error *err);
/* Learn from one row, which becomes the last of its symbol. */
void fl_csv_learn(struct fl_csv_learner *learner, struct fl_csv_last *last,
		  const struct fl_csv_values *values);
/* The interval of the rows, once `dates` are settled.
 *
 * Dates alone: by the usual (median) step, so that week-ends and holidays do
 * not matter: 1d, 1wk, 1mo, 3mo, 1y; one row alone is a day's. Times: the
 * smallest step that one row in a hundred has, or what divides all steps; a day
 * or longer is as for dates. false: it cannot be told; `why` says so (static
 * text) */
bool fl_csv_interval(const struct fl_csv_learner *learner,
		     const struct fl_csv_dates *dates,
		     struct fl_interval *interval, const char **why);
/* Do rows run from new to old? */
bool fl_csv_newest_first(const struct fl_csv_learner *learner);
void fl_csv_learner_release(struct fl_csv_learner *learner);

#endif
