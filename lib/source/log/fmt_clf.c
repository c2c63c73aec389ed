/* logs_clf: web servers' common log format.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/access.h"

static enum fl_logs_got parse(struct fl_logs_work *w)
{
	const char *at;
	enum fl_logs_got got = fl_logs_access(w, &at);

	return got == FL_LOGS_RECORD && at != w->end ? FL_LOGS_NOT_MINE : got;
}

const struct fl_logs_format fl_logs_format_clf = {
	.name = "clf",
	.category = "[\"web\"]",
	.access = "access",
	.parse = parse,
};
