/* stream: every way in and out of a file, a pipe and an archive.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/time.h"
#include "tap.h"

enum {
	LARGE = 700 * 1000, /* over all buffers on the way */
	SMALL = 900,
};

static char folder[] = "/tmp/fl-stream-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[4][300];
	static int turn;

	snprintf(path[++turn % 4], sizeof(path[0]), "%s/%s", folder, name);
	return path[turn % 4];
}

/* Text that compresses, but not to nothing. */
static void make_text(struct fl_buf *text, size_t size)
{
	uint32_t state = 12345;

	fl_buf_reset(text);
	while (text->len < size) {
		state = state * 1664525 + 1013904223;
		fl_buf_printf(text, "{\"n\":%zu,\"x\":%u}\n", text->len,
			      state >> 16);
	}
	text->len = size;
}

static void put_file(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(path_of(name), "w");

	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
		abort();
}

static void get_file(const char *name, struct fl_buf *bytes)
{
	FILE *f = fopen(path_of(name), "r");
	char part[4096];
	size_t got;

	fl_buf_reset(bytes);
	while (f && (got = fread(part, 1, sizeof(part), f)))
		fl_buf_append(bytes, part, got);
	if (!f || fclose(f))
		abort();
}

static bool equal(const struct fl_buf *a, const struct fl_buf *b)
{
	return a->len == b->len &&
	       (!a->len || !memcmp(a->data, b->data, a->len));
}

static bool begins(const struct fl_buf *whole, const struct fl_buf *part)
{
	return part->len <= whole->len &&
	       (!part->len || !memcmp(whole->data, part->data, part->len));
}

static void compress_zstd(const struct fl_buf *text, struct fl_buf *out)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_stream *stream;

	if (fl_stream_create(&stream, path_of("made.zst"), &err) < 0 ||
	    fl_stream_write(stream, text->data, text->len, &err) < 0 ||
	    fl_stream_finish(stream, &err) < 0)
		abort();
	fl_stream_close(&stream);
	get_file("made.zst", out);
}

static void compress_gzip(const struct fl_buf *text, struct fl_buf *out)
{
	z_stream z = { 0 };

	fl_buf_reset(out);
	fl_buf_reserve(out, text->len + 1000);
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0) != Z_OK)
		abort();
	z.next_in = (unsigned char *)text->data;
	z.avail_in = (unsigned)text->len;
	z.next_out = (unsigned char *)out->data;
	z.avail_out = (unsigned)text->len + 1000;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len = z.total_out;
	deflateEnd(&z);
}

/* Read the path to its end, `size` bytes at a time. */
static enum fl_code read_all(const char *path, size_t size, struct fl_buf *out)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_stream *in = NULL;
	char *part = fl_alloc(size);
	uint64_t count = 0;
	ssize_t got = -1;

	fl_buf_reset(out);
	if (fl_stream_open(&in, path, &err) == 0) {
		while ((got = fl_stream_read(in, part, size, &err)) > 0)
			fl_buf_append(out, part, (size_t)got);
		count = fl_stream_bytes(in);
		/* The end stays the end. */
		if (got == 0 && fl_stream_read(in, part, size, &err) != 0)
			err.code = FL_ERR_USAGE;
	}
	fl_stream_close(&in);
	free(part);
	if (count != out->len)
		err.code = FL_ERR_USAGE;
	return err.code;
}

static enum fl_code read_bytes(const struct fl_buf *bytes, struct fl_buf *out)
{
	put_file("bytes", bytes->data, bytes->len);
	return read_all(path_of("bytes"), 4096, out);
}

