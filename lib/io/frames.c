/* frames: see frames.h.
 *
 * A frame goes in and out in one call of zstd's: no window is kept between
 * frames and nothing is copied, which costs less than a stream does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"

enum {
	LEVEL = 3,
	CHUNK = 128 * 1024, /* bytes of a file read at once */
	MAGIC_SIZE = 4,
	NOTE_HEAD = 8, /* its magic number and its size */
};

static const char frame_magic[MAGIC_SIZE] = { 0x28, (char)0xb5, 0x2f,
					      (char)0xfd };
/* One of sixteen that skippable frames may have. */
static const char note_magic[MAGIC_SIZE] = { 0x5f, 0x2a, 0x4d, 0x18 };

/* Packed, incompressible content is a little longer than it was. */
#define PACKED_MAX (FL_FRAME_MAX + FL_FRAME_MAX / 64 + 1024)

struct fl_packer {
	ZSTD_CCtx *zstd;
};

struct fl_unpacker {
	ZSTD_DCtx *zstd;
};

struct fl_packer *fl_packer_new(void)
{
	struct fl_packer *packer = fl_zalloc(sizeof(*packer));

	packer->zstd = ZSTD_createCCtx();
	if (!packer->zstd)
		fl_out_of_memory();
	ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
	return packer;
}

int fl_packer_add(struct fl_packer *packer, const void *bytes, size_t len,
		  struct fl_buf *out, struct fl_error *err)
{
	size_t room = ZSTD_compressBound(len), got;

	fl_buf_reserve(out, room);
	got = ZSTD_compress2(packer->zstd, out->data + out->len, room, bytes,
			     len);
	if (ZSTD_isError(got))
		return fl_error_set(err, FL_ERR_AGAIN, "cannot compress: %s",
				    ZSTD_getErrorName(got));
	out->len += got;
	out->data[out->len] = '\0';
	return 0;
}

void fl_packer_note(const void *bytes, size_t len, struct fl_buf *out)
{
	fl_buf_append(out, note_magic, MAGIC_SIZE);
	for (int shift = 0; shift < 32; shift += 8)
		fl_buf_putc(out, (char)(len >> shift));
	fl_buf_append(out, bytes, len);
}

void fl_packer_free(struct fl_packer *packer)
{
	if (packer)
		ZSTD_freeCCtx(packer->zstd);
	free(packer);
}

struct fl_unpacker *fl_unpacker_new(void)
{
	struct fl_unpacker *unpacker = fl_zalloc(sizeof(*unpacker));

	unpacker->zstd = ZSTD_createDCtx();
	if (!unpacker->zstd)
		fl_out_of_memory();
	return unpacker;
}

void fl_unpacker_free(struct fl_unpacker *unpacker)
{
	if (unpacker)
		ZSTD_freeDCtx(unpacker->zstd);
	free(unpacker);
}

/* --- reading ------------------------------------------------------------- */

static void drop(struct fl_frames *frames, size_t len)
{
	if (!len)
		return;
	memmove(frames->in.data, frames->in.data + len, frames->in.len - len);
	frames->in.len -= len;
	frames->at += len;
}

