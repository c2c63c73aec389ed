/* reject: one O_APPEND write per reject, so that stages and cron runs may share
 * a file; see reject.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/reject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/time.h"
#include "base/utf8.h"
#include "io/io.h"
#include "io/stream.h"
#include "io/writer.h"

enum {
	RAW_MAX = 64 * 1024,
	PERCENT_STEP = 10000, /* records between looks at a percent limit */
};

static const char *const names[FL_REASON_COUNT] = { "",
#define X(name, doc) #name,
						    FL_REASONS(X)
#undef X
};

static const char *const docs[FL_REASON_COUNT] = { "",
#define X(name, doc) doc,
						   FL_REASONS(X)
#undef X
};

const char *fl_reason_name(enum fl_reason reason)
{
	return names[reason];
}

const char *fl_reason_doc(enum fl_reason reason)
{
	return docs[reason];
}

void fl_note_set(struct fl_note *note, const char *field, const char *format,
		 ...)
{
	va_list args;

	snprintf(note->field, sizeof(note->field), "%s", field);
	va_start(args, format);
	vsnprintf(note->detail, sizeof(note->detail), format, args);
	va_end(args);
}

/* A detail was cut to its room by snprintf, perhaps inside a character. */
static size_t whole_utf8(const char *text)
{
	size_t len = strlen(text), cut = len;

	while (cut > 0 && len - cut < 4 && !fl_utf8_valid(text, cut))
		cut--;
	return fl_utf8_valid(text, cut) ? cut : 0;
}

/* What was cut may end inside a character: the length without that. */
static size_t whole_characters(const char *bytes, size_t len)
{
	for (size_t back = 1; back < 4 && back < len; back++) {
		unsigned char c = (unsigned char)bytes[len - back];
		size_t want = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if ((c & 0xc0) != 0x80)
			return back < want ? len - back : len;
	}
	return len;
}

static void append_raw(struct fl_buf *out, const struct fl_reject *reject)
{
	size_t len = reject->raw_len;
	uint64_t whole = reject->raw_bytes ? reject->raw_bytes : len;

	if (len > RAW_MAX)
		len = RAW_MAX;
	if (len < whole)
		len = whole_characters(reject->raw, len);
	if (fl_utf8_valid(reject->raw, len) && !memchr(reject->raw, 0, len)) {
		fl_buf_puts(out, ",\"raw\":");
		fl_buf_json_string(out, reject->raw, len);
	} else {
		fl_buf_puts(out, ",\"raw_b64\":\"");
		fl_base64_put(out, reject->raw, len);
		fl_buf_putc(out, '"');
	}
	if (len < whole)
		fl_buf_printf(out, ",\"truncated\":true,\"raw_bytes\":%llu",
			      (unsigned long long)whole);
}

static void append_answer(struct fl_buf *out, const struct fl_reject *reject)
{
	if (reject->http_status)
		fl_buf_printf(out, ",\"http_status\":%u", reject->http_status);
	if (reject->provider_code && *reject->provider_code) {
		fl_buf_puts(out, ",\"provider_code\":");
		fl_buf_json_string(out, reject->provider_code,
				   whole_utf8(reject->provider_code));
	}
	if (reject->retryable)
		fl_buf_puts(out, reject->retryable == FL_AGAIN_YES
					 ? ",\"retryable\":true"
					 : ",\"retryable\":false");
}

static void print_reject(const struct fl_io *io, const struct fl_reject *reject,
			 struct fl_buf *out)
{
	const char *reason = fl_reason_name(reject->reason);
	char ts[FL_TIME_TEXT], position[512], id[33];
	const struct fl_note *note = reject->note;
	struct fl_part parts[4] = {
		{ io->command, strlen(io->command) },
		{ reason, strlen(reason) },
		{ reject->raw, reject->raw_len },
		{ position, 0 },
	};

	if (reject->in_topic)
		parts[3].len = (size_t)snprintf(
			position, sizeof(position), "%.460s/%d:%lld",
			reject->input ? reject->input : "",
			(int)reject->partition, (long long)reject->offset);
	else
		parts[3].len = (size_t)snprintf(
			position, sizeof(position), "%.480s:%llu",
			reject->input ? reject->input : "",
			(unsigned long long)reject->line);
	fl_id128(parts, 4, id);
	/* Milliseconds are fine enough for any use of a reject's time. */
	fl_time_print(fl_now_ns() / 1000000 * 1000000, ts);
	fl_buf_printf(out,
		      "{\"type\":\"reject\",\"ts\":\"%s\",\"provider\":\"%s\","
		      "\"id\":\"%s\",\"reason\":\"%s\"",
		      ts, io->command, id, reason);
	if (note && note->detail[0]) {
		fl_buf_puts(out, ",\"detail\":");
		fl_buf_json_string(out, note->detail, whole_utf8(note->detail));
	}
	if (reject->input) {
		fl_buf_puts(out, ",\"input\":");
		if (fl_utf8_valid(reject->input, strlen(reject->input)))
			fl_buf_json_string(out, reject->input,
					   strlen(reject->input));
		else
			fl_buf_puts(out, "\"?\"");
	}
	if (reject->line)
		fl_buf_printf(out, ",\"line\":%llu",
			      (unsigned long long)reject->line);
	if (reject->in_topic)
		fl_buf_printf(out, ",\"partition\":%d,\"offset\":%lld",
			      (int)reject->partition,
			      (long long)reject->offset);
	append_raw(out, reject);
	if (note && note->field[0]) {
		fl_buf_puts(out, ",\"field\":");
		fl_buf_json_string(out, note->field, whole_utf8(note->field));
	}
	append_answer(out, reject);
	fl_buf_putc(out, '}');
}

