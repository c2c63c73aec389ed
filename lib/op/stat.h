/* stat: records of type stat, as the verbs of fl-agg write them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_STAT_H
#define FL_OP_STAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "io/writer.h"

/* Make one by fl_stat_begin, add to by and values, and write it; then the next
 * one in the same. */
struct fl_stat {
	struct fl_buf head, by, values, line;
	bool table; /* for one, figures are rounded: op/shown.h */
};

#define FL_STAT_INIT                                                           \
	{                                                                      \
		.head = FL_BUF_INIT, .by = FL_BUF_INIT, .values = FL_BUF_INIT, \
		.line = FL_BUF_INIT                                            \
	}

/* provider  of the input; "agg:" is put before it
 * subject   longer ones than a field may hold are cut, with a hash of the whole
 * window    NULL: none */
void fl_stat_begin(struct fl_stat *stat, int64_t ts_ns, const char *provider,
		   const char *what, const char *subject, const char *window);
void fl_stat_by(struct fl_stat *stat, const char *name, const char *text);
/* Left out when it is no number (NAN) or out of range. */
void fl_stat_real(struct fl_stat *stat, const char *name, double value);
void fl_stat_decimal(struct fl_stat *stat, const char *name,
		     struct fl_decimal value);
void fl_stat_count(struct fl_stat *stat, const char *name, uint64_t value);
int fl_stat_write(struct fl_stat *stat, struct fl_writer *out,
		  struct fl_error *err);
void fl_stat_release(struct fl_stat *stat);

#endif