static void test_kinds(void)
{
	static const size_t sizes[] = { 1, 7, 4096, 131072, 1 << 20 };
	struct fl_buf text = FL_BUF_INIT, coded[3] = { FL_BUF_INIT },
		      out = FL_BUF_INIT;
	static const char *const names[] = { "plain", "zstd", "gzip" };

	make_text(&text, LARGE);
	make_text(&coded[0], LARGE);
	compress_zstd(&text, &coded[1]);
	compress_gzip(&text, &coded[2]);
	ok(coded[1].len < LARGE / 2 && coded[2].len < LARGE / 2,
	   "the archives are smaller");
	for (int i = 0; i < 3; i++) {
		int wrong = 0;

		put_file("kind", coded[i].data, coded[i].len);
		for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++)
			wrong += read_all(path_of("kind"), sizes[j], &out) !=
					 FL_OK ||
				 !equal(&text, &out);
		is_int(wrong, 0, "%s is read whole, in parts of any size",
		       names[i]);
	}
	/* Frames and members follow each other; empty ones do no harm. */
	for (int i = 0; i < 3; i++) {
		struct fl_buf all = FL_BUF_INIT, nothing = FL_BUF_INIT;
		struct fl_buf empty = FL_BUF_INIT, want = FL_BUF_INIT;

		fl_buf_puts(&nothing, "");
		if (i == 1)
			compress_zstd(&nothing, &empty);
		if (i == 2)
			compress_gzip(&nothing, &empty);
		for (int n = 0; n < 3; n++) {
			fl_buf_append(&all, empty.data, empty.len);
			fl_buf_append(&all, coded[i].data, coded[i].len);
			fl_buf_append(&want, text.data, text.len);
		}
		fl_buf_append(&all, empty.data, empty.len);
		ok(read_bytes(&all, &out) == FL_OK && equal(&want, &out),
		   "%s three times over, with empty ones between", names[i]);
		ok(i == 0 || (read_bytes(&empty, &out) == FL_OK && !out.len),
		   "an empty one alone is empty");
		fl_buf_release(&all);
		fl_buf_release(&nothing);
		fl_buf_release(&empty);
		fl_buf_release(&want);
	}
	for (int i = 0; i < 3; i++)
		fl_buf_release(&coded[i]);
	fl_buf_release(&text);
	fl_buf_release(&out);
}

/* A frame that is to be skipped may come first, or between. */
static void test_skippable(void)
{
	static const unsigned char skip[] = { 0x5a, 0x2a, 0x4d, 0x18, 3,  0,
					      0,    0,    'a',  'b',  'c' };
	struct fl_buf text = FL_BUF_INIT, coded = FL_BUF_INIT,
		      all = FL_BUF_INIT, out = FL_BUF_INIT;

	make_text(&text, SMALL);
	compress_zstd(&text, &coded);
	fl_buf_append(&all, skip, sizeof(skip));
	fl_buf_append(&all, coded.data, coded.len);
	fl_buf_append(&all, skip, sizeof(skip));
	ok(read_bytes(&all, &out) == FL_OK && equal(&text, &out),
	   "frames that say so are skipped");
	fl_buf_release(&text);
	fl_buf_release(&coded);
	fl_buf_release(&all);
	fl_buf_release(&out);
}

/* Cut off after every byte, the content so far comes, and then the fault. */
static void test_cut(void)
{
	static const char *const names[] = { "zstd", "gzip" };
	struct fl_buf text = FL_BUF_INIT, twice = FL_BUF_INIT,
		      out = FL_BUF_INIT;

	make_text(&text, SMALL);
	fl_buf_append(&twice, text.data, text.len);
	fl_buf_append(&twice, text.data, text.len);
	for (int i = 0; i < 2; i++) {
		struct fl_buf one = FL_BUF_INIT, all = FL_BUF_INIT;
		size_t magic = i ? 2 : 4, whole = 0;
		int wrong = 0, unseen = 0, lost = 0;

		(i ? compress_gzip : compress_zstd)(&text, &one);
		fl_buf_append(&all, one.data, one.len);
		fl_buf_append(&all, one.data, one.len);
		for (size_t len = 0; len < all.len; len++) {
			struct fl_buf cut = { .data = all.data, .len = len };
			enum fl_code code = read_bytes(&cut, &out);

			/* What is shorter than its magic is just bytes. */
			if (len < magic) {
				wrong += code != FL_OK || !equal(&cut, &out);
				continue;
			}
			wrong += !begins(&twice, &out);
			lost += len >= one.len && out.len < text.len;
			if (code == FL_OK)
				whole++;
			else
				unseen += code != FL_ERR_DATA;
		}
		is_int(wrong, 0, "%s cut anywhere gives no other bytes",
		       names[i]);
		is_int(unseen, 0, "and says that it is cut off");
		is_int(whole, 1, "but where the first of two ends");
		is_int(lost, 0, "of which nothing is lost");
		fl_buf_release(&one);
		fl_buf_release(&all);
	}
	fl_buf_release(&text);
	fl_buf_release(&twice);
	fl_buf_release(&out);
}

