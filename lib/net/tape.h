/* tape: exchanges with web servers as files, to be played again without a
 * network: what a user attaches to a report, what tests run on, and what a run
 * that was cut off need not ask twice.
 *
 * One file an exchange, its name made of the question: method, path and
 * query. Which host was asked does not matter. Secrets are masked in it, and in
 * the question that looks for it, so that who plays it needs none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_TAPE_H
#define FL_NET_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct fl_exchange {
	unsigned fault;   /* enum fl_http_fault */
	char why[300];    /* of a fault */
	unsigned status;  /* 0: none came */
	int64_t asked_ns; /* when it was answered */
	int64_t date_ns;  /* the server's; FL_TIME_NONE */
	int64_t retry_after_ns;
	struct fl_buf head, body;
};
#define FL_EXCHANGE_INIT                                                       \
	{                                                                      \
		0                                                              \
	}
void fl_exchange_release(struct fl_exchange *exchange);
/* As text, and back. question: one line; url: masked.
 * returns false: no exchange; what is out is to be released all the same */
void fl_exchange_print(const struct fl_exchange *exchange, const char *question,
		       const char *url, struct fl_buf *out);
bool fl_exchange_parse(const char *bytes, size_t len,
		       struct fl_exchange *exchange);

struct fl_tape;

/* Record into a folder, made when it is not there.
 * about   what was run, secrets masked; stands in its run.json with the time
 * errors  FL_ERR_USAGE it holds a recording; FL_ERR_IO */
int fl_tape_record(struct fl_tape **tape, const char *folder, const char *about,
		   int64_t now_ns, struct fl_error *err);
/* Play from a folder: the first time a question is asked its first answer is
 * given, and so on.
 * errors  FL_ERR_IO it holds no recording */
int fl_tape_play(struct fl_tape **tape, const char *folder,
		 struct fl_error *err);
/* Both, for a while: what was answered less than max_age_ns ago is not asked
 * again; older files are removed. Errors of files are logged, not met. */
int fl_tape_cache(struct fl_tape **tape, const char *folder, int64_t now_ns,
		  int64_t max_age_ns, struct fl_error *err);
/* When the recording in a folder began. errors  as fl_tape_play */
int fl_tape_time(const char *folder, int64_t *ns, struct fl_error *err);

/* returns 1 played; 0 it is to be asked; -1: FL_ERR_IO there is no such
 *         exchange, or no way to read it; FL_ERR_DATA it is none */
int fl_tape_get(struct fl_tape *tape, const char *method, const char *url,
		struct fl_exchange *exchange, struct fl_error *err);
/* errors  FL_ERR_IO */
int fl_tape_put(struct fl_tape *tape, const char *method, const char *url,
		const struct fl_exchange *exchange, struct fl_error *err);
bool fl_tape_plays(const struct fl_tape *tape); /* and never asks */
void fl_tape_close(struct fl_tape **tape);      /* NULL is fine; sets NULL */

#endif
