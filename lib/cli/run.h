/* run: the life of one command: options, signals, progress, account, status.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_CLI_RUN_H
#define FL_CLI_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/near.h"
#include "base/option.h"
#include "io/io.h"

struct fl_command {
	const char *name;     /* "fl-clean" */
	const char *summary;  /* "check, normalise and deduplicate records" */
	const char *synopsis; /* "[OPTION...] [FILE...]"; "\n": more forms */
	const char *examples; /* lines, "\n" between; shown first in --help */
	const char *notes;    /* after the options in --help; NULL: none */
	const struct fl_option *options;
	/* A word that must come first and brings options of its own
	 * (fl-fetch SOURCE, fl-agg VERB); NULL: none. */
	const struct fl_subcommand *(*subcommand)(const char *word,
						  struct fl_error *err);
	const struct fl_subcommand *const
		*subcommands; /* NULL-ended, for
			       * help and completion */
};

struct fl_subcommand {
	const char *name, *summary, *synopsis, *examples;
	const struct fl_option *options;
};

struct fl_run {
	struct fl_io io;
	const struct fl_command *command;
	const struct fl_subcommand *sub; /* the one that was named, or NULL */
	const char *word;                /* that named it, as typed; NULL */
	char **operands;                 /* NULL-ended, without that word */
	int operand_count, operand_next;
	const char *pipeline; /* of the run record; set by who knows it */
	/* Writes the account line behind "fl-load: ", all of it. NULL: the
	 * filter's, "in = out + rejected + duplicates + filtered + late; …"; a
	 * filter that gives one record for one need not count `used`. */
	void (*account)(const struct fl_run *run, struct fl_buf *out);
	const void *account_arg;
	char also[100]; /* what else the usual account tells: "5 requests" */
	const char *progress_what; /* "lake.db" before the progress line */
	int64_t started_ns, started_mono_ns;
	int64_t event_ns; /* the newest event time seen, for progress;
			   * FL_TIME_NONE: none yet */
	int argc;         /* as main got them */
	char **argv;
};

/* Options of every command are added by themselves. Groups for tables: */
extern const struct fl_option fl_options_reads[];   /* --rejects … */
extern const struct fl_option fl_options_jobs[];    /* -j */
extern const struct fl_option fl_options_writes[];  /* --as --fields --tz */
extern const struct fl_option fl_options_selects[]; /* --type … --range */
extern const struct fl_option fl_options_last[];    /* --last */
#define FL_OPT_STREAM                                                          \
	FL_OPT_GROUP(fl_options_reads), FL_OPT_GROUP(fl_options_writes)

/* What --type --symbol --from --to --range --last said. */
struct fl_selects {
	struct fl_list types, symbols;
	int64_t from, to; /* FL_TIME_NONE: open */
	bool all;         /* --range max: open because that was said */
	uint64_t last;
};
extern struct fl_selects fl_selects;
/* Set by commands that know better than "no record type" why they have not what
 * --type names: -1 with err; 0 they do not. NULL. */
extern int (*fl_selects_declined)(const char *type, struct fl_error *err);
/* Is any of them given? */
bool fl_selects_any(void);

/* Answers --help, --version, --show-config; exits 2 on misuse. Settings come
 * from options, then FL_NAME, then the config files. */
void fl_run_begin(struct fl_run *run, const struct fl_command *command,
		  int argc, char **argv);
/* Read --from, --to and --range anew, as if now were another time: what is
 * played again was asked for then.  errors  FL_ERR_USAGE */
int fl_run_as_of(struct fl_run *run, int64_t now_ns, struct fl_error *err);
/* A setting that is no option of the command ("store" for PLACE): FL_STORE,
 * else what the config files say; NULL when nowhere. */
const char *fl_run_setting(const struct fl_run *run, const char *name);
/* What --version says, without the name. */
extern const char fl_run_version[];
/* One line for the user, "fl-fetch: TEXT": of many symbols one failed. */
void fl_run_tell(const struct fl_run *run, const char *text);
/* --keep-going: say what is wrong with an input, and forget the error. The end
 * of the run is to tell of it by its status. */
void fl_run_pass_over(const struct fl_run *run, struct fl_error *err);
/* The next input among the operands: "-" once when none is left to give at the
 * first call (skip others by operand_next first); NULL after the last, and when
 * a stop was asked for. Standard input that is a pipe is drained when a signal
 * comes (io->drains); a terminal gets a word of explanation. */
const char *fl_run_operand(struct fl_run *run);
/* Each input in turn. Under --keep-going one that fails is told of and passed
 * over, and the end of the run has the status of the first such.
 *
 * each    returns 0; -1 with err ends all; 1 with err: the fault is this
 *         input's alone
 * returns 0; -1; 1 with err: all are through, but for those passed over */
int fl_run_inputs(struct fl_run *run,
		  int (*each)(void *arg, const char *path,
			      struct fl_error *err),
		  void *arg, struct fl_error *err);
/* Progress, on a terminal only; cheap enough to call per record. */
void fl_run_tick(struct fl_run *run);
/* Must reading end? false while a pipe drains: fl_stop_requested(). */
bool fl_run_stopping(const struct fl_run *run);
/* Message, account, run record; frees what begin took. Returns the status; ends
 * by the signal itself when one stopped us or our reader went away. */
int fl_run_end(struct fl_run *run, struct fl_error *err);

/* For people; each fills and returns text[32]: 1,234,567; 720 MB, 1.2 GB; 0.61
 * s, 12.1 s, 20 min 5 s. */
const char *fl_grouped(uint64_t value, char *text);
const char *fl_bytes_text(double bytes, char *text);
const char *fl_seconds_text(int64_t ns, char *text);

#endif
