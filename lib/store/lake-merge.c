/* lake-merge: the objects of one partition as one run.
 *
 * Each object is sorted by (ts, key), so a merge puts them in order and brings
 * rows of one key side by side: that in the latest object holds, and parts of a
 * bar become one bar. As long as one object alone has the least time its lines
 * pass without a look at their keys.
 *
 * Memory is one frame an open object. Where there are many, they are opened
 * when their time has come, which for objects that follow each other is one or
 * two; where too many overlap, some are merged into a temporary file first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"
#include "rec/bar.h"
#include "store/lake-read.h"

enum {
	FAN_IN = 24, /* open objects */
	SPOOL_FRAME = 256 << 10,
	EARLY = 3, /* sources whose beginning is asked for before it is time */
};

/* A source that is to be opened later. */
struct fl_lake_start {
	const struct fl_lake_source *source;
	int64_t ts; /* of its first line */
};

/* --- the least line ------------------------------------------------------- */

static bool key_of(struct fl_lake_merge *merge, struct fl_lake_run *run)
{
	struct fl_record rec;

	if (run->keyed)
		return true;
	fl_buf_reset(&run->key);
	if (!fl_lake_run_record(merge->reader, run, &rec))
		return false;
	fl_lake_put_key(&rec, &run->key);
	run->partial = fl_bar_is_partial(&rec);
	run->keyed = true;
	return true;
}

static int compare_bytes(const struct fl_buf *a, const struct fl_buf *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->data, b->data, len) : 0;

	return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

/* Runs of the same time, by (key, order). */
static int compare(struct fl_lake_merge *merge, struct fl_lake_run *a,
		   struct fl_lake_run *b)
{
	int order;

	/* What cannot be parsed goes first, and is dropped there. */
	if (!key_of(merge, a))
		return -1;
	if (!key_of(merge, b))
		return 1;
	order = compare_bytes(&a->key, &b->key);
	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* The run with the least line; NULL at the end. alone: no other one has its
 * time. */
static struct fl_lake_run *least(struct fl_lake_merge *merge, bool *alone)
{
	struct fl_lake_run *best = NULL;

	*alone = true;
	for (size_t i = 0; i < merge->run_count; i++) {
		struct fl_lake_run *run = &merge->runs[i];

		if (!run->bytes)
			continue;
		if (!best || run->ts < best->ts) {
			best = run;
			*alone = true;
		} else if (run->ts == best->ts) {
			*alone = false;
			if (compare(merge, run, best) < 0)
				best = run;
		}
	}
	return best;
}

/* --- spools --------------------------------------------------------------- */

static int open_temporary(struct fl_error *err)
{
	const char *dir = getenv("TMPDIR");
	char *path =
		fl_sprintf("%s/fl-lake-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		fl_error_set(err, FL_ERR_IO, "cannot write '%s': %s", path,
			     strerror(errno));
	else
		unlink(path);
	free(path);
	return fd;
}

static int write_spool(int fd, struct fl_packer *packer, struct fl_buf *text,
		       struct fl_buf *out, struct fl_error *err)
{
	int result;

