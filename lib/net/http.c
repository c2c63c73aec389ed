/* http: see http.h.
 *
 * A question is a job that waits for its time, runs, and is either done or
 * waits again. Which job runs is a matter of their count alone: the caller
 * keeps no more outstanding than it wants at once.
 *
 * The first goes ahead alone: then the others know whether they can share its
 * connection. CURLOPT_PIPEWAIT is for that, but what waits by it has been seen
 * to wait for ever when the connection came to nothing (libcurl 7.88).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "net/curl.h"
#include "net/limit.h"
#include "net/mask.h"
#include "net/tape.h"

void fl_url_escape(const char *text, struct fl_buf *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || strchr("-._~", c))
			fl_buf_putc(out, (char)c);
		else
			fl_buf_printf(out, "%%%02X", c);
	}
}

bool fl_http_retryable(const struct fl_http_answer *answer)
{
	unsigned status = answer->status;

	if (answer->fault)
		return answer->fault == FL_HTTP_NETWORK ||
		       answer->fault == FL_HTTP_CUT ||
		       answer->fault == FL_HTTP_QUOTA;
	return status == 408 || status == 429 || status == 999 ||
	       (status >= 500 && status != 501);
}

const char *fl_http_header(const struct fl_http_answer *answer,
			   const char *name, size_t *len)
{
	size_t name_len = strlen(name);

	for (const char *line = answer->head; *line;) {
		size_t whole = strcspn(line, "\n");

		if (whole > name_len && line[name_len] == ':' &&
		    strncasecmp(line, name, name_len) == 0) {
			const char *value = line + name_len + 1;
			const char *end = line + whole;

			while (value < end && strchr(" \t", *value))
				value++;
			while (end > value && strchr(" \t\r", end[-1]))
				end--;
			*len = (size_t)(end - value);
			return value;
		}
		line += whole + (line[whole] == '\n');
	}
	return NULL;
}

#ifdef FL_WITHOUT_CURL

int fl_http_open(struct fl_http **http, const struct fl_io *io,
		 const struct fl_http_settings *settings, struct fl_error *err)
{
	(void)io;
	(void)settings;
	*http = NULL;
	return fl_error_set(err, FL_ERR_USAGE,
			    "this build has no libcurl, and so no HTTP");
}

void fl_http_ask(struct fl_http *http, const struct fl_http_request *request)
{
	(void)http;
	(void)request;
}

int fl_http_next(struct fl_http *http, struct fl_http_answer *answer,
		 int64_t wait_ns, struct fl_error *err)
{
	(void)http;
	(void)answer;
	(void)wait_ns;
	(void)err;
	return 0;
}

uint64_t fl_http_requests(const struct fl_http *http)
{
	(void)http;
	return 0;
}

void fl_http_cookies(struct fl_http *http,
		     void (*each)(void *arg, const char *line), void *arg)
{
	(void)http;
	(void)each;
	(void)arg;
}

void fl_http_close(struct fl_http **http)
{
	*http = NULL;
}

#else

#include <curl/curl.h>

enum {
	REDIRECTS = 8,
	HEAD_MAX = 64 * 1024,
	SLOW_BYTES = 64, /* a second: less is a stall */
	STALLS = 20,     /* as long as so many stalls may a transfer take */
	POLL_MS = 100,   /* between looks at a stop */
};

#define STEP_BYTES (256L * 1024)

/* The functions of libcurl that we use. */
#define FUNCTIONS(X)                                                           \
	X(easy_cleanup)                                                        \
	X(easy_getinfo)                                                        \
	X(easy_init)                                                           \
	X(easy_reset)                                                          \
	X(easy_setopt)                                                         \
	X(easy_strerror)                                                       \
	X(getdate)                                                             \
	X(global_init)                                                         \
	X(multi_add_handle)                                                    \
	X(multi_cleanup)                                                       \
	X(multi_info_read)                                                     \
	X(multi_init)                                                          \
	X(multi_perform)                                                       \
	X(multi_poll)                                                          \
	X(multi_remove_handle)                                                 \
	X(multi_setopt)                                                        \
	X(multi_strerror)                                                      \
	X(share_cleanup)                                                       \
	X(share_init)                                                          \
	X(share_setopt)                                                        \
	X(slist_append)                                                        \
	X(slist_free_all)

