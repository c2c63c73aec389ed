/* blocks: whatever way an input falls into blocks, its lines are the same.
 *
 * The reference is a plain split of the whole text at each LF.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include "io/io.h"
#include "tap.h"

enum {
	BLOCK = 1024 * 1024,
	KEPT = 64 * 1024, /* of a line that fits no block */
};

static const unsigned workers[] = { 1, 2, 5 };
#define EACH_WORKERS(w) for (const unsigned *w = workers; w < workers + 3; w++)

static char file[] = "/tmp/fl-blocks-XXXXXX";

struct line {
	uint64_t number, bytes; /* of the whole line */
	uint64_t hash;          /* of what is kept of it */
};

struct lines {
	struct line *items;
	size_t count, cap;
	uint64_t bytes; /* of the input */
};

static void add_line(struct lines *lines, uint64_t number, const char *bytes,
		     size_t len, uint64_t whole)
{
	if (lines->count == lines->cap) {
		lines->cap = lines->cap ? 2 * lines->cap : 64;
		lines->items = fl_realloc(lines->items, lines->cap,
					  sizeof(*lines->items));
	}
	lines->items[lines->count++] =
		(struct line){ number, whole, fl_hash64(bytes, len) };
}

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!strchr(" \t\r", bytes[i]))
			return false;
	}
	return true;
}

/* What is to come out. */
static void split(const char *bytes, size_t len, struct lines *lines)
{
	uint64_t number = 0;

	lines->count = 0;
	lines->bytes = len;
	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		len -= 3;
		lines->bytes -= 3;
	}
	while (len) {
		const char *lf = memchr(bytes, '\n', len);
		size_t n = lf ? (size_t)(lf - bytes) : len, kept = n;
		size_t step = n + (lf != NULL);

		number++;
		if (n >= BLOCK)
			kept = KEPT;
		else if (kept && bytes[kept - 1] == '\r')
			kept--;
		if (n >= BLOCK || !is_blank(bytes, kept))
			add_line(lines, number, bytes, kept,
				 n >= BLOCK ? n : kept);
		bytes += step;
		len -= step;
	}
}

static void count_work(void *arg, unsigned worker, struct fl_block *block)
{
	/* Workers' results belong to their block: counted again below. */
	uint64_t *seen = block->result;

	(void)arg;
	(void)worker;
	if (!seen)
		block->result = seen = fl_zalloc(sizeof(*seen));
	*seen = block->len;
}

/* Take all lines of the blocks. returns as the last fl_blocks_next */
static int take(struct fl_blocks *blocks, struct lines *lines,
		struct fl_error *err)
{
	struct fl_block *block;
	int got;

	lines->count = 0;
	lines->bytes = 0;
	while ((got = fl_blocks_next(blocks, &block, err)) > 0) {
		const char *bytes;
		uint64_t number;
		size_t at = 0, len;

		lines->bytes += fl_block_bytes(block);
		if (*(uint64_t *)block->result != block->len)
			return -2;
		while (fl_block_line(block, &at, &bytes, &len, &number))
			add_line(lines, number, bytes, len,
				 block->oversize ? block->oversize : len);
	}
	return got;
}

static const struct fl_blocks_work counting = { .work = count_work,
						.free_result = free };

static bool equal(const struct lines *a, const struct lines *b)
{
	if (a->count != b->count || a->bytes != b->bytes) {
		note("%zu lines of %llu bytes, not %zu of %llu", b->count,
		     (unsigned long long)b->bytes, a->count,
		     (unsigned long long)a->bytes);
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		const struct line *x = &a->items[i], *y = &b->items[i];

		if (x->number == y->number && x->bytes == y->bytes &&
		    x->hash == y->hash)
			continue;
		note("line %llu of %llu bytes came as %llu of %llu",
		     (unsigned long long)x->number,
		     (unsigned long long)x->bytes,
		     (unsigned long long)y->number,
		     (unsigned long long)y->bytes);
		return false;
	}
	return true;
}

/* --- from a file -------------------------------------------------------------
 */

static bool same_from_file(const struct fl_buf *text, unsigned count)
{
	struct fl_error err = { .code = FL_OK };
	struct lines want = { 0 }, got = { 0 };
	struct fl_stream *in = NULL;
	struct fl_blocks *blocks = NULL;
	FILE *f = fopen(file, "w");
	bool same;

	if (!f || fwrite(text->data, 1, text->len, f) != text->len || fclose(f))
		abort();
	split(text->data, text->len, &want);
	same = fl_stream_open(&in, file, &err) == 0 &&
	       fl_blocks_open(&blocks, in, count, &counting, &err) == 0 &&
	       take(blocks, &got, &err) == 0 && equal(&want, &got);
	fl_blocks_close(&blocks);
	fl_stream_close(&in);
	free(want.items);
	free(got.items);
	return same;
}

