/* marks: making marks, and asking a store where a pipeline stands; see marks.h.
 *
 * A mark is written right after a record, never between what a source refused
 * and the next record: a refused row travels in the stream too, and belongs to
 * the mark that follows the record after it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"

#define LOOK_EVERY 64          /* records between two looks at the clock */
#define TALK_MAX   (64u << 20) /* bytes of positions one may answer with */

struct fl_resume_asked fl_resume_asked = {
	.every = 10000,
	.every_ns = FL_SECOND,
	.warm_up_ns = 10 * FL_MINUTE + 10 * FL_SECOND,
};

static int take_every(void *target, const char *value, struct fl_error *err)
{
	struct fl_resume_asked *asked = target;

	if (fl_count_or_time_parse(value, "--marks", "10000,1s", &asked->every,
				   &asked->every_ns, err) < 0)
		return -1;
	if (asked->every_ns <= 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--marks takes a time above 0s");
	return 0;
}

const struct fl_option fl_options_resume[] = {
	FL_OPT_TEXT(0, "resume", "PLACE", &fl_resume_asked.place,
		    "go on where the store says that --pipeline stands, and "
		    "write marks"),
	FL_OPT_TEXT(0, "pipeline", "NAME", &fl_resume_asked.pipeline,
		    "the name under which the store keeps positions"),
	FL_OPT_CALL(0, "marks", "N,DUR", take_every, &fl_resume_asked,
		    "a mark after N records or DUR, whatever is first "
		    "[10000,1s]"),
	FL_OPT_DURATION(0, "warm-up", "DUR", &fl_resume_asked.warm_up_ns,
			"how much to give again before a position, so that "
			"repeats are found across it [10m10s]"),
	FL_OPT_END,
};

struct origin {
	const char *name;
	char *from; /* NULL: the store held nothing */
	uint64_t pos;
	bool moved;
	int64_t wm, rt;
};

struct fl_marks {
	struct fl_io *io;
	struct fl_writer *out;
	const struct fl_mark *held;
	uint64_t every;
	int64_t every_ns;

	struct origin *origins;
	size_t count, cap;
	struct origin *now; /* the one that the last item was of */
	uint64_t pending;   /* items since the last mark */
	uint64_t looked;    /* items since the last look at the clock */
	int64_t marked_ns;
	bool warm;
	struct fl_mark mark;
	struct fl_buf line;
};

static int write_mark(struct fl_marks *marks, struct fl_error *err)
{
	fl_buf_reset(&marks->line);
	fl_mark_print(&marks->mark, &marks->line);
	if (fl_writer_control(marks->out, marks->line.data, marks->line.len,
			      err) < 0)
		return -1;
	return fl_writer_flush(marks->out, err);
}

/* Mark how far each origin has come that has moved. */
static int mark_batch(struct fl_marks *marks, struct fl_error *err)
{
	bool any = false;

	fl_mark_reset(&marks->mark);
	for (size_t i = 0; i < marks->count; i++) {
		struct origin *at = &marks->origins[i];
		char to[24];

		if (!at->moved)
			continue;
		snprintf(to, sizeof(to), "%llu", (unsigned long long)at->pos);
		fl_mark_set(&marks->mark, at->name, at->from, to, at->wm,
			    at->rt);
		free(at->from);
		at->from = fl_strdup(to);
		at->moved = false;
		any = true;
	}
	marks->pending = 0;
	marks->looked = 0;
	marks->marked_ns = fl_monotonic_ns();
	return any ? write_mark(marks, err) : 0;
}

int fl_marks_open(struct fl_marks **out_marks, struct fl_io *io,
		  struct fl_writer *out, const struct fl_mark *held,
		  uint64_t every, int64_t every_ns, struct fl_error *err)
{
	struct fl_marks *marks = fl_zalloc(sizeof(*marks));
	const char *via[] = { io->via };

	*out_marks = marks;
	marks->io = io;
	marks->out = out;
	marks->held = held;
	marks->every = every;
	marks->every_ns = every_ns;
	marks->marked_ns = fl_monotonic_ns();
	marks->mark = (struct fl_mark)FL_MARK_INIT;
	marks->mark.pipeline = held->pipeline;
	marks->mark.open = true;
	marks->mark.via = via;
	marks->mark.via_count = io->via ? 1 : 0;
	io->marked = true;
	if (write_mark(marks, err) < 0)
		return -1;
	marks->mark.open = false;
	marks->mark.via = NULL;
	marks->mark.via_count = 0;
	return 0;
}

int fl_marks_before(struct fl_marks *marks, const struct fl_item *item,
		    struct fl_error *err)
{
	int result;

	if (item->warm == marks->warm)
		return 0;
	/* What came before stands on its own. */
	if (mark_batch(marks, err) < 0)
		return -1;
	fl_mark_reset(&marks->mark);
	marks->mark.live = item->warm ? 0 : 1;
	result = write_mark(marks, err);
	marks->mark.live = -1;
	marks->warm = item->warm;
	return result;
}

/* The origin of an item; one that is new starts where the store held it. */
static struct origin *origin_of(struct fl_marks *marks, const char *name)
{
	struct origin *at;

	if (marks->now && marks->now->name == name)
		return marks->now;
	for (size_t i = 0; i < marks->count; i++)
		if (strcmp(marks->origins[i].name, name) == 0)
			return marks->now = &marks->origins[i];
	if (marks->count == marks->cap) {
		marks->cap = marks->cap ? 2 * marks->cap : 4;
		marks->origins = fl_realloc(marks->origins, marks->cap,
					    sizeof(*marks->origins));
	}
	at = &marks->origins[marks->count++];
	*at = (struct origin){ .name = name,
			       .wm = FL_TIME_NONE,
			       .rt = FL_TIME_NONE };
	for (size_t i = 0; i < marks->held->count; i++)
		if (strcmp(marks->held->at[i].origin, name) == 0) {
			at->from = fl_strdup(marks->held->at[i].to);
			at->wm = marks->held->at[i].wm;
			at->rt = marks->held->at[i].rt;
		}
	return marks->now = at;
}

int fl_marks_after(struct fl_marks *marks, const struct fl_item *item,
		   struct fl_error *err)
{
	struct origin *at;

	if (!item->origin)
		return 0;
	at = origin_of(marks, item->origin);
	if (item->bytes || item->whole) {
		if (at->wm == FL_TIME_NONE || item->ts_ns > at->wm)
			at->wm = item->ts_ns;
		if (!item->warm)
			at->rt = item->ts_ns;
	}
	if (item->warm)
		return 0;
	at->pos = item->pos;
	at->moved = true;
	if (++marks->pending >= marks->every || item->whole)
		return mark_batch(marks, err);
	if (++marks->looked < LOOK_EVERY)
		return 0;
	marks->looked = 0;
	return fl_marks_idle(marks, err);
}

int fl_marks_idle(struct fl_marks *marks, struct fl_error *err)
{
	if (!marks->pending ||
	    fl_monotonic_ns() - marks->marked_ns < marks->every_ns)
		return 0;
	return mark_batch(marks, err);
}

int fl_marks_now(struct fl_marks *marks, struct fl_error *err)
{
	return mark_batch(marks, err);
}

void fl_marks_forget(struct fl_marks *marks, const char *origin)
{
	marks->now = NULL;
	for (size_t i = 0; i < marks->count; i++) {
		if (strcmp(marks->origins[i].name, origin) != 0)
			continue;
		free(marks->origins[i].from);
		marks->origins[i] = marks->origins[--marks->count];
		return;
	}
}

void fl_marks_held(struct fl_marks *marks, const struct fl_mark *held)
{
	marks->held = held;
	marks->mark.pipeline = held->pipeline;
}

int fl_marks_end(struct fl_marks *marks, struct fl_error *err)
{
	int result;

	if (marks->warm) {
		struct fl_item live = { .warm = false };

		if (fl_marks_before(marks, &live, err) < 0)
			return -1;
	}
	if (mark_batch(marks, err) < 0)
		return -1;
	fl_mark_reset(&marks->mark);
	marks->mark.end = true;
	result = write_mark(marks, err);
	marks->mark.end = false;
	return result;
}

void fl_marks_close(struct fl_marks **marks)
{
	struct fl_marks *old = *marks;

	*marks = NULL;
	if (!old)
		return;
	for (size_t i = 0; i < old->count; i++)
		free(old->origins[i].from);
	free(old->origins);
	fl_mark_release(&old->mark);
	fl_buf_release(&old->line);
	free(old);
}

/* --- the child --------------------------------------------------------------
 */

/* The path of a command of ours, in the folder of the running one. */
static char *beside_us(const char *name)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len < 0)
		return NULL;
	path[len] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = 0;
	slash = fl_sprintf("%s/%s", path, name);
	if (access(slash, X_OK) == 0)
		return slash;
	free(slash);
	return NULL;
}

