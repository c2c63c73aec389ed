/* sink: see sink.h for what it promises.
 *
 * The account closes whatever happens: each record taken is stored, rejected or
 * uncommitted, and is counted when that is settled, not before.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sink.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/short.h"
#include "base/time.h"
#include "rec/bar.h"
#include "store/crash.h"

#define HELD_NS (2 * FL_MINUTE)

/* A line that waits for its mark. */
struct line {
	size_t at, len;    /* in held */
	uint64_t number;   /* in its input */
	const char *input; /* NULL: a reject of our own, not counted */
};

struct fl_sink {
	struct fl_sink_config config;
	struct fl_io *io;
	struct fl_sink_tally tally; /* committed */

	/* The transaction, or what a dry run counts instead. */
	bool begun;
	bool writing;     /* lines that a mark covers */
	int64_t since_ns; /* its begin; or the first mark that was joined */
	struct fl_sink_tally batch;
	uint64_t batch_count, batch_bytes;

	/* A marked stream. */
	bool opened, ended;
	char *via;
	struct fl_mark mark;   /* the one that just came */
	struct fl_mark joined; /* since the last commit */
	bool any_joined;
	struct fl_buf held;
	struct line *lines; /* lines[count]; the first `covered` have a mark */
	size_t count, cap, covered;
	struct fl_map inputs; /* names of inputs, kept for messages */
	struct fl_map dry;    /* origin → position, as a dry run moves them */

	struct fl_json json; /* of lines taken up again */
};

/* --- rows ---------------------------------------------------------------- */

/* Of a pipeline the place is waited for as long as somebody may take to copy
 * it or to look through it: to end would cost the start of everything before
 * us, which waits meanwhile. */
static int begin_patiently(struct fl_sink *sink, struct fl_error *err)
{
	struct fl_store *store = sink->config.store;
	int64_t until = fl_monotonic_ns() + HELD_NS;

	while (store->ops->begin(store, err) < 0) {
		if (!sink->config.pipeline || !store->held ||
		    (sink->io->stop && *sink->io->stop) ||
		    fl_monotonic_ns() > until)
			return -1;
		fl_log("%s", err->text);
		fl_error_clear(err);
	}
	return 0;
}

static int begin(struct fl_sink *sink, struct fl_error *err)
{
	if (sink->begun)
		return 0;
	if (!sink->config.dry && begin_patiently(sink, err) < 0)
		return -1;
	sink->begun = true;
	if (!sink->config.pipeline)
		sink->since_ns = fl_monotonic_ns();
	return 0;
}

static int refuse(struct fl_sink *sink, const struct fl_record *rec,
		  const struct fl_note *note, struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = FL_REASON_merge_conflict,
		.note = note,
		.input = rec->input,
		.line = rec->line,
		.raw = rec->bytes,
		.raw_len = rec->len,
	};

	return fl_reject(sink->io, &reject, err);
}

/* The place refuses a row that it had taken: its outcome was counted. */
static int on_refused(void *arg, const struct fl_record *rec,
		      enum fl_put outcome, const char *why,
		      struct fl_error *err)
{
	struct fl_sink *sink = arg;
	FL_UNINITIALIZED struct fl_note note;
	const struct fl_reject reject = {
		.reason = FL_REASON_sink_refused,
		.note = &note,
		.input = rec->input,
		.line = rec->line,
		.raw = rec->bytes,
		.raw_len = rec->len,
	};

	note.field[0] = '\0';
	fl_note_set(&note, "", "%s", why);
	/* A reject of it would be another row like it. */
	if (rec->type->id == FL_TYPE_reject && fl_rejects_inline(sink->io))
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' refuses a reject: %s; --rejects FILE "
				    "keeps rejects elsewhere",
				    sink->config.store->place, why);
	if (outcome == FL_PUT_REPLACED)
		sink->batch.replaced--;
	else if (outcome == FL_PUT_MERGED)
		sink->batch.merged--;
	else
		sink->batch.fresh--;
	/* A held line is no longer one that may stay uncommitted. */
	for (size_t i = 0; i < sink->covered; i++) {
		struct line *line = &sink->lines[i];

		if (line->number == rec->line && line->input && rec->input &&
		    strcmp(line->input, rec->input) == 0)
			line->input = NULL;
	}
	return fl_reject(sink->io, &reject, err);
}