static const char *const function_names[] = {
#define X(name) "curl_" #name,
	FUNCTIONS(X)
#undef X
};

/* curl.h makes macros of some names, which a name alone does not invoke. */
static union {
	struct {
#define X(name) __typeof__(curl_##name) *name;
		FUNCTIONS(X)
#undef X
	};
	void *all[sizeof(function_names) / sizeof(*function_names)];
} curl;

enum state {
	WAITS, /* until due_ns */
	RUNS,
	REFUSED, /* by the limit: its answer is to be given */
	PLAYED,  /* from a tape: likewise */
	DONE,
};

struct job {
	struct job *next;
	struct fl_http *http;
	enum state state;
	void *arg;
	char *urls[2];       /* the second NULL: no other host */
	char *form, *cookie; /* NULL */
	char *method;        /* NULL: by the form */
	const void *to_send;
	size_t to_send_len;
	int (*make_head)(void *arg, struct fl_buf *lines, struct fl_error *err);
	struct curl_slist *headers; /* of this one alone; NULL */
	unsigned at;                /* which of them is asked */
	bool turned;                /* the other host was tried */
	unsigned tries;
	int64_t asked_ns, due_ns; /* monotonic */
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	struct fl_buf head, body;
	struct fl_exchange played;
	bool too_large;
};

struct fl_http {
	const struct fl_io *io;
	struct fl_http_settings settings;
	CURLM *multi;
	CURLSH *share; /* of cookies; NULL */
	struct curl_slist *headers;
	struct job *jobs;  /* in the order in which they were asked */
	struct job *given; /* whose answer the caller has */
	struct fl_buf masked;
	uint64_t requests, dice;
	bool met;        /* some transfer has ended */
	int64_t room_ns; /* monotonic: before, the limit has nothing to give */
	bool told;       /* that it waits for another day */
};

/* --- libcurl calls us --- */

static size_t take_head(char *bytes, size_t size, size_t count, void *arg)
{
	struct job *job = arg;

	/* Of several answers (redirects, 100 Continue) the last one counts. */
	if (count >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		fl_buf_reset(&job->head);
		fl_buf_reset(&job->body);
	}
	fl_buf_append(&job->head, bytes, size * count);
	return size * count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct job *job = arg;

	fl_buf_append(&job->body, bytes, size * count);
	job->too_large = job->body.over;
	return job->too_large ? 0 : size * count;
}

/* Also before decompression: a body of nothing but empty blocks is one, too. */
static int take_progress(void *arg, curl_off_t all, curl_off_t now,
			 curl_off_t up_all, curl_off_t up)
{
	struct job *job = arg;

	(void)all;
	(void)up_all;
	(void)up;
	if (now > (curl_off_t)job->http->settings.max_body)
		job->too_large = true;
	return job->too_large || fl_stop_requested(job->http->io);
}

/* --- jobs --- */

/* A question of which every byte counts. */
static void set_exact(struct job *job)
{
	CURL *easy = job->easy;

#define SET(option, value) curl.easy_setopt(easy, CURLOPT_##option, value)
	SET(FOLLOWLOCATION, 0L);
	SET(ACCEPT_ENCODING, NULL);
	SET(PATH_AS_IS, 1L);
	SET(USERAGENT, NULL); /* the header has it, if at all */
	/* A step moves so much at the most, and steps are made between other
	 * work. */
	SET(BUFFERSIZE, STEP_BYTES);
	SET(UPLOAD_BUFFERSIZE, STEP_BYTES);
	if (strcmp(job->method, "HEAD") == 0) {
		SET(NOBODY, 1L);
	} else if (strcmp(job->method, "GET") != 0) {
		SET(POSTFIELDS, job->to_send ? job->to_send : "");
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)job->to_send_len);
		SET(CUSTOMREQUEST, job->method);
	}
#undef SET
}

/* Its header, made anew for each try. */
static int set_head(struct job *job, struct fl_error *err)
{
	struct fl_buf lines = FL_BUF_INIT;
	struct curl_slist *list;
	char *rest, *line;

	if (job->make_head(job->arg, &lines, err) < 0) {
		fl_buf_release(&lines);
		return -1;
	}
	/* libcurl would wait for leave to send a large body. */
	list = curl.slist_append(NULL, "Expect:");
	rest = lines.data;
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			list = curl.slist_append(list, line);
	}
	curl.slist_free_all(job->headers);
	job->headers = list;
	if (lines.data)
		explicit_bzero(lines.data, lines.len);
	fl_buf_release(&lines);
	return 0;
}

