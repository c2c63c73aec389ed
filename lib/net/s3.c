/* s3: see s3.h.
 *
 * Whether a bucket's name goes into the host's or into the path: AWS wants the
 * first, others have certificates and names of hosts for the second alone. So
 * an endpoint that was named gets paths, and so do names with dots, which the
 * certificates of AWS do not match.
 *
 * Bodies are signed with their hash, also inside TLS: it is what the server
 * checks them by. It costs a tenth of what compressing did.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/xml.h"
#include "net/http.h"
#include "net/s3-conf.h"
#include "net/s3-xml.h"
#include "net/sigv4.h"

enum {
	TRIES = 6,
	TURNS = 4, /* times that a request is asked anew from here */
	STEPS = 3, /* without an answer, while others wait for us */
	BODY_MAX_MIB = 64,
	SKEW_S = 15 * 60, /* what S3 bears of two clocks */
};

struct fl_s3 {
	char *bucket, *name;
	char *base; /* "https://HOST[/PATH]", the bucket in it */
	char *host; /* as the header has it */
	char *path; /* before a key: "/" or "/BUCKET/", encoded */
	struct fl_s3_conf conf;
	struct fl_s3_key key;
	struct fl_io io; /* never told to stop: what is begun is ended */
	struct fl_http *http;
	struct fl_s3_call *waiting, *running; /* first in, first out */
	unsigned run_count;
};

/* --- the bucket ------------------------------------------------------------
 */

static bool is_bucket(const char *name)
{
	size_t len = strlen(name);

	if (len < 3 || len > 63 || strstr(name, ".."))
		return false;
	for (const char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("-._", *at))
			return false;
	}
	return isalnum((unsigned char)name[0]) &&
	       isalnum((unsigned char)name[len - 1]);
}

/* The host of "https://HOST:PORT/PATH" as the header has it: no usual port. */
static char *host_of(const char *url)
{
	bool secure = strncasecmp(url, "https:", 6) == 0;
	const char *host = strstr(url, "://") + 3;
	const char *usual = secure ? ":443" : ":80";
	size_t len = strcspn(host, "/?#"), tail = strlen(usual);

	if (len > tail && memcmp(host + len - tail, usual, tail) == 0)
		len -= tail;
	return fl_strndup(host, len);
}

static void find_place(struct fl_s3 *s3)
{
	const char *endpoint = s3->conf.endpoint, *region = s3->conf.region;
	bool china = strncmp(region, "cn-", 3) == 0;
	size_t len;

	free(s3->base);
	free(s3->host);
	free(s3->path);
	if (endpoint) {
		len = strlen(endpoint);
		while (len && endpoint[len - 1] == '/')
			len--;
		s3->base = fl_strndup(endpoint, len);
	} else if (strchr(s3->bucket, '.')) {
		s3->base = fl_sprintf("https://s3.%s.amazonaws.com%s", region,
				      china ? ".cn" : "");
	} else {
		s3->base = fl_sprintf("https://%s.s3.%s.amazonaws.com%s",
				      s3->bucket, region, china ? ".cn" : "");
	}
	s3->host = host_of(s3->base);
	/* An endpoint may have a path of its own, which is signed, too. */
	{
		char *start = strchr(strstr(s3->base, "://") + 3, '/');
		char *before = fl_strdup(start ? start : "");

		if (endpoint || strchr(s3->bucket, '.'))
			s3->path = fl_sprintf("%s/%s/", before, s3->bucket);
		else
			s3->path = fl_sprintf("%s/", before);
		if (start)
			*start = '\0';
		free(before);
	}
}

static int open_http(struct fl_s3 *s3, struct fl_error *err)
{
	const struct fl_http_settings settings = {
		.agent = "FinanceLake",
		.ca_file = s3->conf.ca_file,
		.parallel = FL_S3_PARALLEL,
		.tries = TRIES,
		.retry_ns = FL_SECOND / 5,
		.retry_most_ns = FL_MINUTE,
		.connect_ns = 5 * FL_SECOND,
		.stall_ns = 20 * FL_SECOND,
		.max_body = (size_t)BODY_MAX_MIB << 20,
	};

	return fl_http_open(&s3->http, &s3->io, &settings, err);
}

