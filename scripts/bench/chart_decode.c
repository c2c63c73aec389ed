/* chart_decode: what an answer of Yahoo's chart service costs to decode.
 *
 *   chart_decode [-d DAYS] [-n TIMES] records|parse|yyjson|answer
 *
 * The answer is made here: daily bars of DAYS (default 2,520, ten years) with
 * prices as Yahoo prints them, floats written as doubles, and dividends. It is
 * decoded TIMES over, each time into records as fl-fetch hands them on, into
 * rows only, or by yyjson into its own tree, which is the least that reading
 * JSON takes.
 *
 * It prints one line of JSON: records (lines, or values of the tree), bytes of
 * the answer, cpu_s, wall_s. `answer` prints the answer itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/buf.h"
#include "source/yahoo/yahoo.h"

extern const struct fl_polled fl_polled_yahoo;

static void die(const char *what)
{
	fprintf(stderr, "chart_decode: %s\n", what);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the answer --- */

static uint64_t state = 1;

/* From 0 to 1, the same in every run. */
static double chance(void)
{
	state = state * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (double)(state >> 33) / (double)(UINT64_C(1) << 31);
}

/* The float as the shortest text that reads as the same double. */
static void put_price(struct fl_buf *out, double price)
{
	double value = (double)(float)price;
	char text[40];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fl_buf_puts(out, text);
}

enum column {
	OPEN,
	HIGH,
	LOW,
	CLOSE,
	ADJCLOSE,
	VOLUME,
	COLUMNS
};

static void put_column(struct fl_buf *out, const char *name,
		       double (*rows)[COLUMNS], size_t days, enum column column)
{
	fl_buf_printf(out, "\"%s\":[", name);
	for (size_t i = 0; i < days; i++) {
		if (i)
			fl_buf_putc(out, ',');
		if (column == VOLUME)
			fl_buf_printf(out, "%.0f", rows[i][column]);
		else
			put_price(out, rows[i][column]);
	}
	fl_buf_putc(out, ']');
}

/* Workdays from 2016-01-04, 14:30 UTC. */
static long long opening(size_t day)
{
	return 1451917800LL + 86400LL * (long long)(day / 5 * 7 + day % 5);
}

static void make(struct fl_buf *out, size_t days)
{
	double(*rows)[COLUMNS] = calloc(days, sizeof(*rows));
	double close = 100;

	if (!rows)
		die("no memory");
	for (size_t i = 0; i < days; i++) {
		double *row = rows[i];

		row[OPEN] = close * (0.99 + 0.02 * chance());
		close = row[OPEN] * (0.98 + 0.0405 * chance());
		/* Shares trade in cents; adjusting is what makes digits. */
		row[OPEN] = (double)(int64_t)(row[OPEN] * 100) / 100;
		row[CLOSE] = (double)(int64_t)(close * 100) / 100;
		row[HIGH] = (row[OPEN] > row[CLOSE] ? row[OPEN] : row[CLOSE]) +
			    (double)(int64_t)(chance() * 200) / 100;
		row[LOW] = (row[OPEN] < row[CLOSE] ? row[OPEN] : row[CLOSE]) -
			   (double)(int64_t)(chance() * 100) / 100;
		row[ADJCLOSE] =
			row[CLOSE] * (0.8 + 0.2 * (double)i / (double)days);
		row[VOLUME] = (double)(int64_t)(chance() * 9e7) + 1e6;
	}
	fl_buf_puts(out, "{\"chart\":{\"result\":[{\"meta\":{"
			 "\"currency\":\"USD\",\"symbol\":\"ZZZT\","
			 "\"exchangeName\":\"NMS\",\"instrumentType\":"
			 "\"EQUITY\",\"firstTradeDate\":1262356200,"
			 "\"gmtoffset\":-18000,\"timezone\":\"EST\","
			 "\"exchangeTimezoneName\":\"America/New_York\","
			 "\"regularMarketPrice\":101.25,"
			 "\"dataGranularity\":\"1d\",\"range\":\"\"},"
			 "\"timestamp\":[");
	for (size_t i = 0; i < days; i++)
		fl_buf_printf(out, "%s%lld", i ? "," : "", opening(i));
	fl_buf_puts(out, "],\"events\":{\"dividends\":{");
	for (size_t i = 60; i < days; i += 63)
		fl_buf_printf(out,
			      "%s\"%lld\":{\"amount\":0.%02u,\"date\":%lld}",
			      i > 60 ? "," : "", opening(i),
			      10 + (unsigned)(i % 90), opening(i));
	fl_buf_puts(out, "}},\"indicators\":{\"quote\":[{");
	put_column(out, "open", rows, days, OPEN);
	fl_buf_putc(out, ',');
	put_column(out, "high", rows, days, HIGH);
	fl_buf_putc(out, ',');
	put_column(out, "low", rows, days, LOW);
	fl_buf_putc(out, ',');
	put_column(out, "close", rows, days, CLOSE);
	fl_buf_putc(out, ',');
	put_column(out, "volume", rows, days, VOLUME);
	fl_buf_puts(out, "}],\"adjclose\":[{");
	put_column(out, "adjclose", rows, days, ADJCLOSE);
	fl_buf_puts(out, "}]}}],\"error\":null}}");
	fl_buf_putc(out, '\0'); /* which an answer's body has */
	out->len--;
	free(rows);
}

