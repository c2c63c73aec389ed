/* each: see each.h.
 *
 * The batch is handed over in a file without a name: the command may read it
 * as slowly as it likes, or twice, or not at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/each.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/stream.h"

#define BACK_OFF_MAX (60 * FL_SECOND)
#define BATCH_MAX    ((size_t)32 << 20) /* bytes; it waits in memory */

struct span {
	char *topic;
	int32_t partition;
	int64_t first, last;
};

struct line {
	size_t at, len; /* with its newline */
	size_t span;    /* index */
};

struct fl_each {
	struct fl_buf text;
	struct line *lines;
	size_t count, cap;
	struct span *spans;
	size_t span_count;
	int64_t since_ns; /* monotonic, of the first record */
};

void fl_each_open(struct fl_each **each)
{
	*each = fl_zalloc(sizeof(**each));
}

static size_t span_of(struct fl_each *each, const char *topic,
		      int32_t partition, int64_t offset)
{
	struct span *span;

	for (size_t i = 0; i < each->span_count; i++) {
		span = &each->spans[i];
		if (span->partition == partition &&
		    strcmp(span->topic, topic) == 0) {
			span->last = offset;
			return i;
		}
	}
	each->spans = fl_realloc(each->spans, each->span_count + 1,
				 sizeof(*each->spans));
	span = &each->spans[each->span_count++];
	*span = (struct span){ fl_strdup(topic), partition, offset, offset };
	return each->span_count - 1;
}

void fl_each_add(struct fl_each *each, const char *topic, int32_t partition,
		 int64_t offset, const char *bytes, size_t len)
{
	if (!each->count)
		each->since_ns = fl_monotonic_ns();
	if (each->count == each->cap) {
		each->cap = each->cap ? 2 * each->cap : 1024;
		each->lines = fl_realloc(each->lines, each->cap,
					 sizeof(*each->lines));
	}
	each->lines[each->count++] =
		(struct line){ each->text.len, len + 1,
			       span_of(each, topic, partition, offset) };
	fl_buf_append(&each->text, bytes, len);
	fl_buf_putc(&each->text, '\n');
}

void fl_each_pass(struct fl_each *each, const char *topic, int32_t partition,
		  int64_t offset)
{
	if (!each->span_count)
		each->since_ns = fl_monotonic_ns();
	span_of(each, topic, partition, offset);
}

void fl_each_drop(struct fl_each *each, const char *topic, int32_t partition)
{
	size_t kept = 0, to = 0, gone = 0;

	while (gone < each->span_count &&
	       (each->spans[gone].partition != partition ||
		strcmp(each->spans[gone].topic, topic) != 0))
		gone++;
	if (gone == each->span_count)
		return;
	for (size_t i = 0; i < each->count; i++) {
		struct line line = each->lines[i];

		if (line.span == gone)
			continue;
		memmove(each->text.data + to, each->text.data + line.at,
			line.len);
		line.at = to;
		line.span -= line.span > gone;
		to += line.len;
		each->lines[kept++] = line;
	}
	each->count = kept;
	each->text.len = to;
	/* Nor are its bounds the batch's. */
	free(each->spans[gone].topic);
	each->span_count--;
	memmove(each->spans + gone, each->spans + gone + 1,
		(each->span_count - gone) * sizeof(*each->spans));
}

bool fl_each_due(const struct fl_each *each, const struct fl_each_size *size)
{
	if (!each->span_count)
		return false;
	return each->count >= size->count || each->text.len >= BATCH_MAX ||
	       (size->ns && fl_monotonic_ns() - each->since_ns >= size->ns);
}

static void empty(struct fl_each *each)
{
	fl_buf_reset(&each->text);
	each->count = 0;
	for (size_t i = 0; i < each->span_count; i++)
		free(each->spans[i].topic);
	each->span_count = 0;
}

/* Ours, with the batch's bounds. */
static char **make_environment(const struct fl_each *each)
{
	struct fl_buf offsets = FL_BUF_INIT;
	size_t count = 0;
	char **env;

	while (environ[count])
		count++;
	env = fl_realloc(NULL, count + 3, sizeof(*env));
	memcpy(env + 2, environ, (count + 1) * sizeof(*env));
	env[0] = fl_sprintf("FL_BATCH_RECORDS=%zu", each->count);
	fl_buf_puts(&offsets, "FL_BATCH_OFFSETS=");
	for (size_t i = 0; i < each->span_count; i++)
		fl_buf_printf(&offsets, "%s%s/%d:%lld-%lld", i ? " " : "",
			      each->spans[i].topic,
			      (int)each->spans[i].partition,
			      (long long)each->spans[i].first,
			      (long long)each->spans[i].last);
	env[1] = fl_buf_take(&offsets);
	return env;
}

static int start(const struct fl_each *each, const char *command, int input,
		 pid_t *pid, struct fl_error *err)
{
	static char shell[] = "sh", option[] = "-c";
	char *argv[] = { shell, option, (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults, none;
	char **env = make_environment(each);
	int code;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	code = posix_spawnp(pid, shell, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(env[0]);
	free(env[1]);
	free(env);
	return code ? fl_error_set(err, FL_ERR_AGAIN, "cannot run sh: %s",
				   strerror(code))
		    : 0;
}

/* One run; its status, or -1. */
static int run_once(struct fl_each *each, const char *command,
		    bool (*waits)(void *arg), void *arg, struct fl_error *err)
{
	const struct timespec nap = { 0, 5000000 };
	int input = memfd_create("batch", MFD_CLOEXEC), status = 0;
	pid_t pid, ended;

	if (input < 0)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "cannot make a file for a batch: %s",
				    strerror(errno));
	if (fl_write_all(input, each->text.data, each->text.len, "a batch",
			 err) < 0 ||
	    lseek(input, 0, SEEK_SET) < 0 ||
	    start(each, command, input, &pid, err) < 0) {
		close(input);
		return -1;
	}
	close(input);
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 ||
	       (ended < 0 && errno == EINTR)) {
		nanosleep(&nap, NULL);
		(void)waits(arg); /* the command is waited for all the same */
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* false: not to be waited for any more */
static bool pause_for(int64_t ns, bool (*waits)(void *arg), void *arg)
{
	const struct timespec nap = { 0, 50000000 };
	int64_t until = fl_monotonic_ns() + ns;

	while (fl_monotonic_ns() < until) {
		if (!waits(arg))
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}

int fl_each_run(struct fl_each *each, const char *command,
		bool (*waits)(void *arg), void *arg, struct fl_error *err)
{
	int64_t back_off = FL_SECOND;
	int status = 0;

	while (each->count) {
		status = run_once(each, command, waits, arg, err);
		if (status != 3)
			break;
		fl_log("'%s' ended with 3: again in %lld s", command,
		       (long long)(back_off / FL_SECOND));
		if (!pause_for(back_off, waits, arg))
			break;
		back_off = 2 * back_off < BACK_OFF_MAX ? 2 * back_off
						       : BACK_OFF_MAX;
	}
	if (status == 0 || status == 1)
		empty(each);
	return status;
}

void fl_each_close(struct fl_each **out)
{
	struct fl_each *each = *out;

	*out = NULL;
	if (!each)
		return;
	empty(each);
	fl_buf_release(&each->text);
	free(each->lines);
	free(each->spans);
	free(each);
}
