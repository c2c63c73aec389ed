/* error: what went wrong, in words for the user and a code for the status.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_ERROR_H
#define FL_BASE_ERROR_H

/* The values are the exit statuses (financelake.7), except FL_ERR_CLOSED. */
enum fl_code {
	FL_OK = 0,
	FL_ERR_USAGE = 2, /* option, operand, configuration */
	FL_ERR_AGAIN = 3, /* not available now; the same call may work later */
	FL_ERR_REFUSED = 4, /* credentials, unknown table, schema conflict */
	FL_ERR_IO = 5,      /* local files */
	FL_ERR_DATA = 6,    /* the input is bad beyond going on */
	FL_ERR_CLOSED = 7, /* our reader went away: ends by SIGPIPE, silently */
};

/* Lives on the caller's stack, starts zeroed; never allocated. */
struct fl_error {
	enum fl_code code;
	char text[1000]; /* one line, no full stop, foreign bytes escaped */
};

/* Set the error; the first one wins, so cleanup cannot hide the cause.
 * returns -1, for `return fl_error_set(…)` */
int fl_error_set(struct fl_error *err, enum fl_code code, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

/* Put what only the caller knows in front: "cannot load 'x': " + text. */
int fl_error_wrap(struct fl_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Forget an error that was dealt with. */
void fl_error_clear(struct fl_error *err);

/* Quote foreign bytes for a message: control characters and invalid UTF-8
 * as \xHH, at most `most` bytes of input (then "…"). Returns a string that
 * lives in a ring of eight per-thread buffers. */
const char *fl_show(const char *bytes, unsigned long len, unsigned most);

#endif