/* With any bit flipped, either the fault is seen or nothing is changed. */
static void test_flipped(void)
{
	static const char *const names[] = { "zstd", "gzip" };
	struct fl_buf text = FL_BUF_INIT, out = FL_BUF_INIT;

	make_text(&text, SMALL);
	for (int i = 0; i < 2; i++) {
		struct fl_buf one = FL_BUF_INIT;
		int unseen = 0, seen = 0;

		(i ? compress_gzip : compress_zstd)(&text, &one);
		for (size_t bit = 0; bit < one.len * 8; bit++) {
			char flip = (char)(1 << bit % 8);
			enum fl_code code;

			one.data[bit / 8] ^= flip;
			code = read_bytes(&one, &out);
			seen += code == FL_ERR_DATA;
			unseen += code == FL_OK && !equal(&text, &out) &&
				  !equal(&one, &out);
			one.data[bit / 8] ^= flip;
		}
		is_int(unseen, 0, "no flipped bit of %s goes unseen", names[i]);
		ok(seen > (int)one.len * 7, "most are told: %d of %zu", seen,
		   one.len * 8);
		fl_buf_release(&one);
	}
	fl_buf_release(&text);
	fl_buf_release(&out);
}

/* --- pipes -------------------------------------------------------------------
 */

struct feed {
	int fd;
	const struct fl_buf *bytes;
	size_t part;
	bool hold; /* leave it open */
};

static void *feed_pipe(void *arg)
{
	const struct feed *feed = arg;

	for (size_t at = 0; at < feed->bytes->len; at += feed->part) {
		size_t left = feed->bytes->len - at;

		if (write(feed->fd, feed->bytes->data + at,
			  left < feed->part ? left : feed->part) < 0)
			break;
	}
	if (!feed->hold)
		close(feed->fd);
	return NULL;
}

/* The reading end as a path. */
static const char *fd_path(int fd)
{
	static char path[32];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	return path;
}

static enum fl_code read_fed(const struct fl_buf *bytes, size_t part,
			     struct fl_buf *out)
{
	struct feed feed = { .bytes = bytes, .part = part };
	struct fl_error err = { .code = FL_OK };
	struct fl_stream *in;
	pthread_t thread;
	char got_bytes[64];
	ssize_t got;
	int fds[2];

	fl_buf_reset(out);
	if (pipe(fds) < 0 || fl_stream_open(&in, fd_path(fds[0]), &err) < 0)
		abort();
	close(fds[0]);
	feed.fd = fds[1];
	pthread_create(&thread, NULL, feed_pipe, &feed);
	while ((got = fl_stream_read(in, got_bytes, sizeof(got_bytes), &err)) >
	       0)
		fl_buf_append(out, got_bytes, (size_t)got);
	pthread_join(thread, NULL);
	ok(fl_stream_is_pipe(in), "it is a pipe");
	fl_stream_close(&in);
	return err.code;
}

static void test_fed(void)
{
	struct fl_buf text = FL_BUF_INIT, twice = FL_BUF_INIT,
		      out = FL_BUF_INIT, coded = FL_BUF_INIT;

	make_text(&text, SMALL);
	fl_buf_append(&twice, text.data, text.len);
	fl_buf_append(&twice, text.data, text.len);
	ok(read_fed(&twice, 1, &out) == FL_OK && equal(&twice, &out),
	   "plain text byte by byte");
	for (int i = 0; i < 2; i++) {
		struct fl_buf all = FL_BUF_INIT;

		(i ? compress_gzip : compress_zstd)(&text, &coded);
		fl_buf_append(&all, coded.data, coded.len);
		fl_buf_append(&all, coded.data, coded.len);
		ok(read_fed(&all, 1, &out) == FL_OK && equal(&twice, &out),
		   "%s byte by byte", i ? "gzip" : "zstd");
		all.len -= 5;
		ok(read_fed(&all, 3, &out) == FL_ERR_DATA &&
			   begins(&twice, &out) && out.len >= text.len,
		   "and cut off");
		fl_buf_release(&all);
	}
	fl_buf_release(&text);
	fl_buf_release(&twice);
	fl_buf_release(&coded);
	fl_buf_release(&out);
}

