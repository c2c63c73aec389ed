/* reader: blocks cut into lines, lines checked one by one; see reader.h.
 *
 * One thread: what is done with each record (a store, a socket) costs more than
 * its parse. What must go faster works on blocks itself (op/clean).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/short.h"
#include "base/time.h"
#include "io/blocks.h"
#include "io/writer.h"

struct fl_reader {
	struct fl_io *io;
	char *path;
	struct fl_stream *stream;
	struct fl_blocks *blocks;
	struct fl_block *block; /* NULL: the next one is due */
	size_t at;              /* in block */
	uint64_t line;
	bool sniffed;
	struct fl_json json;
	int (*on_mark)(void *arg, const char *bytes, size_t len,
		       struct fl_error *err);
	void *mark_arg;
	int (*on_idle)(void *arg, struct fl_error *err);
	void *idle_arg;
	int64_t (*patience)(const void *arg);
	const void *patience_arg;
	struct fl_error
		idle_error; /* idle runs inside blocks, which has none */
};

static void no_work(void *arg, unsigned worker, struct fl_block *block)
{
	(void)arg;
	(void)worker;
	(void)block;
}

static void idle(void *arg)
{
	struct fl_reader *in = arg;

	if (in->io->out)
		fl_writer_flush(in->io->out, &in->idle_error);
	if (in->on_idle)
		in->on_idle(in->idle_arg, &in->idle_error);
	if (in->io->tick)
		in->io->tick(in->io->tick_arg);
}

static bool stopped(const void *arg)
{
	return fl_stop_requested(arg);
}

int fl_reader_open(struct fl_reader **out, struct fl_io *io, const char *path,
		   struct fl_error *err)
{
	struct fl_reader *in = fl_zalloc(sizeof(*in));
	const struct fl_blocks_work work = {
		.work = no_work,
		.arg = in,
		.idle = idle,
		.stopped = stopped,
		.stopped_arg = io,
	};

	in->io = io;
	in->path = fl_strdup(path);
	if (fl_stream_open(&in->stream, path, err) < 0 ||
	    fl_io_check_input(io, in->stream, err) < 0 ||
	    fl_blocks_open(&in->blocks, in->stream, 1, &work, err) < 0) {
		fl_reader_close(&in);
		return -1;
	}
	*out = in;
	return 0;
}

void fl_reader_on_mark(struct fl_reader *in,
		       int (*on_mark)(void *arg, const char *bytes, size_t len,
				      struct fl_error *err),
		       void *arg)
{
	in->on_mark = on_mark;
	in->mark_arg = arg;
}

void fl_reader_on_idle(struct fl_reader *in,
		       int (*on_idle)(void *arg, struct fl_error *err),
		       void *arg)
{
	in->on_idle = on_idle;
	in->idle_arg = arg;
}

void fl_reader_on_wait(struct fl_reader *in,
		       int64_t (*patience)(const void *arg), const void *arg)
{
	in->patience = patience;
	in->patience_arg = arg;
}

/* A header or a row of CSV: no JSON text at all, for it has no braces, and
 * commas stand outside of strings. */
static bool is_csv(const char *line, size_t len)
{
	unsigned commas = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '{' || line[i] == '}')
			return false;
		if (line[i] == '"')
			quoted = !quoted;
		commas += line[i] == ',' && !quoted;
	}
	return commas >= 2;
}

