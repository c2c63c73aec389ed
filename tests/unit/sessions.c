/* sessions: what the calendars built in say of days that went otherwise, which
 * part of which day an instant belongs to, and what is wrong with a file.
 * Every day of 31 years stands beside another's word in tests/live.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rec/sessions.h"

#include <pthread.h>
#include <unistd.h>

#include "rec/sessions-file.h"
#include "tap.h"

static const struct fl_calendars *set;

static const struct fl_exchange *find(const char *code)
{
	return fl_exchange_find(set, code, strlen(code));
}

static int64_t day_of(const char *date)
{
	int64_t day = FL_DAY_NONE;

	if (!fl_date_parse(date, strlen(date), &day))
		note("no date: %s", date);
	return day;
}

static int64_t ns_of(const char *text)
{
	int64_t ns = FL_TIME_NONE;

	if (fl_time_parse(text, strlen(text), &ns) == FL_TIME_BAD)
		note("no time: %s", text);
	return ns;
}

/* "MM-DDTHH:MM" of an instant. */
static void put_time(int64_t ns, char *text)
{
	char full[FL_TIME_TEXT];

	fl_time_print(ns, full);
	sprintf(text, "%.11s", full + 5);
}

/* "open close", "open break_from break_to close" or "closed"; in UTC. */
static void is_session(const char *code, const char *date, const char *want)
{
	struct fl_session s;
	char got[100] = "closed", a[12], b[12], c[12], d[12];

	if (fl_exchange_session(find(code), day_of(date), &s)) {
		put_time(s.open_ns, a);
		put_time(s.break_from_ns, b);
		put_time(s.break_to_ns, c);
		put_time(s.close_ns, d);
		if (s.break_to_ns)
			sprintf(got, "%s %s %s %s", a, b, c, d);
		else
			sprintf(got, "%s %s", a, d);
	}
	is_str(got, want, "%s %s", code, date);
}

/* Lines of a date and a session, NULL-ended. */
static void are_sessions(const char *code, const char *const *lines)
{
	for (; *lines; lines++) {
		char date[11];

		snprintf(date, sizeof(date), "%.10s", *lines);
		is_session(code, date, *lines + 11);
	}
}

/* --- days --- */

static const char *const new_york[] = {
	"2026-01-02 01-02T14:30 01-02T21:00",
	"2026-01-03 closed",
	/* The clock goes forward on March 8, back on November 1. */
	"2026-03-06 03-06T14:30 03-06T21:00",
	"2026-03-09 03-09T13:30 03-09T20:00",
	"2026-10-30 10-30T13:30 10-30T20:00",
	"2026-11-02 11-02T14:30 11-02T21:00",
	"2026-11-27 11-27T14:30 11-27T18:00",
	"2026-12-24 12-24T14:30 12-24T18:00",
	"2026-12-25 closed",
	"2001-09-10 09-10T13:30 09-10T20:00",
	"2001-09-11 closed",
	"2001-09-14 closed",
	"2001-09-17 09-17T13:30 09-17T20:00",
	"2002-09-11 09-11T16:00 09-11T20:00",
	"2012-10-29 closed",
	"2012-10-30 closed",
	"2012-10-31 10-31T13:30 10-31T20:00",
	"2021-06-18 06-18T13:30 06-18T20:00",
	"2022-06-20 closed",
	"2023-06-19 closed",
	"2025-01-09 closed",
	NULL,
};
static const char *const london[] = {
	"2026-03-27 03-27T08:00 03-27T16:30",
	"2026-03-30 03-30T07:00 03-30T15:30",
	"2022-09-19 closed",
	"2025-12-24 12-24T08:00 12-24T12:30",
	NULL,
};
static const char *const frankfurt[] = {
	"2026-05-01 closed",
	"2026-05-25 05-25T07:00 05-25T15:30",
	"2000-06-01 06-01T07:00 06-01T15:30",
	"2000-06-02 06-02T07:00 06-02T18:00",
	"2003-10-31 10-31T08:00 10-31T19:00",
	"2003-11-03 11-03T08:00 11-03T16:30",
	"2026-12-30 12-30T08:00 12-30T13:00",
	NULL,
};
static const char *const paris[] = {
	"2026-12-24 12-24T08:00 12-24T13:05",
	"2026-04-03 closed",
	NULL,
};
static const char *const tokyo[] = {
	"2024-11-01 11-01T00:00 11-01T02:30 11-01T03:30 11-01T06:00",
	"2024-11-04 closed",
	"2024-11-05 11-05T00:00 11-05T02:30 11-05T03:30 11-05T06:30",
	"2011-11-18 11-18T00:00 11-18T02:00 11-18T03:30 11-18T06:00",
	"2008-12-30 12-30T00:00 12-30T02:00",
	"2020-10-01 closed",
	"2026-05-06 closed",
	"2026-09-22 closed",
	NULL,
};
static const char *const hong_kong[] = {
	"2026-01-02 01-02T01:30 01-02T04:00 01-02T05:00 01-02T08:00",
	"2011-03-04 03-04T02:00 03-04T04:30 03-04T06:30 03-04T08:00",
	"2017-08-23 closed",
	"2023-07-17 closed",
	"2023-09-01 closed",
	"2021-06-28 06-28T05:30 06-28T08:00",
	"2026-02-16 02-16T01:30 02-16T04:00",
	"2026-02-17 closed",
	NULL,
};
static const char *const crypto[] = {
	"2026-01-03 01-03T00:00 01-04T00:00",
	"2024-02-29 02-29T00:00 03-01T00:00",
	NULL,
};
static const char *const fx[] = {
	"2026-01-05 01-04T22:00 01-05T22:00",
	"2026-01-04 closed",
	"2026-12-25 12-24T22:00 12-25T22:00",
	/* In the night to Sunday the clock goes forward. */
	"2026-03-06 03-05T22:00 03-06T22:00",
	"2026-03-09 03-08T21:00 03-09T21:00",
	NULL,
};

