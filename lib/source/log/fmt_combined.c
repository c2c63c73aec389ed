/* logs_combined: web servers' combined log format: the common one with referer
 * and user agent. What a server adds behind these stays in event.original.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/access.h"

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	struct fl_logs_text referer, agent;
	const char *at;
	enum fl_logs_got got = fl_logs_access(w, &at);

	if (got != FL_LOGS_RECORD)
		return got;
	if (at == w->end || *at++ != ' ' ||
	    !fl_logs_quoted(&at, w->end, &referer) || at == w->end ||
	    *at++ != ' ' || !fl_logs_quoted(&at, w->end, &agent) ||
	    (at < w->end && *at != ' '))
		return FL_LOGS_NOT_MINE;
	fl_logs_put(w, FL_LOGS_HTTP_REFERRER, referer.at, referer.len);
	fl_logs_put(w, FL_LOGS_USER_AGENT, agent.at, agent.len);
	return FL_LOGS_RECORD;
}

const struct fl_logs_format fl_logs_format_combined = {
	.name = "combined",
	.category = "[\"web\"]",
	.access = "access",
	.parse = parse,
};
