/* clean: workers judge the lines of a block each by itself; the consumer, who
 * sees all blocks in order, finds duplicates and writes.
 *
 * A worker leaves an item for each line that is a record. Lines without one
 * (rejects, marks, blank lines) are rare: the consumer looks at them again, so
 * that no memory is kept for their reasons. Runs of lines that pass unchanged
 * are written from the block itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/clean.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/blocks.h"
#include "io/reader.h"
#include "op/dedup.h"
#include "op/expr.h"
#include "rec/mark.h"
#include "rec/record.h"

enum {
	NEAR = 8, /* records for which deduplication reads ahead */
	FAR = 16,
	LONG_LINE = 64 * 1024, /* longer ones are judged one at a time */
	ITEM_FILTERED = 1,     /* the selection or the expression dropped it */
	ITEM_EDITED = 2,       /* its text is in the edits */
	ITEM_ROUNDED = 4,
};

/* One line that is a record. */
struct item {
	uint32_t from, len; /* in the block */
	uint32_t line;      /* counted from the block's first */
	uint32_t flags;
	uint32_t edit_from, edit_len; /* in the edits, with an LF */
	int64_t ts;
	uint64_t series;
	struct fl_hash128 content;
};

struct result {
	struct item *items;
	uint32_t count, cap;
	struct fl_buf edits;
};

/* What one thread needs to judge a line. */
struct judge {
	struct fl_json json;
	struct fl_expr *expr;
	struct fl_buf mapped; /* the expression's result */
	struct fl_buf retried;
	struct fl_json retry_json;
	/* Of the line at hand; on the stack they would be zeroed for each. */
	struct fl_record rec;
	struct fl_note note;
};

struct fl_clean {
	struct fl_clean_config config;
	struct fl_dedup *dedup;
	/* One for each worker, the consumer's, and one for long lines. */
	struct judge *judges;
	/* Held by who judges a long line: what such a line takes to parse is
	 * needed once, not by every worker. */
	pthread_mutex_t long_line;
	unsigned workers;
	const char *path;
	bool sniffed;
	struct fl_error idle_error;
};

enum verdict {
	VERDICT_RECORD,
	VERDICT_FILTERED,
	VERDICT_REJECT,
};

static unsigned base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

static void decode_base64(const char *text, size_t len, struct fl_buf *out)
{
	uint32_t bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned digit = base64_digit(text[i]);

		if (digit > 63)
			continue;
		bits = bits << 6 | digit;
		if (++count % 4 != 1)
			fl_buf_putc(out, (char)(bits >>
						(6 - 2 * ((count - 1) % 4))));
	}
}

/* --retry: put a reject's own line in place of the reject. Anything else stays
 * as it is. false: the line was cut when it was kept. */
static bool take_up_again(struct judge *judge, const char **bytes, size_t *len,
			  struct fl_note *note)
{
	struct fl_json *json = &judge->retry_json;
	const struct fl_json_tok *toks;
	struct fl_note ignored;
	uint32_t type, at;

	if (fl_json_parse(json, *bytes, *len, &ignored) != FL_REASON_NONE)
		return true;
	toks = json->toks;
	type = fl_json_find(json, 0, "type", 4);
	if (!type || !fl_json_is(&toks[type], "reject", 6))
		return true;
	at = fl_json_find(json, 0, "truncated", 9);
	if (at && toks[at].kind == FL_JSON_TRUE) {
		fl_note_set(note, "raw",
			    "the kept line was cut at 64 KiB: it cannot be "
			    "taken up again");
		return false;
	}
	fl_buf_reset(&judge->retried);
	if ((at = fl_json_find(json, 0, "raw", 3)) &&
	    toks[at].kind == FL_JSON_STRING)
		fl_buf_append(&judge->retried, toks[at].text, toks[at].len);
	else if ((at = fl_json_find(json, 0, "raw_b64", 7)) &&
		 toks[at].kind == FL_JSON_STRING)
		decode_base64(toks[at].text, toks[at].len, &judge->retried);
	else
		return true;
	*bytes = fl_buf_text(&judge->retried);
	*len = judge->retried.len;
	return true;
}

/* Judge one line. A record is left in `rec`, whose text may be the line's own,
 * the expression's or the retried one. */
