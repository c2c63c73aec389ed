/* http-script: a web server that answers by a script, with every fault one
 * wants.
 *
 *   http-script SCRIPT LOG PORT
 *
 * It listens on a free port of 127.0.0.1, writes its number to the file PORT
 * and serves until it is killed. Each request is a line of LOG: the number of
 * its connection, the target, the User-Agent; one of LOG.full: milliseconds
 * since the first, method, target, then after bars Cookie, Accept, Content-Type
 * and body; and in LOG.times the nanoseconds since 1970 at which it came. Lines
 * of SCRIPT are answers:
 *
 *   PART | STATUS | OPTION | OPTION …
 *
 * PART stands in the target of the requests that it answers; of several lines
 * with one PART the first answers the first request and so on, the last one all
 * that follow. '#' begins a comment. Options:
 *
 *   body=FILE  text=TEXT  zeros=N   the body (files beside the script)
 *   header=NAME: VALUE   delay=MS before the answer
 *   gzip  chunked                   how it is sent
 *   length=N    says so, whatever comes
 *   cut=N       N bytes of the body, then the connection is closed
 *   drip=MS     a byte each MS
 *   drop        closes the connection without a word
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "listen.h"

#define REQUEST_MAX 16384

struct answer {
	char *part;
	int status;
	struct fl_buf body, headers;
	long delay_ms, drip_ms, cut, length; /* -1: not asked for */
	bool gzip, chunked, drop;
	unsigned used;
};

static struct answer *answers;
static size_t answer_count;
static FILE *log_file, *full_log, *times_file;
static long long first_ms;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void read_file(const char *script, const char *name, struct fl_buf *out)
{
	const char *slash = strrchr(script, '/');
	char *path = fl_sprintf(
		"%.*s%s",
		*name == '/' || !slash ? 0 : (int)(slash + 1 - script), script,
		name);
	FILE *file = fopen(path, "rb");
	char bytes[4096];
	size_t got;

	if (!file)
		die("cannot open", path);
	while ((got = fread(bytes, 1, sizeof(bytes), file)))
		fl_buf_append(out, bytes, got);
	fclose(file);
	free(path);
}

static void compress_body(struct fl_buf *body)
{
	z_stream z = { 0 };
	uLong size;
	char *out;

	/* 16: with gzip's header */
	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		die("cannot compress", "body");
	size = deflateBound(&z, body->len);
	out = fl_alloc(size);
	z.next_in = (Bytef *)body->data;
	z.avail_in = (uInt)body->len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)size;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		die("cannot compress", "body");
	fl_buf_reset(body);
	fl_buf_append(body, out, z.total_out);
	deflateEnd(&z);
	free(out);
}

static void take_option(struct answer *answer, const char *script, char *option)
{
	char *value = strchr(option, '=');

	if (value)
		*value++ = '\0';
	if (strcmp(option, "body") == 0 && value) {
		read_file(script, value, &answer->body);
	} else if (strcmp(option, "text") == 0 && value) {
		fl_buf_puts(&answer->body, value);
	} else if (strcmp(option, "zeros") == 0 && value) {
		for (long n = atol(value); n > 0; n--)
			fl_buf_putc(&answer->body, '0');
	} else if (strcmp(option, "header") == 0 && value) {
		fl_buf_printf(&answer->headers, "%s\r\n", value);
	} else if (strcmp(option, "delay") == 0 && value) {
		answer->delay_ms = atol(value);
	} else if (strcmp(option, "drip") == 0 && value) {
		answer->drip_ms = atol(value);
	} else if (strcmp(option, "cut") == 0 && value) {
		answer->cut = atol(value);
	} else if (strcmp(option, "length") == 0 && value) {
		answer->length = atol(value);
	} else if (strcmp(option, "gzip") == 0) {
		answer->gzip = true;
	} else if (strcmp(option, "chunked") == 0) {
		answer->chunked = true;
	} else if (strcmp(option, "drop") == 0) {
		answer->drop = true;
	} else {
		die("unknown option", option);
	}
}

static void read_script(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	if (!file)
		die("cannot open", path);
	while (fgets(line, sizeof(line), file)) {
		char *rest = trim(line), *word;
		struct answer *answer;

		if (!*rest || *rest == '#')
			continue;
		answers =
			fl_realloc(answers, answer_count + 1, sizeof(*answers));
		answer = &answers[answer_count++];
		*answer = (struct answer){ .cut = -1, .length = -1 };
		answer->part = fl_strdup(trim(strsep(&rest, "|")));
		word = strsep(&rest, "|");
		answer->status = word ? atoi(trim(word)) : 0;
		while ((word = strsep(&rest, "|")))
			take_option(answer, path, trim(word));
		if (answer->gzip)
			compress_body(&answer->body);
	}
	fclose(file);
}

/* The next answer to such a request; NULL: the script has none. */
static const struct answer *choose(const char *target)
{
	struct answer *last = NULL;

	for (size_t i = 0; i < answer_count; i++) {
		struct answer *answer = &answers[i];

		if (!strstr(target, answer->part) ||
		    (last && strcmp(last->part, answer->part) != 0))
			continue;
		last = answer;
		if (!answer->used)
			break;
	}
	if (last)
		last->used++;
	return last;
}

