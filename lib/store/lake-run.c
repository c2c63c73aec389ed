/* lake-run: one object of a lake, line by line.
 *
 * Lines are ours and canonical, so the time is read at its place and nothing
 * else of the line is looked at, unless somebody asks. What is not so (a file
 * that was put there by hand) is parsed; what cannot be is damage: told, with
 * the object and the place, and passed over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/reference.h"
#include "base/time.h"
#include "store/lake-read.h"

enum {
	ORDER_SIZE = 8, /* hex digits before a line of a spool */
	/* What many slices have that lost their notes: not what we have made.
	 */
	SLICE_MAX = 128 << 20,
	BLOCK = 256 << 10, /* lines of a slice that are given at once */
};

static void note_damage(struct fl_lake_reader *reader,
			const struct fl_lake_run *run, uint64_t at,
			uint64_t len, const char *why)
{
	struct fl_lake_damage *damage = &reader->damage;
	char *text = fl_sprintf("'%s%s' is damaged at byte %llu: %llu bytes "
				"passed over (%s)",
				reader->lake->objects.place,
				run->source ? run->source->path : "a spool",
				(unsigned long long)at, (unsigned long long)len,
				why);

	fl_log("%s", text);
	if (damage->count++ == 0)
		snprintf(damage->first, sizeof(damage->first), "%s", text);
	if (damage->tell)
		damage->tell(damage->arg, text);
	free(text);
}

void fl_lake_run_blame(struct fl_lake_reader *reader,
		       const struct fl_lake_run *run, const char *why)
{
	note_damage(reader, run, run->frames.at, run->len, why);
}

/* --- opening -------------------------------------------------------------- */

enum {
	LOOKS = 20, /* for an object that has moved on */
};

struct same {
	const struct fl_lake_name *name;
	char *found;
	char *cover; /* what compaction has put in its place, and in that of
		      * others; of several the first */
	int64_t cover_stamp;
};

static int look_for_same(void *arg, const char *text)
{
	struct same *same = arg;
	struct fl_lake_name name;

	if (same->found || !fl_lake_read_name(text, &name))
		return 0;
	if (name.content.lo == same->name->content.lo &&
	    name.content.hi == same->name->content.hi) {
		same->found = fl_strdup(text);
	} else if (name.pipeline == FL_LAKE_COMPACTED &&
		   name.stamp >= same->name->stamp &&
		   (!same->cover || name.stamp < same->cover_stamp)) {
		free(same->cover);
		same->cover = fl_strdup(text);
		same->cover_stamp = name.stamp;
	}
	return 0;
}

/* Does the reader see that object as well? */
static bool is_seen(const struct fl_lake_reader *reader, const char *path)
{
	const struct fl_lake_view *view = reader->view;

	for (size_t i = 0; view && i < view->count; i++) {
		if (view->sources[i].listed &&
		    strcmp(view->sources[i].path, path) == 0)
			return true;
	}
	return false;
}

/* What was found in place of an object that is not at its place. */
struct found {
	struct fl_lake_name name;
	bool covers; /* it holds rows of others as well */
	bool seen;   /* and is read anyhow */
};

/* Somebody has loaded the very same records again: it got a later stamp. Or it
 * was compacted; what is there now holds rows of others as well, and of one key
 * the last of all, which the merge takes once.
 * returns  1, 0 it is not there, or need not be read again, -1 */
static int open_same(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     struct found *found, struct fl_error *err)
{
	struct fl_objects *objects = &reader->lake->objects;
	const struct fl_lake_source *source = run->source;
	char *dir =
		fl_strndup(source->path,
			   (size_t)(strrchr(source->path, '/') - source->path));
	struct same same = { .name = &source->name };
	char *path;
	int got = fl_objects_list(objects, dir, look_for_same, &same, err);

	if (got == 0 && (same.found || same.cover)) {
		const char *name = same.found ? same.found : same.cover;

		path = fl_sprintf("%s/%s", dir, name);
		found->covers = !same.found;
		/* What a commit names was compacted before we looked. */
		found->seen = source->from && is_seen(reader, path);
		fl_lake_read_name(name, &found->name);
		if (!found->seen)
			got = fl_objects_get(objects, path, &run->in, err);
		free(path);
	}
	free(same.found);
	free(same.cover);
	free(dir);
	return got;
}

/* Open its object, wherever that is now.
 * returns  1, 0 it is not there any more, or seen elsewhere, -1 */
