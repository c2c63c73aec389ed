/* fl-consume: records out of Kafka.
 *
 * What a group has read is known to the group, to a store, or to nobody, as the
 * user chooses: offsets that are committed when the output was flushed
 * (--commit flushed), positions that a store keeps beside the data (--resume,
 * exactly once), or a command for each batch (--each).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/short.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/run.h"
#include "io/stream.h"
#include "io/writer.h"
#include "rec/record.h"
#include "source/each.h"
#include "source/lag.h"
#include "source/marks.h"
#include "source/source.h"
#include "source/topic.h"

#define PARTITIONS_MAX 4096
#define MIRROR_NS      (10 * FL_SECOND) /* between two looks at the store */
#define HANDOVER_NS    (10 * FL_SECOND) /* that a sink may take to commit */
#define COMMIT_NS      FL_SECOND

static struct {
	const char *group, *instance, *from, *to, *commit, *each;
	int32_t partitions[PARTITIONS_MAX];
	size_t partition_count;
	uint64_t count;
	bool raw, meta, list, lag;
	struct fl_each_size batch;
} option = { .batch = { .count = 10000, .ns = 5 * FL_SECOND } };

/* 0-2,5 */
static int take_partitions(void *target, const char *value,
			   struct fl_error *err)
{
	const char *at = value;

	(void)target;
	do {
		char *end;
		long from = strtol(at, &end, 10), to = from;

		if (*at >= '0' && *at <= '9' && *end == '-')
			to = strtol(at = end + 1, &end, 10);
		if (*at < '0' || *at > '9' || (*end && *end != ',') ||
		    from > to || to > 1000000 ||
		    (size_t)(to - from) >=
			    PARTITIONS_MAX - option.partition_count)
			return fl_error_set(err, FL_ERR_USAGE,
					    "--partitions takes numbers, such "
					    "as 0-2,5, not '%s'",
					    fl_show(value, strlen(value), 60));
		for (; from <= to; from++)
			option.partitions[option.partition_count++] =
				(int32_t)from;
		at = *end ? end + 1 : end;
	} while (*at);
	return 0;
}

static int take_batch(void *target, const char *value, struct fl_error *err)
{
	struct fl_each_size *size = target;

	return fl_count_or_time_parse(value, "--batch", "10000,5s",
				      &size->count, &size->ns, err);
}

static const struct fl_option options[] = {
	FL_OPT_GROUP(fl_kafka_options),
	FL_OPT_TEXT(0, "group", "G", &option.group,
		    "share the partitions with whoever else is in group G"),
	FL_OPT_TEXT(0, "instance", "ID", &option.instance,
		    "a member of the group that keeps its partitions while it "
		    "is restarted"),
	FL_OPT_CALL(0, "partitions", "N-M,...", take_partitions, NULL,
		    "read these partitions, without a group"),
	FL_OPT_TEXT(0, "from", "beginning|stored|end|TIME", &option.from,
		    "where to begin [beginning; stored with --group]"),
	FL_OPT_TEXT(0, "to", "end|TIME", &option.to,
		    "stop at the end there is now, or at the first message of "
		    "that time [never]"),
	FL_OPT_U64('n', "count", "N", &option.count, "stop after N records"),
	FL_OPT_FLAG(0, "raw", &option.raw,
		    "messages as they are, each a line, unchecked"),
	FL_OPT_FLAG(
		0, "meta", &option.meta,
		"add topic, partition, offset, key and time to each record"),
	{ .kind = FL_OPTION_TEXT,
	  .name = "commit",
	  .arg = "flushed",
	  .target = &option.commit,
	  .words = "flushed",
	  .help = "commit offsets of the group once the output is flushed; "
		  "what sits in the pipe when its reader dies is lost" },
	FL_OPT_GROUP(fl_options_resume),
	FL_OPT_TEXT(
		0, "each", "CMD", &option.each,
		"run CMD for each batch, on its standard input; its offsets "
		"are committed when CMD ends with 0 or 1"),
	FL_OPT_CALL(0, "batch", "N,DUR", take_batch, &option.batch,
		    "a batch is N records, or what came within DUR [10000,5s]"),
	FL_OPT_FLAG(0, "list", &option.list,
		    "alone: what topics there are, and how much is in them"),
	FL_OPT_FLAG(0, "lag", &option.lag,
		    "alone: how far --group is behind the end of the topics"),
	FL_OPT_STREAM,
	FL_OPT_END,
};

