/* lines: see lines.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "op/lines.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/reader.h"
#include "io/stream.h"
#include "rec/mark.h"

enum {
	LONG_LINE = 64 * 1024, /* longer ones are judged one at a time */
};

struct fl_lines {
	const struct fl_lines_work *work;
	struct fl_io *io;
	unsigned workers;
	/* One for each worker, the consumer's, and one for long lines. */
	struct fl_judge *judges;
	/* Held by who judges a long line: what such a line takes to parse is
	 * needed once, not by every worker. */
	pthread_mutex_t long_line;
	const char *path;
	bool sniffed;
	struct fl_error idle_error; /* idle runs inside blocks, which has none
				     */
};

/* Whose judge is to be used for the line: `who` is a worker, or lines->workers
 * for the consumer. */
static struct fl_judge *borrow_judge(struct fl_lines *lines, unsigned who,
				     size_t len)
{
	if (len <= LONG_LINE)
		return &lines->judges[who];
	pthread_mutex_lock(&lines->long_line);
	return &lines->judges[lines->workers + 1];
}

static void return_judge(struct fl_lines *lines, const struct fl_judge *judge)
{
	if (judge == &lines->judges[lines->workers + 1])
		pthread_mutex_unlock(&lines->long_line);
}

/* --- in the workers ------------------------------------------------------ */

static void *item_room(struct fl_items *items, size_t size)
{
	if (items->count == items->cap) {
		items->cap = items->cap ? 2 * items->cap : 1024;
		items->items = fl_realloc(items->items, items->cap, size);
	}
	return items->items + items->count * size;
}

static void judge_block(void *arg, unsigned worker, struct fl_block *block)
{
	struct fl_lines *lines = arg;
	const struct fl_lines_work *work = lines->work;
	struct fl_items *items = block->result;
	struct fl_block counted = *block; /* the consumer sets first_line */
	const char *bytes;
	size_t at = 0, len;
	uint64_t line;

	if (!items)
		block->result = items = fl_zalloc(sizeof(*items));
	items->count = 0;
	fl_buf_reset(&items->text);
	counted.first_line = 0;
	if (block->oversize)
		return;
	while (fl_block_line(&counted, &at, &bytes, &len, &line)) {
		struct fl_judge *judge;
		struct fl_line *item;

		if (len > FL_LINE_MAX || fl_mark_is(bytes, len))
			continue;
		judge = borrow_judge(lines, worker, len);
		item = item_room(items, work->item_size);
		judge->rec.input = lines->path;
		judge->rec.line = line; /* of the block, as the item's */
		if (work->judge(work->arg, judge, items, bytes, len, item)) {
			*item = (struct fl_line){
				.from = (uint32_t)(bytes - block->data),
				.len = (uint32_t)len,
				.line = (uint32_t)line,
			};
			items->count++;
		}
		return_judge(lines, judge);
	}
	block->lines = line + 1; /* it counted from 0 */
}

static void free_items(void *arg)
{
	struct fl_items *items = arg;

	free(items->items);
	fl_buf_release(&items->text);
	free(items);
}

/* --- in the consumer ----------------------------------------------------- */

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

/* Why a line has no item. */
static enum fl_reason find_reason(struct fl_lines *lines,
				  const struct fl_block *block,
				  struct fl_judge *judge, bool is_mark,
				  const char **bytes, size_t *len,
				  struct fl_note *note)
{
	uint64_t whole = block->oversize ? block->oversize : *len;
	struct fl_record rec = { .bytes = *bytes, .len = *len };

	if (whole > FL_LINE_MAX) {
		fl_note_set(note, "", "%llu bytes, at most 900,000 are taken",
			    (unsigned long long)whole);
		return FL_REASON_too_long;
	}
	if (is_mark)
		return fl_record_check(&rec, &judge->json, note);
	return lines->work->refuse(lines->work->arg, judge, bytes, len, note);
}

/* A line without an item: a mark or a reject. */
static int take_other(struct fl_lines *lines, const struct fl_block *block,
		      const char *bytes, size_t len, uint64_t line, bool torn,
		      struct fl_error *err)
{
	const struct fl_lines_work *work = lines->work;
	struct fl_note note = { "", "" };
	struct fl_reject reject = {
		.note = &note,
		.input = lines->path,
		.line = line,
		.raw_bytes = block->oversize,
	};
	struct fl_io *io = lines->io;
	struct fl_judge *judge;
	bool is_mark;
	int result = 0;

	if (work->between && work->between(work->arg, err) < 0)
		return -1;
	is_mark = !block->oversize && fl_mark_is(bytes, len);
	if (is_mark && (io->marked || opens_stream(io, bytes, len)))
		return work->mark(work->arg, bytes, len, err);
	if (torn && io->marked)
		return 0; /* what a killed writer left behind */
	judge = borrow_judge(lines, lines->workers, len);
	reject.reason =
		find_reason(lines, block, judge, is_mark, &bytes, &len, &note);
	reject.raw = bytes;
	reject.raw_len = len;
	if (!io->warm) {
		io->counts.in++;
		result = fl_reject(io, &reject, err);
	}
	return_judge(lines, judge);
	return result;
}