/* More of the file behind what there is. */
static int read_more(struct fl_frames *frames, struct fl_error *err)
{
	ssize_t got;

	fl_buf_reserve(&frames->in, CHUNK);
	if (frames->pull) {
		got = frames->pull(frames->from,
				   frames->in.data + frames->in.len, CHUNK,
				   err);
		if (got < 0)
			return -1;
		frames->ended = got == 0;
		frames->in.len += (size_t)got;
		return 0;
	}
	do {
		got = read(frames->fd, frames->in.data + frames->in.len, CHUNK);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fl_error_set(err, FL_ERR_IO, "%s", strerror(errno));
	frames->ended = got == 0;
	frames->in.len += (size_t)got;
	return 0;
}

static size_t find_bytes(const struct fl_frames *frames, size_t from,
			 size_t end, const char magic[MAGIC_SIZE])
{
	const char *at =
		memmem(frames->in.data + from, end - from, magic, MAGIC_SIZE);

	return at ? (size_t)(at - frames->in.data) : end;
}

/* Where a frame or a note may begin, from `from` on; in.len when nowhere. */
static size_t find_magic(const struct fl_frames *frames, size_t from)
{
	size_t end = frames->in.len;

	if (from >= end)
		return end;
	end = find_bytes(frames, from, end, frame_magic);
	/* Overlapping the one that was found it is none. */
	return find_bytes(frames, from, end, note_magic) < end
		       ? find_bytes(frames, from, end, note_magic)
		       : end;
}

/* Pass over what is no frame, up to where the next one may begin. */
static int pass_over(struct fl_frames *frames, size_t sure, const char *why,
		     struct fl_error *err)
{
	size_t next;

	frames->bad_at = frames->at;
	frames->why = why;
	for (;;) {
		next = find_magic(frames, sure);
		if (next < frames->in.len || frames->ended)
			break;
		/* The magic number may stand across the end of the buffer. */
		if (next >= MAGIC_SIZE)
			drop(frames, next - (MAGIC_SIZE - 1));
		sure = 0;
		if (read_more(frames, err) < 0)
			return -1;
	}
	drop(frames, next);
	frames->bad_len = frames->at - frames->bad_at;
	return 2;
}

/* Does a frame, or the end, stand right behind the first `size` bytes? Else the
 * size is damaged itself. */
static bool fits(const struct fl_frames *frames, size_t size)
{
	if (size + MAGIC_SIZE > frames->in.len)
		return frames->ended && size == frames->in.len;
	return find_magic(frames, size) == size;
}

/* How long the frame at the start of the buffer is, all of which is read; 0: it
 * is none. */
static int find_frame(struct fl_frames *frames, size_t *size,
		      struct fl_error *err)
{
	for (;;) {
		if (frames->in.len) {
			*size = ZSTD_findFrameCompressedSize(frames->in.data,
							     frames->in.len);
			if (!ZSTD_isError(*size))
				return 0;
		}
		*size = 0;
		if (frames->ended || frames->in.len > PACKED_MAX)
			return 0;
		if (read_more(frames, err) < 0)
			return -1;
	}
}

/* The frame of `size` bytes is a note: then it is in `note`. */
static bool take_note(struct fl_frames *frames, size_t size)
{
	if (size < NOTE_HEAD ||
	    memcmp(frames->in.data, note_magic, MAGIC_SIZE) != 0)
		return false;
	fl_buf_reset(&frames->note);
	fl_buf_append(&frames->note, frames->in.data + NOTE_HEAD,
		      size - NOTE_HEAD);
	return true;
}

int fl_frames_next(struct fl_frames *frames, struct fl_unpacker *unpacker,
		   struct fl_error *err)
{
	unsigned long long content;
	size_t size, got;

	for (;;) {
		if (find_frame(frames, &size, err) < 0)
			return -1;
		if (!size && !frames->in.len)
			return 0;
		if (!size)
			return pass_over(frames, 1,
					 frames->ended ? "cut off"
						       : "no zstd frame",
					 err);
		content = ZSTD_getFrameContentSize(frames->in.data,
						   frames->in.len);
		/* A skippable frame holds nothing. */
		if (content == 0) {
			bool note = frames->notes && take_note(frames, size);

			drop(frames, size);
			if (note)
				return 3;
			continue;
		}
		if (content == ZSTD_CONTENTSIZE_UNKNOWN ||
		    content == ZSTD_CONTENTSIZE_ERROR || content > FL_FRAME_MAX)
			return pass_over(frames, 1,
					 "a frame that does not say its size, "
					 "or is over 4 MiB",
					 err);
		if (!frames->gathers)
			fl_buf_reset(&frames->out);
		frames->out_at = frames->out.len;
		fl_buf_reserve(&frames->out, (size_t)content);
		got = ZSTD_decompressDCtx(
			unpacker->zstd, frames->out.data + frames->out_at,
			(size_t)content, frames->in.data, size);
		if (!ZSTD_isError(got))
			break;
		if (!frames->ended && size + MAGIC_SIZE > frames->in.len &&
		    read_more(frames, err) < 0)
			return -1;
		return pass_over(frames, fits(frames, size) ? size : 1,
				 ZSTD_getErrorName(got), err);
	}
	frames->out.len = frames->out_at + got;
	frames->out.data[frames->out.len] = '\0';
	drop(frames, size);
	return 1;
}

void fl_frames_seek(struct fl_frames *frames, uint64_t at, uint64_t count)
{
	uint64_t skip = at - frames->at;

	if (skip <= frames->in.len) {
		drop(frames, (size_t)skip);
	} else {
		fl_buf_reset(&frames->in);
		frames->at = at;
		frames->ended = false;
	}
	count -= count < frames->in.len ? count : frames->in.len;
	frames->seek(frames->from, frames->at + frames->in.len, count);
}

void fl_frames_release(struct fl_frames *frames)
{
	fl_buf_release(&frames->in);
	fl_buf_release(&frames->out);
	fl_buf_release(&frames->note);
}
