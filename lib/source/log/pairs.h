/* logs_pairs: keys of CEF and LEEF.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_PAIRS_H
#define FL_SOURCE_LOG_PAIRS_H

#include "source/log/work.h"

typedef void fl_logs_put_fn(struct fl_logs_work *w, enum fl_logs_field field,
			    const char *text, size_t len);

struct fl_logs_key {
	const char *name;
	fl_logs_put_fn *put;
	enum fl_logs_field field;
};

/* Put the value of a key of the table (ended by a NULL name); false: it has
 * none such. */
bool fl_logs_put_key(struct fl_logs_work *w, const struct fl_logs_key *keys,
		     const char *key, size_t key_len, const char *text,
		     size_t len);
/* A number from 0 to 10, or Low, Medium, High, Very-High. */
void fl_logs_put_severity(struct fl_logs_work *w, enum fl_logs_field field,
			  const char *text, size_t len);
void fl_logs_put_protocol(struct fl_logs_work *w, enum fl_logs_field field,
			  const char *text, size_t len);
void fl_logs_put_act(struct fl_logs_work *w, enum fl_logs_field field,
		     const char *text, size_t len);
void fl_logs_put_outcome(struct fl_logs_work *w, enum fl_logs_field field,
			 const char *text, size_t len);
/* The header's cells between unescaped bars, at most `max`; *at is then behind
 * the bar after the last one. How many */
size_t fl_logs_bars(struct fl_logs_work *w, const char **at,
		    struct fl_logs_text *cells, size_t max);
/* What has two ends is a connection. */
void fl_logs_put_kind(struct fl_logs_work *w);

#endif
