/* kafka: Kafka through librdkafka, which only kafka*.c of this folder include.
 *
 * A client is a producer or a consumer. Clusters are written HOST:PORT,…; times
 * of messages are milliseconds since 1970, as Kafka keeps them.
 *
 * source  librdkafka 2.0 (rdkafka.h, CONFIGURATION.md); the traps are in
 *         DESIGN's "Marks" and in each function that meets one
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_KAFKA_H
#define FL_NET_KAFKA_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/option.h"

/* --- the client ---------------------------------------------------------- */

struct fl_kafka;

/* --brokers, -X and how to log in. Passwords are in the environment or in files
 * that it names, never among them. */
extern const struct fl_option fl_kafka_options[];

#ifdef FL_WITHOUT_KAFKA
/* All else here is not there, and this says so: FL_ERR_USAGE. */
int fl_kafka_missing(struct fl_error *err);
#endif

/* Members that are NULL or 0 are left as librdkafka has them. */
struct fl_kafka_config {
	bool consumer;
	const char *brokers; /* NULL: what --brokers says */
	const char *client;  /* client.id: "fl-produce" */
	const char *transactional_id;
	const char *group, *instance; /* of a consumer */
	bool uncommitted; /* read what transactions have not committed, too */
	/* A message was given up, in poll, flush or close: `code` is why, in
	 * words. `timed_out`: it was the time that ran out, or the producer
	 * that ended; no fault of the message. Called from no other thread. */
	void (*undelivered)(void *arg, const char *topic, const char *bytes,
			    size_t len, bool timed_out, const char *why);
	void *arg;
};

/* Make the client, and wait for a first answer of the cluster.
 *
 * errors  FL_ERR_USAGE a property that librdkafka does not know; FL_ERR_AGAIN
 *         no broker answers within --kafka-timeout; FL_ERR_REFUSED they do not
 *         let us in; FL_ERR_IO a file of a password or certificate. *kafka is
 *         NULL then */
int fl_kafka_open(struct fl_kafka **kafka, const struct fl_kafka_config *config,
		  struct fl_error *err);
/* Leaves the group; what is not delivered is given up. NULL is fine. */
void fl_kafka_close(struct fl_kafka **kafka);

/* The brokers as one calls them in messages. */
const char *fl_kafka_brokers(const struct fl_kafka *kafka);
/* For messages and status: has the cluster said something that no waiting will
 * mend? Fills err.  errors  FL_ERR_REFUSED, FL_ERR_AGAIN (fenced) */
int fl_kafka_check(struct fl_kafka *kafka, struct fl_error *err);

/* The same without words. */
bool fl_kafka_is_lost(const struct fl_kafka *kafka);

/* --- topics -------------------------------------------------------------- */

struct fl_kafka_topic {
	const char *name;
	int partitions;
	int replicas; /* of its first partition */
};

/* Look at what there is; fl_kafka_topics() and its kin tell of it until then.
 * errors  FL_ERR_AGAIN, FL_ERR_REFUSED */
int fl_kafka_refresh(struct fl_kafka *kafka, struct fl_error *err);
/* All topics by name, NULL-named at the end. Internal ones are left out. */
const struct fl_kafka_topic *fl_kafka_topics(const struct fl_kafka *kafka);
const struct fl_kafka_topic *fl_kafka_topic(const struct fl_kafka *kafka,
					    const char *name);
/* "no topic 'fl.quote' on localhost:9092 (there is 'fl.quotes')":
 * FL_ERR_REFUSED
 */
int fl_kafka_no_topic(const struct fl_kafka *kafka, const char *name,
		      struct fl_error *err);
/* partitions, replicas: -1 as the cluster has it. compacted: the last message
 * of each key is kept for ever; else all are: their time is that of what they
 * tell of, and by the usual seven days history would be gone at once. One that
 * is there already is fine. */
int fl_kafka_create(struct fl_kafka *kafka, const char *name, int partitions,
		    int replicas, bool compacted, struct fl_error *err);
/* Of the cluster, for names of origins; borrowed. NULL with err. */
const char *fl_kafka_cluster(struct fl_kafka *kafka, struct fl_error *err);

/* --- producing ----------------------------------------------------------- */

struct fl_kafka_out {
	const char *topic;
	const char *key; /* NULL: none */
	size_t key_len;
	const char *bytes; /* NULL: the key is gone (compacted topics) */
	size_t len;
	int64_t time_ms;
	void *headers; /* of fl_kafka_headers(); NULL: none */
};

/* The headers `type` and `provider`, made once and kept by the client. */
void *fl_kafka_headers(struct fl_kafka *kafka, const char *type,
		       const char *provider, size_t provider_len);

