/* logs_seek: going on where a position stands.
 *
 * Whoever goes on reads a stretch before the position again: for the numbers of
 * equal lines, for columns that a line names, and to warm up the stages behind
 * us.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_LOG_SEEK_H
#define FL_SOURCE_LOG_SEEK_H

#include "source/log/file.h"

/* Of a part whose reader was just opened: stand before the stretch that is read
 * again for file->start; file->taken says at which line.
 * errors  FL_ERR_REFUSED the file has fewer lines, unless --from begins anew;
 *         FL_ERR_IO, FL_ERR_DATA reading */
int fl_logs_seek(struct fl_logs_file *file, struct fl_error *err);

#endif
