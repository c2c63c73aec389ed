/* limit-file: see limit-file.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/limit-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"

#define HEAD       "financelake-quota 1"
#define LOCK_TRIES 5000 /* of 2 ms */

void fl_limit_print(const struct fl_limit_state *s, char line[FL_LIMIT_LINE])
{
	char text[FL_LIMIT_LINE];
	size_t len;

#define ADD(...)                                                               \
	(len += (size_t)snprintf(text + len, sizeof(text) - len, __VA_ARGS__))
	len = (size_t)snprintf(text, sizeof(text),
			       HEAD " %" PRIu64 " %016" PRIx64 " %" PRId64
				    " %" PRId64,
			       s->number, s->boot, s->next_ns, s->slice);
	for (int i = 0; i < FL_LIMIT_SLICES; i++)
		ADD(" %" PRIu32, s->slices[i]);
	for (int i = 0; i < FL_LIMIT_DAYS; i++)
		ADD(" %" PRId64 " %" PRIu32, s->days[i].day, s->days[i].used);
	ADD(" %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %s %s %s",
	    s->per_second, s->per_minute, s->per_day, s->burst,
	    *s->zone ? s->zone : "-", s->provider, *s->key ? s->key : "-");
	ADD(" %016" PRIx64, fl_hash64(text, len));
#undef ADD
	if (len >= FL_LIMIT_LINE)
		FL_BUG("a line of a quota is too long");
	memset(line, ' ', FL_LIMIT_LINE);
	memcpy(line, text, len);
	line[FL_LIMIT_LINE - 1] = '\n';
}

/* --- reading --- */

static bool take_i64(char **rest, int64_t *value)
{
	const char *word = strsep(rest, " ");
	char *end;

	if (!word || !*word)
		return false;
	errno = 0;
	*value = strtoll(word, &end, 10);
	return !*end && !errno;
}

static bool take_u32(char **rest, uint32_t *value)
{
	int64_t wide;

	if (!take_i64(rest, &wide) || wide < 0 || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}

static bool take_word(char **rest, char *text, size_t size)
{
	const char *word = strsep(rest, " ");

	if (!word || !*word || strlen(word) >= size)
		return false;
	snprintf(text, size, "%s", strcmp(word, "-") == 0 ? "" : word);
	return true;
}

/* What lies between head and checksum. */
static bool take_all(char *text, struct fl_limit_state *s)
{
	char *rest = text, *end;
	const char *word;
	int64_t number;
	bool good = take_i64(&rest, &number) && number >= 0;

	s->number = good ? (uint64_t)number : 0;
	word = strsep(&rest, " ");
	if (!good || !word || strlen(word) != 16)
		return false;
	s->boot = strtoull(word, &end, 16);
	good = !*end && take_i64(&rest, &s->next_ns) &&
	       take_i64(&rest, &s->slice);
	for (int i = 0; good && i < FL_LIMIT_SLICES; i++)
		good = take_u32(&rest, &s->slices[i]);
	for (int i = 0; good && i < FL_LIMIT_DAYS; i++)
		good = take_i64(&rest, &s->days[i].day) &&
		       take_u32(&rest, &s->days[i].used);
	return good && take_u32(&rest, &s->per_second) &&
	       take_u32(&rest, &s->per_minute) &&
	       take_u32(&rest, &s->per_day) && take_u32(&rest, &s->burst) &&
	       take_word(&rest, s->zone, sizeof(s->zone)) &&
	       take_word(&rest, s->provider, sizeof(s->provider)) &&
	       take_word(&rest, s->key, sizeof(s->key)) && !rest &&
	       *s->provider && s->next_ns >= 0 && s->slice >= 0 &&
	       s->slice < INT64_MAX / 2;
}

static bool parse_line(const char *line, struct fl_limit_state *state)
{
	static const size_t head = sizeof(HEAD) - 1;
	char text[FL_LIMIT_LINE], sum[17];
	size_t len = FL_LIMIT_LINE - 1;

	memcpy(text, line, len);
	while (len && text[len - 1] == ' ')
		len--;
	if (len < head + 1 + 17 || memcmp(text, HEAD " ", head + 1) != 0 ||
	    line[FL_LIMIT_LINE - 1] != '\n')
		return false;
	text[len] = '\0';
	len -= 17; /* a blank and the checksum */
	snprintf(sum, sizeof(sum), "%016" PRIx64, fl_hash64(text, len));
	if (strcmp(text + len + 1, sum) != 0 || text[len] != ' ' ||
	    strlen(text) != len + 17)
		return false;
	text[len] = '\0';
	*state = (struct fl_limit_state){ 0 };
	return take_all(text + head + 1, state);
}

bool fl_limit_parse(const char *bytes, size_t len, struct fl_limit_state *state)
{
	struct fl_limit_state one;
	bool any = false;

	for (size_t at = 0; at + FL_LIMIT_LINE <= len && at < 2 * FL_LIMIT_LINE;
	     at += FL_LIMIT_LINE) {
		if (!parse_line(bytes + at, &one) ||
		    (any && one.number <= state->number))
			continue;
		*state = one;
		any = true;
	}
	return any;
}

/* --- the file --- */

static int fail(const struct fl_limit_file *file, const char *what,
		struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_IO, "cannot %s '%s': %s", what,
			    fl_show(file->path, strlen(file->path), 300),
			    strerror(errno));
}

