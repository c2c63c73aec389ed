/* csv: rows, dates, numbers, steps and whole files of the csv source.
 *
 * Every record that any file of tests/data/source/csv gives must pass the check
 * of its type and be canonical to the byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/zone.h"
#include "io/csv.h"
#include "rec/record.h"
#include "source/csv/date.h"
#include "source/csv/file.h"
#include "source/csv/number.h"
#include "source/csv/step.h"
#include "source/source.h"
#include "tap.h"

#define DATA "tests/data/source/csv"

/* --- rows --- */

struct text {
	const char *at;
	size_t len, most; /* bytes a read may give */
};

static ssize_t read_text(void *arg, void *bytes, size_t size,
			 struct fl_error *err)
{
	struct text *text = arg;
	size_t len = text->len < size ? text->len : size;

	(void)err;
	if (text->most && len > text->most)
		len = text->most;
	memcpy(bytes, text->at, len);
	text->at += len;
	text->len -= len;
	return (ssize_t)len;
}

/* The rows as text: cells between |, rows after their line number, faults by
 * their letter; reads give at most `most` bytes. */
static const char *rows_of(const char *bytes, size_t len, char delimiter,
			   size_t most, struct fl_buf *out)
{
	static const char faults[] = " LWQ";
	struct text text = { bytes, len, most };
	struct fl_error err = { .code = FL_OK };
	struct fl_csv_row row;
	struct fl_csv *csv;
	int got;

	fl_buf_reset(out);
	if (fl_csv_open(&csv, "x", delimiter, read_text, &text, &err) < 0) {
		fl_buf_puts(out, err.text);
		return fl_buf_text(out);
	}
	while ((got = fl_csv_next(csv, &row, &err)) == 1) {
		fl_buf_printf(out, "%llu%c", (unsigned long long)row.line,
			      row.fault ? faults[row.fault] : ':');
		for (size_t i = 0; i < row.count; i++) {
			fl_buf_putc(out, i ? '|' : ' ');
			fl_buf_append(out, row.cells[i].text, row.cells[i].len);
		}
		if (row.fault)
			fl_buf_printf(out, " <%.*s>", (int)row.raw_len,
				      row.raw);
		fl_buf_putc(out, '\n');
	}
	fl_csv_close(&csv);
	if (got < 0)
		fl_buf_puts(out, err.text);
	return fl_buf_text(out);
}

static void test_rows(void)
{
	static const struct {
		const char *text, *rows, *what;
	} cases[] = {
		{ "a,b\n1,2\n", "1: a|b\n2: 1|2\n", "LF" },
		{ "a,b\r\n1,2\r\n3,4", "1: a|b\n2: 1|2\n3: 3|4\n",
		  "CRLF, and no newline at the end" },
		{ "a,b\r1,2\r\r3,4\r", "1: a|b\n2: 1|2\n4: 3|4\n", "CR" },
		{ "\xef\xbb\xbf"
		  "a;b\n1;2,5\n",
		  "1: a|b\n2: 1|2,5\n", "byte order mark and semicolons" },
		{ "a\tb\n1\t\n", "1: a|b\n2: 1|\n", "tabs, the last empty" },
		{ "a|b\n1|2\n", "1: a|b\n2: 1|2\n", "pipes" },
		{ "sep=;\r\na;b\r\n", "2: a|b\n", "Excel's sep= line" },
		{ "a\n1\n", "1: a\n2: 1\n", "one column" },
		{ "\"a,x\",\"b \"\"q\"\"\"\n", "1: a,x|b \"q\"\n", "quotes" },
		{ "a,b\n\"x\r\ny\n\nz\",2\n3,4\n",
		  "1: a|b\n2: x\r\ny\n\nz|2\n6: 3|4\n",
		  "newlines in quotes, and the line numbers after them" },
		{ "a,b\n\n  \n\t\n1,2\n", "1: a|b\n5: 1|2\n",
		  "blank lines are passed over" },
		{ " a , \"b\" \n", "1: a|b\n", "blanks around cells" },
		{ "a,b\n1,5\" disk\n", "1: a|b\n2: 1|5\" disk\n",
		  "a quote inside a bare cell" },
		{ "a,b\n\"1,2\n3,4\n5,6\n",
		  "1: a|b\n2Q <\"1,2>\n3: 3|4\n4: 5|6\n",
		  "an open quote costs its line alone" },
		{ "a,b\n\"1,2\n\"3,4\n5,6\n",
		  "1: a|b\n2Q <\"1,2>\n3Q <\"3,4>\n4: 5|6\n",
		  "open quotes in a row" },
		{ "a,b\n1,2\n3,\"4", "1: a|b\n2: 1|2\n3Q <3,\"4>\n",
		  "an open quote at the end" },
		{ ",,\n,\n", "1: ||\n2: |\n", "empty cells" },
		{ "", "", "nothing" },
		{ "\n \n", "", "blank lines alone" },
		{ "a,b\n\"\",\"\"\n", "1: a|b\n2: |\n", "empty quotes" },
	};
	struct fl_buf buf = FL_BUF_INIT;
	int wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(rows_of(cases[i].text, strlen(cases[i].text), 0, 0,
			       &buf),
		       cases[i].rows, "rows: %s", cases[i].what);
	/* However the bytes arrive, the delimiter being told. */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t most = 1; most <= 4; most++) {
			const char *sign = strpbrk(cases[i].text, ";\t|\n");
			char delimiter = sign && *sign != '\n' ? *sign : ',';

			wrong += strcmp(rows_of(cases[i].text,
						strlen(cases[i].text),
						delimiter, most, &buf),
					cases[i].rows) != 0;
		}
	}
	is_int(wrong, 0, "rows: the same in reads of 1 to 4 bytes");
	is_str(rows_of("a,b\n1;2;3\n1;2;3\n", 16, 0, 0, &buf),
	       "1: a|b\n2: 1;2;3\n3: 1;2;3\n",
	       "rows: the delimiter stands in the first row");
	is_str(rows_of("\xff\xfe"
		       "a\0,\0",
		       6, 0, 0, &buf),
	       "'x' is UTF-16: iconv -f UTF-16 -t UTF-8 FILE | fl-fetch csv -",
	       "rows: UTF-16 is told apart");
	is_str(rows_of("PK\3\4xx", 6, 0, 0, &buf),
	       "'x' is a zip archive or a spreadsheet (xlsx), not CSV: unzip "
	       "it, or save the sheet as CSV",
	       "rows: a spreadsheet is told apart");
	is_str(rows_of("{\"Information\": \"quota\"}", 24, 0, 0, &buf),
	       "'x' is JSON, not CSV: {\"Information\": \"quota\"}",
	       "rows: JSON is told apart, and shown");
	is_str(rows_of(" <!DOCTYPE html>", 16, 0, 0, &buf),
	       "'x' is HTML or XML, not CSV: <!DOCTYPE html>",
	       "rows: a web page is told apart");
	fl_buf_release(&buf);
}