static bool is_set(const void *arg)
{
	return __atomic_load_n((const bool *)arg, __ATOMIC_SEQ_CST);
}

static void *set_soon(void *arg)
{
	usleep(150000);
	__atomic_store_n((bool *)arg, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Told to stop, a read that waits gives an end, and no fault of the archive. */
static void test_stop(void)
{
	struct fl_buf text = FL_BUF_INIT, coded = FL_BUF_INIT;
	static const char *const names[] = { "plain", "zstd", "gzip" };

	make_text(&text, SMALL);
	for (int i = 0; i < 3; i++) {
		struct fl_error err = { .code = FL_OK };
		struct fl_stream *in;
		bool stop = false;
		pthread_t thread;
		char bytes[2000];
		int64_t began;
		ssize_t got;
		int fds[2];

		if (i == 0)
			make_text(&coded, SMALL);
		else
			(i == 1 ? compress_zstd : compress_gzip)(&text, &coded);
		if (pipe(fds) < 0 ||
		    fl_stream_open(&in, fd_path(fds[0]), &err) < 0)
			abort();
		fl_stream_watch(in, is_set, &stop);
		ok(!fl_stream_ready(in), "nothing is there yet");
		ok(!fl_stream_wait(in, 20 * 1000000), "nor a little later");
		if (write(fds[1], coded.data, coded.len / 2) < 0)
			abort();
		ok(fl_stream_wait(in, FL_SECOND), "now something is");
		pthread_create(&thread, NULL, set_soon, &stop);
		began = fl_monotonic_ns();
		while ((got = fl_stream_read(in, bytes, sizeof(bytes), &err)) >
		       0)
			continue;
		ok(got == 0 && err.code == FL_OK && fl_stream_is_cut(in),
		   "a stop ends %s in the middle", names[i]);
		ok(fl_monotonic_ns() - began < FL_SECOND, "and soon");
		pthread_join(thread, NULL);
		fl_stream_close(&in);
		close(fds[0]);
		close(fds[1]);
	}
	/* A file that could be read on, likewise. */
	{
		struct fl_error err = { .code = FL_OK };
		struct fl_stream *in;
		bool stop = false;
		char bytes[10];

		put_file("file", text.data, text.len);
		if (fl_stream_open(&in, path_of("file"), &err) < 0)
			abort();
		fl_stream_watch(in, is_set, &stop);
		is_int(fl_stream_read(in, bytes, 1, &err), 1, "a file is read");
		stop = true;
		while (fl_stream_read(in, bytes, sizeof(bytes), &err) > 0)
			continue;
		ok(fl_stream_is_cut(in), "until a stop is asked for");
		ok(fl_stream_bytes(in) <= text.len, "or all has been read");
		fl_stream_close(&in);
	}
	fl_buf_release(&text);
	fl_buf_release(&coded);
}

/* --- writing -----------------------------------------------------------------
 */

static int count_files(void)
{
	DIR *dir = opendir(folder);
	int count = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		count++; /* . and .. as well */
	closedir(dir);
	return count;
}

static void test_create(void)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_buf out = FL_BUF_INIT;
	struct fl_stream *stream;
	struct stat st;
	int before = count_files();

	umask(027);
	fl_stream_create(&stream, path_of("new"), &err);
	fl_stream_write(stream, "abc", 3, &err);
	ok(access(path_of("new"), F_OK) < 0, "a file appears only when whole");
	fl_stream_write(stream, "def", 3, &err);
	is_int(fl_stream_finish(stream, &err), 0, "it is finished");
	is_int((int)fl_stream_bytes(stream), 6, "and counted");
	fl_stream_close(&stream);
	get_file("new", &out);
	is_str(fl_buf_text(&out), "abcdef", "with all of it");
	stat(path_of("new"), &st);
	is_int(st.st_mode & 0777, 0640, "open to whom the mask lets in");
	is_int(count_files(), before + 1, "nothing else is left");

	fl_stream_create(&stream, path_of("new"), &err);
	fl_stream_write(stream, "xyz", 3, &err);
	get_file("new", &out);
	is_str(fl_buf_text(&out), "abcdef", "the old one stays while it grows");
	fl_stream_close(&stream);
	get_file("new", &out);
	is_str(fl_buf_text(&out), "abcdef", "and when it is given up");
	is_int(count_files(), before + 1, "of which nothing is left");

	fl_stream_create(&stream, path_of("new"), &err);
	fl_stream_write(stream, "xyz", 3, &err);
	fl_stream_finish(stream, &err);
	fl_stream_close(&stream);
	get_file("new", &out);
	is_str(fl_buf_text(&out), "xyz", "and gives way to the whole new one");
	is_int(err.code, FL_OK, "all without a fault");

	is_int(fl_stream_create(&stream, path_of("no/such/file"), &err), -1,
	       "a folder that is not there");
	is_int(err.code, FL_ERR_IO, "is told");
	fl_stream_close(&stream);
	fl_buf_release(&out);
}

static void *empty_soon(void *arg)
{
	char bytes[4096];
	ssize_t got;

	usleep(50000);
	while ((got = read(*(int *)arg, bytes, sizeof(bytes))) != 0) {
		if (got < 0)
			usleep(1000);
	}
	return NULL;
}

static void test_faults(void)
{
	struct fl_error err = { .code = FL_OK };
	struct fl_stream *stream = NULL;
	char bytes[100000] = { 0 };
	pthread_t thread;
	int fds[2];

	is_int(fl_stream_open(&stream, path_of("missing"), &err), -1,
	       "a missing file");
	is_int(err.code, FL_ERR_IO, "is told");
	fl_error_clear(&err);
	is_int(fl_stream_open(&stream, folder, &err), -1, "a folder");
	ok(strstr(err.text, "is a folder") != NULL, "is told to be one");
	fl_error_clear(&err);
	fl_stream_close(&stream); /* NULL is fine */

	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds) < 0)
		abort();
	close(fds[0]);
	is_int(fl_write_all(fds[1], "abc", 3, "out", &err), -1,
	       "who reads nothing any more");
	is_int(err.code, FL_ERR_CLOSED, "has gone away");
	fl_error_clear(&err);
	close(fds[1]);

	fds[1] = open("/dev/full", O_WRONLY);
	is_int(fl_write_all(fds[1], "abc", 3, "out", &err), -1, "a full disk");
	is_int(err.code, FL_ERR_IO, "is told");
	is_str(err.text, "cannot write 'out': No space left on device",
	       "in words");
	fl_error_clear(&err);
	close(fds[1]);

	/* A pipe that is full and does not block is waited for. */
	if (pipe2(fds, O_NONBLOCK) < 0)
		abort();
	while (write(fds[1], bytes, sizeof(bytes)) > 0)
		continue;
	pthread_create(&thread, NULL, empty_soon, &fds[0]);
	is_int(fl_write_all(fds[1], bytes, sizeof(bytes), "out", &err), 0,
	       "a full pipe is waited for");
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);
}

int main(void)
{
	struct dirent *e;
	DIR *dir;

	if (!mkdtemp(folder))
		skip_all("no temporary folder: %s", strerror(errno));
	test_kinds();
	test_skippable();
	test_cut();
	test_flipped();
	test_fed();
	test_stop();
	test_create();
	test_faults();
	dir = opendir(folder);
	if (!dir)
		abort();
	while ((e = readdir(dir)))
		unlink(path_of(e->d_name));
	closedir(dir);
	rmdir(folder);
	return done_testing();
}
