/* blocks: workers take turns at reading, then work side by side; see blocks.h.
 *
 * A ring of blocks is filled in order: whoever holds the reading turn fills the
 * next block of the ring, passes the turn on and works on what it read. The
 * consumer takes the blocks in ring order. The ring's size bounds the memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/blocks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/io.h"

enum {
	BLOCK_SIZE = 1024 * 1024, /* more than FL_LINE_MAX */
	OVERSIZE_KEPT = 64 * 1024,
};

enum state {
	STATE_FREE,
	STATE_TAKEN, /* being filled or worked on */
	STATE_DONE,
	STATE_LENT, /* the consumer has it */
};

struct slot {
	struct fl_block block;
	enum state state;
};

struct fl_blocks {
	struct fl_stream *in;
	struct fl_blocks_work work;
	unsigned workers;
	pthread_t *threads;
	unsigned started;

	/* Held by who reads: */
	pthread_mutex_t turn;
	char *carry; /* the begun line after the last whole one */
	size_t carry_len;
	bool first; /* nothing was read yet */
	bool over;  /* the input's end was seen */

	/* Guarded by lock: */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot *ring;
	uint64_t size;         /* slots of the ring */
	uint64_t taken;        /* blocks that were begun */
	uint64_t given;        /* blocks handed to the consumer */
	bool ended;            /* no block comes after `taken` */
	struct fl_error fault; /* why the input ended early */

	atomic_bool closing; /* also asked while a read waits */

	uint64_t line; /* the consumer's: first line of the next block */
};

static uint64_t count_lines(const char *data, size_t len)
{
	uint64_t lines = 0;

	/* Sums of up to 255 per byte lane, which the compiler vectorises. */
	while (len) {
		size_t part = len < 255 * 16 ? len : 255 * 16;
		uint8_t lanes[16] = { 0 };
		size_t i = 0;

		for (; i + 16 <= part; i += 16) {
			for (size_t j = 0; j < 16; j++)
				lanes[j] = (uint8_t)(lanes[j] +
						     (data[i + j] == '\n'));
		}
		for (; i < part; i++)
			lines += data[i] == '\n';
		for (size_t j = 0; j < 16; j++)
			lines += lanes[j];
		data += part;
		len -= part;
	}
	return lines;
}

/* A line longer than a block: keep its head, count the rest of it, carry what
 * follows its LF. The block is full and holds no LF. */
static int skip_line(struct fl_blocks *blocks, struct fl_block *block,
		     struct fl_error *err)
{
	char *rest = block->data + OVERSIZE_KEPT;
	uint64_t bytes = block->len;

	block->len = OVERSIZE_KEPT;
	for (;;) {
		ssize_t got = fl_stream_read(blocks->in, rest,
					     BLOCK_SIZE - OVERSIZE_KEPT, err);
		char *lf;

		if (got < 0)
			return -1;
		lf = got ? memchr(rest, '\n', (size_t)got) : NULL;
		if (lf) {
			bytes += (uint64_t)(lf - rest);
			blocks->carry_len = (size_t)(rest + got - (lf + 1));
			memcpy(blocks->carry, lf + 1, blocks->carry_len);
		}
		if (lf || got == 0) {
			blocks->over = got == 0;
			block->oversize = bytes;
			block->torn = !lf;
			return lf || !fl_stream_is_cut(blocks->in);
		}
		bytes += (uint64_t)got;
	}
}

/* Fill the block with whole lines. returns 1, 0 at the end, -1. */
static int fill(struct fl_blocks *blocks, struct fl_block *block,
		struct fl_error *err)
{
	char *lf = NULL;

	block->torn = false;
	block->oversize = 0;
	block->len = blocks->carry_len;
	memcpy(block->data, blocks->carry, blocks->carry_len);
	blocks->carry_len = 0;
	/* The carry may hold whole lines after an oversize one. */
	if (block->len)
		lf = memrchr(block->data, '\n', block->len);
	while (block->len < BLOCK_SIZE) {
		ssize_t got;
		char *found;

		if (blocks->over || (lf && !fl_stream_ready(blocks->in)))
			break;
		got = fl_stream_read(blocks->in, block->data + block->len,
				     BLOCK_SIZE - block->len, err);
		if (got < 0)
			return -1;
		if (got == 0) {
			blocks->over = true;
			break;
		}
		found = memrchr(block->data + block->len, '\n', (size_t)got);
		if (found)
			lf = found;
		block->len += (size_t)got;
		if (blocks->first && block->len >= 3) {
			blocks->first = false;
			if (!memcmp(block->data, "\xef\xbb\xbf", 3)) {
				block->len -= 3;
				memmove(block->data, block->data + 3,
					block->len);
				lf = memrchr(block->data, '\n', block->len);
			}
		}
	}
	blocks->first = false;
	if (blocks->over) {
		/* Half a line, whose rest nobody will read, is no record. */
		if (fl_stream_is_cut(blocks->in))
			block->len = lf ? (size_t)(lf + 1 - block->data) : 0;
		block->torn = block->len && block->data[block->len - 1] != '\n';
		return block->len ? 1 : 0;
	}
	if (!lf)
		return skip_line(blocks, block, err);
	blocks->carry_len = (size_t)(block->data + block->len - (lf + 1));
	memcpy(blocks->carry, lf + 1, blocks->carry_len);
	block->len = (size_t)(lf + 1 - block->data);
	return 1;
}

