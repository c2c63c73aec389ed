/* fuzz-slice: any text as the note of a slice, with a hash that is right. What
 * is wanted of it lies one behind another, whatever the note says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rec/type.h"
#include "store/lake-slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			abort();                                               \
	} while (0)

static uint64_t sought;

static void seek(void *from, uint64_t at, uint64_t count)
{
	(void)from;
	(void)count;
	CHECK(at >= sought);
	sought = at;
}

static void read_note(const struct fl_buf *text, const struct fl_query *query)
{
	struct fl_lake_slice slice = { .count = 0 };
	struct fl_frames frames = { .fd = -1, .seek = seek, .at = 7 };
	uint64_t end = 7;
	size_t steps = 0;

	sought = 0;
	if (fl_lake_slice_note(&slice, text->data, text->len, 7,
			       fl_type_find("quote", 5), query)) {
		for (size_t i = 0; i < slice.frame_count; i++) {
			CHECK(slice.frames[i].at == end);
			end += slice.frames[i].size;
		}
		CHECK(slice.end == end);
		while (fl_lake_slice_seek(&slice, &frames))
			CHECK(++steps < text->len);
		CHECK(frames.at <= end);
	}
	fl_frames_release(&frames);
	fl_lake_slice_release(&slice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const symbols[] = { "AAPL", "MSFT", NULL };
	const struct fl_query all = { .from = FL_TIME_NONE,
				      .to = FL_TIME_NONE,
				      .date_from = FL_TIME_NONE,
				      .date_to = FL_TIME_NONE };
	struct fl_query some = all;
	struct fl_buf text = FL_BUF_INIT;

	fl_buf_printf(&text, "%016llx ",
		      (unsigned long long)fl_hash64(data, size));
	fl_buf_append(&text, data, size);
	some.symbols = symbols;
	some.from = 1000;
	some.to = 2000000000;
	read_note(&text, NULL);
	read_note(&text, &all);
	read_note(&text, &some);
	fl_buf_release(&text);
	return 0;
}
