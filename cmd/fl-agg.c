/* fl-agg: bars, indicators and figures made of records.
 *
 * What a verb does is in lib/op/<verb>.c; here are the options that all have,
 * and the loop for those that take one record after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/run.h"
#include "io/reader.h"
#include "io/writer.h"
#include "op/agg.h"
#include "op/indicator.h"
#include "rec/bar.h"

#define VERBS_MAX 16

static int print(void (*make)(struct fl_buf *out), struct fl_error *err)
{
	struct fl_buf text = FL_BUF_INIT;
	bool written;

	make(&text);
	written = fwrite(text.data, 1, text.len, stdout) == text.len &&
		  fflush(stdout) == 0;
	fl_buf_release(&text);
	if (written)
		exit(0);
	return fl_error_set(err, FL_ERR_IO,
			    "cannot write 'standard output': %s",
			    strerror(errno));
}

static int list_indicators(void *target, const char *value,
			   struct fl_error *err)
{
	(void)target;
	(void)value;
	return print(fl_indicators_list, err);
}

/* For the manual. */
static int print_indicators(void *target, const char *value,
			    struct fl_error *err)
{
	(void)target;
	(void)value;
	return print(fl_indicators_manual, err);
}

static const struct fl_option options[] = {
	{ .kind = FL_OPTION_CALL,
	  .name = "list-indicators",
	  .take = list_indicators,
	  .help = "tell which indicators there are, with their parameters" },
	{ .kind = FL_OPTION_CALL,
	  .name = "help-indicators",
	  .take = print_indicators },
	FL_OPT_STREAM,
	FL_OPT_GROUP(fl_options_jobs),
	FL_OPT_END,
};

/* --- verbs as words ------------------------------------------------------- */

/* Designed but not built in yet: a name that will be right deserves another
 * answer than a slip. */
static const char *const later[] = { "asof", NULL };

static struct fl_subcommand words[VERBS_MAX];
static const struct fl_subcommand *word_list[VERBS_MAX + 1];
static const char *built[VERBS_MAX + 1]; /* their names */

static void make_words(void)
{
	size_t n = 0;

	for (; fl_aggs[n]; n++) {
		const struct fl_agg *verb = fl_aggs[n];

		if (n == VERBS_MAX)
			FL_BUG("more verbs than VERBS_MAX");
		words[n] = (struct fl_subcommand){
			.name = verb->name,
			.summary = verb->summary,
			.synopsis = *verb->spec ? fl_sprintf("%s [OPTION...] "
							     "[FILE...]",
							     verb->spec)
						: "[OPTION...] [FILE...]",
			.examples = verb->examples,
			.options = verb->options,
		};
		word_list[n] = &words[n];
		built[n] = verb->name;
	}
}

static const struct fl_subcommand *find_word(const char *word,
					     struct fl_error *err)
{
	const char *near = fl_nearest(word, built);

	for (size_t i = 0; word_list[i]; i++)
		if (strcmp(word_list[i]->name, word) == 0)
			return word_list[i];
	for (size_t i = 0; later[i]; i++) {
		if (strcmp(later[i], word) != 0)
			continue;
		fl_error_set(err, FL_ERR_USAGE,
			     "verb '%s' is not built in yet; fl-agg --help "
			     "shows those that are",
			     word);
		return NULL;
	}
	fl_error_set(err, FL_ERR_USAGE,
		     near ? "unknown verb '%s' (did you mean '%s'?); fl-agg "
			    "--help shows them"
			  : "unknown verb '%s'; fl-agg --help shows them",
		     fl_show(word, strlen(word), 60), near);
	return NULL;
}

static const struct fl_command command = {
	.name = "fl-agg",
	.summary = "make bars, indicators and figures of records",
	.synopsis = "VERB [OPTION...] [FILE...]\n--list-indicators",
	.examples =
		"fl-fetch sim -n 100000 | fl-agg bars 1m,1h\n"
		"fl-fetch store lake.db --interval 1d | fl-agg indicators "
		"sma:20,rsi:14,macd\n"
		"fl-fetch store lake.db --interval 1d | fl-agg bars 1wk,1mo "
		"--keep | fl-load weekly.db",
	.notes = "A verb has options of its own: fl-agg VERB --help.",
	.options = options,
	.subcommand = find_word,
	.subcommands = word_list,
};

/* --- the loop ------------------------------------------------------------- */

struct agg {
	struct fl_run *run;
	const struct fl_agg *verb;
	void *state;
	struct fl_writer *out;
	/* A record that is not in normal form, brought into it. */
	struct fl_buf mended;
	struct fl_json json;
};

