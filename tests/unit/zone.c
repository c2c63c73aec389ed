/* zone: against Python's zoneinfo, with zone files of our own, so that the
 * tests know which rules hold; broken files; several threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.h"

#include <pthread.h>
#include <unistd.h>

#include "base/zone-tzif.h"
#include "tap.h"
#include "tsv.h"

#define FOLDER "tests/data/base/zoneinfo"

static const struct fl_zone *zone_of(const char *name)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *zone = NULL;

	if (fl_zone_open(name, &zone, &err) < 0)
		note("%s", err.text);
	return zone;
}

/* "unique 123", "skipped 123" or "repeated 123 456", in seconds. */
static void answer_wall(const struct fl_zone *zone, const char *text, char *got)
{
	int64_t wall = 0, ns = 0, later = 0;
	struct fl_civil civil;
	char full[64];

	snprintf(full, sizeof(full), "%sZ", text);
	fl_time_parse(full, strlen(full), &wall);
	fl_civil_from_time(wall, &civil);
	switch (fl_zone_to_utc(zone, &civil, &ns, &later)) {
	case FL_ZONE_UNIQUE:
		sprintf(got, "unique %lld", (long long)(ns / FL_SECOND));
		break;
	case FL_ZONE_REPEATED:
		sprintf(got, "repeated %lld %lld", (long long)(ns / FL_SECOND),
			(long long)(later / FL_SECOND));
		break;
	case FL_ZONE_SKIPPED:
		sprintf(got, "skipped %lld", (long long)(ns / FL_SECOND));
		break;
	default:
		strcpy(got, "range");
	}
}

static void check_file(const char *path)
{
	int offsets = 0, walls = 0, wrong = 0;
	struct tsv tsv;

	tsv_open(&tsv, path);
	while (tsv_next(&tsv)) {
		const struct fl_zone *zone = zone_of(tsv.field[1]);
		char got[100];

		if (strcmp(tsv.field[0], "offset") == 0) {
			int64_t ns = atoll(tsv.field[2]) * FL_SECOND;

			offsets++;
			sprintf(got, "%d", fl_zone_offset(zone, ns));
			/* The whole second has one offset. */
			if (fl_zone_offset(zone, ns + FL_SECOND - 1) !=
			    fl_zone_offset(zone, ns))
				strcpy(got, "not the same all second");
		} else {
			walls++;
			answer_wall(zone, tsv.field[2], got);
		}
		if (strcmp(got, tsv.field[3]) == 0)
			continue;
		if (wrong++ < 20)
			note("%s:%d: %s %s: got '%s', wanted '%s'", path,
			     tsv.number, tsv.field[1], tsv.field[2], got,
			     tsv.field[3]);
	}
	ok(offsets && walls && !wrong,
	   "zones as Python has them (%d offsets, %d wall times)", offsets,
	   walls);
}

/* Every hour of the calendar: what an instant shows leads back to it. */
static void check_inverse(const char *name)
{
	const struct fl_zone *zone = zone_of(name);
	int wrong = 0;

	for (int64_t ns = FL_TIME_MIN + FL_DAY; ns < FL_TIME_MAX - FL_DAY;
	     ns += 5 * FL_HOUR + 1) {
		struct fl_civil civil;
		int64_t back = 0, later = 0;

		fl_civil_from_time(ns + fl_zone_offset(zone, ns) * FL_SECOND,
				   &civil);
		switch (fl_zone_to_utc(zone, &civil, &back, &later)) {
		case FL_ZONE_UNIQUE:
			wrong += back != ns;
			break;
		case FL_ZONE_REPEATED:
			wrong += (back != ns && later != ns) || back >= later;
			break;
		default:
			wrong++;
		}
	}
	is_int(wrong, 0, "%s: to local time and back", name);
}

static void check_range(void)
{
	struct fl_civil civil = { 2026, 2, 30, 0, 0, 0, 0 };
	const struct fl_zone *zone = zone_of("America/New_York");
	int64_t ns = 0;

	is_int(fl_zone_to_utc(zone, &civil, &ns, NULL), FL_ZONE_RANGE,
	       "February 30");
	is_int(fl_zone_to_utc(NULL, &civil, &ns, NULL), FL_ZONE_RANGE,
	       "also in UTC");
	civil = (struct fl_civil){ 2261, 12, 31, 23, 0, 0, 0 };
	is_int(fl_zone_to_utc(zone, &civil, &ns, NULL), FL_ZONE_RANGE,
	       "past the end, seen from New York");
	is_int(fl_zone_to_utc(NULL, &civil, &ns, NULL), FL_ZONE_UNIQUE,
	       "not yet in UTC");
	civil = (struct fl_civil){ 2025, 11, 2, 1, 30, 0, 5 };
	is_int(fl_zone_to_utc(zone, &civil, &ns, NULL), FL_ZONE_REPEATED,
	       "the later one need not be asked for");
	is_int(ns % FL_SECOND, 5, "nanoseconds are kept");
	is_int(fl_zone_offset(NULL, 0), 0, "NULL is UTC");
	is_str(fl_zone_name(NULL), "UTC", "by name too");
	is_str(fl_zone_name(zone), "America/New_York", "a zone knows its name");
	ok(zone == zone_of("America/New_York"), "and is read once");
	is_int(fl_zone_offset(zone, INT64_MIN), -17762, "the least instant");
	is_int(fl_zone_offset(zone, INT64_MAX), -14400, "the greatest");
}

