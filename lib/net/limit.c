/* limit: see limit.h.
 *
 * The day of a request is the provider's affair: its clock is not ours, and a
 * request travels. Near the turn of a day one therefore counts for both days,
 * the one that ends and the one that begins.
 *
 * For the same reason a provider's own limit a second is kept with a tenth
 * more between two requests than it demands, counted from the answer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/limit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "base/zone.h"
#include "io/state.h"
#include "net/limit-file.h"

#define SLICE_NS (5 * FL_SECOND)
#define EDGE_NS  (5 * FL_SECOND) /* so near, a day's turn is unsure */
#define PREFIX   "quota-"

struct fl_limit {
	struct fl_limits limits;
	const struct fl_zone *zone;
	struct fl_limit_file file; /* path NULL: counted here alone */
	struct fl_limit_state state;
	int64_t interval_ns; /* of the pace; 0: none */
	void (*tell)(void *arg, const char *text);
	void *arg;
};

/* --- limits as text --- */

static int bad_item(const char *item, size_t len, struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_USAGE,
			    "--limit takes N/s, N/m and N/d by comma, such as "
			    "75/m, yahoo:2/s+5 or none, not '%s'",
			    fl_show(item, len, 60));
}

/* "75/m", "2/s+5", "none" */
static int read_item(const char *item, size_t len, struct fl_limits *limits,
		     struct fl_error *err)
{
	char text[40], *end, unit;
	unsigned long count, burst = 0;

	if (len == 4 && memcmp(item, "none", 4) == 0)
		return 0;
	if (!len || len >= sizeof(text) || *item < '0' || *item > '9')
		return bad_item(item, len, err);
	memcpy(text, item, len);
	text[len] = '\0';
	count = strtoul(text, &end, 10);
	if (*end++ != '/' || !*end || count > FL_LIMIT_MOST)
		return bad_item(item, len, err);
	unit = *end++;
	if (unit == 's' && *end == '+' && end[1] >= '0' && end[1] <= '9')
		burst = strtoul(end + 1, &end, 10);
	if (*end || burst > FL_LIMIT_MOST)
		return bad_item(item, len, err);
	if (unit == 's')
		limits->per_second = (unsigned)count;
	else if (unit == 'm')
		limits->per_minute = (unsigned)count;
	else if (unit == 'd')
		limits->per_day = (unsigned)count;
	else
		return bad_item(item, len, err);
	if (unit == 's')
		limits->burst = (unsigned)burst;
	return 0;
}

/* All items for `provider`, or, when it is NULL, those for everyone.
 * returns 1 there were some, 0, -1 */
static int read_items(const char *text, const char *provider,
		      struct fl_limits *limits, struct fl_error *err)
{
	int found = 0;

	for (size_t len; *text; text += len + (text[len] == ',')) {
		const char *item = text, *colon;
		size_t word;

		len = strcspn(text, ",");
		colon = memchr(item, ':', len);
		word = colon ? (size_t)(colon - item) : 0;
		if (colon)
			item = colon + 1;
		if (colon ? !provider || strlen(provider) != word ||
				    memcmp(provider, text, word) != 0
			  : provider != NULL) {
			/* Another one's; it is to be right all the same. */
			struct fl_limits other = { 0 };

			if (read_item(item, len - (size_t)(item - text), &other,
				      err) < 0)
				return -1;
			continue;
		}
		if (!found++)
			*limits =
				(struct fl_limits){ .day_zone =
							    limits->day_zone };
		if (read_item(item, len - (size_t)(item - text), limits, err) <
		    0)
			return -1;
	}
	return found > 0;
}

int fl_limits_read(const char *text, const char *provider,
		   struct fl_limits *limits, struct fl_error *err)
{
	int got;

	if (!text || !*text)
		return 0;
	got = read_items(text, provider, limits, err);
	if (got == 0)
		got = read_items(text, NULL, limits, err);
	return got < 0 ? -1 : 0;
}

/* --- clocks --- */

