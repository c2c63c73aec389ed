/* tape: see tape.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/tape.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/json.h"
#include "io/stream.h"
#include "net/mask.h"

#define RUN      "run.json"
#define SUFFIX   ".http"
#define FILE_MAX ((size_t)64 << 20)
#define STARTED  "\"started\":\""

enum kind {
	RECORDS,
	PLAYS,
	CACHES,
};

struct fl_tape {
	enum kind kind;
	char *folder;
	int64_t max_age_ns;
	struct fl_map asked; /* name of a question: how often, as a pointer */
};

/* --- what a question is called --- */

/* "GET /path?query", masked; a cache tells hosts apart. */
static char *question_of(const struct fl_tape *tape, const char *method,
			 const char *url)
{
	struct fl_buf masked = FL_BUF_INIT;
	const char *path;
	char *question;

	fl_url_mask(url, &masked);
	path = tape->kind == CACHES ? NULL
				    : strstr(fl_buf_text(&masked), "://");
	path = path ? path + 3 + strcspn(path + 3, "/?#")
		    : fl_buf_text(&masked);
	question = fl_sprintf("%s %s", method, path);
	fl_buf_release(&masked);
	return question;
}

/* Something to recognise, and a hash: "ZZZT-0123456789abcdef". */
static char *name_of(const char *question)
{
	const struct fl_part part = { question, strlen(question) };
	size_t path = strcspn(question, "?"), from = path, len = 0;
	char word[33], id[33];

	while (from && question[from - 1] != '/')
		from--;
	for (; from < path && len < sizeof(word) - 1; from++) {
		unsigned char c = (unsigned char)question[from];

		word[len++] = (char)(isalnum(c) ? c : '_');
	}
	word[len] = '\0';
	fl_id128(&part, 1, id);
	return fl_sprintf("%s-%.16s", len ? word : "root", id);
}

static char *path_of(const struct fl_tape *tape, const char *name,
		     unsigned number)
{
	return fl_sprintf("%s/%s-%u" SUFFIX, tape->folder, name, number);
}

/* How often was it asked before? Counts this time. */
static unsigned count_asked(struct fl_tape *tape, const char *name)
{
	void **slot = fl_map_at(&tape->asked, name, strlen(name));
	uintptr_t before = (uintptr_t)*slot;

	*slot = (void *)(before + 1);
	return (unsigned)before + 1;
}

/* --- secrets --- */

