/* csv: rows of delimited text, read as forgivingly as spreadsheets write it.
 *
 * libcsv takes the cells apart, but for rows so plain that csv_cut does; rows
 * are cut out here, so that a row's own text, its first line's number and its
 * faults are known. A quote that nothing
 * closes costs the line it stands on, not the rest of the file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_CSV_H
#define FL_IO_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define FL_CSV_ROW_MAX   900000 /* bytes of one row; as long as a record */
#define FL_CSV_CELLS_MAX 4096
#define FL_CSV_RAW_MAX   65536 /* bytes kept of a row over FL_CSV_ROW_MAX */
#define FL_CSV_PAST      64    /* bytes behind a cell that can be read */

struct fl_csv_cell {
	const char *text; /* quotes taken off, blanks around it dropped; of rows
			   * of fl_csv_next FL_CSV_PAST bytes behind it can be
			   * read, and mean nothing */
	size_t len;
};

enum fl_csv_fault {
	FL_CSV_GOOD = 0,
	FL_CSV_LONG,  /* over FL_CSV_ROW_MAX */
	FL_CSV_WIDE,  /* over FL_CSV_CELLS_MAX */
	FL_CSV_QUOTE, /* a quote that is never closed: this line alone is lost
		       */
};

struct fl_csv_row {
	const struct fl_csv_cell *cells; /* cells[count]; none when faulty */
	size_t count;
	enum fl_csv_fault fault;
	uint64_t line;   /* of the row's first line, from 1 */
	const char *raw; /* as it stood, without the newline at its end */
	size_t raw_len;
	uint64_t raw_bytes; /* of the whole row when `raw` is cut; else 0 */
};

#define FL_CSV_AGAIN (-2)

/* Up to `size` bytes: how many, 0 at the end, -1 with err; FL_CSV_AGAIN nothing
 * yet, for those who must not wait long. */
typedef ssize_t fl_csv_read(void *arg, void *bytes, size_t size,
			    struct fl_error *err);

struct fl_csv;

/* Begin to read: byte order mark, a line `sep=;`, the delimiter.
 *
 * name       of the input, for messages; borrowed
 * delimiter  0: found out, one of , ; tab | by the first lines
 * errors     FL_ERR_DATA what cannot be CSV: UTF-16, a zip archive (xlsx),
 * JSON, HTML, with what to do about it; and those of `read` */
int fl_csv_open(struct fl_csv **csv, const char *name, char delimiter,
		fl_csv_read *read, void *arg, struct fl_error *err);
/* The next row; blank lines are passed over. Lines end in LF, CRLF or CR.
 *
 * row     out, borrowed until the next call
 * returns 1, 0 at the end, -1 with the error of `read`; 2 nothing yet, where
 *         `read` says so: what came of the row is kept */
int fl_csv_next(struct fl_csv *csv, struct fl_csv_row *row,
		struct fl_error *err);
/* Give the row that was given last once more. */
void fl_csv_unread(struct fl_csv *csv);
char fl_csv_delimiter(const struct fl_csv *csv);
/* From now on libcsv takes all rows apart: to hold the one against the other.
 */
void fl_csv_long_way(struct fl_csv *csv);
/* NULL is fine; sets NULL. */
void fl_csv_close(struct fl_csv **csv);

#endif