static uint64_t boot_id(void)
{
	static uint64_t id;
	char text[64];
	ssize_t got;
	int fd;

	if (id)
		return id;
	id = 1;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return id;
	got = read(fd, text, sizeof(text));
	if (got > 0)
		id = fl_hash64(text, (size_t)got) | 1;
	close(fd);
	return id;
}

/* The provider's day at an instant. */
static int64_t day_of(const struct fl_limit *limit, int64_t ns)
{
	int64_t wall = fl_zone_wall(limit->zone, ns);

	return wall / FL_DAY - (wall % FL_DAY < 0);
}

static int64_t day_end(const struct fl_limit *limit, int64_t day)
{
	struct fl_civil civil;
	int64_t ns = (day + 1) * FL_DAY, end;

	fl_civil_from_time(ns, &civil);
	if (fl_zone_to_utc(limit->zone, &civil, &end, NULL) == FL_ZONE_RANGE)
		return ns;
	return end;
}

/* --- the state, by what the clocks say --- */

static uint32_t *used_on(struct fl_limit *limit, int64_t day)
{
	struct fl_limit_day *days = limit->state.days, *far = days;
	int64_t today = day_of(limit, fl_now_ns());

	for (int i = 0; i < FL_LIMIT_DAYS; i++) {
		if (days[i].used && days[i].day == day)
			return &days[i].used;
	}
	/* A free one, else the one that is farthest from now. */
	for (int i = 0; i < FL_LIMIT_DAYS && far->used; i++) {
		if (!days[i].used ||
		    llabs(days[i].day - today) > llabs(far->day - today))
			far = &days[i];
	}
	*far = (struct fl_limit_day){ .day = day };
	return &far->used;
}

static uint32_t look_used(const struct fl_limit_state *state, int64_t day)
{
	for (int i = 0; i < FL_LIMIT_DAYS; i++) {
		if (state->days[i].used && state->days[i].day == day)
			return state->days[i].used;
	}
	return 0;
}