static void set_options(struct fl_http *http, struct job *job)
{
	/* Nobody is led away from TLS. */
	bool secure = strncasecmp(job->urls[job->at], "https:", 6) == 0;
	const struct fl_http_settings *s = &http->settings;
	CURL *easy = job->easy;

	curl.easy_reset(easy);
#define SET(option, value) curl.easy_setopt(easy, CURLOPT_##option, value)
	SET(URL, job->urls[job->at]);
	SET(PRIVATE, job);
	SET(ERRORBUFFER, job->error);
	SET(NOSIGNAL, 1L);
	SET(USERAGENT, s->agent);
	SET(HTTPHEADER, job->headers ? job->headers : http->headers);
	SET(ACCEPT_ENCODING, ""); /* all that it can undo */
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(FOLLOWLOCATION, 1L);
	SET(MAXREDIRS, (long)REDIRECTS);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(PROTOCOLS_STR, "http,https");
	SET(REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
	SET(PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	SET(REDIR_PROTOCOLS, secure ? (long)CURLPROTO_HTTPS
				    : (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CONNECTTIMEOUT_MS, (long)(s->connect_ns / 1000000));
	SET(TIMEOUT_MS,
	    (long)((s->connect_ns + STALLS * s->stall_ns) / 1000000));
	SET(LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	SET(LOW_SPEED_TIME, (long)((s->stall_ns + FL_SECOND - 1) / FL_SECOND));
	SET(HEADERFUNCTION, take_head);
	SET(HEADERDATA, job);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, job);
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, take_progress);
	SET(XFERINFODATA, job);
	if (s->ca_file)
		SET(CAINFO, s->ca_file);
	if (job->form)
		SET(POSTFIELDS, job->form);
	if (job->cookie)
		SET(COOKIE, job->cookie);
	if (http->share) {
		SET(SHARE, http->share);
		SET(COOKIEFILE, "");
	}
#undef SET
	if (job->method)
		set_exact(job);
	/* Verification is libcurl's default, and nothing here turns it off. */
}

static const char *masked(struct fl_http *http, const struct job *job)
{
	fl_buf_reset(&http->masked);
	fl_url_mask(job->urls[job->at], &http->masked);
	return fl_buf_text(&http->masked);
}

static const char *method_of(const struct job *job)
{
	return job->method ? job->method : job->form ? "POST" : "GET";
}

/* Is there no need to ask? returns 1, 0, -1 */
static int play(struct fl_http *http, struct job *job, struct fl_error *err)
{
	int got;

	if (!http->settings.tape)
		return 0;
	fl_exchange_release(&job->played);
	job->played = (struct fl_exchange)FL_EXCHANGE_INIT;
	got = fl_tape_get(http->settings.tape, method_of(job),
			  job->urls[job->at], &job->played, err);
	if (got == 1) {
		job->state = PLAYED;
		job->tries++;
		fl_log("%s %s (recorded)", method_of(job), masked(http, job));
	}
	return got;
}

static int begin(struct fl_http *http, struct job *job, struct fl_error *err)
{
	CURLMcode code;

	if (!job->easy)
		job->easy = curl.easy_init();
	if (!job->easy)
		fl_out_of_memory();
	job->error[0] = '\0';
	job->too_large = false;
	fl_buf_release(&job->body);
	fl_buf_reset(&job->head);
	job->head.max = HEAD_MAX;
	job->body.max = http->settings.max_body;
	if (job->make_head && set_head(job, err) < 0)
		return -1;
	set_options(http, job);
	code = curl.multi_add_handle(http->multi, job->easy);
	if (code)
		return fl_error_set(
			err, FL_ERR_AGAIN, "cannot ask '%s': libcurl says: %s",
			masked(http, job), curl.multi_strerror(code));
	job->state = RUNS;
	job->tries++;
	http->requests++;
	fl_log("%s %s (try %u)", method_of(job), masked(http, job), job->tries);
	return 0;
}

static void free_job(struct job *job)
{
	if (!job)
		return;
	if (job->easy)
		curl.easy_cleanup(job->easy);
	free(job->urls[0]);
	free(job->urls[1]);
	free(job->form);
	free(job->cookie);
	free(job->method);
	curl.slist_free_all(job->headers);
	fl_buf_release(&job->head);
	fl_buf_release(&job->body);
	fl_exchange_release(&job->played);
	free(job);
}

static enum fl_http_fault fault_of(const struct job *job, CURLcode code)
{
	if (job->too_large)
		return FL_HTTP_TOO_LARGE;
	switch (code) {
	case CURLE_OK:
		return FL_HTTP_WHOLE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return FL_HTTP_TLS;
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return FL_HTTP_REDIRECTS;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WRITE_ERROR:
		return FL_HTTP_CUT;
	default:
		return FL_HTTP_NETWORK;
	}
}

/* libcurl's words, as ours are: beginning small, one line. */
static void put_why(const struct job *job, CURLcode code, char *why,
		    size_t size)
{
	const char *text =
		job->error[0] ? job->error : curl.easy_strerror(code);
	size_t len = strcspn(text, "\r\n");

	while (len && text[len - 1] == '.')
		len--;
	snprintf(why, size, "%s", fl_show(text, len, 250));
	if (why[0] >= 'A' && why[0] <= 'Z' && why[1] >= 'a' && why[1] <= 'z')
		why[0] = (char)(why[0] + ('a' - 'A'));
}

static void make_answer(struct fl_http *http, struct job *job, CURLcode code,
			struct fl_http_answer *answer)
{
	curl_off_t after = 0;
	long status = 0;
	size_t len;

	*answer = (struct fl_http_answer){
		.arg = job->arg,
		.fault = fault_of(job, code),
		.body = fl_buf_text(&job->body),
		.len = job->body.len,
		.date_ns = FL_TIME_NONE,
		.tries = job->tries,
		.took_ns = fl_monotonic_ns() - job->asked_ns,
		.url = masked(http, job),
		.place = job->urls[job->at],
		.head = fl_buf_text(&job->head),
	};
	curl.easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	curl.easy_getinfo(job->easy, CURLINFO_EFFECTIVE_URL, &answer->place);
	answer->status = status > 0 ? (unsigned)status : 0;
	/* Both forms, seconds and a date, are read by libcurl. */
	curl.easy_getinfo(job->easy, CURLINFO_RETRY_AFTER, &after);
	if (after > 0)
		answer->retry_after_ns = after < 1000000 ? after * FL_SECOND
							 : 1000000 * FL_SECOND;
	if (answer->fault == FL_HTTP_TOO_LARGE)
		snprintf(answer->why, sizeof(answer->why),
			 "the answer is larger than %zu MiB",
			 http->settings.max_body >> 20);
	else if (answer->fault)
		put_why(job, code, answer->why, sizeof(answer->why));
	if (fl_http_header(answer, "date", &len)) {
		time_t date = curl.getdate(fl_http_header(answer, "date", &len),
					   NULL);

		if (date > 0 && date < FL_TIME_MAX / FL_SECOND)
			answer->date_ns = date * FL_SECOND;
	}
}

/* A number from 0 to below 1. xorshift64* by Vigna: dice for back-off. */
static double roll(struct fl_http *http)
{
	uint64_t x = http->dice;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	http->dice = x;
	return (double)(x * UINT64_C(2685821657736338717) >> 11) /
	       (double)(UINT64_C(1) << 53);
}

/* How long until the next try; -1: there is none. */
static int64_t wait_of(struct fl_http *http, struct job *job,
		       const struct fl_http_answer *answer)
{
	const struct fl_http_settings *s = &http->settings;
	unsigned tries = job->tries - job->turned;
	int64_t wait = s->retry_ns;

	if (!fl_http_retryable(answer))
		return -1;
	/* Whoever says how long to wait is not asked by another door. */
	if (!answer->fault && !answer->retry_after_ns && job->urls[1] &&
	    !job->turned && answer->status != 408) {
		job->turned = true;
		job->at = 1;
		return 0;
	}
	if (tries >= s->tries || answer->retry_after_ns > s->retry_most_ns)
		return -1;
	for (; tries > 1 && wait < FL_HOUR; tries--)
		wait *= 2;
	/* Half of it is left to chance, so that many do not come at once. */
	wait = (int64_t)((double)wait * (0.5 + roll(http) / 2));
	return wait > answer->retry_after_ns ? wait : answer->retry_after_ns;
}

/* Tell the limit that the answer is there, and of redirects on the way. */
static void settle(struct fl_http *http, struct job *job)
{
	struct fl_error err = { .code = FL_OK };
	long redirects = 0;

	if (!http->settings.limit)
		return;
	curl.easy_getinfo(job->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	/* It was counted; whoever asks next meets the error. */
	if (fl_limit_settle(http->settings.limit,
			    redirects > 0 ? (unsigned)redirects : 0, &err) < 0)
		fl_log("%s", err.text);
}

/* An answer is there. true: it is the caller's; false: the job waits for
 * another try. */
static bool settled(struct fl_http *http, struct job *job,
		    const struct fl_http_answer *answer)
{
	int64_t wait = wait_of(http, job, answer);

	if (answer->fault)
		fl_log("%s: %s", answer->url, answer->why);
	else
		fl_log("%s: HTTP %u, %zu bytes", answer->url, answer->status,
		       answer->len);
	job->state = DONE;
	if (wait < 0)
		return true;
	/* What was recorded keeps nobody waiting. */
	if (http->settings.tape && fl_tape_plays(http->settings.tape))
		wait = 0;
	job->state = WAITS;
	job->due_ns = fl_monotonic_ns() + wait;
	fl_log("asking %sagain in %lld ms", job->at ? "the other host " : "",
	       (long long)(wait / 1000000));
	return false;
}

static int record(struct fl_http *http, struct job *job,
		  const struct fl_http_answer *answer, struct fl_error *err)
{
	struct fl_exchange exchange = {
		.fault = answer->fault,
		.status = answer->status,
		.asked_ns = fl_now_ns(),
		.date_ns = answer->date_ns,
		.retry_after_ns = answer->retry_after_ns,
		.head = job->head, /* borrowed, as is the next */
		.body = job->body,
	};

	if (!http->settings.tape)
		return 0;
	_Static_assert(sizeof(exchange.why) == sizeof(answer->why), "both");
	memcpy(exchange.why, answer->why, sizeof(exchange.why));
	return fl_tape_put(http->settings.tape, method_of(job),
			   job->urls[job->at], &exchange, err);
}

/* A transfer has ended. returns 1 its answer is the caller's; 0; -1 */
static int end(struct fl_http *http, struct job *job, CURLcode code,
	       struct fl_http_answer *answer, struct fl_error *err)
{
	curl.multi_remove_handle(http->multi, job->easy);
	settle(http, job);
	http->met = true;
	job->state = DONE;
	make_answer(http, job, code, answer);
	/* That it was told to stop is no answer. */
	if (!fl_stop_requested(http->io) && record(http, job, answer, err) < 0)
		return -1;
	return settled(http, job, answer);
}

/* --- what callers see --- */

static void unlink_job(struct fl_http *http, const struct job *job)
{
	struct job **at = &http->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
}

static struct curl_slist *make_headers(const char *accept)
{
	char *text = fl_sprintf("Accept: %s", accept ? accept : "*/*");
	struct curl_slist *headers = curl.slist_append(NULL, text);

	free(text);
	return curl.slist_append(headers, "Accept-Language: en-US,en;q=0.9");
}

int fl_http_open(struct fl_http **out, const struct fl_io *io,
		 const struct fl_http_settings *settings, struct fl_error *err)
{
	struct fl_http *http;

	*out = NULL;
	if (settings->ca_file && access(settings->ca_file, R_OK) < 0)
		return fl_error_set(err, FL_ERR_IO,
				    "cannot read '%s', the certificates to "
				    "trust",
				    fl_show(settings->ca_file,
					    strlen(settings->ca_file), 200));
	if (!curl.easy_init) {
		if (fl_curl_load(function_names, curl.all,
				 sizeof(curl.all) / sizeof(*curl.all), err) < 0)
			return -1;
		if (curl.global_init(CURL_GLOBAL_DEFAULT))
			return fl_error_set(err, FL_ERR_AGAIN,
					    "libcurl cannot start");
	}
	*out = http = fl_zalloc(sizeof(*http));
	http->io = io;
	http->settings = *settings;
	http->dice = ((uint64_t)fl_now_ns() ^ (uint64_t)getpid() << 32) | 1;
	http->multi = curl.multi_init();
	if (!http->multi)
		fl_out_of_memory();
	curl.multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)settings->parallel);
	if (settings->cookies) {
		http->share = curl.share_init();
		if (!http->share)
			fl_out_of_memory();
		curl.share_setopt(http->share, CURLSHOPT_SHARE,
				  CURL_LOCK_DATA_COOKIE);
	}
	http->headers = make_headers(settings->accept);
	return 0;
}

void fl_http_ask(struct fl_http *http, const struct fl_http_request *request)
{
	struct job *job = fl_zalloc(sizeof(*job)), **at = &http->jobs;

	job->http = http;
	job->arg = request->arg;
	job->urls[0] = fl_strdup(request->url);
	if (request->other_url)
		job->urls[1] = fl_strdup(request->other_url);
	if (request->form)
		job->form = fl_strdup(request->form);
	if (request->cookie)
		job->cookie = fl_strdup(request->cookie);
	if (request->accept)
		job->headers = make_headers(request->accept);
	if (request->method)
		job->method = fl_strdup(request->method);
	job->to_send = request->body;
	job->to_send_len = request->body_len;
	job->make_head = request->head;
	job->asked_ns = fl_monotonic_ns();
	job->due_ns = job->asked_ns + request->wait_ns;
	while (*at)
		at = &(*at)->next;
	*at = job;
}

/* Nothing is left of the day: wait for the next one, if that is wanted. */
static void spent(struct fl_http *http, struct job *job, int64_t wait)
{
	char text[200];
	size_t len;

	if (!http->settings.wait) {
		job->state = REFUSED;
		return;
	}
	/* The wall clock may be set meanwhile. */
	http->room_ns =
		fl_monotonic_ns() + (wait < FL_MINUTE ? wait : FL_MINUTE);
	fl_limit_words(http->settings.limit, text, sizeof(text));
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ", which is waited for");
	if (!http->told && http->settings.tell)
		http->settings.tell(http->settings.tell_arg, text);
	http->told = true;
}