static void check_sessions(void)
{
	are_sessions("XNYS", new_york);
	are_sessions("XLON", london);
	are_sessions("XETR", frankfurt);
	are_sessions("XPAR", paris);
	are_sessions("XTKS", tokyo);
	are_sessions("XHKG", hong_kong);
	are_sessions("CRYPTO", crypto);
	are_sessions("FX", fx);
	is_int(fl_exchange_next_day(find("XTKS"), day_of("2019-04-26")),
	       day_of("2019-05-07"), "ten days of Golden Week in 2019");
}

static void check_days(void)
{
	const struct fl_exchange *xnys = find("XNYS");
	int64_t day = day_of("2000-01-01"), end = day_of("2031-01-01");
	int64_t count = 0;
	int wrong = 0;

	is_int(fl_exchange_count_days(xnys, day_of("2025-01-01"),
				      day_of("2026-01-01")),
	       250, "250 trading dates in 2025");
	is_int(fl_exchange_count_days(xnys, end, day), 0, "none backwards");
	is_int(fl_exchange_count_days(xnys, day_of("2026-01-02"),
				      day_of("2026-01-05")),
	       1, "from is inclusive, to is not");
	/* One at a time, forth and back, and counted at once. */
	for (int64_t d = fl_exchange_next_day(xnys, day - 1); d < end;
	     d = fl_exchange_next_day(xnys, d)) {
		struct fl_session s;
		int64_t next = fl_exchange_next_day(xnys, d);

		count++;
		wrong += !fl_exchange_session(xnys, d, &s);
		wrong += fl_exchange_previous_day(xnys, next) != d;
		wrong += fl_exchange_count_days(xnys, day, next) != count;
		wrong += fl_exchange_count_days(xnys, d, next) != 1;
		wrong += !fl_exchange_known(xnys, d);
	}
	is_int(count, 7794, "trading dates of 31 years");
	is_int(wrong, 0, "next, previous and count agree");
	is_int(fl_exchange_next_day(xnys, INT64_MAX), FL_DAY_NONE,
	       "none after the end of time");
	is_int(fl_exchange_previous_day(xnys, INT64_MIN), FL_DAY_NONE,
	       "none before its beginning");
	ok(fl_exchange_next_day(xnys, FL_DAY_NONE) != FL_DAY_NONE &&
		   fl_exchange_previous_day(xnys, INT64_MAX) != FL_DAY_NONE,
	   "but a first one and a last one");
	ok(fl_exchange_count_days(xnys, INT64_MIN, INT64_MAX) > 150000,
	   "the whole of time can be counted");
	ok(!fl_exchange_known(xnys, day - 1) && !fl_exchange_known(xnys, end),
	   "the file vouches for 2000 to 2030 only");
	is_session("XNYS", "2040-12-25", "12-25T14:30 12-25T21:00");
	is_session("XNYS", "1999-12-31", "12-31T14:30 12-31T21:00");
}