static bool is_secret_line(const char *line)
{
	static const char *const names[] = {
		"set-cookie:", "cookie:", "authorization:", "www-authenticate:"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

static void mask_head(const struct fl_buf *head, struct fl_buf *out)
{
	for (const char *line = fl_buf_text(head); *line;) {
		size_t len = strcspn(line, "\n");

		if (is_secret_line(line))
			fl_buf_printf(out, "%.*s ***\r",
				      (int)strcspn(line, ":") + 1, line);
		else
			fl_buf_append(out, line, len);
		if (line[len] == '\n')
			fl_buf_putc(out, '\n');
		line += len + (line[len] == '\n');
	}
}

/* Stars for a text, wherever it stands. */
static void star(struct fl_buf *body, const char *text, size_t len)
{
	char *at = body->data;

	while (len >= 4 && at &&
	       (at = memmem(at, (size_t)(body->data + body->len - at), text,
			    len)))
		memset(at, '*', len);
}

/* Servers repeat what they were given: values that are masked in the URL are
 * masked in the answer. */
static void mask_text(const char *url, struct fl_buf *body)
{
	const char *query = strchr(url, '?');

	while (query && *query) {
		size_t len = strcspn(++query, "&"), name = strcspn(query, "=&");
		char *one = fl_sprintf("?%.*s", (int)len, query);
		struct fl_buf masked = FL_BUF_INIT;

		fl_url_mask(one, &masked);
		if (name < len && masked.len == name + 5 &&
		    strcmp(masked.data + name + 2, "***") == 0)
			star(body, query + name + 1, len - name - 1);
		fl_buf_release(&masked);
		free(one);
		query += len;
	}
}

/* --- opening --- */

static int fail(struct fl_error *err, const char *what, const char *path)
{
	return fl_error_set(err, FL_ERR_IO, "cannot %s '%s': %s", what,
			    fl_show(path, strlen(path), 300), strerror(errno));
}

static int write_file(const char *path, const struct fl_buf *text,
		      struct fl_error *err)
{
	struct fl_stream *out = NULL;
	int result = fl_stream_create(&out, path, err);

	if (result == 0)
		result =
			fl_stream_write(out, fl_buf_text(text), text->len, err);
	if (result == 0)
		result = fl_stream_finish(out, err);
	fl_stream_close(&out);
	return result;
}

/* returns 1; 0 there is none; -1 */
static int read_file(const char *path, struct fl_buf *text,
		     struct fl_error *err)
{
	struct fl_stream *in = NULL;
	char bytes[16384];
	ssize_t got = -1;

	text->max = FILE_MAX;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (fl_stream_open(&in, path, err) < 0)
		return -1;
	while ((got = fl_stream_read(in, bytes, sizeof(bytes), err)) > 0)
		fl_buf_append(text, bytes, (size_t)got);
	fl_stream_close(&in);
	if (text->over)
		return fl_error_set(err, FL_ERR_DATA, "'%s' is too long",
				    fl_show(path, strlen(path), 300));
	return got < 0 ? -1 : 1;
}

static struct fl_tape *make(enum kind kind, const char *folder)
{
	struct fl_tape *tape = fl_zalloc(sizeof(*tape));

	tape->kind = kind;
	tape->folder = fl_strdup(folder);
	return tape;
}

int fl_tape_record(struct fl_tape **tape, const char *folder, const char *about,
		   int64_t now_ns, struct fl_error *err)
{
	char *run = fl_sprintf("%s/" RUN, folder), now[FL_TIME_TEXT];
	struct fl_buf text = FL_BUF_INIT;
	int result = 0;

	*tape = make(RECORDS, folder);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		result = fail(err, "make the folder", folder);
	} else if (access(run, F_OK) == 0) {
		result = fl_error_set(err, FL_ERR_USAGE,
				      "--record: '%s' holds a recording "
				      "already; name another folder",
				      fl_show(folder, strlen(folder), 300));
	} else {
		fl_time_print(now_ns, now);
		fl_buf_printf(&text, "{" STARTED "%s\",\"command\":", now);
		fl_buf_json_string(&text, about, strlen(about));
		fl_buf_puts(&text, "}\n");
		result = write_file(run, &text, err);
	}
	fl_buf_release(&text);
	free(run);
	return result;
}

int fl_tape_time(const char *folder, int64_t *ns, struct fl_error *err)
{
	char *run = fl_sprintf("%s/" RUN, folder);
	struct fl_buf text = FL_BUF_INIT;
	int result = read_file(run, &text, err);
	const char *at;

	if (result == 0)
		fl_error_set(err, FL_ERR_IO,
			     "--replay: '%s' holds no recording (no '" RUN
			     "'); --record DIR makes one",
			     fl_show(folder, strlen(folder), 300));
	if (result == 1) {
		at = strstr(fl_buf_text(&text), STARTED);
		at = at ? at + strlen(STARTED) : "";
		if (fl_time_parse(at, strcspn(at, "\""), ns) == FL_TIME_BAD)
			result = fl_error_set(
				err, FL_ERR_DATA,
				"--replay: '%s' does not say when it was "
				"recorded",
				fl_show(run, strlen(run), 300));
	}
	fl_buf_release(&text);
	free(run);
	return result == 1 ? 0 : -1;
}

int fl_tape_play(struct fl_tape **tape, const char *folder,
		 struct fl_error *err)
{
	int64_t unused;

	*tape = make(PLAYS, folder);
	return fl_tape_time(folder, &unused, err);
}

/* When was the exchange in a file answered? FL_TIME_NONE: it holds none. */
static int64_t asked_at(const char *path)
{
	struct fl_exchange x = FL_EXCHANGE_INIT;
	struct fl_error unread = { .code = FL_OK };
	struct fl_buf text = FL_BUF_INIT;
	int64_t ns = FL_TIME_NONE;

	if (read_file(path, &text, &unread) == 1 &&
	    fl_exchange_parse(fl_buf_text(&text), text.len, &x))
		ns = x.asked_ns;
	fl_exchange_release(&x);
	fl_buf_release(&text);
	return ns;
}

static bool is_young(const struct fl_tape *tape, int64_t asked_ns,
		     int64_t now_ns)
{
	return asked_ns != FL_TIME_NONE && asked_ns <= now_ns + FL_SECOND &&
	       now_ns - asked_ns <= tape->max_age_ns;
}

/* What is too old to be of use. */
static void sweep(const struct fl_tape *tape, int64_t now_ns)
{
	DIR *dir = opendir(tape->folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path;

		if (!strstr(entry->d_name, SUFFIX))
			continue;
		path = fl_sprintf("%s/%s", tape->folder, entry->d_name);
		if (!is_young(tape, asked_at(path), now_ns))
			(void)unlink(path);
		free(path);
	}
	if (dir)
		closedir(dir);
}

int fl_tape_cache(struct fl_tape **tape, const char *folder, int64_t now_ns,
		  int64_t max_age_ns, struct fl_error *err)
{
	*tape = make(CACHES, folder);
	(*tape)->max_age_ns = max_age_ns;
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return fail(err, "make the folder", folder);
	sweep(*tape, now_ns);
	return 0;
}

bool fl_tape_plays(const struct fl_tape *tape)
{
	return tape->kind == PLAYS;
}

void fl_tape_close(struct fl_tape **tape)
{
	struct fl_tape *old = *tape;

	*tape = NULL;
	if (!old)
		return;
	fl_map_release(&old->asked, NULL);
	free(old->folder);
	free(old);
}

/* --- exchanges --- */

/* Is it what can be given? returns 1, 0, -1 */
static int judge(const struct fl_tape *tape, const char *path,
		 const char *question, int got, const struct fl_buf *text,
		 struct fl_exchange *x, struct fl_error *err)
{
	bool good =
		got == 1 && fl_exchange_parse(fl_buf_text(text), text->len, x);

	if (tape->kind == CACHES)
		return good && !x->fault && x->status == 200 &&
		       is_young(tape, x->asked_ns, fl_now_ns());
	if (good)
		return 1;
	if (got == 0)
		return fl_error_set(
			err, FL_ERR_IO,
			"--replay: '%s' holds no answer to '%s': it was "
			"recorded with other options or symbols",
			fl_show(tape->folder, strlen(tape->folder), 200),
			fl_show(question, strlen(question), 300));
	if (got < 0)
		return -1;
	return fl_error_set(err, FL_ERR_DATA,
			    "--replay: '%s' is damaged: no recorded exchange",
			    fl_show(path, strlen(path), 300));
}

int fl_tape_get(struct fl_tape *tape, const char *method, const char *url,
		struct fl_exchange *x, struct fl_error *err)
{
	struct fl_error unread = { .code = FL_OK };
	struct fl_buf text = FL_BUF_INIT;
	char *question, *name, *path;
	int result;

	if (tape->kind == RECORDS)
		return 0;
	question = question_of(tape, method, url);
	name = name_of(question);
	path = path_of(tape, name,
		       tape->kind == CACHES ? 1 : count_asked(tape, name));
	result = read_file(path, &text, tape->kind == CACHES ? &unread : err);
	result = judge(tape, path, question, result, &text, x, err);
	if (result != 1) {
		fl_exchange_release(x);
		*x = (struct fl_exchange)FL_EXCHANGE_INIT;
	}
	fl_buf_release(&text);
	free(path);
	free(name);
	free(question);
	return result;
}

int fl_tape_put(struct fl_tape *tape, const char *method, const char *url,
		const struct fl_exchange *x, struct fl_error *err)
{
	struct fl_exchange hidden = *x;
	struct fl_buf text = FL_BUF_INIT, masked = FL_BUF_INIT;
	struct fl_error unwritten = { .code = FL_OK };
	char *question, *name, *path;
	int result;

	if (tape->kind == PLAYS)
		return 0;
	question = question_of(tape, method, url);
	name = name_of(question);
	path = path_of(tape, name,
		       tape->kind == CACHES ? 1 : count_asked(tape, name));
	hidden.head = hidden.body = (struct fl_buf)FL_BUF_INIT;
	mask_head(&x->head, &hidden.head);
	/* What asks for a crumb is given nothing else. */
	if (memmem(url, strcspn(url, "?"), "getcrumb", 8) && x->body.len)
		fl_buf_puts(&hidden.body, "***");
	else
		fl_buf_append(&hidden.body, fl_buf_text(&x->body), x->body.len);
	mask_text(url, &hidden.head);
	mask_text(url, &hidden.body);
	fl_url_mask(url, &masked);
	fl_exchange_print(&hidden, question, fl_buf_text(&masked), &text);
	result = write_file(path, &text,
			    tape->kind == CACHES ? &unwritten : err);
	if (result < 0 && tape->kind == CACHES) {
		fl_log("%s", unwritten.text);
		result = 0;
	}
	fl_exchange_release(&hidden);
	fl_buf_release(&text);
	fl_buf_release(&masked);
	free(path);
	free(name);
	free(question);
	return result;
}