int fl_s3_open(struct fl_s3 **out, const char *bucket, struct fl_error *err)
{
	struct fl_s3 *s3;

	*out = NULL;
	if (!is_bucket(bucket))
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is no name of a bucket",
				    fl_show(bucket, strlen(bucket), 100));
	if (!fl_xml_works())
		return fl_error_set(err, FL_ERR_USAGE,
				    "this build has no expat, and so no S3");
	*out = s3 = fl_zalloc(sizeof(*s3));
	s3->bucket = fl_strdup(bucket);
	s3->name = fl_sprintf("s3://%s", bucket);
	if (fl_s3_conf_read(&s3->conf, err) == 0 &&
	    fl_s3_key_find(&s3->conf, &s3->key, err) == 0 &&
	    open_http(s3, err) == 0) {
		find_place(s3);
		fl_log("%s: %s, region %s, key of %s", s3->name, s3->base,
		       s3->conf.region, s3->key.from);
		return 0;
	}
	fl_s3_close(out);
	return -1;
}

void fl_s3_close(struct fl_s3 **out)
{
	struct fl_s3 *s3 = *out;

	*out = NULL;
	if (!s3)
		return;
	fl_http_close(&s3->http);
	fl_s3_key_release(&s3->key);
	fl_s3_conf_release(&s3->conf);
	free(s3->bucket);
	free(s3->name);
	free(s3->base);
	free(s3->host);
	free(s3->path);
	free(s3);
}

const char *fl_s3_name(const struct fl_s3 *s3)
{
	return s3->name;
}

void fl_s3_put_query(struct fl_buf *query, const char *name, const char *value)
{
	fl_buf_printf(query, "%s%s=", query->len ? "&" : "", name);
	fl_url_escape(value, query);
}

/* --- a request -------------------------------------------------------------
 */

/* A key as a path: all but unreserved characters and '/' as %XX. */
static void put_key(const char *key, struct fl_buf *out)
{
	char part[2] = "";

	for (; *key; key++) {
		part[0] = *key;
		if (*key == '/')
			fl_buf_putc(out, '/');
		else
			fl_url_escape(part, out);
	}
}

enum {
	HEADERS_MAX = 12,
};

struct headers {
	struct fl_sigv4_header list[HEADERS_MAX];
	size_t count;
};

/* By name, which is the order in which they are added. */
static void add(struct headers *headers, const char *name, const char *value)
{
	if (!value)
		return;
	if (headers->count == HEADERS_MAX)
		FL_BUG("more headers than there is room for");
	headers->list[headers->count].name = name;
	headers->list[headers->count].value = value;
	headers->count++;
}

/* A key that ends soon is fetched anew. */
static int renew_key(struct fl_s3 *s3, bool now, struct fl_error *err)
{
	struct fl_s3_key key;

	if (!now && (s3->key.until_ns == FL_TIME_NONE ||
		     s3->key.until_ns - fl_now_ns() > 5 * FL_MINUTE))
		return 0;
	if (fl_s3_key_find(&s3->conf, &key, err) < 0)
		return -1;
	fl_s3_key_release(&s3->key);
	s3->key = key;
	return 0;
}

