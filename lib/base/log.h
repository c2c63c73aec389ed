/* log: what a command tells under -v; silent otherwise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_LOG_H
#define FL_BASE_LOG_H

#include <stdbool.h>

extern bool fl_log_on;          /* -v was given */
extern const char *fl_log_name; /* the command's name */

void fl_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