static enum verdict judge_line(const struct fl_clean *clean,
			       struct judge *judge, const char *bytes,
			       size_t len, struct fl_record *rec,
			       enum fl_reason *reason, struct fl_note *note)
{
	const struct fl_clean_config *config = &clean->config;

	note->field[0] = note->detail[0] = '\0';
	if (len > FL_LINE_MAX) {
		fl_note_set(note, "", "%zu bytes, at most 900,000 are taken",
			    len);
		*reason = FL_REASON_too_long;
		return VERDICT_REJECT;
	}
	if (config->retry && !take_up_again(judge, &bytes, &len, note)) {
		*reason = FL_REASON_truncated;
		return VERDICT_REJECT;
	}
	if (judge->expr) {
		fl_buf_reset(&judge->mapped);
		switch (fl_expr_apply(judge->expr, bytes, len, &judge->mapped,
				      note)) {
		case FL_EXPR_SAME:
			break;
		case FL_EXPR_CHANGED:
			bytes = fl_buf_text(&judge->mapped);
			len = judge->mapped.len;
			break;
		case FL_EXPR_NOTHING:
			return VERDICT_FILTERED;
		case FL_EXPR_FAILED:
			*reason = FL_REASON_expr_error;
			return VERDICT_REJECT;
		}
	}
	rec->bytes = bytes;
	rec->len = len;
	*reason = (config->coerce ? fl_record_check_coerce
				  : fl_record_check)(rec, &judge->json, note);
	if (*reason != FL_REASON_NONE)
		return VERDICT_REJECT;
	return fl_select_wants(&config->select, rec) ? VERDICT_RECORD
						     : VERDICT_FILTERED;
}

/* Whose judge is to be used for the line: `who` is a worker, or clean->workers
 * for the consumer. */
static struct judge *borrow_judge(struct fl_clean *clean, unsigned who,
				  size_t len)
{
	if (len <= LONG_LINE)
		return &clean->judges[who];
	pthread_mutex_lock(&clean->long_line);
	return &clean->judges[clean->workers + 1];
}

static void return_judge(struct fl_clean *clean, const struct judge *judge)
{
	if (judge == &clean->judges[clean->workers + 1])
		pthread_mutex_unlock(&clean->long_line);
}

static struct item *add_item(struct result *result)
{
	if (result->count == result->cap) {
		result->cap = result->cap ? 2 * result->cap : 1024;
		result->items = fl_realloc(result->items, result->cap,
					   sizeof(*result->items));
	}
	return &result->items[result->count++];
}

/* The text that goes out, where it is not the line itself. */
static void edit_item(const struct fl_clean *clean, struct result *result,
		      struct item *item, const struct fl_record *rec,
		      const char *line)
{
	const unsigned mended = FL_FIX_TIME | FL_FIX_SYMBOL | FL_FIX_ROUND |
				FL_FIX_SUBUNIT | FL_FIX_INTERVAL |
				FL_FIX_COERCE;

	if (rec->fixes & FL_FIX_ROUND)
		item->flags |= ITEM_ROUNDED;
	if (!clean->config.canonical && !(rec->fixes & mended) &&
	    rec->bytes == line)
		return;
	item->flags |= ITEM_EDITED;
	item->edit_from = (uint32_t)result->edits.len;
	if (clean->config.canonical)
		fl_record_canonical(rec, &result->edits);
	else
		fl_record_normalise(rec, &result->edits);
	/* What was kept as one text may have been several lines: outside of
	 * strings, where neither may stand, they are blanks. */
	for (size_t i = item->edit_from;
	     clean->config.retry && i < result->edits.len; i++) {
		if (result->edits.data[i] == '\n' ||
		    result->edits.data[i] == '\r')
			result->edits.data[i] = ' ';
	}
	fl_buf_putc(&result->edits, '\n');
	item->edit_len = (uint32_t)result->edits.len - item->edit_from;
}

/* Make an item of the line, which stands at `from` in the block, if it is a
 * record. */