/* A line of `len` bytes and its LF; each is another one. */
static void put_line(struct fl_buf *text, size_t len)
{
	static unsigned turn;
	char head[16];
	int n = snprintf(head, sizeof(head), "{%u", turn++);

	if (n < 0)
		abort();
	fl_buf_append(text, head, len < (size_t)n ? len : (size_t)n);
	for (size_t i = (size_t)n; i < len; i++)
		fl_buf_putc(text, (char)('a' + i % 26));
	fl_buf_putc(text, '\n');
}

/* Lines up to `size` bytes, the last of which ends there. */
static void fill_up(struct fl_buf *text, size_t size)
{
	while (size - text->len > 3000)
		put_line(text, 1000 + text->len % 977);
	put_line(text, size - text->len - 1);
}

/* So many bytes off the end of the n-th block. */
static size_t around(size_t n, int offset)
{
	return n * BLOCK + (size_t)(offset + 100) - 100;
}

static void test_boundaries(void)
{
	struct fl_buf text = FL_BUF_INIT;

	EACH_WORKERS(w)
	{
		int wrong = 0;

		for (int offset = -5; offset <= 5; offset++) {
			for (size_t next = 0; next <= 4; next++) {
				fl_buf_reset(&text);
				fill_up(&text, around(1, offset));
				put_line(&text, next);
				put_line(&text, 2);
				fill_up(&text, around(2, offset));
				put_line(&text, 10);
				wrong += !same_from_file(&text, *w);
			}
		}
		is_int(wrong, 0,
		       "lines that end around a block's end, %u workers", *w);
	}
	fl_buf_release(&text);
}

static void test_oversize(void)
{
	struct fl_buf text = FL_BUF_INIT;

	EACH_WORKERS(w)
	{
		int wrong = 0;

		for (int offset = -2; offset <= 2; offset++) {
			for (int kind = 0; kind < 6; kind++) {
				size_t len = around(1, offset);

				fl_buf_reset(&text);
				if (kind & 1)
					put_line(&text, 5);
				put_line(&text, kind < 4 ? len : 3 * len);
				if (kind & 2)
					put_line(&text, len);
				for (size_t i = 0; i < 20; i++)
					put_line(&text, i);
				put_line(&text, len);
				if (kind & 1)
					text.len--; /* no LF at the end */
				wrong += !same_from_file(&text, *w);
			}
		}
		is_int(wrong, 0, "lines as long as a block, %u workers", *w);
	}
	/* What is longer than a block is no blank line, whatever is in it. */
	fl_buf_reset(&text);
	for (int i = 0; i < 2 * BLOCK; i++)
		fl_buf_putc(&text, ' ');
	fl_buf_puts(&text, "\r\n{}\n");
	ok(same_from_file(&text, 2), "two mebibytes of blanks are a line");
	fl_buf_release(&text);
}

static void test_small(void)
{
	static const char *const texts[] = {
		"",
		"\n",
		"\r\n",
		"{}",
		"{}\n",
		"{}\r\n",
		"{}\r",
		"\n\n{}\n\n \t\r\n{}\n\n",
		"\xef\xbb\xbf",
		"\xef\xbb\xbf{}\n",
		"\xef\xbb\xbf\n{}",
		"\xef\xbb",
		"\xef\xbb\n{}\n",
		"{}\n\xef\xbb\xbf{}\n",
		"a\rb\n\rc\n",
	};
	struct fl_buf text = FL_BUF_INIT;
	int wrong = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		fl_buf_reset(&text);
		fl_buf_puts(&text, texts[i]);
		EACH_WORKERS(w)
		wrong += !same_from_file(&text, *w);
	}
	is_int(wrong, 0, "blank lines, CR, byte order marks, no last LF");
	fl_buf_release(&text);
}

/* --- from a pipe -------------------------------------------------------------
 */

struct feed {
	int fd;
	const struct fl_buf *bytes;
	unsigned seed;
};

/* In parts of any size, as pipes give them. */
static void *feed_pipe(void *arg)
{
	struct feed *feed = arg;

	for (size_t at = 0; at < feed->bytes->len;) {
		size_t left = feed->bytes->len - at, part;

		feed->seed = feed->seed * 1103515245 + 12345;
		part = 1 + (feed->seed >> 8) % 200000;
		if (feed->seed >> 8 & 1)
			part = 1 + part % 20;
		if (part > left)
			part = left;
		if (write(feed->fd, feed->bytes->data + at, part) < 0)
			break;
		at += part;
	}
	close(feed->fd);
	return NULL;
}