/* --- names --- */

static void check_names(void)
{
	static const char *const codes[][2] = {
		{ "XNYS", "XNYS" },     { "XNAS", "XNYS" }, { "nms", "XNYS" },
		{ "NGM", "XNYS" },      { "NCM", "XNYS" },  { "NYQ", "XNYS" },
		{ "ASE", "XNYS" },      { "PCX", "XNYS" },  { "LSE", "XLON" },
		{ "IOB", "XLON" },      { "GER", "XETR" },  { "XFRA", "XETR" },
		{ "PAR", "XPAR" },      { "JPX", "XTKS" },  { "HKG", "XHKG" },
		{ "CCC", "CRYPTO" },    { "CCY", "FX" },    { "fx", "FX" },
		{ "Crypto", "CRYPTO" },
	};
	const struct fl_exchange *ex;
	char longer[FL_CODE_MAX + 1];
	int wrong = 0;

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		ex = find(codes[i][0]);
		if (ex && strcmp(fl_exchange_name(ex), codes[i][1]) == 0)
			continue;
		note("%s: %s", codes[i][0], ex ? fl_exchange_name(ex) : "none");
		wrong++;
	}
	is_int(wrong, 0, "MICs, Yahoo's codes, any case");
	ok(!find("XXXX") && !find(""), "an unknown one is none");
	memset(longer, 'X', sizeof(longer));
	ok(!fl_exchange_find(set, longer, sizeof(longer)), "nor a long one");
	ok(!fl_exchange_find(set, "XNYS", 3), "the length counts");
	is_str(fl_exchange_zone_name(find("JPX")), "Asia/Tokyo", "zone");
	ok(fl_exchange_zone(find("JPX")), "which is open");
	is_str(fl_exchange_name(fl_exchange_number(set, 0)), "XNYS",
	       "the first of the file");
	ok(!fl_exchange_number(set, 8), "eight in all");
}

/* --- instants --- */

static const char *const kinds[] = { "closed", "pre", "regular", "break",
				     "post" };

/* "kind date", with a cache that remembers the question before. */
static void is_at(struct fl_session_cache *cache, const char *code,
		  const char *time, const char *want)
{
	enum fl_session_kind kind =
		fl_exchange_at(find(code), ns_of(time), cache);
	struct fl_session_cache fresh = { 0 };
	char got[60], date[FL_TIME_TEXT];

	fl_date_print(cache->day, date);
	snprintf(got, sizeof(got), "%s %s", kinds[kind], date);
	is_str(got, want, "%s at %s", code, time);
	if (fl_exchange_look(find(code), ns_of(time), &fresh) != kind ||
	    fresh.day != cache->day || fresh.session.day != cache->session.day)
		ok(false, "the cache says something else");
}

