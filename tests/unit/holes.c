/* holes: what a store lacks is found by the calendar, and nothing else is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/holes.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/window.h"
#include "folder.h"
#include "tap.h"

static char folder[] = "/tmp/fl-holes-XXXXXX";
static const struct fl_calendars *calendars;

static int64_t at(const char *text)
{
	int64_t ns;

	if (fl_time_parse(text, strlen(text), &ns) == FL_TIME_BAD)
		abort();
	return ns;
}

static int64_t day(const char *text)
{
	int64_t days;

	if (!fl_date_parse(text, strlen(text), &days))
		abort();
	return days;
}

static void must(int result, const struct fl_error *err)
{
	if (result == 0)
		return;
	printf("Bail out! %s\n", err->text);
	exit(1);
}

static void put(struct fl_store *store, const char *line)
{
	struct fl_record rec = { .bytes = line, .len = strlen(line) };
	struct fl_error err = { .code = FL_OK };
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	enum fl_put outcome;

	if (fl_record_check(&rec, &json, &note) != FL_REASON_NONE) {
		printf("Bail out! %s: %s\n", note.detail, line);
		exit(1);
	}
	must(store->ops->put(store, &rec, &outcome, &note, &err), &err);
	fl_json_release(&json);
}

static const char *more; /* members of every bar: ,"exchange":"NMS" */

static void put_day(struct fl_store *store, const char *interval,
		    const char *date)
{
	char *line = fl_sprintf(
		"{\"type\":\"bar\",\"ts\":\"%sT00:00:00.000Z\",\"provider\":"
		"\"yahoo\",\"symbol\":\"ZZZT\",\"interval\":\"%s\",\"open\":1,"
		"\"high\":1,\"low\":1,\"close\":1,\"adj\":\"split\","
		"\"date\":\"%s\"%s}",
		date, interval, date, more);

	put(store, line);
	free(line);
}

static void put_instant(struct fl_store *store, const char *interval,
			const char *ts)
{
	char *line = fl_sprintf(
		"{\"type\":\"bar\",\"ts\":\"%s\",\"provider\":\"yahoo\","
		"\"symbol\":\"ZZZT\",\"interval\":\"%s\",\"open\":1,"
		"\"high\":1,\"low\":1,\"close\":1,\"adj\":\"split\"%s}",
		ts, interval, more);

	put(store, line);
	free(line);
}

static struct fl_store *make_store(void)
{
	static int made;
	struct fl_error err = { .code = FL_OK };
	char *place = fl_sprintf("%s/%d.db", folder, ++made);
	struct fl_store *store = NULL;

	must(fl_store_open(&store, place, FL_STORE_WRITE, &err), &err);
	must(store->ops->begin(store, &err), &err);
	free(place);
	return store;
}

/* The holes as text: "2026-01-05+2 2026-01-08+1", of intraday bars
 * "2026-01-05T15:30:00.000Z+1". */
static char *holes_of(struct fl_store *store, const char *interval,
		      const char *from, const char *to, const char *now)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_holes holes = FL_HOLES_INIT;
	struct fl_buf out = FL_BUF_INIT;
	struct fl_interval iv;
	struct fl_holes_ask ask = {
		.provider = "yahoo",
		.symbol = "ZZZT",
		.adj = "split",
		.interval = &iv,
		.from_ns = FL_TIME_NONE,
		.to_ns = FL_TIME_NONE,
		.from_day = from ? day(from) : FL_TIME_NONE,
		.to_day = to ? day(to) : FL_TIME_NONE,
		.now_ns = at(now),
		.calendars = calendars,
	};

	must(fl_interval_parse(interval, &iv, &err), &err);
	if (!iv.dated && from)
		ask.from_ns = ask.from_day * FL_DAY;
	if (!iv.dated && to)
		ask.to_ns = ask.to_day * FL_DAY;
	if (fl_holes_find(&holes, store, &ask, &err) < 0)
		fl_buf_puts(&out, err.text);
	for (size_t i = 0; err.code == FL_OK && i < holes.count; i++) {
		char text[FL_TIME_TEXT];

		if (iv.dated)
			fl_date_print(holes.items[i].from_day, text);
		else
			fl_time_print(holes.items[i].from_ns, text);
		fl_buf_printf(&out, "%s%s+%d", i ? " " : "", text,
			      (int)holes.items[i].missing);
	}
	fl_holes_release(&holes);
	return fl_buf_take(&out);
}

static void are(struct fl_store *store, const char *interval, const char *from,
		const char *to, const char *now, const char *want,
		const char *what)
{
	char *got;

	struct fl_error err = { .code = FL_OK };

	must(store->ops->commit(store, &err), &err);
	got = holes_of(store, interval, from, to, now);
	is_str(got, want, "%s", what);
	free(got);
	must(store->ops->begin(store, &err), &err);
}

