/* logs_lines: see lines.h.
 *
 * Plain files are read here: their end is not final, and one goes back in
 * them. Pipes and what is compressed come through io/stream.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/log/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"

#define WAIT_NS (100 * INT64_C(1000000))

enum {
	CHUNK = 64 * 1024,
	HELD_MAX = 65536, /* of a line that is too long: a reject's raw */
};

struct fl_logs_lines {
	char *path;
	struct fl_io *io;
	int fd; /* of a plain file; else -1, and: */
	struct fl_stream *stream;
	bool file; /* the stream is one, so its end is the end */
	bool told; /* that there is nothing yet */
	bool count;
	char *buf;
	size_t cap, at, len;
	size_t looked; /* behind `at`: no LF in so many bytes */
	uint64_t offset, number;
	uint64_t dropped; /* of the line at hand, which is too long */
	char *held;       /* its beginning */
};

static const char *show(const struct fl_logs_lines *lines)
{
	return fl_show(lines->path, strlen(lines->path), 200);
}

static bool stopped(const void *arg)
{
	const struct fl_io *io = arg;

	return io->stop && *io->stop;
}

/* Magic numbers of zstd and gzip; io/stream looks closer. */
static bool is_plain(int fd)
{
	unsigned char head[4];
	ssize_t got = pread(fd, head, sizeof(head), 0);

	if (got >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return false;
	if (got == 4 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd)
		return false;
	return !(got == 4 && head[1] == 0x2a && head[2] == 0x4d &&
		 head[3] == 0x18);
}

static int open_stream(struct fl_logs_lines *lines, struct fl_error *err)
{
	if (fl_stream_open(&lines->stream, lines->path, err) < 0)
		return -1;
	fl_stream_watch(lines->stream, stopped, lines->io);
	return 0;
}

int fl_logs_lines_open(struct fl_logs_lines **out, const char *path,
		       struct fl_io *io, struct fl_error *err)
{
	struct fl_logs_lines *lines = fl_zalloc(sizeof(*lines));
	struct stat st;

	*out = lines;
	lines->path = fl_strdup(path);
	lines->io = io;
	lines->fd = -1;
	lines->count = true;
	lines->cap = CHUNK;
	lines->buf = fl_alloc(lines->cap);
	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 &&
	    S_ISREG(st.st_mode)) {
		lines->file = true;
		lines->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (lines->fd < 0) {
			fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
				     show(lines), strerror(errno));
			goto fail;
		}
		if (is_plain(lines->fd))
			return 0;
		close(lines->fd);
		lines->fd = -1;
	}
	if (open_stream(lines, err) < 0)
		goto fail;
	return 0;
fail:
	fl_logs_lines_close(out);
	return -1;
}

void fl_logs_lines_count(struct fl_logs_lines *lines, bool count)
{
	lines->count = count;
}

uint64_t fl_logs_lines_offset(const struct fl_logs_lines *lines)
{
	return lines->offset;
}

uint64_t fl_logs_lines_read(const struct fl_logs_lines *lines)
{
	return lines->offset + lines->dropped + (lines->len - lines->at);
}

bool fl_logs_lines_grows(const struct fl_logs_lines *lines)
{
	return lines->fd >= 0;
}

int fl_logs_lines_stat(struct fl_logs_lines *lines, struct fl_logs_inode *inode,
		       struct fl_error *err)
{
	bool standard = strcmp(lines->path, "-") == 0;
	struct stat st;

	if ((lines->fd >= 0 ? fstat(lines->fd, &st)
	     : standard     ? fstat(STDIN_FILENO, &st)
			    : stat(lines->path, &st)) < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot look at '%s': %s",
				    show(lines), strerror(errno));
	*inode = (struct fl_logs_inode){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.changed_ns =
			st.st_mtim.tv_sec * FL_SECOND + st.st_mtim.tv_nsec,
		.size = (uint64_t)st.st_size,
		.regular = S_ISREG(st.st_mode),
	};
	return 0;
}

/* Skip decoded bytes of a stream that was opened anew. */
static int skip(struct fl_logs_lines *lines, uint64_t bytes,
		struct fl_error *err)
{
	while (bytes) {
		size_t size = bytes < lines->cap ? (size_t)bytes : lines->cap;
		ssize_t got =
			fl_stream_read(lines->stream, lines->buf, size, err);

		if (got < 0)
			return -1;
		if (got == 0)
			return 0;
		bytes -= (uint64_t)got;
	}
	return 0;
}

int fl_logs_lines_seek(struct fl_logs_lines *lines, uint64_t offset,
		       uint64_t number, struct fl_error *err)
{
	lines->at = lines->len = lines->looked = 0;
	lines->dropped = 0;
	lines->offset = offset;
	lines->number = number;
	if (lines->fd >= 0) {
		if (lseek(lines->fd, (off_t)offset, SEEK_SET) < 0)
			return fl_error_set(err, FL_ERR_IO,
					    "cannot read '%s' again: %s",
					    show(lines), strerror(errno));
		return 0;
	}
	fl_stream_close(&lines->stream);
	if (open_stream(lines, err) < 0)
		return -1;
	return skip(lines, offset, err);
}