static void judge_item(const struct fl_clean *clean, struct judge *judge,
		       struct result *result, const char *bytes, size_t len,
		       size_t from, uint64_t line)
{
	struct fl_record *rec = &judge->rec;
	enum fl_reason reason;
	enum verdict verdict;
	struct item *item;

	if (fl_mark_is(bytes, len))
		return;
	rec->input = clean->path;
	verdict = judge_line(clean, judge, bytes, len, rec, &reason,
			     &judge->note);
	if (verdict == VERDICT_REJECT)
		return;
	item = add_item(result);
	item->from = (uint32_t)from;
	item->len = (uint32_t)len;
	item->line = (uint32_t)line;
	item->flags = 0;
	item->content = (struct fl_hash128){ 0, 0 };
	if (verdict == VERDICT_FILTERED) {
		item->flags = ITEM_FILTERED;
		return;
	}
	item->ts = rec->ts_ns;
	edit_item(clean, result, item, rec, bytes);
	if (clean->dedup)
		item->content = fl_record_content(rec, true, &item->series);
}

static void work(void *arg, unsigned worker, struct fl_block *block)
{
	struct fl_clean *clean = arg;
	struct result *result = block->result;
	struct fl_block counted = *block; /* the consumer sets first_line */
	const char *bytes;
	size_t at = 0, len;
	uint64_t line;

	if (!result)
		block->result = result = fl_zalloc(sizeof(*result));
	result->count = 0;
	fl_buf_reset(&result->edits);
	counted.first_line = 0;
	if (block->oversize)
		return;
	while (fl_block_line(&counted, &at, &bytes, &len, &line)) {
		struct judge *judge = borrow_judge(clean, worker, len);

		judge_item(clean, judge, result, bytes, len,
			   (size_t)(bytes - block->data), line);
		return_judge(clean, judge);
	}
	block->lines = line + 1; /* it counted from 0 */
}

static void free_result(void *arg)
{
	struct result *result = arg;

	free(result->items);
	fl_buf_release(&result->edits);
	free(result);
}

/* The lines that pass unchanged and follow each other. */
struct pending {
	const char *from;
	size_t len;
	uint64_t count;
};

static int write_pending(struct fl_clean *clean, struct pending *pending,
			 struct fl_error *err)
{
	int result = 0;

	if (pending->count)
		result = fl_writer_lines(clean->config.out, pending->from,
					 pending->len, pending->count, err);
	pending->count = 0;
	pending->len = 0;
	return result;
}

static int write_item(struct fl_clean *clean, const struct fl_block *block,
		      const struct item *item, struct pending *pending,
		      struct fl_error *err)
{
	const struct result *result = block->result;
	const char *text = block->data + item->from;
	struct fl_writer *out = clean->config.out;
	size_t len = item->len;
	bool whole; /* its LF follows at once */

	if (item->flags & ITEM_EDITED) {
		text = result->edits.data + item->edit_from;
		len = item->edit_len - 1;
	}
	if (!fl_writer_is_plain(out))
		return fl_writer_text(out, text, len, err);
	whole = (item->flags & ITEM_EDITED) ||
		(item->from + len < block->len &&
		 block->data[item->from + len] == '\n');
	if (!whole) { /* a CR before the LF, or the torn last line */
		if (write_pending(clean, pending, err) < 0)
			return -1;
		return fl_writer_text(out, text, len, err);
	}
	if (pending->count && pending->from + pending->len == text) {
		pending->len += len + 1;
		pending->count++;
		return 0;
	}
	if (write_pending(clean, pending, err) < 0)
		return -1;
	pending->from = text;
	pending->len = len + 1;
	pending->count = 1;
	return 0;
}

/* Count one record, and write it unless it is a duplicate or warm-up. */
static int take_item(struct fl_clean *clean, const struct fl_block *block,
		     const struct item *item, struct pending *pending,
		     struct fl_error *err)
{
	struct fl_counts *counts = &clean->config.io->counts;
	bool warm = clean->config.io->warm;
	enum fl_seen seen = FL_SEEN_NEW;

	counts->in += !warm;
	if (item->flags & ITEM_FILTERED) {
		counts->filtered += !warm;
		return 0;
	}
	if (clean->config.event_ns && item->ts > *clean->config.event_ns)
		*clean->config.event_ns = item->ts;
	if (clean->dedup)
		seen = fl_dedup_see(clean->dedup, item->series, item->content,
				    item->ts);
	if (warm)
		return 0;
	if (seen == FL_SEEN_BEFORE) {
		counts->duplicates++;
		return 0;
	}
	counts->used++;
	counts->unchecked += seen == FL_SEEN_UNCHECKED;
	counts->rounded += (item->flags & ITEM_ROUNDED) != 0;
	return write_item(clean, block, item, pending, err);
}

