/* csv_input: a CSV file, or what comes through a pipe, read more than once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_CSV_INPUT_H
#define FL_SOURCE_CSV_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "io/io.h"

struct fl_csv_input;

/* Files, patterns and "-" as the user gave them, to files and "-": a pattern is
 * expanded only where no file of that very name is.
 *
 * files   out, NULL-ended; fl_csv_files_free
 * errors  FL_ERR_IO a pattern that matches nothing */
int fl_csv_files(char *const *operands, char ***files, struct fl_error *err);
void fl_csv_files_free(char **files);

/* Open `path`, "-" for standard input. What cannot be read twice (a pipe) is
 * copied, decoded, to an unlinked file in TMPDIR first, unless it is to be read
 * `once` only.
 * errors  FL_ERR_IO */
int fl_csv_input_open(struct fl_csv_input **in, const char *path, bool once,
		      struct fl_io *io, struct fl_error *err);
/* Can it be read more than once? */
bool fl_csv_input_rereads(const struct fl_csv_input *in);
/* Begin again at the start; decoded bytes are added to *bytes from then on,
 * NULL: not counted. Of an input to be read once: the first time only. */
int fl_csv_input_rewind(struct fl_csv_input *in, uint64_t *bytes,
			struct fl_error *err);
/* For fl_csv_open; `in` is a struct fl_csv_input. What is read once is not
 * waited for longer than 100 ms a call: FL_CSV_AGAIN. */
ssize_t fl_csv_input_read(void *in, void *bytes, size_t size,
			  struct fl_error *err);
/* NULL is fine; sets NULL. */
void fl_csv_input_close(struct fl_csv_input **in);

#endif