/* Queue a message; its bytes are copied. While the queue is full it waits, and
 * calls `waits` now and then, which ends it by returning false.
 * returns 1; 0 `waits` ended it; -1
 * errors  FL_ERR_REFUSED the broker refused for good; FL_ERR_DATA larger than
 *         a message may be (the message alone is at fault) */
int fl_kafka_produce(struct fl_kafka *kafka, const struct fl_kafka_out *out,
		     bool (*waits)(void *arg), void *arg, struct fl_error *err);
/* Serve delivery reports; cheap. */
void fl_kafka_serve(struct fl_kafka *kafka, int timeout_ms);
/* Wait until all is delivered or given up, as long as `waits` is true. Returns
 * how many are still under way. */
uint64_t fl_kafka_flush(struct fl_kafka *kafka, bool (*waits)(void *arg),
			void *arg);
/* How many are under way. */
uint64_t fl_kafka_pending(const struct fl_kafka *kafka);
/* Give up what is under way, each as undelivered. */
void fl_kafka_give_up(struct fl_kafka *kafka);

/* Transactions. begin follows open or the last commit or abort.
 * errors  FL_ERR_AGAIN fenced by another producer of the same name, or the
 *         cluster does not answer; FL_ERR_REFUSED */
int fl_kafka_fence(struct fl_kafka *kafka, struct fl_error *err);
int fl_kafka_begin(struct fl_kafka *kafka, struct fl_error *err);
int fl_kafka_commit(struct fl_kafka *kafka, struct fl_error *err);
void fl_kafka_abort(struct fl_kafka *kafka);

/* --- consuming ----------------------------------------------------------- */

struct fl_kafka_part {
	const char *topic;
	int32_t partition;
	int64_t offset; /* where to begin, or where it stands */
};

enum fl_kafka_at {
	FL_KAFKA_FIRST = -2, /* offsets: the oldest message */
	FL_KAFKA_LAST = -1,  /* behind the newest */
	FL_KAFKA_NONE = -1001,
};

struct fl_kafka_in {
	const char *topic; /* interned: equal pointers for equal names */
	int32_t partition;
	int64_t offset;
	const char *key;
	size_t key_len;
	const char *bytes; /* NULL: a message without content */
	size_t len;
	int64_t time_ms; /* -1: it has none */
	bool end;        /* no message: the partition has nothing more now, and
			  * goes on at `offset` */
};

/* Messages are read from these partitions, and no others.  errors as of check
 */
int fl_kafka_assign(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		    size_t count, struct fl_error *err);
/* Join the group. A topic that begins with ^ is a regular expression. */
int fl_kafka_subscribe(struct fl_kafka *kafka, const char *const *topics,
		       struct fl_error *err);
/* The next messages, borrowed until the next call.
 * returns how many; 0 none came within timeout_ms; -1 */
int fl_kafka_next(struct fl_kafka *kafka, int timeout_ms,
		  const struct fl_kafka_in **in, struct fl_error *err);
/* While nothing may be read: keeps the group from thinking that we are gone.
 * Nothing is read or lost, until wake. */
void fl_kafka_rest(struct fl_kafka *kafka);
void fl_kafka_wake(struct fl_kafka *kafka);

/* What the group has given or wants back, to be taken up between two messages
 * of fl_kafka_next. given: +1, taken: -1, 0 nothing. parts are borrowed until
 * it is settled. lost: it belongs to somebody else already. */
int fl_kafka_rebalance(struct fl_kafka *kafka,
		       const struct fl_kafka_part **parts, size_t *count,
		       bool *lost);
/* Given: read from parts[count].offset on. Taken: let go. */
int fl_kafka_settle(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		    size_t count, struct fl_error *err);
/* Read on from elsewhere. */
int fl_kafka_seek(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		  size_t count, struct fl_error *err);
int fl_kafka_pause(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		   size_t count, bool pause, struct fl_error *err);

/* Lowest offset that there is, and the one behind the highest. */
int fl_kafka_span(struct fl_kafka *kafka, const char *topic, int32_t partition,
		  int64_t *low, int64_t *high, struct fl_error *err);
/* parts[].offset: of the first message of that time or later; in: the time, in
 * ms. Where there is none, FL_KAFKA_LAST. */
int fl_kafka_at_time(struct fl_kafka *kafka, struct fl_kafka_part *parts,
		     size_t count, struct fl_error *err);
/* parts[].offset: what the group has committed; FL_KAFKA_NONE: nothing. */
int fl_kafka_committed(struct fl_kafka *kafka, struct fl_kafka_part *parts,
		       size_t count, struct fl_error *err);
/* Commit offsets of the group; wait: until the cluster has them. */
int fl_kafka_commit_offsets(struct fl_kafka *kafka,
			    const struct fl_kafka_part *parts, size_t count,
			    bool wait, struct fl_error *err);

#endif
