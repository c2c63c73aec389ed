/* text: small things for people: masked secrets, near words, rounded figures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_TEXT_H
#define FL_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Append `text` with secrets as "***": user:PASS@, and all that stands behind
 * password=, secret=, token= or key=. Bytes that are not UTF-8 become U+FFFD.
 */
void fl_mask(const char *text, struct fl_buf *out);
/* Does the value of an option of this name belong masked as a whole? */
bool fl_mask_name(const char *name, size_t len);
/* Append argv[i], masked, when it follows argv[i - 1]. */
void fl_mask_argument(char *const *argv, int i, struct fl_buf *out);
/* Append argv as one line for a shell, masked, argv[0] as `name`, at most about
 * `max` bytes, then how many words were left out. */
void fl_mask_command(const char *name, char *const *argv, size_t max,
		     struct fl_buf *out);

/* Append text, broken at blanks at 80 columns, further lines indented; `column`
 * is where it begins. No line begins with '-': that would look like an option.
 */
void fl_wrap(const char *text, size_t column, size_t indent,
	     struct fl_buf *out);

#endif
