/* logs_file: see file.h.
 *
 * A position is the count of lines taken, blank and refused ones among them.
 * It is given only where the second changes, or where nothing comes for now:
 * ids number the equal lines of a second.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/reject.h"
#include "io/stream.h"
#include "source/log/seek.h"

#define QUIET_NS (2 * FL_SECOND)

enum {
	TICK_LINES = 8192,
};

static const char *show(const struct fl_logs_file *file)
{
	return fl_show(file->path, strlen(file->path), 200);
}

static void tell(const struct fl_logs_file *file, const char *what)
{
	char text[400];

	if (!file->ask->tell)
		return;
	snprintf(text, sizeof(text), "'%s' %s", show(file), what);
	file->ask->tell(file->ask->tell_arg, text);
}

/* --- parts --- */

/* Items name origins until the end. */
static char *keep_origin(struct fl_logs_file *file, const char *origin)
{
	for (size_t i = 0; i < file->origin_count; i++)
		if (strcmp(file->origins[i], origin) == 0)
			return file->origins[i];
	file->origins = fl_realloc(file->origins, file->origin_count + 1,
				   sizeof(*file->origins));
	return file->origins[file->origin_count++] = fl_strdup(origin);
}

static void end_part(struct fl_logs_file *file)
{
	fl_logs_lines_close(&file->lines);
	if (file->parsing)
		fl_logs_parser_release(&file->parser);
	file->parsing = false;
	file->part = NULL;
	file->idle = false;
	file->quiet_ns = 0;
}

static int begin_part(struct fl_logs_file *file, struct fl_error *err)
{
	struct fl_logs_part *part = &file->parts.items[file->parts.next++];

	file->part = part;
	if (fl_logs_lines_open(&file->lines, part->path, file->job->io, err) <
		    0 ||
	    fl_logs_lines_stat(file->lines, &file->inode, err) < 0)
		return -1;
	fl_logs_parser_init(&file->parser, file->job,
			    file->inode.regular ? file->inode.changed_ns
						: FL_TIME_NONE);
	file->parsing = true;
	file->start = part->start;
	file->taken = file->given = 0;
	file->warm_from = FL_TIME_NONE;
	if (part->start && part->record_time != FL_TIME_NONE &&
	    file->ask->marked)
		file->warm_from = part->record_time - file->ask->warm_up_ns;
	if (fl_logs_seek(file, err) < 0)
		return -1;
	file->given = file->start;
	return 0;
}

/* Messages call the log as the user does. */
static void name_part(const struct fl_logs_file *file,
		      struct fl_logs_parts *parts)
{
	struct fl_logs_part *last = &parts->items[parts->count - 1];

	free(last->path);
	last->path = fl_strdup(file->path);
}

/* The store's positions lead to parts; a log that is new is its only one. */
static int find_parts(struct fl_logs_file *file, struct fl_error *err)
{
	const struct fl_ask *ask = file->ask;
	const struct fl_start *lost;
	char why[120];

	if (fl_logs_history(file->real, ask->starts,
			    ask->marked ? ask->start_count : 0, &file->parts,
			    &lost, why, err) < 0)
		return -1;
	name_part(file, &file->parts);
	return lost ? fl_ask_moved(ask, lost, why, err) : 0;
}

/* What was read so far is rotated away or was cut: find its rest, and go on
 * with what stands under the name now. */
static int find_next(struct fl_logs_file *file, const char *what,
		     struct fl_error *err)
{
	const struct fl_start *lost;
	struct fl_start start = { .record_time = FL_TIME_NONE };
	struct fl_logs_parts parts;
	char pos[24], why[120], *origin = NULL;