/* Run argv with the pipe's end as output and `talk_fd` as stderr. The account
 * of a look-up would only be noise in --runs. */
static int start(pid_t *pid, char *const *argv, int out_fd, int talk_fd,
		 struct fl_error *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults, none;
	char *path = beside_us(argv[0]);
	char **env = fl_realloc(NULL, 1, sizeof(*env));
	size_t kept = 0;
	int code;

	for (char **at = environ; *at; at++) {
		if (strncmp(*at, "FL_RUNS=", 8) == 0)
			continue;
		env = fl_realloc(env, kept + 2, sizeof(*env));
		env[kept++] = *at;
	}
	env[kept] = NULL;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, talk_fd, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	code = path ? posix_spawn(pid, path, &files, &attr, argv, env)
		    : posix_spawnp(pid, argv[0], &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(path);
	free(env);
	if (code)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot run '%s' to ask for positions: %s",
				    argv[0], strerror(code));
	return 0;
}

static int read_all(int fd, struct fl_buf *out, struct fl_error *err)
{
	for (;;) {
		ssize_t got;

		if (!fl_buf_reserve(out, 16384))
			return fl_error_set(err, FL_ERR_DATA,
					    "more than %u MiB of positions",
					    TALK_MAX >> 20);
		got = read(fd, out->data + out->len, 16384);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fl_error_set(err, FL_ERR_IO,
					    "cannot read positions: %s",
					    strerror(errno));
		if (got == 0)
			return 0;
		out->len += (size_t)got;
		out->data[out->len] = 0;
	}
}