static void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool send_body(int fd, const struct answer *answer)
{
	size_t len = answer->body.len, step = len;
	const char *bytes = fl_buf_text(&answer->body);
	char size[32];

	if (answer->cut >= 0 && (size_t)answer->cut < len)
		len = (size_t)answer->cut;
	if (answer->drip_ms)
		step = 1;
	else if (answer->chunked && len > 7)
		step = len / 3;
	for (size_t at = 0; at < len; at += step) {
		size_t n = len - at < step ? len - at : step;

		if (answer->chunked) {
			snprintf(size, sizeof(size), "%zx\r\n", n);
			if (!send_all(fd, size, strlen(size)))
				return false;
		}
		if (!send_all(fd, bytes + at, n) ||
		    (answer->chunked && !send_all(fd, "\r\n", 2)))
			return false;
		if (answer->drip_ms)
			pause_ms(answer->drip_ms);
	}
	return answer->cut < 0 && answer->length < 0 &&
	       (!answer->chunked || send_all(fd, "0\r\n\r\n", 5));
}

/* false: the connection is to be closed. */
static bool reply(int fd, const struct answer *answer)
{
	struct fl_buf head = FL_BUF_INIT;
	bool good;

	if (answer->delay_ms)
		pause_ms(answer->delay_ms);
	if (answer->drop)
		return false;
	fl_buf_printf(&head, "HTTP/1.1 %d Scripted\r\n", answer->status);
	fl_buf_puts(&head, fl_buf_text(&answer->headers));
	if (answer->gzip)
		fl_buf_puts(&head, "Content-Encoding: gzip\r\n");
	if (answer->chunked)
		fl_buf_puts(&head, "Transfer-Encoding: chunked\r\n");
	else
		fl_buf_printf(&head, "Content-Length: %ld\r\n",
			      answer->length >= 0 ? answer->length
						  : (long)answer->body.len);
	fl_buf_puts(&head, "\r\n");
	good = send_all(fd, head.data, head.len) && send_body(fd, answer);
	fl_buf_release(&head);
	return good;
}

/* A request with its body, which is short, and may hold any bytes. */
static bool read_request(int fd, char *request)
{
	size_t len = 0;

	while (len < REQUEST_MAX - 1) {
		ssize_t got = recv(fd, request + len, REQUEST_MAX - 1 - len, 0);
		const char *body, *length;

		if (got <= 0)
			return false;
		len += (size_t)got;
		request[len] = '\0';
		body = strstr(request, "\r\n\r\n");
		length = strcasestr(request, "\r\nContent-Length: ");
		if (body && (!length || length > body ||
			     len - (size_t)(body + 4 - request) >=
				     strtoul(length + 18, NULL, 10)))
			return true;
	}
	return false;
}

/* The value of a header, up to its line's end; "-". */
static const char *header(const char *request, const char *name, int *len)
{
	const char *at = strcasestr(request, name);

	*len = at ? (int)strcspn(at + strlen(name), "\r") : 1;
	return at ? at + strlen(name) : "-";
}

static void log_full(const char *request)
{
	static const char *const names[] = { "\r\nCookie: ", "\r\nAccept: ",
					     "\r\nContent-Type: " };
	struct timespec ts;
	long long now;
	const char *body = strstr(request, "\r\n\r\n");

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
	if (!first_ms)
		first_ms = now;
	fprintf(full_log, "%lld %.*s", now - first_ms,
		(int)strcspn(strchr(request, ' ') + 1, " ") +
			(int)(strchr(request, ' ') + 1 - request),
		request);
	for (int i = 0; i < 3; i++) {
		int len;
		const char *value = header(request, names[i], &len);

		fprintf(full_log, " | %.*s", len, value);
	}
	fprintf(full_log, " | %s\n", body ? body + 4 : "");
	fflush(full_log);
}

struct connection {
	int fd;
	unsigned number;
};

static void *serve(void *arg)
{
	struct connection *c = arg;
	char *request = fl_alloc(REQUEST_MAX);
	bool more = true;

	while (more && read_request(c->fd, request)) {
		static const struct answer none = { .status = 500,
						    .cut = -1,
						    .length = -1 };
		const struct answer *answer;
		char *agent = strcasestr(request, "\r\nUser-Agent: ");
		char *target = strchr(request, ' ');

		if (!target)
			break;
		pthread_mutex_lock(&lock);
		log_full(request);
		pthread_mutex_unlock(&lock);
		if (agent)
			agent[14 + strcspn(agent + 14, "\r")] = '\0';
		target++;
		target[strcspn(target, " ")] = '\0';
		pthread_mutex_lock(&lock);
		fprintf(log_file, "%u %s %s\n", c->number, target,
			agent ? agent + 14 : "-");
		fflush(log_file);
		fprintf(times_file, "%lld\n", (long long)fl_now_ns());
		fflush(times_file);
		answer = choose(target);
		pthread_mutex_unlock(&lock);
		more = reply(c->fd, answer ? answer : &none);
	}
	close(c->fd);
	free(request);
	free(c);
	return NULL;
}

static void *meet(int fd, unsigned number)
{
	struct connection *c = fl_alloc(sizeof(*c));

	*c = (struct connection){ fd, number };
	return c;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage:", "http-script SCRIPT LOG PORT");
	read_script(argv[1]);
	log_file = open_log(argv[2], "");
	times_file = open_log(argv[2], ".times");
	full_log = open_log(argv[2], ".full");
	serve_all(argv[3], meet, serve);
}