/* May the job be asked now? returns 1; 0; -1 */
static int has_room(struct fl_http *http, struct job *job, int64_t now,
		    struct fl_error *err)
{
	enum fl_granted granted;
	int64_t wait;

	if (!http->settings.limit)
		return 1;
	if (http->room_ns > now)
		return 0;
	if (fl_limit_take(http->settings.limit, &granted, &wait, err) < 0)
		return -1;
	if (granted == FL_LIMIT_WAIT)
		http->room_ns = fl_monotonic_ns() + wait;
	else if (granted == FL_LIMIT_SPENT)
		spent(http, job, wait);
	else
		http->told = false;
	return granted == FL_LIMIT_ASK;
}

/* Start what is due; *wait_ns: until the next is. returns 0, -1 */
static int start_due(struct fl_http *http, int64_t *wait_ns,
		     struct fl_error *err)
{
	int64_t now = fl_monotonic_ns();

	for (struct job *job = http->jobs; job; job = job->next) {
		if (job->state != WAITS)
			continue;
		if (job->due_ns <= now) {
			int got;

			if (!http->met && http->requests)
				continue;
			got = play(http, job, err);
			if (got < 0)
				return -1;
			if (got)
				continue;
			got = has_room(http, job, now, err);
			if (got < 0 || (got && begin(http, job, err) < 0))
				return -1;
			if (!got && http->room_ns > now &&
			    http->room_ns - now < *wait_ns)
				*wait_ns = http->room_ns - now;
		} else if (job->due_ns - now < *wait_ns) {
			*wait_ns = job->due_ns - now;
		}
	}
	return 0;
}

