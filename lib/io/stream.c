/* stream: a descriptor with a decoder or an encoder behind it; see stream.h.
 *
 * Waiting is done in poll() with a time-out, not in read(): a signal may reach
 * another thread than the one that reads, and must still end the wait.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	RAW_SIZE = 128 * 1024, /* encoded bytes read at once */
	LOOK_MS = 200,         /* how often a waiting read looks for a stop */
	PIPE_SIZE = 1024 * 1024,
	ZSTD_LEVEL = 3,
};

enum coding {
	CODING_UNKNOWN,
	CODING_PLAIN,
	CODING_ZSTD,
	CODING_GZIP,
};

struct fl_stream {
	int fd;
	bool owned, ended, writing, pipe, polls, mid_frame;
	bool cut; /* told to stop: the end that was given is none */
	enum coding coding;
	char *path;      /* as the user named it */
	char *temporary; /* writing: the file beside it; NULL for stdout */
	uint64_t bytes;  /* decoded */
	unsigned char *raw;
	size_t raw_at, raw_len;
	ZSTD_DCtx *unzstd;
	ZSTD_CCtx *zstd;
	z_stream gzip;
	bool gzip_on;
	bool (*stopped)(const void *arg);
	const void *stopped_arg;
};

/* What messages call it. */
static const char *shown(const struct fl_stream *stream)
{
	if (strcmp(stream->path, "-") == 0)
		return stream->writing ? "standard output" : "standard input";
	return fl_show(stream->path, strlen(stream->path), 200);
}

static struct fl_stream *stream_new(int fd, const char *path)
{
	struct fl_stream *stream = fl_zalloc(sizeof(*stream));

	stream->fd = fd;
	stream->path = fl_strdup(path);
	return stream;
}

int fl_stream_open(struct fl_stream **stream, const char *path,
		   struct fl_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	struct stat st;
	int fd = STDIN_FILENO;

	if (!standard)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
			     fl_show(path, strlen(path), 200), strerror(errno));
		goto fail;
	}
	if (S_ISDIR(st.st_mode)) {
		fl_error_set(err, FL_ERR_IO, "cannot read '%s': is a folder",
			     fl_show(path, strlen(path), 200));
		goto fail;
	}
	*stream = stream_new(fd, path);
	(*stream)->owned = !standard;
	(*stream)->pipe = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
	(*stream)->polls = !S_ISREG(st.st_mode);
	/* Fewer switches between the stages; refused where the user's share of
	 * pipe memory is used up, and then the default does. */
	if (S_ISFIFO(st.st_mode))
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
fail:
	if (fd >= 0 && !standard)
		close(fd);
	return -1;
}

void fl_stream_watch(struct fl_stream *stream, bool (*stopped)(const void *arg),
		     const void *arg)
{
	stream->stopped = stopped;
	stream->stopped_arg = arg;
}

/* Wait until the descriptor has something. false: told to stop, which a file
 * or a writer that never pauses must not put off. */
static bool wait_readable(struct fl_stream *stream)
{
	struct pollfd pfd = { stream->fd, POLLIN, 0 };

	while (!stream->stopped || !stream->stopped(stream->stopped_arg)) {
		int ready = stream->polls ? poll(&pfd, 1, LOOK_MS) : 1;

		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;
	}
	stream->cut = true;
	return false;
}

/* read(2) into bytes; 0 at the end or when told to stop. */
static ssize_t read_raw(struct fl_stream *stream, void *bytes, size_t size,
			struct fl_error *err)
{
	for (;;) {
		ssize_t got;

		if (!wait_readable(stream)) {
			stream->mid_frame = false; /* no cut-off frame: ours */
			return 0;
		}
		got = read(stream->fd, bytes, size);
		if (got >= 0)
			return got;
		if (errno == EINTR || errno == EAGAIN)
			continue;
		return fl_error_set(err, FL_ERR_IO, "cannot read '%s': %s",
				    shown(stream), strerror(errno));
	}
}

static int no_memory(struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_AGAIN, "out of memory");
}

/* Look at the first bytes. A JSON text begins with neither magic number, so one
 * byte usually decides and a slow pipe is not waited for. */