static uint32_t minute_used(const struct fl_limit_state *state)
{
	uint64_t sum = 0;

	for (int i = 0; i < FL_LIMIT_SLICES; i++)
		sum += state->slices[i];
	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* Bring the paces up to now. */
static void advance(struct fl_limit *limit, int64_t mono)
{
	struct fl_limit_state *s = &limit->state;
	int64_t now = mono / SLICE_NS, shift = now - s->slice;
	uint32_t sum = minute_used(s);

	if (s->boot != boot_id() || shift < 0) {
		/* Of another clock: as if it all had been just now. */
		memset(s->slices, 0, sizeof(s->slices));
		s->slices[0] = sum;
		s->next_ns = sum ? mono + limit->interval_ns : 0;
	} else if (shift >= FL_LIMIT_SLICES) {
		memset(s->slices, 0, sizeof(s->slices));
	} else if (shift > 0) {
		size_t by = (size_t)shift, all = FL_LIMIT_SLICES;

		memmove(s->slices + by, s->slices,
			(all - by) * sizeof(*s->slices));
		memset(s->slices, 0, by * sizeof(*s->slices));
	}
	s->slice = now;
	s->boot = boot_id();
	/* No pace reaches further ahead than its burst. */
	if (s->next_ns > mono + (limit->limits.burst + 1) * limit->interval_ns)
		s->next_ns = mono + limit->interval_ns;
}

/* How long until the minute has room; 0: it has. */
static int64_t minute_wait(const struct fl_limit *limit, int64_t mono)
{
	const struct fl_limit_state *s = &limit->state;
	uint32_t used = minute_used(s);
	int oldest = FL_LIMIT_SLICES - 1;

	if (!limit->limits.per_minute || used < limit->limits.per_minute)
		return 0;
	/* Slices leave from the old end, until there is room for one. */
	for (; oldest > 0; oldest--) {
		used -= s->slices[oldest];
		if (used < limit->limits.per_minute)
			break;
	}
	return (s->slice + FL_LIMIT_SLICES - oldest) * SLICE_NS - mono;
}

static void days_near(const struct fl_limit *limit, int64_t days[3])
{
	int64_t now = fl_now_ns();

	days[0] = day_of(limit, now);
	days[1] = day_of(limit, now - EDGE_NS);
	days[2] = day_of(limit, now + EDGE_NS);
}

static void judge(struct fl_limit *limit, int64_t mono,
		  enum fl_granted *granted, int64_t *wait_ns)
{
	const struct fl_limits *limits = &limit->limits;
	int64_t days[3], pace, minute;

	*granted = FL_LIMIT_WAIT;
	*wait_ns = 0;
	days_near(limit, days);
	for (int i = 0; limits->per_day && i < 3; i++) {
		if (look_used(&limit->state, days[i]) < limits->per_day)
			continue;
		*granted = i == 0 ? FL_LIMIT_SPENT : FL_LIMIT_WAIT;
		*wait_ns = i == 0 ? day_end(limit, days[0]) - fl_now_ns()
				  : FL_SECOND;
		return;
	}
	pace = limit->state.next_ns - mono - limits->burst * limit->interval_ns;
	minute = minute_wait(limit, mono);
	*wait_ns = pace > minute ? pace : minute;
	if (!limit->interval_ns)
		*wait_ns = minute;
	if (*wait_ns <= 0) {
		*granted = FL_LIMIT_ASK;
		*wait_ns = 0;
	}
}

/* `count` requests are sent now. */
static void spend(struct fl_limit *limit, int64_t mono, unsigned count)
{
	struct fl_limit_state *s = &limit->state;
	int64_t days[3];

	if (limit->interval_ns) {
		if (s->next_ns < mono)
			s->next_ns = mono;
		s->next_ns += count * limit->interval_ns;
	}
	s->slices[0] += count;
	days_near(limit, days);
	*used_on(limit, days[0]) += count;
	for (int i = 1; i < 3; i++) {
		if (days[i] != days[0])
			*used_on(limit, days[i]) += count;
	}
}

/* --- the file --- */

static void name_state(const struct fl_limits *limits, const char *provider,
		       const char *key, struct fl_limit_state *state)
{
	const char *zone = limits->day_zone ? limits->day_zone : "UTC";

	state->per_second = limits->per_second;
	state->per_minute = limits->per_minute;
	state->per_day = limits->per_day;
	state->burst = limits->burst;
	snprintf(state->zone, sizeof(state->zone), "%s", zone);
	snprintf(state->provider, sizeof(state->provider), "%s", provider);
	if (key != state->key)
		snprintf(state->key, sizeof(state->key), "%s", key);
}

static void hash_key(const char *provider, const char *key, char hash[13])
{
	const struct fl_part parts[] = { { "quota", 5 },
					 { provider, strlen(provider) },
					 { key ? key : "",
					   key ? strlen(key) : 0 } };
	char id[33];

	*hash = '\0';
	if (!key || !*key)
		return;
	fl_id128(parts, 3, id);
	snprintf(hash, 13, "%.12s", id);
}

static char *file_of(const char *provider, const char *hash,
		     struct fl_error *err)
{
	char *name = fl_sprintf("%s%s%s%s", PREFIX, provider, *hash ? "-" : "",
				hash);
	char *path = fl_state_path(name, err);

	free(name);
	return path;
}

/* Lock, and what stands in the file as ours. returns 0, -1 */
static int load(struct fl_limit *limit, struct fl_error *err)
{
	struct fl_limit_state kept = limit->state;
	char text[400];
	int got;

	if (!limit->file.path)
		return 0;
	limit->state = (struct fl_limit_state){ .boot = boot_id() };
	got = fl_limit_lock(&limit->file, true, &limit->state, err);
	name_state(&limit->limits, kept.provider, kept.key, &limit->state);
	if (got == 2 && limit->tell) {
		snprintf(text, sizeof(text),
			 "what was asked of %s today is not known: '%s' was "
			 "damaged and is now called '….damaged'",
			 kept.provider,
			 fl_show(limit->file.path, strlen(limit->file.path),
				 200));
		limit->tell(limit->arg, text);
	}
	return got < 0 ? -1 : 0;
}

static int store(struct fl_limit *limit, struct fl_error *err)
{
	/* A limit a day must outlive a power cut; a pace need not. */
	return limit->file.path
		       ? fl_limit_write(&limit->file, &limit->state,
					limit->limits.per_day != 0, err)
		       : 0;
}

/* --- what callers see --- */

static bool is_limited(const struct fl_limits *limits)
{
	return limits->per_second || limits->per_minute || limits->per_day;
}

int fl_limit_open(struct fl_limit **out, const char *provider, const char *key,
		  const struct fl_limits *limits,
		  void (*tell)(void *arg, const char *text), void *arg,
		  struct fl_error *err)
{
	struct fl_limit *limit = fl_zalloc(sizeof(*limit));
	struct fl_error why = { .code = FL_OK };
	char hash[13];

	*out = limit;
	limit->file.fd = -1;
	limit->limits = *limits;
	limit->tell = tell;
	limit->arg = arg;
	if (limits->per_second) {
		limit->interval_ns = FL_SECOND / limits->per_second;
		if (!limits->burst)
			limit->interval_ns += limit->interval_ns / 10;
	}
	if (limits->day_zone &&
	    fl_zone_open(limits->day_zone, &limit->zone, err) < 0)
		return -1;
	hash_key(provider, key, hash);
	name_state(limits, provider, hash, &limit->state);
	if (!is_limited(limits))
		return 0;
	limit->file.path = file_of(provider, hash, &why);
	if (limit->file.path && load(limit, &why) == 0) {
		fl_limit_unlock(&limit->file);
		return 0;
	}
	if (limits->per_day || why.code == FL_ERR_AGAIN) {
		*err = why;
		return fl_error_wrap(err,
				     "cannot count what is asked of %s, which "
				     "takes %u requests a day",
				     provider, limits->per_day);
	}
	fl_log("what is asked of %s is counted in this process alone: %s",
	       provider, why.text);
	free(limit->file.path);
	limit->file.path = NULL;
	return 0;
}

int fl_limit_take(struct fl_limit *limit, enum fl_granted *granted,
		  int64_t *wait_ns, struct fl_error *err)
{
	int64_t mono;
	int result = 0;

	*granted = FL_LIMIT_ASK;
	*wait_ns = 0;
	if (!is_limited(&limit->limits))
		return 0;
	if (load(limit, err) < 0)
		return -1;
	mono = fl_monotonic_ns();
	advance(limit, mono);
	judge(limit, mono, granted, wait_ns);
	if (*granted == FL_LIMIT_ASK) {
		spend(limit, mono, 1);
		result = store(limit, err);
	}
	fl_limit_unlock(&limit->file);
	return result;
}

int fl_limit_settle(struct fl_limit *limit, unsigned more, struct fl_error *err)
{
	bool strict = limit->limits.per_second && !limit->limits.burst;
	int64_t mono;
	int result;

	if (!is_limited(&limit->limits) || (!strict && !more))
		return 0;
	if (load(limit, err) < 0)
		return -1;
	mono = fl_monotonic_ns();
	advance(limit, mono);
	if (more)
		spend(limit, mono, more);
	if (strict && limit->state.next_ns < mono + limit->interval_ns)
		limit->state.next_ns = mono + limit->interval_ns;
	result = store(limit, err);
	fl_limit_unlock(&limit->file);
	return result;
}

int fl_limit_exhaust(struct fl_limit *limit, struct fl_error *err)
{
	uint32_t *used;
	int result;

	if (!limit->limits.per_day)
		return 0;
	if (load(limit, err) < 0)
		return -1;
	used = used_on(limit, day_of(limit, fl_now_ns()));
	if (*used < limit->limits.per_day)
		*used = limit->limits.per_day;
	result = store(limit, err);
	fl_limit_unlock(&limit->file);
	return result;
}

void fl_limit_words(const struct fl_limit *limit, char *text, size_t size)
{
	int64_t day = day_of(limit, fl_now_ns());
	char end[FL_TIME_TEXT];

	fl_time_print(day_end(limit, day), end);
	snprintf(text, size,
		 "%s: %u of %u requests used today; again after %.16sZ",
		 limit->state.provider, look_used(&limit->state, day),
		 limit->limits.per_day, end);
}

void fl_limit_close(struct fl_limit **limit)
{
	struct fl_limit *old = *limit;

	*limit = NULL;
	if (!old)
		return;
	fl_limit_file_close(&old->file);
	free(old->file.path);
	free(old);
}

/* --- looking --- */

static int put_left(struct fl_limit *limit, struct fl_limit_left *left,
		    struct fl_error *err)
{
	const struct fl_limit_state *s = &limit->state;
	int64_t day;

	if (*s->zone && strcmp(s->zone, "UTC") != 0 &&
	    fl_zone_open(s->zone, &limit->zone, err) < 0)
		return -1;
	limit->limits = (struct fl_limits){ s->per_second, s->per_minute,
					    s->per_day, s->burst, NULL };
	advance(limit, fl_monotonic_ns());
	*left = (struct fl_limit_left){ .limits = limit->limits };
	snprintf(left->provider, sizeof(left->provider), "%s", s->provider);
	snprintf(left->key, sizeof(left->key), "%s", s->key);
	snprintf(left->zone, sizeof(left->zone), "%s", s->zone);
	left->limits.day_zone = NULL;
	left->minute_used = minute_used(s);
	day = day_of(limit, fl_now_ns());
	left->day_used = look_used(s, day);
	left->day_end_ns = day_end(limit, day);
	return 0;
}

int fl_limit_look(const char *provider, const char *key,
		  const struct fl_limits *limits, struct fl_limit_left *left,
		  struct fl_error *err)
{
	struct fl_limit limit = { .file.fd = -1 };
	char hash[13];
	int result = -1;

	hash_key(provider, key, hash);
	limit.file.path = file_of(provider, hash, err);
	if (limit.file.path &&
	    fl_limit_lock(&limit.file, false, &limit.state, err) >= 0) {
		name_state(limits, provider, hash, &limit.state);
		result = put_left(&limit, left, err);
	}
	fl_limit_file_close(&limit.file);
	free(limit.file.path);
	return result;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of our files in the folder, in order. */
static size_t list_files(const char *folder, char ***names)
{
	DIR *dir = opendir(folder);
	size_t count = 0;
	const struct dirent *entry;

	*names = NULL;
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) != 0 ||
		    strchr(entry->d_name, '.'))
			continue;
		*names = fl_realloc(*names, count + 1, sizeof(**names));
		(*names)[count++] = fl_strdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (count)
		qsort(*names, count, sizeof(**names), by_name);
	return count;
}

int fl_limit_each(int (*each)(void *arg, const struct fl_limit_left *left,
			      struct fl_error *err),
		  void *arg, struct fl_error *err)
{
	char *folder = fl_state_path("", err), **names;
	size_t count;
	int result = 0;

	if (!folder)
		return -1;
	count = list_files(folder, &names);
	for (size_t i = 0; i < count; i++) {
		struct fl_limit limit = { .file.fd = -1 };
		struct fl_limit_left left;
		int got = 0;

		if (result == 0) {
			limit.file.path = fl_sprintf("%s%s", folder, names[i]);
			got = fl_limit_lock(&limit.file, false, &limit.state,
					    err);
		}
		if (got < 0)
			result = -1;
		else if (got == 1)
			result = put_left(&limit, &left, err) < 0
					 ? -1
					 : each(arg, &left, err);
		fl_limit_file_close(&limit.file);
		free(limit.file.path);
		free(names[i]);
	}
	free(names);
	free(folder);
	return result;
}
