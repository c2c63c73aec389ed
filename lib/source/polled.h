/* polled: sources that ask a provider over HTTP, symbol by symbol.
 *
 * Such a source is four functions without input or output of their own:
 * request says what to ask next, parse takes an answer, records tells what
 * came of all answers. Here is the rest, once for all of them: the list of
 * symbols, several at once but given in the order of the list, hosts, tries and
 * waits, and what becomes of a symbol that failed: one reject, and on to the
 * next. Nothing of a symbol is given before all of it is there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_POLLED_H
#define FL_SOURCE_POLLED_H

#include "net/http.h"
#include "source/fill.h"
#include "source/source.h"

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

/* What comes of one symbol: records and rejects, in their order. */
struct fl_poll_out;
/* Where the next record is to be appended, without newline. */
struct fl_buf *fl_poll_text(struct fl_poll_out *out);
/* It was: all since the last one is a record of that time. */
void fl_poll_record(struct fl_poll_out *out, int64_t ts_ns, bool rounded);
/* It was, but is refused. */
void fl_poll_reject(struct fl_poll_out *out, enum fl_reason reason,
		    const struct fl_note *note);

struct fl_polled {
	const char *provider; /* "yahoo" */
	/* --fill: of which series of a symbol holes are to be looked for.
	 * returns false: this plan asks for no bars. NULL: cannot fill */
	bool (*series)(const void *plan, struct fl_holes_ask *series);
	/* What is asked about instead of symbols, NULL-ended: a text to search
	 * for, a list. NULL, or returns NULL: symbols. */
	const char *const *(*subjects)(const void *plan);
	/* What the provider may repeat in its answers and nobody is to see, or
	 * NULL. NULL: there is nothing. */
	const char *(*secret)(const void *plan);
	/* What is to be asked about one symbol.
	 * plan    of the source, for all symbols
	 * holes   only these; NULL: all that the plan says
	 * errors  none: a job begins empty */
	void *(*begin)(const void *plan, const char *symbol,
		       const struct fl_holes *holes);
	/* Append the path and query of the next request.
	 * returns 1; 0 there is none, all is parsed */
	int (*request)(void *job, struct fl_buf *path);
	/* Take a whole answer, of any status. returns 0; -1 with the fault; 1
	 * it says to ask the same again a little later, with the fault that it
	 * is when --tries are used up */
	int (*parse)(void *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault);
	void (*records)(void *job, struct fl_poll_out *out);
	void (*end)(void *job);
};

/* --symbols-from --parallel --dry-run and what is about HTTP. */
extern const struct fl_option fl_options_polled[];

/* Was --fill given? Then holes say what is asked for, not times. */
bool fl_polled_fills(void);

/* open, next, close, tell and list of the source. `bases` is a list of URLs by
 * comma: the provider's hosts, the first one asked first. */
int fl_polled_open(void **state, const struct fl_ask *ask,
		   const struct fl_polled *polled, const void *plan,
		   const char *bases, struct fl_error *err);
int fl_polled_next(void *state, struct fl_item *item, struct fl_error *err);
void fl_polled_close(void *state);
void fl_polled_tell(void *state, char *text, size_t size);
/* --dry-run: print the URLs to standard output; with --fill tell of the holes
 * instead. returns 1 done, 0 not asked for, -1 */
int fl_polled_dry_run(const struct fl_ask *ask, const struct fl_polled *polled,
		      const void *plan, const char *bases,
		      int (*each)(void *arg, const char *bytes, size_t len,
				  struct fl_error *err),
		      void *arg, struct fl_error *err);

/* What comes of a symbol when each of its requests gets the one answer; no
 * network is needed.
 *
 * each     takes every record and reject; reason NONE: a record
 * returns  0; -1 with the fault */
int fl_polled_replay(const struct fl_polled *polled, const void *plan,
		     const char *symbol, const struct fl_http_answer *answer,
		     void (*each)(void *arg, const struct fl_item *item,
				  enum fl_reason reason),
		     void *arg, struct fl_poll_fault *fault);

/* The symbols of operands, --symbol and --symbols-from, in upper case, each
 * once.
 * symbols  out: NULL-ended; fl_symbols_free()
 * errors   FL_ERR_USAGE none, or one that cannot be one; FL_ERR_IO */
int fl_symbols_read(const struct fl_ask *ask, const char *provider,
		    const char *from_file, char ***symbols,
		    struct fl_error *err);
void fl_symbols_free(char **symbols); /* NULL is fine */

#endif
