/* poll-options: what the options say about asking a provider; see polled.h.
 *
 * They are the same for all polled sources, and for several of one run. So are
 * the tape that --record writes and --replay plays, and the answers that a run
 * which was cut off leaves for the next one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/poll-options.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/state.h"

/* Young enough to be given to a run that was started anew. */
#define ANSWERS_NS FL_MINUTE

static struct fl_poll_options option = {
	.parallel = UINT64_MAX, /* not said */
	.tries = 4,
	.retry_ns = 2 * FL_SECOND,
	.connect_ns = 10 * FL_SECOND,
	.stall_ns = 30 * FL_SECOND,
};

const struct fl_option fl_options_polled[] = {
	FL_OPT_WORD(
		0, "symbols-from", "FILE|-", "@file", &option.symbols_from,
		"also the symbols in FILE: by line, blank or comma; # begins "
		"a comment"),
	FL_OPT_U64(0, "parallel", "N", &option.parallel,
		   "ask for N symbols at once, 1 to 16 [4; 1 with "
		   "--resume, so that a kill costs one question]"),
	FL_OPT_FLAG(0, "ordered", &option.ordered,
		    "in the order of the symbols, whoever answers first (that "
		    "is always so)"),
	FL_OPT_DURATION(0, "every", "DUR", &option.every_ns,
			"quotes: ask again each DUR, from 1s up, until a "
			"signal comes"),
	FL_OPT_WORD(
		0, "fill", "PLACE", "@place", &option.fill,
		"only the bars that the stored series in PLACE lack, by the "
		"calendar of their exchange"),
	FL_OPT_FLAG(
		0, "dry-run", &option.dry_run,
		"print the URLs that would be asked, with --fill the holes, "
		"and ask nothing"),
	FL_OPT_U64(0, "tries", "N", &option.tries,
		   "ask N times before a request has failed [4]"),
	FL_OPT_DURATION(0, "retry-wait", "DUR", &option.retry_ns,
			"wait before the second try, doubled for each further "
			"one, half of it by chance [2s]"),
	FL_OPT_DURATION(0, "connect-timeout", "DUR", &option.connect_ns,
			"for one connection to come about [10s]"),
	FL_OPT_DURATION(0, "timeout", "DUR", &option.stall_ns,
			"give a try up when nothing comes for so long [30s]"),
	FL_OPT_TEXT(0, "limit", "N/s,N/m,N/d", &option.limit,
		    "so many requests a second, minute and day, of all "
		    "processes together; PROVIDER:N/d for one of several, "
		    "N/s+B with a burst of B, none [the provider's]"),
	FL_OPT_FLAG(0, "wait", &option.wait,
		    "where the requests of a day are used up, wait for the "
		    "next day"),
	FL_OPT_WORD(0, "record", "DIR", "@file", &option.record,
		    "keep every exchange with the provider in the new folder "
		    "DIR, secrets masked: what a report of a fault needs"),
	FL_OPT_WORD(0, "replay", "DIR", "@file", &option.replay,
		    "ask nothing, answer from what --record kept, as of when "
		    "that was"),
	FL_OPT_WORD(0, "ca-file", "FILE", "@file", &option.ca_file,
		    "trust the authorities in FILE (PEM) [the system's]"),
	FL_OPT_TEXT(0, "user-agent", "TEXT", &option.agent,
		    "who asks [Mozilla/5.0 (compatible; FinanceLake/VERSION)]"),
	FL_OPT_END,
};

static struct fl_tape *tape; /* of the run; NULL: none */
static bool answers;         /* it keeps those of a run that may be cut off */

const struct fl_poll_options *fl_poll_options(void)
{
	return &option;
}

bool fl_polled_fills(void)
{
	return option.fill != NULL;
}

/* Options that every protocol needs. */
static int check_network(struct fl_error *err)
{
	if (option.tries < 1 || option.tries > 20)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--tries takes 1 to 20, not %llu",
				    (unsigned long long)option.tries);
	if (option.connect_ns < FL_SECOND / 1000 ||
	    option.stall_ns < FL_SECOND || option.retry_ns < 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--timeout takes 1s and more, "
				    "--connect-timeout 1ms and more");
	return 0;
}