static const struct fl_command command = {
	.name = "fl-consume",
	.summary = "get records out of Kafka",
	.synopsis = "[OPTION...] TOPIC...\n"
		    "--list [TOPIC...]\n"
		    "--lag --group G [TOPIC...]",
	.options = options,
	.examples =
		"fl-consume fl.quotes\n"
		"fl-consume --from -1h --to end fl.quotes | fl-agg bars 1m\n"
		"fl-consume --group etl --resume lake.db --pipeline etl "
		"fl.quotes | fl-clean | fl-agg bars 1m | fl-load --pipeline "
		"etl lake.db\n"
		"fl-consume --group mail --each ./send-mail --batch 100,1m "
		"fl.alerts\n"
		"fl-consume --group etl --lag\n"
		"fl-consume --list",
	.notes = "A TOPIC that begins with ^ is a regular expression. Without "
		 "--group nothing is\n"
		 "committed; with it one of --commit, --resume and --each says "
		 "when.",
};

#ifdef FL_WITHOUT_KAFKA

static int run_command(struct fl_run *run, struct fl_error *err)
{
	(void)run;
	fl_kafka_missing(err);
	return 0;
}

#else

/* --- what was asked for -------------------------------------------------- */

static int check_options(const struct fl_run *run, struct fl_error *err)
{
	const struct fl_resume_asked *resume = &fl_resume_asked;
	int ways = (option.commit != NULL) + (resume->place != NULL) +
		   (option.each != NULL);

	if (!run->operand_count)
		return fl_error_set(err, FL_ERR_USAGE,
				    "what from? fl-consume fl.quotes, or "
				    "fl-consume --list (which names the "
				    "topics)");
	if (option.commit && strcmp(option.commit, "flushed") != 0)
		return fl_error_set(
			err, FL_ERR_USAGE, "--commit takes 'flushed', not '%s'",
			fl_show(option.commit, strlen(option.commit), 60));
	if (ways > 1)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--commit, --resume and --each exclude "
				    "each other: one of them knows what was "
				    "read");
	if (option.group && !ways)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"when is what --group %s has read to be committed? "
			"--commit flushed, --resume PLACE --pipeline NAME, or "
			"--each CMD",
			fl_show(option.group, strlen(option.group), 60));
	if (option.commit && !option.group)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--commit needs --group G, whose offsets "
				    "are committed");
	if (option.group && option.partition_count)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--group and --partitions exclude each "
				    "other: a group gives partitions out "
				    "itself");
	if (option.instance && !option.group)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--instance goes with --group");
	if (resume->place && (!resume->pipeline || !*resume->pipeline))
		return fl_error_set(
			err, FL_ERR_USAGE,
			"--resume needs --pipeline NAME, the name under which "
			"'%s' keeps positions",
			fl_show(resume->place, strlen(resume->place), 200));
	if (!resume->place && resume->pipeline)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--pipeline goes with --resume PLACE, the "
				    "store that keeps its positions");
	if (option.raw && resume->place)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--raw and --resume exclude each other: "
				    "what is no record belongs in no store");
	if (option.meta && option.raw)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--meta adds to records, and --raw gives "
				    "messages as they are");
	return 0;
}

/* --from and --to, and that they agree. */
static int take_span(const struct fl_run *run, struct fl_topic_config *config,
		     struct fl_error *err)
{
	const char *from = option.from;

	config->from = option.group ? FL_TOPIC_STORED : FL_TOPIC_BEGINNING;
	config->from_said = from != NULL;
	config->to_ns = FL_TIME_NONE;
	if (fl_resume_asked.place && !from)
		config->from = FL_TOPIC_BEGINNING;
	if (!from)
		;
	else if (strcmp(from, "beginning") == 0)
		config->from = FL_TOPIC_BEGINNING;
	else if (strcmp(from, "end") == 0)
		config->from = FL_TOPIC_END;
	else if (strcmp(from, "stored") == 0)
		config->from = FL_TOPIC_STORED;
	else if (fl_time_from_user(from, run->io.zone, run->started_ns,
				   &config->from_ns, err) < 0)
		return fl_error_wrap(err, "--from");
	else
		config->from = FL_TOPIC_TIME;
	if (config->from == FL_TOPIC_STORED && !option.group)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--from stored needs --group G, which has "
				    "stored it");
	/* Where the store holds a position that one is gone on from. */
	if (from && fl_resume_asked.place && config->from == FL_TOPIC_STORED) {
		config->from = FL_TOPIC_BEGINNING;
		config->from_said = false;
	}
	if (!option.to)
		return 0;
	if (strcmp(option.to, "end") == 0)
		config->to_end = true;
	else if (fl_time_from_user(option.to, run->io.zone, run->started_ns,
				   &config->to_ns, err) < 0)
		return fl_error_wrap(err, "--to");
	if (config->to_ns != FL_TIME_NONE && config->from == FL_TOPIC_TIME &&
	    config->from_ns >= config->to_ns)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--from is not before --to, so there is "
				    "nothing to read");
	return 0;
}