/* What is sent with a try: asked for by http. */
static int make_head(void *arg, struct fl_buf *lines, struct fl_error *err)
{
	struct fl_s3_call *call = arg;
	struct fl_s3 *s3 = call->s3;
	char now[FL_SIGV4_TIME], *source = NULL;
	struct headers headers = { .count = 0 };
	struct fl_buf copied = FL_BUF_INIT;
	struct fl_sigv4_request request = {
		.method = call->method,
		.path = fl_buf_text(&call->path),
		.query = call->query ? call->query : "",
		.payload = call->hash,
		.now_ns = fl_now_ns(),
	};
	const struct fl_sigv4_key key = {
		.access = s3->key.access,
		.secret = s3->key.secret,
		.region = s3->conf.region,
		.service = "s3",
	};

	if (call->until_ns && request.now_ns > call->until_ns)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "it took too long to write to '%s'",
				    s3->name);
	if (call->copy_of) {
		fl_buf_printf(&copied, "/%s/", s3->bucket);
		put_key(call->copy_of, &copied);
		source = fl_buf_take(&copied);
	}
	fl_sigv4_time(request.now_ns, now);
	add(&headers, "host", s3->host);
	add(&headers, "if-match", call->match);
	add(&headers, "if-none-match", call->exclusive ? "*" : NULL);
	add(&headers, "x-amz-content-sha256", call->hash);
	add(&headers, "x-amz-copy-source", source);
	add(&headers, "x-amz-date", now);
	add(&headers, "x-amz-security-token", s3->key.token);
	if (call->encrypted) {
		add(&headers, "x-amz-server-side-encryption", s3->conf.sse);
		add(&headers, "x-amz-server-side-encryption-aws-kms-key-id",
		    s3->conf.sse_key);
	}
	request.headers = headers.list;
	request.header_count = headers.count;
	for (size_t i = 0; i < headers.count; i++)
		fl_buf_printf(lines, "%s: %s\n", headers.list[i].name,
			      headers.list[i].value);
	if (call->count)
		fl_buf_printf(
			lines, "range: bytes=%llu-%llu\n",
			(unsigned long long)call->from,
			(unsigned long long)(call->from + call->count - 1));
	fl_buf_puts(lines, "user-agent: FinanceLake\naccept:\n");
	/* libcurl would call it a form. */
	fl_buf_puts(lines, call->body
				   ? "content-type: application/octet-stream\n"
				   : "content-type:\n");
	fl_buf_puts(lines, "authorization: ");
	fl_sigv4_sign(&key, &request, lines);
	fl_buf_putc(lines, '\n');
	free(source);
	return 0;
}

/* Hand it to http. */
static void send_call(struct fl_s3 *s3, struct fl_s3_call *call, int64_t wait)
{
	char *url = fl_sprintf("%s%s%s%s", s3->base, fl_buf_text(&call->path),
			       call->query ? "?" : "",
			       call->query ? call->query : "");
	const struct fl_http_request request = {
		.url = url,
		.arg = call,
		.wait_ns = wait,
		.method = call->method,
		.body = call->body,
		.body_len = call->len,
		.head = make_head,
	};

	fl_http_ask(s3->http, &request);
	free(url);
}

static void push(struct fl_s3_call **list, struct fl_s3_call *call)
{
	while (*list)
		list = &(*list)->next;
	call->next = NULL;
	*list = call;
}

static void pull(struct fl_s3_call **list, const struct fl_s3_call *call)
{
	while (*list && *list != call)
		list = &(*list)->next;
	if (*list)
		*list = call->next;
}

static void send_waiting(struct fl_s3 *s3)
{
	while (s3->waiting && s3->run_count < FL_S3_PARALLEL) {
		struct fl_s3_call *call = s3->waiting;

		s3->waiting = call->next;
		push(&s3->running, call);
		s3->run_count++;
		call->sent = true;
		send_call(s3, call, 0);
	}
}

void fl_s3_start(struct fl_s3 *s3, struct fl_s3_call *call)
{
	struct fl_buf hash = FL_BUF_INIT;

	call->s3 = s3;
	fl_buf_reset(&call->path);
	fl_buf_puts(&call->path, s3->path);
	if (call->key) {
		put_key(call->key, &call->path);
	} else if (call->path.len > 1) { /* "/BUCKET" */
		call->path.data[--call->path.len] = '\0';
	}
	fl_sigv4_hash(call->body ? call->body : "", call->len, &hash);
	memcpy(call->hash, hash.data, sizeof(call->hash));
	fl_buf_release(&hash);
	push(&s3->waiting, call);
	send_waiting(s3);
}

/* --- what an answer says ---------------------------------------------------
 */

struct fault {
	char code[80], message[200], region[40];
};

