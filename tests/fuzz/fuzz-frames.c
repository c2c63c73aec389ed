/* fuzz-frames: any bytes as a file of frames, which must come to its end, pass
 * over no more than there is, and go forward.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static void read_all(struct fl_unpacker *unpacker, int fd, size_t size,
		     bool notes)
{
	struct fl_frames frames = { .fd = fd, .notes = notes };
	struct fl_error err = { .code = FL_OK };
	uint64_t before = 0;
	int got;

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	while ((got = fl_frames_next(&frames, unpacker, &err)) > 0) {
		CHECK(frames.at > before && frames.at <= size);
		if (got == 2)
			CHECK(frames.bad_at >= before && frames.bad_len > 0 &&
			      frames.bad_at + frames.bad_len == frames.at &&
			      frames.why);
		else if (got == 3)
			CHECK(notes && frames.note.len < size);
		else
			CHECK(frames.out.len <= FL_FRAME_MAX);
		before = frames.at;
	}
	CHECK(got == 0 && err.code == FL_OK && frames.at == size);
	fl_frames_release(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fl_unpacker *unpacker;
	static int fd = -1;

	if (!unpacker) {
		unpacker = fl_unpacker_new();
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	}
	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	read_all(unpacker, fd, size, false);
	read_all(unpacker, fd, size, true);
	return 0;
}
