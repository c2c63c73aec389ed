/* http: questions to web servers, several at once.
 *
 * Bytes in and out; what they mean is the caller's affair. Behind it is
 * libcurl's multi interface: connections are kept and shared, HTTP/2 is used
 * where the server has it, gzip and its kin are undone, proxies come from the
 * environment (https_proxy, no_proxy …), and certificates are always verified.
 * What fails for a while is asked again, with exponential back-off and jitter.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_HTTP_H
#define FL_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/io.h"

#define FL_HTTP_PARALLEL 16          /* transfers at once, at the most */
#define FL_HTTP_BODY     (32u << 20) /* bytes of an answer, by default */

struct fl_http;
struct fl_limit; /* net/limit.h */
struct fl_tape;  /* net/tape.h */

struct fl_http_settings {
	const char *agent;     /* User-Agent */
	const char *accept;    /* NULL: any type */
	const char *ca_file;   /* PEM; NULL: the system's authorities */
	unsigned parallel;     /* 1 to FL_HTTP_PARALLEL */
	unsigned tries;        /* of one question, at least 1 */
	int64_t retry_ns;      /* before the second; doubled each time */
	int64_t retry_most_ns; /* a longer Retry-After is not waited for */
	int64_t connect_ns;    /* for a connection, TLS included */
	int64_t stall_ns;      /* with next to nothing coming */
	size_t max_body;       /* bytes, after decompression */
	bool cookies;          /* keep what servers set, and send it back */
	/* Each try is asked for there first. NULL: no limit. Where the day's
	 * requests are used up a question fails, or waits for the next day. */
	struct fl_limit *limit;
	/* What it plays is not asked; what is asked goes there. NULL: none */
	struct fl_tape *tape;
	bool wait;
	void (*tell)(void *arg, const char *text); /* that it waits; NULL */
	void *tell_arg;
};
#define FL_HTTP_SETTINGS                                                       \
	{                                                                      \
		.agent = "FinanceLake", .parallel = 4, .tries = 4,             \
		.retry_ns = 2 * FL_SECOND, .retry_most_ns = FL_MINUTE,         \
		.connect_ns = 10 * FL_SECOND, .stall_ns = 30 * FL_SECOND,      \
		.max_body = FL_HTTP_BODY                                       \
	}

struct fl_http_request {
	const char *url;       /* http or https */
	const char *other_url; /* the same at another host: asked once, at once,
				* after a 429 or 5xx; NULL */
	void *arg;             /* comes back with the answer */
	int64_t wait_ns;       /* not to be asked before */
	const char *form;      /* POST this form; NULL: GET */
	const char *accept;    /* instead of the settings'; NULL */
	const char *cookie;    /* "A=1; B=2", for the first host alone; NULL */
	/* A question whose every byte counts: "PUT", "HEAD", also "GET". The
	 * URL is sent as it stands, redirects are answers, nothing that comes
	 * is undone, and the header is what `head` says. NULL: as above. */
	const char *method;
	const void *body; /* body_len bytes to send, borrowed until the answer
			   * was given; NULL */
	size_t body_len;
	/* Lines of header, an LF behind each, asked for before every try: what
	 * is signed is signed with its time. An error ends fl_http_next(). */
	int (*head)(void *arg, struct fl_buf *lines, struct fl_error *err);
};

/* Why no whole answer came. */
enum fl_http_fault {
	FL_HTTP_WHOLE,
	FL_HTTP_NETWORK,   /* no name, no connection, nothing came in time */
	FL_HTTP_CUT,       /* ended in the middle */
	FL_HTTP_TLS,       /* a certificate that cannot be verified */
	FL_HTTP_REDIRECTS, /* too many, or to no http */
	FL_HTTP_TOO_LARGE,
	FL_HTTP_QUOTA, /* not asked: nothing is left of the day */
};

struct fl_http_answer {
	void *arg; /* of the request */
	enum fl_http_fault fault;
	char why[300];    /* of a fault: "could not resolve host: x" */
	unsigned status;  /* 0: none came */
	const char *body; /* len bytes and a NUL */
	size_t len;
	int64_t date_ns;        /* the server's Date; FL_TIME_NONE */
	int64_t retry_after_ns; /* what it asked for; 0: nothing */
	unsigned tries;
	int64_t took_ns;   /* all tries and waits */
	const char *url;   /* the last one asked, secrets masked */
	const char *place; /* where redirects have led to, nothing masked: not
			    * to be shown */
	const char *head;  /* lines of the last answer's header */
};

/* errors  FL_ERR_USAGE built without libcurl, or none on this machine;
 *         FL_ERR_IO ca_file cannot be read */
int fl_http_open(struct fl_http **http, const struct fl_io *io,
		 const struct fl_http_settings *settings, struct fl_error *err);
/* Queue a question; strings are copied. */
void fl_http_ask(struct fl_http *http, const struct fl_http_request *request);
/* The next answer, in the order in which they come.
 *
 * answer  borrowed until the next call on `http`
 * returns 1 an answer, also one with a fault or a bad status; 0 none is
 *         outstanding, or a stop was asked for; 2 none came within wait_ns;
 *         -1 libcurl failed */
int fl_http_next(struct fl_http *http, struct fl_http_answer *answer,
		 int64_t wait_ns, struct fl_error *err);
/* May the same question be answered another time? By the fault or status. */
bool fl_http_retryable(const struct fl_http_answer *answer);
/* The value of a header of the answer, or NULL; name without colon. Its length
 * is in *len. */
const char *fl_http_header(const struct fl_http_answer *answer,
			   const char *name, size_t *len);
uint64_t fl_http_requests(const struct fl_http *http); /* sent so far */
/* The cookies that settings.cookies kept, none that has expired.
 * line  as Netscape had it: domain, TRUE or FALSE, path, TRUE or FALSE, the
 *       second when it ends (0: with the session), name, value; tabs between */
void fl_http_cookies(struct fl_http *http,
		     void (*each)(void *arg, const char *line), void *arg);
void fl_http_close(struct fl_http **http); /* NULL is fine; sets NULL */
/* Append text with all but unreserved characters as %XX (RFC 3986). */
void fl_url_escape(const char *text, struct fl_buf *out);

#endif
