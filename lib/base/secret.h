/* secret: passwords and keys that stand in files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_SECRET_H
#define FL_BASE_SECRET_H

#include <stddef.h>

#include "base/error.h"

/* Read the file's text into secret[size], blanks and newlines behind it left
 * out, NUL added. A file that others can read or write keeps no secret, and is
 * refused.
 *
 * what    for messages: "the key", "the password"
 * errors  FL_ERR_IO cannot be read; FL_ERR_USAGE no file, open to others,
 *         too long, or not a line of text */
int fl_secret_read(const char *path, const char *what, char *secret,
		   size_t size, struct fl_error *err);

#endif
