/* fuzz-csv-plain: the csv source takes usual rows a short way; both ways must
 * give the same.
 *
 * The first byte says how: with a zone, with a symbol and an interval that are
 * told, as quotes. Records and rejects are written down in the order in which
 * they come, with what is counted and the error at the end. The rest of the
 * input is the file; or each byte of it stands for a cell, so that most rows
 * are near to good ones. Rows may be written several times, for what is
 * remembered from row to row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "base/zone.h"
#include "rec/record.h"
#include "source/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fl_source fl_source_csv;

static volatile sig_atomic_t stop;

enum how {
	HOW_ZONE = 1,
	HOW_SYMBOL = 2,
	HOW_QUOTE = 4,
	HOW_TWICE = 8,
	HOW_CELLS = 16,
};

/* A reject says when it was made, which is another time each time. */
static int keep_reject(void *arg, const char *bytes, size_t len,
		       struct fl_error *err)
{
	const char *provider = memmem(bytes, len, "\"provider\"", 10);
	struct fl_buf *log = arg;

	(void)err;
	assert(provider);
	fl_buf_append(log, provider, len - (size_t)(provider - bytes));
	fl_buf_putc(log, '\n');
	return 0;
}

/* What comes of the file, written down in `log`. */
static void read_all(const char *path, uint8_t how, const struct fl_zone *zone,
		     bool long_way, bool runs, struct fl_buf *log)
{
	static const char *const symbols[] = { "zzz-t", NULL };
	static const char *const types[] = { "quote", NULL };
	struct fl_io io = {
		.command = "fl-fetch",
		.hooks = &fl_record_hooks,
		.zone = how & HOW_ZONE ? zone : NULL,
		.max_rejects = UINT64_MAX,
		.max_reject_share = -1,
		.workers = 1,
		.reject_fd = -1,
		.stop = &stop,
		.marked = true,
		.keep_reject = keep_reject,
		.keep_reject_arg = log,
	};
	char copy[64], *operands[] = { copy, NULL };
	struct fl_ask ask = {
		.io = &io,
		.operands = operands,
		.symbols = how & HOW_SYMBOL ? symbols : NULL,
		.types = how & HOW_QUOTE ? types : NULL,
		.from = FL_TIME_NONE,
		.to = FL_TIME_NONE,
		.long_way = long_way,
		.runs = runs,
	};
	struct fl_error err = { .code = FL_OK };
	struct fl_item item = { .bytes = NULL };
	void *state = NULL;
	int64_t last = 0;
	int got;

	fl_buf_reset(log);
	snprintf(copy, sizeof(copy), "%s", path);
	got = fl_source_csv.open(&state, &ask, &err) < 0 ? -1 : 1;
	while (got > 0 && (got = fl_source_csv.next(state, &item, &err)) > 0) {
		assert(item.bytes && runs == (item.lines > 0));
		fl_buf_append(log, item.bytes, item.len);
		if (!runs)
			fl_buf_putc(log, '\n');
		io.counts.in += runs ? item.lines : 1;
		last = item.ts_ns;
	}
	fl_source_csv.close(state);
	fl_buf_printf(log, "%d %s, %llu in, %llu rejected, %llu rounded, %lld",
		      got, err.text, (unsigned long long)io.counts.in,
		      (unsigned long long)io.counts.rejected,
		      (unsigned long long)io.counts.rounded, (long long)last);
	for (int i = 0; i < FL_REASON_COUNT; i++)
		fl_buf_printf(log, " %llu",
			      (unsigned long long)io.counts.by_reason[i]);
	fl_buf_printf(log, " %s %llu", io.first_note.detail,
		      (unsigned long long)io.first_line);
}

static void demand_same(const struct fl_buf *a, const struct fl_buf *b)
{
	if (a->len == b->len && memcmp(a->data, b->data, a->len) == 0)
		return;
	fprintf(stderr, "the long way:\n%s\nthe short way:\n%s\n",
		fl_buf_text(a), fl_buf_text(b));
	abort();
}

