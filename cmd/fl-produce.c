/* fl-produce: records into Kafka, a topic for each type.
 *
 * Two ways. Plain: each record is queued as it comes, and its delivery is
 * accounted for. --transaction: a sink of a marked stream (store/sink.h), whose
 * store is the cluster itself: records and positions in one transaction.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "cli/run.h"
#include "io/reader.h"
#include "io/stream.h"
#include "rec/record.h"
#include "store/kafka.h"
#include "store/sink.h"
#include "store/stands.h"

#define PLACE_START "kafka://"

static struct {
	const char *topic, *prefix, *pipeline;
	struct fl_list key;
	bool transaction, create, dry_run, positions;
	uint64_t count;
	int64_t ns;
	int partitions, replicas;
} option = {
	.prefix = "fl.",
	.count = 10000,
	.ns = FL_SECOND,
	.partitions = -1,
	.replicas = -1,
};

static int take_create(void *target, const char *value, struct fl_error *err)
{
	int parts = -1, copies = -1, used = 0;

	(void)target;
	option.create = true;
	if (!value)
		return 0;
	if ((sscanf(value, "%6d%n,%6d%n", &parts, &used, &copies, &used) < 1) ||
	    value[used] || parts < 1 || copies == 0 || copies < -1)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--create-topics takes partitions and "
				    "copies, such as 6 or 6,3, not '%s'",
				    fl_show(value, strlen(value), 60));
	option.partitions = parts;
	option.replicas = copies;
	return 0;
}

static int take_batch(void *target, const char *value, struct fl_error *err)
{
	(void)target;
	return fl_count_or_time_parse(value, "--batch", "10000,1s",
				      &option.count, &option.ns, err);
}

static const struct fl_option options[] = {
	FL_OPT_GROUP(fl_kafka_options),
	FL_OPT_TEXT(0, "topic", "NAME", &option.topic,
		    "all records to this topic, whatever their type"),
	FL_OPT_TEXT(0, "topic-prefix", "P", &option.prefix,
		    "what stands before the names of topics: fl.quotes, "
		    "fl.bars ... [fl.]"),
	FL_OPT_LIST(0, "key", "F,...", &option.key,
		    "the fields that make a message's key [by type: "
		    "provider,symbol; id of news; host of logs]"),
	FL_OPT_FLAG(0, "transaction", &option.transaction,
		    "of a stream with marks: records and positions in one "
		    "transaction, exactly once"),
	FL_OPT_CALL(0, "batch", "N,DUR", take_batch, NULL,
		    "with --transaction: join marks until N records or DUR "
		    "[10000,1s]"),
	FL_OPT_CALL(0, "create-topics", "[=PARTS,REPL]", take_create, NULL,
		    "create topics that are missing, with so many partitions "
		    "and copies [the cluster's defaults]"),
	FL_OPT_FLAG(0, "dry-run", &option.dry_run,
		    "check and count, and ask for the topics; write nothing"),
	FL_OPT_FLAG(0, "positions", &option.positions,
		    "alone: print where each pipeline stands, as marks"),
	FL_OPT_TEXT(0, "pipeline", "P", &option.pipeline,
		    "with --positions: of this pipeline only"),
	FL_OPT_GROUP(fl_options_reads),
	FL_OPT_END,
};

static const struct fl_command command = {
	.name = "fl-produce",
	.summary = "put records into Kafka",
	.synopsis = "[OPTION...] [FILE...]\n"
		    "--positions [--pipeline P] [kafka://BROKERS/fl.positions]",
	.options = options,
	.examples =
		"fl-fetch yahoo --stream AAPL BTC-USD | fl-produce\n"
		"fl-produce --create-topics=6 ticks.ndjson.zst\n"
		"fl-fetch log --follow --resume kafka://localhost:9092/fl.positions "
		"--pipeline fw /var/log/ufw.log | fl-produce --transaction\n"
		"fl-produce --positions",
};

#ifdef FL_WITHOUT_KAFKA

static int run_command(struct fl_run *run, struct fl_error *err)
{
	(void)run;
	return fl_kafka_missing(err);
}

static void clean_up(void)
{
}

#else

/* --- positions ----------------------------------------------------------- */

/* What was done, in place of the account. */
static struct fl_buf told;

static void tell(const struct fl_run *run, struct fl_buf *out)
{
	(void)run;
	fl_buf_puts(out, fl_buf_text(&told));
}