/* A list is made, not read. */
static void list_account(const struct fl_run *run, struct fl_buf *out)
{
	char text[32];

	fl_buf_printf(out, "%s out", fl_grouped(run->io.counts.out, text));
}

/* --- the stream ---------------------------------------------------------- */

struct consume {
	struct fl_run *run;
	struct fl_io *io;
	struct fl_topic_config config;
	struct fl_topic *topic;
	struct fl_writer *out;
	struct fl_json json;
	struct fl_buf line; /* a record that is given changed */
	/* --resume */
	struct fl_marks *marks;
	struct fl_mark held;
	int64_t mirrored_ns;
	/* --commit */
	int64_t committed_ns;
	/* --each */
	struct fl_each *each;
	int status; /* of CMD, which we end with */
};

static int ask(void *arg, const struct fl_mark **held, struct fl_error *err)
{
	struct consume *consume = arg;
	struct fl_mark fresh = FL_MARK_INIT;

	if (fl_marks_ask(&fresh, fl_resume_asked.place,
			 fl_resume_asked.pipeline, err) < 0) {
		fl_mark_release(&fresh);
		return -1;
	}
	fl_mark_release(&consume->held);
	consume->held = fresh;
	if (consume->marks)
		fl_marks_held(consume->marks, &consume->held);
	*held = &consume->held;
	return 0;
}

/* Has the store come to where these partitions were marked? Notes how far it
 * has. */
static bool has_come(struct consume *consume,
		     struct fl_topic_part *const *parts, size_t count,
		     struct fl_error *err)
{
	const struct fl_mark *held;
	bool all = true;

	if (ask(consume, &held, err) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t pos = -1;

		for (size_t k = 0; k < held->count; k++)
			if (strcmp(held->at[k].origin, parts[i]->origin) == 0)
				pos = strtoll(held->at[k].to, NULL, 10);
		if (pos >= 0)
			parts[i]->pos = pos;
		all &= parts[i]->given < 0 || pos >= parts[i]->given;
	}
	return all;
}

/* The sink commits what was marked; whoever reads the partitions next asks the
 * store where to begin, so it must have. */
static int wait_for_store(struct consume *consume,
			  struct fl_topic_part *const *parts, size_t count)
{
	const struct timespec nap = { 0, 100000000 };
	int64_t until = fl_monotonic_ns() + HANDOVER_NS;
	struct fl_error err = { .code = FL_OK };

	while (!has_come(consume, parts, count, &err)) {
		if (err.code)
			fl_log("%s", err.text);
		fl_error_clear(&err);
		if (fl_monotonic_ns() > until ||
		    *consume->io->stop >= FL_STOP_NOW) {
			fl_log("the store has not come to the last mark");
			return -1;
		}
		nanosleep(&nap, NULL);
		fl_run_tick(consume->run);
	}
	return 0;
}

static int run_batch(struct consume *consume, struct fl_error *err);

static int release(void *arg, struct fl_topic_part *const *parts, size_t count,
		   bool lost, struct fl_error *err)
{
	struct consume *consume = arg;

	if (consume->each) {
		if (!lost)
			return run_batch(consume, err);
		/* Somebody else reads them, from where we have committed. */
		for (size_t i = 0; i < count; i++)
			fl_each_drop(consume->each, parts[i]->topic,
				     parts[i]->partition);
		return 0;
	}
	if (!consume->marks) {
		if (fl_writer_flush(consume->out, err) < 0)
			return -1;
		return lost ? 0 : fl_topic_commit(consume->topic, true, err);
	}
	if (fl_marks_now(consume->marks, err) < 0)
		return -1;
	if (!lost && wait_for_store(consume, parts, count) == 0 &&
	    fl_topic_commit(consume->topic, true, err) < 0)
		fl_error_clear(err); /* for displays only */
	for (size_t i = 0; i < count; i++) {
		fl_marks_forget(consume->marks, parts[i]->origin);
		parts[i]->given = -1;
	}
	return 0;
}

