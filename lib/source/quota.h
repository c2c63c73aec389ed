/* quota: --quota: what is left of what providers may be asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_QUOTA_H
#define FL_SOURCE_QUOTA_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Of each polled source, with the key that is set now, and of every other key
 * that was counted on this machine: a stat record.
 *
 * limit   the setting of that name; NULL: the providers' own
 * errors  those of each, and of the state folder */
int fl_quota_each(const char *limit, int64_t now_ns,
		  int (*each)(void *arg, const char *bytes, size_t len,
			      struct fl_error *err),
		  void *arg, struct fl_error *err);
/* The same for people: a line for each limit. */
int fl_quota_table(const char *limit, struct fl_buf *out, struct fl_error *err);

#endif