/* Rows over the ceilings, and quotes that would swallow all. */
static void test_ceilings(void)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_buf buf = FL_BUF_INIT;
	struct fl_csv_row row = { .count = 0 };
	struct text text;
	struct fl_csv *csv;
	unsigned faults = 0, rows = 0;

	fl_buf_puts(&buf, "a,b\n");
	for (int i = 0; i < FL_CSV_ROW_MAX; i++)
		fl_buf_putc(&buf, 'x');
	fl_buf_puts(&buf, ",1\n2,3\n");
	for (int i = 0; i < FL_CSV_CELLS_MAX; i++)
		fl_buf_putc(&buf, ',');
	fl_buf_puts(&buf, "\n4,5\n");
	text = (struct text){ buf.data, buf.len, 0 };
	ok(fl_csv_open(&csv, "x", 0, read_text, &text, &err) == 0, "opens");
	ok(fl_csv_next(csv, &row, &err) == 1 && row.count == 2, "the header");
	fl_csv_unread(csv);
	ok(fl_csv_next(csv, &row, &err) == 1 && row.count == 2 && row.line == 1,
	   "the header once more");
	ok(fl_csv_next(csv, &row, &err) == 1 && row.fault == FL_CSV_LONG &&
		   row.line == 2 && row.raw_len == FL_CSV_RAW_MAX &&
		   row.raw_bytes == FL_CSV_ROW_MAX + 2,
	   "a row that is too long, its beginning kept");
	ok(fl_csv_next(csv, &row, &err) == 1 && !row.fault && row.line == 3,
	   "the row after it");
	ok(fl_csv_next(csv, &row, &err) == 1 && row.fault == FL_CSV_WIDE &&
		   row.line == 4,
	   "a row of too many cells");
	ok(fl_csv_next(csv, &row, &err) == 1 && !row.fault && row.line == 5,
	   "the row after it");
	is_int(fl_csv_next(csv, &row, &err), 0, "the end");
	fl_csv_close(&csv);

	/* Every line opens a quote that none closes: linear, not quadratic. */
	fl_buf_reset(&buf);
	fl_buf_puts(&buf, "a,b\n");
	for (int i = 0; i < 1000000; i++)
		fl_buf_puts(&buf, "\"x\n");
	text = (struct text){ buf.data, buf.len, 0 };
	fl_csv_open(&csv, "x", ',', read_text, &text, &err);
	while (fl_csv_next(csv, &row, &err) == 1) {
		rows++;
		faults += row.fault == FL_CSV_QUOTE;
	}
	is_int(rows, 1000001, "a million open quotes: rows");
	is_int(faults, 1000000, "a million open quotes: faults");
	fl_csv_close(&csv);
	fl_buf_release(&buf);
}

/* --- dates --- */