static void check_instants(void)
{
	struct fl_session_cache c = { 0 };

	is_at(&c, "XNYS", "2026-01-02T08:59:59.999999999Z",
	      "closed 2026-01-02");
	is_at(&c, "XNYS", "2026-01-02T09:00:00Z", "pre 2026-01-02");
	is_at(&c, "XNYS", "2026-01-02T14:29:59.999Z", "pre 2026-01-02");
	is_at(&c, "XNYS", "2026-01-02T14:30:00Z", "regular 2026-01-02");
	is_at(&c, "XNYS", "2026-01-02T20:59:59.999Z", "regular 2026-01-02");
	/* The price of the close is made at the close. */
	is_at(&c, "XNYS", "2026-01-02T21:00:00Z", "regular 2026-01-02");
	is_at(&c, "XNYS", "2026-01-02T21:00:00.000000001Z", "post 2026-01-02");
	is_at(&c, "XNYS", "2026-01-03T00:59:59Z", "post 2026-01-02");
	is_at(&c, "XNYS", "2026-01-03T01:00:00Z", "closed 2026-01-05");
	is_at(&c, "XNYS", "2026-01-04T12:00:00Z", "closed 2026-01-05");
	/* Backwards, too; a half day has its post-market earlier. */
	is_at(&c, "XNYS", "2025-12-24T18:30:00Z", "post 2025-12-24");
	is_at(&c, "XNYS", "2025-12-24T21:59:59Z", "post 2025-12-24");
	is_at(&c, "XNYS", "2025-12-24T22:00:00Z", "closed 2025-12-26");
	is_at(&c, "XNYS", "2002-09-11T13:30:00Z", "pre 2002-09-11");

	is_at(&c, "XLON", "2026-01-05T16:29:59Z", "regular 2026-01-05");
	is_at(&c, "XLON", "2026-01-05T16:35:12Z", "regular 2026-01-05");
	ok(c.session.close_ns == ns_of("2026-01-05T16:30:00Z") &&
		   c.session.closing_ns == ns_of("2026-01-05T16:40:00Z"),
	   "it was the auction, whose end is in the cache");
	ok(fl_session_inside(&c.session, ns_of("2026-01-05T16:35:12Z")) ==
			   c.session.close_ns - 1 &&
		   fl_session_inside(&c.session, c.session.open_ns) ==
			   c.session.open_ns,
	   "and counts in the last bar");
	is_at(&c, "XLON", "2026-01-05T16:40:00.001Z", "closed 2026-01-06");
	is_at(&c, "XLON", "2026-12-24T12:36:00Z", "regular 2026-12-24");
	is_at(&c, "XLON", "2026-12-24T12:41:00Z", "closed 2026-12-29");

	is_at(&c, "XTKS", "2026-01-05T02:30:00Z", "regular 2026-01-05");
	ok(fl_session_inside(&c.session, c.session.break_from_ns) ==
			   c.session.break_from_ns - 1 &&
		   fl_session_inside(&c.session, c.session.break_to_ns) ==
			   c.session.break_to_ns,
	   "the end of the morning counts in its last bar");
	is_at(&c, "XTKS", "2026-01-05T02:30:00.001Z", "break 2026-01-05");
	is_at(&c, "XTKS", "2026-01-05T03:29:59Z", "break 2026-01-05");
	is_at(&c, "XTKS", "2026-01-05T03:30:00Z", "regular 2026-01-05");
	is_at(&c, "XTKS", "2026-01-05T06:30:00.4Z", "regular 2026-01-05");
	is_at(&c, "XTKS", "2026-01-05T06:31:00.4Z", "closed 2026-01-06");

	is_at(&c, "CRYPTO", "2026-01-03T23:59:59.999Z", "regular 2026-01-03");
	is_at(&c, "CRYPTO", "2026-01-04T00:00:00Z", "regular 2026-01-04");
	is_at(&c, "FX", "2026-01-04T21:59:59Z", "closed 2026-01-05");
	is_at(&c, "FX", "2026-01-04T22:00:00Z", "regular 2026-01-05");
	is_at(&c, "FX", "2026-01-05T22:00:00Z", "regular 2026-01-06");
	is_at(&c, "FX", "2026-01-09T21:59:59Z", "regular 2026-01-09");
	is_at(&c, "FX", "2026-01-09T22:00:00Z", "regular 2026-01-09");
	is_at(&c, "FX", "2026-01-09T22:00:00.001Z", "closed 2026-01-12");

	is_int(fl_exchange_at(find("XNYS"), FL_TIME_MAX, &c), FL_SESSION_CLOSED,
	       "nothing trades at the end of time");
	is_int(c.day, FL_DAY_NONE, "nor after it");
	is_int(fl_exchange_at(find("XNYS"), FL_TIME_MIN, &c), FL_SESSION_CLOSED,
	       "nor at its beginning");
}

/* Wherever one asks, within what the cache says the answer is the same, and
 * just outside of it another, or another day's. */