static bool told_to_stop(const void *arg)
{
	const struct fl_blocks *blocks = arg;

	return atomic_load(&blocks->closing) ||
	       (blocks->work.stopped &&
		blocks->work.stopped(blocks->work.stopped_arg));
}

static void work_on(struct fl_blocks *blocks, unsigned worker,
		    struct fl_block *block)
{
	if (block->oversize)
		block->lines = 1;
	else if (!blocks->work.counts)
		block->lines =
			count_lines(block->data, block->len) + block->torn;
	blocks->work.work(blocks->work.arg, worker, block);
}

/* Wait for the next slot of the ring and take it; NULL when all is over. */
static struct slot *take_slot(struct fl_blocks *blocks)
{
	struct slot *slot = NULL;

	pthread_mutex_lock(&blocks->lock);
	while (!blocks->ended && !atomic_load(&blocks->closing)) {
		slot = &blocks->ring[blocks->taken % blocks->size];
		if (slot->state == STATE_FREE)
			break;
		slot = NULL;
		pthread_cond_wait(&blocks->changed, &blocks->lock);
	}
	if (slot && !blocks->ended && !atomic_load(&blocks->closing))
		slot->state = STATE_TAKEN;
	else
		slot = NULL;
	pthread_mutex_unlock(&blocks->lock);
	return slot;
}

struct worker {
	struct fl_blocks *blocks;
	unsigned number;
};

static void *worker_main(void *arg)
{
	struct worker worker = *(struct worker *)arg;
	struct fl_blocks *blocks = worker.blocks;

	free(arg);
	for (;;) {
		struct fl_error err = { .code = FL_OK };
		struct slot *slot;
		int got = 0;

		pthread_mutex_lock(&blocks->turn);
		slot = take_slot(blocks);
		if (slot)
			got = fill(blocks, &slot->block, &err);
		pthread_mutex_lock(&blocks->lock);
		if (got > 0) {
			blocks->taken++;
		} else {
			blocks->ended = true;
			if (got < 0)
				blocks->fault = err;
			if (slot)
				slot->state = STATE_FREE;
			pthread_cond_broadcast(&blocks->changed);
		}
		pthread_mutex_unlock(&blocks->lock);
		pthread_mutex_unlock(&blocks->turn);
		if (got <= 0)
			return NULL;
		work_on(blocks, worker.number, &slot->block);
		pthread_mutex_lock(&blocks->lock);
		slot->state = STATE_DONE;
		pthread_cond_broadcast(&blocks->changed);
		pthread_mutex_unlock(&blocks->lock);
	}
}

static int start_workers(struct fl_blocks *blocks, struct fl_error *err)
{
	blocks->threads = fl_zalloc(blocks->workers * sizeof(pthread_t));
	while (blocks->started < blocks->workers) {
		struct worker *worker = fl_alloc(sizeof(*worker));

		worker->blocks = blocks;
		worker->number = blocks->started;
		if (pthread_create(&blocks->threads[blocks->started], NULL,
				   worker_main, worker)) {
			free(worker);
			/* Fewer than asked for will do. */
			if (blocks->started)
				return 0;
			return fl_error_set(err, FL_ERR_AGAIN,
					    "cannot start a thread; -j 1 "
					    "needs none");
		}
		blocks->started++;
	}
	return 0;
}

int fl_blocks_open(struct fl_blocks **out, struct fl_stream *in,
		   unsigned workers, const struct fl_blocks_work *work,
		   struct fl_error *err)
{
	struct fl_blocks *blocks = fl_zalloc(sizeof(*blocks));

	blocks->in = in;
	blocks->work = *work;
	blocks->workers = workers;
	blocks->first = true;
	blocks->line = 1;
	atomic_init(&blocks->closing, false);
	fl_stream_watch(in, told_to_stop, blocks);
	/* One for each worker, one at the consumer, one for each to go on. */
	blocks->size = workers > 1 ? 2 * workers + 1 : 1;
	blocks->ring = fl_zalloc(blocks->size * sizeof(*blocks->ring));
	for (uint64_t i = 0; i < blocks->size; i++)
		blocks->ring[i].block.data = fl_alloc(BLOCK_SIZE);
	blocks->carry = fl_alloc(BLOCK_SIZE);
	pthread_mutex_init(&blocks->turn, NULL);
	pthread_mutex_init(&blocks->lock, NULL);
	pthread_cond_init(&blocks->changed, NULL);
	*out = blocks;
	if (workers > 1 && start_workers(blocks, err) < 0) {
		fl_blocks_close(out);
		return -1;
	}
	return 0;
}

