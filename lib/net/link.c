/* link: see link.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#ifdef FL_WITHOUT_CURL

int fl_link_open(struct fl_link **link, const struct fl_link_settings *settings,
		 struct fl_error *err)
{
	(void)settings;
	*link = NULL;
	return fl_error_set(err, FL_ERR_USAGE,
			    "this build has no libcurl, and so no connections");
}

enum fl_link_state fl_link_connect(struct fl_link *link)
{
	(void)link;
	return FL_LINK_FAILED;
}

ssize_t fl_link_receive(struct fl_link *link, void *bytes, size_t size)
{
	(void)link;
	(void)bytes;
	(void)size;
	return -2;
}

ssize_t fl_link_send(struct fl_link *link, const void *bytes, size_t len)
{
	(void)link;
	(void)bytes;
	(void)len;
	return -2;
}

void fl_link_wait(struct fl_link *link, bool to_send, int64_t wait_ns)
{
	(void)link;
	(void)to_send;
	(void)wait_ns;
}

const char *fl_link_why(const struct fl_link *link)
{
	(void)link;
	return "built without libcurl";
}

void fl_link_close(struct fl_link **link)
{
	*link = NULL;
}

#else

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/curl.h"

/* The functions of libcurl that we use. */
#define FUNCTIONS(X)                                                           \
	X(easy_cleanup)                                                        \
	X(easy_getinfo)                                                        \
	X(easy_init)                                                           \
	X(easy_recv)                                                           \
	X(easy_send)                                                           \
	X(easy_setopt)                                                         \
	X(easy_strerror)                                                       \
	X(global_init)                                                         \
	X(multi_add_handle)                                                    \
	X(multi_cleanup)                                                       \
	X(multi_info_read)                                                     \
	X(multi_init)                                                          \
	X(multi_perform)                                                       \
	X(multi_poll)                                                          \
	X(multi_remove_handle)                                                 \
	X(multi_strerror)

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

struct fl_link {
	CURLM *multi;
	CURL *easy;
	curl_socket_t fd; /* once it is up */
	enum fl_link_state state;
	char error[CURL_ERROR_SIZE];
	char why[300];
};

static int load(struct fl_error *err)
{
	if (curl.easy_init)
		return 0;
	if (fl_curl_load(function_names, curl.all,
			 sizeof(curl.all) / sizeof(*curl.all), err) < 0)
		return -1;
	if (curl.global_init(CURL_GLOBAL_DEFAULT))
		return fl_error_set(err, FL_ERR_AGAIN, "libcurl cannot start");
	return 0;
}

/* libcurl's words, as ours are: beginning small, one line. */
static void put_why(struct fl_link *link, CURLcode code)
{
	const char *text =
		link->error[0] ? link->error : curl.easy_strerror(code);
	size_t len = strcspn(text, "\r\n");
	char *why = link->why;

	while (len && text[len - 1] == '.')
		len--;
	snprintf(why, sizeof(link->why), "%s", fl_show(text, len, 250));
	if (why[0] >= 'A' && why[0] <= 'Z' && why[1] >= 'a' && why[1] <= 'z')
		why[0] = (char)(why[0] + ('a' - 'A'));
}

static void set_options(struct fl_link *link,
			const struct fl_link_settings *settings)
{
	char *url = fl_sprintf("http%s://%s/", settings->secure ? "s" : "",
			       settings->authority);

#define SET(option, value) curl.easy_setopt(link->easy, CURLOPT_##option, value)
	SET(URL, url);
	SET(CONNECT_ONLY, 1L);
	SET(ERRORBUFFER, link->error);
	SET(NOSIGNAL, 1L);
	SET(USERAGENT, settings->agent);
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(HTTPPROXYTUNNEL, 1L); /* a proxy is to pass bytes, not to ask */
	SET(TCP_KEEPALIVE, 1L);
	SET(CONNECTTIMEOUT_MS, (long)(settings->connect_ns / 1000000));
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(QUICK_EXIT, 1L); /* a name that does not resolve holds nobody up */
#endif
	if (settings->ca_file)
		SET(CAINFO, settings->ca_file);
#undef SET
	/* Verification is libcurl's default, and nothing here turns it off. */
	free(url);
}