/* The brokers that a place names, to be freed; NULL: none was given, or err. */
static char *brokers_of(const char *place, struct fl_error *err)
{
	const size_t start = strlen(PLACE_START);
	const char *slash;

	if (!place)
		return NULL;
	slash = strncmp(place, PLACE_START, start) == 0
			? strchr(place + start, '/')
			: NULL;
	if (!slash || slash == place + start ||
	    strcmp(slash + 1, FL_KAFKA_POSITIONS) != 0) {
		fl_error_set(err, FL_ERR_USAGE,
			     "positions are kept in "
			     "kafka://BROKERS/" FL_KAFKA_POSITIONS
			     ", not in '%s'",
			     fl_show(place, strlen(place), 100));
		return NULL;
	}
	return fl_strndup(place + start, (size_t)(slash - place) - start);
}

static int print_positions(struct fl_run *run, struct fl_error *err)
{
	struct fl_stands stands = FL_STANDS_INIT;
	char *brokers =
		brokers_of(run->operand_count ? run->operands[0] : NULL, err);
	int result = -1;

	run->account = tell;
	if (option.pipeline)
		fl_stands_begin(&stands, option.pipeline);
	if (!err->code)
		result = fl_kafka_positions(brokers, "fl-produce",
					    option.pipeline, fl_stands_add,
					    &stands, err);
	if (result == 0)
		result = fl_stands_print(&stands, FL_KAFKA_POSITIONS, &told,
					 err);
	fl_stands_release(&stands);
	free(brokers);
	return result;
}

/* --- producing ----------------------------------------------------------- */

struct produce {
	struct fl_run *run;
	struct fl_kafka_route route;
	uint64_t queued, refused, late; /* late: given up by time */
	char why[300];                  /* the first of those */
	struct fl_error failed;         /* to keep a reject */

	/* --transaction */
	struct fl_store *store;
	struct fl_sink *sink;
	struct fl_sink_tally tally;
};

/* While the queue is full or is being emptied. */
static bool waits(void *arg)
{
	struct produce *produce = arg;
	const struct fl_io *io = &produce->run->io;

	fl_run_tick(produce->run);
	return !produce->late && *io->stop < FL_STOP_NOW;
}

/* A record that Kafka does not take: its own fault, or that of the time. */
static void undelivered(void *arg, const char *topic, const char *bytes,
			size_t len, bool timed_out, const char *why)
{
	struct produce *produce = arg;
	struct fl_note note = { "", "" };
	struct fl_reject reject = {
		.reason = FL_REASON_sink_refused,
		.note = &note,
		.input = topic,
		.raw = bytes,
		.raw_len = len,
	};

	if (timed_out) {
		if (!produce->late++)
			snprintf(produce->why, sizeof(produce->why), "%s", why);
		return;
	}
	produce->refused++;
	fl_note_set(&note, "", "Kafka: %s", why);
	if (!produce->failed.code)
		(void)fl_reject(&produce->run->io, &reject, &produce->failed);
}

static void put_count(struct fl_buf *out, const char *before, uint64_t value,
		      const char *after)
{
	char text[32];

	fl_buf_puts(out, before);
	fl_buf_puts(out, fl_grouped(value, text));
	fl_buf_puts(out, after);
}

static void account(const struct fl_run *run, struct fl_buf *out)
{
	const struct produce *produce = run->account_arg;
	const struct fl_counts *counts = &run->io.counts;
	double seconds = (double)(fl_monotonic_ns() - run->started_mono_ns) /
			 (double)FL_SECOND;

	put_count(out, "", counts->in, " in = ");
	put_count(out, "", counts->out,
		  option.dry_run ? " good + " : " delivered + ");
	put_count(out, "", counts->rejected, " rejected + ");
	put_count(out, "", counts->uncommitted,
		  option.transaction ? " uncommitted; " : " undelivered; ");
	if (option.transaction)
		put_count(out, "", produce->tally.commits,
			  produce->tally.commits == 1 ? " transaction, "
						      : " transactions, ");
	fl_buf_printf(out, "%.1f s, ", seconds);
	put_count(out, "",
		  seconds > 0 ? (uint64_t)((double)counts->out / seconds) : 0,
		  "/s");
	if (produce->route.kafka)
		fl_buf_printf(out, ", to %s",
			      fl_kafka_brokers(produce->route.kafka));
}

/* The cluster does not take records any more. */
static int given_up(struct produce *produce, struct fl_error *err)
{
	return fl_error_set(
		err, FL_ERR_AGAIN,
		"Kafka at %s takes no more%s%s; what was not delivered is to "
		"be sent again",
		fl_kafka_brokers(produce->route.kafka),
		*produce->why ? ": " : "", produce->why);
}

