/* csv_input: a CSV file, or what comes through a pipe, read more than once.
 *
 * Dates and intervals are settled by the whole file before its first record is
 * given, so the input is read twice. A pipe's bytes go to disk for that, not
 * into memory, which stays constant.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/input.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/csv.h"
#include "io/stream.h"

#define WAIT_NS (100 * INT64_C(1000000))

enum {
	COPY_SIZE = 128 * 1024,
};

struct fl_csv_input {
	char *path;
	struct fl_io *io;
	struct fl_stream *stream; /* NULL: not open, or copied */
	int copy;                 /* the copy's descriptor, or -1 */
	bool once;
	bool told; /* that there is nothing yet */
	uint64_t *bytes;
};

/* --- which files ------------------------------------------------------------
 */

static void add_file(char ***files, size_t *count, const char *path)
{
	*files = fl_realloc(*files, *count + 2, sizeof(**files));
	(*files)[(*count)++] = fl_strdup(path);
	(*files)[*count] = NULL;
}

static int expand(char ***files, size_t *count, const char *pattern,
		  struct fl_error *err)
{
	glob_t found;
	int result = glob(pattern, GLOB_ERR, NULL, &found);

	if (result == GLOB_NOMATCH)
		return fl_error_set(err, FL_ERR_IO, "no file matches '%s'",
				    fl_show(pattern, strlen(pattern), 200));
	if (result != 0)
		return fl_error_set(err, FL_ERR_IO,
				    "cannot search for '%s': %s",
				    fl_show(pattern, strlen(pattern), 200),
				    errno ? strerror(errno) : "out of memory");
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_file(files, count, found.gl_pathv[i]);
	globfree(&found);
	return 0;
}

int fl_csv_files(char *const *operands, char ***files, struct fl_error *err)
{
	struct stat st;
	size_t count = 0;

	*files = fl_zalloc(sizeof(**files));
	for (; operands && *operands; operands++) {
		if (!strpbrk(*operands, "*?[") || stat(*operands, &st) == 0)
			add_file(files, &count, *operands);
		else if (expand(files, &count, *operands, err) < 0)
			return -1;
	}
	return 0;
}

void fl_csv_files_free(char **files)
{
	for (char **at = files; at && *at; at++)
		free(*at);
	free(files);
}

/* --- reading ----------------------------------------------------------------
 */

static bool stopped(const void *arg)
{
	const struct fl_io *io = arg;

	return io->stop && *io->stop;
}

static int open_stream(struct fl_csv_input *in, struct fl_error *err)
{
	if (fl_stream_open(&in->stream, in->path, err) < 0)
		return -1;
	fl_stream_watch(in->stream, stopped, in->io);
	return 0;
}

static int copy_failed(const struct fl_csv_input *in, const char *folder,
		       struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_IO,
			    "cannot copy '%s' to a temporary file in '%s': %s; "
			    "TMPDIR names another folder",
			    fl_show(in->path, strlen(in->path), 200), folder,
			    strerror(errno));
}

/* A temporary file without a name: it is gone when we are. */
static int open_copy(struct fl_csv_input *in, const char *folder,
		     struct fl_error *err)
{
	char *path = fl_sprintf("%s/fl-fetch-XXXXXX", folder);

	in->copy = mkostemp(path, O_CLOEXEC);
	if (in->copy >= 0)
		unlink(path);
	free(path);
	return in->copy < 0 ? copy_failed(in, folder, err) : 0;
}

static int copy(struct fl_csv_input *in, struct fl_error *err)
{
	const char *folder = getenv("TMPDIR");
	struct fl_error cause = { .code = FL_OK };
	char *bytes = fl_alloc(COPY_SIZE);
	ssize_t got = -1;

	if (!folder || !*folder)
		folder = "/tmp";
	if (open_copy(in, folder, err) < 0)
		goto done;
	while ((got = fl_stream_read(in->stream, bytes, COPY_SIZE, err)) > 0) {
		if (fl_write_all(in->copy, bytes, (size_t)got, folder, &cause) <
		    0) {
			got = copy_failed(in, folder, err);
			break;
		}
		if (in->io->tick)
			in->io->tick(in->io->tick_arg);
	}
done:
	free(bytes);
	fl_stream_close(&in->stream);
	return got < 0 ? -1 : 0;
}

int fl_csv_input_open(struct fl_csv_input **out, const char *path, bool once,
		      struct fl_io *io, struct fl_error *err)
{
	struct fl_csv_input *in = fl_zalloc(sizeof(*in));
	struct stat st;

	in->path = fl_strdup(path);
	in->io = io;
	in->copy = -1;
	if (open_stream(in, err) < 0)
		goto fail;
	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 &&
	    S_ISREG(st.st_mode)) {
		fl_stream_close(&in->stream); /* each rewind opens it again */
	} else if (once) {
		in->once = true;
	} else if (copy(in, err) < 0) {
		goto fail;
	}
	*out = in;
	return 0;
fail:
	fl_csv_input_close(&in);
	return -1;
}

int fl_csv_input_rewind(struct fl_csv_input *in, uint64_t *bytes,
			struct fl_error *err)
{
	in->bytes = bytes;
	if (in->once)
		return 0;
	if (in->copy < 0) {
		fl_stream_close(&in->stream);
		return open_stream(in, err);
	}
	if (lseek(in->copy, 0, SEEK_SET) < 0)
		return fl_error_set(err, FL_ERR_IO,
				    "cannot read the copy of '%s' again: %s",
				    fl_show(in->path, strlen(in->path), 200),
				    strerror(errno));
	return 0;
}

bool fl_csv_input_rereads(const struct fl_csv_input *in)
{
	return !in->once;
}

/* Nothing yet? Say so before the first wait, for what was read to be passed on,
 * then after each. */
static bool nothing_yet(struct fl_csv_input *in)
{
	if (!in->once || fl_stream_ready(in->stream) || stopped(in->io))
		return false;
	if (in->told && fl_stream_wait(in->stream, WAIT_NS)) {
		in->told = false;
		return false;
	}
	in->told = true;
	return true;
}

ssize_t fl_csv_input_read(void *arg, void *bytes, size_t size,
			  struct fl_error *err)
{
	struct fl_csv_input *in = arg;
	ssize_t got;

	if (nothing_yet(in))
		return FL_CSV_AGAIN;
	if (in->copy < 0) {
		got = fl_stream_read(in->stream, bytes, size, err);
	} else {
		do {
			got = read(in->copy, bytes, size);
		} while (got < 0 && errno == EINTR);
		if (got < 0)
			fl_error_set(err, FL_ERR_IO,
				     "cannot read the copy of '%s': %s",
				     fl_show(in->path, strlen(in->path), 200),
				     strerror(errno));
	}
	if (got > 0 && in->bytes)
		*in->bytes += (uint64_t)got;
	return got;
}

void fl_csv_input_close(struct fl_csv_input **out)
{
	struct fl_csv_input *in = *out;

	if (!in)
		return;
	fl_stream_close(&in->stream);
	if (in->copy >= 0)
		close(in->copy);
	free(in->path);
	free(in);
	*out = NULL;
}