	fl_buf_reset(out);
	result = fl_packer_add(packer, text->data, text->len, out, err);
	if (result == 0)
		result = fl_write_all(fd, out->data, out->len,
				      "a temporary file", err);
	fl_buf_reset(text);
	return result;
}

/* All lines of the open runs, in order, into the file. */
static int fill_spool(struct fl_lake_merge *merge, int fd, struct fl_error *err)
{
	struct fl_packer *packer = fl_packer_new();
	struct fl_buf text = FL_BUF_INIT, out = FL_BUF_INIT;
	struct fl_lake_run *run;
	bool alone;
	int result = 0;

	while (result == 0 && (run = least(merge, &alone))) {
		fl_buf_printf(&text, "%08zx", run->order);
		fl_buf_append(&text, run->bytes, run->len);
		fl_buf_putc(&text, '\n');
		if (text.len >= SPOOL_FRAME)
			result = write_spool(fd, packer, &text, &out, err);
		if (result == 0)
			result = fl_lake_run_next(merge->reader, run, err);
	}
	if (result == 0 && text.len)
		result = write_spool(fd, packer, &text, &out, err);
	fl_packer_free(packer);
	fl_buf_release(&text);
	fl_buf_release(&out);
	return result;
}

static void drop_ended(struct fl_lake_merge *merge)
{
	size_t left = 0;

	for (size_t i = 0; i < merge->run_count; i++) {
		if (merge->runs[i].bytes)
			merge->runs[left++] = merge->runs[i];
		else
			fl_lake_run_close(merge->reader, &merge->runs[i]);
	}
	merge->run_count = left;
}

/* Too many are open: put objects, or when there are few of them all, into one
 * temporary file. A row is then spooled a few times at most. */
static int spool(struct fl_lake_merge *merge, struct fl_error *err)
{
	struct fl_lake_merge part = *merge;
	size_t spools = 0, first = 0;
	int fd, result;

	for (size_t i = 0; i < merge->run_count; i++) {
		/* Spools to the front. */
		if (merge->runs[i].spooled) {
			struct fl_lake_run run = merge->runs[i];

			merge->runs[i] = merge->runs[spools];
			merge->runs[spools++] = run;
		}
	}
	if (spools < FAN_IN / 2)
		first = spools;
	part.runs = merge->runs + first;
	part.run_count = merge->run_count - first;
	fl_log("%zu objects that overlap are merged into a temporary file",
	       part.run_count);
	fd = open_temporary(err);
	if (fd < 0)
		return -1;
	result = fill_spool(&part, fd, err);
	if (result == 0 && lseek(fd, 0, SEEK_SET) < 0)
		result = fl_error_set(err, FL_ERR_IO,
				      "cannot read a temporary file: %s",
				      strerror(errno));
	for (size_t i = first; i < merge->run_count; i++)
		fl_lake_run_close(merge->reader, &merge->runs[i]);
	merge->run_count = first;
	if (result < 0) {
		close(fd);
		return -1;
	}
	return fl_lake_run_spool(merge->reader,
				 &merge->runs[merge->run_count++], fd, err);
}

/* --- sources -------------------------------------------------------------- */

static struct fl_lake_run *add_run(struct fl_lake_merge *merge)
{
	if (merge->run_count == merge->run_cap) {
		merge->run_cap = merge->run_cap ? 2 * merge->run_cap : 4;
		merge->runs = fl_realloc(merge->runs, merge->run_cap,
					 sizeof(*merge->runs));
	}
	return &merge->runs[merge->run_count++];
}

/* Those behind the i-th will be read soon. */
static void expect_next(struct fl_lake_merge *merge, size_t i)
{
	struct fl_objects *objects = &merge->reader->lake->objects;

	for (size_t end = i + EARLY + 1; ++i < end && i < merge->count;)
		fl_objects_expect(objects, merge->sources[i].path);
}

static int by_start(const void *a, const void *b)
{
	const struct fl_lake_start *left = a, *right = b;

	if (left->ts != right->ts)
		return left->ts < right->ts ? -1 : 1;
	return left->source->order < right->source->order ? -1 : 1;
}

/* When does each source begin? */
static int find_starts(struct fl_lake_merge *merge, struct fl_error *err)
{
	/* What is damaged is told when it is read for good. */
	const struct fl_lake_damage damage = merge->reader->damage;

	merge->waiting = fl_realloc(merge->waiting, merge->count,
				    sizeof(*merge->waiting));
	merge->waiting_count = merge->waiting_at = 0;
	for (size_t i = 0; i < merge->count; i++) {
		struct fl_lake_run run;
		int result;

		expect_next(merge, i);
		result = fl_lake_run_open(merge->reader, &run,
					  &merge->sources[i], err);
		if (result == 0 && run.bytes)
			merge->waiting[merge->waiting_count++] =
				(struct fl_lake_start){ &merge->sources[i],
							run.ts };
		fl_lake_run_close(merge->reader, &run);
		if (result < 0)
			return -1;
	}
	merge->reader->damage = damage;
	if (merge->waiting_count)
		qsort(merge->waiting, merge->waiting_count,
		      sizeof(*merge->waiting), by_start);
	return 0;
}

static void close_runs(struct fl_lake_merge *merge)
{
	for (size_t i = 0; i < merge->run_count; i++)
		fl_lake_run_close(merge->reader, &merge->runs[i]);
	merge->run_count = 0;
	merge->current = NULL;
	merge->waiting_count = merge->waiting_at = 0;
}

int fl_lake_merge_begin(struct fl_lake_merge *merge,
			const struct fl_lake_source *sources, size_t count,
			struct fl_error *err)
{
	close_runs(merge);
	merge->sources = sources;
	merge->count = count;
	if (count > FAN_IN)
		return find_starts(merge, err);
	for (size_t i = 0; i < count; i++) {
		expect_next(merge, i);
		if (fl_lake_run_open(merge->reader, add_run(merge), &sources[i],
				     err) < 0)
			return -1;
	}
	return 0;
}

/* Open what begins no later than the least line of those that are. */
static int open_due(struct fl_lake_merge *merge, struct fl_lake_run **best,
		    bool *alone, struct fl_error *err)
{
	for (;;) {
		const struct fl_lake_start *start =
			merge->waiting + merge->waiting_at;

		*best = least(merge, alone);
		if (merge->waiting_at == merge->waiting_count ||
		    (*best && start->ts > (*best)->ts))
			return 0;
		drop_ended(merge);
		if (merge->run_count >= FAN_IN && spool(merge, err) < 0)
			return -1;
		merge->waiting_at++;
		for (size_t i = merge->waiting_at;
		     i < merge->waiting_count && i < merge->waiting_at + EARLY;
		     i++)
			fl_objects_expect(&merge->reader->lake->objects,
					  merge->waiting[i].source->path);
		if (fl_lake_run_open(merge->reader, add_run(merge),
				     start->source, err) < 0)
			return -1;
	}
}

void fl_lake_merge_release(struct fl_lake_merge *merge)
{
	close_runs(merge);
	free(merge->runs);
	free(merge->waiting);
	fl_buf_release(&merge->line);
	fl_buf_release(&merge->key);
	fl_buf_release(&merge->merged);
	fl_json_release(&merge->json);
	memset(merge, 0, sizeof(*merge));
}

/* --- rows ----------------------------------------------------------------- */

static void stand_on(struct fl_lake_merge *merge, const struct fl_lake_run *run)
{
	merge->bytes = run->bytes;
	merge->len = run->len;
	merge->ts = run->ts;
	merge->order = run->order;
	merge->partial = false;
}

/* Up to which time all parts of a run's pipeline have come. */
static int64_t watermark_of(const struct fl_lake_merge *merge,
			    const struct fl_lake_run *run)
{
	const struct fl_lake_view *view = merge->view;
	const struct fl_lake_source *source = run->source;

	for (size_t i = 0; !source && i < merge->count; i++) {
		if (merge->sources[i].order == run->order)
			source = &merge->sources[i];
	}
	for (size_t i = 0; source && i < view->watermark_count; i++) {
		if (view->watermarks[i].pipeline == source->name.pipeline)
			return view->watermarks[i].ns;
	}
	return FL_TIME_NONE;
}

static void keep_line(struct fl_lake_merge *merge,
		      const struct fl_lake_run *run)
{
	fl_buf_reset(&merge->line);
	fl_buf_append(&merge->line, run->bytes, run->len);
	merge->order = run->order;
	merge->watermark =
		run->partial ? watermark_of(merge, run) : FL_TIME_NONE;
}

/* The line that was kept, as a record. */
static void kept_record(struct fl_lake_merge *merge, struct fl_record *rec)
{
	struct fl_note note;

	*rec = (struct fl_record){ .bytes = merge->line.data,
				   .len = merge->line.len,
				   .input = "" };
	if (fl_record_check(rec, &merge->json, &note) != FL_REASON_NONE)
		FL_BUG("a record that was good is no longer");
}

/* One more part of the bar that was kept. */
static void add_part(struct fl_lake_merge *merge, const struct fl_lake_run *run)
{
	struct fl_record kept, part;
	struct fl_note note = { "", "" };
	int64_t watermark = watermark_of(merge, run);
	struct fl_buf line = merge->line;

	kept_record(merge, &kept);
	if (!fl_lake_run_record(merge->reader, run, &part))
		return;
	fl_buf_reset(&merge->merged);
	if (fl_bar_merge(&kept, &part, &merge->merged, &note) !=
	    FL_REASON_NONE) {
		fl_lake_run_blame(merge->reader, run, note.detail);
		return;
	}
	merge->line = merge->merged;
	merge->merged = line;
	if (watermark < merge->watermark) /* FL_TIME_NONE is the least */
		merge->watermark = watermark;
}

/* Of two rows with one key the second is the later one. */
static void settle(struct fl_lake_merge *merge, bool *partial,
		   const struct fl_lake_run *run)
{
	/* A whole bar is more than parts of it, however late they come. */
	if (run->partial && !*partial)
		return;
	if (run->partial) {
		add_part(merge, run);
		return;
	}
	keep_line(merge, run);
	*partial = false;
}

/* All parts that there are make the bar that readers get. */
static void finish(struct fl_lake_merge *merge)
{
	struct fl_record rec;
	struct fl_buf line = merge->line;

	kept_record(merge, &rec);
	fl_buf_reset(&merge->merged);
	fl_bar_finish(&rec, merge->watermark, &merge->merged);
	merge->line = merge->merged;
	merge->merged = line;
}

/* The least line, and all others with its key. */
static int take_group(struct fl_lake_merge *merge, struct fl_lake_run *run,
		      struct fl_error *err)
{
	bool partial, alone;