/* Into the open transaction; `counts`: it is part of the account. */
static int write_row(struct fl_sink *sink, const struct fl_record *rec,
		     bool counts, struct fl_error *err)
{
	struct fl_store *store = sink->config.store;
	FL_UNINITIALIZED struct fl_note note;
	enum fl_put outcome = FL_PUT_NEW;

	note.field[0] = note.detail[0] = '\0';
	if (!sink->config.pipeline && !sink->config.merge &&
	    fl_bar_is_partial(rec)) {
		fl_note_set(&note, "partial",
			    "'partial' is true: parts of a bar add up, so they "
			    "are taken between marks, where none can come "
			    "twice, or once with --merge");
		outcome = FL_PUT_REFUSED;
	} else if (!sink->config.dry &&
		   store->ops->put(store, rec, &outcome, &note, err) < 0) {
		return -1;
	}
	if (!counts)
		return 0;
	switch (outcome) {
	case FL_PUT_NEW:
		sink->batch.fresh++;
		break;
	case FL_PUT_REPLACED:
		sink->batch.replaced++;
		break;
	case FL_PUT_MERGED:
		sink->batch.merged++;
		break;
	case FL_PUT_ADDED:
		sink->batch.added++;
		break;
	case FL_PUT_REFUSED:
		return refuse(sink, rec, &note, err);
	}
	if (rec->fixes & FL_FIX_ROUND)
		sink->io->counts.rounded++;
	return 0;
}

static void uncommitted(struct fl_sink *sink, uint64_t count)
{
	sink->io->counts.uncommitted += count;
	sink->io->counts.used += count;
}

/* What the store could not tell when it took the rows. */
static void settle(struct fl_sink *sink)
{
	const struct fl_store *store = sink->config.store;
	uint64_t late = store && !sink->config.dry ? store->replaced : 0;

	sink->batch.fresh -= late;
	sink->batch.replaced += late;
}

static uint64_t batch_rows(const struct fl_sink *sink)
{
	return sink->batch.fresh + sink->batch.replaced + sink->batch.merged +
	       sink->batch.added;
}

static void reset_batch(struct fl_sink *sink)
{
	memset(&sink->batch, 0, sizeof(sink->batch));
	sink->batch_count = sink->batch_bytes = 0;
	sink->begun = false;
}

/* Does the store take the lines of a mark as soon as it has come? */
static bool hands_over(const struct fl_sink *sink)
{
	return !sink->config.dry && sink->config.store->ops->waits;
}

/* Give up the transaction and what is in it. */
static void roll_back(struct fl_sink *sink)
{
	if (!sink->begun)
		return;
	if (!sink->config.dry)
		sink->config.store->ops->rollback(sink->config.store);
	/* Else its lines are still held. */
	if (!sink->config.pipeline || hands_over(sink))
		uncommitted(sink, batch_rows(sink));
	reset_batch(sink);
}

static int commit(struct fl_sink *sink, struct fl_error *err)
{
	uint64_t rows = batch_rows(sink);
	int result;

	if (!sink->begun)
		return 0;
	fl_crash_at("before_commit", sink->tally.commits + 1);
	if (!sink->config.dry) {
		/* What it refuses on the way is stored with the rest. */
		sink->writing = true;
		result = sink->config.store->ops->commit(sink->config.store,
							 err);
		sink->writing = false;
		if (result < 0) {
			roll_back(sink);
			return -1;
		}
		rows = batch_rows(sink);
	}
	fl_crash_at("after_commit", sink->tally.commits + 1);
	settle(sink);
	sink->tally.fresh += sink->batch.fresh;
	sink->tally.replaced += sink->batch.replaced;
	sink->tally.merged += sink->batch.merged;
	sink->tally.added += sink->batch.added;
	sink->tally.commits++;
	sink->io->counts.used += rows;
	sink->io->counts.out += rows;
	reset_batch(sink);
	return 0;
}