static void check_cache(const char *code)
{
	const struct fl_exchange *ex = find(code);
	int64_t ns = ns_of("2025-12-20T00:00:00Z");
	int64_t end = ns_of("2026-04-10T00:00:00Z");
	struct fl_session_cache c = { 0 };
	int wrong = 0, spans = 0;

	while (ns < end && wrong < 10) {
		struct fl_session_cache a = { 0 }, b = { 0 }, after = { 0 };

		fl_exchange_at(ex, ns, &c);
		if (c.from_ns > ns || c.to_ns <= ns) {
			wrong++;
			break;
		}
		spans++;
		fl_exchange_look(ex, c.from_ns, &a);
		fl_exchange_look(ex, c.to_ns - 1, &b);
		fl_exchange_look(ex, c.to_ns, &after);
		wrong += a.kind != c.kind || a.day != c.day;
		wrong += b.kind != c.kind || b.day != c.day;
		wrong += after.kind == c.kind && after.day == c.day;
		ns = c.to_ns;
	}
	ok(!wrong && spans > 70, "%s: %d answers, each as long as it holds",
	   code, spans);
}

/* --- files --- */

static void is_bad(const char *text, const char *why)
{
	struct fl_calendars got;
	struct fl_error err = { .code = FL_OK };
	char want[400];

	snprintf(want, sizeof(want), "'x.txt' %s", why);
	if (fl_calendars_read(&got, "x.txt", text, strlen(text), &err) == 0) {
		ok(false, "is taken: %s", text);
		fl_calendars_release(&got);
		return;
	}
	is_str(err.text, want, "line at fault");
	ok(!got.count && !got.exchanges, "nothing is left");
}

#define HEAD                                                                   \
	"# a comment\n"                                                        \
	"exchange TEST Test Exchange # and why\n"                              \
	"also T1 T2\n"                                                         \
	"zone UTC\n"                                                           \
	"weekend Sat Sun\n"

