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
#include "base/time.h"
#include "store/lake-read.h"

enum {
	ORDER_SIZE = 8, /* hex digits before a line of a spool */
};

static void note_damage(struct fl_lake_reader *reader,
			const struct fl_lake_run *run, uint64_t at,
			uint64_t len, const char *why)
{
	struct fl_lake_damage *damage = &reader->damage;
	char *text = fl_sprintf("'%s%s' is damaged at byte %llu: %llu bytes "
				"passed over (%s)",
				reader->lake->folder.place,
				run->source ? run->source->path : "a spool",
				(unsigned long long)at, (unsigned long long)len,
				why);

	fl_log("%s", text);
	if (damage->count++ == 0)
		snprintf(damage->first, sizeof(damage->first), "%s", text);
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
};

static int look_for_same(void *arg, const char *text)
{
	struct same *same = arg;
	struct fl_lake_name name;

	if (same->found || !fl_lake_read_name(text, &name) ||
	    name.content.lo != same->name->content.lo ||
	    name.content.hi != same->name->content.hi)
		return 0;
	same->found = fl_strdup(text);
	return 0;
}

/* Somebody has loaded the very same records again: it got a later stamp. */
static int open_same(struct fl_folder *folder,
		     const struct fl_lake_source *source, struct fl_error *err)
{
	char *dir =
		fl_strndup(source->path,
			   (size_t)(strrchr(source->path, '/') - source->path));
	struct same same = { &source->name, NULL };
	char *path;
	int fd = -1;

	if (fl_folder_list(folder, dir, look_for_same, &same, err) == 0 &&
	    same.found) {
		path = fl_sprintf("%s/%s", dir, same.found);
		fd = fl_folder_read(folder, path, err);
		free(path);
	}
	free(same.found);
	free(dir);
	return fd;
}

/* -1 with err.code FL_OK: it is not there any more */
static int open_source(struct fl_folder *folder,
		       const struct fl_lake_source *source,
		       struct fl_error *err)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int fd = fl_folder_read(folder, source->path, err);

	if (fd < 0 && err->code == FL_OK && source->from) {
		fd = fl_folder_read(folder, source->from, err);
		if (fd < 0 && err->code == FL_OK) /* published just now */
			fd = fl_folder_read(folder, source->path, err);
	}
	/* It may move on once more while the folder is listed, and a listing
	 * may miss what moves. */
	for (int look = 0; look < LOOKS && fd < 0 && err->code == FL_OK;
	     look++) {
		if (look > 1)
			nanosleep(&pause, NULL);
		fd = open_same(folder, source, err);
	}
	return fd;
}

int fl_lake_run_open(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     const struct fl_lake_source *source, struct fl_error *err)
{
	memset(run, 0, sizeof(*run));
	run->source = source;
	run->order = source->order;
	run->frames.fd = open_source(&reader->lake->folder, source, err);
	if (run->frames.fd >= 0)
		return fl_lake_run_next(reader, run, err);
	if (err->code != FL_OK)
		return -1;
	/* The newest commit names it, and it was removed since: partitions may
	 * be. */
	if (source->from) {
		fl_log("'%s%s' was removed", reader->lake->folder.place,
		       source->path);
		return 0;
	}
	return fl_error_set(err, FL_ERR_AGAIN,
			    "'%s%s' was removed while it was to be read",
			    reader->lake->folder.place, source->path);
}

int fl_lake_run_spool(struct fl_lake_reader *reader, struct fl_lake_run *run,
		      int fd, struct fl_error *err)
{
	memset(run, 0, sizeof(*run));
	run->frames.fd = fd;
	run->spooled = true;
	return fl_lake_run_next(reader, run, err);
}

void fl_lake_run_close(struct fl_lake_run *run)
{
	if (run->frames.fd >= 0)
		close(run->frames.fd);
	run->frames.fd = -1;
	fl_frames_release(&run->frames);
	fl_buf_release(&run->key);
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
static bool read_ts(const struct fl_lake_run *run, int64_t *ts)
{
	static const char before[] = "\",\"ts\":\"";
	const char *end = run->bytes + run->len, *p, *quote;

	p = memchr(run->bytes + 9, '"', 40);
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
	if (run->len > 100 && read_ts(run, &run->ts))
		return true;
	if (!fl_lake_run_record(reader, run, &rec))
		return false;
	run->ts = rec.ts_ns;
	return true;
}

/* returns 1 there is one, 0 at the end, -1 */
static int next_frame(struct fl_lake_reader *reader, struct fl_lake_run *run,
		      struct fl_error *err)
{
	for (;;) {
		int got = fl_frames_next(&run->frames, reader->unpacker, err);

		run->at = 0;
		if (got == 2) {
			note_damage(reader, run, run->frames.bad_at,
				    run->frames.bad_len, run->frames.why);
			continue;
		}
		if (got < 0)
			return fl_error_wrap(err, "cannot read '%s%s'",
					     reader->lake->folder.place,
					     run->source ? run->source->path
							 : "a spool");
		return got;
	}
}

int fl_lake_run_next(struct fl_lake_reader *reader, struct fl_lake_run *run,
		     struct fl_error *err)
{
	run->keyed = false;
	run->bytes = NULL;
	while (run->frames.fd >= 0) {
		const char *start = run->frames.out.data + run->at, *lf;
		int got;

		if (run->at < run->frames.out.len) {
			size_t left = run->frames.out.len - run->at;

			lf = memchr(start, '\n', left);
			run->bytes = start;
			run->len = lf ? (size_t)(lf - start) : left;
			run->at += run->len + 1;
			if (take_line(reader, run))
				return 0;
			run->bytes = NULL;
			continue;
		}
		got = next_frame(reader, run, err);
		if (got < 0)
			return -1;
		if (got == 0)
			fl_lake_run_close(run);
	}
	return 0;
}
