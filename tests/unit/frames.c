/* frames: what is packed comes back, and damage costs the frames that it hits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/frames.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

/* A file in memory that holds bytes[len]. */
static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("frames", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) != 0) {
		printf("Bail out! no file in memory\n");
		exit(1);
	}
	return fd;
}

/* What comes back of a file: contents one after another, '?' for damage. */
static bool unpack(const void *bytes, size_t len, struct fl_buf *out,
		   uint64_t *lost)
{
	struct fl_unpacker *unpacker = fl_unpacker_new();
	struct fl_frames frames = { .fd = file_of(bytes, len) };
	struct fl_error err = { .code = FL_OK };
	bool good = true;
	int got;

	*lost = 0;
	while ((got = fl_frames_next(&frames, unpacker, &err)) > 0) {
		if (got == 1) {
			fl_buf_append(out, frames.out.data, frames.out.len);
			continue;
		}
		fl_buf_putc(out, '?');
		*lost += frames.bad_len;
		good = good && frames.why &&
		       frames.bad_at + frames.bad_len <= len;
	}
	close(frames.fd);
	fl_frames_release(&frames);
	fl_unpacker_free(unpacker);
	return good && got == 0;
}

/* Frames of the letters a, b, c … over and over, `size` bytes each; ends[i] is
 * where the i-th ends. */
static void pack(struct fl_buf *out, size_t count, size_t size, size_t *ends)
{
	struct fl_packer *packer = fl_packer_new();
	struct fl_error err = { .code = FL_OK };
	struct fl_buf text = FL_BUF_INIT;
	unsigned seed = 1;

	for (size_t i = 0; i < count; i++) {
		fl_buf_reset(&text);
		for (size_t j = 0; j < size; j++) {
			seed = seed * 1664525 + 1013904223;
			/* Half of it does not compress. */
			fl_buf_putc(&text,
				    j % 2 ? (char)('a' + i)
					  : (char)('A' + (seed >> 16) % 26));
		}
		if (fl_packer_add(packer, text.data, text.len, out, &err) < 0)
			note("%s", err.text);
		ends[i] = out->len;
	}
	fl_buf_release(&text);
	fl_packer_free(packer);
}

static bool has_letter(const struct fl_buf *buf, char letter)
{
	return buf->len && memchr(buf->data, letter, buf->len) != NULL;
}

static void test_damage(void)
{
	enum {
		COUNT = 5,
		SIZE = 300,
	};
	struct fl_buf packed = FL_BUF_INIT, whole = FL_BUF_INIT;
	size_t ends[COUNT];
	uint64_t lost;
	int wrong = 0, silent = 0;

	pack(&packed, COUNT, SIZE, ends);
	ok(unpack(packed.data, packed.len, &whole, &lost) && lost == 0,
	   "frames come back");
	is_int((int)whole.len, COUNT * SIZE, "whole");
	/* Each bit of each byte in turn. */
	for (size_t at = 0; at < packed.len * 8; at++) {
		struct fl_buf out = FL_BUF_INIT;
		size_t hit = 0;

		while (at / 8 >= ends[hit])
			hit++;
		packed.data[at / 8] ^= (char)(1 << at % 8);
		if (!unpack(packed.data, packed.len, &out, &lost))
			wrong++;
		for (size_t i = 0; i < COUNT; i++) {
			/* An unused bit of a header may change nothing. */
			if (i != hit && !has_letter(&out, (char)('a' + i)))
				wrong++;
		}
		if (!has_letter(&out, '?') &&
		    (out.len != whole.len ||
		     memcmp(out.data, whole.data, whole.len) != 0))
			silent++;
		packed.data[at / 8] ^= (char)(1 << at % 8);
		fl_buf_release(&out);
	}
	is_int(wrong, 0, "a flipped bit costs its own frame alone");
	is_int(silent, 0, "and is told");
	/* Cut off at each byte. */
	wrong = 0;
	for (size_t at = 0; at < packed.len; at++) {
		struct fl_buf out = FL_BUF_INIT;
		size_t full = 0;
		bool on_end = at == 0;

		while (full < COUNT && ends[full] <= at)
			on_end = ends[full++] == at;
		if (!unpack(packed.data, at, &out, &lost) ||
		    out.len != full * SIZE + !on_end)
			wrong++;
		fl_buf_release(&out);
	}
	is_int(wrong, 0,
	       "what is cut off is told, what is before it comes back");
	fl_buf_release(&packed);
	fl_buf_release(&whole);
}