static int find_coding(struct fl_stream *stream, struct fl_error *err)
{
	static const unsigned char zstd[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const unsigned char gzip[2] = { 0x1f, 0x8b };
	unsigned char *raw;

	raw = stream->raw = fl_alloc(RAW_SIZE);
	stream->coding = CODING_PLAIN;
	for (;;) {
		size_t len = stream->raw_len;
		ssize_t got;

		if (len >= sizeof(gzip) && !memcmp(raw, gzip, sizeof(gzip)))
			stream->coding = CODING_GZIP;
		if (len >= sizeof(zstd) && !memcmp(raw, zstd, sizeof(zstd)))
			stream->coding = CODING_ZSTD;
		/* A skippable zstd frame (0x184D2A50 … 5F) may come first. */
		if (len >= 4 && (raw[0] & 0xf0) == 0x50 && raw[1] == 0x2a &&
		    raw[2] == 0x4d && raw[3] == 0x18)
			stream->coding = CODING_ZSTD;
		if (stream->coding != CODING_PLAIN || len >= 4 ||
		    (len && raw[0] != 0x28 && raw[0] != 0x1f &&
		     (raw[0] & 0xf0) != 0x50))
			break;
		got = read_raw(stream, raw + len, RAW_SIZE - len, err);
		if (got < 0)
			return -1;
		if (got == 0) {
			stream->ended = true;
			break;
		}
		stream->raw_len += (size_t)got;
	}
	if (stream->coding == CODING_ZSTD) {
		stream->unzstd = ZSTD_createDCtx();
		if (!stream->unzstd)
			return no_memory(err);
	} else if (stream->coding == CODING_GZIP) {
		/* 15 + 16: the largest window, gzip wrapping only. */
		if (inflateInit2(&stream->gzip, 15 + 16) != Z_OK)
			return no_memory(err);
		stream->gzip_on = true;
	}
	return 0;
}

static int corrupt(const struct fl_stream *stream, const char *what,
		   struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_DATA,
			    "cannot read '%s' past byte %llu of its content: "
			    "%s",
			    shown(stream), (unsigned long long)stream->bytes,
			    what);
}

static ssize_t decode_zstd(struct fl_stream *stream, void *bytes, size_t size,
			   struct fl_error *err)
{
	ZSTD_inBuffer in = { stream->raw, stream->raw_len, stream->raw_at };
	ZSTD_outBuffer out = { bytes, size, 0 };
	size_t left = ZSTD_decompressStream(stream->unzstd, &out, &in);

	stream->raw_at = in.pos;
	if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
		return no_memory(err);
	if (ZSTD_isError(left))
		return corrupt(stream, ZSTD_getErrorName(left), err);
	stream->mid_frame = left != 0;
	return (ssize_t)out.pos;
}

static ssize_t decode_gzip(struct fl_stream *stream, void *bytes, size_t size,
			   struct fl_error *err)
{
	z_stream *z = &stream->gzip;
	int status;

	z->next_in = stream->raw + stream->raw_at;
	z->avail_in = (uInt)(stream->raw_len - stream->raw_at);
	z->next_out = bytes;
	z->avail_out = (uInt)size;
	/* The first member, or another after one that ended. */
	if (!stream->mid_frame)
		inflateReset(z);
	status = inflate(z, Z_NO_FLUSH);
	stream->raw_at = stream->raw_len - z->avail_in;
	if (status == Z_MEM_ERROR)
		return no_memory(err);
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return corrupt(stream, z->msg ? z->msg : "broken gzip", err);
	stream->mid_frame = status != Z_STREAM_END;
	return (ssize_t)(size - z->avail_out);
}

ssize_t fl_stream_read(struct fl_stream *stream, void *bytes, size_t size,
		       struct fl_error *err)
{
	ssize_t got;