/* The moment of one cell that is a file of its own, or why there is none. */
static const char *moment_of(const char *cell, const char *format,
			     const struct fl_zone *zone)
{
	static char text[sizeof(((struct fl_error *)0)->text)];
	struct fl_csv_dates dates = { .format = format };
	struct fl_error err = { .code = FL_OK };
	struct fl_csv_moment moment;
	struct fl_csv_when when;
	size_t len;

	if (!fl_csv_dates_read(&dates, cell, strlen(cell), &when))
		return "none";
	fl_csv_dates_add(&dates, &when, zone, cell, strlen(cell), 1);
	if (fl_csv_dates_settle(&dates, "x", &err) < 0) {
		snprintf(text, sizeof(text), "%s", err.text);
		return text;
	}
	if (!fl_csv_dates_moment(&dates, &when, zone, &moment))
		return "no moment";
	if (moment.exact) {
		fl_time_print(moment.ns, text);
		return text;
	}
	len = fl_time_print(fl_time_from_civil(&moment.civil), text);
	text[when.timed ? len - 1 : 10] = '\0';
	return text;
}

static void test_dates(void)
{
	static const struct {
		const char *cell, *moment;
	} cases[] = {
		{ "2026-01-31", "2026-01-31" },
		{ " 2026-01-31 ", "2026-01-31" },
		{ "2026-1-5", "2026-01-05" },
		{ "2026/01/31", "2026-01-31" },
		{ "2026.01.31", "2026-01-31" },
		{ "2026-Jan-31", "2026-01-31" },
		{ "2026-01", "2026-01-01" },
		{ "20260131", "2026-01-31" },
		{ "20260131.0", "2026-01-31" },
		{ "2026-01-31 09:30", "2026-01-31T09:30:00.000" },
		{ "2026-01-31T09:30:00", "2026-01-31T09:30:00.000" },
		{ "2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z" },
		{ "2026-01-31 09:30:00.123456", "2026-01-31T09:30:00.123456" },
		{ "2026-01-31 09:30:00,5", "2026-01-31T09:30:00.500" },
		{ "2026-01-31 09:30:00-05:00", "2026-01-31T14:30:00.000Z" },
		{ "2026-01-31 09:30:00 +0530", "2026-01-31T04:00:00.000Z" },
		{ "2026-01-31 09:30 UTC", "2026-01-31T09:30:00.000Z" },
		{ "31.01.2026 09:30:00.000 GMT-0500",
		  "2026-01-31T14:30:00.000Z" },
		{ "2026-01-31 23:59:60Z", "2026-02-01T00:00:00.000Z" },
		{ "20260131 093000", "2026-01-31T09:30:00.000" },
		{ "20260131 093000123", "2026-01-31T09:30:00.123" },
		{ "20260131T0930", "2026-01-31T09:30:00.000" },
		{ "20260131 09:30", "2026-01-31T09:30:00.000" },
		{ "20260131093000", "2026-01-31T09:30:00.000" },
		{ "202601310930", "2026-01-31T09:30:00.000" },
		{ "20260131093000123", "2026-01-31T09:30:00.123" },
		{ "1/31/2026", "2026-01-31" },
		{ "31/1/2026", "2026-01-31" },
		{ "31.01.2026", "2026-01-31" },
		{ "31-01-2026", "2026-01-31" },
		{ "01/31/26", "2026-01-31" },
		{ "12/31/69", "1969-12-31" },
		{ "12/31/68", "2068-12-31" },
		{ "1/31/2026 9:30 PM", "2026-01-31T21:30:00.000" },
		{ "1/31/2026 12:00 AM", "2026-01-31T00:00:00.000" },
		{ "1/31/2026 12:30:15 p.m.", "2026-01-31T12:30:15.000" },
		{ "1/31/2026 9 am", "2026-01-31T09:00:00.000" },
		{ "Jan 31 2026", "2026-01-31" },
		{ "Jan 31, 2026", "2026-01-31" },
		{ "Jan. 31, 2026", "2026-01-31" },
		{ "January 31, 2026 16:00", "2026-01-31T16:00:00.000" },
		{ "Saturday, January 31, 2026", "2026-01-31" },
		{ "Sat Jan 31 2026", "2026-01-31" },
		{ "31 Jan 2026", "2026-01-31" },
		{ "31-Jan-26", "2026-01-31" },
		{ "01-Jan-00", "2000-01-01" },
		{ "31st January 2026", "2026-01-31" },
		{ "Sept 3rd, 2026", "2026-09-03" },
		{ "31 Jan '26", "2026-01-31" },
		{ "29 Feb 2024", "2024-02-29" },
		{ "1/1/2026", "2026-01-01" }, /* both orders are one day */
		{ "1769851800", "2026-01-31T09:30:00.000Z" },
		{ "1769851800.5", "2026-01-31T09:30:00.500Z" },
		{ "1769851800123", "2026-01-31T09:30:00.123Z" },
		{ "1769851800123456", "2026-01-31T09:30:00.123456Z" },
		{ "1769851800123456789", "2026-01-31T09:30:00.123456789Z" },
		{ "946684800000", "2000-01-01T00:00:00.000Z" },
		{ "-252322200", "1962-01-02T14:30:00.000Z" },
		{ "1/2/2026", "'x': dates read as M/D/Y and as D/M/Y (all days "
			      "<= 12); say --date-format '%m/%d/%Y'" },
		{ "1.2.26", "'x': dates read as M.D.Y and as D.M.Y (all days "
			    "<= 12); say --date-format '%m.%d.%y'" },
		{ "2026-02-29", "no moment" },
		{ "2026-13-01", "no moment" },
		{ "2/30/2026", "no moment" },
		{ "1500-01-01", "no moment" },
		{ "2300-01-01", "no moment" },
		{ "1678-01-01T00:00:00+01:00", "no moment" },
		{ "-9223372036854775807", "no moment" },
		{ "45292", "no moment" },
		{ "9999999999999999999", "none" },
		{ "2026-01-31 25:00", "none" },
		{ "2026-01-31 09:60", "none" },
		{ "2026-01-31 13:00 PM", "none" },
		{ "2026-01-31T", "2026-01-31" },
		{ "2026-01-31x", "none" },
		{ "2026-01-31 09:30 EST", "none" },
		{ "1/31", "none" },
		{ "1/31-2026", "none" },
		{ "1/31/202", "none" },
		{ "Jan 2026", "none" },
		{ "Foo 31 2026", "none" },
		{ "09:30", "none" },
		{ "total", "none" },
		{ "-", "none" },
		{ "", "none" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(moment_of(cases[i].cell, NULL, NULL), cases[i].moment,
		       "date '%s'", cases[i].cell);
}

static void test_formats(void)
{
	static const struct {
		const char *format, *cell, *moment;
	} cases[] = {
		{ "%m/%d/%Y", "01/02/2026", "2026-01-02" },
		{ "%d/%m/%Y", "01/02/2026", "2026-02-01" },
		{ "%d/%m/%Y", "13/02/2026 09:30", "2026-02-13T09:30:00.000" },
		{ "%d.%m.%y %H:%M", "01.02.26 9:05",
		  "2026-02-01T09:05:00.000" },
		{ "%Y%m%d", "20260102", "2026-01-02" },
		{ "%Y%m%d %H%M%S%f", "20260102 093000123",
		  "2026-01-02T09:30:00.123" },
		{ "%y-%m-%d", "99-12-31", "1999-12-31" },
		{ "%b %e, %Y", "Jan  2, 2026", "2026-01-02" },
		{ "%m/%d/%Y %I:%M %p", "01/02/2026 09:30 PM",
		  "2026-01-02T21:30:00.000" },
		{ "%F %T", "2026-01-02 09:30:15", "2026-01-02T09:30:15.000" },
		{ "%Y-%m-%dT%H:%M:%S%z", "2026-01-02T09:30:15-0500",
		  "2026-01-02T14:30:15.000Z" },
		{ "%Y-%j", "2026-032", "2026-02-01" },
		{ "%s", "1769851800", "2026-01-31T09:30:00.000Z" },
		{ "%s", "20260131", "1970-08-23T11:48:51.000Z" },
		{ "ms", "86400000", "1970-01-02T00:00:00.000Z" },
		{ "%m/%d/%Y", "13/01/2026", "no moment" },
		{ "%m/%d/%Y", "2026-01-02", "none" },
		{ "%d%%%m%%%Y", "01%02%2026", "2026-02-01" },
	};
	struct fl_error err = { .code = FL_OK };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ok(fl_csv_format_check(cases[i].format, &err) == 0,
		   "format '%s' is one", cases[i].format);
		is_str(moment_of(cases[i].cell, cases[i].format, NULL),
		       cases[i].moment, "'%s' by '%s'", cases[i].cell,
		       cases[i].format);
	}
	ok(fl_csv_format_check("%m/%d", &err) < 0 && err.code == FL_ERR_USAGE &&
		   strstr(err.text, "year (%Y)"),
	   "a format without a year is refused");
	fl_error_clear(&err);
	ok(fl_csv_format_check("%Y-%m-%Q", &err) < 0 &&
		   strstr(err.text, "'%Q' is not known"),
	   "an unknown letter is refused");
}

static void test_orders(void)
{
	struct fl_csv_dates dates = { 0 };
	struct fl_error err = { .code = FL_OK };
	static const char *const cells[] = { "01/02/2026", "13/02/2026",
					     "99/99/2026", "02/14/2026" };
	struct fl_csv_when when;

	for (int i = 0; i < 3; i++) {
		if (fl_csv_dates_read(&dates, cells[i], 10, &when))
			fl_csv_dates_add(&dates, &when, NULL, cells[i], 10,
					 (uint64_t)i + 2);
	}
	ok(fl_csv_dates_settle(&dates, "p.csv", &err) == 0 &&
		   dates.order == FL_CSV_AS_DMY,
	   "one day above 12 settles the order, an impossible date does not");
	fl_csv_dates_read(&dates, cells[3], 10, &when);
	fl_csv_dates_add(&dates, &when, NULL, cells[3], 10, 5);
	ok(fl_csv_dates_settle(&dates, "p.csv", &err) < 0 &&
		   err.code == FL_ERR_USAGE,
	   "both orders in a file are an error");
	is_str(err.text,
	       "'p.csv': '02/14/2026' in line 5 is month first, '13/02/2026' "
	       "in line 3 is day first; --date-format says which is right, and "
	       "the others are rejects",
	       "which says where");
}

/* --- numbers --- */

static void test_numbers(void)
{
	static const struct {
		const char *cell, *point, *comma;
	} cases[] = {
		{ "1", "1", "1" },
		{ "-1.50", "-1.50", "" },
		{ "+1.5", "1.5", "" },
		{ "$1,234.50", "1234.50", "" },
		{ "-$1.5", "-1.5", "" },
		{ "$-1.5", "-1.5", "" },
		{ "\xe2\x82\xac 5", "5", "5" },
		{ "1,234", "1234", "1.234" },
		{ "1.234", "1.234", "1234" },
		{ "1,234,567", "1234567", "" },
		{ "12,34,567", "1234567", "" },
		{ "1.234,50", "", "1234.50" },
		{ "1234,5", "", "1234.5" },
		{ "0,5", "", "0.5" },
		{ ".5", "0.5", "" },
		{ ",5", "", "0.5" },
		{ "5.", "5", "" },
		{ "007.50", "7.50", "" },
		{ "00", "0", "0" },
		{ "1E+05", "1e+05", "1e+05" },
		{ "1.5e-3", "1.5e-3", "" },
		{ "1,2,3", "", "" },
		{ "1,2345", "", "1.2345" },
		{ "1.2.3", "", "" },
		{ "1e", "", "" },
		{ "1e1e1", "", "" },
		{ "--1", "", "" },
		{ "1-", "", "" },
		{ "x", "", "" },
		{ "1x", "", "" },
		{ ".", "", "" },
		{ ",", "", "" },
		{ "$", "", "" },
		{ "5%", "", "" },
		{ "5K", "", "" },
		{ "0x10", "", "" },
		{ "inf", "", "" },
	};
	static const struct {
		const char *cell, *number;
		enum fl_csv_suffix suffix;
	} suffixes[] = { { "1.25%", "1.25", FL_CSV_PERCENT },
			 { "1.2M", "1.2e6", FL_CSV_SCALE },
			 { "456.78 k", "456.78e3", FL_CSV_SCALE },
			 { "3B", "3e9", FL_CSV_SCALE },
			 { "1T", "1e12", FL_CSV_SCALE },
			 { "1e3M", "", FL_CSV_SCALE },
			 { "M", "", FL_CSV_SCALE },
			 { "5%", "", FL_CSV_SCALE } };
	static const char *const absent[] = { "",    "-",   "--",   "N/A",
					      "nan", "NaN", "null", "None",
					      ".",   "N/D", "#N/A" };
	char number[FL_CSV_NUMBER_MAX], digits[4 * FL_CSV_NUMBER_MAX];
	int wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *cell = cases[i].cell;

		number[fl_csv_number(FL_CSV_POINT, ',', FL_CSV_PLAIN, cell,
				     strlen(cell), number)] = '\0';
		is_str(number, cases[i].point, "'%s' with a decimal point",
		       cell);
		number[fl_csv_number(FL_CSV_COMMA, ',', FL_CSV_PLAIN, cell,
				     strlen(cell), number)] = '\0';
		is_str(number, cases[i].comma, "'%s' with a decimal comma",
		       cell);
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		number[fl_csv_number(FL_CSV_POINT, ',', suffixes[i].suffix,
				     suffixes[i].cell, strlen(suffixes[i].cell),
				     number)] = '\0';
		is_str(number, suffixes[i].number, "suffix '%s'",
		       suffixes[i].cell);
	}
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		wrong += !fl_csv_absent(absent[i], strlen(absent[i]));
	is_int(wrong, 0, "words for no value");
	ok(!fl_csv_absent("0", 1), "0 is a value");
	memset(digits, '9', sizeof(digits));
	is_int(fl_csv_number(FL_CSV_POINT, ',', FL_CSV_PLAIN, digits,
			     sizeof(digits), number),
	       0, "a number of 512 digits is none");
	is_int(fl_csv_number(FL_CSV_POINT, ',', FL_CSV_SCALE, "5\0", 2, number),
	       0, "a NUL is no suffix");
}