	snprintf(pos, sizeof(pos), "%llu", (unsigned long long)file->taken);
	if (file->part->origin)
		origin = fl_strdup(file->part->origin);
	start.origin = origin;
	start.pos = pos;
	if (fl_logs_history(file->real, &start, origin != NULL, &parts, &lost,
			    why, err) < 0) {
		free(origin);
		return -1;
	}
	end_part(file);
	fl_logs_parts_release(&file->parts);
	file->parts = parts;
	name_part(file, &file->parts);
	/* The log alone: it is read from its beginning. */
	if (lost)
		tell(file, what);
	free(origin);
	return 0;
}

static int origin_of(struct fl_logs_file *file, struct fl_error *err)
{
	if (file->part->origin || !file->real ||
	    (!file->ask->marked && !file->follow))
		return 0;
	return fl_logs_origin(file->real, file->part->path, &file->part->origin,
			      err);
}

/* --- rotation --- */

/* The end was reached: before anything more is read, is it still the file that
 * stands under the name? One that was cut and written anew may be longer by now
 * than what was read of the old one: its beginning tells.
 * returns 0 it is, and there is nothing new; 1 there is; 3 other parts are to
 *         be read; -1 */
static int look(struct fl_logs_file *file, struct fl_error *err)
{
	int64_t now = fl_monotonic_ns();
	uint64_t read = fl_logs_lines_read(file->lines);
	struct stat st;
	int result;

	if (stat(file->real, &st) < 0)
		return 1; /* between its renaming and its successor */
	if (st.st_dev != file->inode.dev || st.st_ino != file->inode.ino) {
		/* Who writes may have the old one open for a while. */
		if (!file->quiet_ns)
			file->quiet_ns = now;
		if (now - file->quiet_ns < QUIET_NS)
			return 1;
		result = find_next(file,
				   "was rotated away and is not beside it; "
				   "lines written to it from now on are lost",
				   err);
		return result < 0 ? -1 : 3;
	}
	if ((uint64_t)st.st_size == read)
		return 0;
	if ((uint64_t)st.st_size > read &&
	    (!file->part->origin ||
	     fl_logs_same(file->real, file->part->origin))) {
		/* Years are told by when the log was written last. */
		file->parser.times.file_ns =
			st.st_mtim.tv_sec * FL_SECOND + st.st_mtim.tv_nsec;
		return 1;
	}
	result = find_next(file,
			   "was cut, and no copy of it is beside it: lines "
			   "that were not read by then are lost",
			   err);
	return result < 0 ? -1 : 3;
}

/* --- lines --- */

static int refuse(struct fl_logs_file *file, const struct fl_logs_line *line,
		  struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = file->made.reason,
		.note = &file->made.note,
		.input = file->path,
		.line = line->number,
		.raw = line->text,
		.raw_len = line->len,
		.raw_bytes = line->whole,
	};

	return fl_reject(file->job->io, &reject, err);
}

/* May a position be given, and is `pos` a new one? */
static bool moves(const struct fl_logs_file *file, uint64_t pos)
{
	return file->ask->marked && file->part->origin && pos > file->given;
}

/* What was refused behind the last record need not be read again. */
static bool give_position(struct fl_logs_file *file, uint64_t pos,
			  struct fl_item *item)
{
	if (!moves(file, pos))
		return false;
	*item = (struct fl_item){
		.origin = keep_origin(file, file->part->origin),
		.pos = pos,
	};
	file->given = pos;
	return true;
}

/* Give the record that is held. `pos`: how far all is given by then; 0: its
 * second is not over, and no mark may come. */
static int give_held(struct fl_logs_file *file, uint64_t pos,
		     struct fl_item *item)
{
	*item = (struct fl_item){
		.bytes = file->held.text.data,
		.len = file->held.text.len,
		.ts_ns = file->held.ts_ns,
		.warm = file->held_warm,
	};
	if (file->held_warm && file->ask->marked) {
		item->origin = keep_origin(file, file->part->origin);
	} else if (pos && moves(file, pos)) {
		item->origin = keep_origin(file, file->part->origin);
		item->pos = file->given = pos;
	}
	file->holds = false;
	return 1;
}

