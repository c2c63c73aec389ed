/* logs_seek: see seek.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/seek.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	STEP = 1024, /* lines between two places that one can go back to */
	TRIES = 20,  /* lines to look for a time in */
};

static bool stopped(const struct fl_logs_file *file)
{
	return file->job->io->stop && *file->job->io->stop;
}

/* Where lines begin: places[i] is line i * STEP, counted from 0. */
struct places {
	uint64_t *offsets;
	size_t count;
};

static void add_place(struct places *places, uint64_t offset)
{
	if ((places->count & (places->count - 1)) == 0)
		places->offsets = fl_realloc(
			places->offsets, places->count ? 2 * places->count : 1,
			sizeof(*places->offsets));
	places->offsets[places->count++] = offset;
}

/* Count lines up to the position. Lines that name columns are taken in.
 * returns 1; 0 the file has fewer; -1 */
static int count_lines(struct fl_logs_file *file, struct places *places,
		       struct fl_error *err)
{
	struct fl_logs_line line;

	for (uint64_t n = 0; n < file->start; n++) {
		int got;

		if (n % STEP == 0) {
			add_place(places, fl_logs_lines_offset(file->lines));
			if (file->job->io->tick)
				file->job->io->tick(file->job->io->tick_arg);
			if (stopped(file))
				return 1;
		}
		got = fl_logs_lines_next(file->lines, &line, true, err);
		if (got <= 0)
			return got;
		if (n == 0 || (line.len && *line.text == '#'))
			fl_logs_parse(&file->parser, line.text, line.len, 0,
				      &file->made);
	}
	return 1;
}

/* Is what stands at the place older than `ns`? A line without a time tells
 * nothing; the next few are asked. */
static int older(struct fl_logs_file *file, const struct places *places,
		 size_t at, int64_t ns, struct fl_error *err)
{
	struct fl_logs_parser parser;
	struct fl_logs_line line;
	int result = 0;

	if (fl_logs_lines_seek(file->lines, places->offsets[at],
			       (uint64_t)at * STEP, err) < 0)
		return -1;
	fl_logs_parser_init(&parser, file->job, file->inode.changed_ns);
	for (int i = 0; i < TRIES; i++) {
		int got = fl_logs_lines_next(file->lines, &line, true, err);

		if (got <= 0) {
			result = got;
			break;
		}
		if (fl_logs_parse(&parser, line.text, line.len, 0,
				  &file->made) != FL_LOGS_RECORD)
			continue;
		result = file->made.ts_ns < ns;
		break;
	}
	fl_logs_parser_release(&parser);
	return result;
}

/* Stand before the stretch that is read again. */
static int go_back(struct fl_logs_file *file, const struct places *places,
		   struct fl_error *err)
{
	uint64_t back = FL_LOGS_REPEATS;
	size_t at;
	int got;

	for (;; back *= 2) {
		at = file->start > back ? (size_t)((file->start - back) / STEP)
					: 0;
		if (at == 0 || file->warm_from == FL_TIME_NONE)
			break;
		got = older(file, places, at, file->warm_from, err);
		if (got < 0)
			return -1;
		if (got)
			break;
	}
	file->taken = (uint64_t)at * STEP;
	return fl_logs_lines_seek(file->lines, places->offsets[at], file->taken,
				  err);
}

int fl_logs_seek(struct fl_logs_file *file, struct fl_error *err)
{
	struct places places = { NULL, 0 };
	char pos[24];
	struct fl_start start = {
		.origin = file->part->origin,
		.pos = pos,
	};
	int got;

	if (!file->start)
		return 0;
	fl_logs_lines_count(file->lines, false);
	got = count_lines(file, &places, err);
	if (got == 1 && !stopped(file)) {
		got = go_back(file, &places, err);
	} else if (got == 0) {
		snprintf(pos, sizeof(pos), "%llu",
			 (unsigned long long)file->start);
		got = fl_ask_moved(file->ask, &start,
				   "the file has fewer lines", err);
		file->start = 0;
		if (got == 0)
			got = fl_logs_lines_seek(file->lines, 0, 0, err);
	}
	fl_logs_repeats_release(&file->parser.repeats);
	fl_logs_lines_count(file->lines, true);
	free(places.offsets);
	return got < 0 ? -1 : 0;
}