static int put_plain(struct produce *produce, const struct fl_record *rec,
		     struct fl_error *err)
{
	int put;

	if (option.dry_run) {
		produce->queued++;
		return fl_kafka_route_check(&produce->route, rec->type, err);
	}
	put = fl_kafka_route_put(&produce->route, rec, err);
	if (put < 0 && err->code == FL_ERR_DATA) {
		produce->queued++; /* as those that a broker refuses */
		undelivered(produce, rec->input, rec->bytes, rec->len, false,
			    err->text);
		fl_error_clear(err);
		return 0;
	}
	if (put < 0)
		return -1;
	if (put == 0)
		return fl_kafka_check(produce->route.kafka, err) < 0
			       ? -1
			       : given_up(produce, err);
	if (++produce->queued % 4096 == 0)
		fl_kafka_serve(produce->route.kafka, 0);
	if (produce->late)
		return fl_kafka_check(produce->route.kafka, err) < 0
			       ? -1
			       : given_up(produce, err);
	if (produce->failed.code) {
		*err = produce->failed;
		return -1;
	}
	return 0;
}

/* A mark among records that are to be written as they are. */
static int plain_mark(void *arg, const char *bytes, size_t len,
		      struct fl_error *err)
{
	struct fl_mark mark = FL_MARK_INIT;

	(void)arg;
	if (fl_mark_parse(&mark, bytes, len, err) == 0)
		fl_error_set(
			err, FL_ERR_USAGE,
			"the stream has marks of pipeline '%s': say "
			"--transaction to write its positions with it",
			fl_show(mark.pipeline, strlen(mark.pipeline), 100));
	fl_mark_release(&mark);
	return -1;
}

static char *pipeline; /* outlives the account of the run */

/* The first mark names the pipeline, which is what transactions go by. */
static int first_mark(struct produce *produce, const char *bytes, size_t len,
		      struct fl_error *err)
{
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_sink_config config = {
		.io = &produce->run->io,
		.count = option.count,
		.bytes = 64 << 20,
		.ns = option.ns,
		.dry = option.dry_run,
	};
	int result = fl_mark_parse(&mark, bytes, len, err);

	if (result == 0)
		produce->run->pipeline = pipeline = fl_strdup(mark.pipeline);
	fl_mark_release(&mark);
	if (result < 0)
		return -1;
	config.pipeline = produce->run->pipeline;
	if (!option.dry_run &&
	    fl_store_kafka_open(&produce->store, &produce->route, "fl-produce",
				config.pipeline, err) < 0)
		return -1;
	config.store = produce->store;
	return fl_sink_open(&produce->sink, &config, err);
}

static int on_mark(void *arg, const char *bytes, size_t len,
		   struct fl_error *err)
{
	struct produce *produce = arg;

	if (!produce->sink && first_mark(produce, bytes, len, err) < 0)
		return -1;
	return fl_sink_mark(produce->sink, bytes, len, err);
}

static int on_idle(void *arg, struct fl_error *err)
{
	struct produce *produce = arg;

	if (option.transaction)
		return produce->sink ? fl_sink_idle(produce->sink, err) : 0;
	if (!produce->route.kafka)
		return 0;
	fl_kafka_serve(produce->route.kafka, 0);
	if (fl_kafka_check(produce->route.kafka, err) < 0)
		return -1;
	return produce->late ? given_up(produce, err) : 0;
}

static int64_t patience(const void *arg)
{
	const struct produce *produce = arg;

	if (option.transaction)
		return produce->sink ? fl_sink_patience(produce->sink) : 0;
	return produce->route.kafka && fl_kafka_pending(produce->route.kafka)
		       ? FL_SECOND / 2
		       : 0;
}

static int put(struct produce *produce, const struct fl_record *rec,
	       struct fl_error *err)
{
	if (!option.transaction)
		return put_plain(produce, rec, err);
	if (produce->sink)
		return fl_sink_put(produce->sink, rec, err);
	produce->run->io.counts.uncommitted++;
	return fl_error_set(err, FL_ERR_USAGE,
			    "no marks arrive, which --transaction needs; a "
			    "filter in between drops them, or the source was "
			    "not told to --resume");
}

static int read_input(struct produce *produce, struct fl_reader *in,
		      struct fl_error *err)
{
	struct fl_record rec;
	int got;