/* Hold the record just made, and give the one before it: only now is it known
 * whether that was the last of its second. 1 an item, 3 none */
static int hold(struct fl_logs_file *file, bool warm, struct fl_item *item)
{
	struct fl_logs_made made = file->made;
	bool held = file->holds;
	bool over = held &&
		    (file->held.ts_ns / FL_SECOND != made.ts_ns / FL_SECOND);

	if (held)
		give_held(file, over ? file->taken - 1 : 0, item);
	/* The item borrows the text, which is written over only when another
	 * line is read. */
	file->made = file->held;
	file->held = made;
	file->held_warm = warm;
	file->holds = true;
	return held ? 1 : 3;
}

static int lacks_year(struct fl_logs_file *file,
		      const struct fl_logs_line *line, struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_USAGE,
			    "line %llu of '%s', '%s', has a stamp without a "
			    "year, and what comes through a pipe has no time "
			    "of its own: --year says it",
			    (unsigned long long)line->number, show(file),
			    fl_show(line->text, line->len, 30));
}

/* A line: 1 an item, 3 none, -1. */
static int take(struct fl_logs_file *file, const struct fl_logs_line *line,
		struct fl_item *item, bool *fatal, struct fl_error *err)
{
	bool again = file->taken < file->start;
	enum fl_logs_got got = FL_LOGS_NOTHING;

	file->taken = line->number;
	if (line->whole) {
		got = FL_LOGS_REFUSED;
		file->made.reason = FL_REASON_too_long;
		fl_note_set(&file->made.note, "",
			    "%llu bytes, at most 900,000 are taken",
			    (unsigned long long)line->whole);
	} else if (line->len) {
		got = fl_logs_parse(&file->parser, line->text, line->len, 0,
				    &file->made);
	}
	if (got == FL_LOGS_REFUSED) {
		if (file->parser.lacks_year)
			return lacks_year(file, line, err);
		*fatal = !again && refuse(file, line, err) < 0;
		return *fatal ? -1 : 3;
	}
	if (got != FL_LOGS_RECORD)
		return 3;
	if (again && (file->warm_from == FL_TIME_NONE ||
		      file->made.ts_ns < file->warm_from))
		return 3;
	return hold(file, again, item);
}

/* The end of a part, or of what there is of it. */
static int at_end(struct fl_logs_file *file, bool final, struct fl_item *item)
{
	if (file->holds)
		return give_held(file, file->taken, item);
	if (give_position(file, file->taken, item))
		return 1;
	if (!final) {
		file->idle = true;
		return 0;
	}
	end_part(file);
	return 3;
}

static int next(struct fl_logs_file *file, struct fl_item *item, bool *fatal,
		struct fl_error *err)
{
	struct fl_logs_line line;
	bool last, whole;
	int got;

	if (!file->part) {
		if (file->parts.next == file->parts.count)
			return 0;
		return begin_part(file, err) < 0 ? -1 : 3;
	}
	last = !file->part->rotated && file->follow &&
	       fl_logs_lines_grows(file->lines);
	/* Half a line of a log that grows may be whole the next time. */
	whole = file->part->rotated || !fl_logs_lines_grows(file->lines) ||
		(!file->follow && !file->ask->marked) ||
		(file->quiet_ns &&
		 fl_monotonic_ns() - file->quiet_ns > QUIET_NS / 2);
	if (file->idle) {
		got = look(file, err);
		if (got != 1)
			return got;
		file->idle = false;
	}
	got = fl_logs_lines_next(file->lines, &line, whole, err);
	if (got == 0)
		return at_end(file, !last, item);
	if (got == 2 && file->holds)
		return give_held(file, file->taken, item);
	if (got != 1)
		return got;
	if (file->quiet_ns)
		file->quiet_ns = fl_monotonic_ns();
	if (origin_of(file, err) < 0)
		return -1;
	if (file->taken % TICK_LINES == 0 && file->job->io->tick)
		file->job->io->tick(file->job->io->tick_arg);
	return take(file, &line, item, fatal, err);
}

