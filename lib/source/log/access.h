/* logs_access: the two forms of web servers' access logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_ACCESS_H
#define FL_SOURCE_LOG_ACCESS_H

#include "source/log/work.h"

/* The common part; *at is then behind it. returns NOT_MINE, RECORD, REFUSED */
enum fl_logs_got fl_logs_access(struct fl_logs_work *w, const char **at);
/* "…", where \" is escaped; *at at its first quote, then behind its last. */
bool fl_logs_quoted(const char **at, const char *end,
		    struct fl_logs_text *text);
void fl_logs_request(struct fl_logs_work *w, const struct fl_logs_text *text);
void fl_logs_version(struct fl_logs_work *w, const char *text, size_t len);

#endif