/* --- reading --- */

/* Up to `size` bytes: how many, 0 at the end, -1, -2 nothing yet. */
static ssize_t fill(struct fl_logs_lines *lines, char *bytes, size_t size,
		    struct fl_error *err)
{
	ssize_t got;

	if (lines->fd >= 0) {
		do {
			got = read(lines->fd, bytes, size);
		} while (got < 0 && errno == EINTR);
		if (got < 0)
			fl_error_set(err, FL_ERR_IO, "cannot read '%s': %s",
				     show(lines), strerror(errno));
	} else {
		if (!lines->file && !fl_stream_ready(lines->stream) &&
		    !stopped(lines->io)) {
			/* Say so before the first wait, for what came to be
			 * passed on. */
			if (!lines->told ||
			    !fl_stream_wait(lines->stream, WAIT_NS)) {
				lines->told = true;
				return -2;
			}
			lines->told = false;
		}
		got = fl_stream_read(lines->stream, bytes, size, err);
	}
	if (got > 0 && lines->count)
		lines->io->counts.bytes_in += (uint64_t)got;
	return got;
}

/* Drop what there is of a line that is too long. */
static void drop(struct fl_logs_lines *lines)
{
	size_t have = lines->len - lines->at;

	if (!lines->dropped) {
		if (!lines->held)
			lines->held = fl_alloc(HELD_MAX);
		memcpy(lines->held, lines->buf + lines->at, HELD_MAX);
	}
	lines->dropped += have;
	lines->at = lines->len = lines->looked = 0;
}

static int more(struct fl_logs_lines *lines, struct fl_error *err)
{
	size_t have = lines->len - lines->at;
	ssize_t got;

	if (have > FL_LINE_MAX + 1 || (lines->dropped && have))
		drop(lines);
	if (lines->at) {
		memmove(lines->buf, lines->buf + lines->at,
			lines->len - lines->at);
		lines->len -= lines->at;
		lines->at = 0;
	}
	if (lines->cap - lines->len < CHUNK / 2) {
		lines->cap *= 2;
		lines->buf = fl_realloc(lines->buf, lines->cap, 1);
	}
	got = fill(lines, lines->buf + lines->len, lines->cap - lines->len,
		   err);
	if (got > 0)
		lines->len += (size_t)got;
	return got == -2 ? 2 : got < 0 ? -1 : got > 0;
}

/* The line is buf[at, at + len), `skip` more bytes end it. */
static void give(struct fl_logs_lines *lines, size_t len, size_t end,
		 struct fl_logs_line *line)
{
	*line = (struct fl_logs_line){
		.text = lines->buf + lines->at,
		.len = len,
		.number = ++lines->number,
	};
	if (lines->dropped) {
		line->text = lines->held;
		line->whole = lines->dropped + len;
		line->len = HELD_MAX;
	} else if (len > FL_LINE_MAX) {
		line->whole = len;
		line->len = HELD_MAX;
	} else if (len && line->text[len - 1] == '\r') {
		line->len--;
	}
	/* Windows' byte order mark. */
	if (line->number == 1 && line->len >= 3 &&
	    memcmp(line->text, "\xef\xbb\xbf", 3) == 0) {
		line->text += 3;
		line->len -= 3;
	}
	lines->offset += lines->dropped + len + end;
	lines->at += len + end;
	lines->looked = 0;
	lines->dropped = 0;
}

int fl_logs_lines_next(struct fl_logs_lines *lines, struct fl_logs_line *line,
		       bool final, struct fl_error *err)
{
	for (;;) {
		char *from = lines->buf + lines->at + lines->looked;
		size_t have = lines->len - lines->at;
		char *lf = memchr(from, '\n', have - lines->looked);
		int got;

		if (lf) {
			give(lines, (size_t)(lf - lines->buf) - lines->at, 1,
			     line);
			return 1;
		}
		lines->looked = have;
		got = more(lines, err);
		if (got == 1)
			continue;
		if (got == 0 && final &&
		    (lines->len > lines->at || lines->dropped)) {
			give(lines, lines->len - lines->at, 0, line);
			return 1;
		}
		return got;
	}
}

void fl_logs_lines_close(struct fl_logs_lines **out)
{
	struct fl_logs_lines *lines = *out;

	*out = NULL;
	if (!lines)
		return;
	fl_stream_close(&lines->stream);
	if (lines->fd >= 0)
		close(lines->fd);
	free(lines->held);
	free(lines->buf);
	free(lines->path);
	free(lines);
}
