/* fuzz-csv: the csv source over any bytes, and its readers of dates and
 * numbers.
 *
 * The first byte says how: with marks or without, with a zone or
 * without.
 * Whatever the bytes, a record that comes of them is one that parses, of the
 * time that is told for it; where its type's check finds it good it is
 * canonical to the byte. Given twice, it comes out the same; gone on from any
 * of its positions, no record comes twice and none is left out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/zone.h"
#include "rec/record.h"
#include "source/csv/date.h"
#include "source/csv/number.h"
#include "source/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fl_source fl_source_csv;

static volatile sig_atomic_t stop;

/* What came of one reading. */
struct outcome {
	uint64_t records, sum; /* sum: of their hashes */
	uint64_t first_pos;    /* the first position told */
	uint64_t after_sum;    /* the sum behind it */
	int64_t first_ts;
	char origin[300];
	bool failed;
};

static void judge(const struct fl_item *item)
{
	struct fl_record rec = {
		.bytes = item->bytes, .len = item->len, .line = 1, .input = "-"
	};
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	struct fl_buf again = FL_BUF_INIT;
	enum fl_reason reason = fl_record_check(&rec, &json, &note);

	/* What a price or a word may be is fl-clean's to say. */
	if (reason != FL_REASON_NONE) {
		assert(reason == FL_REASON_out_of_range ||
		       reason == FL_REASON_ohlc_order ||
		       reason == FL_REASON_bad_time);
	} else {
		assert(rec.ts_ns == item->ts_ns);
		fl_record_canonical(&rec, &again);
		assert((rec.fixes & (unsigned)FL_FIX_SUBUNIT) ||
		       (again.len == item->len &&
			memcmp(again.data, item->bytes, again.len) == 0));
	}
	fl_buf_release(&again);
	fl_json_release(&json);
}

static void read_all(const char *path, uint8_t how,
		     const struct fl_start *start, const struct fl_zone *zone,
		     struct outcome *out)
{
	static const char *const symbols[] = { "ZZZT", NULL };
	struct fl_io io = {
		.command = "fl-fetch",
		.hooks = &fl_record_hooks,
		.zone = zone,
		.max_rejects = UINT64_MAX,
		.max_reject_share = -1,
		.workers = 1,
		.reject_fd = -1,
		.stop = &stop,
	};
	char copy[64], *operands[] = { copy, NULL };
	struct fl_ask ask = {
		.io = &io,
		.operands = operands,
		.symbols = symbols,
		.from = FL_TIME_NONE,
		.to = FL_TIME_NONE,
		.marked = how & 1,
		.pipeline = "p",
		.starts = start,
		.start_count = start != NULL,
		.warm_up_ns = how & 2 ? FL_DAY : 0,
	};
	struct fl_error err = { .code = FL_OK };
	struct fl_item item;
	void *state = NULL;
	int got;

	memset(out, 0, sizeof(*out));
	snprintf(copy, sizeof(copy), "%s", path);
	got = fl_source_csv.open(&state, &ask, &err) < 0 ? -1 : 1;
	while (got > 0 && (got = fl_source_csv.next(state, &item, &err)) > 0) {
		if (item.bytes && !item.warm) {
			uint64_t hash = fl_hash64(item.bytes, item.len);

			judge(&item);
			out->records++;
			out->sum += hash;
			out->after_sum += out->first_pos ? hash : 0;
		}
		if (item.origin && !item.warm && !out->first_pos) {
			snprintf(out->origin, sizeof(out->origin), "%s",
				 item.origin);
			out->first_pos = item.pos;
			out->first_ts = item.bytes ? item.ts_ns : FL_TIME_NONE;
		}
	}
	out->failed = got < 0;
	assert(!out->failed || err.code != FL_OK);
	fl_source_csv.close(state);
}

static void read_cells(const char *text, size_t len)
{
	struct fl_csv_dates dates = { 0 };
	char number[FL_CSV_NUMBER_MAX], *cell, *format;
	struct fl_csv_moment moment;
	struct fl_decimal value;
	struct fl_error err = { .code = FL_OK };
	struct fl_csv_when when;
	size_t half = strnlen(text, len), made;

	/* At its exact size, for the sanitizer to see a read past the end. */
	cell = malloc(len ? len : 1);
	memcpy(cell, text, len);
	for (int style = FL_CSV_POINT; style <= (int)FL_CSV_EACH; style++) {
		made = fl_csv_number((enum fl_csv_style)style, ';',
				     FL_CSV_SCALE, cell, len, number);
		assert(made == 0 || fl_decimal_parse(number, made, &value) !=
					    FL_DECIMAL_BAD);
	}
	if (fl_csv_dates_read(&dates, cell, len, &when)) {
		fl_csv_dates_add(&dates, &when, NULL, cell, len, 1);
		if (fl_csv_dates_settle(&dates, "x", &err) == 0)
			fl_csv_dates_moment(&dates, &when, NULL, &moment);
	}
	fl_csv_time_read(cell, len, &when);
	fl_error_clear(&err);
	format = strndup(text, half);
	if (half < len && fl_csv_format_check(format, &err) == 0) {
		struct fl_csv_dates told = { .format = format };

		if (fl_csv_dates_read(&told, cell + half + 1, len - half - 1,
				      &when) &&
		    fl_csv_dates_settle(&told, "x", &err) == 0)
			fl_csv_dates_moment(&told, &when, NULL, &moment);
	}
	free(format);
	free(cell);
}

/* The bytes as a file with a name, in memory where the machine has that: marks
 * name files by their path. */
static int open_copy(char *path, const uint8_t *data, size_t size)
{
	int fd;

	strcpy(path, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fl-fuzz-XXXXXX"
						   : "/tmp/fl-fuzz-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fl_zone *zone;
	struct outcome once, twice, rest;
	struct fl_error err = { .code = FL_OK };
	struct fl_start start;
	char path[40], pos[24];
	uint8_t how;
	int fd;

	if (!zone && fl_zone_open("America/New_York", &zone, &err) < 0)
		zone = NULL;
	if (size == 0)
		return 0;
	how = data[0];
	data++;
	size--;
	if (size < 200)
		read_cells((const char *)data, size);
	fd = open_copy(path, data, size);
	read_all(path, how & 0xfe, NULL, how & 4 ? zone : NULL, &once);
	read_all(path, how & 0xfe, NULL, how & 4 ? zone : NULL, &twice);
	assert(once.records == twice.records && once.sum == twice.sum &&
	       once.failed == twice.failed);
	if (once.failed || !(how & 1))
		goto done;
	/* With marks; then from the first position on, once more. */
	read_all(path, how, NULL, how & 4 ? zone : NULL, &twice);
	assert(!twice.failed && once.sum == twice.sum);
	if (!twice.first_pos)
		goto done;
	snprintf(pos, sizeof(pos), "%llu", (unsigned long long)twice.first_pos);
	start = (struct fl_start){ twice.origin, pos, twice.first_ts };
	read_all(path, how, &start, how & 4 ? zone : NULL, &rest);
	assert(!rest.failed && rest.sum == twice.after_sum);
done:
	close(fd);
	unlink(path);
	return 0;
}
