/* logs_head: the syslog header that may stand before a message.
 *
 * source  RFC 3164 section 4, and what is sent in its name: no PRI in files,
 *         RFC 3339 stamps by rsyslog and journald, no host by pfSense, a colon
 *         or a number in front by Cisco; RFC 5424 section 6
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_HEAD_H
#define FL_SOURCE_LOG_HEAD_H

#include "source/log/stamp.h"
#include "source/log/work.h"

/* Read the header of w->line, if there is one, into w->head, and set w->at to
 * what is behind it.
 * returns STAMP; NO_STAMP there is none (head.found tells of the rest); NO_YEAR
 *         and BAD_STAMP as the stamp says */
enum fl_logs_clock fl_logs_head_read(struct fl_logs_work *w,
				     struct fl_logs_times *times);

#endif
