/* log: files that firewalls, web servers and systems write, as log records.
 *
 * Files are read one after another; with --follow all of them go on being read
 * as they grow, each at its turn.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "base/time.h"
#include "source/log/file.h"
#include "source/log/options.h"
#include "source/source.h"

#define FIND_NS FL_SECOND /* between two looks for new files */

enum {
	WAIT_NS = 100000000,
	TURN = 1000, /* items of one file before the next has its turn */
	YEAR_MIN = 1970,
};

static struct {
	const char *format;
	uint64_t year;
	struct fl_list prefixes;
	bool follow;
} option;

static const struct fl_option options[] = {
	FL_OPT_FLAG('f', "follow", &option.follow,
		    "go on as files grow, through rotation and truncation, and "
		    "take up files that come to match a pattern"),
	FL_LOGS_OPT_FORMAT(&option.format),
	FL_OPT_U64(0, "year", "Y", &option.year,
		   "of stamps without one (RFC 3164) [the latest that puts "
		   "them before the file's own time]"),
	FL_LOGS_OPT_PREFIX(&option.prefixes),
	FL_OPT_END,
};

struct log {
	const struct fl_ask *ask;
	struct fl_logs_job job;
	struct fl_logs_file **files; /* NULL where one failed or is done */
	char **paths;                /* paths[count], of files */
	struct fl_logs_inode *inodes;
	size_t count, at;
	size_t turn;  /* items of the one at `at` */
	size_t still; /* files in a row that gave nothing */
	bool told;    /* that there is nothing yet */
	int64_t found_ns;
	enum fl_code first_code; /* --keep-going: of a file that failed */
	size_t failed;
};

static bool stopped(const struct log *log)
{
	return log->ask->io->stop && *log->ask->io->stop;
}

/* --- files --- */

static bool knows(const struct log *log, const char *path,
		  const struct stat *st)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct fl_logs_file *file = log->files[i];

		if (strcmp(log->paths[i], path) == 0)
			return true;
		/* What is rotated away may match as well. */
		if (st && file && file->inode.regular &&
		    file->inode.dev == st->st_dev &&
		    file->inode.ino == st->st_ino)
			return true;
	}
	return false;
}

static void add(struct log *log, const char *path)
{
	log->paths =
		fl_realloc(log->paths, log->count + 1, sizeof(*log->paths));
	log->files =
		fl_realloc(log->files, log->count + 1, sizeof(*log->files));
	log->files[log->count] = NULL;
	log->paths[log->count++] = fl_strdup(path);
}

static int fail_file(struct log *log, struct fl_error *err)
{
	if (!log->ask->io->keep_going)
		return -1;
	if (!log->failed++)
		log->first_code = err->code;
	if (log->ask->pass_over)
		log->ask->pass_over(log->ask->pass_over_arg, err);
	fl_error_clear(err);
	return 0;
}

static int open_file(struct log *log, size_t i, struct fl_error *err)
{
	if (fl_logs_file_open(&log->files[i], &log->job, log->ask,
			      log->paths[i], option.follow, err) < 0)
		return fail_file(log, err);
	return 0;
}

/* Files of a pattern; `late`: those that are new. */
static int expand(struct log *log, const char *pattern, bool late,
		  struct fl_error *err)
{
	glob_t found;
	int result = glob(pattern, GLOB_ERR, NULL, &found);

	if (result == GLOB_NOMATCH)
		return late ? 0
			    : fl_error_set(
				      err, FL_ERR_IO, "no file matches '%s'",
				      fl_show(pattern, strlen(pattern), 200));
	if (result != 0)
		return late ? 0
			    : fl_error_set(
				      err, FL_ERR_IO,
				      "cannot search for '%s': %s",
				      fl_show(pattern, strlen(pattern), 200),
				      errno ? strerror(errno)
					    : "out of memory");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat st;
		bool there = stat(found.gl_pathv[i], &st) == 0;

		if (knows(log, found.gl_pathv[i], late && there ? &st : NULL) ||
		    (late && !there))
			continue;
		add(log, found.gl_pathv[i]);
		if (late && open_file(log, log->count - 1, err) < 0) {
			globfree(&found);
			return -1;
		}
	}
	globfree(&found);
	return 0;
}

static bool is_pattern(const char *operand)
{
	struct stat st;

	return strpbrk(operand, "*?[") && stat(operand, &st) < 0;
}

static int find_files(struct log *log, struct fl_error *err)
{
	for (char **at = log->ask->operands; *at; at++) {
		if (is_pattern(*at)) {
			if (expand(log, *at, false, err) < 0)
				return -1;
		} else if (!knows(log, *at, NULL)) {
			add(log, *at);
		}
	}
	return 0;
}