static void open_pipe(int fds[2], struct fl_stream **in)
{
	struct fl_error err = { .code = FL_OK };
	char path[32];

	if (pipe(fds) < 0)
		abort();
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	if (fl_stream_open(in, path, &err) < 0)
		abort();
	close(fds[0]);
}

static void test_pipe(void)
{
	struct fl_buf text = FL_BUF_INIT;
	struct lines want = { 0 };

	fill_up(&text, 1500000);
	put_line(&text, 1300000);
	fill_up(&text, text.len + 700000);
	put_line(&text, 1100000);
	text.len -= 1;
	split(text.data, text.len, &want);
	EACH_WORKERS(w)
	{
		int wrong = 0;

		for (unsigned seed = 1; seed <= 3; seed++) {
			struct feed feed = { .bytes = &text, .seed = seed };
			struct fl_error err = { .code = FL_OK };
			struct lines got = { 0 };
			struct fl_stream *in;
			struct fl_blocks *blocks;
			pthread_t thread;
			int fds[2];

			open_pipe(fds, &in);
			feed.fd = fds[1];
			pthread_create(&thread, NULL, feed_pipe, &feed);
			wrong += fl_blocks_open(&blocks, in, *w, &counting,
						&err) < 0 ||
				 take(blocks, &got, &err) != 0 ||
				 !equal(&want, &got);
			pthread_join(thread, NULL);
			fl_blocks_close(&blocks);
			fl_stream_close(&in);
			free(got.items);
		}
		is_int(wrong, 0, "a pipe gives the same lines, %u workers", *w);
	}
	free(want.items);
	fl_buf_release(&text);
}

/* Writes the next line only when the reader says that it is about to wait, as
 * one does who answers what was flushed. A line late is a fault, not a hang:
 * after ten seconds the pipe is closed. */
struct answer {
	sem_t asked;
	int fd, lines;
};

static void ask(void *arg)
{
	sem_post(arg);
}

static void *answer_asks(void *arg)
{
	struct answer *answer = arg;
	struct timespec until;

	for (; answer->lines < 5; answer->lines++) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 10;
		if (sem_timedwait(&answer->asked, &until) < 0 ||
		    write(answer->fd, "{}\n", 3) != 3)
			break;
	}
	close(answer->fd);
	return NULL;
}

static void test_idle(void)
{
	EACH_WORKERS(w)
	{
		struct answer answer = { .lines = 0 };
		struct fl_blocks_work work = counting;
		struct fl_error err = { .code = FL_OK };
		struct lines got = { 0 };
		struct fl_stream *in;
		struct fl_blocks *blocks;
		pthread_t thread;
		int fds[2];

		open_pipe(fds, &in);
		answer.fd = fds[1];
		sem_init(&answer.asked, 0, 0);
		work.idle = ask;
		work.arg = &answer.asked;
		pthread_create(&thread, NULL, answer_asks, &answer);
		ok(fl_blocks_open(&blocks, in, *w, &work, &err) == 0 &&
			   take(blocks, &got, &err) == 0,
		   "a pipe that answers is read, %u workers", *w);
		pthread_join(thread, NULL);
		is_int(answer.lines, 5, "each wait was told before");
		fl_blocks_close(&blocks);
		fl_stream_close(&in);
		sem_destroy(&answer.asked);
		free(got.items);
	}
}

/* What has come is handed out at once, without waiting for a whole block. */
static void test_prompt(void)
{
	EACH_WORKERS(w)
	{
		struct fl_error err = { .code = FL_OK };
		struct fl_stream *in;
		struct fl_blocks *blocks;
		struct fl_block *block;
		int fds[2], wrong = 0;

		open_pipe(fds, &in);
		fl_blocks_open(&blocks, in, *w, &counting, &err);
		for (int i = 0; i < 5; i++) {
			/* One line, and half of the next. */
			const char *text = i ? "b}\n{a" : "{}\n{a";

			if (write(fds[1], text, 5) != 5)
				abort();
			wrong += fl_blocks_next(blocks, &block, &err) != 1 ||
				 block->lines != 1 ||
				 block->first_line != (uint64_t)i + 1 ||
				 memcmp(block->data, i ? "{ab}\n" : "{}\n",
					block->len) != 0;
		}
		is_int(wrong, 0, "lines come as they are written, %u workers",
		       *w);
		/* Closed while a reader waits for more of it. */
		{
			int64_t began = fl_monotonic_ns();

			fl_blocks_close(&blocks);
			ok(fl_monotonic_ns() - began < FL_SECOND,
			   "closing does not wait for the writer");
		}
		fl_stream_close(&in);
		close(fds[1]);
	}
}

