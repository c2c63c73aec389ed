/* fuzz-clean: fl-clean's work on any bytes, as the file that it reads.
 *
 * The account closes; each line of the input is one that passed, a duplicate or
 * a reject; what passed is clean, and cleaning it again changes no byte;
 * rejects are records themselves, and taken up again they are refused again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "op/clean.h"
#include "rec/mark.h"
#include "rec/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	struct fl_counts counts;
	struct fl_buf out, rejects;
	bool marked;
	enum fl_code code;
};

struct settings {
	bool canonical, coerce, retry;
	int64_t dedup_ns;
};

static int new_file(const void *bytes, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	return fd;
}

static void take_file(int fd, struct fl_buf *bytes)
{
	char part[4096];
	ssize_t got;

	for (off_t at = 0; (got = pread(fd, part, sizeof(part), at)) > 0;
	     at += got)
		fl_buf_append(bytes, part, (size_t)got);
	close(fd);
}

static void clean(const void *bytes, size_t len,
		  const struct settings *settings, struct outcome *outcome)
{
	int in = new_file(bytes, len), out = new_file("", 0),
	    rejects = new_file("", 0), standard = dup(STDOUT_FILENO);
	char path[32], reject_path[32];
	struct fl_error err = { .code = FL_OK };
	struct fl_clean *work;
	struct fl_io io = {
		.command = "fl-clean",
		.hooks = &fl_record_hooks,
		.as = FL_AS_NDJSON,
		.rejects = reject_path,
		.reject_fd = -1,
		.max_rejects = UINT64_MAX,
		.max_reject_share = -1,
		.workers = 1,
		.counts.dedup_horizon_ns = FL_TIME_NONE,
	};
	struct fl_clean_config config = {
		.io = &io,
		.canonical = settings->canonical,
		.coerce = settings->coerce,
		.retry = settings->retry,
		.dedup_ns = settings->dedup_ns,
		.dedup_memory = 1 << 16,
		.select = { .from = FL_TIME_NONE, .to = FL_TIME_NONE },
	};
	struct fl_writer *writer;

	memset(outcome, 0, sizeof(*outcome));
	snprintf(path, sizeof(path), "/dev/fd/%d", in);
	snprintf(reject_path, sizeof(reject_path), "fd:%d", rejects);
	/* The writer closes standard output at its end. */
	if (standard < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    fl_writer_open(&writer, &io, "-", &err) < 0)
		abort();
	config.out = writer;
	if (fl_clean_open(&work, &config, &err) < 0)
		abort();
	fl_clean_input(work, path, &err);
	fl_clean_close(&work);
	outcome->code = err.code;
	fl_writer_close(&writer, &err);
	if (dup2(standard, STDOUT_FILENO) < 0)
		abort();
	close(standard);
	close(in);
	outcome->counts = io.counts;
	outcome->marked = io.marked;
	take_file(out, &outcome->out);
	take_file(rejects, &outcome->rejects);
}

static void release(struct outcome *outcome)
{
	fl_buf_release(&outcome->out);
	fl_buf_release(&outcome->rejects);
}

/* All lines are clean records of the type, or of any for NULL; marks are passed
 * over. Returns how many. */
static uint64_t check_lines(const struct fl_buf *text, const char *type)
{
	struct fl_json json = FL_JSON_INIT;
	uint64_t count = 0;

	for (size_t at = 0; at < text->len;) {
		const char *line = text->data + at;
		const char *lf = memchr(line, '\n', text->len - at);
		struct fl_record rec = { .bytes = line };
		struct fl_note note = { "", "" };

		assert(lf);
		rec.len = (size_t)(lf - line);
		at += rec.len + 1;
		if (fl_mark_is(line, rec.len))
			continue;
		count++;
		assert(fl_record_check(&rec, &json, &note) == FL_REASON_NONE);
		assert(rec.fixes == 0);
		assert(!type || strcmp(rec.type->name, type) == 0);
	}
	fl_json_release(&json);
	return count;
}

/* Lines that hold more than blanks; 0 for what may be an archive. */
static uint64_t count_lines(const char *text, size_t len)
{
	uint64_t count = 0;
	bool blank = true;

	if (len && strchr("\x1f\x28", text[0]) && text[0])
		return 0;
	if (len && (text[0] & 0xf0) == 0x50)
		return 0;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			count += !blank;
			blank = true;
		} else if (text[i] != ' ' && text[i] != '\t' &&
			   text[i] != '\r') {
			blank = false;
		}
	}
	return count + !blank;
}

static void check(const struct outcome *outcome, const char *text, size_t len)
{
	const struct fl_counts *counts = &outcome->counts;
	uint64_t lines = count_lines(text, len);

	assert(counts->in == counts->used + counts->rejected +
				     counts->duplicates + counts->filtered +
				     counts->late);
	assert(counts->out == counts->used);
	assert(check_lines(&outcome->out, NULL) == counts->used);
	assert(check_lines(&outcome->rejects, "reject") == counts->rejected);
	assert(counts->bytes_out == outcome->out.len);
	if (lines && !outcome->marked && outcome->code == FL_OK) {
		assert(counts->in == lines);
		assert(counts->bytes_in <= len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct settings all[] = {
		{ .dedup_ns = 10 * FL_MINUTE },
		{ .canonical = true, .dedup_ns = FL_SECOND },
		{ .coerce = true, .retry = true },
	};
	const char *text = (const char *)data;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct settings again = all[i];
		struct outcome first, second;

		clean(text, size, &all[i], &first);
		check(&first, text, size);
		/* What is clean stays as it is; a reject that passed would be
		 * taken up. */
		again.dedup_ns = 0;
		again.retry = false;
		clean(first.out.data, first.out.len, &again, &second);
		check(&second, first.out.data, first.out.len);
		if (second.code == FL_OK && !first.marked && !second.marked) {
			assert(second.counts.rejected == 0);
			assert(second.out.len == first.out.len);
			assert(!first.out.len ||
			       !memcmp(second.out.data, first.out.data,
				       first.out.len));
		}
		release(&second);
		/* Nothing has changed that could make a refused line good, but
		 * that it stands alone now. */
		again.retry = true;
		clean(first.rejects.data, first.rejects.len, &again, &second);
		check(&second, first.rejects.data, first.rejects.len);
		assert(second.counts.in == first.counts.rejected);
		assert(all[i].retry || second.counts.used == 0);
		release(&second);
		release(&first);
	}
	return 0;
}