static enum fl_csv_style style_of(const char *const *cells, char delimiter,
				  struct fl_error *err)
{
	struct fl_csv_numbers numbers = { 0 };

	for (uint64_t line = 2; *cells; cells++, line++)
		fl_csv_numbers_add(&numbers, *cells, strlen(*cells), line);
	if (fl_csv_numbers_settle(&numbers, delimiter, "p.csv", err) < 0)
		return FL_CSV_EACH;
	return numbers.style;
}

static void test_styles(void)
{
	static const char *const point[] = { "1,234", "99.5", NULL };
	static const char *const comma[] = { "1.234", "99,5", NULL };
	static const char *const open[] = { "1,234", "2,345", NULL };
	struct fl_error err = { .code = FL_OK };

	is_int(style_of(point, ';', &err), FL_CSV_POINT,
	       "a decimal point elsewhere settles 1,234");
	is_int(style_of(comma, ';', &err), FL_CSV_COMMA,
	       "a decimal comma elsewhere settles 1.234");
	is_int(style_of(open, ',', &err), FL_CSV_POINT,
	       "between commas, 1,234 has thousands");
	is_int(style_of(open, ';', &err), FL_CSV_EACH,
	       "between semicolons it cannot be told");
	is_str(err.text,
	       "'p.csv': '1,234' in line 2 may have thousands or decimals "
	       "behind its comma, and no number of the file tells which; write "
	       "it without the comma",
	       "which says so");
}

