/* fuzz-bars: fl-agg bars on any bytes, as the file that it reads.
 *
 * The account closes; what comes out is clean, canonical, and bars alone.
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
#include "op/agg.h"
#include "rec/mark.h"
#include "rec/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fl_agg fl_agg_bars;

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

/* returns whether the input was read to its end */
static bool aggregate(const void *bytes, size_t len, const char *spec,
		      struct fl_counts *counts, struct fl_buf *text)
{
	int in = new_file(bytes, len), out = new_file("", 0);
	int standard = dup(STDOUT_FILENO);
	struct fl_error err = { .code = FL_OK };
	struct fl_io io = {
		.command = "fl-agg",
		.hooks = &fl_record_hooks,
		.as = FL_AS_NDJSON,
		.reject_fd = -1,
		.max_rejects = UINT64_MAX,
		.max_reject_share = -1,
		.workers = 1,
	};
	int64_t event_ns = FL_TIME_NONE;
	struct fl_agg_ask ask = { .io = &io,
				  .spec = spec,
				  .event_ns = &event_ns };
	struct fl_writer *writer;
	char path[32];
	void *state;
	int result;

	snprintf(path, sizeof(path), "/dev/fd/%d", in);
	/* The writer closes standard output at its end. */
	if (standard < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    fl_writer_open(&writer, &io, "-", &err) < 0)
		abort();
	ask.out = writer;
	if (fl_agg_bars.open(&state, &ask, &err) < 0)
		abort();
	result = fl_agg_bars.input(state, path, &err);
	if (result == 0)
		result = fl_agg_bars.end(state, &err);
	fl_agg_bars.close(state);
	fl_writer_close(&writer, &err);
	if (dup2(standard, STDOUT_FILENO) < 0)
		abort();
	close(standard);
	close(in);
	*counts = io.counts;
	take_file(out, text);
	return result == 0 && err.code == FL_OK;
}

static void check_bars(const struct fl_buf *text)
{
	struct fl_json json = FL_JSON_INIT;
	struct fl_buf canonical = FL_BUF_INIT;

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
		assert(fl_record_check(&rec, &json, &note) == FL_REASON_NONE);
		if (rec.type == &fl_type_reject)
			continue; /* they pass */
		assert(rec.type == &fl_type_bar && rec.fixes == 0);
		fl_buf_reset(&canonical);
		fl_record_canonical(&rec, &canonical);
		assert(canonical.len == rec.len &&
		       memcmp(canonical.data, line, rec.len) == 0);
	}
	fl_json_release(&json);
	fl_buf_release(&canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fl_buf text = FL_BUF_INIT;
	struct fl_counts counts;

	if (!aggregate(data, size, "1m,4h,1d,1wk,1y", &counts, &text))
		goto done;
	assert(counts.in == counts.used + counts.rejected + counts.duplicates +
				    counts.filtered + counts.late);
	check_bars(&text);
done:
	fl_buf_release(&text);
	return 0;
}
