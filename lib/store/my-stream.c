/* my-stream: many rows at once, given piece by piece; see my.h.
 *
 * The library asks for the data of a load when it likes to, and returns when
 * all is over: a thread waits for it, which nobody else sees.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"

#ifndef FL_WITHOUT_MYSQL
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/my-parts.h"

enum {
	WAITING = 1 << 18, /* bytes that wait to be sent, about */
};

struct fl_my_stream {
	struct fl_db *db;
	char *sql;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows, but for `going` */
	pthread_cond_t moved;
	struct fl_buf waiting;
	bool ended;          /* no more will come */
	bool over;           /* nobody takes it any more */
	struct fl_buf going; /* being sent: the thread's own */

	uint64_t warnings;
	int got;
	struct fl_error err;
};

static int next(void *arg, const char **bytes, size_t *len,
		struct fl_error *err)
{
	struct fl_my_stream *stream = arg;
	struct fl_buf empty = stream->going;

	(void)err;
	fl_buf_reset(&empty);
	pthread_mutex_lock(&stream->lock);
	while (stream->waiting.len == 0 && !stream->ended)
		pthread_cond_wait(&stream->moved, &stream->lock);
	stream->going = stream->waiting;
	stream->waiting = empty;
	pthread_cond_signal(&stream->moved);
	pthread_mutex_unlock(&stream->lock);
	*bytes = stream->going.data;
	*len = stream->going.len;
	return *len > 0;
}

static void *work(void *arg)
{
	struct fl_my_stream *stream = arg;
	uint64_t rows, replaced;

	stream->got = fl_my_load(stream->db, stream->sql, next, stream, &rows,
				 &replaced, &stream->warnings, &stream->err);
	pthread_mutex_lock(&stream->lock);
	stream->over = true;
	pthread_cond_signal(&stream->moved);
	pthread_mutex_unlock(&stream->lock);
	return NULL;
}

static void drop(struct fl_my_stream *stream)
{
	pthread_cond_destroy(&stream->moved);
	pthread_mutex_destroy(&stream->lock);
	fl_buf_release(&stream->waiting);
	fl_buf_release(&stream->going);
	free(stream->sql);
	free(stream);
}

int fl_my_load_begin(struct fl_db *db, const char *sql, struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	struct fl_my_stream *stream = fl_zalloc(sizeof(*stream));
	sigset_t all, before;
	int got;

	stream->db = db;
	stream->sql = fl_strdup(sql);
	pthread_mutex_init(&stream->lock, NULL);
	pthread_cond_init(&stream->moved, NULL);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	got = pthread_create(&stream->thread, NULL, work, stream);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (got == 0) {
		my->stream = stream;
		return 0;
	}
	drop(stream);
	db->fault = FL_FAULT_OTHER;
	return fl_error_set(err, FL_ERR_AGAIN,
			    "cannot write to '%s': no thread: %s", db->shown,
			    strerror(got));
}

void fl_my_load_put(struct fl_db *db, const char *bytes, size_t len)
{
	struct fl_my_stream *stream = ((struct fl_my *)db)->stream;

	pthread_mutex_lock(&stream->lock);
	while (stream->waiting.len > WAITING && !stream->over)
		pthread_cond_wait(&stream->moved, &stream->lock);
	if (!stream->over)
		fl_buf_append(&stream->waiting, bytes, len);
	pthread_cond_signal(&stream->moved);
	pthread_mutex_unlock(&stream->lock);
}

int fl_my_load_end(struct fl_db *db, uint64_t *warnings, struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	struct fl_my_stream *stream = my->stream;
	int got;

	pthread_mutex_lock(&stream->lock);
	stream->ended = true;
	pthread_cond_signal(&stream->moved);
	pthread_mutex_unlock(&stream->lock);
	pthread_join(stream->thread, NULL);
	my->stream = NULL;
	*warnings = stream->warnings;
	got = stream->got;
	if (got < 0)
		*err = stream->err;
	drop(stream);
	return got;
}

#endif