static void refuse(const char *name, enum fl_code code, const char *text)
{
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *zone;

	is_int(fl_zone_open(name, &zone, &err), -1, "no zone '%s'", name);
	is_int(err.code, code, "its code");
	if (text)
		is_str(err.text, text, "and text");
}

static void check_names(void)
{
	char folder[] = "/tmp/fl-zone-XXXXXX";
	struct fl_error err = { .code = FL_OK };
	const struct fl_zone *zone = NULL;
	char path[64];
	FILE *f;

	refuse("America/NewYork", FL_ERR_USAGE,
	       "no time zone 'America/NewYork' (did you mean "
	       "'America/New_York'?)");
	refuse("europe/berlin", FL_ERR_USAGE,
	       "no time zone 'europe/berlin' (did you mean 'Europe/Berlin'?)");
	refuse("New York", FL_ERR_USAGE,
	       "no time zone 'New York' (did you mean 'America/New_York'?)");
	refuse("Berln", FL_ERR_USAGE,
	       "no time zone 'Berln' (did you mean 'Europe/Berlin'?)");
	refuse("xyz", FL_ERR_USAGE,
	       "no time zone 'xyz'; their names are as in Europe/Berlin");
	refuse("", FL_ERR_USAGE, NULL);
	refuse("America", FL_ERR_USAGE, NULL);
	refuse("America/New_York/x", FL_ERR_USAGE, NULL);
	refuse("/etc/passwd", FL_ERR_USAGE, NULL);
	refuse("../zone.tsv", FL_ERR_USAGE, NULL);
	refuse("Europe/../Europe/Berlin", FL_ERR_USAGE, NULL);
	refuse("an endless name an endless name an endless name an endless "
	       "name an endless name",
	       FL_ERR_USAGE, NULL);

	setenv("TZDIR", "/nowhere", 1);
	refuse("Europe/Paris", FL_ERR_USAGE,
	       "no time zone 'Europe/Paris': cannot read '/nowhere' (No such "
	       "file or directory); is the package tzdata installed?");
	is_int(fl_zone_open("UTC", &zone, &err), 0, "UTC needs no file");
	is_int(fl_zone_offset(zone, 0), 0, "and is UTC");

	if (!ok(mkdtemp(folder) != NULL, "a folder for broken files"))
		return;
	setenv("TZDIR", folder, 1);
	snprintf(path, sizeof(path), "%s/Text", folder);
	f = fopen(path, "w");
	fputs("not a zone\n", f);
	fclose(f);
	refuse("Text", FL_ERR_USAGE, NULL);
	f = fopen(path, "w");
	fputs("TZif2, but no more\n", f);
	fclose(f);
	refuse("Text", FL_ERR_DATA, NULL);
	f = fopen(path, "w");
	for (int i = 0; i < 1100; i++)
		fprintf(f, "%01000d", 0);
	fclose(f);
	refuse("Text", FL_ERR_IO, NULL);
	unlink(path);
	rmdir(folder);
	setenv("TZDIR", FOLDER, 1);
}

static size_t read_bytes(const char *path, unsigned char *bytes, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t len = 0;

	if (f) {
		len = fread(bytes, 1, room, f);
		fclose(f);
	}
	return len;
}

/* Is the table what its header promises? */
static bool is_sound(const struct fl_zone_table *table)
{
	if (!table->count || table->at[0] != INT64_MIN)
		return false;
	for (size_t i = 0; i < table->count; i++) {
		if (table->offsets[i] < FL_ZONE_OFFSET_MIN ||
		    table->offsets[i] > FL_ZONE_OFFSET_MAX)
			return false;
		if (i && (table->at[i] <= table->at[i - 1] ||
			  table->offsets[i] == table->offsets[i - 1]))
			return false;
	}
	return true;
}

static bool reads(const void *bytes, size_t len)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_zone_table table;
	void *copy = malloc(len ? len : 1);
	bool good;

	memcpy(copy, bytes, len);
	good = fl_zone_table_read(&table, copy, len, &err) == 0;
	if (good && !is_sound(&table))
		note("a table that is not sound, from %zu bytes", len);
	if (good)
		good = is_sound(&table);
	fl_zone_table_release(&table);
	free(copy);
	return good;
}