static int refuse(struct fl_clean *clean, const struct fl_block *block,
		  const char *bytes, size_t len, uint64_t line,
		  enum fl_reason reason, const struct fl_note *note,
		  struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = reason,
		.note = note,
		.input = clean->path,
		.line = line,
		.raw = bytes,
		.raw_len = len,
		.raw_bytes = block->oversize,
	};

	if (clean->config.io->warm)
		return 0;
	clean->config.io->counts.in++;
	return fl_reject(clean->config.io, &reject, err);
}

/* A stream has marks when one that opens it is its first line. Any other mark
 * is somebody's data that looks like one, and must move no position. */
static bool opens_stream(const struct fl_io *io, const char *bytes, size_t len)
{
	struct fl_mark mark = FL_MARK_INIT;
	struct fl_error ignored = { .code = FL_OK };
	bool opens;

	if (io->counts.in)
		return false;
	opens = fl_mark_parse(&mark, bytes, len, &ignored) == 0 && mark.open;
	fl_mark_release(&mark);
	return opens;
}

/* A line without an item: a mark or a reject. */
static int take_other(struct fl_clean *clean, const struct fl_block *block,
		      const char *bytes, size_t len, uint64_t line, bool torn,
		      struct pending *pending, struct fl_error *err)
{
	struct fl_io *io = clean->config.io;
	struct fl_record rec = { .input = clean->path };
	enum fl_reason reason = FL_REASON_NONE;
	struct fl_note note = { "", "" };
	struct judge *judge;
	bool is_mark;
	int result;

	if (write_pending(clean, pending, err) < 0)
		return -1;
	is_mark = !block->oversize && fl_mark_is(bytes, len);
	if (is_mark && (io->marked || opens_stream(io, bytes, len)))
		return fl_mark_forward(io, bytes, len, clean->config.out, err);
	if (torn && io->marked)
		return 0; /* what a killed writer left behind */
	judge = borrow_judge(clean, clean->workers, len);
	if (block->oversize) {
		fl_note_set(&note, "", "%llu bytes, at most 900,000 are taken",
			    (unsigned long long)block->oversize);
		reason = FL_REASON_too_long;
	} else if (is_mark) {
		rec.bytes = bytes;
		rec.len = len;
		reason = fl_record_check(&rec, &judge->json, &note);
	} else {
		/* It was refused before: what passes now has no answer. */
		if (judge_line(clean, judge, bytes, len, &rec, &reason,
			       &note) != VERDICT_REJECT) {
			fl_note_set(&note, "",
				    "the program's answer changes from one "
				    "look to the next");
			reason = FL_REASON_expr_error;
		}
		/* What is refused again is kept as it was the first time. */
		if (clean->config.retry) {
			struct fl_note ignored;

			take_up_again(judge, &bytes, &len, &ignored);
		}
	}
	result = refuse(clean, block, bytes, len, line, reason, &note, err);
	return_judge(clean, judge);
	return result;
}

/* The lines of the block between two items. */
static int take_gap(struct fl_clean *clean, const struct fl_block *block,
		    size_t from, size_t to, uint64_t line,
		    struct pending *pending, struct fl_error *err)
{
	struct fl_block gap = {
		.data = block->data + from,
		.len = to - from,
		.first_line = line,
		.oversize = block->oversize,
	};
	const char *bytes;
	size_t at = 0, len;

	while (fl_block_line(&gap, &at, &bytes, &len, &line)) {
		bool torn = block->torn && to == block->len && at > gap.len;

		if (take_other(clean, &gap, bytes, len, line, torn, pending,
			       err) < 0)
			return -1;
	}
	return 0;
}

static int take_block(struct fl_clean *clean, const struct fl_block *block,
		      struct fl_error *err)
{
	const struct result *result = block->result;
	struct pending pending = { NULL, 0, 0 };
	size_t at = 0;     /* what comes next in the block */
	uint64_t line = 0; /* lines before that */