/* From time to time: the store's positions as offsets of the group. */
static void mirror(struct consume *consume)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_topic_part *const *parts;
	int64_t now = fl_monotonic_ns();
	size_t count;

	if (!option.group || now - consume->mirrored_ns < MIRROR_NS)
		return;
	consume->mirrored_ns = now;
	parts = fl_topic_parts(consume->topic, &count);
	has_come(consume, parts, count, &err);
	if (!err.code)
		fl_topic_commit(consume->topic, false, &err);
	if (err.code)
		fl_log("%s", err.text);
}

/* --- one message --------------------------------------------------------- */

static int refuse(struct consume *consume, const struct fl_kafka_in *in,
		  enum fl_reason reason, const struct fl_note *note,
		  struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = reason,
		.note = note,
		.input = in->topic,
		.in_topic = true,
		.partition = in->partition,
		.offset = in->offset,
		.raw = in->bytes ? in->bytes : "",
		.raw_len = in->len,
	};

	return fl_reject(consume->io, &reject, err);
}

/* ,"kafka":{…} before the closing brace. */
static void add_meta(struct consume *consume, const struct fl_kafka_in *in)
{
	struct fl_buf *line = &consume->line;
	char time[FL_TIME_TEXT];

	line->len--;
	fl_buf_puts(line, ",\"kafka\":{\"topic\":");
	fl_buf_json_string(line, in->topic, strlen(in->topic));
	fl_buf_printf(line, ",\"partition\":%d,\"offset\":%lld",
		      (int)in->partition, (long long)in->offset);
	if (in->key && fl_utf8_valid(in->key, in->key_len)) {
		fl_buf_puts(line, ",\"key\":");
		fl_buf_json_string(line, in->key, in->key_len);
	} else if (in->key) {
		fl_buf_puts(line, ",\"key_b64\":\"");
		fl_base64_put(line, in->key, in->key_len);
		fl_buf_puts(line, "\"");
	}
	if (in->time_ms >= 0) {
		fl_time_print(in->time_ms * (FL_SECOND / 1000), time);
		fl_buf_printf(line, ",\"time\":\"%s\"", time);
	}
	fl_buf_puts(line, "}}");
}

/* The record as it is given: the message's bytes, unless they take more than a
 * line or something is added. */
static void make_line(struct consume *consume, const struct fl_kafka_in *in,
		      struct fl_record *rec)
{
	FL_UNINITIALIZED struct fl_note unused;

	while (rec->len && strchr(" \t\r\n", rec->bytes[rec->len - 1]))
		rec->len--;
	if (!option.meta && !memchr(rec->bytes, '\n', rec->len) &&
	    !memchr(rec->bytes, '\r', rec->len))
		return;
	fl_buf_reset(&consume->line);
	if (memchr(rec->bytes, '\n', rec->len) ||
	    memchr(rec->bytes, '\r', rec->len))
		fl_record_canonical(rec, &consume->line);
	else
		fl_buf_append(&consume->line, rec->bytes, rec->len);
	/* A record's own member of that name stays what it is. */
	if (option.meta && !fl_json_find(&consume->json, 0, "kafka", 5))
		add_meta(consume, in);
	rec->bytes = consume->line.data;
	rec->len = consume->line.len;
	/* Columns are found in the line as it was read. */
	if (option.meta && !fl_writer_is_plain(consume->out))
		(void)fl_record_check(rec, &consume->json, &unused);
}

static int write_out(struct consume *consume, const struct fl_kafka_in *in,
		     const struct fl_topic_part *part, struct fl_record *rec,
		     struct fl_error *err)
{
	if (part->warm)
		return fl_writer_control(consume->out, rec->bytes, rec->len,
					 err);
	consume->io->counts.in++;
	consume->io->counts.used++;
	if (consume->each) {
		fl_each_add(consume->each, in->topic, in->partition, in->offset,
			    rec->bytes, rec->len);
		return 0;
	}
	if (option.raw || fl_writer_is_plain(consume->out))
		return fl_writer_text(consume->out, rec->bytes, rec->len, err);
	return fl_writer_put(consume->out, rec, err);
}

/* Is it a record? returns 1, 0 it was refused, -1 */
static int check(struct consume *consume, const struct fl_kafka_in *in,
		 const struct fl_topic_part *part, struct fl_record *rec,
		 struct fl_error *err)
{
	FL_UNINITIALIZED struct fl_note note;
	enum fl_reason reason = FL_REASON_bad_json;