	if (!key_of(merge, run)) {
		if (fl_lake_run_next(merge->reader, run, err) < 0)
			return -1;
		return 0;
	}
	partial = run->partial;
	fl_buf_reset(&merge->key);
	fl_buf_append(&merge->key, run->key.data, run->key.len);
	stand_on(merge, run);
	keep_line(merge, run);
	for (;;) {
		if (fl_lake_run_next(merge->reader, run, err) < 0 ||
		    open_due(merge, &run, &alone, err) < 0)
			return -1;
		if (!run || run->ts != merge->ts)
			break;
		if (!key_of(merge, run))
			continue;
		if (compare_bytes(&run->key, &merge->key) != 0)
			break;
		settle(merge, &partial, run);
	}
	merge->partial = partial;
	if (partial)
		finish(merge);
	merge->bytes = merge->line.data;
	merge->len = merge->line.len;
	return 1;
}

int fl_lake_merge_next(struct fl_lake_merge *merge, struct fl_error *err)
{
	struct fl_lake_run *run;
	bool alone;
	int got;

	if (merge->current &&
	    fl_lake_run_next(merge->reader, merge->current, err) < 0)
		return -1;
	merge->current = NULL;
	do {
		if (open_due(merge, &run, &alone, err) < 0)
			return -1;
		if (!run)
			return 0;
		/* In one object no key stands twice. */
		if (alone && !run->spooled && !run->source->part.partial) {
			stand_on(merge, run);
			merge->current = run;
			return 1;
		}
		got = take_group(merge, run, err);
	} while (got == 0);
	return got;
}

bool fl_lake_merge_extend(struct fl_lake_merge *merge, int64_t before,
			  const char **bytes, size_t *len, uint64_t *lines)
{
	struct fl_lake_run *run = merge->current;

	if (!run)
		return false;
	for (size_t i = 0; i < merge->run_count; i++) {
		const struct fl_lake_run *other = &merge->runs[i];

		if (other != run && other->bytes && other->ts < before)
			before = other->ts;
	}
	if (merge->waiting_at < merge->waiting_count &&
	    merge->waiting[merge->waiting_at].ts < before)
		before = merge->waiting[merge->waiting_at].ts;
	if (!fl_lake_run_extend(run, before, lines))
		return false;
	stand_on(merge, run);
	*bytes = run->block;
	*len = run->block_len;
	return true;
}
