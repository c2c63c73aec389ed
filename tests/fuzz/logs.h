/* logs: what the targets of log formats share.
 *
 * The first byte says how: which format of the family, or by detection; with a
 * zone or without; as lines of a file or as they arrive. The rest are lines.
 * Whatever the bytes, a record that comes of them is one that fl-clean takes,
 * canonical to the byte, of the time that is told for it; what is refused has a
 * reason. Read twice, it comes out the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_TESTS_FUZZ_LOGS_H
#define FL_TESTS_FUZZ_LOGS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/zone.h"
#include "rec/record.h"
#include "source/log/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_RECV_NS INT64_C(1772703000123000000) /* March 2026 */

static void judge(const struct fl_logs_made *made)
{
	struct fl_record rec = { .bytes = made->text.data,
				 .len = made->text.len,
				 .line = 1,
				 .input = "-" };
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	struct fl_buf again = FL_BUF_INIT;

	assert(fl_record_check(&rec, &json, &note) == FL_REASON_NONE);
	assert(rec.ts_ns == made->ts_ns && !rec.fixes);
	assert(rec.type == &fl_type_log);
	fl_record_canonical(&rec, &again);
	assert(again.len == made->text.len &&
	       memcmp(again.data, made->text.data, again.len) == 0);
	fl_buf_release(&again);
	fl_json_release(&json);
}

/* The hash of all that came of the lines. */
static uint64_t read_lines(const struct fl_logs_job *job, const uint8_t *data,
			   size_t size)
{
	struct fl_logs_parser parser;
	struct fl_logs_made made = { .text = FL_BUF_INIT };
	const uint8_t *end = data + size;
	uint64_t sum = 0;

	fl_logs_parser_init(&parser, job, FUZZ_RECV_NS);
	while (data < end) {
		const uint8_t *lf = memchr(data, '\n', (size_t)(end - data));
		size_t len = (size_t)((lf ? lf : end) - data);
		/* At its exact size, for the sanitizer to see a read past the
		 * end. */
		char *line = malloc(len ? len : 1);
		enum fl_logs_got got;

		memcpy(line, data, len);
		got = fl_logs_parse(&parser, line, len, FUZZ_RECV_NS, &made);
		assert(got != FL_LOGS_NOT_MINE);
		assert((got == FL_LOGS_REFUSED) ==
		       (made.reason != FL_REASON_NONE));
		if (got == FL_LOGS_RECORD) {
			judge(&made);
			sum = sum * 31 +
			      fl_hash64(made.text.data, made.text.len);
		} else {
			sum = sum * 31 + (uint64_t)made.reason;
		}
		free(line);
		data += len + (lf != NULL);
	}
	fl_logs_parser_release(&parser);
	fl_buf_release(&made.text);
	return sum;
}

static void fuzz_formats(const char *const *names, size_t count,
			 const uint8_t *data, size_t size)
{
	static const char *prefixes[] = { "DROP=drop", NULL };
	static const struct fl_zone *zone;
	static const struct fl_list list = { prefixes, 1 };
	struct fl_error err = { .code = FL_OK };
	struct fl_io io = { .command = "fl-fetch", .hooks = &fl_record_hooks };
	struct fl_logs_job job = { .io = &io, .prefixes = &list };
	size_t which;

	if (!size)
		return;
	if (!zone && fl_zone_open("America/New_York", &zone, &err) < 0)
		zone = NULL;
	which = (size_t)(data[0] & 15) % (count + 1);
	if (which < count &&
	    fl_logs_format_find(names[which], &job.format, &err) < 0)
		abort();
	io.zone = data[0] & 16 ? zone : NULL;
	job.received = data[0] & 32;
	job.year = data[0] & 64 ? 2024 : 0;
	assert(read_lines(&job, data + 1, size - 1) ==
	       read_lines(&job, data + 1, size - 1));
}

#endif
