/* poll-out: what has come of a symbol, before it is given.
 *
 * Nothing of a symbol is given before all of it is there, so records and what
 * was refused wait here, in their order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_POLL_OUT_H
#define FL_SOURCE_POLL_OUT_H

#include "base/buf.h"
#include "io/reject.h"
#include "net/http.h"

/* Why a symbol failed. */
struct fl_poll_fault {
	enum fl_reason reason;
	bool retryable;
	char code[64];      /* the provider's; "" */
	char text[400];     /* in words, the provider's own where it has some */
	enum fl_code fatal; /* not of the symbol but of this machine: ends the
			     * run */
	unsigned pause;     /* where parse says to ask again: how long to wait
			     * first, in times of --retry-wait */
};

/* A symbol of several asked about at once that gave nothing. */
struct fl_poll_failed {
	char symbol[65];
	struct fl_poll_fault fault;
	unsigned status; /* of the answer; 0: none */
};

struct fl_poll_entry {
	size_t at, len;
	int64_t ts_ns;
	bool rounded;
	enum fl_reason reason;         /* NONE: a record */
	struct fl_note *note;          /* of a reject */
	struct fl_poll_failed *failed; /* NULL: no symbol has */
};

struct fl_poll_out {
	struct fl_buf text;
	struct fl_poll_entry *entries;
	size_t count, cap;
};

/* Where the next record is to be appended, without newline. */
struct fl_buf *fl_poll_text(struct fl_poll_out *out);
/* It was: all since the last one is a record of that time. */
void fl_poll_record(struct fl_poll_out *out, int64_t ts_ns, bool rounded);
/* It was, but is refused. */
void fl_poll_reject(struct fl_poll_out *out, enum fl_reason reason,
		    const struct fl_note *note);
/* It was, and is what came instead of anything of the symbol. */
void fl_poll_failed(struct fl_poll_out *out, const char *symbol,
		    const struct fl_poll_fault *fault, unsigned status);
/* All that `from` holds goes behind what `to` holds; `from` is empty then. */
void fl_poll_move(struct fl_poll_out *to, struct fl_poll_out *from);
void fl_poll_release(struct fl_poll_out *out);

/* What an answer says that is no data: the title of a page, or how it begins.
 * Lives as fl_show()'s. */
const char *fl_poll_said(const struct fl_http_answer *answer);
/* A transfer that failed, in words. */
void fl_poll_transport(const struct fl_http_answer *answer,
		       const char *provider, struct fl_poll_fault *fault);

#endif