static bool is_set(const void *arg)
{
	return __atomic_load_n((const bool *)arg, __ATOMIC_SEQ_CST);
}

static void test_stop(void)
{
	EACH_WORKERS(w)
	{
		bool stop = false;
		struct fl_blocks_work work = counting;
		struct fl_error err = { .code = FL_OK };
		struct fl_stream *in;
		struct fl_blocks *blocks;
		struct fl_block *block;
		int64_t began;
		int fds[2];

		open_pipe(fds, &in);
		work.stopped = is_set;
		work.stopped_arg = &stop;
		fl_blocks_open(&blocks, in, *w, &work, &err);
		if (write(fds[1], "{}\n{ha", 6) != 6)
			abort();
		ok(fl_blocks_next(blocks, &block, &err) == 1 && block->len == 3,
		   "a line, %u workers", *w);
		__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
		began = fl_monotonic_ns();
		is_int(fl_blocks_next(blocks, &block, &err), 0,
		       "told to stop, half a line is none");
		ok(fl_monotonic_ns() - began < FL_SECOND, "and it is soon");
		fl_blocks_close(&blocks);
		fl_stream_close(&in);
		close(fds[1]);
	}
}

/* --- faults ------------------------------------------------------------------
 */

static void test_fault(void)
{
	struct fl_buf text = FL_BUF_INIT;
	struct fl_error err = { .code = FL_OK };
	struct fl_stream *stream;
	char path[64];
	struct lines want = { 0 };

	fill_up(&text, 5 * BLOCK);
	split(text.data, text.len, &want);
	snprintf(path, sizeof(path), "%s.zst", file);
	fl_stream_create(&stream, path, &err);
	fl_stream_write(stream, text.data, text.len, &err);
	fl_stream_finish(stream, &err);
	fl_stream_close(&stream);
	{
		FILE *f = fopen(path, "r");

		fseek(f, 0, SEEK_END);
		if (truncate(path, ftell(f) * 2 / 3) < 0)
			abort();
		fclose(f);
	}
	EACH_WORKERS(w)
	{
		struct lines got = { 0 };
		struct fl_blocks *blocks;
		int result;

		fl_stream_open(&stream, path, &err);
		fl_blocks_open(&blocks, stream, *w, &counting, &err);
		result = take(blocks, &got, &err);
		ok(result == -1 && err.code == FL_ERR_DATA,
		   "a cut-off archive is told, %u workers", *w);
		ok(got.count > 1000 && got.count < want.count,
		   "after %zu of %zu lines", got.count, want.count);
		want.count = got.count;
		want.bytes = got.bytes;
		ok(equal(&want, &got), "which are the first ones");
		fl_blocks_close(&blocks);
		fl_stream_close(&stream);
		fl_error_clear(&err);
		free(got.items);
		split(text.data, text.len, &want);
	}
	unlink(path);
	free(want.items);
	fl_buf_release(&text);
}

/* Closed at any time, with blocks in all states. */
static void test_early_close(void)
{
	struct fl_buf text = FL_BUF_INIT;
	FILE *f = fopen(file, "w");

	fill_up(&text, 12 * BLOCK);
	if (!f || fwrite(text.data, 1, text.len, f) != text.len || fclose(f))
		abort();
	EACH_WORKERS(w)
	{
		for (int count = 0; count <= 3; count++) {
			struct fl_error err = { .code = FL_OK };
			struct fl_stream *in;
			struct fl_blocks *blocks;
			struct fl_block *block;

			if (fl_stream_open(&in, file, &err) < 0 ||
			    fl_blocks_open(&blocks, in, *w, &counting, &err) <
				    0)
				abort();
			for (int i = 0; i < count; i++)
				fl_blocks_next(blocks, &block, &err);
			fl_blocks_close(&blocks);
			fl_stream_close(&in);
		}
	}
	ok(true, "closed early, nothing hangs or leaks");
	fl_buf_release(&text);
}

int main(void)
{
	int fd = mkstemp(file);

	if (fd < 0)
		skip_all("no temporary file: %s", strerror(errno));
	close(fd);
	test_small();
	test_boundaries();
	test_oversize();
	test_pipe();
	test_idle();
	test_prompt();
	test_stop();
	test_fault();
	test_early_close();
	unlink(file);
	return done_testing();
}