static bool give_played(struct fl_http *http, struct fl_http_answer *answer)
{
	for (struct job *job = http->jobs; job; job = job->next) {
		const struct fl_exchange *played = &job->played;

		if (job->state != PLAYED)
			continue;
		*answer = (struct fl_http_answer){
			.arg = job->arg,
			.fault = played->fault > FL_HTTP_QUOTA
					 ? FL_HTTP_NETWORK
					 : (enum fl_http_fault)played->fault,
			.status = played->status,
			.body = fl_buf_text(&played->body),
			.len = played->body.len,
			.date_ns = played->date_ns,
			.retry_after_ns = played->retry_after_ns,
			.tries = job->tries,
			.took_ns = fl_monotonic_ns() - job->asked_ns,
			.url = masked(http, job),
			.place = job->urls[job->at],
			.head = fl_buf_text(&played->head),
		};
		snprintf(answer->why, sizeof(answer->why), "%s", played->why);
		if (!settled(http, job, answer))
			continue;
		unlink_job(http, job);
		http->given = job;
		return true;
	}
	return false;
}

/* One that the limit refused: it has no answer but that. */
static bool give_refused(struct fl_http *http, struct fl_http_answer *answer)
{
	for (struct job *job = http->jobs; job; job = job->next) {
		if (job->state != REFUSED)
			continue;
		*answer = (struct fl_http_answer){
			.arg = job->arg,
			.fault = FL_HTTP_QUOTA,
			.body = "",
			.date_ns = FL_TIME_NONE,
			.tries = job->tries,
			.took_ns = fl_monotonic_ns() - job->asked_ns,
			.url = masked(http, job),
			.head = "",
		};
		fl_limit_words(http->settings.limit, answer->why,
			       sizeof(answer->why));
		unlink_job(http, job);
		http->given = job;
		return true;
	}
	return false;
}

