/* stream: bytes in and out of files, pipes and standard streams; .zst and gzip
 * are told apart by content when read, by the name when written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_STREAM_H
#define FL_IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct fl_stream;

/* Open for reading: "-" is standard input. Plain, zstd (any frames, one after
 * another) or gzip (any members), by the first bytes.
 * errors  FL_ERR_IO cannot open (also a folder) */
int fl_stream_open(struct fl_stream **stream, const char *path,
		   struct fl_error *err);
/* Open for writing: "-" is standard output; `.zst` compresses. An existing file
 * is replaced only by fl_stream_finish: written beside it, synced, renamed. */
int fl_stream_create(struct fl_stream **stream, const char *path,
		     struct fl_error *err);

/* While a read waits, `stopped` is asked a few times a second; true ends the
 * stream as if its end had come. */
void fl_stream_watch(struct fl_stream *stream, bool (*stopped)(const void *arg),
		     const void *arg);

/* Up to `size` decoded bytes; blocks for the first only.
 * returns bytes read, 0 at the end or when told to stop; -1
 * errors  FL_ERR_IO the read failed; FL_ERR_DATA corrupt or cut-off frame, with
 *         the count of decoded bytes before it */
ssize_t fl_stream_read(struct fl_stream *stream, void *bytes, size_t size,
		       struct fl_error *err);
/* Would fl_stream_read return at once? (Data is buffered or the fd is ready.)
 */
bool fl_stream_ready(struct fl_stream *stream);
/* Wait for that, at most `ns`. false: the time is over. */
bool fl_stream_wait(struct fl_stream *stream, int64_t ns);
int fl_stream_write(struct fl_stream *stream, const void *bytes, size_t len,
		    struct fl_error *err);
/* End what was written: close the frame, sync, rename into place. */
int fl_stream_finish(struct fl_stream *stream, struct fl_error *err);
/* An unfinished file is removed. NULL is fine; sets NULL. */
void fl_stream_close(struct fl_stream **stream);

/* Does the stream read the regular file that `fd` is open on? */
bool fl_stream_same_file(const struct fl_stream *stream, int fd);
const char *fl_stream_path(const struct fl_stream *stream);
bool fl_stream_is_pipe(const struct fl_stream *stream);
/* Did a read end because it was told to stop? Then more may follow. */
bool fl_stream_is_cut(const struct fl_stream *stream);
/* Written to: has whoever read it gone away? */
bool fl_stream_is_deserted(const struct fl_stream *stream);
bool fl_stream_is_tty(const struct fl_stream *stream);
uint64_t fl_stream_bytes(const struct fl_stream *stream); /* decoded so far */

/* While a write finds no room, for as long as its descriptor does not block,
 * `each` is called a few times a second; it must not write itself. For whoever
 * has to show signs of life elsewhere. NULL: nobody does. */
void fl_stream_while_full(void (*each)(void *arg), void *arg);
/* write(2) until all is out; EINTR and short writes dealt with.
 * errors  FL_ERR_CLOSED the reader went away; FL_ERR_IO */
int fl_write_all(int fd, const void *bytes, size_t len, const char *name,
		 struct fl_error *err);

#endif
