/* zone: see zone.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/zone-tzif.h"

enum {
	MOST_NAME = 64,
	MOST_BYTES = 1 << 20, /* the largest real file has 4 KiB */
};

struct fl_zone {
	char *name;
	struct fl_zone_table table;
	struct fl_zone *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fl_zone *zones; /* under lock; never shrinks */

static const char *folder(void)
{
	const char *dir = getenv("TZDIR");

	return dir && *dir ? dir : "/usr/share/zoneinfo";
}

/* Nothing that would leave the folder. */
static bool name_valid(const char *name)
{
	return *name && *name != '/' && strlen(name) <= MOST_NAME &&
	       !strstr(name, "..");
}

static unsigned fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)c + ('a' - 'A');
	return c == ' ' ? '_' : (unsigned char)c;
}

/* Edits between two names of at most MOST_NAME bytes, letter case aside. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[MOST_NAME + 1];
	size_t width = strlen(b);

	for (unsigned j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned i = 1; *a; i++, a++) {
		unsigned corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			unsigned cost = corner + (fold(*a) != fold(b[j - 1]));

			corner = row[j];
			if (cost > corner + 1)
				cost = corner + 1;
			if (cost > row[j - 1] + 1)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[width];
}

struct near {
	const char *wanted;
	char name[MOST_NAME + 1];
	unsigned best;
};

/* Compare with the whole name and with the city alone. */
static void consider(struct near *near, const char *name)
{
	const char *city = strrchr(name, '/');
	unsigned edits = distance(near->wanted, name);

	if (city) {
		unsigned less = distance(near->wanted, city + 1);

		edits = less < edits ? less : edits;
	}
	if (edits < near->best) {
		near->best = edits;
		memcpy(near->name, name, strlen(name) + 1);
	}
}

/* Zones and their folders start with a capital; other files do not. */
static void search(struct near *near, const char *path, const char *prefix)
{
	DIR *dir = opendir(path);
	struct dirent *item;

	while (dir && (item = readdir(dir))) {
		char *name, *deeper;
		struct stat info;

		if (item->d_name[0] < 'A' || item->d_name[0] > 'Z')
			continue;
		name = fl_sprintf("%s%s", prefix, item->d_name);
		deeper = fl_sprintf("%s/%s", path, item->d_name);
		if (strlen(name) <= MOST_NAME && stat(deeper, &info) == 0) {
			if (S_ISREG(info.st_mode))
				consider(near, name);
			if (S_ISDIR(info.st_mode)) {
				char *inner = fl_sprintf("%s/", name);

				search(near, deeper, inner);
				free(inner);
			}
		}
		free(name);
		free(deeper);
	}
	if (dir)
		closedir(dir);
}

static int unknown(const char *name, struct fl_error *err)
{
	struct near near = { .wanted = name };
	const char *shown = fl_show(name, strlen(name), MOST_NAME);

	if (access(folder(), R_OK | X_OK) < 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "no time zone '%s': cannot read '%s' (%s); "
				    "is the package tzdata installed?",
				    shown, folder(), strerror(errno));
	near.best = (unsigned)strlen(name) / 3 + 1;
	if (*name && strlen(name) <= MOST_NAME)
		search(&near, folder(), "");
	if (near.name[0])
		return fl_error_set(err, FL_ERR_USAGE,
				    "no time zone '%s' (did you mean '%s'?)",
				    shown, near.name);
	return fl_error_set(err, FL_ERR_USAGE,
			    "no time zone '%s'; their names are as in "
			    "Europe/Berlin",
			    shown);
}

/* The whole file. -1: errno tells, 0 there for a file longer than any zone's.
 */
static int read_file(const char *path, struct fl_buf *buf)
{
	const size_t step = 8192;
	int fd = open(path, O_RDONLY | O_CLOEXEC), failed;
	ssize_t got = -1;

	if (fd < 0)
		return -1;
	errno = 0;
	while (fl_buf_reserve(buf, step)) {
		got = read(fd, buf->data + buf->len, step);
		if (got <= 0)
			break;
		buf->len += (size_t)got;
	}
	failed = errno;
	close(fd);
	errno = failed;
	return got == 0 ? 0 : -1;
}

static int read_table(struct fl_zone_table *table, const struct fl_buf *bytes,
		      const char *path, struct fl_error *err)
{
	if (fl_zone_table_read(table, bytes->data, bytes->len, err) < 0)
		return fl_error_wrap(err, "cannot read '%s'", path);
	return 0;
}

