/* fuzz-frames: any bytes as a file of frames, which must come to its end, pass
 * over no more than there is, and go forward.
 *
 * SPDX-License-Identifier: Apache-2.0 */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fl_unpacker *unpacker;
	static int fd = -1;
	struct fl_frames frames = { .fd = -1 };
	struct fl_error err = { .code = FL_OK };
	uint64_t before = 0;
	int got;

	if (!unpacker) {
		unpacker = fl_unpacker_new();
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	}
	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	frames.fd = fd;
	while ((got = fl_frames_next(&frames, unpacker, &err)) > 0) {
		CHECK(frames.at > before && frames.at <= size);
		if (got == 2)
			CHECK(frames.bad_at >= before && frames.bad_len > 0 &&
			      frames.bad_at + frames.bad_len == frames.at &&
			      frames.why);
		else
			CHECK(frames.out.len <= FL_FRAME_MAX);
		before = frames.at;
	}
	CHECK(got == 0 && err.code == FL_OK && frames.at == size);
	fl_frames_release(&frames);
	return 0;
}