/* 1 an answer, 2 none yet, -1 */
static int work(struct fl_http *http, struct fl_http_answer *answer,
		struct fl_error *err)
{
	int running, left;
	CURLMcode code = curl.multi_perform(http->multi, &running);
	CURLMsg *msg;

	if (code)
		return fl_error_set(err, FL_ERR_AGAIN, "libcurl failed: %s",
				    curl.multi_strerror(code));
	while ((msg = curl.multi_info_read(http->multi, &left))) {
		struct job *job = NULL;
		CURLcode result = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &job);
		int given;

		given = end(http, job, result, answer, err);
		if (given < 0)
			return -1;
		if (!given)
			continue;
		unlink_job(http, job);
		http->given = job;
		return 1;
	}
	return 2;
}

int fl_http_next(struct fl_http *http, struct fl_http_answer *answer,
		 int64_t wait_ns, struct fl_error *err)
{
	int64_t until = fl_monotonic_ns() + wait_ns;

	free_job(http->given);
	http->given = NULL;
	while (http->jobs && !fl_stop_requested(http->io)) {
		int64_t left = until - fl_monotonic_ns(), wait;
		int got;

		wait = left > 0 ? left : 0;
		if (start_due(http, &wait, err) < 0)
			return -1;
		if (give_played(http, answer) || give_refused(http, answer))
			return 1;
		got = work(http, answer, err);
		if (got != 2 || left <= 0)
			return got;
		if (wait > POLL_MS * INT64_C(1000000))
			wait = POLL_MS * INT64_C(1000000);
		curl.multi_poll(http->multi, NULL, 0,
				(int)((wait + 999999) / 1000000), NULL);
	}
	return 0;
}

