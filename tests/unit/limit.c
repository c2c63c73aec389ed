/* Limits: how they are written, what many processes get together, the turn of a
 * day, and files that were damaged. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "folder.h"
#include "net/limit-file.h"
#include "net/limit.h"
#include "tap.h"

static char folder[] = "/tmp/fl-limit-XXXXXX";
static unsigned told;

static void tell(void *arg, const char *text)
{
	(void)arg;
	note("told: %s", text);
	told++;
}

static void empty_folder(void)
{
	folder_remove(folder);
	if (mkdir(folder, 0700) < 0)
		note("cannot make %s anew", folder);
}

/* --- text --- */

static void test_text(void)
{
	static const struct {
		const char *text, *provider;
		unsigned second, minute, day, burst;
	} good[] = {
		{ "", "yahoo", 1, 0, 0, 5 },
		{ "2/s", "yahoo", 2, 0, 0, 0 },
		{ "none", "yahoo", 0, 0, 0, 0 },
		{ "75/m", "alphavantage", 0, 75, 0, 0 },
		{ "1/s,25/d", "alphavantage", 1, 0, 25, 0 },
		{ "3/s+7", "yahoo", 3, 0, 0, 7 },
		{ "alphavantage:75/m", "yahoo", 1, 0, 0, 5 },
		{ "10/s,yahoo:2/s,yahoo:9/d", "yahoo", 2, 0, 9, 0 },
		{ "10/s,yahoo:2/s", "alphavantage", 10, 0, 0, 0 },
	};
	static const char *const bad[] = { "x",         "1",     "1/",
					   "1/h",       "-1/s",  "1/s+",
					   "1/ss",      "1/d+2", "yahoo",
					   "a:b/s",     "1/s,,", "none/s",
					   "99999999/d" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct fl_limits limits = { .per_second = 1, .burst = 5 };
		struct fl_error err = { .code = FL_OK };

		ok(fl_limits_read(good[i].text, good[i].provider, &limits,
				  &err) == 0 &&
			   limits.per_second == good[i].second &&
			   limits.per_minute == good[i].minute &&
			   limits.per_day == good[i].day &&
			   limits.burst == good[i].burst,
		   "'%s' for %s", good[i].text, good[i].provider);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct fl_limits limits = { 0 };
		struct fl_error err = { .code = FL_OK };

		ok(fl_limits_read(bad[i], "yahoo", &limits, &err) < 0 &&
			   err.code == FL_ERR_USAGE && strstr(err.text, "75/m"),
		   "'%s' is refused", bad[i]);
	}
}

/* --- granting --- */

static struct fl_limit *open_limit(const struct fl_limits *limits,
				   const char *key)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_limit *limit;

	if (fl_limit_open(&limit, "test", key, limits, tell, NULL, &err) < 0)
		note("%s", err.text);
	return limit;
}

static enum fl_granted take(struct fl_limit *limit, int64_t *wait_ns)
{
	struct fl_error err = { .code = FL_OK };
	enum fl_granted granted = FL_LIMIT_SPENT;

	if (fl_limit_take(limit, &granted, wait_ns, &err) < 0)
		note("%s", err.text);
	return granted;
}

/* How many of `tries` are granted at once. */
static unsigned grab(const struct fl_limits *limits, const char *key,
		     unsigned tries)
{
	struct fl_limit *limit = open_limit(limits, key);
	unsigned got = 0;
	int64_t wait;

	while (tries--)
		got += take(limit, &wait) == FL_LIMIT_ASK;
	fl_limit_close(&limit);
	return got;
}

static void test_units(void)
{
	const struct fl_limits burst = { .per_second = 1, .burst = 5 };
	const struct fl_limits strict = { .per_second = 1 };
	const struct fl_limits minute = { .per_minute = 7 };
	const struct fl_limits day = { .per_day = 25 };
	struct fl_limit *limit;
	int64_t wait = 0;

	is_int(grab(&burst, NULL, 20), 6, "a burst and one");
	is_int(grab(&burst, NULL, 20), 0, "the next process finds it used");
	is_int(grab(&burst, "other", 20), 6, "another key counts for itself");
	empty_folder();
	is_int(grab(&strict, NULL, 20), 1, "a provider's second is kept");
	limit = open_limit(&strict, NULL);
	ok(take(limit, &wait) == FL_LIMIT_WAIT && wait > 0 &&
		   wait <= FL_SECOND + FL_SECOND / 10,
	   "and says how long to wait");
	fl_limit_close(&limit);
	empty_folder();
	is_int(grab(&minute, NULL, 20), 7, "seven a minute");
	limit = open_limit(&minute, NULL);
	ok(take(limit, &wait) == FL_LIMIT_WAIT && wait > 59 * FL_SECOND &&
		   wait <= 65 * FL_SECOND,
	   "the next after a minute: %lld ms", (long long)wait / 1000000);
	fl_limit_close(&limit);
	empty_folder();
	is_int(grab(&day, "k", 20), 20, "twenty of a day's 25");
	is_int(grab(&day, "k", 20), 5, "and the other five");
	limit = open_limit(&day, "k");
	ok(take(limit, &wait) == FL_LIMIT_SPENT && wait > 0 && wait <= FL_DAY,
	   "then the day is spent");
	fl_limit_close(&limit);
	empty_folder();
	is_int(grab(&(struct fl_limits){ 0 }, NULL, 99), 99, "no limit");
	ok(access(folder, R_OK) == 0 && rmdir(folder) == 0 &&
		   mkdir(folder, 0700) == 0,
	   "and no file for it");
}

