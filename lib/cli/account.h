/* account: what a run says of itself at its end, for people and as a record.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_ACCOUNT_H
#define FL_CLI_ACCOUNT_H

#include "base/buf.h"
#include "base/error.h"
#include "cli/run.h"

/* What is measured once, so that all reports agree. */
struct fl_figures {
	int64_t ended_ns, wall_ns, cpu_ns;
	uint64_t max_rss_bytes;
	char id[37]; /* of the run record */
};
void fl_account_measure(const struct fl_run *run, struct fl_figures *figures);

/* "fl-clean: rejected: 9,914 bad_number, …\n"; only when there are some. */
void fl_account_rejects(const struct fl_run *run, struct fl_buf *out);
/* "fl-clean: 5 in = 5 out + …\n" */
void fl_account_line(const struct fl_run *run, const struct fl_figures *figures,
		     struct fl_buf *out);
/* The run record in canonical form, with its LF.
 * error   NULL: none */
void fl_account_record(const struct fl_run *run,
		       const struct fl_figures *figures, int status,
		       const char *error, struct fl_buf *out);
/* Append it to a file that others append to.  errors FL_ERR_IO */
int fl_account_append(const char *path, const struct fl_buf *record,
		      struct fl_error *err);

#endif