	note.field[0] = note.detail[0] = '\0';
	if (!in->bytes) {
		fl_note_set(&note, "", "a message without content");
	} else if (in->len > FL_LINE_MAX) {
		reason = FL_REASON_too_long;
		fl_note_set(&note, "", "%zu bytes", in->len);
	} else {
		reason = fl_record_check(rec, &consume->json, &note);
	}
	if (reason == FL_REASON_NONE)
		return 1;
	if (part->warm)
		return 0;
	consume->io->counts.in++;
	return refuse(consume, in, reason, &note, err) < 0 ? -1 : 0;
}

/* returns 1 a record was given, 0 none, -1 */
static int take(struct consume *consume, const struct fl_kafka_in *in,
		struct fl_topic_part *part, struct fl_error *err)
{
	struct fl_record rec = { .bytes = in->bytes,
				 .len = in->len,
				 .line = (uint64_t)in->offset,
				 .input = in->topic };
	struct fl_item item = { .origin = part->origin,
				.pos = (uint64_t)in->offset + 1,
				.warm = part->warm };
	int good = option.raw ? 1 : 0;

	if (!part->warm) {
		consume->io->counts.bytes_in += in->len;
		part->given = in->offset + 1;
	}
	if (option.raw && !rec.bytes)
		rec.bytes = "";
	if (!good)
		good = check(consume, in, part, &rec, err);
	if (good < 0)
		return -1;
	if (good && !option.raw) {
		part->seen_ns = item.ts_ns = rec.ts_ns;
		if (!part->warm)
			consume->run->event_ns = rec.ts_ns;
	}
	if (good) {
		item.bytes = rec.bytes;
		item.len = rec.len;
	} else if (part->warm) {
		return 0;
	} else if (consume->each) {
		fl_each_pass(consume->each, in->topic, in->partition,
			     in->offset);
	}
	if (consume->marks && fl_marks_before(consume->marks, &item, err) < 0)
		return -1;
	if (good && !option.raw)
		make_line(consume, in, &rec);
	if (good && write_out(consume, in, part, &rec, err) < 0)
		return -1;
	if (consume->marks && fl_marks_after(consume->marks, &item, err) < 0)
		return -1;
	return good && !part->warm;
}

/* --- the loop ------------------------------------------------------------ */

static bool rest(void *arg)
{
	struct consume *consume = arg;

	fl_topic_rest(consume->topic);
	fl_run_tick(consume->run);
	return *consume->io->stop < FL_STOP_NOW;
}

static void while_full(void *arg)
{
	rest(arg);
}

static int run_batch(struct consume *consume, struct fl_error *err)
{
	int status;

	assert(option.each);
	status = fl_each_run(consume->each, option.each, rest, consume, err);
	if (status < 0)
		return -1;
	if (status > 1) {
		consume->status = status;
		return fl_error_set(
			err,
			(enum fl_code)(status == 3   ? FL_ERR_AGAIN
				       : status <= 6 ? (enum fl_code)status
						     : FL_ERR_REFUSED),
			"'%s' ended with %d; its batch is not committed",
			fl_show(option.each, strlen(option.each), 200), status);
	}
	return fl_topic_commit(consume->topic, true, err);
}

/* What has become due. */
static int look(struct consume *consume, bool idle, struct fl_error *err)
{
	fl_run_tick(consume->run);
	if (consume->each)
		return fl_each_due(consume->each, &option.batch)
			       ? run_batch(consume, err)
			       : 0;
	if (consume->marks) {
		mirror(consume);
		if (idle && fl_marks_idle(consume->marks, err) < 0)
			return -1;
	} else if (option.commit &&
		   fl_monotonic_ns() - consume->committed_ns > COMMIT_NS) {
		consume->committed_ns = fl_monotonic_ns();
		if (fl_writer_flush(consume->out, err) < 0 ||
		    fl_topic_commit(consume->topic, false, err) < 0)
			return -1;
	}
	return idle ? fl_writer_idle(consume->out, err) : 0;
}

static int pump(struct consume *consume, struct fl_error *err)
{
	for (uint64_t n = 0, given = 0;;) {
		struct fl_kafka_in in;
		struct fl_topic_part *part;
		int got = fl_topic_next(consume->topic, &in, &part, err);

		if (got <= 0)
			return got;
		if (got == 2) {
			if (look(consume, true, err) < 0)
				return -1;
			continue;
		}
		got = take(consume, &in, part, err);
		if (got < 0)
			return -1;
		given += (uint64_t)got;
		if ((++n % 1024 == 0 || consume->each) &&
		    look(consume, false, err) < 0)
			return -1;
		if (got && option.count && given >= option.count)
			return 0;
	}
}