	clean->config.io->counts.bytes_in += fl_block_bytes(block);
	for (uint32_t i = 0; i < result->count; i++) {
		const struct item *item = &result->items[i];
		bool last = item->from + item->len >= block->len;

		if (clean->dedup && i + FAR < result->count) {
			fl_dedup_far(clean->dedup, item[FAR].content);
			fl_dedup_near(clean->dedup, item[NEAR].content);
		}
		if (item->from > at &&
		    take_gap(clean, block, at, item->from,
			     block->first_line + line, &pending, err) < 0)
			return -1;
		/* A torn record of a marked stream came to nobody's end. */
		if (!(last && block->torn && clean->config.io->marked) &&
		    take_item(clean, block, item, &pending, err) < 0)
			return -1;
		at = item->from + item->len + 1;
		if (at <= block->len && block->data[at - 1] == '\r')
			at++;
		line = item->line + 1;
	}
	if (at < block->len &&
	    take_gap(clean, block, at, block->len, block->first_line + line,
		     &pending, err) < 0)
		return -1;
	return write_pending(clean, &pending, err);
}

static void idle(void *arg)
{
	struct fl_clean *clean = arg;

	fl_writer_flush(clean->config.out, &clean->idle_error);
	if (clean->config.io->tick)
		clean->config.io->tick(clean->config.io->tick_arg);
}

static bool stopped(const void *arg)
{
	return fl_stop_requested(arg);
}

static int sniff(struct fl_clean *clean, const struct fl_block *block,
		 struct fl_error *err)
{
	const char *bytes;
	size_t at = 0, len;
	uint64_t line;

	if (clean->sniffed || !fl_block_line(block, &at, &bytes, &len, &line))
		return 0;
	clean->sniffed = true;
	return fl_reader_sniff(clean->config.io, clean->path, bytes, len, err);
}

int fl_clean_input(struct fl_clean *clean, const char *path,
		   struct fl_error *err)
{
	const struct fl_blocks_work how = {
		.work = work,
		.arg = clean,
		.counts = true,
		.free_result = free_result,
		.idle = idle,
		.stopped = stopped,
		.stopped_arg = clean->config.io,
	};
	struct fl_io *io = clean->config.io;
	struct fl_stream *in = NULL;
	struct fl_blocks *blocks = NULL;
	struct fl_block *block;
	int result = 1;

	clean->path = path;
	clean->sniffed = false;
	if (fl_stream_open(&in, path, err) < 0 ||
	    fl_io_check_input(io, in, err) < 0 ||
	    fl_blocks_open(&blocks, in, clean->workers, &how, err) < 0)
		goto done;
	for (;;) {
		int got = fl_blocks_next(blocks, &block, err);

		/* Also at the input's end: that the output failed while there
		 * was nothing to read is known only now. */
		if (clean->idle_error.code != FL_OK) {
			*err = clean->idle_error;
			result = -1;
			break;
		}
		if (got <= 0) {
			result = got < 0;
			break;
		}
		if (sniff(clean, block, err) < 0)
			break;
		if (take_block(clean, block, err) < 0) {
			result = -1;
			break;
		}
		if (io->tick)
			io->tick(io->tick_arg);
	}
done:
	fl_blocks_close(&blocks);
	fl_stream_close(&in);
	if (clean->dedup)
		io->counts.dedup_horizon_ns = fl_dedup_reached(clean->dedup);
	return result;
}

int fl_clean_open(struct fl_clean **out, const struct fl_clean_config *config,
		  struct fl_error *err)
{
	struct fl_clean *clean = fl_zalloc(sizeof(*clean));
	int result = 0;

	clean->config = *config;
	clean->workers = config->io->workers ? config->io->workers : 1;
	clean->judges =
		fl_zalloc((clean->workers + 2) * sizeof(*clean->judges));
	pthread_mutex_init(&clean->long_line, NULL);
	if (config->dedup_ns)
		clean->dedup =
			fl_dedup_new(config->dedup_ns, config->dedup_memory);
	for (unsigned i = 0;
	     config->jq && result == 0 && i < clean->workers + 2; i++)
		result = fl_expr_open(&clean->judges[i].expr, config->jq, err);
	if (result < 0)
		fl_clean_close(&clean);
	*out = clean;
	return result;
}

void fl_clean_close(struct fl_clean **out)
{
	struct fl_clean *clean = *out;

	*out = NULL;
	if (!clean)
		return;
	pthread_mutex_destroy(&clean->long_line);
	for (unsigned i = 0; i < clean->workers + 2; i++) {
		struct judge *judge = &clean->judges[i];

		fl_json_release(&judge->json);
		fl_json_release(&judge->retry_json);
		fl_expr_close(&judge->expr);
		fl_buf_release(&judge->mapped);
		fl_buf_release(&judge->retried);
	}
	free(clean->judges);
	fl_dedup_free(clean->dedup);
	free(clean);
}