/* Frames longer than what is read at once, and garbage longer than any. */
static void test_sizes(void)
{
	static const char skippable[] = "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz";
	struct fl_buf packed = FL_BUF_INIT, out = FL_BUF_INIT;
	size_t ends[3], size = 1 << 20, garbage = 6 << 20;
	uint64_t lost;
	char *zeros = calloc(garbage, 1);

	fl_buf_append(&packed, skippable, sizeof(skippable) - 1);
	pack(&packed, 3, size, ends);
	ok(unpack(packed.data, packed.len, &out, &lost) && lost == 0 &&
		   out.len == 3 * size,
	   "large frames come back, a skippable one holds nothing");
	fl_buf_append(&packed, zeros, garbage);
	pack(&packed, 1, 10, ends);
	fl_buf_reset(&out);
	ok(unpack(packed.data, packed.len, &out, &lost) &&
		   out.len == 3 * size + 1 + 10,
	   "6 MiB of zeros cost themselves");
	is_int((int)lost, (int)garbage, "to the byte");
	fl_buf_reset(&out);
	ok(unpack(zeros, garbage, &out, &lost) && out.len == 1,
	   "nothing but zeros is damage");
	fl_buf_reset(&out);
	ok(unpack(zeros, 0, &out, &lost) && out.len == 0,
	   "an empty file has no frames");
	free(zeros);
	fl_buf_release(&packed);
	fl_buf_release(&out);
}

/* --- notes -----------------------------------------------------------------
 */

struct place {
	const char *bytes;
	size_t len, at, pulled;
};

static ssize_t pull(void *from, void *bytes, size_t size, struct fl_error *err)
{
	struct place *place = from;

	(void)err;
	if (size > place->len - place->at)
		size = place->len - place->at;
	if (size > 1000) /* in pieces, as they may come */
		size = 1000;
	memcpy(bytes, place->bytes + place->at, size);
	place->at += size;
	place->pulled += size;
	return (ssize_t)size;
}

static void seek(void *from, uint64_t at, uint64_t count)
{
	(void)count;
	((struct place *)from)->at = (size_t)at;
}

/* Three notes, each before a frame. */
static void test_notes(void)
{
	struct fl_unpacker *unpacker = fl_unpacker_new();
	struct fl_error err = { .code = FL_OK };
	struct fl_buf packed = FL_BUF_INIT;
	size_t ends[1], starts[3];
	struct place place = { 0 };
	struct fl_frames frames = { .fd = -1, .pull = pull, .seek = seek };
	bool good = true;

	for (size_t i = 0; i < 3; i++) {
		starts[i] = packed.len;
		fl_packer_note("note", i + 2, &packed);
		pack(&packed, 1, 300000, ends);
	}
	place.bytes = packed.data;
	place.len = packed.len;
	frames.from = &place;
	for (size_t i = 0; i < 3; i++)
		good = good && fl_frames_next(&frames, unpacker, &err) == 1 &&
		       frames.out.len == 300000;
	ok(good && fl_frames_next(&frames, unpacker, &err) == 0,
	   "notes hold nothing for who does not want them");
	fl_frames_release(&frames);

	place.at = place.pulled = 0;
	frames = (struct fl_frames){ .fd = -1, .pull = pull, .seek = seek };
	frames.from = &place;
	frames.notes = true;
	good = fl_frames_next(&frames, unpacker, &err) == 3;
	ok(good && frames.note.len == 2 &&
		   memcmp(frames.note.data, "no", 2) == 0,
	   "for others they hold what was put into them");
	fl_frames_seek(&frames, starts[2], 0);
	good = fl_frames_next(&frames, unpacker, &err) == 3;
	ok(good && frames.note.len == 4, "what is sought is what comes next");
	ok(frames.at > starts[2] && place.pulled < 3000,
	   "and what is passed over is not read");
	ok(fl_frames_next(&frames, unpacker, &err) == 1 &&
		   frames.out.len == 300000 &&
		   fl_frames_next(&frames, unpacker, &err) == 0,
	   "then all goes on to the end");
	fl_frames_release(&frames);

	/* A frame before a note is damaged: the note is found. */
	packed.data[starts[1] - 20] ^= 1;
	place.at = 0;
	frames = (struct fl_frames){ .fd = -1, .pull = pull, .seek = seek };
	frames.from = &place;
	frames.notes = true;
	good = fl_frames_next(&frames, unpacker, &err) == 3 &&
	       fl_frames_next(&frames, unpacker, &err) == 2 &&
	       frames.bad_at + frames.bad_len == starts[1] &&
	       fl_frames_next(&frames, unpacker, &err) == 3;
	ok(good && frames.note.len == 3, "damage ends where a note begins");
	fl_frames_release(&frames);
	fl_buf_release(&packed);
	fl_unpacker_free(unpacker);
}

int main(void)
{
	test_damage();
	test_notes();
	test_sizes();
	return done_testing();
}