int fl_reader_sniff(const struct fl_io *io, const char *path, const char *line,
		    size_t len, struct fl_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	const char *file = standard ? "FILE" : fl_show(path, strlen(path), 200);
	const char *what = NULL;
	size_t end = len;

	while (len && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	end = len;
	while (end && isspace((unsigned char)line[end - 1]))
		end--;
	if (len && *line == '[')
		what = "starts a JSON array; records come one a line: "
		       "jq -c '.[]'";
	else if (end == 1 && *line == '{')
		what = "starts a JSON object over several lines; records come "
		       "one a line: jq -c .";
	else if (is_csv(line, len))
		what = "looks like CSV: fl-fetch csv";
	if (!what)
		return 0;
	return fl_error_set(err, FL_ERR_DATA, "%s%s%sline 1 %s %s | %s",
			    standard ? "" : "'", standard ? "" : file,
			    standard ? "" : "' ", what, file,
			    io->typed ? io->typed : io->command);
}

static int refuse(struct fl_reader *in, const char *bytes, size_t len,
		  uint64_t whole, enum fl_reason reason,
		  const struct fl_note *note, struct fl_error *err)
{
	const struct fl_reject reject = {
		.reason = reason,
		.note = note,
		.input = in->path,
		.line = in->line,
		.raw = bytes,
		.raw_len = len,
		.raw_bytes = whole,
	};

	return fl_reject(in->io, &reject, err);
}

/* One line that is no mark. returns 1 a record, 0 a reject, -1. */
static int take_record(struct fl_reader *in, const char *bytes, size_t len,
		       struct fl_record *rec, struct fl_error *err)
{
	FL_UNINITIALIZED struct fl_note note;
	enum fl_reason reason;
	uint64_t whole = in->block->oversize;
	bool counts = !in->io->warm;

	note.field[0] = note.detail[0] = '\0';
	if (!in->sniffed) {
		in->sniffed = true;
		if (fl_reader_sniff(in->io, in->path, bytes, len, err) < 0)
			return -1;
	}
	if (counts)
		in->io->counts.in++;
	if (whole || len > FL_LINE_MAX) {
		fl_note_set(&note, "", "%llu bytes, at most 900,000 are taken",
			    (unsigned long long)(whole ? whole : len));
		return counts ? refuse(in, bytes, len, whole,
				       FL_REASON_too_long, &note, err)
			      : 0;
	}
	rec->bytes = bytes;
	rec->len = len;
	rec->line = in->line;
	rec->input = in->path;
	reason = in->io->hooks->check(rec, &in->json, &note);
	if (reason == FL_REASON_NONE)
		return 1;
	return counts ? refuse(in, bytes, len, 0, reason, &note, err) : 0;
}

static int take_mark(struct fl_reader *in, const char *bytes, size_t len,
		     struct fl_error *err)
{
	in->sniffed = true;
	if (in->on_mark)
		return in->on_mark(in->mark_arg, bytes, len, err);
	return in->io->hooks->mark(in->io, bytes, len, in->io->out, err);
}

int fl_reader_next(struct fl_reader *in, struct fl_record *rec,
		   struct fl_error *err)
{
	for (;;) {
		const char *bytes;
		size_t len;
		int got;

		if (!in->block) {
			int64_t ns = in->patience
					     ? in->patience(in->patience_arg)
					     : 0;

			if (ns && !fl_stream_ready(in->stream)) {
				idle(in);
				if (in->idle_error.code == FL_OK &&
				    !fl_stream_wait(in->stream, ns))
					return 2;
			}
			got = fl_blocks_next(in->blocks, &in->block, err);
			if (in->idle_error.code != FL_OK) {
				*err = in->idle_error;
				return -1;
			}
			if (got <= 0)
				return got;
			in->at = 0;
			in->io->counts.bytes_in += fl_block_bytes(in->block);
		}
		if (!fl_block_line(in->block, &in->at, &bytes, &len,
				   &in->line)) {
			in->block = NULL;
			continue;
		}
		/* A torn last line of a marked stream is what a killed writer
		 * left behind: the mark after it never came. */
		if (in->block->torn && in->at > in->block->len &&
		    in->io->marked)
			continue;
		if (in->io->hooks->is_mark(bytes, len)) {
			if (take_mark(in, bytes, len, err) < 0)
				return -1;
			continue;
		}
		got = take_record(in, bytes, len, rec, err);
		if (got)
			return got;
	}
}

void fl_reader_close(struct fl_reader **out)
{
	struct fl_reader *in = *out;

	*out = NULL;
	if (!in)
		return;
	fl_blocks_close(&in->blocks);
	fl_stream_close(&in->stream);
	fl_json_release(&in->json);
	free(in->path);
	free(in);
}