static int find_new(struct log *log, struct fl_error *err)
{
	int64_t now = fl_monotonic_ns();

	if (now - log->found_ns < FIND_NS)
		return 0;
	log->found_ns = now;
	for (char **at = log->ask->operands; *at; at++)
		if (is_pattern(*at) && expand(log, *at, true, err) < 0)
			return -1;
	return 0;
}

/* --- the source --- */

static int tell_failed(struct log *log, struct fl_error *err)
{
	size_t failed = log->failed;

	log->failed = 0;
	return !failed ? 0
		       : fl_error_set(err, log->first_code,
				      "%zu of %zu files could not be read",
				      failed, log->count);
}

/* All files have given what there is. */
static int wait(struct log *log, struct fl_error *err)
{
	struct timespec pause = { .tv_nsec = WAIT_NS };

	log->still = 0;
	if (!log->told) {
		log->told = true;
		return 2;
	}
	if (find_new(log, err) < 0)
		return -1;
	nanosleep(&pause, NULL);
	return 2;
}

static void next_file(struct log *log)
{
	log->turn = 0;
	if (++log->at >= log->count && option.follow)
		log->at = 0;
}

/* Told to stop: how far each file has come. 1 an item, 0 */
static int give_rest(struct log *log, struct fl_item *item)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->files[i] && fl_logs_file_stop(log->files[i], item))
			return 1;
	return 0;
}

/* 1 an item, 0 the end, -1, 2 nothing yet, 3 ask again. */
static int step(struct log *log, struct fl_item *item, struct fl_error *err)
{
	struct fl_logs_file **file;
	bool fatal;
	int got;

	if (stopped(log))
		return give_rest(log, item);
	if (log->at >= log->count)
		return option.follow ? wait(log, err) : 0;
	file = &log->files[log->at];
	if (!*file) {
		log->still++;
		next_file(log);
		return option.follow && log->still >= log->count
			       ? wait(log, err)
			       : 3;
	}
	got = fl_logs_file_next(*file, item, &fatal, err);
	if (got == 1 || got == 3) {
		log->still = 0;
		log->told = false;
		if (option.follow && got == 1 && ++log->turn >= TURN)
			next_file(log);
		return got;
	}
	if (got == 2)
		return got;
	if (got < 0) {
		if (fatal || fail_file(log, err) < 0)
			return -1;
		fl_logs_file_end(*file);
		return 3;
	}
	log->still++;
	next_file(log);
	return option.follow && log->still >= log->count ? wait(log, err) : 3;
}

static int log_next(void *state, struct fl_item *item, struct fl_error *err)
{
	struct log *log = state;
	int got;

	do {
		got = step(log, item, err);
	} while (got == 3);
	return got == 0 ? tell_failed(log, err) : got;
}

static void log_close(void *state)
{
	struct log *log = state;

	if (!log)
		return;
	for (size_t i = 0; i < log->count; i++) {
		fl_logs_file_close(&log->files[i]);
		free(log->paths[i]);
	}
	free(log->files);
	free(log->paths);
	free(log);
}

static int log_open(void **state, const struct fl_ask *ask,
		    struct fl_error *err)
{
	struct log *log;

	*state = NULL;
	if (!ask->operands || !*ask->operands)
		return fl_error_set(err, FL_ERR_USAGE,
				    "log: no file named: fl-fetch log FILE..., "
				    "or - for standard input");
	*state = log = fl_zalloc(sizeof(*log));
	log->ask = ask;
	log->job = (struct fl_logs_job){ .io = ask->io,
					 .prefixes = &option.prefixes };
	if (option.year &&
	    (option.year < YEAR_MIN || option.year > FL_YEAR_MAX))
		return fl_error_set(err, FL_ERR_USAGE,
				    "--year takes a year from 1970 to 2261");
	log->job.year = (int)option.year;
	if (fl_logs_format_find(option.format, &log->job.format, err) < 0 ||
	    fl_logs_prefixes_check(&option.prefixes, err) < 0 ||
	    find_files(log, err) < 0)
		return -1;
	for (size_t i = 0; i < log->count && !stopped(log); i++)
		if (open_file(log, i, err) < 0)
			return -1;
	return 0;
}

const struct fl_source fl_source_log = {
	.name = "log",
	.summary = "files of firewalls, web servers and systems: iptables, "
		   "Cisco, Palo Alto, CEF, syslog and others",
	.types = "log",
	.operands = "FILE...",
	.examples = "fl-fetch log /var/log/ufw.log\n"
		    "fl-fetch log '/var/log/nginx/access.log*' --from -7d\n"
		    "fl-fetch log --follow --resume lake.db --pipeline fw "
		    "/var/log/kern.log | fl-clean | fl-load --pipeline fw "
		    "lake.db\n"
		    "zcat old.gz | fl-fetch log - --year 2025 --tz "
		    "Europe/Berlin",
	.options = options,
	.resumes = true,
	.open = log_open,
	.next = log_next,
	.close = log_close,
};