static void check_bad_files(void)
{
	is_bad("", "holds no calendars: no line 'exchange CODE'");
	is_bad("# nothing\n\n", "holds no calendars: no line 'exchange CODE'");
	is_bad("zone UTC\n", "line 1: 'zone' is of no exchange: a line "
			     "'exchange CODE' comes first");
	is_bad("exchange\n", "line 1: a name is missing: exchange XNYS");
	is_bad("exchange A\n", "line 1: the exchange has no zone");
	is_bad("exchange A\nzone UTC\n", "line 1: the exchange has no hours");
	is_bad("exchange A\nzone UTC\nhours 09:00-10:00\nexchange B\n",
	       "line 1: the exchange has no weekend: Sat Sun, or none");
	is_bad(HEAD "hourz 09:00-17:00\n",
	       "line 6: 'hourz' is no keyword; they are: exchange also zone "
	       "weekend hours known closed on");
	is_bad(HEAD "zone UTC\n", "line 6: the zone was given already");
	is_bad("exchange A\nzone\n",
	       "line 2: a time zone is missing: Europe/Berlin");
	is_bad("exchange A\nzone UTC GMT\n",
	       "line 2: 'GMT' is one word too many");
	is_bad(HEAD "weekend Fri\n", "line 6: the weekend was given already");
	is_bad("exchange A\nweekend\n",
	       "line 2: days are missing: Sat Sun, or none");
	is_bad("exchange A\nweekend Sat Sunday\n",
	       "line 2: 'Sunday' is no day of the week: Mon Tue Wed Thu Fri "
	       "Sat Sun");
	is_bad("exchange A\nweekend Mon Tue Wed Thu Fri Sat Sun\n",
	       "line 2: a weekend of seven days leaves none to trade");
	is_bad(HEAD "also t2\n",
	       "line 6: 't2' is a name of 'TEST' (line 2) already");
	is_bad(HEAD "also\n", "line 6: codes are missing: also XNAS NMS");
	is_bad(HEAD "also ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG\n",
	       "line 6: 'ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG' is longer than "
	       "any code is");
	is_bad(HEAD "hours\n", "line 6: hours are missing: 09:30-16:00");
	is_bad(HEAD "hours 9:30-16:00\n",
	       "line 6: '9:30-16:00' are no hours: 09:30-16:00");
	is_bad(HEAD "hours 09:30-24:01\n",
	       "line 6: '09:30-24:01' are no hours: 09:30-16:00");
	is_bad(HEAD "hours 09:60-16:00\n",
	       "line 6: '09:60-16:00' are no hours: 09:30-16:00");
	is_bad(HEAD "hours 09:00-12:00 11:00-15:00\n",
	       "line 6: '11:00-15:00' does not come after the hours before it");
	is_bad(HEAD "hours 09:00-12:00 13:00-12:30\n",
	       "line 6: '13:00-12:30' does not come after the hours before it");
	is_bad(HEAD "hours 09:00-12:00 break 13:00\n",
	       "line 6: 'break' is none of: auction pre post from");
	is_bad(HEAD "hours 09:00-12:00 pre 09:00\n",
	       "line 6: the pre-market does not begin before the exchange "
	       "opens");
	is_bad(HEAD "hours 09:00-12:00 pre\n",
	       "line 6: a time is missing: 09:30");
	is_bad(HEAD "hours 09:00-12:00 pre 8:00\n",
	       "line 6: '8:00' is no time of day: 09:30");
	is_bad(HEAD "hours 09:00-12:00 pre 08:00 pre 08:00\n",
	       "line 6: 'pre' stands there twice");
	is_bad(HEAD "hours 09:00-12:00 auction 12:00\n",
	       "line 6: the closing auction does not end after the close");
	is_bad(HEAD "hours 09:00-12:00 auction 12:05 post 12:05\n",
	       "line 6: the post-market does not end after the close and its "
	       "auction");
	is_bad(HEAD "hours 17:00-17:00 pre 16:00\n",
	       "line 6: from first to last that is more than a day");
	is_bad(HEAD "on 2026-01-02 09:00-05:00 08:00-15:00\n",
	       "line 6: from first to last that is more than a day");
	is_bad(HEAD "hours 09:00-12:00 from 2026-01-01\n",
	       "line 6: the first hours have no 'from': they hold for all "
	       "that is before the next");
	is_bad(HEAD "hours 09:00-12:00\nhours 09:00-13:00\n",
	       "line 7: hours were given already; later ones say since when: "
	       "from 2026-01-31");
	is_bad(HEAD "hours 09:00-12:00\nhours 09:00-13:00 from 2026-01-02\n"
		    "hours 09:00-13:00 from 2026-01-01\n",
	       "line 8: hours stand in the order of their dates");
	is_bad(HEAD "hours 09:00-12:00 from 2026-02-30\n",
	       "line 6: '2026-02-30' is no date: 2026-01-31");
	is_bad(HEAD "hours 09:00-12:00\nhours 09:00-12:00 from 2026-01-01 x\n",
	       "line 7: 'x' is one word too many");
	is_bad(HEAD "known 2026-01-01\n",
	       "line 6: 'to' is missing: known 2000-01-01 to 2030-12-31");
	is_bad(HEAD "known 2026-01-02 to 2026-01-01\n",
	       "line 6: the end is before the beginning");
	is_bad(HEAD "known 2026-01-01 to 2026-01-02\n"
		    "known 2026-01-01 to 2026-01-02\n",
	       "line 7: what is known was given already");
	is_bad(HEAD "closed\n", "line 6: a date is missing: 2026-01-31");
	is_bad(HEAD "closed Christmas\n",
	       "line 6: 'Christmas' is no date: 2026-01-31");
	is_bad(HEAD "on 2026-01-02 half day\n",
	       "line 6: 'half' are no hours: 09:30-16:00");
	is_bad(HEAD "on 2026-01-02 09:00-12:00 13:00-1500 half day\n",
	       "line 6: '13:00-1500' are no hours: 09:30-16:00");
	is_bad(HEAD "hours 09:00-12:00\nclosed 2026-01-02\nclosed 2026-01-01\n"
		    "on 2026-01-02 09:00-10:00\n",
	       "line 9: the date stands in line 7 already");
	is_bad(HEAD "\xff\n", "line 6: not UTF-8 text");
}

static void check_unknown_zone(void)
{
	static const char text[] = "exchange A\nzone Europe/Berlim\n";
	struct fl_calendars got;
	struct fl_error err = { .code = FL_OK };

	ok(fl_calendars_read(&got, "x", text, strlen(text), &err) < 0 &&
		   err.code == FL_ERR_USAGE &&
		   strncmp(err.text, "'x' line 2: no time zone", 24) == 0,
	   "a zone that is not there: %s", err.text);
}