	if (size > 1 << 30)
		size = 1 << 30;
	if (stream->coding == CODING_UNKNOWN && find_coding(stream, err) < 0)
		return -1;
	if (stream->coding == CODING_PLAIN) {
		size_t have = stream->raw_len - stream->raw_at;

		if (have) {
			if (have > size)
				have = size;
			memcpy(bytes, stream->raw + stream->raw_at, have);
			stream->raw_at += have;
			stream->bytes += have;
			return (ssize_t)have;
		}
		/* A terminal would ask for a second Ctrl-D. */
		if (stream->ended)
			return 0;
		got = read_raw(stream, bytes, size, err);
		stream->ended = got == 0;
		if (got > 0)
			stream->bytes += (uint64_t)got;
		return got;
	}
	for (;;) {
		/* A full output may have left decoded bytes in the decoder, so
		 * it is asked before more is read. */
		if (stream->raw_at < stream->raw_len || stream->mid_frame) {
			got = stream->coding == CODING_ZSTD
				      ? decode_zstd(stream, bytes, size, err)
				      : decode_gzip(stream, bytes, size, err);
			if (got < 0)
				return -1;
			if (got > 0) {
				stream->bytes += (uint64_t)got;
				return got;
			}
			if (stream->raw_at < stream->raw_len)
				continue;
		}
		if (stream->ended)
			return 0;
		got = read_raw(stream, stream->raw, RAW_SIZE, err);
		if (got < 0)
			return -1;
		stream->raw_at = 0;
		stream->raw_len = (size_t)got;
		if (got == 0) {
			stream->ended = true;
			if (stream->mid_frame)
				return corrupt(stream, "cut off", err);
		}
	}
}

bool fl_stream_ready(struct fl_stream *stream)
{
	struct pollfd pfd = { stream->fd, POLLIN, 0 };

	if (!stream->polls || stream->raw_at < stream->raw_len)
		return true;
	return poll(&pfd, 1, 0) > 0;
}

bool fl_stream_wait(struct fl_stream *stream, int64_t ns)
{
	int64_t until = fl_monotonic_ns() + ns;

	while (!fl_stream_ready(stream)) {
		struct pollfd pfd = { stream->fd, POLLIN, 0 };
		int64_t left = (until - fl_monotonic_ns()) / 1000000;

		if (left <= 0)
			return false;
		/* Told to stop: what reads next finds out. */
		if (stream->stopped && stream->stopped(stream->stopped_arg))
			return true;
		(void)poll(&pfd, 1, left < LOOK_MS ? (int)left : LOOK_MS);
	}
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

int fl_stream_create(struct fl_stream **stream, const char *path,
		     struct fl_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	char *temporary = NULL;
	int fd = STDOUT_FILENO;

	if (!standard) {
		const char *slash = strrchr(path, '/');
		int folder = slash ? (int)(slash - path) + 1 : 0;

		temporary = fl_sprintf("%.*s.%s.XXXXXX", folder, path,
				       path + folder);
		fd = mkostemp(temporary, O_CLOEXEC);
		if (fd < 0) {
			free(temporary);
			return fl_error_set(err, FL_ERR_IO,
					    "cannot write '%s': %s",
					    fl_show(path, strlen(path), 200),
					    strerror(errno));
		}
	}
	*stream = stream_new(fd, path);
	(*stream)->owned = !standard;
	(*stream)->writing = true;
	(*stream)->temporary = temporary;
	(*stream)->coding = CODING_PLAIN;
	if (ends_with(path, ".zst")) {
		(*stream)->coding = CODING_ZSTD;
		(*stream)->raw = fl_alloc(RAW_SIZE);
		(*stream)->zstd = ZSTD_createCCtx();
		if (!(*stream)->zstd) {
			fl_stream_close(stream);
			return no_memory(err);
		}
		ZSTD_CCtx_setParameter((*stream)->zstd, ZSTD_c_compressionLevel,
				       ZSTD_LEVEL);
		ZSTD_CCtx_setParameter((*stream)->zstd, ZSTD_c_checksumFlag, 1);
	}
	return 0;
}

static void (*while_full)(void *arg);
static void *while_full_arg;

void fl_stream_while_full(void (*each)(void *arg), void *arg)
{
	while_full = each;
	while_full_arg = arg;
}

int fl_write_all(int fd, const void *bytes, size_t len, const char *name,
		 struct fl_error *err)
{
	const char *at = bytes;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put >= 0) {
			at += put;
			len -= (size_t)put;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			struct pollfd pfd = { fd, POLLOUT, 0 };

			if (poll(&pfd, 1, LOOK_MS) == 0 && while_full)
				while_full(while_full_arg);
			continue;
		}
		if (errno == EPIPE)
			return fl_error_set(err, FL_ERR_CLOSED,
					    "the reader of '%s' went away",
					    name);
		return fl_error_set(err, FL_ERR_IO, "cannot write '%s': %s",
				    name, strerror(errno));
	}
	return 0;
}