static void test_settle(void)
{
	const struct fl_limits strict = { .per_second = 1, .per_day = 9 };
	struct fl_limit *limit = open_limit(&strict, NULL);
	struct fl_error err = { .code = FL_OK };
	struct fl_limit_left left;
	int64_t first = 0, wait = 0;

	is_int(take(limit, &wait), FL_LIMIT_ASK, "one is asked");
	usleep(200000);
	take(limit, &first);
	is_int(fl_limit_settle(limit, 2, &err), 0, "its answer came");
	take(limit, &wait);
	ok(wait > first + 100000000, "the distance counts from the answer");
	is_int(fl_limit_look("test", NULL, &strict, &left, &err), 0, "looking");
	is_int(left.day_used, 3, "redirects were counted");
	is_int(fl_limit_exhaust(limit, &err), 0, "the provider says: enough");
	is_int(take(limit, &wait), FL_LIMIT_SPENT, "then it is");
	fl_limit_close(&limit);
	empty_folder();
}

/* Ten processes take what they can. */
static void test_processes(void)
{
	const struct fl_limits day = { .per_day = 25 };
	int fds[2];
	char byte;
	unsigned got = 0;

	if (pipe(fds) < 0)
		return;
	for (int i = 0; i < 10; i++) {
		if (fork() != 0)
			continue;
		for (unsigned n = grab(&day, "key", 20); n; n--)
			(void)!write(fds[1], "x", 1);
		_exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &byte, 1) == 1)
		got++;
	close(fds[0]);
	while (wait(NULL) > 0)
		;
	is_int(got, 25, "ten processes get 25 together");
	empty_folder();
}

/* A process that is killed at any time leaves a file that counts. */
static void test_kill(void)
{
	const struct fl_limits day = { .per_day = 1000000 };
	struct fl_limit_left left = { .day_used = 0 };
	struct fl_error err = { .code = FL_OK };
	unsigned last = 0, lost = 0;

	told = 0;
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			grab(&day, NULL, 100000);
			_exit(0);
		}
		usleep(3000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (fl_limit_look("test", NULL, &day, &left, &err) < 0)
			note("%s", err.text);
		lost += left.day_used < last;
		last = left.day_used;
	}
	ok(last > 0 && !lost, "twenty kills lose nothing of %u", last);
	is_int(told, 0, "and damage nothing");
	empty_folder();
}

/* --- files --- */

static void write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		note("cannot write %s", path);
	close(fd);
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, bytes, size);

	close(fd);
	return got > 0 ? (size_t)got : 0;
}

static void test_damage(void)
{
	const struct fl_limits day = { .per_day = 25 };
	char path[100], other[120], bytes[2000], cut[2000];
	struct fl_limit_state state;
	unsigned wrong = 0, bad = 0;
	size_t len;

	snprintf(path, sizeof(path), "%s/quota-test", folder);
	snprintf(other, sizeof(other), "%s.damaged", path);
	grab(&day, NULL, 9);
	len = read_file(path, bytes, sizeof(bytes));
	is_int(len, 1024, "two lines");
	ok(fl_limit_parse(bytes, len, &state) && state.days[0].used == 9,
	   "the later one holds");
	/* Whatever one byte becomes, one line still counts: at most one
	 * request is forgotten. */
	for (size_t i = 0; i < len; i++) {
		memcpy(cut, bytes, len);
		cut[i] ^= 1;
		if (!fl_limit_parse(cut, len, &state) || state.days[0].used < 8)
			wrong++;
		if (fl_limit_parse(bytes, i, &state) != (i >= FL_LIMIT_LINE))
			bad++;
	}
	is_int(wrong, 0, "a torn line leaves the other one");
	is_int(bad, 0, "half a file is half the lines");
	told = 0;
	write_file(path, "no quota\n", 9);
	is_int(grab(&day, NULL, 40), 25, "a damaged file begins anew");
	is_int(told, 1, "and one is told");
	is_int(read_file(other, cut, sizeof(cut)), 9, "it was set aside");
	empty_folder();
}

int main(void)
{
	if (!mkdtemp(folder))
		skip_all("no folder");
	setenv("FL_STATE_DIR", folder, 1);
	test_text();
	test_units();
	test_settle();
	test_processes();
	test_kill();
	test_damage();
	rmdir(folder);
	return done_testing();
}