static int next_alone(struct fl_blocks *blocks, struct fl_error *err)
{
	struct fl_block *block = &blocks->ring[0].block;
	int got;

	if (blocks->work.idle && !fl_stream_ready(blocks->in)) {
		do
			blocks->work.idle(blocks->work.arg);
		while (blocks->work.idle_every_ns &&
		       !fl_stream_wait(blocks->in, blocks->work.idle_every_ns));
	}
	got = fill(blocks, block, err);
	if (got > 0)
		work_on(blocks, 0, block);
	return got;
}

/* false: so long that the consumer is to be told again. */
static bool wait_for_change(struct fl_blocks *blocks)
{
	int64_t every = blocks->work.idle ? blocks->work.idle_every_ns : 0;
	struct timespec until;
	int64_t ns;

	if (!every) {
		pthread_cond_wait(&blocks->changed, &blocks->lock);
		return true;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	ns = until.tv_nsec + every;
	until.tv_sec += ns / FL_SECOND;
	until.tv_nsec = ns % FL_SECOND;
	return pthread_cond_timedwait(&blocks->changed, &blocks->lock,
				      &until) == 0;
}

static int next_of_ring(struct fl_blocks *blocks, struct slot **slot,
			struct fl_error *err)
{
	bool told = false;
	int got = 1;

	pthread_mutex_lock(&blocks->lock);
	if (blocks->given) {
		struct slot *lent =
			&blocks->ring[(blocks->given - 1) % blocks->size];

		if (lent->state == STATE_LENT) {
			lent->state = STATE_FREE;
			pthread_cond_broadcast(&blocks->changed);
		}
	}
	*slot = &blocks->ring[blocks->given % blocks->size];
	for (;;) {
		if ((*slot)->state == STATE_DONE) {
			(*slot)->state = STATE_LENT;
			blocks->given++;
			break;
		}
		if (blocks->ended && blocks->given == blocks->taken) {
			got = 0;
			if (blocks->fault.code != FL_OK) {
				*err = blocks->fault;
				got = -1;
			}
			break;
		}
		if (!told && blocks->work.idle) {
			told = true;
			pthread_mutex_unlock(&blocks->lock);
			blocks->work.idle(blocks->work.arg);
			pthread_mutex_lock(&blocks->lock);
			continue;
		}
		told = wait_for_change(blocks);
	}
	pthread_mutex_unlock(&blocks->lock);
	return got;
}

int fl_blocks_next(struct fl_blocks *blocks, struct fl_block **block,
		   struct fl_error *err)
{
	struct slot *slot = &blocks->ring[0];
	int got = blocks->workers > 1 ? next_of_ring(blocks, &slot, err)
				      : next_alone(blocks, err);

	if (got <= 0)
		return got;
	*block = &slot->block;
	slot->block.first_line = blocks->line;
	blocks->line += slot->block.lines;
	return 1;
}

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
			return false;
	}
	return true;
}

bool fl_block_line(const struct fl_block *block, size_t *at, const char **bytes,
		   size_t *len, uint64_t *number)
{
	if (*at == 0)
		*number = block->first_line - 1;
	if (block->oversize && *at == 0) {
		++*number;
		*bytes = block->data;
		*len = block->len;
		*at = block->len + 1;
		return true;
	}
	while (*at < block->len) {
		const char *from = block->data + *at;
		const char *lf = memchr(from, '\n', block->len - *at);
		size_t n = lf ? (size_t)(lf - from) : block->len - *at;

		*at += n + 1;
		++*number;
		if (n && from[n - 1] == '\r')
			n--;
		/* A record begins with '{': only others are looked at. */
		if (n && (from[0] == '{' || !is_blank(from, n))) {
			*bytes = from;
			*len = n;
			return true;
		}
	}
	return false;
}

uint64_t fl_block_bytes(const struct fl_block *block)
{
	return block->oversize ? block->oversize + !block->torn : block->len;
}

void fl_blocks_close(struct fl_blocks **out)
{
	struct fl_blocks *blocks = *out;

	*out = NULL;
	if (!blocks)
		return;
	atomic_store(&blocks->closing, true);
	pthread_mutex_lock(&blocks->lock);
	pthread_cond_broadcast(&blocks->changed);
	pthread_mutex_unlock(&blocks->lock);
	for (unsigned i = 0; i < blocks->started; i++)
		pthread_join(blocks->threads[i], NULL);
	for (uint64_t i = 0; i < blocks->size; i++) {
		struct fl_block *block = &blocks->ring[i].block;

		if (blocks->work.free_result && block->result)
			blocks->work.free_result(block->result);
		free(block->data);
	}
	pthread_cond_destroy(&blocks->changed);
	pthread_mutex_destroy(&blocks->lock);
	pthread_mutex_destroy(&blocks->turn);
	fl_stream_watch(blocks->in, NULL, NULL);
	free(blocks->threads);
	free(blocks->ring);
	free(blocks->carry);
	free(blocks);
}