static int open_source(struct fl_lake_reader *reader, struct fl_lake_run *run,
		       struct found *found, struct fl_error *err)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	const struct fl_lake_source *source = run->source;
	struct fl_objects *objects = &reader->lake->objects;
	int got = fl_objects_get(objects, source->path, &run->in, err);

	*found = (struct found){ .name = source->name };
	if (got == 0 && source->from) {
		got = fl_objects_get(objects, source->from, &run->in, err);
		if (got == 0) /* published just now */
			got = fl_objects_get(objects, source->path, &run->in,
					     err);
	}
	/* It may move on once more while the folder is listed, and a listing
	 * may miss what moves. */
	for (int look = 0; look < LOOKS && got == 0 && !found->seen; look++) {
		if (look > 1)
			nanosleep(&pause, NULL);
		got = open_same(reader, run, found, err);
	}
	if (got <= 0)
		return got;
	fl_objects_frames(objects, run->in, &run->frames);
	run->open = true;
	run->at = 0;
	run->noted = false;
	run->sliced =
		found->name.pipeline == FL_LAKE_COMPACTED && !reader->loose;
	run->frames.notes = run->frames.gathers = run->sliced;
	run->whole = true;
	run->content = (struct fl_hash128){ 0, 0 };
	run->wanted = found->name.content;
	/* Of few rows not much more than a note is to be read at first. */
	if (run->sliced && reader->query)
		fl_frames_seek(&run->frames, 0, FL_LAKE_NOTE_GUESS);
	return 1;
}

int fl_lake_run_open(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     const struct fl_lake_source *source, struct fl_error *err)
{
	struct found found;
	int got;

	memset(run, 0, sizeof(*run));
	run->source = source;
	run->order = source->order;
	got = open_source(reader, run, &found, err);
	if (got < 0)
		return -1;
	if (got > 0)
		return fl_lake_run_next(reader, run, err);
	/* The newest commit names it, and it was removed since: partitions may
	 * be. */
	if (source->from) {
		fl_log("'%s%s' %s", reader->lake->objects.place, source->path,
		       found.seen ? "was compacted" : "was removed");
		return 0;
	}
	return fl_error_set(err, FL_ERR_AGAIN,
			    "'%s%s' was removed while it was to be read",
			    reader->lake->objects.place, source->path);
}

int fl_lake_run_spool(struct fl_lake_reader *reader, struct fl_lake_run *run,
		      int fd, struct fl_error *err)
{
	memset(run, 0, sizeof(*run));
	run->frames.fd = fd;
	run->open = run->spooled = true;
	return fl_lake_run_next(reader, run, err);
}

void fl_lake_run_close(struct fl_lake_reader *reader, struct fl_lake_run *run)
{
	if (run->open && run->spooled)
		close(run->frames.fd);
	fl_objects_end(&reader->lake->objects, &run->in);
	run->open = false;
	fl_frames_release(&run->frames);
	fl_lake_slice_release(&run->slice);
	fl_buf_release(&run->last);
	fl_buf_release(&run->put_together);
	fl_buf_release(&run->key);
	fl_buf_release(&run->behind_key);
	run->bytes = NULL;
}

/* --- lines ---------------------------------------------------------------- */

bool fl_lake_run_record(struct fl_lake_reader *reader,
			const struct fl_lake_run *run, struct fl_record *rec)
{
	struct fl_note note = { "", "" };

	*rec = (struct fl_record){ .bytes = run->bytes,
				   .len = run->len,
				   .input = "" };
	if (fl_record_check(rec, &reader->json, &note) == FL_REASON_NONE &&
	    (!run->source || rec->type == run->source->part.type))
		return true;
	note_damage(reader, run, run->frames.at, run->len,
		    *note.detail ? note.detail : "a record of another type");
	return false;
}

/* The time of {"type":"quote","ts":"2026-…Z", … */
static bool read_ts(const char *line, size_t len, int64_t *ts)
{
	static const char before[] = "\",\"ts\":\"";
	const char *end = line + len, *p, *quote;

	if (!FL_SHORTCUTS || len <= 100)
		return false;
	p = memchr(line + 9, '"', 40);
	if (!p || (size_t)(end - p) < sizeof(before) + 31 ||
	    memcmp(p, before, sizeof(before) - 1) != 0)
		return false;
	p += sizeof(before) - 1;
	quote = memchr(p, '"', 31);
	return quote && fl_time_parse(p, (size_t)(quote - p), ts) == FL_TIME_OK;
}

static bool read_order(struct fl_lake_run *run)
{
	char digits[ORDER_SIZE + 1];

	if (!run->spooled)
		return true;
	if (run->len < ORDER_SIZE)
		return false;
	memcpy(digits, run->bytes, ORDER_SIZE);
	digits[ORDER_SIZE] = '\0';
	run->order = strtoul(digits, NULL, 16);
	run->bytes += ORDER_SIZE;
	run->len -= ORDER_SIZE;
	return true;
}

