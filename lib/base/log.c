/* log: see log.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

bool fl_log_on;
const char *fl_log_name = "financelake";

void fl_log(const char *format, ...)
{
	char line[1024];
	va_list args;

	if (!fl_log_on)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One write a line: stages of a pipeline share this stderr. */
	fprintf(stderr, "%s: %s\n", fl_log_name, line);
}