static int encode(struct fl_stream *stream, const void *bytes, size_t len,
		  ZSTD_EndDirective how, struct fl_error *err)
{
	ZSTD_inBuffer in = { bytes, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { stream->raw, RAW_SIZE, 0 };

		left = ZSTD_compressStream2(stream->zstd, &out, &in, how);
		if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
			return no_memory(err);
		if (ZSTD_isError(left))
			return fl_error_set(
				err, FL_ERR_IO, "cannot compress '%s': %s",
				stream->path, ZSTD_getErrorName(left));
		if (fl_write_all(stream->fd, stream->raw, out.pos,
				 shown(stream), err) < 0)
			return -1;
	} while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
	return 0;
}

int fl_stream_write(struct fl_stream *stream, const void *bytes, size_t len,
		    struct fl_error *err)
{
	stream->bytes += len;
	if (stream->zstd)
		return encode(stream, bytes, len, ZSTD_e_continue, err);
	return fl_write_all(stream->fd, bytes, len, shown(stream), err);
}

/* A rename lasts only once its folder is on disk. */
static int sync_folder(const char *path, struct fl_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? fl_strndup(path, (size_t)(slash - path) + 1)
			     : fl_strdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = 0;

	if (fd < 0 || fsync(fd) < 0)
		result = fl_error_set(err, FL_ERR_IO, "cannot sync '%s': %s",
				      folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(folder);
	return result;
}

/* mkostemp makes files for their owner alone; ours are like any other. */
static int open_to_others(int fd)
{
	mode_t mask = umask(077);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

int fl_stream_finish(struct fl_stream *stream, struct fl_error *err)
{
	if (stream->zstd && encode(stream, NULL, 0, ZSTD_e_end, err) < 0)
		return -1;
	if (!stream->temporary)
		return 0;
	if (fsync(stream->fd) < 0 || open_to_others(stream->fd) < 0 ||
	    rename(stream->temporary, stream->path) < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot write '%s': %s",
				    stream->path, strerror(errno));
	free(stream->temporary);
	stream->temporary = NULL;
	return sync_folder(stream->path, err);
}

void fl_stream_close(struct fl_stream **stream)
{
	struct fl_stream *s = *stream;

	*stream = NULL;
	if (!s)
		return;
	if (s->temporary)
		unlink(s->temporary);
	if (s->owned)
		close(s->fd);
	if (s->gzip_on)
		inflateEnd(&s->gzip);
	ZSTD_freeDCtx(s->unzstd);
	ZSTD_freeCCtx(s->zstd);
	free(s->temporary);
	free(s->raw);
	free(s->path);
	free(s);
}

bool fl_stream_same_file(const struct fl_stream *stream, int fd)
{
	struct stat ours, theirs;

	return fstat(stream->fd, &ours) == 0 && S_ISREG(ours.st_mode) &&
	       fstat(fd, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

const char *fl_stream_path(const struct fl_stream *stream)
{
	return stream->path;
}

bool fl_stream_is_pipe(const struct fl_stream *stream)
{
	return stream->pipe;
}

bool fl_stream_is_cut(const struct fl_stream *stream)
{
	return stream->cut;
}

bool fl_stream_is_deserted(const struct fl_stream *stream)
{
	struct pollfd pfd = { stream->fd, 0, 0 };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLERR);
}

bool fl_stream_is_tty(const struct fl_stream *stream)
{
	return isatty(stream->fd);
}

uint64_t fl_stream_bytes(const struct fl_stream *stream)
{
	return stream->bytes;
}
