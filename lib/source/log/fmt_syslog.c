/* logs_syslog: a message of any program behind a syslog header, RFC 3164 or
 * RFC 5424; what no other format takes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/work.h"

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	if (!w->head.found)
		return FL_LOGS_NOT_MINE;
	fl_logs_put(w, FL_LOGS_MESSAGE, w->at, (size_t)(w->end - w->at));
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_syslog = {
	.name = "syslog",
	.parse = parse,
};