/* Is the batch as large as one is to be? */
static bool is_full(const struct fl_sink *sink)
{
	const struct fl_sink_config *config = &sink->config;

	return (config->count && sink->batch_count >= config->count) ||
	       (config->bytes && sink->batch_bytes >= config->bytes);
}

static bool is_old(const struct fl_sink *sink)
{
	bool waits = sink->config.pipeline ? sink->any_joined : sink->begun;

	return waits && sink->config.ns &&
	       fl_monotonic_ns() - sink->since_ns >= sink->config.ns;
}

/* --- marked streams ------------------------------------------------------ */

/* The name of an input, kept for as long as we live. */
static const char *intern(struct fl_sink *sink, const char *input)
{
	size_t count = sink->inputs.count;

	if (count && strcmp(sink->inputs.entries[count - 1].key, input) == 0)
		return sink->inputs.entries[count - 1].key;
	*fl_map_at(&sink->inputs, input, strlen(input)) = sink;
	for (size_t i = sink->inputs.count; i-- > 0;) {
		if (strcmp(sink->inputs.entries[i].key, input) == 0)
			return sink->inputs.entries[i].key;
	}
	FL_BUG("a name that was added is not there");
}

static int hold(struct fl_sink *sink, const char *bytes, size_t len,
		uint64_t number, const char *input, struct fl_error *err)
{
	struct line *line;

	if (sink->held.len + len > FL_SINK_HELD_MAX)
		return fl_error_set(err, FL_ERR_DATA,
				    "over %zu MiB came since the last mark; "
				    "let the source mark more often "
				    "(--marks N,DUR)",
				    FL_SINK_HELD_MAX >> 20);
	if (sink->count == sink->cap) {
		sink->cap = sink->cap ? 2 * sink->cap : 1024;
		sink->lines = fl_realloc(sink->lines, sink->cap,
					 sizeof(*sink->lines));
	}
	line = &sink->lines[sink->count++];
	*line = (struct line){ sink->held.len, len, number, input };
	fl_buf_append(&sink->held, bytes, len);
	if (input)
		sink->batch_count++;
	sink->batch_bytes += len;
	return 0;
}

/* Nothing more waits: all was written or given up. */
static void let_go(struct fl_sink *sink, size_t lines)
{
	size_t bytes = 0;

	for (size_t i = 0; i < lines; i++)
		bytes += sink->lines[i].len;
	if (sink->count == 0)
		return;
	memmove(sink->held.data, sink->held.data + bytes,
		sink->held.len - bytes);
	sink->held.len -= bytes;
	memmove(sink->lines, sink->lines + lines,
		(sink->count - lines) * sizeof(*sink->lines));
	sink->count -= lines;
	sink->covered = 0;
	for (size_t i = 0; i < sink->count; i++) {
		sink->lines[i].at -= bytes;
		sink->batch_count += sink->lines[i].input != NULL;
		sink->batch_bytes += sink->lines[i].len;
	}
}

static uint64_t held_records(const struct fl_sink *sink)
{
	uint64_t count = 0;

	for (size_t i = 0; i < sink->count; i++)
		count += sink->lines[i].input != NULL;
	return count;
}

/* What a dry run finds: the store's position, or where it moved it to itself.
 */
static int dry_each(void *arg, const struct fl_position *row,
		    struct fl_error *err)
{
	struct fl_sink *sink = arg;

	(void)err;
	*fl_map_at(&sink->dry, row->origin, strlen(row->origin)) =
		fl_strdup(row->pos);
	return 0;
}

static void dry_move(struct fl_sink *sink, const struct fl_mark_at *at,
		     bool *moved, const char **held)
{
	void **slot = fl_map_at(&sink->dry, at->origin, strlen(at->origin));

	*held = *slot;
	*moved = at->from ? *held && strcmp(*held, at->from) == 0 : !*held;
	if (!*moved)
		return;
	free(*slot);
	*slot = fl_strdup(at->to);
}