/* A folder for several users is one whose files they share. */
static void give_rights(const struct fl_limit_file *file)
{
	const char *slash = strrchr(file->path, '/');
	char *folder = fl_strndup(file->path, (size_t)(slash - file->path));
	struct stat st;

	if (stat(folder, &st) == 0)
		(void)!fchmod(file->fd, 0600 | (st.st_mode & 0066));
	free(folder);
}

/* returns 1, 0 there is none, -1 */
static int open_file(struct fl_limit_file *file, bool make,
		     struct fl_error *err)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;

	for (;;) {
		file->fd = open(file->path, flags);
		if (file->fd >= 0)
			return 1;
		if (errno == EACCES && !make) /* enough for looking */
			file->fd = open(file->path,
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (file->fd >= 0)
			return 1;
		if (errno != ENOENT)
			return fail(file, "open", err);
		if (!make)
			return 0;
		file->fd = open(file->path, flags | O_CREAT | O_EXCL, 0600);
		if (file->fd >= 0) {
			give_rights(file);
			return 1;
		}
		if (errno != EEXIST) /* else another one was quicker */
			return fail(file, "make", err);
	}
}

static int lock_file(const struct fl_limit_file *file, struct fl_error *err)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(file->fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(file, "lock", err);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	return fl_error_set(err, FL_ERR_AGAIN,
			    "cannot lock '%s': another process has held it for "
			    "10 s",
			    fl_show(file->path, strlen(file->path), 300));
}

/* Is the open file still the one that bears the name? */
static bool is_named(const struct fl_limit_file *file)
{
	struct stat open_one, named;

	return fstat(file->fd, &open_one) == 0 &&
	       stat(file->path, &named) == 0 &&
	       open_one.st_ino == named.st_ino &&
	       open_one.st_dev == named.st_dev;
}

static int set_aside(struct fl_limit_file *file, struct fl_error *err)
{
	char *other = fl_sprintf("%s.damaged", file->path);
	int result = rename(file->path, other) < 0
			     ? fail(file, "set aside", err)
			     : 2;

	free(other);
	fl_limit_file_close(file);
	return result;
}

/* What a lock shows: 1, 0, -1; 2 the file is damaged */
static int read_file(struct fl_limit_file *file, struct fl_limit_state *state,
		     struct fl_error *err)
{
	char bytes[2 * FL_LIMIT_LINE + 1];
	ssize_t got = pread(file->fd, bytes, sizeof(bytes), 0);

	if (got < 0)
		return fail(file, "read", err);
	if (got == 0)
		return 0;
	return got <= 2 * FL_LIMIT_LINE &&
			       fl_limit_parse(bytes, (size_t)got, state)
		       ? 1
		       : 2;
}

int fl_limit_lock(struct fl_limit_file *file, bool make,
		  struct fl_limit_state *state, struct fl_error *err)
{
	bool damaged = false;
	int got;

	for (;;) {
		if (file->fd < 0) {
			got = open_file(file, make, err);
			if (got <= 0)
				return got;
		}
		if (lock_file(file, err) < 0)
			return -1;
		if (!is_named(file)) {
			fl_limit_file_close(file);
			continue;
		}
		got = read_file(file, state, err);
		if (got != 2 || !make)
			break;
		damaged = true;
		if (set_aside(file, err) < 0)
			return -1;
	}
	return got == 0 && damaged ? 2 : got;
}

int fl_limit_write(struct fl_limit_file *file, struct fl_limit_state *state,
		   bool durable, struct fl_error *err)
{
	char line[FL_LIMIT_LINE];
	off_t at = (off_t)(++state->number % 2 * FL_LIMIT_LINE);
	ssize_t put;

	fl_limit_print(state, line);
	/* Both places at first, so that no place is a hole. */
	put = state->number == 1
		      ? pwrite(file->fd, line, sizeof(line), FL_LIMIT_LINE - at)
		      : (ssize_t)sizeof(line);
	if (put == sizeof(line))
		put = pwrite(file->fd, line, sizeof(line), at);
	if (put != sizeof(line)) {
		errno = put < 0 ? errno : ENOSPC;
		return fail(file, "write", err);
	}
	if (durable && fdatasync(file->fd) < 0)
		return fail(file, "write", err);
	return 0;
}

void fl_limit_unlock(struct fl_limit_file *file)
{
	if (file->fd >= 0)
		(void)flock(file->fd, LOCK_UN);
}

void fl_limit_file_close(struct fl_limit_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