/* A full disk may have cut the last line of an earlier run: what is appended
 * must not be glued to it. What cannot be read back (a pipe) needs no such
 * care. */
static int end_last_line(int fd, const char *path, struct fl_error *err)
{
	struct stat st;
	char last;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    pread(fd, &last, 1, st.st_size - 1) != 1 || last == '\n')
		return 0;
	return fl_write_all(fd, "\n", 1, path, err);
}

int fl_rejects_open(struct fl_io *io, struct fl_error *err)
{
	char *end;
	long fd;

	if (io->reject_fd >= 0 || !io->rejects ||
	    strcmp(io->rejects, "inline") == 0)
		return 0;
	if (strncmp(io->rejects, "fd:", 3) == 0) {
		fd = strtol(io->rejects + 3, &end, 10);
		if (end == io->rejects + 3 || *end || fd < 0 || fd > 65535 ||
		    fcntl((int)fd, F_GETFL) < 0)
			return fl_error_set(err, FL_ERR_USAGE,
					    "--rejects '%s': no open "
					    "descriptor of that number",
					    io->rejects);
		io->reject_fd = (int)fd;
		return 0;
	}
	io->reject_fd = open(io->rejects,
			     O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (io->reject_fd < 0 && (errno == EACCES || errno == ENXIO))
		io->reject_fd =
			open(io->rejects, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (io->reject_fd < 0)
		return fl_error_set(err, FL_ERR_IO,
				    "cannot open '%s' for rejects: %s",
				    io->rejects, strerror(errno));
	io->reject_fd_owned = true;
	return end_last_line(io->reject_fd, io->rejects, err);
}

bool fl_rejects_inline(const struct fl_io *io)
{
	return io->rejects ? strcmp(io->rejects, "inline") == 0
			   : io->marked && (io->out || io->keep_reject);
}

static int keep(struct fl_io *io, const struct fl_reject *reject,
		struct fl_error *err)
{
	bool stream = fl_rejects_inline(io);
	struct fl_buf line = FL_BUF_INIT;
	int result;

	if (!stream && !io->rejects)
		return 0;
	print_reject(io, reject, &line);
	if (stream && io->keep_reject) {
		result = io->keep_reject(io->keep_reject_arg, line.data,
					 line.len, err);
	} else if (stream) {
		result = io->out ? fl_writer_control(io->out, line.data,
						     line.len, err)
				 : 0;
	} else {
		fl_buf_putc(&line, '\n');
		result = fl_rejects_open(io, err);
		if (result == 0)
			result = fl_write_all(io->reject_fd, line.data,
					      line.len, io->rejects, err);
		/* Only our output's reader going away is a quiet end. */
		if (err->code == FL_ERR_CLOSED)
			err->code = FL_ERR_IO;
	}
	fl_buf_release(&line);
	return result;
}

/* The first one is what the account tells about. */
static void remember(struct fl_io *io, const struct fl_reject *reject)
{
	io->counts.by_reason[reject->reason]++;
	if (io->counts.rejected + io->counts.late > 1)
		return;
	if (reject->note)
		io->first_note = *reject->note;
	io->first_reason = reject->reason;
	io->first_line = reject->line;
	snprintf(io->first_input, sizeof(io->first_input), "%s",
		 reject->input ? reject->input : "");
}

int fl_reject_late(struct fl_io *io, const struct fl_reject *reject,
		   struct fl_error *err)
{
	io->counts.late++;
	remember(io, reject);
	return keep(io, reject, err);
}

int fl_reject(struct fl_io *io, const struct fl_reject *reject,
	      struct fl_error *err)
{
	struct fl_counts *counts = &io->counts;

	counts->rejected++;
	remember(io, reject);
	if (keep(io, reject, err) < 0)
		return -1;
	if (counts->rejected > io->max_rejects)
		return fl_error_set(err, FL_ERR_DATA,
				    "more rejects than --max-rejects allows: "
				    "%llu, at most %llu",
				    (unsigned long long)counts->rejected,
				    (unsigned long long)io->max_rejects);
	if (io->max_reject_share >= 0 && counts->in >= PERCENT_STEP &&
	    counts->rejected % 64 == 0 &&
	    (double)counts->rejected >
		    io->max_reject_share * (double)counts->in)
		return fl_error_set(err, FL_ERR_DATA,
				    "more rejects than --max-rejects allows: "
				    "%llu of %llu records",
				    (unsigned long long)counts->rejected,
				    (unsigned long long)counts->in);
	return 0;
}