/* What the child complained of: its last line, without its name. */
static void complaint(int fd, const char *name, char *text, size_t size)
{
	struct fl_buf talk = { .max = 65536 };
	struct fl_error unread = { .code = FL_OK };
	char *line, *end, *colon;

	text[0] = 0;
	if (lseek(fd, 0, SEEK_SET) < 0 || read_all(fd, &talk, &unread) < 0 ||
	    !talk.len) {
		fl_buf_release(&talk);
		return;
	}
	/* The message comes before the account, which begins with a number. */
	for (line = strtok_r(talk.data, "\n", &end); line;
	     line = strtok_r(NULL, "\n", &end)) {
		size_t len = strlen(name);

		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			colon = line + len + 1;
			snprintf(text, size, "%s", colon + strspn(colon, " "));
			break;
		}
	}
	fl_buf_release(&talk);
}

/* The child's end as our error: 0 when it ended well. */
static int ended(pid_t pid, const char *name, int talk_fd, struct fl_error *err)
{
	char text[800];
	int status;
	enum fl_code code = FL_ERR_AGAIN;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fl_error_set(err, FL_ERR_AGAIN, "lost '%s': %s",
					    name, strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	complaint(talk_fd, name, text, sizeof(text));
	if (WIFEXITED(status) && WEXITSTATUS(status) >= FL_ERR_USAGE &&
	    WEXITSTATUS(status) <= FL_ERR_DATA)
		code = (enum fl_code)WEXITSTATUS(status);
	if (text[0])
		return fl_error_set(err, code, "%s", text);
	if (WIFSIGNALED(status))
		return fl_error_set(err, code, "'%s' was ended by signal %d",
				    name, WTERMSIG(status));
	return fl_error_set(err, code, "'%s' ended with status %d", name,
			    WEXITSTATUS(status));
}

static int parse_positions(struct fl_mark *held, const struct fl_buf *lines,
			   const char *pipeline, struct fl_error *err)
{
	const char *at = fl_buf_text(lines), *end = at + lines->len;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((lf ? lf : end) - at);

		fl_mark_release(held);
		*held = (struct fl_mark)FL_MARK_INIT;
		if (fl_mark_parse(held, at, len, err) < 0)
			return -1;
		if (strcmp(held->pipeline, pipeline) == 0)
			return 0;
		at += len + 1;
	}
	fl_mark_release(held);
	*held = (struct fl_mark)FL_MARK_INIT;
	held->pipeline = pipeline;
	return 0;
}

int fl_marks_ask(struct fl_mark *held, const char *place, const char *pipeline,
		 struct fl_error *err)
{
	static char load[] = "fl-load", produce[] = "fl-produce",
		    quiet[] = "-q", positions[] = "--positions",
		    option[] = "--pipeline";
	char *name = strncmp(place, "kafka://", 8) == 0 ? produce : load;
	char *argv[] = { name,      quiet,
			 positions, (char *)(uintptr_t)place,
			 option,    (char *)(uintptr_t)pipeline,
			 NULL };
	struct fl_buf lines = { .max = TALK_MAX };
	int fds[2] = { -1, -1 }, talk_fd, result = -1;
	pid_t pid = -1;

	*held = (struct fl_mark)FL_MARK_INIT;
	talk_fd = memfd_create("messages", MFD_CLOEXEC);
	if (talk_fd < 0 || pipe2(fds, O_CLOEXEC) < 0) {
		fl_error_set(err, FL_ERR_AGAIN, "cannot make a pipe: %s",
			     strerror(errno));
		goto done;
	}
	if (start(&pid, argv, fds[1], talk_fd, err) < 0)
		goto done;
	close(fds[1]);
	fds[1] = -1;
	result = read_all(fds[0], &lines, err);
	if (ended(pid, name, talk_fd, err) < 0)
		result = -1;
	if (result == 0)
		result = parse_positions(held, &lines, pipeline, err);
done:
	if (result < 0)
		fl_error_wrap(err, "cannot resume '%s' from '%s'",
			      fl_show(pipeline, strlen(pipeline), 100),
			      fl_show(place, strlen(place), 200));
	fl_buf_release(&lines);
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	if (talk_fd >= 0)
		close(talk_fd);
	return result;
}