static int not_moved(const struct fl_sink *sink, const struct fl_mark_at *at,
		     const char *held, struct fl_error *err)
{
	const char *place =
		sink->config.store ? sink->config.store->place : "the store";
	const char *pipeline = sink->config.pipeline;
	const char *origin = fl_show(at->origin, strlen(at->origin), 200);

	if (!held)
		return fl_error_set(
			err, FL_ERR_REFUSED,
			"'%s' holds no position of '%s' in pipeline '%s', but "
			"the stream goes on from '%s': is it the place that "
			"--resume named?",
			place, origin, pipeline, at->from);
	if (!at->from)
		return fl_error_set(
			err, FL_ERR_AGAIN,
			"pipeline '%s' was taken over: the stream begins '%s' "
			"anew, where '%s' holds '%s' by now; or --resume names "
			"another place than '%s'",
			pipeline, origin, place, held, place);
	return fl_error_set(err, FL_ERR_AGAIN,
			    "pipeline '%s' was taken over: the stream goes on "
			    "from '%s' of '%s', where '%s' holds '%s' by now",
			    pipeline, at->from, origin, place, held);
}

static int by_origin(const void *a, const void *b)
{
	return strcmp(((const struct fl_mark_at *)a)->origin,
		      ((const struct fl_mark_at *)b)->origin);
}

/* In one order, whatever that of the marks: copies that move the same origins
 * at once wait for each other at the first, and none for what the other holds.
 */
static int move_positions(struct fl_sink *sink, struct fl_error *err)
{
	const struct fl_sink_config *config = &sink->config;

	if (sink->joined.count)
		qsort(sink->joined.at, sink->joined.count,
		      sizeof(*sink->joined.at), by_origin);
	for (size_t i = 0; i < sink->joined.count; i++) {
		const struct fl_mark_at *at = &sink->joined.at[i];
		const char *held = NULL;
		bool moved = false;

		if (config->dry)
			dry_move(sink, at, &moved, &held);
		else if (config->store->ops->move(
				 config->store, config->pipeline, at, sink->via,
				 &moved, &held, err) < 0)
			return -1;
		if (!moved)
			return not_moved(sink, at, held, err);
	}
	return 0;
}

static int write_covered(struct fl_sink *sink, struct fl_error *err)
{
	struct fl_note note = { "", "" };

	for (size_t i = 0; i < sink->covered; i++) {
		struct line *line = &sink->lines[i];
		uint64_t rejected = sink->io->counts.rejected;
		struct fl_record rec = {
			.bytes = sink->held.data + line->at,
			.len = line->len,
			.line = line->number,
			.input = line->input,
		};

		if (fl_record_check(&rec, &sink->json, &note) != FL_REASON_NONE)
			FL_BUG("a record that was good is no longer");
		if (write_row(sink, &rec, line->input != NULL, err) < 0)
			return -1;
		if (sink->io->counts.rejected > rejected)
			line->input = NULL; /* counted as that by now */
	}
	return 0;
}

static int write_lines(struct fl_sink *sink, struct fl_error *err)
{
	int result;

	sink->writing = true;
	result = write_covered(sink, err);
	sink->writing = false;
	return result;
}

/* What the mark covers goes to the store, which keeps it until the commit. */
static int hand_over(struct fl_sink *sink, struct fl_error *err)
{
	if (begin(sink, err) < 0)
		return -1;
	if (write_lines(sink, err) < 0) {
		roll_back(sink);
		return -1;
	}
	let_go(sink, sink->covered);
	return 0;
}

/* One transaction: the positions of all joined marks, then their rows. */
static int commit_marks(struct fl_sink *sink, struct fl_error *err)
{
	size_t covered = sink->covered;

	if (!sink->any_joined)
		return 0;
	if (begin(sink, err) < 0)
		return -1;
	if (move_positions(sink, err) < 0 || write_lines(sink, err) < 0) {
		roll_back(sink);
		return -1;
	}
	if (commit(sink, err) < 0)
		return -1;
	fl_mark_reset(&sink->joined);
	sink->any_joined = false;
	let_go(sink, covered);
	return 0;
}