static int note_fault(void *arg, const char *within, const char *name,
		      const char *value, struct fl_error *err)
{
	struct fault *fault = arg;

	(void)err;
	if (strcmp(within, "Error") != 0)
		return 0;
	if (strcmp(name, "Code") == 0)
		snprintf(fault->code, sizeof(fault->code), "%s",
			 fl_show(value, strlen(value), 70));
	else if (strcmp(name, "Message") == 0)
		snprintf(fault->message, sizeof(fault->message), "%s",
			 fl_show(value, strlen(value), 180));
	else if (strcmp(name, "Region") == 0 && strlen(value) < 40)
		snprintf(fault->region, sizeof(fault->region), "%s",
			 fl_show(value, strlen(value), 39));
	return 0;
}

static void read_fault(const struct fl_http_answer *answer, struct fault *fault)
{
	struct fl_error ignored = { .code = FL_OK };
	const char *region;
	size_t len;

	memset(fault, 0, sizeof(*fault));
	if (answer->len)
		(void)fl_s3_xml_read(answer->body, answer->len, note_fault,
				     fault, &ignored);
	region = fl_http_header(answer, "x-amz-bucket-region", &len);
	if (region && len && len < sizeof(fault->region))
		snprintf(fault->region, sizeof(fault->region), "%.*s", (int)len,
			 region);
}

static bool is(const struct fault *fault, const char *code)
{
	return strcmp(fault->code, code) == 0;
}

static void fail(struct fl_s3_call *call, enum fl_code code, const char *why)
{
	call->code = code;
	snprintf(call->why, sizeof(call->why), "%s", why);
}

/* "HTTP 403, AccessDenied: Access Denied" */
static void put_words(const struct fl_http_answer *answer,
		      const struct fault *fault, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%sHTTP %u%s", fault->code,
		 *fault->message ? ": " : "", fault->message,
		 *fault->code ? " (" : "", answer->status,
		 *fault->code ? ")" : "");
}

/* The clocks differ: by how much, and what to do. */
static void fail_by_clock(struct fl_s3_call *call,
			  const struct fl_http_answer *answer)
{
	char by[FL_TIME_TEXT] = "", text[300];
	int64_t ahead = 0;

	if (answer->date_ns != FL_TIME_NONE)
		ahead = fl_now_ns() - answer->date_ns;
	ahead -= ahead % FL_SECOND;
	fl_duration_print(ahead < 0 ? -ahead : ahead, by);
	if (ahead > SKEW_S * FL_SECOND || ahead < -SKEW_S * FL_SECOND)
		snprintf(text, sizeof(text),
			 "the clock of this machine is %s %s that of the "
			 "server, and S3 bears 15 minutes: set it (timedatectl "
			 "set-ntp true)",
			 by, ahead > 0 ? "ahead of" : "behind");
	else
		snprintf(text, sizeof(text),
			 "the server finds its clock and that of this machine "
			 "too far apart: set it (timedatectl set-ntp true)");
	fail(call, FL_ERR_REFUSED, text);
}

static void fail_by_status(struct fl_s3 *s3, struct fl_s3_call *call,
			   const struct fl_http_answer *answer,
			   const struct fault *fault)
{
	char words[400], text[500];

	put_words(answer, fault, words, sizeof(words));
	if (is(fault, "RequestTimeTooSkewed")) {
		fail_by_clock(call, answer);
	} else if (is(fault, "NoSuchBucket")) {
		snprintf(text, sizeof(text), "there is no bucket '%s' at %s",
			 s3->bucket, s3->host);
		fail(call, FL_ERR_REFUSED, text);
	} else if (answer->status == 403 || answer->status == 401 ||
		   is(fault, "InvalidAccessKeyId")) {
		snprintf(text, sizeof(text), "%s; the key is of %s", words,
			 s3->key.from);
		fail(call, FL_ERR_REFUSED, text);
	} else if (fl_http_retryable(answer) || answer->status == 409 ||
		   is(fault, "RequestTimeout") || answer->status < 300) {
		snprintf(text, sizeof(text), "%s (%u tries)", words,
			 answer->tries);
		fail(call, FL_ERR_AGAIN, text);
	} else if (*fault->region &&
		   strcmp(fault->region, s3->conf.region) != 0) {
		snprintf(text, sizeof(text),
			 "%s; the bucket is in region %s (AWS_REGION)", words,
			 fault->region);
		fail(call, FL_ERR_REFUSED, text);
	} else {
		fail(call, FL_ERR_REFUSED, words);
	}
}