static void test_days(void)
{
	struct fl_store *store = make_store();

	more = ",\"exchange\":\"NMS\",\"tz\":\"America/New_York\"";
	are(store, "1d", NULL, NULL, "2026-01-20T00:00:00.000Z", "",
	    "what is not stored at all has no holes");
	/* 2026-01-01 is a holiday, the 19th, too. */
	put_day(store, "1d", "2025-12-31");
	put_day(store, "1d", "2026-01-02");
	put_day(store, "1d", "2026-01-05");
	put_day(store, "1d", "2026-01-08");
	put_day(store, "1d", "2026-01-15");
	are(store, "1d", NULL, NULL, "2026-01-16T20:59:00.000Z",
	    "2026-01-06+2 2026-01-09+4",
	    "holidays and weekends are no holes, a session that runs is not");
	are(store, "1d", NULL, NULL, "2026-01-20T22:00:00.000Z",
	    "2026-01-06+2 2026-01-09+4 2026-01-16+2",
	    "one that is over is, and a long weekend does not part a hole");
	are(store, "1d", "2025-12-26", "2026-01-07", "2026-01-20T22:00:00.000Z",
	    "2025-12-26+3 2026-01-06+1", "from and to are kept");
	put_day(store, "1wk", "2025-12-29");
	put_day(store, "1wk", "2026-01-12");
	are(store, "1wk", NULL, NULL, "2026-01-20T22:00:00.000Z",
	    "2026-01-05+1", "weeks");
	put_day(store, "1mo", "2025-09-01");
	put_day(store, "1mo", "2025-11-01");
	are(store, "1mo", NULL, NULL, "2026-01-20T22:00:00.000Z",
	    "2025-10-01+1 2025-12-01+1", "months");
	more = ",\"exchange\":\"NMS\",\"final\":false";
	put_day(store, "1d", "2026-01-16");
	are(store, "1d", "2026-01-15", NULL, "2026-01-16T20:00:00.000Z", "",
	    "a bar of the running session is no hole");
	are(store, "1d", "2026-01-15", NULL, "2026-01-18T00:00:00.000Z",
	    "2026-01-16+1", "when the session is over it is one");
	fl_store_close(&store);
}

static void test_unknown(void)
{
	struct fl_store *store = make_store();

	more = "";
	put_day(store, "1d", "2026-01-05");
	put_day(store, "1d", "2026-01-09");
	are(store, "1d", NULL, NULL, "2026-01-13T12:00:00.000Z",
	    "2026-01-06+3 2026-01-12+1",
	    "without an exchange weekdays are due");
	put_instant(store, "1h", "2026-01-05T15:00:00.000Z");
	are(store, "1h", NULL, NULL, "2026-01-13T12:00:00.000Z",
	    "'ZZZT': the stored 1h bars name no exchange whose hours are "
	    "known: holes can be told of 1d and longer only",
	    "but hours cannot be judged");
	fl_store_close(&store);
}

static void test_hours(void)
{
	struct fl_store *store = make_store();

	more = ",\"mic\":\"XNYS\"";
	put_instant(store, "1h", "2026-01-05T14:30:00.000Z");
	put_instant(store, "1h", "2026-01-05T15:30:00.000Z");
	put_instant(store, "1h", "2026-01-05T18:30:00.000Z");
	put_instant(store, "1h", "2026-01-05T19:30:00.000Z");
	put_instant(store, "1h", "2026-01-05T20:30:00.000Z");
	put_instant(store, "1h", "2026-01-06T15:30:00.000Z");
	are(store, "1h", NULL, NULL, "2026-01-06T18:00:00.000Z",
	    "2026-01-05T16:30:00.000Z+2 2026-01-06T14:30:00.000Z+1 "
	    "2026-01-06T16:30:00.000Z+1",
	    "hours count from the open; the last one is half an hour");
	more = ",\"mic\":\"XTKS\"";
	put_instant(store, "30m", "2026-01-06T00:00:00.000Z");
	put_instant(store, "30m", "2026-01-06T03:30:00.000Z");
	are(store, "30m", NULL, NULL, "2026-01-06T05:00:00.000Z",
	    "2026-01-06T00:30:00.000Z+4 2026-01-06T04:00:00.000Z+2",
	    "and again from the end of lunch");
	fl_store_close(&store);
}

static void test_always(void)
{
	struct fl_store *store = make_store();

	more = ",\"exchange\":\"CCC\"";
	put_day(store, "1d", "2026-01-02");
	put_day(store, "1d", "2026-01-05");
	are(store, "1d", NULL, NULL, "2026-01-06T12:00:00.000Z", "2026-01-03+2",
	    "where trade never rests, weekends are due");
	fl_store_close(&store);
}

int main(void)
{
	struct fl_error err = { .code = FL_OK };

	if (!mkdtemp(folder))
		abort();
	must(fl_calendars_open(&calendars, NULL, &err), &err);
	test_days();
	test_unknown();
	test_hours();
	test_always();
	fl_calendars_close(&calendars);
	folder_remove(folder);
	return done_testing();
}
