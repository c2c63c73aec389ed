/* csv_origin: which file a position belongs to.
 *
 * Origins are those of source/origin.h, of the file's bytes as they lie there.
 * So a file may grow, but not be replaced, without our noticing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_ORIGIN_H
#define FL_SOURCE_CSV_ORIGIN_H

#include "base/error.h"
#include "source/source.h"

/* The file's origin and, where the store knows it, its start.
 *
 * origin  out; free() it
 * start   out, borrowed from `ask`; NULL: the store holds nothing of it
 * errors  FL_ERR_USAGE no file that can be read again (standard input, a pipe);
 *         FL_ERR_REFUSED another file stands there now, unless --from begins
 *         anew; FL_ERR_IO */
int fl_csv_origin(const struct fl_ask *ask, const char *path, char **origin,
		  const struct fl_start **start, struct fl_error *err);

#endif