int fl_poll_options_check(const struct fl_ask *ask, struct fl_error *err)
{
	if (option.parallel == UINT64_MAX)
		option.parallel = ask->marked ? 1 : 4;
	if (option.parallel < 1 || option.parallel > FL_HTTP_PARALLEL)
		return fl_error_set(
			err, FL_ERR_USAGE, "--parallel takes 1 to %d, not %llu",
			FL_HTTP_PARALLEL, (unsigned long long)option.parallel);
	return check_network(err);
}

int fl_polled_stream(const char **symbols_from, struct fl_error *err)
{
	const char *idle = option.fill       ? "--fill"
			   : option.dry_run  ? "--dry-run"
			   : option.every_ns ? "--every"
			   : option.record   ? "--record"
			   : option.replay   ? "--replay"
					     : NULL;

	*symbols_from = option.symbols_from;
	if (idle)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--stream asks nothing: it takes no %s",
				    idle);
	return check_network(err);
}

int fl_polled_symbols(const struct fl_ask *ask, const char *provider,
		      char ***symbols, struct fl_error *err)
{
	/* The next one in a row is given what the one before has missed. */
	return fl_symbols_read(ask, provider,
			       ask->missed ? NULL : option.symbols_from,
			       symbols, err);
}

void fl_polled_settings(const struct fl_ask *ask,
			struct fl_http_settings *settings, char **agent)
{
	*agent = option.agent ? fl_strdup(option.agent)
			      : fl_sprintf("Mozilla/5.0 (compatible; "
					   "FinanceLake/%s)",
					   ask->version ? ask->version : "0");
	settings->agent = *agent;
	settings->accept = "application/json,text/plain,*/*";
	settings->ca_file = option.ca_file;
	settings->parallel = (unsigned)option.parallel;
	settings->tries = (unsigned)option.tries;
	settings->retry_ns = option.retry_ns;
	settings->connect_ns = option.connect_ns;
	settings->stall_ns = option.stall_ns;
	settings->tape = tape;
}

bool fl_polled_tapes(bool *plays)
{
	*plays = option.replay;
	return option.record || option.replay;
}

int fl_polled_clock(int64_t *now_ns, struct fl_error *err)
{
	if (!option.replay)
		return 0;
	return fl_tape_time(option.replay, now_ns, err) < 0 ? -1 : 1;
}

/* What was asked by a run that was cut off need not be asked again. Nothing
 * depends on it. */
static int open_answers(void)
{
	struct fl_error why = { .code = FL_OK };
	char *folder = fl_state_path("answers", &why);

	if (folder &&
	    fl_tape_cache(&tape, folder, fl_now_ns(), ANSWERS_NS, &why) < 0)
		fl_tape_close(&tape);
	answers = tape != NULL;
	if (why.code)
		fl_log("answers are not kept: %s", why.text);
	free(folder);
	return 0;
}

int fl_poll_tape_open(const struct fl_ask *ask, struct fl_error *err)
{
	if (tape)
		return 0;
	if (option.record && option.replay)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--record and --replay exclude each other");
	if (option.record)
		return fl_tape_record(&tape, option.record,
				      ask->io->via ? ask->io->via : "",
				      ask->now_ns, err);
	if (option.replay)
		return fl_tape_play(&tape, option.replay, err);
	return ask->marked ? open_answers() : 0;
}

struct fl_tape *fl_poll_answers(void)
{
	return answers ? tape : NULL;
}

int fl_polled_limit(struct fl_limit **limit, const struct fl_ask *ask,
		    const struct fl_polled *polled,
		    struct fl_http_settings *settings, struct fl_error *err)
{
	struct fl_limits limits = polled->limits;

	if (option.replay)
		return 0;
	if (fl_limits_read(option.limit, polled->provider, &limits, err) < 0 ||
	    fl_limit_open(limit, polled->provider,
			  polled->key ? polled->key() : NULL, &limits,
			  ask->tell, ask->tell_arg, err) < 0)
		return -1;
	settings->limit = *limit;
	settings->wait = option.wait;
	settings->tell = ask->tell;
	settings->tell_arg = ask->tell_arg;
	return 0;
}

void fl_polled_finish(void)
{
	fl_tape_close(&tape);
	answers = false;
}
