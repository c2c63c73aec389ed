/* fuzz-syslog: cutting a stream of bytes into messages.
 *
 * The first byte says the framing and the ceiling, the second in which chunks
 * the rest comes. In whatever chunks, the messages are the same; none is longer
 * than the ceiling without saying so, and all together are no more than came.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "net/syslog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All messages at hand; false: no frame begins there. */
static bool take(struct fl_syslog_frames *frames, bool ended, uint64_t *sum,
		 uint64_t *bytes)
{
	struct fl_syslog_frame frame;
	int got;

	while ((got = fl_syslog_next(frames, &frame, ended)) == 1) {
		assert(frame.cut || (frame.whole ? frame.whole > frames->max
						 : frame.len <= frames->max));
		*sum = *sum * 31 + fl_hash64(frame.bytes, frame.len) +
		       frame.whole + frame.cut;
		*bytes += frame.whole ? frame.whole : frame.len;
	}
	return got == 0;
}

static uint64_t cut(enum fl_syslog_framing framing, size_t max,
		    const uint8_t *data, size_t size, size_t chunk)
{
	struct fl_syslog_frames frames;
	uint64_t sum = 0, bytes = 0;
	bool good = true;

	fl_syslog_init(&frames, framing, max);
	for (size_t at = 0; good && at < size;) {
		size_t room, len = size - at;
		char *space = fl_syslog_space(&frames, &room);

		if (len > chunk)
			len = chunk;
		if (len > room)
			len = room;
		memcpy(space, data + at, len);
		fl_syslog_fed(&frames, len);
		at += len;
		good = take(&frames, false, &sum, &bytes);
	}
	if (good)
		good = take(&frames, true, &sum, &bytes);
	assert(bytes <= size);
	fl_syslog_release(&frames);
	return sum * 2 + good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum fl_syslog_framing framing;
	size_t max;

	if (size < 2)
		return 0;
	framing = (enum fl_syslog_framing)(data[0] % 3);
	max = (size_t)1 << (data[0] / 3 % 12);
	assert(cut(framing, max, data + 2, size - 2, size) ==
	       cut(framing, max, data + 2, size - 2, (size_t)data[1] + 1));
	return 0;
}