/* Cells that a byte stands for, in the order of how usual they are. */
static const char *const dates[] = {
	"2025-10-01", "2025-10-02",           "2025-10-03",
	"2025-10-04", "2025-11-02 01:30:00",  "2025-11-02 01:45:00",
	"1759276800", "2025-10-06T00:00:00Z", "null",
	"2025-02-30", "\"2025-10-07\"",       "1600-01-01",
	"10/14/2025",
};
static const char *const labels[] = {
	"AAPL",  "MSFT", "BRK-B",    "aapl", "\"AAPL\"",
	"A\\B",  "",     "\xc3\xa9", "a\"b", "\"a\"\"b\"",
	" USD ", "N/A",  "bar",      "1e",   "ABCDEFGHIJKLMNOPQ",
	"D",     "W",    "\"x\ny\"",
};
static const char *const numbers[] = {
	"1",
	"2.50",
	"101.2500",
	"0.10",
	"3.000",
	"12345678",
	"",
	"0",
	"1.0",
	"-1.5",
	"\"1,234\"",
	"007",
	".5",
	"5.",
	"1e5",
	"null",
	"1.2M",
	"1,5",
	"1.234.567",
	"123456789012345678",
	"0.12345678901",
	"-0",
	"1234567890.123456",
	"x",
	"$1",
	" 2 ",
	"\"2\"",
	"\0002",
};

static const char *const headers[] = {
	"Date,Symbol,Open,High,Low,Close,Volume",
	"Date,Symbol,Open,High,Low,Close,Adj Close,Volume,Dividends,Splits",
	"date,ticker,per,open,high,low,close,vol,trades,currency,adj",
	"type,date,symbol,open,high,low,close,odd\"name,final",
	"Date,Symbol,Price,Size,Exchange,seq,conditions",
	"Date;Symbol;Open;High;Low;Close;Volume",
};

#define PICK(list, byte) list[(byte) % (sizeof(list) / sizeof(*(list)))]

/* A file of rows under one of the headers, a byte for each cell. What it stands
 * for is mostly what the column wants. */
static void write_cells(struct fl_buf *text, const uint8_t *data, size_t size)
{
	const char *header = PICK(headers, data[0]);
	bool semicolon = strchr(header, ';') != NULL;
	unsigned columns = 1, column = 0;

	for (const char *at = header; *at; at++)
		columns += *at == ',' || *at == ';';
	fl_buf_puts(text, header);
	fl_buf_putc(text, '\n');
	for (size_t i = 1; i < size; i++) {
		uint8_t byte = data[i];
		bool odd = byte >= 0xf0;
		const char *name = header;

		for (unsigned skip = column; skip; name++)
			skip -= *name == ',' || *name == ';';
		byte &= byte >= 0xa0 ? 0x1f : 3;
		fl_buf_puts(text, odd ? PICK(numbers, byte)
				  : strncasecmp(name, "date", 4) == 0
					  ? PICK(dates, byte)
				  : strchr("StpEca", *name) && name[1] != 't'
					  ? PICK(labels, byte)
					  : PICK(numbers, byte));
		/* A row may be too short, or too long. */
		column += data[i] != 0xef;
		if (column < columns && data[i] != 0xee) {
			fl_buf_putc(text, semicolon ? ';' : ',');
			continue;
		}
		fl_buf_puts(text, data[i] % 7 == 6 ? "\r\n" : "\n");
		column = 0;
	}
}

/* The bytes as a file with a name, in memory where the machine has that. */
static int open_copy(char *path, const uint8_t *data, size_t size, bool twice)
{
	const uint8_t *rows = memchr(data, '\n', size);
	size_t behind = rows ? size - (size_t)(rows + 1 - data) : 0;
	int fd;

	strcpy(path, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fl-fuzz-XXXXXX"
						   : "/tmp/fl-fuzz-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	for (int i = 0; i < 3 && twice && behind; i++)
		if (write(fd, rows + 1, behind) != (ssize_t)behind)
			abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fl_zone *zone;
	struct fl_buf slow = FL_BUF_INIT, quick = FL_BUF_INIT;
	struct fl_buf cells = FL_BUF_INIT;
	struct fl_error err = { .code = FL_OK };
	char path[40];
	uint8_t how;
	int fd;

	if (!zone && fl_zone_open("America/New_York", &zone, &err) < 0)
		zone = NULL;
	if (size == 0)
		return 0;
	how = *data++;
	size--;
	if (how & HOW_CELLS && size) {
		write_cells(&cells, data, size);
		data = (const uint8_t *)cells.data;
		size = cells.len;
	}
	fd = open_copy(path, data, size, how & HOW_TWICE);
	read_all(path, how, zone, true, false, &slow);
	read_all(path, how, zone, false, false, &quick);
	demand_same(&slow, &quick);
	read_all(path, how, zone, false, true, &quick);
	demand_same(&slow, &quick);
	close(fd);
	unlink(path);
	fl_buf_release(&slow);
	fl_buf_release(&quick);
	fl_buf_release(&cells);
	return 0;
}