/* Verbs meet records in normal form only. */
static void mend(struct agg *agg, struct fl_record *rec)
{
	struct fl_note note;

	if ((rec->fixes & FL_FIX_ROUND) && !agg->run->io.warm)
		agg->run->io.counts.rounded++;
	fl_buf_reset(&agg->mended);
	fl_record_normalise(rec, &agg->mended);
	rec->bytes = agg->mended.data;
	rec->len = agg->mended.len;
	if (fl_record_check(rec, &agg->json, &note) != FL_REASON_NONE)
		FL_BUG("a record is not valid in its normal form");
}

/* What a command before us refused travels in a marked stream, and is stored
 * with the rest. */
static int take(struct agg *agg, struct fl_record *rec, struct fl_error *err)
{
	struct fl_io *io = &agg->run->io;

	if (rec->type == &fl_type_reject && !agg->verb->counts_rejects) {
		if (io->warm)
			return 0;
		io->counts.used++;
		return fl_writer_put(agg->out, rec, err);
	}
	if (rec->fixes)
		mend(agg, rec);
	if (agg->verb->whole_only && fl_bar_is_partial(rec)) {
		io->counts.filtered += !io->warm;
		return fl_error_set(
			err, FL_ERR_USAGE,
			"line %llu is a part of a bar, of which %s cannot "
			"be made: load them first, and read the store",
			(unsigned long long)rec->line, agg->verb->name);
	}
	if (rec->ts_ns > agg->run->event_ns)
		agg->run->event_ns = rec->ts_ns;
	return agg->verb->put(agg->state, rec, err);
}

static int refuse_mark(void *arg, const char *bytes, size_t len,
		       struct fl_error *err)
{
	const struct agg *agg = arg;

	(void)bytes;
	(void)len;
	return fl_error_set(err, FL_ERR_USAGE,
			    "%s needs the whole input, and a stream with marks "
			    "comes in parts: load it first, and read the store",
			    agg->verb->name);
}

static int read_input(void *arg, const char *path, struct fl_error *err)
{
	struct agg *agg = arg;
	struct fl_reader *in = NULL;
	struct fl_record rec;
	int got;

	if (agg->verb->input)
		return agg->verb->input(agg->state, path, err);
	if (fl_reader_open(&in, &agg->run->io, path, err) < 0)
		return 1;
	if (agg->verb->whole_stream)
		fl_reader_on_mark(in, refuse_mark, agg);
	while ((got = fl_reader_next(in, &rec, err)) > 0) {
		fl_run_tick(agg->run);
		if (take(agg, &rec, err) < 0) {
			got = -2;
			break;
		}
	}
	fl_reader_close(&in);
	return got == -1 ? 1 : got;
}

/* What was read is written also when an input failed that was passed over. */
static int read_inputs(struct agg *agg, struct fl_error *err)
{
	struct fl_error failed = { .code = FL_OK };
	int result = fl_run_inputs(agg->run, read_input, agg, &failed);

	if (result >= 0 && agg->verb->end(agg->state, err) < 0)
		return -1;
	if (result)
		*err = failed;
	return result ? -1 : 0;
}

static const struct fl_agg *find_verb(const struct fl_run *run,
				      struct fl_error *err)
{
	for (size_t i = 0; run->sub && fl_aggs[i]; i++)
		if (strcmp(fl_aggs[i]->name, run->sub->name) == 0)
			return fl_aggs[i];
	fl_error_set(err, FL_ERR_USAGE,
		     "which verb? fl-agg bars 1m FILE, or fl-agg "
		     "indicators sma:20,rsi:14 FILE (fl-agg --help shows "
		     "all)");
	return NULL;
}

/* The operand that says what to make, before the files. */
static int take_spec(const struct fl_agg *verb, struct fl_run *run,
		     const char **spec, struct fl_error *err)
{
	*spec = NULL;
	if (!*verb->spec)
		return 0;
	if (run->operand_next == run->operand_count)
		return fl_error_set(err, FL_ERR_USAGE,
				    "%s of what? fl-agg %s --help shows "
				    "examples",
				    verb->name, verb->name);
	*spec = run->operands[run->operand_next++];
	return 0;
}

int main(int argc, char **argv)
{
	struct fl_run run;
	struct fl_error err = { .code = FL_OK };
	struct agg agg = { .run = &run };
	struct fl_agg_ask ask = { .io = &run.io, .event_ns = &run.event_ns };

	make_words();
	fl_run_begin(&run, &command, argc, argv);
	agg.verb = find_verb(&run, &err);
	if (!agg.verb || take_spec(agg.verb, &run, &ask.spec, &err) < 0 ||
	    fl_writer_open(&agg.out, &run.io, "-", &err) < 0)
		goto done;
	ask.out = agg.out;
	if (agg.verb->open(&agg.state, &ask, &err) == 0)
		read_inputs(&agg, &err);
done:
	if (agg.verb)
		agg.verb->close(agg.state);
	fl_buf_release(&agg.mended);
	fl_json_release(&agg.json);
	fl_writer_close(&agg.out, &err);
	return fl_run_end(&run, &err);
}