/* `via` as it is stored: the commands before us and ourselves. */
static void keep_via(struct fl_sink *sink)
{
	struct fl_buf text = FL_BUF_INIT;
	const char *own = sink->io->via;

	fl_buf_putc(&text, '[');
	for (size_t i = 0; i < sink->mark.via_count; i++) {
		if (i)
			fl_buf_putc(&text, ',');
		fl_buf_json_string(&text, sink->mark.via[i],
				   strlen(sink->mark.via[i]));
	}
	if (own) {
		if (text.len > 1)
			fl_buf_putc(&text, ',');
		fl_buf_json_string(&text, own, strlen(own));
	}
	fl_buf_putc(&text, ']');
	free(sink->via);
	sink->via = fl_buf_take(&text);
}

static int no_marks(struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_USAGE,
			    "no marks arrive; a filter in between drops them, "
			    "or the source was not told to --resume");
}

static int check_mark(struct fl_sink *sink, struct fl_error *err)
{
	const char *pipeline = sink->config.pipeline;
	const char *named =
		fl_show(sink->mark.pipeline, strlen(sink->mark.pipeline), 100);

	if (!pipeline)
		return fl_error_set(err, FL_ERR_USAGE,
				    "the stream has marks of pipeline '%s': "
				    "say --pipeline '%s' to store its "
				    "positions with it",
				    named, named);
	if (!sink->opened && (!sink->mark.open || sink->io->counts.in))
		return no_marks(err);
	if (strcmp(sink->mark.pipeline, pipeline) != 0)
		return fl_error_set(err, FL_ERR_DATA,
				    "a mark of pipeline '%s' arrives, this is "
				    "pipeline '%s'",
				    named, pipeline);
	if (sink->mark.open && sink->opened && !sink->ended)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "a stream begins before the one before it "
				    "came to its end mark");
	return 0;
}

int fl_sink_mark(void *arg, const char *bytes, size_t len, struct fl_error *err)
{
	struct fl_sink *sink = arg;

	if (fl_mark_parse(&sink->mark, bytes, len, err) < 0 ||
	    check_mark(sink, err) < 0)
		return -1;
	if (sink->mark.open) {
		/* Another stream brings another lineage. */
		if (commit_marks(sink, err) < 0)
			return -1;
		sink->opened = true;
		sink->ended = false;
		sink->io->marked = true;
		keep_via(sink);
	}
	if (sink->mark.live >= 0)
		sink->io->warm = !sink->mark.live;
	if (sink->mark.end)
		sink->ended = true;
	if (sink->mark.count == 0 && !sink->mark.end)
		return 0;
	if (!sink->any_joined)
		sink->since_ns = fl_monotonic_ns();
	if (fl_mark_join(&sink->joined, &sink->mark, err) < 0)
		return -1;
	sink->any_joined =
		sink->joined.count > 0 || sink->count > 0 || sink->begun;
	sink->covered = sink->count;
	if (hands_over(sink) && hand_over(sink, err) < 0)
		return -1;
	if (sink->mark.end || is_full(sink) || is_old(sink))
		return commit_marks(sink, err);
	return 0;
}

/* --- the stream ---------------------------------------------------------- */

/* io->keep_reject: our own rejects are stored beside the records. They are not
 * counted as stored: the account has them as rejected. */
static int keep_reject(void *arg, const char *bytes, size_t len,
		       struct fl_error *err)
{
	struct fl_sink *sink = arg;
	struct fl_record rec = { .bytes = bytes, .len = len, .input = "" };
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	int result = -1;

	if (sink->config.pipeline && !sink->opened)
		return no_marks(err);
	/* One that is found while its mark is committed goes with it. */
	if (sink->config.pipeline && !sink->writing)
		return hold(sink, bytes, len, 0, NULL, err);
	if (fl_record_check(&rec, &json, &note) != FL_REASON_NONE)
		FL_BUG("a reject of our own is no record");
	if (begin(sink, err) == 0)
		result = write_row(sink, &rec, false, err);
	fl_json_release(&json);
	return result;
}

