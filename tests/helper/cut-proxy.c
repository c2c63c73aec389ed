/* cut-proxy: stands between a client and its database server and breaks the
 * connection at one exact place: where a transaction is committed.
 *
 *   cut-proxy SERVER-PORT PORT LOG SEED ONE-IN FAULT...
 *
 * Listens on a free port of 127.0.0.1, told in the file PORT, until it is
 * killed. Of the COMMITs that come by, one in ONE-IN at random meets one of the
 * FAULTs, of which each is a line in LOG:
 *   before   it never gets there: the connection ends
 *   after    it is done, and its answer cut off behind some or none of its
 * bytes late     the connection ends, and it gets there half a second later
 *   silence  it is done, and from then on nothing comes any more
 * Half of the connections that end are reset. No protocol is known here but
 * that a client which says COMMIT then waits for the answer; TLS hides it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "listen.h"

enum {
	CHUNK = 1 << 16,
	LATE_MS = 500,
};

/* Where a byte does not go on, only their first one can begin anew. */
static const struct {
	const char *bytes;
	size_t len;
} words[] = {
	{ "Q\0\0\0\x0b"
	  "COMMIT\0",
	  12 },
	{ "\x07\0\0\0\x03"
	  "COMMIT",
	  11 },
};
#define WORDS (sizeof(words) / sizeof(*words))
static int upstream_port;
static unsigned seed, one_in;
static char **faults;
static unsigned fault_count;
static FILE *log_file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct link {
	int client, server;
	size_t matched[WORDS]; /* bytes of them that the client has just sent */
	const char *fault;
	unsigned dice; /* for what is left open */
};

static unsigned roll(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* A COMMIT has come: what is to become of it? NULL: nothing. */
static void choose(struct link *link)
{
	pthread_mutex_lock(&lock);
	link->fault = roll() % one_in ? NULL : faults[roll() % fault_count];
	link->dice = roll();
	if (link->fault)
		fprintf(log_file, "%s\n", link->fault);
	fflush(log_file);
	pthread_mutex_unlock(&lock);
}

static bool has_word(struct link *link, const char *bytes, size_t len)
{
	bool found = false;

	for (size_t i = 0; i < len; i++) {
		for (size_t w = 0; w < WORDS; w++) {
			size_t *at = &link->matched[w];

			if (bytes[i] == words[w].bytes[*at])
				++*at;
			else
				*at = bytes[i] == words[w].bytes[0];
			if (*at < words[w].len)
				continue;
			*at = 0;
			found = true;
		}
	}
	return found;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = send(fd, bytes, len, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

static void cut(struct link *link)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (link->dice & 1)
		setsockopt(link->client, SOL_SOCKET, SO_LINGER, &at_once,
			   sizeof(at_once));
	close(link->client);
	link->client = -1;
}

/* The client's own end of it is waited for. */
static void wait_for_client(const struct link *link)
{
	char bytes[CHUNK];

	while (recv(link->client, bytes, sizeof(bytes), 0) > 0)
		continue;
}

/* Some of what the server answers, then no more. */
static void cut_answer(struct link *link)
{
	char bytes[CHUNK];
	ssize_t len = recv(link->server, bytes, sizeof(bytes), 0);

	if (len > 0)
		send_all(link->client, bytes,
			 (link->dice >> 1) % (unsigned)len);
	cut(link);
}

/* The client said COMMIT, in these bytes. */
static void do_fault(struct link *link, const char *bytes, size_t len)
{
	const struct timespec late = { .tv_nsec = LATE_MS * 1000000L };

	if (strcmp(link->fault, "before") == 0) {
		cut(link);
	} else if (strcmp(link->fault, "late") == 0) {
		cut(link);
		nanosleep(&late, NULL);
		send_all(link->server, bytes, len);
		recv(link->server, (char[CHUNK]){ 0 }, CHUNK, 0);
	} else if (send_all(link->server, bytes, len)) {
		if (strcmp(link->fault, "after") == 0)
			cut_answer(link);
		else
			wait_for_client(link);
	}
}

/* What one side has sent; false at its end. */
static bool pass(struct link *link, bool from_client)
{
	int from = from_client ? link->client : link->server;
	char bytes[CHUNK];
	ssize_t len = recv(from, bytes, sizeof(bytes), 0);

	if (len <= 0)
		return false;
	if (from_client && has_word(link, bytes, (size_t)len)) {
		choose(link);
		if (link->fault) {
			do_fault(link, bytes, (size_t)len);
			return false;
		}
	}
	return send_all(from_client ? link->server : link->client, bytes,
			(size_t)len);
}

static void *serve(void *arg)
{
	struct link *link = arg;
	struct pollfd fds[2] = {
		{ .fd = link->client, .events = POLLIN },
		{ .fd = link->server, .events = POLLIN },
	};
	bool open = link->server >= 0;

	while (open && poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			open = pass(link, true);
		else if (fds[1].revents)
			open = pass(link, false);
	}
	if (link->client >= 0)
		close(link->client);
	if (link->server >= 0)
		close(link->server);
	free(link);
	return NULL;
}

static void *meet(int fd, unsigned number)
{
	struct link *link = fl_zalloc(sizeof(*link));
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)upstream_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	(void)number;
	link->client = fd;
	link->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(link->server, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
		   sizeof(int));
	if (connect(link->server, (const struct sockaddr *)&address,
		    sizeof(address)) < 0) {
		close(link->server);
		link->server = -1;
	}
	return link;
}

static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value <= 0 || value > 1000000)
		die("no number", text);
	return (int)value;
}

int main(int argc, char **argv)
{
	if (argc < 7)
		die("usage:",
		    "cut-proxy SERVER-PORT PORT LOG SEED ONE-IN FAULT...");
	upstream_port = number(argv[1]);
	log_file = open_log(argv[3], "");
	seed = (unsigned)number(argv[4]);
	one_in = (unsigned)number(argv[5]);
	faults = argv + 6;
	fault_count = (unsigned)argc - 6;
	for (unsigned i = 0; i < fault_count; i++) {
		if (!strstr("before after late silence", faults[i]))
			die("no fault", faults[i]);
	}
	serve_all(argv[2], meet, serve);
}