/* --- decoding it --- */

static const struct fl_yahoo_interval daily = {
	.ns = FL_DAY, .asked = "1d", .join = 1, .span_s = INT64_C(9000000000)
};
static struct fl_yahoo_plan plan = {
	.interval = &daily,
	.interval_text = "1d",
	.dated = true,
	.adj = FL_YAHOO_SPLIT,
	.bars = true,
	.dividends = true,
	.splits = true,
	.from_ns = FL_TIME_NONE,
	.to_ns = FL_TIME_NONE,
	.from_day = FL_TIME_NONE,
	.to_day = FL_TIME_NONE,
	.from_s = -1,
	.to_s = INT64_C(4000000000),
	.now_ns = INT64_C(1784000000) * FL_SECOND,
};

static void count(void *arg, const struct fl_item *item, enum fl_reason refused)
{
	uint64_t *records = arg;

	if (refused || !item->len)
		die("a bar was refused");
	++*records;
}

static uint64_t into_records(const struct fl_http_answer *answer)
{
	struct fl_poll_fault fault = { .reason = FL_REASON_NONE };
	uint64_t records = 0;

	if (fl_polled_replay(&fl_polled_yahoo, &plan, "ZZZT", answer, count,
			     &records, &fault) != 0)
		die(fault.text);
	return records;
}

static uint64_t into_rows(const struct fl_http_answer *answer)
{
	struct fl_poll_fault fault = { .reason = FL_REASON_NONE };
	struct fl_yahoo_job job = { .plan = &plan,
				    .symbol = "ZZZT",
				    .end_s = plan.to_s };
	uint64_t rows;

	if (fl_yahoo_parse(&job, answer, &fault) != 0)
		die(fault.text);
	rows = job.chart.row_count;
	fl_yahoo_chart_release(&job.chart);
	fl_json_release(&job.json);
	fl_buf_release(&job.mended);
	return rows;
}

static uint64_t print_it(const struct fl_http_answer *answer)
{
	fwrite(answer->body, 1, answer->len, stdout);
	exit(fflush(stdout) != 0);
}

static uint64_t into_tree(const struct fl_http_answer *answer)
{
	yyjson_doc *doc = yyjson_read(answer->body, answer->len, 0);
	uint64_t values;

	if (!doc)
		die("yyjson does not read it");
	values = yyjson_doc_get_val_count(doc);
	yyjson_doc_free(doc);
	return values;
}

int main(int argc, char **argv)
{
	uint64_t (*decode)(const struct fl_http_answer *) = NULL;
	struct fl_buf body = FL_BUF_INIT;
	struct fl_http_answer answer = { .status = 200,
					 .date_ns = FL_TIME_NONE,
					 .head = "" };
	size_t days = 2520, times = 200;
	double cpu, wall;
	uint64_t records = 0;
	int option;

	while ((option = getopt(argc, argv, "d:n:")) >= 0) {
		if (option == 'd')
			days = strtoul(optarg, NULL, 10);
		else if (option == 'n')
			times = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind < argc && strcmp(argv[optind], "records") == 0)
		decode = into_records;
	else if (optind < argc && strcmp(argv[optind], "parse") == 0)
		decode = into_rows;
	else if (optind < argc && strcmp(argv[optind], "yyjson") == 0)
		decode = into_tree;
	else if (optind < argc && strcmp(argv[optind], "answer") == 0)
		decode = print_it;
	if (!decode || !days) {
		fprintf(stderr, "usage: chart_decode [-d DAYS] [-n TIMES] "
				"records|parse|yyjson|answer\n");
		return 2;
	}
	make(&body, days);
	answer.body = body.data;
	answer.len = body.len;
	decode(&answer); /* what is made once and kept is no part of it */
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	wall = seconds(CLOCK_MONOTONIC);
	for (size_t i = 0; i < times; i++)
		records += decode(&answer);
	printf("{\"records\":%llu,\"bytes\":%zu,\"cpu_s\":%.6f,"
	       "\"wall_s\":%.6f}\n",
	       (unsigned long long)records, answer.len,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
	       seconds(CLOCK_MONOTONIC) - wall);
	fl_buf_release(&body);
	return 0;
}