int fl_sink_open(struct fl_sink **out, const struct fl_sink_config *config,
		 struct fl_error *err)
{
	struct fl_sink *sink = fl_zalloc(sizeof(*sink));

	sink->config = *config;
	sink->io = config->io;
	sink->mark.live = sink->joined.live = -1;
	sink->io->keep_reject = keep_reject;
	sink->io->keep_reject_arg = sink;
	*out = sink;
	if (config->store) {
		config->store->refuse = on_refused;
		config->store->refuse_arg = sink;
	}
	if (fl_rejects_open(sink->io, err) < 0)
		return -1;
	if (!config->dry || !config->store || !config->pipeline)
		return 0;
	return config->store->ops->positions(config->store, config->pipeline,
					     dry_each, sink, err);
}

int fl_sink_put(struct fl_sink *sink, const struct fl_record *rec,
		struct fl_error *err)
{
	if (sink->config.pipeline) {
		if (!sink->opened) {
			/* Counted as read, and not stored. */
			sink->io->counts.uncommitted++;
			sink->io->counts.used++;
			return no_marks(err);
		}
		if (sink->io->warm)
			return 0;
		return hold(sink, rec->bytes, rec->len, rec->line,
			    intern(sink, rec->input), err);
	}
	if (begin(sink, err) < 0 || write_row(sink, rec, true, err) < 0)
		return -1;
	sink->batch_count++;
	sink->batch_bytes += rec->len;
	return is_full(sink) ? commit(sink, err) : 0;
}

int64_t fl_sink_patience(const void *arg)
{
	const struct fl_sink *sink = arg;
	bool waits = sink->config.pipeline ? sink->any_joined : sink->begun;
	int64_t left;

	if (!waits || !sink->config.ns)
		return 0;
	left = sink->since_ns + sink->config.ns - fl_monotonic_ns();
	return left > 0 ? left : 1;
}

int fl_sink_idle(void *arg, struct fl_error *err)
{
	struct fl_sink *sink = arg;

	if (!is_old(sink))
		return 0;
	return sink->config.pipeline ? commit_marks(sink, err)
				     : commit(sink, err);
}

int fl_sink_finish(struct fl_sink *sink, struct fl_error *err)
{
	uint64_t rest;

	if (!sink->config.pipeline)
		return commit(sink, err);
	if (commit_marks(sink, err) < 0)
		return -1;
	rest = held_records(sink);
	uncommitted(sink, rest);
	let_go(sink, sink->count);
	reset_batch(sink);
	if (sink->ended && rest == 0)
		return 0;
	if (!sink->opened)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "the input ended before its opening mark");
	if (sink->ended)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "%llu record%s came after the end mark and "
				    "%s discarded",
				    (unsigned long long)rest,
				    rest == 1 ? "" : "s",
				    rest == 1 ? "was" : "were");
	if (rest == 0)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "the stream was cut off before its end "
				    "mark; started again, the source goes on "
				    "from there");
	return fl_error_set(err, FL_ERR_AGAIN,
			    "the stream was cut off before its end mark: %llu "
			    "record%s after the last mark %s discarded; "
			    "started again, the source goes on from there",
			    (unsigned long long)rest, rest == 1 ? "" : "s",
			    rest == 1 ? "was" : "were");
}

const struct fl_sink_tally *fl_sink_tally(const struct fl_sink *sink)
{
	return &sink->tally;
}

void fl_sink_close(struct fl_sink **out)
{
	struct fl_sink *sink = *out;

	*out = NULL;
	if (!sink)
		return;
	roll_back(sink);
	uncommitted(sink, held_records(sink));
	sink->io->keep_reject = NULL;
	fl_mark_release(&sink->mark);
	fl_mark_release(&sink->joined);
	fl_buf_release(&sink->held);
	fl_json_release(&sink->json);
	fl_map_release(&sink->inputs, NULL);
	fl_map_release(&sink->dry, free);
	free(sink->lines);
	free(sink->via);
	free(sink);
}
