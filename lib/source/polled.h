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
#include "net/limit.h"
#include "source/fill.h"
#include "source/poll-out.h"
#include "source/source.h"

struct fl_polled {
	const char *provider; /* "yahoo" */
	/* How often it may be asked, by all processes with one key; --limit
	 * says otherwise. */
	struct fl_limits limits;
	/* Whose requests are counted together; NULL, or returns NULL: all. */
	const char *(*key)(void);
	/* --fill: of which series of a symbol holes are to be looked for.
	 * returns false: this plan asks for no bars. NULL: cannot fill */
	bool (*series)(const void *plan, struct fl_holes_ask *series);
	/* --resume, --state: the last day on which something took effect that
	 * changes all earlier prices of the plan's series, by the answers so
	 * far: a split. INT64_MIN: there was none. NULL: there is no such
	 * thing. */
	int64_t (*changed)(void *job);
	/* What is asked about instead of symbols, NULL-ended: a text to search
	 * for, a list. NULL, or returns NULL: symbols. */
	const char *const *(*subjects)(const void *plan);
	/* What the provider may repeat in its answers and nobody is to see, or
	 * NULL. NULL: there is nothing. */
	const char *(*secret)(const void *plan);
	/* So many symbols are asked about at once: begin is given them with
	 * commas between; 0: one. A symbol of them that gives nothing is
	 * fl_poll_failed(). */
	unsigned batch;
	bool live; /* worth asking for again and again: --every */
	/* What is to be asked about one symbol.
	 * plan    of the source, for all symbols
	 * holes   only these; NULL: all that the plan says
	 * errors  none: a job begins empty */
	void *(*begin)(const void *plan, const char *symbol,
		       const struct fl_holes *holes);
	/* Called before `request`, for what must be had first, such as a
	 * crumb: alone this may ask the network, and take its time. NULL. */
	void (*ready)(void *job);
	/* Append the path and query of the next request, or a whole URL.
	 * returns 1; 0 there is none, all is parsed */
	int (*request)(void *job, struct fl_buf *path);
	/* "A=1; B=2", to be sent with the request; or NULL. NULL: none. */
	const char *(*cookie)(void *job);
	/* Take a whole answer, of any status. returns 0; -1 with the fault; 1
	 * it says to ask the same again a little later, with the fault that it
	 * is when --tries are used up */
	int (*parse)(void *job, const struct fl_http_answer *answer,
		     struct fl_poll_fault *fault);
	/* No answer came. returns 0 the job goes on without it; -1 it has
	 * failed. NULL: that. */
	int (*lost)(void *job, const struct fl_poll_fault *fault);
	void (*records)(void *job, struct fl_poll_out *out);
	void (*end)(void *job);
};

/* --symbols-from --parallel --every --dry-run and what is about HTTP. */
extern const struct fl_option fl_options_polled[];

/* What those say about HTTP. agent: to be freed when the handle is closed. */
void fl_polled_settings(const struct fl_ask *ask,
			struct fl_http_settings *settings, char **agent);
/* Is all that is asked recorded or played? plays: the latter. */
bool fl_polled_tapes(bool *plays);
/* Count what is asked with those settings as the provider's requests. limit: to
 * be closed after the handle.
 * errors  as of fl_limits_read() and fl_limit_open() */
int fl_polled_limit(struct fl_limit **limit, const struct fl_ask *ask,
		    const struct fl_polled *polled,
		    struct fl_http_settings *settings, struct fl_error *err);
/* For a source that stays connected instead of asking: --symbols-from (NULL:
 * not given); what only questions need is refused.
 * errors  FL_ERR_USAGE */
int fl_polled_stream(const char **symbols_from, struct fl_error *err);

/* --replay: when that was recorded, which is now for all that follows.
 * returns 1; 0 not asked for; -1: those of fl_tape_time */
int fl_polled_clock(int64_t *now_ns, struct fl_error *err);
/* The symbols of this run, as fl_symbols_read gives them. */
int fl_polled_symbols(const struct fl_ask *ask, const char *provider,
		      char ***symbols, struct fl_error *err);
/* What several sources of one run share is closed: a recording. */
void fl_polled_finish(void);
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