/* Folders and lists lie there too: what is no TZif file is no zone. */
static int load(struct fl_zone *zone, struct fl_error *err)
{
	static int64_t utc_at[] = { INT64_MIN };
	static int32_t utc_offset[] = { 0 };
	struct fl_buf bytes = { .max = MOST_BYTES };
	char *path = fl_sprintf("%s/%s", folder(), zone->name);
	int result = -1;

	if (read_file(path, &bytes) == 0) {
		if (bytes.len < 4 || memcmp(bytes.data, "TZif", 4) != 0)
			unknown(zone->name, err);
		else
			result = read_table(&zone->table, &bytes, path, err);
	} else if (strcmp(zone->name, "UTC") == 0) {
		/* The one zone that needs no file. */
		zone->table =
			(struct fl_zone_table){ utc_at, utc_offset, 1, 1 };
		result = 0;
	} else if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) {
		unknown(zone->name, err);
	} else {
		fl_error_set(err, FL_ERR_IO, "cannot read '%s': %s", path,
			     errno ? strerror(errno) : "no time zone file");
	}
	fl_buf_release(&bytes);
	free(path);
	return result;
}

int fl_zone_open(const char *name, const struct fl_zone **zone,
		 struct fl_error *err)
{
	struct fl_zone *z;
	int result = 0;

	if (!name_valid(name))
		return unknown(name, err);
	pthread_mutex_lock(&lock);
	for (z = zones; z && strcmp(z->name, name) != 0; z = z->next)
		;
	if (!z) {
		z = fl_zalloc(sizeof(*z));
		z->name = fl_strdup(name);
		result = load(z, err);
		if (result < 0) {
			free(z->name);
			free(z);
		} else {
			z->next = zones;
			zones = z;
		}
	}
	if (result == 0)
		*zone = z;
	pthread_mutex_unlock(&lock);
	return result;
}

const char *fl_zone_name(const struct fl_zone *zone)
{
	return zone ? zone->name : "UTC";
}

/* The entry that holds at an instant, without a branch to guess. */
static size_t find(const struct fl_zone_table *table, int64_t seconds)
{
	size_t base = 0;

	for (size_t n = table->count; n > 1;) {
		size_t half = n / 2;

		base += table->at[base + half] <= seconds ? half : 0;
		n -= half;
	}
	return base;
}

static int64_t floor_seconds(int64_t ns)
{
	return ns / FL_SECOND - (ns % FL_SECOND < 0);
}

int32_t fl_zone_offset(const struct fl_zone *zone, int64_t ns)
{
	if (!zone)
		return 0;
	return zone->table.offsets[find(&zone->table, floor_seconds(ns))];
}

int32_t fl_zone_offset_span(const struct fl_zone *zone, int64_t seconds,
			    int64_t *from, int64_t *to)
{
	const struct fl_zone_table *table = &zone->table;
	size_t i = find(table, seconds);

	*from = table->at[i] <= seconds ? table->at[i] : seconds;
	*to = i + 1 < table->count ? table->at[i + 1] : seconds + 1;
	return table->offsets[i];
}

/* The instants whose wall time is `wall` (seconds, as if UTC), up to two. When
 * there is none, found[0] is the one that the offset before the jump gives. */
static int search_wall(const struct fl_zone_table *table, int64_t wall,
		       int64_t found[2])
{
	size_t i = find(table, wall - FL_ZONE_OFFSET_MAX);
	int count = 0;

	for (; i < table->count &&
	       (count == 0 || table->at[i] <= wall - FL_ZONE_OFFSET_MIN);
	     i++) {
		int64_t instant = wall - table->offsets[i];

		if (count < 2 && instant >= table->at[i] &&
		    (i + 1 == table->count || instant < table->at[i + 1]))
			found[count++] = instant;
		/* Past the change by this offset, not yet there by the next:
		 * skipped. */
		if (!count && i + 1 < table->count &&
		    instant >= table->at[i + 1] &&
		    wall - table->offsets[i + 1] < table->at[i + 1]) {
			found[0] = instant;
			return 0;
		}
	}
	return count;
}

static bool to_ns(int64_t seconds, int nanos, int64_t *ns)
{
	*ns = seconds * FL_SECOND + nanos;
	return *ns >= FL_TIME_MIN && *ns <= FL_TIME_MAX;
}

enum fl_zone_read fl_zone_to_utc(const struct fl_zone *zone,
				 const struct fl_civil *local, int64_t *ns,
				 int64_t *later)
{
	int64_t wall = fl_time_from_civil(local), found[2] = { 0 }, second;
	int count;

	if (wall == FL_TIME_NONE)
		return FL_ZONE_RANGE;
	if (!zone) {
		*ns = wall;
		return FL_ZONE_UNIQUE;
	}
	count = search_wall(&zone->table, floor_seconds(wall), found);
	/* A day more or less still fits into 64 bits. */
	if (!to_ns(found[0], local->nanos, ns))
		return FL_ZONE_RANGE;
	if (count == 2 && to_ns(found[1], local->nanos, &second) && later)
		*later = second;
	return count == 0   ? FL_ZONE_SKIPPED
	       : count == 1 ? FL_ZONE_UNIQUE
			    : FL_ZONE_REPEATED;
}

int64_t fl_zone_wall(const struct fl_zone *zone, int64_t ns)
{
	if (ns == FL_TIME_NONE)
		return ns;
	return ns + (int64_t)fl_zone_offset(zone, ns) * FL_SECOND;
}