/* A file of one's own stands instead of what is built in. */
static void check_replaced(void)
{
	static const char text[] =
		"\xef\xbb\xbf"
		"exchange TEST Börse # names are for people\r\n"
		"\tzone Europe/Berlin\r\n"
		"weekend Fri Sat\n"
		"hours 10:00-12:00 14:00-18:00 pre 08:00 post 20:00\n"
		"hours 22:00-04:00 pre 21:00 from 2026-02-01\n"
		"closed 2026-01-05 a closing\n"
		"on 2026-01-09 11:00-12:00 a Friday, for once\n"
		"on 2026-01-08 11:00-13:00 14:00-15:00 another lunch";
	char path[] = "/tmp/fl-calendars-XXXXXX";
	int fd = mkstemp(path);
	const struct fl_calendars *builtin = set, *own = NULL;
	struct fl_error err = { .code = FL_OK };
	struct fl_session_cache c = { 0 };

	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
	   "a file is written");
	close(fd);
	is_int(fl_calendars_open(&own, path, &err), 0, "and read %s", err.text);
	unlink(path);
	if (!own)
		return;
	set = own;
	ok(!find("XNYS") && find("test"), "it stands alone");
	is_session("TEST", "2026-01-04",
		   "01-04T09:00 01-04T11:00 01-04T13:00 01-04T17:00");
	is_session("TEST", "2026-01-02", "closed");
	is_session("TEST", "2026-01-05", "closed");
	is_session("TEST", "2026-01-09", "01-09T10:00 01-09T11:00");
	is_session("TEST", "2026-01-08",
		   "01-08T10:00 01-08T12:00 01-08T13:00 01-08T14:00");
	is_session("TEST", "2026-02-01", "01-31T21:00 02-01T03:00");
	is_at(&c, "TEST", "2026-01-08T14:30:00Z", "post 2026-01-08");
	is_at(&c, "TEST", "2026-01-09T13:00:00Z", "closed 2026-01-11");
	is_at(&c, "TEST", "2026-01-31T20:30:00Z", "pre 2026-02-01");
	ok(fl_exchange_known(find("TEST"), day_of("1700-01-01")),
	   "without 'known' all is");
	set = builtin;
	fl_calendars_close(&own);
	ok(!own, "closing forgets it");
	fl_calendars_close(&own);

	is_int(fl_calendars_open(&own, "/nonexistent/x", &err), -1, "no file");
	is_int(err.code, FL_ERR_IO, "is no fault of the data: %s", err.text);
	fl_error_clear(&err);
	is_int(fl_calendars_open(&own, "/dev/zero", &err), -1,
	       "an endless one");
	is_int(err.code, FL_ERR_DATA, "has a ceiling: %s", err.text);
}

/* --- threads --- */

static void *walk(void *arg)
{
	const struct fl_exchange *ex = find("XTKS");
	struct fl_session_cache c = { 0 };
	int64_t *sum = arg;

	for (int64_t ns = ns_of("2026-01-01T00:00:00Z");
	     ns < ns_of("2026-03-01T00:00:00Z"); ns += 7 * FL_SECOND)
		*sum += fl_exchange_at(ex, ns, &c) * (c.day % 7);
	return NULL;
}

static void check_threads(void)
{
	pthread_t threads[4];
	int64_t sums[4] = { 0 };

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, walk, &sums[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ok(sums[0] && sums[0] == sums[1] && sums[1] == sums[2] &&
		   sums[2] == sums[3],
	   "four threads, each with a cache of its own");
}

int main(void)
{
	struct fl_error err = { .code = FL_OK };

	ok(fl_calendars_open(&set, NULL, &err) == 0,
	   "the calendars built in are good %s", err.text);
	if (!set)
		return done_testing();
	check_names();
	check_sessions();
	check_days();
	check_instants();
	check_cache("XNYS");
	check_cache("XLON");
	check_cache("XTKS");
	check_cache("XHKG");
	check_cache("CRYPTO");
	check_cache("FX");
	check_bad_files();
	check_unknown_zone();
	check_replaced();
	check_threads();
	fl_calendars_close(&set);
	return done_testing();
}