int fl_logs_file_next(struct fl_logs_file *file, struct fl_item *item,
		      bool *fatal, struct fl_error *err)
{
	int got;

	*fatal = false;
	if (file->failed.code) {
		*err = file->failed;
		*fatal = file->failed_fatal;
		fl_error_clear(&file->failed);
		return -1;
	}
	got = next(file, item, fatal, err);
	if (got >= 0 || !file->holds)
		return got;
	/* What came before the fault comes first. */
	file->failed = *err;
	file->failed_fatal = *fatal;
	fl_error_clear(err);
	return give_held(file, 0, item);
}

/* The folder's own path and the name in it. A link is not followed: it may be
 * what a log is rotated with, pointing to another file each day. */
static char *absolute(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? fl_strndup(path, (size_t)(slash - path) + 1)
			     : fl_strdup(".");
	char *real = realpath(folder, NULL), *whole = NULL;

	if (real)
		whole = fl_sprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real,
				   slash ? slash + 1 : path);
	free(folder);
	free(real);
	return whole;
}

/* What this run writes itself would never end. */
static int check_input(const struct fl_logs_file *file, struct fl_error *err)
{
	struct fl_stream *stream = NULL;
	int result = fl_stream_open(&stream, file->path, err);

	if (result == 0)
		result = fl_io_check_input(file->job->io, stream, err);
	fl_stream_close(&stream);
	return result;
}

int fl_logs_file_open(struct fl_logs_file **out, const struct fl_logs_job *job,
		      const struct fl_ask *ask, const char *path, bool follow,
		      struct fl_error *err)
{
	struct fl_logs_file *file = fl_zalloc(sizeof(*file));
	struct stat st;
	bool standard = strcmp(path, "-") == 0;

	*out = file;
	file->job = job;
	file->ask = ask;
	file->path = fl_strdup(path);
	file->follow = follow;
	if (!standard && stat(path, &st) < 0) {
		fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s", show(file),
			     strerror(errno));
		goto fail;
	}
	if (!standard && S_ISREG(st.st_mode)) {
		file->real = absolute(path);
		if (!file->real) {
			fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
				     show(file), strerror(errno));
			goto fail;
		}
		if (check_input(file, err) < 0)
			goto fail;
		/* A position that means nothing any more is to be known
		 * before the first record of any file. */
		if (find_parts(file, err) < 0 ||
		    (file->parts.items[0].start && begin_part(file, err) < 0))
			goto fail;
		return 0;
	}
	if (ask->marked) {
		fl_error_set(err, FL_ERR_USAGE,
			     standard ? "%s has no position to resume from; "
					"name the file"
				      : "'%s' is no regular file, so there is "
					"no position to resume from",
			     standard ? "standard input" : show(file));
		goto fail;
	}
	file->parts.items = fl_zalloc(sizeof(*file->parts.items));
	file->parts.items[0].path = fl_strdup(path);
	file->parts.count = 1;
	return 0;
fail:
	fl_logs_file_close(out);
	return -1;
}

bool fl_logs_file_stop(struct fl_logs_file *file, struct fl_item *item)
{
	if (file->holds)
		return give_held(file, file->taken, item) == 1;
	return file->part && give_position(file, file->taken, item);
}

void fl_logs_file_end(struct fl_logs_file *file)
{
	end_part(file);
	file->parts.next = file->parts.count;
	file->holds = false;
}

void fl_logs_file_close(struct fl_logs_file **out)
{
	struct fl_logs_file *file = *out;

	*out = NULL;
	if (!file)
		return;
	end_part(file);
	fl_logs_parts_release(&file->parts);
	for (size_t i = 0; i < file->origin_count; i++)
		free(file->origins[i]);
	free(file->origins);
	fl_buf_release(&file->made.text);
	fl_buf_release(&file->held.text);
	free(file->path);
	free(file->real);
	free(file);
}