	while ((got = fl_reader_next(in, &rec, err)) > 0) {
		if (got == 2) {
			if (on_idle(produce, err) < 0)
				return -1;
			continue;
		}
		fl_run_tick(produce->run);
		if (rec.ts_ns > produce->run->event_ns)
			produce->run->event_ns = rec.ts_ns;
		if (put(produce, &rec, err) < 0)
			return -1;
	}
	return got;
}

static int read_inputs(struct produce *produce, struct fl_error *err)
{
	struct fl_reader *in = NULL;
	const char *path;

	while ((path = fl_run_operand(produce->run))) {
		int result = fl_reader_open(&in, &produce->run->io, path, err);

		if (result == 0) {
			fl_reader_on_mark(
				in, option.transaction ? on_mark : plain_mark,
				produce);
			fl_reader_on_idle(in, on_idle, produce);
			fl_reader_on_wait(in, patience, produce);
			result = read_input(produce, in, err);
		}
		fl_reader_close(&in);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* What is under way is waited for; then each record is delivered, refused or
 * undelivered. */
static int finish_plain(struct produce *produce, struct fl_error *err)
{
	struct fl_counts *counts = &produce->run->io.counts;
	struct fl_kafka *kafka = produce->route.kafka;

	if (kafka && !option.dry_run) {
		if (fl_kafka_flush(kafka, waits, produce) > 0)
			fl_kafka_give_up(kafka);
		fl_kafka_check(kafka, err);
		if (produce->late)
			given_up(produce, err);
	}
	if (produce->failed.code && !err->code)
		*err = produce->failed;
	/* One that was read last may never have been queued. */
	counts->used = counts->in - counts->rejected;
	counts->uncommitted = counts->used - (produce->queued -
					      produce->refused - produce->late);
	counts->out = counts->used - counts->uncommitted;
	return err->code ? -1 : 0;
}

static int finish_marked(struct produce *produce, int result,
			 struct fl_error *err)
{
	if (result == 0 && produce->sink)
		result = fl_sink_finish(produce->sink, err);
	else if (result == 0)
		result =
			fl_error_set(err, FL_ERR_AGAIN,
				     "the input ended before its opening mark");
	if (produce->sink)
		produce->tally = *fl_sink_tally(produce->sink);
	fl_sink_close(&produce->sink);
	fl_store_close(&produce->store);
	return result;
}

static int produce_all(struct fl_run *run, struct fl_error *err)
{
	static struct produce produce; /* lives on for the account */
	const struct fl_kafka_config config = {
		.client = "fl-produce",
		.undelivered = undelivered,
		.arg = &produce,
	};
	int result = 0;

	produce.run = run;
	produce.route = (struct fl_kafka_route){
		.topic = option.topic,
		.prefix = option.prefix,
		.key = option.key.count ? option.key.items : NULL,
		.create = option.create && !option.dry_run,
		.partitions = option.partitions,
		.replicas = option.replicas,
		.waits = waits,
		.arg = &produce,
	};
	run->account = account;
	run->account_arg = &produce;
	run->progress_what = "kafka";
	if (fl_rejects_open(&run->io, err) < 0)
		return -1;
	if (!option.transaction)
		result = fl_kafka_open(&produce.route.kafka, &config, err);
	/* The one that was named is looked for before anything is read. */
	if (result == 0 && option.topic && !option.transaction)
		result =
			fl_kafka_route_topic(&produce.route, option.topic, err);
	if (result == 0)
		result = read_inputs(&produce, err);
	if (option.transaction)
		result = finish_marked(&produce, result, err);
	else
		result = finish_plain(&produce, err);
	fl_kafka_close(&produce.route.kafka);
	fl_kafka_route_release(&produce.route);
	return result;
}

static int run_command(struct fl_run *run, struct fl_error *err)
{
	if (option.pipeline && !option.positions)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--pipeline goes with --positions; "
				    "--transaction has it from the marks");
	if (option.key.count > FL_KAFKA_KEY_FIELDS)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--key takes at most %d fields",
				    FL_KAFKA_KEY_FIELDS);
	if (option.positions)
		return print_positions(run, err);
	return produce_all(run, err);
}

/* What the account still needed. */
static void clean_up(void)
{
	fl_buf_release(&told);
}

#endif

int main(int argc, char **argv)
{
	struct fl_run run;
	struct fl_error err = { .code = FL_OK };
	int status;

	fl_run_begin(&run, &command, argc, argv);
	run_command(&run, &err);
	status = fl_run_end(&run, &err);
	clean_up();
	return status;
}
