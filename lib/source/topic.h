/* topic: Kafka's topics as a source: which partitions are read, from where, up
 * to where, and whose they are.
 *
 * source  DESIGN: "Marks"; reliability: "Traps of the engines"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_SOURCE_TOPIC_H
#define FL_SOURCE_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/io.h"
#include "net/kafka.h"
#include "rec/mark.h"

enum fl_topic_from {
	FL_TOPIC_BEGINNING,
	FL_TOPIC_STORED, /* by the group; where it has nothing, the beginning */
	FL_TOPIC_END,
	FL_TOPIC_TIME,
};

/* A partition. */
struct fl_topic_part {
	const char *topic;
	int32_t partition;
	char *origin;  /* "kafka:CLUSTER/TOPIC/PARTITION" */
	bool ours;     /* being read */
	bool done;     /* came to its end */
	int64_t next;  /* the offset behind the last one given */
	int64_t given; /* the same, without warm-up; -1; set by the caller */
	int64_t committed; /* of the group, as last told; -1 */
	/* How it was when we started: what the group or the store held of it
	 * (-1: nothing), and where it ended. */
	int64_t was, was_end;
	bool begun;  /* --from was followed */
	int64_t end; /* where reading ends; INT64_MAX: never */
	/* Warm-up: what lies before `pos`, where the store holds it. */
	bool warm;
	int64_t pos;     /* -1: it holds nothing */
	int64_t held_ns; /* of the last record before it; FL_TIME_NONE */
	uint64_t passed; /* of this batch of messages nothing more is given */
	int64_t seen_ns; /* of the last one that came; set by the caller */
};

struct fl_topic_config {
	struct fl_io *io;
	const char *const *topics; /* names, or ^expressions; NULL-ended */
	const char *group, *instance;
	const int32_t *partitions; /* partitions[partition_count] of each */
	size_t partition_count;    /* 0: all */
	enum fl_topic_from from;
	/* By the user: that goes before what is held, but once, and not where
	 * somebody has read on since we started. */
	bool from_said;
	int64_t from_ns;    /* TIME */
	bool to_end;        /* up to what there is at the start */
	int64_t to_ns;      /* up to the first message of then; FL_TIME_NONE */
	int64_t warm_up_ns; /* of a pipeline */
	/* Of a pipeline: where the store holds it, asked anew. Partitions that
	 * are taken up begin there. NULL: it is none. */
	int (*ask)(void *arg, const struct fl_mark **held,
		   struct fl_error *err);
	/* Before partitions are let go; they are `ours` still. NULL. */
	int (*release)(void *arg, struct fl_topic_part *const *parts,
		       size_t count, bool lost, struct fl_error *err);
	void *arg;
};

struct fl_topic;

/* Connect, look for the topics, and read from them, or join the group.
 * errors  FL_ERR_USAGE, those of fl_kafka_open; FL_ERR_REFUSED no such topic,
 *         or a position that means nothing any more */
int fl_topic_open(struct fl_topic **topic, const struct fl_topic_config *config,
		  struct fl_error *err);
/* The next message, borrowed until the next call.
 *
 * part    out: where it is from; part->warm: it is warm-up
 * returns 1; 0 the end, or a stop was asked for; 2 nothing for now; -1 */
int fl_topic_next(struct fl_topic *topic, struct fl_kafka_in *in,
		  struct fl_topic_part **part, struct fl_error *err);
/* The output is full: stay in the group. */
void fl_topic_rest(struct fl_topic *topic);
/* Commit of the group how far the partitions were read (`next`), or, where the
 * store is asked, `pos`. wait: until it is done. */
int fl_topic_commit(struct fl_topic *topic, bool wait, struct fl_error *err);
/* All partitions that were ever ours. */
struct fl_topic_part *const *fl_topic_parts(const struct fl_topic *topic,
					    size_t *count);
void fl_topic_close(struct fl_topic **topic); /* NULL is fine */

#endif