int fl_link_open(struct fl_link **out, const struct fl_link_settings *settings,
		 struct fl_error *err)
{
	struct fl_link *link;
	CURLMcode code;

	*out = NULL;
	if (settings->ca_file && access(settings->ca_file, R_OK) < 0)
		return fl_error_set(err, FL_ERR_IO,
				    "cannot read '%s', the certificates to "
				    "trust",
				    fl_show(settings->ca_file,
					    strlen(settings->ca_file), 200));
	if (load(err) < 0)
		return -1;
	*out = link = fl_zalloc(sizeof(*link));
	link->fd = CURL_SOCKET_BAD;
	link->multi = curl.multi_init();
	link->easy = curl.easy_init();
	if (!link->multi || !link->easy)
		fl_out_of_memory();
	set_options(link, settings);
	code = curl.multi_add_handle(link->multi, link->easy);
	if (code) {
		link->state = FL_LINK_FAILED;
		snprintf(link->why, sizeof(link->why), "libcurl says: %s",
			 curl.multi_strerror(code));
	}
	return 0;
}

static void take_result(struct fl_link *link, CURLcode code)
{
	link->state = FL_LINK_FAILED;
	switch (code) {
	case CURLE_OK:
		/* The handle stays where it is: the connection is its. */
		curl.easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &link->fd);
		if (link->fd != CURL_SOCKET_BAD) {
			link->state = FL_LINK_UP;
			return;
		}
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		link->state = FL_LINK_UNTRUSTED;
		break;
	default:
		break;
	}
	put_why(link, code);
}

enum fl_link_state fl_link_connect(struct fl_link *link)
{
	int running, left;
	CURLMcode code;
	CURLMsg *msg;

	if (link->state != FL_LINK_CONNECTING)
		return link->state;
	code = curl.multi_perform(link->multi, &running);
	if (code) {
		link->state = FL_LINK_FAILED;
		snprintf(link->why, sizeof(link->why), "libcurl failed: %s",
			 curl.multi_strerror(code));
	}
	while (!code && (msg = curl.multi_info_read(link->multi, &left)))
		if (msg->msg == CURLMSG_DONE)
			take_result(link, msg->data.result);
	return link->state;
}

ssize_t fl_link_receive(struct fl_link *link, void *bytes, size_t size)
{
	size_t got = 0;
	CURLcode code = curl.easy_recv(link->easy, bytes, size, &got);

	if (code == CURLE_AGAIN)
		return -1;
	if (code) {
		put_why(link, code);
		return -2;
	}
	return (ssize_t)got;
}

ssize_t fl_link_send(struct fl_link *link, const void *bytes, size_t len)
{
	size_t sent = 0;
	CURLcode code = curl.easy_send(link->easy, bytes, len, &sent);

	if (code && code != CURLE_AGAIN) {
		put_why(link, code);
		return -2;
	}
	return (ssize_t)sent;
}

void fl_link_wait(struct fl_link *link, bool to_send, int64_t wait_ns)
{
	int ms = (int)((wait_ns + 999999) / 1000000);
	struct pollfd fd = { .fd = link->fd, .events = POLLIN };

	if (link->state == FL_LINK_CONNECTING) {
		curl.multi_poll(link->multi, NULL, 0, ms, NULL);
		return;
	}
	if (to_send)
		fd.events |= POLLOUT;
	poll(&fd, 1, ms);
}

const char *fl_link_why(const struct fl_link *link)
{
	return link->why;
}

void fl_link_close(struct fl_link **out)
{
	struct fl_link *link = *out;

	*out = NULL;
	if (!link)
		return;
	curl.multi_remove_handle(link->multi, link->easy);
	curl.easy_cleanup(link->easy);
	curl.multi_cleanup(link->multi);
	free(link);
}

#endif
