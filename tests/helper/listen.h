/* listen: what the stand-in servers of tests share: they listen on a free port
 * of 127.0.0.1, tell its number in a file and serve each connection in a thread
 * until they are killed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_TESTS_HELPER_LISTEN_H
#define FL_TESTS_HELPER_LISTEN_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

static inline _Noreturn void die(const char *what, const char *name)
{
	fprintf(stderr, "%s: %s '%s'\n", program_invocation_short_name, what,
		name);
	exit(2);
}

/* The file PATH.more, to be added to. */
static inline FILE *open_log(const char *path, const char *more)
{
	char *name = fl_sprintf("%s%s", path, more);
	FILE *file = fopen(name, "ae");

	if (!file)
		die("cannot open", name);
	free(name);
	return file;
}

/* Where tests look for it: whole, or not at all. */
static inline void tell_port(const char *path, int port)
{
	char *other = fl_sprintf("%s.new", path);
	FILE *file = fopen(other, "w");

	if (!file || fprintf(file, "%d\n", port) < 0 || fclose(file) != 0 ||
	    rename(other, path) < 0)
		die("cannot write", path);
	free(other);
}

/* port   the file that is told the port
 * meet   makes what `serve` is given, which frees it; connections are counted
 *        from 1 */
static inline _Noreturn void serve_all(const char *port,
				       void *(*meet)(int fd, unsigned number),
				       void *(*serve)(void *connection))
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr =
					       htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		die("cannot listen on", "127.0.0.1");
	tell_port(port, ntohs(address.sin_port));
	for (unsigned number = 1;; number++) {
		int one = accept(fd, NULL, NULL);
		pthread_t thread;

		/* Head and body are two writes; neither is to wait. */
		setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
			   sizeof(int));
		if (one < 0 || pthread_create(&thread, NULL, serve,
					      meet(one, number)) != 0)
			die("cannot serve", "a connection");
		pthread_detach(thread);
	}
}

#endif