/* Is the line that bytes[len] now holds one to stand on? */
static bool take_line(struct fl_lake_reader *reader, struct fl_lake_run *run)
{
	struct fl_record rec;

	if (run->len == 0 || !read_order(run))
		return false;
	if (read_ts(run->bytes, run->len, &run->ts))
		return true;
	if (!fl_lake_run_record(reader, run, &rec))
		return false;
	run->ts = rec.ts_ns;
	return true;
}

/* --- an object that goes away ----------------------------------------------
 */

/* The last line that it gave: that before the slice, or it still stands in the
 * frame. */
static void last_line(struct fl_lake_run *run, struct fl_lake_run *last)
{
	const struct fl_buf *out = &run->frames.out;
	const char *lf;

	last->bytes = run->last.data;
	last->len = run->last.len;
	if (run->sliced || out->len < 2)
		return;
	lf = memrchr(out->data, '\n', out->len - 1);
	last->bytes = lf ? lf + 1 : out->data;
	last->len = (size_t)(out->data + out->len - 1 - last->bytes);
}

static bool note_last(struct fl_lake_reader *reader, struct fl_lake_run *run)
{
	struct fl_lake_run last = { .source = run->source };
	struct fl_record rec;

	last_line(run, &last);
	if (last.bytes != run->last.data) {
		fl_buf_reset(&run->last);
		fl_buf_append(&run->last, last.bytes, last.len);
		last.bytes = run->last.data;
	}
	if (!last.len || !fl_lake_run_record(reader, &last, &rec))
		return false;
	run->behind_ts = rec.ts_ns;
	fl_buf_reset(&run->behind_key);
	fl_lake_put_key(&rec, &run->behind_key);
	return true;
}

/* It was removed while we read it: on S3 there is no descriptor that keeps it.
 * Its rows are somewhere else, among others or alone. */
static int go_on(struct fl_lake_reader *reader, struct fl_lake_run *run,
		 struct fl_error *err)
{
	struct fl_objects *objects = &reader->lake->objects;
	struct fl_error gone = *err;
	bool any = note_last(reader, run);
	struct found found;
	int got;

	fl_objects_end(objects, &run->in);
	fl_frames_release(&run->frames);
	fl_lake_slice_empty(&run->slice);
	fl_error_clear(err);
	got = open_source(reader, run, &found, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return fl_error_set(err, gone.code, "%s", gone.text);
	fl_log("'%s%s' was removed while it was read; going on elsewhere",
	       objects->place, run->source->path);
	run->skip = found.covers ? 0 : run->lines;
	run->behind = found.covers && any;
	run->lines = 0;
	return 0;
}

/* Was the line given before? */
static bool is_behind(struct fl_lake_reader *reader, struct fl_lake_run *run)
{
	struct fl_buf key = FL_BUF_INIT;
	struct fl_record rec;
	size_t len;
	int order = -1;

	if (run->ts != run->behind_ts) {
		run->behind = run->ts < run->behind_ts;
		return run->behind;
	}
	if (fl_lake_run_record(reader, run, &rec)) {
		fl_lake_put_key(&rec, &key);
		len = key.len < run->behind_key.len ? key.len
						    : run->behind_key.len;
		order = len ? memcmp(key.data, run->behind_key.data, len) : 0;
		if (order == 0 && key.len > run->behind_key.len)
			order = 1;
		fl_buf_release(&key);
	}
	run->behind = order <= 0;
	return run->behind;
}

/* A frame of what was read whole so far. */
static void hash_frame(struct fl_lake_run *run)
{
	if (run->whole && !run->spooled)
		run->content =
			fl_hash128(run->frames.out.data + run->frames.out_at,
				   run->frames.out.len - run->frames.out_at,
				   run->content.lo ^ run->content.hi);
}

/* Frames may be missing without a trace: at the end, or between others. */
static void check_content(struct fl_lake_reader *reader,
			  struct fl_lake_run *run)
{
	if (run->whole && !run->spooled &&
	    (run->content.lo != run->wanted.lo ||
	     run->content.hi != run->wanted.hi))
		note_damage(reader, run, run->frames.at, 0,
			    "its records are not those that its name stands "
			    "for; some may be missing");
	run->whole = false;
}

/* returns as fl_frames_next, but 2 only where a note says what is wanted next,
 *         and 4 when it goes on elsewhere */
static int next_frame(struct fl_lake_reader *reader, struct fl_lake_run *run,
		      struct fl_error *err)
{
	for (;;) {
		int got = fl_frames_next(&run->frames, reader->unpacker, err);

		run->at = 0;
		if (got == 2) {
			note_damage(reader, run, run->frames.bad_at,
				    run->frames.bad_len, run->frames.why);
			run->slice.sure = false;
			run->whole = false;
			/* The one that is wanted next may be farther on. */
			if (run->noted)
				return 2;
			continue;
		}
		if (got < 0 && run->in &&
		    fl_objects_is_gone(&reader->lake->objects, run->in))
			return go_on(reader, run, err) < 0 ? -1 : 4;
		if (got < 0 && run->spooled)
			fl_error_wrap(err, "cannot read a temporary file");
		if (got == 1)
			hash_frame(run);
		else if (got == 0)
			check_content(reader, run);
		return got;
	}
}

/* The next line of a frame that came. returns false: there is none */
static bool cut_line(struct fl_lake_run *run)
{
	const char *start = run->frames.out.data + run->at, *lf;
	size_t left = run->frames.out.len - run->at;

	if (run->at >= run->frames.out.len)
		return false;
	lf = memchr(start, '\n', left);
	run->bytes = start;
	run->len = lf ? (size_t)(lf - start) : left;
	run->at += run->len + 1;
	return true;
}

/* --- slices ----------------------------------------------------------------
 */

/* All frames that are wanted up to the next note, or the end, into the text. */
static int gather(struct fl_lake_reader *reader, struct fl_lake_run *run,
		  struct fl_error *err)
{
	struct fl_lake_slice *slice = &run->slice;

