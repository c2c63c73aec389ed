/* logs: times as logs write them, repeats, and messages cut out of a stream.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "net/syslog.h"
#include "source/log/repeats.h"
#include "source/log/stamp.h"
#include "tap.h"

static const char *shown(int64_t ns)
{
	static char text[FL_TIME_TEXT];

	fl_time_print(ns, text);
	return text;
}

static int64_t instant(const char *text)
{
	int64_t ns = 0;

	fl_time_parse(text, strlen(text), &ns);
	return ns;
}

static void check_bsd(struct fl_logs_times *times, const char *text,
		      const char *want, size_t taken)
{
	const char *at = text;
	int64_t ns = 0;
	enum fl_logs_clock got =
		fl_logs_stamp_bsd(times, &at, text + strlen(text), &ns);

	if (!want) {
		ok(got != FL_LOGS_STAMP, "%s", text);
		return;
	}
	ok(got == FL_LOGS_STAMP && strcmp(shown(ns), want) == 0 &&
		   (size_t)(at - text) == taken,
	   "%s", text);
}

static void stamps(void)
{
	struct fl_logs_times times = { .file_ns = instant(
					       "2026-03-05T12:00:00.000Z") };
	const char *clf = "29/Feb/2024:23:59:60 -0530]", *at = clf;
	int64_t ns;

	/* Up to a day after the file is this year, later is the one before. */
	check_bsd(&times, "Mar  6 11:59:59 h", "2026-03-06T11:59:59.000Z", 15);
	check_bsd(&times, "Mar  6 12:00:01 h", "2025-03-06T12:00:01.000Z", 15);
	check_bsd(&times, "Mar 05 09:30:00.25", "2026-03-05T09:30:00.250Z", 18);
	check_bsd(&times, "Mar 05 2019 09:30:00: ", "2019-03-05T09:30:00.000Z",
		  20);
	check_bsd(&times, "Mar  5 09:30:00 2019 h", "2019-03-05T09:30:00.000Z",
		  20);
	check_bsd(&times, "Feb 29 00:00:00", "2024-02-29T00:00:00.000Z", 15);
	/* The same text again, with a year this time. */
	check_bsd(&times, "Feb 29 00:00:00 2020 h", "2020-02-29T00:00:00.000Z",
		  20);
	check_bsd(&times, "Feb 30 00:00:00", NULL, 0);
	check_bsd(&times, "Mar  5 24:00:00", NULL, 0);
	check_bsd(&times, "Mar  5 09:30:0", NULL, 0);
	check_bsd(&times, "mar  5 09:30:00", NULL, 0);
	times.year = 2000;
	times.last_ns = 0;
	check_bsd(&times, "Dec 31 23:59:59 h", "2000-12-31T23:59:59.000Z", 15);
	ok(fl_logs_stamp_clf(&at, clf + strlen(clf), &ns) == FL_LOGS_STAMP &&
		   strcmp(shown(ns), "2024-03-01T05:30:00.000Z") == 0 &&
		   *at == ']',
	   "a leap second in a common log");
	ok(fl_logs_stamp_cef(&times, "1772703000", "", &ns) == 0,
	   "no text is no time");
}

static void repeats(void)
{
	struct fl_logs_repeats seen = { 0 };
	bool first = true;

	is_int(fl_logs_repeats_add(&seen, 7), 1, "the first one");
	is_int(fl_logs_repeats_add(&seen, 7), 2, "the second one");
	for (uint64_t i = 0; i < FL_LOGS_REPEATS - 1; i++)
		first = first && fl_logs_repeats_add(&seen, 1000 + i) == 1;
	ok(first, "others are themselves");
	is_int(fl_logs_repeats_add(&seen, 7), 3,
	       "the third, 65,536 lines behind");
	for (uint64_t i = 0; i < FL_LOGS_REPEATS; i++)
		fl_logs_repeats_add(&seen, 1000000 + i);
	is_int(fl_logs_repeats_add(&seen, 7), 1, "one more: forgotten");
	fl_logs_repeats_release(&seen);
}

static int cut(struct fl_syslog_frames *frames, const char *bytes,
	       struct fl_syslog_frame *frame)
{
	size_t room, len = strlen(bytes);
	char *space = fl_syslog_space(frames, &room);

	memcpy(space, bytes, len);
	fl_syslog_fed(frames, len);
	return fl_syslog_next(frames, frame, false);
}

static void frames(void)
{
	struct fl_syslog_frames stream;
	struct fl_syslog_frame frame;

	fl_syslog_init(&stream, FL_SYSLOG_AUTO, 8);
	is_int(cut(&stream, "1", &frame), 0, "one digit decides nothing");
	is_int(cut(&stream, "0 ", &frame), 0, "a count decides");
	is_int(cut(&stream, "abc", &frame), 0, "too long, and not all there");
	is_int(cut(&stream, "defghij3 xyz", &frame), 1, "now it is");
	ok(frame.whole == 10 && frame.len == 10 && !frame.cut &&
		   memcmp(frame.bytes, "abcdefghij", 10) == 0,
	   "its bytes, and how many");
	ok(fl_syslog_next(&stream, &frame, false) == 1 && frame.len == 3 &&
		   !frame.whole && memcmp(frame.bytes, "xyz", 3) == 0,
	   "the one behind it");
	is_int(cut(&stream, "5 ab", &frame), 0, "one that is not whole");
	ok(fl_syslog_next(&stream, &frame, true) == 1 && frame.cut &&
		   frame.len == 2,
	   "and never will be");
	fl_syslog_release(&stream);
	fl_syslog_init(&stream, FL_SYSLOG_AUTO, 8);
	is_int(cut(&stream, "2026-03", &frame), 0, "a line may begin so");
	ok(cut(&stream, "\nx", &frame) == 1 && frame.len == 7,
	   "and ends with LF");
	ok(fl_syslog_next(&stream, &frame, false) == 0 &&
		   fl_syslog_next(&stream, &frame, true) == 1 &&
		   frame.len == 1 && !frame.cut,
	   "the last one need not");
	fl_syslog_release(&stream);
	fl_syslog_init(&stream, FL_SYSLOG_OCTETS, 8);
	is_int(cut(&stream, "01 x", &frame), -1,
	       "counts have no zero in front");
	fl_syslog_release(&stream);
}

int main(void)
{
	stamps();
	repeats();
	frames();
	return done_testing();
}
