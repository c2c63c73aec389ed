/* frames: files of independent zstd frames, each with its size and a checksum.
 *
 * A frame is decoded without those before it, so a damaged one costs what is in
 * it and nothing else, and memory is one frame, whatever the file's size. Any
 * zstd tool reads such a file as a whole.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_FRAMES_H
#define FL_IO_FRAMES_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* The content of one frame at most; what claims to hold more is damaged. */
#define FL_FRAME_MAX ((size_t)4 << 20)

struct fl_packer;
struct fl_packer *fl_packer_new(void);
/* Append bytes[len], at most FL_FRAME_MAX, to `out` as one frame. */
int fl_packer_add(struct fl_packer *packer, const void *bytes, size_t len,
		  struct fl_buf *out, struct fl_error *err);
/* Append a note: a frame that holds nothing to other readers (a skippable one).
 */
void fl_packer_note(const void *bytes, size_t len, struct fl_buf *out);
void fl_packer_free(struct fl_packer *packer); /* NULL is fine */

/* The decoder, which any number of files share. */
struct fl_unpacker;
struct fl_unpacker *fl_unpacker_new(void);
void fl_unpacker_free(struct fl_unpacker *unpacker); /* NULL is fine */

/* A file that is read frame by frame; zeroed but for fd at first. */
struct fl_frames {
	int fd;
	/* Where the bytes come from instead; as read(2), but that err says what
	 * went wrong. NULL: from fd. */
	ssize_t (*pull)(void *from, void *bytes, size_t size,
			struct fl_error *err);
	/* The next bytes to be pulled are those from `at` on, and `count` of
	 * them are sure to be wanted. Needed for fl_frames_seek only. */
	void (*seek)(void *from, uint64_t at, uint64_t count);
	void *from;
	bool notes;        /* they are wanted, too */
	bool gathers;      /* contents stand one behind another in `out`, until
			    * whoever reads empties it */
	struct fl_buf out; /* the frame's content */
	size_t out_at;     /* where it begins there */
	struct fl_buf note;
	/* What was passed over: bytes of the file, and why. */
	uint64_t bad_at, bad_len;
	const char *why;
	struct fl_buf in; /* bytes of the file from `at` on */
	uint64_t at;
	bool ended;
};

/* The next frame into frames->out.
 * returns 1; 0 at the end; 2 damaged bytes were passed over, `bad_at` and the
 *         rest tell, and the call after goes on behind them; 3 a note is in
 *         `note`; -1
 * errors  FL_ERR_IO the read failed, without the file's name; those of `pull`
 */
int fl_frames_next(struct fl_frames *frames, struct fl_unpacker *unpacker,
		   struct fl_error *err);
/* Go on at byte `at` of the file, which is not before where it stands; of the
 * bytes from there on `count` are sure to be wanted. */
void fl_frames_seek(struct fl_frames *frames, uint64_t at, uint64_t count);
void fl_frames_release(struct fl_frames *frames); /* the fd stays open */

#endif