/* --- steps --- */

static int learn(struct fl_csv_learner *learner, const char *symbol,
		 const struct fl_csv_when *when, struct fl_error *err)
{
	struct fl_csv_last *last =
		fl_csv_learn_last(learner, symbol, strlen(symbol), err);
	struct fl_csv_values values;

	if (!last)
		return -1;
	fl_csv_learn_values(when, &values);
	fl_csv_learn(learner, last, &values);
	return 0;
}

static const char *interval_of(const char *const *cells)
{
	static struct fl_interval interval;
	struct fl_csv_learner learner = FL_CSV_LEARNER_INIT;
	struct fl_csv_dates dates = { 0 };
	struct fl_error err = { .code = FL_OK };
	struct fl_csv_when when;
	const char *why = NULL;
	bool told;

	for (; *cells; cells++) {
		size_t len = strlen(*cells);

		fl_csv_dates_read(&dates, *cells, len, &when);
		fl_csv_dates_add(&dates, &when, NULL, *cells, len, 1);
		learn(&learner, "ZZZT", &when, &err);
	}
	fl_csv_dates_settle(&dates, "x", &err);
	told = fl_csv_interval(&learner, &dates, &interval, &why);
	fl_csv_learner_release(&learner);
	return told ? interval.text : why;
}

static void test_steps(void)
{
	static const struct {
		const char *interval, *what;
		const char *cells[8];
	} cases[] = {
		{ "1d",
		  "days with a week-end",
		  { "2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07" } },
		{ "1d", "one day alone", { "2026-01-02" } },
		{ "1d",
		  "midnights",
		  { "2026-01-02 00:00:00", "2026-01-05 00:00:00" } },
		{ "1d",
		  "local midnights over a change of the clock",
		  { "2026-03-06 00:00:00-05:00", "2026-03-09 00:00:00-04:00",
		    "2026-03-10 00:00:00-04:00" } },
		{ "1d",
		  "days told by the opening",
		  { "2026-03-06 14:30:00Z", "2026-03-09 13:30:00Z",
		    "2026-03-10 13:30:00Z" } },
		{ "1wk",
		  "weeks, the last not over",
		  { "2026-01-02", "2026-01-09", "2026-01-16", "2026-01-20" } },
		{ "1mo",
		  "months, newest first",
		  { "2026-03-31", "2026-02-28", "2026-01-31" } },
		{ "3mo",
		  "quarters",
		  { "2025-03-31", "2025-06-30", "2025-09-30" } },
		{ "1y", "years", { "2023-12-29", "2024-12-31", "2025-12-31" } },
		{ "1m",
		  "minutes with gaps",
		  { "2026-01-02 09:30", "2026-01-02 09:31",
		    "2026-01-02 09:34" } },
		{ "1h",
		  "hours over a night",
		  { "2026-01-02 15:00", "2026-01-02 16:00",
		    "2026-01-05 09:00" } },
		{ "5m",
		  "epochs",
		  { "1767364200", "1767364500", "1767364800" } },
		{ "1d",
		  "epochs of days, in milliseconds",
		  { "1767312000000", "1767571200000", "1767657600000" } },
		{ "10m",
		  "the measure of 20 and 30 minutes, for 40 is none",
		  { "2026-01-02 09:00", "2026-01-02 09:10", "2026-01-02 09:30",
		    "2026-01-02 10:00" } },
		{ "its rows have times, but no symbol has two of them",
		  "one time alone",
		  { "2026-01-02 09:30" } },
		{ "the steps between its times divide no day",
		  "steps of 7 seconds",
		  { "2026-01-02 09:30:00", "2026-01-02 09:30:07.5" } },
		{ "the usual step between its dates is none of a day, week, "
		  "month, quarter or year",
		  "every second week",
		  { "2026-01-02", "2026-01-16" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_str(interval_of(cases[i].cells), cases[i].interval,
		       "interval: %s", cases[i].what);
}

static void test_too_many_symbols(void)
{
	struct fl_csv_learner learner = FL_CSV_LEARNER_INIT;
	struct fl_error err = { .code = FL_OK };
	struct fl_csv_when when = { .year = 2026, .month = 1, .day = 2 };
	char symbol[16];
	int i = 0;

	do {
		snprintf(symbol, sizeof(symbol), "Z%d", i);
	} while (learn(&learner, symbol, &when, &err) == 0 &&
		 ++i < 2 * FL_CSV_SYMBOLS_MAX);
	is_int(i, FL_CSV_SYMBOLS_MAX, "there is a ceiling for symbols");
	is_int(err.code, FL_ERR_DATA, "which is told as bad data");
	fl_csv_learner_release(&learner);
}

static void test_symbols(void)
{
	static const struct {
		const char *path, *symbol;
	} cases[] = {
		{ "AAPL.csv", "AAPL" },
		{ "data/aapl_daily.csv.gz", "aapl" },
		{ "/x/daily_IBM.csv", "IBM" },
		{ "intraday_5min_IBM.csv", "IBM" },
		{ "BRK-B.csv.zst", "BRK-B" },
		{ "BTC-USD_1h.csv", "BTC-USD" },
		{ "0005.HK.csv", "0005.HK" },
		{ "aapl.us.txt", "aapl" },
		{ "EURUSD=X (1).csv", "EURUSD=X" },
		{ "^GSPC.csv", "^GSPC" },
		{ "daily.csv", "daily" },
		{ "_.csv", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *symbol = fl_csv_symbol_from_name(cases[i].path);

		is_str(symbol, cases[i].symbol, "symbol of '%s'",
		       cases[i].path);
		free(symbol);
	}
}

/* --- whole files --- */

static volatile sig_atomic_t no_stop;

static void io_init(struct fl_io *io)
{
	*io = (struct fl_io){
		.command = "fl-fetch",
		.hooks = &fl_record_hooks,
		.max_rejects = UINT64_MAX,
		.max_reject_share = -1,
		.workers = 1,
		.reject_fd = -1,
		.stop = &no_stop,
	};
}

/* Every record of the file, judged: how many, and how many are not as they
 * should be. */
static int judge(const char *path, const struct fl_zone *zone, int *wrong)
{
	const struct fl_source *source = fl_source_find("csv");
	const char *symbols[] = { "ZZZT", NULL };
	char copy[300], *operands[] = { copy, NULL };
	struct fl_error err = { .code = FL_OK };
	struct fl_json json = FL_JSON_INIT;
	struct fl_buf again = FL_BUF_INIT;
	struct fl_item item;
	struct fl_io io;
	struct fl_ask ask = { .io = &io,
			      .operands = operands,
			      .symbols = symbols,
			      .from = FL_TIME_NONE,
			      .to = FL_TIME_NONE };
	void *state = NULL;
	int count = 0, got;

	io_init(&io);
	io.zone = zone;
	snprintf(copy, sizeof(copy), "%s", path);
	got = source->open(&state, &ask, &err) < 0 ? -1 : 1;
	while (got > 0 && (got = source->next(state, &item, &err)) > 0) {
		struct fl_record rec = { .bytes = item.bytes,
					 .len = item.len,
					 .line = 1,
					 .input = path };
		struct fl_note why = { "", "" };
		enum fl_reason reason = fl_record_check(&rec, &json, &why);

		count++;
		if (reason || rec.ts_ns != item.ts_ns) {
			note("%s: %s: %.*s", path, why.detail, (int)item.len,
			     item.bytes);
			(*wrong)++;
			continue;
		}
		fl_buf_reset(&again);
		fl_record_canonical(&rec, &again);
		if (again.len != item.len ||
		    memcmp(again.data, item.bytes, item.len) != 0) {
			note("   made %.*s", (int)item.len, item.bytes);
			note("canonical %s", again.data);
			(*wrong)++;
		}
	}
	source->close(state);
	fl_buf_release(&again);
	fl_json_release(&json);
	return got < 0 ? -(int)err.code : count;
}

static void test_files(void)
{
	DIR *folder = opendir(DATA);
	const struct fl_zone *zone;
	struct fl_error err = { .code = FL_OK };
	struct dirent *entry;
	int files = 0, wrong = 0, records = 0;

	if (fl_zone_open("America/New_York", &zone, &err) < 0)
		zone = NULL;
	while (folder && (entry = readdir(folder))) {
		const char *ending = strrchr(entry->d_name, '.');
		char path[600];
		int count;

		if (!ending || strcmp(ending, ".csv") != 0)
			continue;
		snprintf(path, sizeof(path), DATA "/%s", entry->d_name);
		files++;
		count = judge(path, NULL, &wrong);
		records += count > 0 ? count : 0;
		count = judge(path, zone, &wrong);
		records += count > 0 ? count : 0;
	}
	if (folder)
		closedir(folder);
	ok(files > 20, "there are files to read");
	ok(records > 100, "which give records");
	is_int(wrong, 0, "each of them good and canonical to the byte");
}

/* --- positions --- */

struct given {
	char text[4000];
	char origin[300];
	uint64_t pos;
	int64_t ts_ns;
	struct fl_counts counts;
};

/* What is given of `path`, from a position on: records as symbol@day, warm ones
 * in (), and the position behind each that has one. */
static int give(const char *path, const struct fl_start *start, int64_t warm_up,
		struct given *given, struct fl_error *err)
{
	const struct fl_source *source = fl_source_find("csv");
	char copy[300], *operands[] = { copy, NULL };
	struct fl_io io;
	struct fl_ask ask = { .io = &io,
			      .operands = operands,
			      .from = FL_TIME_NONE,
			      .to = FL_TIME_NONE,
			      .starts = start,
			      .start_count = start != NULL,
			      .marked = true,
			      .pipeline = "p",
			      .warm_up_ns = warm_up };
	struct fl_item item;
	void *state = NULL;
	int got;

	io_init(&io);
	memset(given, 0, sizeof(*given));
	snprintf(copy, sizeof(copy), "%s", path);
	got = source->open(&state, &ask, err) < 0 ? -1 : 1;
	while (got > 0 && (got = source->next(state, &item, err)) > 0) {
		size_t len = strlen(given->text);
		char *to = given->text + len;
		size_t room = sizeof(given->text) - len;
		char time[FL_TIME_TEXT];

		if (item.bytes) {
			fl_time_print(item.ts_ns, time);
			time[10] = '\0';
			snprintf(to, room, item.warm ? "(%c%s)" : "%c%s",
				 item.bytes[9], time + 8);
		} else {
			snprintf(to, room, "-");
		}
		if (item.origin && !item.warm) {
			snprintf(given->origin, sizeof(given->origin), "%s",
				 item.origin);
			given->pos = item.pos;
			if (item.bytes)
				given->ts_ns = item.ts_ns;
			len = strlen(given->text);
			snprintf(given->text + len, sizeof(given->text) - len,
				 ":%llu", (unsigned long long)item.pos);
		}
		len = strlen(given->text);
		snprintf(given->text + len, sizeof(given->text) - len, " ");
	}
	source->close(state);
	given->counts = io.counts;
	return got;
}

static void write_file(const char *path, const char *text, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void test_positions(void)
{
	char path[] = "/tmp/fl-csv-XXXXXX", pos[24] = "3";
	struct fl_error err = { .code = FL_OK };
	struct fl_start start = { .pos = pos };
	struct given first, next;
	int fd = mkstemp(path);

	close(fd);
	write_file(path,
		   "symbol,date,open,high,low,close,dividends\n"
		   "A,2026-01-02,1,1,1,1,0\n"
		   "A,2026-01-05,1,1,1,1,0.5\n"
		   "A,2026-01-06,x,1,1,1,0\n"
		   "B,2026-01-02,1,1,1,1,0\n"
		   "B,2026-01-05,,,,,0\n",
		   "w");
	is_int(give(path, NULL, 0, &first, &err), 0, "all of it is given");
	is_str(first.text, "b02:1 b05 d05:2 b02:4 -:5 ",
	       "positions count rows; a row's records are not parted; refused "
	       "rows at the end count");
	is_int(first.counts.rejected, 2, "two rows are refused");

	start.origin = first.origin;
	start.record_time = first.ts_ns;
	snprintf(pos, sizeof(pos), "%llu", (unsigned long long)first.pos);
	is_int(give(path, &start, 0, &next, &err), 0, "at the end");
	is_str(next.text, "", "nothing is given again");
	is_int(next.counts.rejected, 0, "nor refused again");

	write_file(path, "A,2026-01-07,1,1,1,1,0\n", "a");
	is_int(give(path, &start, FL_DAY, &next, &err), 0, "the file grows");
	is_str(next.text, "(b05) (d05) (b02) b07:6 ",
	       "warm-up goes a day back for each symbol, then the new row");
	is_str(next.origin, first.origin, "its origin is what it was");
	is_int(next.counts.rejected, 0, "what was refused before is not again");

	start.record_time = first.ts_ns + 1;
	ok(give(path, &start, 0, &next, &err) < 0 &&
		   err.code == FL_ERR_REFUSED &&
		   strstr(err.text, "the row before it is of 2026-01-02"),
	   "another row before the position is refused");
	fl_error_clear(&err);
	start.record_time = FL_TIME_NONE;
	snprintf(pos, sizeof(pos), "99");
	ok(give(path, &start, 0, &next, &err) < 0 &&
		   err.code == FL_ERR_REFUSED &&
		   strstr(err.text, "the file has 6 rows now"),
	   "a position behind the end is refused");
	fl_error_clear(&err);
	write_file(path, "symbol,date,price\nA,2026-01-02,1\n", "w");
	ok(give(path, &start, 0, &next, &err) < 0 &&
		   err.code == FL_ERR_REFUSED &&
		   strstr(err.text, "the file was cut to 33 bytes"),
	   "a shorter file is refused");
	fl_error_clear(&err);
	ok(give("-", NULL, 0, &next, &err) < 0 && err.code == FL_ERR_USAGE,
	   "standard input has no position");
	unlink(path);
}

int main(void)
{
	test_rows();
	test_ceilings();
	test_dates();
	test_formats();
	test_orders();
	test_numbers();
	test_styles();
	test_steps();
	test_too_many_symbols();
	test_symbols();
	test_files();
	test_positions();
	return done_testing();
}
