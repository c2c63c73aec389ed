/* kafka: a cluster as the sink of a marked stream: records in their topics and
 * positions in the compacted topic fl.positions, in one transaction.
 *
 * It stands in no list of places: a topic is read by fl-consume, and fl-load
 * and fl-fetch are not to be linked with librdkafka.
 *
 * source  DESIGN: "fl-produce as a sink"
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_STORE_KAFKA_H
#define FL_STORE_KAFKA_H

#include "net/kafka.h"
#include "store/store.h"

#define FL_KAFKA_POSITIONS  "fl.positions"
#define FL_KAFKA_KEY_FIELDS 8 /* of one message's key, at most */

/* Where a record goes. */
struct fl_kafka_route {
	struct fl_kafka *kafka;
	const char *topic;  /* --topic; NULL: prefix and the type's own */
	const char *prefix; /* "fl." */
	/* Paths of the fields that make the key, NULL-ended; NULL: the type's.
	 */
	const char *const *key;
	/* --create-topics: topics that are missing are made so. */
	bool create;
	int partitions, replicas; /* -1: as the cluster has it */
	/* Asked while the queue is full; false: give up. */
	bool (*waits)(void *arg);
	void *arg;
	struct fl_kafka_lane *lanes; /* by type; fl_kafka_route_release() */
};

/* Is there the topic that the type's records go to, or can it be made?
 * errors  FL_ERR_REFUSED */
int fl_kafka_route_check(struct fl_kafka_route *route,
			 const struct fl_type *type, struct fl_error *err);
/* The same of a topic by its name. */
int fl_kafka_route_topic(struct fl_kafka_route *route, const char *topic,
			 struct fl_error *err);
/* Queue the record: its bytes, its key, its time.
 * returns 1; 0 `waits` ended it; -1 */
int fl_kafka_route_put(struct fl_kafka_route *route,
		       const struct fl_record *rec, struct fl_error *err);
void fl_kafka_route_release(struct fl_kafka_route *route);

/* Open the sink: fences whoever else writes for the pipeline, and reads where
 * it stands. The store borrows the route, whose client it opens and closes.
 * errors  those of fl_kafka_open, fl_kafka_fence; FL_ERR_REFUSED there is no
 *         topic for positions and none may be made */
int fl_store_kafka_open(struct fl_store **store, struct fl_kafka_route *route,
			const char *client, const char *pipeline,
			struct fl_error *err);

/* Each position that the topic holds, of one pipeline or (NULL) all, ordered by
 * pipeline and origin. One that is not there holds nothing.
 * brokers  NULL: what --brokers says */
int fl_kafka_positions(const char *brokers, const char *client,
		       const char *pipeline,
		       int (*each)(void *arg, const struct fl_position *row,
				   struct fl_error *err),
		       void *arg, struct fl_error *err);

#endif