static void fail_by_fault(struct fl_s3_call *call,
			  const struct fl_http_answer *answer)
{
	enum fl_code code = FL_ERR_AGAIN;
	char text[400];

	if (answer->fault == FL_HTTP_TLS || answer->fault == FL_HTTP_REDIRECTS)
		code = FL_ERR_REFUSED;
	if (answer->fault == FL_HTTP_TOO_LARGE)
		code = FL_ERR_DATA;
	snprintf(text, sizeof(text), "%s%s", answer->why,
		 answer->fault == FL_HTTP_TLS
			 ? " (AWS_CA_BUNDLE names a file of authorities)"
			 : "");
	fail(call, code, text);
}

/* May it be well another time, or in another way? false: what it says holds. */
static bool ask_anew(struct fl_s3 *s3, struct fl_s3_call *call,
		     const struct fl_http_answer *answer,
		     const struct fault *fault)
{
	struct fl_error ignored = { .code = FL_OK };
	int64_t wait = FL_SECOND / 10 << call->turns;

	if (answer->fault || call->turns == TURNS)
		return false;
	if (is(fault, "ExpiredToken") || is(fault, "TokenRefreshRequired")) {
		if (call->turns || renew_key(s3, true, &ignored) < 0)
			return false;
	} else if ((answer->status == 301 || answer->status == 307 ||
		    answer->status == 400) &&
		   *fault->region && !s3->conf.endpoint &&
		   strcmp(fault->region, s3->conf.region) != 0) {
		free(s3->conf.region);
		s3->conf.region = fl_strdup(fault->region);
		find_place(s3);
		wait = 0;
	} else if (answer->status == 307 && call->turns == 0) {
		/* A bucket that is new: its name is not everywhere yet. */
		wait = FL_SECOND;
	} else if (answer->status != 409 && !is(fault, "RequestTimeout") &&
		   !(answer->status == 200 && *fault->code)) {
		return false;
	}
	call->turns++;
	send_call(s3, call, wait);
	return true;
}

/* Answers that are no errors. HEAD has no words for its 404. */
static bool is_plain_no(const struct fl_http_answer *answer,
			const struct fault *fault)
{
	if (answer->status == 404)
		return !*fault->code || is(fault, "NoSuchKey") ||
		       is(fault, "NoSuchUpload") || is(fault, "NotFound");
	return answer->status == 412 || answer->status == 416;
}

/* PUT of a copy and the end of an upload answer before they are done: what went
 * wrong then stands in the body. */
static bool may_fail_late(const struct fl_s3_call *call)
{
	return call->copy_of ||
	       (strcmp(call->method, "POST") == 0 && call->body);
}

static void take_size(struct fl_s3_call *call,
		      const struct fl_http_answer *answer)
{
	size_t len;
	const char *value = fl_http_header(answer, "content-range", &len);

	if (value) /* bytes 0-9/100 */
		value = memchr(value, '/', len);
	if (value)
		call->size = strtoull(value + 1, NULL, 10);
	else if ((value = fl_http_header(answer, "content-length", &len)))
		call->size = strtoull(value, NULL, 10);
	value = fl_http_header(answer, "etag", &len);
	if (value && len < sizeof(call->etag))
		snprintf(call->etag, sizeof(call->etag), "%.*s", (int)len,
			 value);
}

