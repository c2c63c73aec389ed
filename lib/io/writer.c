/* writer: a buffer in front of a stream; see writer.h.
 *
 * Long runs of lines go out straight from the block they came in: between the
 * rejects of a usual file lie hundreds of kilobytes that nobody needs to copy.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/writer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/stream.h"

enum {
	BUFFER_SIZE = 256 * 1024,
	DIRECT_SIZE = 32 * 1024, /* longer runs are not copied */
};

struct fl_writer {
	struct fl_io *io;
	struct fl_stream *stream;
	struct fl_buf buf;
	struct fl_json json; /* for records that come as text */
	enum fl_as as;
	void *row_state;
};

int fl_writer_open(struct fl_writer **out, struct fl_io *io, const char *path,
		   struct fl_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	struct fl_writer *writer;
	struct fl_stream *stream;

	if ((standard && fl_rejects_open(io, err) < 0) ||
	    fl_stream_create(&stream, path, err) < 0)
		return -1;
	writer = fl_zalloc(sizeof(*writer));
	writer->io = io;
	writer->stream = stream;
	writer->as = io->as;
	if (writer->as == FL_AS_AUTO)
		writer->as = standard && isatty(STDOUT_FILENO) ? FL_AS_TABLE
							       : FL_AS_NDJSON;
	if (standard)
		io->out = writer;
	*out = writer;
	return 0;
}

bool fl_writer_is_plain(const struct fl_writer *out)
{
	return out->as == FL_AS_NDJSON && !out->io->fields;
}

int fl_writer_flush(struct fl_writer *out, struct fl_error *err)
{
	int result;

	if (out->buf.len == 0)
		return 0;
	result = fl_stream_write(out->stream, out->buf.data, out->buf.len, err);
	out->io->counts.bytes_out += out->buf.len;
	/* After a failure the bytes are given up: the run ends. */
	fl_buf_reset(&out->buf);
	return result;
}

int fl_writer_idle(struct fl_writer *out, struct fl_error *err)
{
	if (fl_writer_flush(out, err) < 0)
		return -1;
	if (!fl_stream_is_deserted(out->stream))
		return 0;
	return fl_error_set(err, FL_ERR_CLOSED, "the reader of '%s' went away",
			    fl_stream_path(out->stream));
}

static int flush_when_full(struct fl_writer *out, struct fl_error *err)
{
	return out->buf.len < BUFFER_SIZE ? 0 : fl_writer_flush(out, err);
}

int fl_writer_lines(struct fl_writer *out, const char *bytes, size_t len,
		    uint64_t count, struct fl_error *err)
{
	out->io->counts.out += count;
	if (len < DIRECT_SIZE) {
		fl_buf_append(&out->buf, bytes, len);
		return flush_when_full(out, err);
	}
	if (fl_writer_flush(out, err) < 0)
		return -1;
	out->io->counts.bytes_out += len;
	return fl_stream_write(out->stream, bytes, len, err);
}

int fl_writer_control(struct fl_writer *out, const char *bytes, size_t len,
		      struct fl_error *err)
{
	if (out->as != FL_AS_NDJSON || out->io->fields)
		return fl_error_set(err, FL_ERR_USAGE,
				    "the stream has marks, which only whole "
				    "NDJSON records carry: leave --as and "
				    "--fields to a reader of the store");
	fl_buf_append(&out->buf, bytes, len);
	fl_buf_putc(&out->buf, '\n');
	return flush_when_full(out, err);
}

static int put_line(struct fl_writer *out, const char *bytes, size_t len,
		    struct fl_error *err)
{
	out->io->counts.out++;
	fl_buf_append(&out->buf, bytes, len);
	fl_buf_putc(&out->buf, '\n');
	return flush_when_full(out, err);
}

int fl_writer_put(struct fl_writer *out, const struct fl_record *rec,
		  struct fl_error *err)
{
	if (!fl_writer_is_plain(out)) {
		out->io->counts.out++;
		if (out->io->hooks->row(out, rec, err) < 0)
			return -1;
		return flush_when_full(out, err);
	}
	return put_line(out, rec->bytes, rec->len, err);
}

int fl_writer_text(struct fl_writer *out, const char *bytes, size_t len,
		   struct fl_error *err)
{
	FL_UNINITIALIZED struct fl_record rec;
	struct fl_note note = { "", "" };

	if (fl_writer_is_plain(out))
		return put_line(out, bytes, len, err);
	/* Only rows need to know what is inside; the check fills that in. What
	 * fails it is shown as far as it was read. */
	rec = (struct fl_record){ .bytes = bytes, .len = len };
	(void)out->io->hooks->check(&rec, &out->json, &note);
	return fl_writer_put(out, &rec, err);
}

void fl_writer_close(struct fl_writer **out, struct fl_error *err)
{
	struct fl_writer *writer = *out;

	*out = NULL;
	if (!writer)
		return;
	/* Also after an error: what was accepted belongs to the account, and a
	 * second failure cannot hide the first. */
	if (fl_writer_flush(writer, err) == 0)
		fl_stream_finish(writer->stream, err);
	/* A full disk may show at close only (NFS, quotas). */
	if (writer->io->out == writer) {
		writer->io->out = NULL;
		if (err->code == FL_OK && close(STDOUT_FILENO) < 0)
			fl_error_set(err, FL_ERR_IO,
				     "cannot close standard output");
	}
	fl_stream_close(&writer->stream);
	fl_buf_release(&writer->buf);
	fl_json_release(&writer->json);
	free(writer->row_state);
	free(writer);
}

struct fl_buf *fl_writer_buf(struct fl_writer *out)
{
	return &out->buf;
}

struct fl_io *fl_writer_io(struct fl_writer *out)
{
	return out->io;
}

enum fl_as fl_writer_as(const struct fl_writer *out)
{
	return out->as;
}

void **fl_writer_row_state(struct fl_writer *out)
{
	return &out->row_state;
}