	for (;;) {
		int got;

		if (run->noted && !fl_lake_slice_seek(slice, &run->frames)) {
			run->noted = false;
			run->whole = run->whole && !slice->picked;
			if (run->frames.out.len)
				return 1;
		}
		got = next_frame(reader, run, err);
		if (got < 0)
			return -1;
		if (got == 4)
			return 1;
		if (got == 0)
			return run->frames.out.len > 0;
		if (run->frames.out.len > SLICE_MAX)
			return fl_error_set(
				err, FL_ERR_DATA,
				"'%s%s' is no object that compaction has made",
				reader->lake->objects.place, run->source->path);
		if (got != 3)
			continue;
		run->noted = fl_lake_slice_note(
			slice, run->frames.note.data, run->frames.note.len,
			run->frames.at, run->source->part.type, reader->query);
		if (!run->noted)
			note_damage(reader, run, run->frames.at,
				    run->frames.note.len,
				    "the note of a slice");
		if (run->frames.out.len)
			return 1;
	}
}

/* The lines of the text into the order of time. */
static void put_in_order(struct fl_lake_reader *reader, struct fl_lake_run *run)
{
	struct fl_lake_slice *slice = &run->slice;
	const char *start = run->frames.out.data;
	size_t at = 0;

	while (at < run->frames.out.len) {
		const char *lf =
			memchr(start + at, '\n', run->frames.out.len - at);

		run->bytes = start + at;
		run->len = lf ? (size_t)(lf - run->bytes)
			      : run->frames.out.len - at;
		if (take_line(reader, run))
			fl_lake_slice_add(slice, run->ts, at, run->len);
		at += run->len + 1;
	}
	run->bytes = NULL;
	fl_lake_slice_sort(slice);
}

/* returns 1 there is one, 0 at the end, -1 */
static int next_slice(struct fl_lake_reader *reader, struct fl_lake_run *run,
		      struct fl_error *err)
{
	struct fl_lake_slice *slice = &run->slice;
	int got;