/* The lines of the block between two items. */
static int take_gap(struct fl_lines *lines, const struct fl_block *block,
		    size_t from, size_t to, uint64_t line, struct fl_error *err)
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

		if (take_other(lines, &gap, bytes, len, line, torn, err) < 0)
			return -1;
	}
	return 0;
}

static int take_block(struct fl_lines *lines, const struct fl_block *block,
		      struct fl_error *err)
{
	const struct fl_lines_work *work = lines->work;
	const struct fl_items *items = block->result;
	size_t at = 0;     /* what comes next in the block */
	uint64_t line = 0; /* lines before that */

	lines->io->counts.bytes_in += fl_block_bytes(block);
	for (uint32_t i = 0; i < items->count; i++) {
		/* Items are aligned: their size is that of a struct. */
		const struct fl_line *item =
			(const void *)(items->items + i * work->item_size);
		bool last = item->from + item->len >= block->len;

		if (item->from > at &&
		    take_gap(lines, block, at, item->from,
			     block->first_line + line, err) < 0)
			return -1;
		/* A torn record of a marked stream came to nobody's end. */
		if (!(last && block->torn && lines->io->marked) &&
		    work->take(work->arg, block, items, i, err) < 0)
			return -1;
		at = item->from + item->len + 1;
		if (at <= block->len && block->data[at - 1] == '\r')
			at++;
		line = item->line + 1;
	}
	if (at < block->len && take_gap(lines, block, at, block->len,
					block->first_line + line, err) < 0)
		return -1;
	return work->between ? work->between(work->arg, err) : 0;
}

/* --- an input ------------------------------------------------------------ */

static void idle(void *arg)
{
	struct fl_lines *lines = arg;
	const struct fl_lines_work *work = lines->work;

	if (work->idle(work->arg, &lines->idle_error) == 0 && lines->io->tick)
		lines->io->tick(lines->io->tick_arg);
}

static bool stopped(const void *arg)
{
	return fl_stop_requested(arg);
}

static int sniff(struct fl_lines *lines, const struct fl_block *block,
		 struct fl_error *err)
{
	const char *bytes;
	size_t at = 0, len;
	uint64_t line;

	if (lines->sniffed || !fl_block_line(block, &at, &bytes, &len, &line))
		return 0;
	lines->sniffed = true;
	return fl_reader_sniff(lines->io, lines->path, bytes, len, err);
}

int fl_lines_input(struct fl_lines *lines, const char *path,
		   struct fl_error *err)
{
	const struct fl_blocks_work how = {
		.work = judge_block,
		.arg = lines,
		.counts = true,
		.free_result = free_items,
		.idle = idle,
		.idle_every_ns = lines->work->idle_every_ns,
		.stopped = stopped,
		.stopped_arg = lines->io,
	};
	struct fl_io *io = lines->io;
	struct fl_stream *in = NULL;
	struct fl_blocks *blocks = NULL;
	struct fl_block *block;
	int result = 1;

	lines->path = path;
	lines->sniffed = false;
	if (fl_stream_open(&in, path, err) < 0 ||
	    fl_io_check_input(io, in, err) < 0 ||
	    fl_blocks_open(&blocks, in, lines->workers, &how, err) < 0)
		goto done;
	for (;;) {
		int got = fl_blocks_next(blocks, &block, err);

		/* Also at the input's end: that the output failed while there
		 * was nothing to read is known only now. */
		if (lines->idle_error.code != FL_OK) {
			*err = lines->idle_error;
			result = -1;
			break;
		}
		if (got <= 0) {
			result = got < 0;
			break;
		}
		if (sniff(lines, block, err) < 0)
			break;
		if (take_block(lines, block, err) < 0) {
			result = -1;
			break;
		}
		if (io->tick)
			io->tick(io->tick_arg);
	}
done:
	fl_blocks_close(&blocks);
	fl_stream_close(&in);
	return result;
}

const char *fl_lines_path(const struct fl_lines *lines)
{
	return lines->path;
}

unsigned fl_lines_judges(const struct fl_lines *lines)
{
	return lines->workers + 2;
}

void fl_lines_open(struct fl_lines **out, const struct fl_lines_work *work)
{
	struct fl_lines *lines = fl_zalloc(sizeof(*lines));

	lines->work = work;
	lines->io = work->io;
	lines->workers = work->io->workers ? work->io->workers : 1;
	lines->judges =
		fl_zalloc((fl_lines_judges(lines)) * sizeof(*lines->judges));
	for (unsigned i = 0; i < fl_lines_judges(lines); i++)
		lines->judges[i].who = i;
	pthread_mutex_init(&lines->long_line, NULL);
	*out = lines;
}

void fl_lines_close(struct fl_lines **out)
{
	struct fl_lines *lines = *out;

	*out = NULL;
	if (!lines)
		return;
	pthread_mutex_destroy(&lines->long_line);
	for (unsigned i = 0; i < fl_lines_judges(lines); i++)
		fl_json_release(&lines->judges[i].json);
	free(lines->judges);
	free(lines);
}