uint64_t fl_http_requests(const struct fl_http *http)
{
	return http->requests;
}

void fl_http_cookies(struct fl_http *http,
		     void (*each)(void *arg, const char *line), void *arg)
{
	/* Only a transfer can be asked, one that looks at the same share. */
	CURL *easy = curl.easy_init();
	struct curl_slist *list = NULL;

	if (!easy)
		fl_out_of_memory();
	curl.easy_setopt(easy, CURLOPT_SHARE, http->share);
	curl.easy_setopt(easy, CURLOPT_COOKIEFILE, "");
	curl.easy_getinfo(easy, CURLINFO_COOKIELIST, &list);
	for (const struct curl_slist *at = list; at; at = at->next)
		each(arg, at->data);
	curl.slist_free_all(list);
	curl.easy_cleanup(easy);
}

void fl_http_close(struct fl_http **http)
{
	struct fl_http *old = *http;

	*http = NULL;
	if (!old)
		return;
	for (struct job *job = old->jobs, *next; job; job = next) {
		next = job->next;
		if (job->state == RUNS)
			curl.multi_remove_handle(old->multi, job->easy);
		free_job(job);
	}
	free_job(old->given);
	curl.multi_cleanup(old->multi);
	curl.slist_free_all(old->headers);
	if (old->share)
		curl.share_cleanup(old->share);
	fl_buf_release(&old->masked);
	free(old);
}

#endif