/* A pipe that is full is found out without waiting in write(2): by a
 * descriptor of our own, so that whoever shares the pipe is not told so. */
static void unblock_output(void)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	close(fd);
}

/* The end was good: the sink has time to take it in before others begin. */
static int finish(struct consume *consume, struct fl_error *err)
{
	struct fl_topic_part *const *parts;
	struct fl_error unused = { .code = FL_OK };
	size_t count;

	if (consume->each)
		return run_batch(consume, err);
	if (consume->marks && fl_marks_end(consume->marks, err) < 0)
		return -1;
	if (fl_writer_flush(consume->out, err) < 0)
		return -1;
	if (option.commit)
		return fl_topic_commit(consume->topic, true, err);
	if (!consume->marks || !option.group)
		return 0;
	parts = fl_topic_parts(consume->topic, &count);
	if (wait_for_store(consume, parts, count) == 0)
		fl_topic_commit(consume->topic, true, &unused);
	return 0;
}

static int consume_all(struct consume *consume, struct fl_error *err)
{
	const struct fl_mark *held;

	if (take_span(consume->run, &consume->config, err) < 0)
		return -1;
	if (fl_resume_asked.place && fl_writer_as(consume->out) != FL_AS_NDJSON)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"--resume writes marks, which only NDJSON carries: "
			"send it to fl-load --pipeline %s %s",
			fl_show(fl_resume_asked.pipeline,
				strlen(fl_resume_asked.pipeline), 100),
			fl_show(fl_resume_asked.place,
				strlen(fl_resume_asked.place), 200));
	if (fl_resume_asked.place) {
		consume->run->pipeline = fl_resume_asked.pipeline;
		consume->config.ask = ask;
		consume->config.warm_up_ns = fl_resume_asked.warm_up_ns;
		if (ask(consume, &held, err) < 0)
			return -1;
	}
	if (option.each)
		fl_each_open(&consume->each);
	if (fl_topic_open(&consume->topic, &consume->config, err) < 0)
		return -1;
	unblock_output();
	fl_stream_while_full(while_full, consume);
	if (fl_resume_asked.place &&
	    fl_marks_open(&consume->marks, consume->io, consume->out,
			  &consume->held, fl_resume_asked.every,
			  fl_resume_asked.every_ns, err) < 0)
		return -1;
	if (pump(consume, err) < 0)
		return -1;
	return finish(consume, err);
}

/* Returns the status of CMD that is one of its own, else 0. */
static int run_command(struct fl_run *run, struct fl_error *err)
{
	struct consume consume = { .run = run, .io = &run->io };

	consume.held = (struct fl_mark)FL_MARK_INIT;
	if (option.list || option.lag) {
		run->account = list_account;
		if (fl_writer_open(&consume.out, &run->io, "-", err) == 0)
			fl_lag_print(&run->io, consume.out,
				     (const char *const *)run->operands,
				     option.lag, option.group, run->started_ns,
				     err);
		goto done;
	}
	if (check_options(run, err) < 0 ||
	    fl_writer_open(&consume.out, &run->io, "-", err) < 0)
		goto done;
	consume.config = (struct fl_topic_config){
		.io = &run->io,
		.topics = (const char *const *)run->operands,
		.group = option.group,
		.instance = option.instance,
		.partitions = option.partitions,
		.partition_count = option.partition_count,
		.release = release,
		.arg = &consume,
	};
	consume_all(&consume, err);
done:
	fl_stream_while_full(NULL, NULL);
	fl_topic_close(&consume.topic);
	fl_marks_close(&consume.marks);
	fl_each_close(&consume.each);
	fl_mark_release(&consume.held);
	fl_buf_release(&consume.line);
	fl_json_release(&consume.json);
	fl_writer_close(&consume.out, err);
	return consume.status > 6 ? consume.status : 0;
}

#endif

int main(int argc, char **argv)
{
	struct fl_run run;
	struct fl_error err = { .code = FL_OK };
	int of_command, status;

	fl_run_begin(&run, &command, argc, argv);
	of_command = run_command(&run, &err);
	status = fl_run_end(&run, &err);
	return of_command && status == FL_ERR_REFUSED ? of_command : status;
}