/* A file of version 2 with one type and no change. */
static size_t make(unsigned char *bytes, const char *footer)
{
	static const unsigned char head[44] = {
		[0] = 'T', 'Z', 'i', 'f', '3', [39] = 1, [43] = 4
	};
	static const unsigned char block[10] = {
		0, 0, 0, 0, 0, 0, 'A', 'A', 'A'
	};
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		memcpy(bytes + len, head, sizeof(head));
		memcpy(bytes + len + sizeof(head), block, sizeof(block));
		len += sizeof(head) + sizeof(block);
	}
	return len + (size_t)sprintf((char *)bytes + len, "\n%s\n", footer);
}

static void check_bytes(void)
{
	static const char *const good[] = {
		"",
		"CET-1",
		"<+03>-3",
		"CET-1CEST,M3.5.0,M10.5.0/3",
		"EST5EDT4:30:15,M3.2.0/2:00:00,M11.1.0",
		"AAA0BBB,J1,J365",
		"AAA0BBB,0,365/167",
		"IST-1GMT0,M10.5.0,M3.5.0/1",
		"AAA-24:59:59",
	};
	static const char *const bad[] = {
		"A1",
		"AAA",
		"AAA1BBB",
		"AAA1BBB,M3.5.0",
		"AAA1BBB,M0.5.0,M10.5.0",
		"AAA1BBB,M13.5.0,M10.5.0",
		"AAA1BBB,M3.6.0,M10.5.0",
		"AAA1BBB,M3.0.0,M10.5.0",
		"AAA1BBB,M3.5.7,M10.5.0",
		"AAA1BBB,J0,J365",
		"AAA1BBB,J1,J366",
		"AAA1BBB,0,366",
		"AAA1BBB,0,1/168",
		"AAA1BBB,0,1/1:60",
		"AAA1BBB,0,1/1:00:60",
		"AAA1BBB,0,1x",
		"<AAA1",
		"AAA26",
		"AAA1BBB30,0,1",
		"AAA99999999999",
	};
	static unsigned char bytes[8192];
	size_t len =
		read_bytes(FOLDER "/America/New_York", bytes, sizeof(bytes));
	int cut = 0, flipped = 0;

	ok(reads(bytes, len), "the file of New York (%zu bytes)", len);
	for (size_t i = 0; i < len; i++)
		cut += reads(bytes, i);
	is_int(cut, 0, "cut short anywhere it is refused");
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (unsigned char)(1 << bit);
			flipped += reads(bytes, len);
			bytes[i] ^= (unsigned char)(1 << bit);
		}
	}
	ok(flipped > 0, "any bit turned: refused, or a sound table (%d)",
	   flipped);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(reads(bytes, make(bytes, good[i])), "a footer: '%s'",
		   good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!reads(bytes, make(bytes, bad[i])), "no footer: '%s'",
		   bad[i]);
	len = make(bytes, "");
	bytes[54 + 31] = 1; /* a leap second */
	memset(bytes + len, 0, 12);
	ok(!reads(bytes, len + 12),
	   "files that count leap seconds are refused");
}

static void *open_all(void *arg)
{
	static const char *const names[] = { "Asia/Kolkata", "Europe/Dublin",
					     "Australia/Lord_Howe", "Nowhere" };
	int *bad = arg;

	for (int i = 0; i < 400; i++) {
		struct fl_error err = { .code = FL_OK };
		const struct fl_zone *zone = NULL;
		const char *name = names[i % 4];

		if (fl_zone_open(name, &zone, &err) < 0) {
			*bad += i % 4 != 3;
			continue;
		}
		*bad += strcmp(fl_zone_name(zone), name) != 0 ||
			fl_zone_offset(zone, 0) == 1;
	}
	return NULL;
}

static void check_threads(void)
{
	pthread_t threads[4];
	int bad[4] = { 0 };

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, open_all, &bad[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		is_int(bad[i], 0, "thread %d opens what it asks for", i);
	}
}

int main(int argc, char **argv)
{
	setenv("TZDIR", FOLDER, 1);
	check_threads(); /* first, while no zone is there */
	check_file(argc > 1 ? argv[1] : "tests/data/base/zone.tsv");
	check_inverse("America/New_York");
	check_inverse("Europe/Dublin");
	check_inverse("Australia/Lord_Howe");
	check_inverse("America/Sao_Paulo");
	check_inverse("Made/All_Year");
	check_inverse("Made/Day_Of_Year");
	check_range();
	check_names();
	check_bytes();
	return done_testing();
}