	if (slice->count) {
		const struct fl_lake_line *line =
			&slice->lines[slice->count - 1];

		fl_buf_reset(&run->last);
		fl_buf_append(&run->last, run->frames.out.data + line->at,
			      line->len);
	}
	fl_buf_reset(&run->frames.out);
	fl_lake_slice_empty(slice);
	got = gather(reader, run, err);
	if (got > 0 && run->sliced)
		put_in_order(reader, run);
	return got;
}

/* Stand on the next line of what was read. returns false: there is none */
static bool step(struct fl_lake_reader *reader, struct fl_lake_run *run)
{
	struct fl_lake_slice *slice = &run->slice;

	while (run->sliced ? slice->given < slice->count : cut_line(run)) {
		if (run->sliced) {
			const struct fl_lake_line *line =
				&slice->lines[slice->given++];

			run->bytes = run->frames.out.data + line->at;
			run->len = line->len;
			run->ts = line->ts;
		}
		run->lines++;
		if (run->skip)
			run->skip--;
		else if ((run->sliced || take_line(reader, run)) &&
			 !(run->behind && is_behind(reader, run)))
			return true;
	}
	run->bytes = NULL;
	return false;
}

int fl_lake_run_next(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     struct fl_error *err)
{
	run->keyed = false;
	run->bytes = NULL;
	while (run->open && !step(reader, run)) {
		int got = run->sliced ? next_slice(reader, run, err)
				      : next_frame(reader, run, err);

		if (got < 0)
			return -1;
		if (got == 0)
			fl_lake_run_close(reader, run);
	}
	return 0;
}

/* --- many lines at once ----------------------------------------------------
 */

/* What is behind the LF at or after p; end when there is none. */
static const char *next_line(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf ? lf + 1 : end;
}

/* Where in start…end, which is whole lines in the order of time, the first one
 * stands that is not before that time; the first line is. NULL: a line has no
 * time at its place. */
static const char *find_bound(const char *start, const char *end,
			      int64_t before)
{
	const char *low = start, *high = end;
	int64_t ts;

	/* All of it, most often. */
	low = memrchr(start, '\n', (size_t)(end - start) - 1);
	low = low ? low + 1 : start;
	if (!read_ts(low, (size_t)(end - low - 1), &ts))
		return NULL;
	if (ts < before)
		return end;
	high = low;
	low = start;
	while (low < high) {
		const char *middle = next_line(low + (high - low) / 2, high);
		const char *behind;

		if (middle == high) /* the last one: from its beginning */
			middle = low;
		behind = next_line(middle, high);
		if (!read_ts(middle, (size_t)(behind - middle - 1), &ts))
			return NULL;
		if (ts < before)
			low = behind;
		else if (middle == low)
			return low;
		else
			high = middle;
	}
	return high;
}

/* Lines of start…end, all of which begin as records of the type do; 0: not all.
 */
static uint64_t count_lines(const char *start, const char *end,
			    const struct fl_type *type)
{
	char head[64];
	size_t len = (size_t)snprintf(head, sizeof(head),
				      "{\"type\":\"%s\",\"ts\":\"", type->name);
	uint64_t lines = 0;

	while (start < end) {
		const char *behind = next_line(start, end);

		if ((size_t)(behind - start) < len + 3 || behind[-1] != '\n' ||
		    behind[-2] != '}' || memcmp(start, head, len) != 0)
			return 0;
		start = behind;
		lines++;
	}
	return lines;
}

static bool extend_frame(struct fl_lake_run *run, int64_t before,
			 uint64_t *lines)
{
	const char *text = run->frames.out.data;
	const char *start = run->bytes, *end = text + run->frames.out.len;

	if (text + run->at != start + run->len + 1 || end[-1] != '\n')
		return false;
	end = find_bound(start, end, before);
	*lines = end ? count_lines(start, end, run->source->part.type) : 0;
	if (*lines < 2)
		return false;
	run->at = (size_t)(end - text);
	run->block = start;
	run->block_len = (size_t)(end - start);
	start = memrchr(start, '\n', run->block_len - 1);
	run->bytes = start + 1;
	run->len = (size_t)(end - run->bytes) - 1;
	return read_ts(run->bytes, run->len, &run->ts);
}

/* A slice stands in another order, so its lines are put together. */
static bool extend_slice(struct fl_lake_run *run, int64_t before,
			 uint64_t *lines)
{
	struct fl_lake_slice *slice = &run->slice;
	struct fl_buf *block = &run->put_together;
	const struct fl_lake_line *line = &slice->lines[slice->given - 1];

	fl_buf_reset(block);
	for (;;) {
		fl_buf_append(block, run->frames.out.data + line->at,
			      line->len);
		fl_buf_putc(block, '\n');
		++*lines;
		if (slice->given == slice->count || block->len >= BLOCK ||
		    slice->lines[slice->given].ts >= before)
			break;
		line = &slice->lines[slice->given++];
	}
	run->ts = line->ts;
	run->bytes = run->frames.out.data + line->at;
	run->len = line->len;
	run->block = block->data;
	run->block_len = block->len;
	return true;
}

bool fl_lake_run_extend(struct fl_lake_run *run, int64_t before,
			uint64_t *lines)
{
	bool more = FL_SHORTCUTS && !run->spooled && !run->skip &&
		    !run->behind && run->ts < before;

	*lines = 0;
	if (more)
		more = run->sliced ? extend_slice(run, before, lines)
				   : extend_frame(run, before, lines);
	if (!more)
		*lines = 0;
	else
		run->lines += *lines - 1;
	return more;
}