/* An answer has come. */
static void take_answer(struct fl_s3 *s3, const struct fl_http_answer *answer)
{
	struct fl_s3_call *call = answer->arg;
	bool plain = !answer->fault && answer->status / 100 == 2;
	struct fault fault = { "", "", "" };

	if (!answer->fault && (!plain || may_fail_late(call)))
		read_fault(answer, &fault);
	if (ask_anew(s3, call, answer, &fault))
		return;
	pull(&s3->running, call);
	s3->run_count--;
	call->done = true;
	call->status = answer->status;
	if (plain && !*fault.code) {
		take_size(call, answer);
		fl_buf_append(&call->answer, answer->body, answer->len);
	} else if (answer->fault) {
		fail_by_fault(call, answer);
	} else if (!is_plain_no(answer, &fault)) {
		fail_by_status(s3, call, answer, &fault);
	}
	/* What was cut off on the way back, or ended in an error of the server,
	 * may have been done. */
	call->unknown = call->code == FL_ERR_AGAIN;
	send_waiting(s3);
}

/* --- waiting ---------------------------------------------------------------
 */

/* Of http itself, or of what makes the header. */
static void fail_all(struct fl_s3 *s3, const struct fl_error *err)
{
	struct fl_s3_call **lists[] = { &s3->running, &s3->waiting };

	for (size_t i = 0; i < 2; i++) {
		while (*lists[i]) {
			struct fl_s3_call *call = *lists[i];

			*lists[i] = call->next;
			call->done = true;
			call->unknown = call->sent;
			fail(call, err->code, err->text);
		}
	}
	s3->run_count = 0;
	/* Its jobs would be asked for all the same. */
	fl_http_close(&s3->http);
}

static int step(struct fl_s3 *s3, int64_t wait_ns)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_http_answer answer;
	int got;

	if (!s3->http && open_http(s3, &err) < 0) {
		fail_all(s3, &err);
		return 0;
	}
	if (renew_key(s3, false, &err) < 0) {
		fail_all(s3, &err);
		return 0;
	}
	got = fl_http_next(s3->http, &answer, wait_ns, &err);
	if (got < 0)
		fail_all(s3, &err);
	else if (got == 1)
		take_answer(s3, &answer);
	return got;
}

void fl_s3_work(struct fl_s3 *s3)
{
	for (int steps = 0; s3->running && steps < STEPS;) {
		if (step(s3, 0) != 1)
			steps++;
	}
}

bool fl_s3_is_done(const struct fl_s3_call *call)
{
	return call->done;
}

static const char *doing(const struct fl_s3_call *call)
{
	if (strcmp(call->method, "GET") == 0 ||
	    strcmp(call->method, "HEAD") == 0)
		return "read";
	return strcmp(call->method, "DELETE") == 0 ? "remove" : "write";
}

int fl_s3_finish(struct fl_s3 *s3, struct fl_s3_call *call,
		 struct fl_error *err)
{
	const char *key = call->key ? call->key : "";

	while (!call->done)
		step(s3, FL_SECOND);
	if (call->code)
		return fl_error_set(err, call->code, "cannot %s '%s/%s': %s",
				    doing(call), s3->name,
				    fl_show(key, strlen(key), 300), call->why);
	return call->status / 100 == 2;
}

int fl_s3_ask(struct fl_s3 *s3, struct fl_s3_call *call, struct fl_error *err)
{
	fl_s3_start(s3, call);
	return fl_s3_finish(s3, call, err);
}

void fl_s3_call_release(struct fl_s3_call *call)
{
	struct fl_s3 *s3 = call->s3;

	if (s3 && !call->done) {
		if (call->sent) {
			struct fl_error ignored = { .code = FL_OK };

			/* http holds on to it: see it through. */
			(void)fl_s3_finish(s3, call, &ignored);
		} else {
			pull(&s3->waiting, call);
		}
	}
	fl_buf_release(&call->answer);
	fl_buf_release(&call->path);
	*call = (struct fl_s3_call){ 0 };
}

int fl_s3_remove(struct fl_s3 *s3, const char *key, struct fl_error *err)
{
	struct fl_s3_call call = { .method = "DELETE", .key = key };
	int got = fl_s3_ask(s3, &call, err);

	fl_s3_call_release(&call);
	return got < 0 ? -1 : 0;
}
