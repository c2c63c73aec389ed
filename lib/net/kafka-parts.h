/* kafka-parts: what the files of kafka.h share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_KAFKA_PARTS_H
#define FL_NET_KAFKA_PARTS_H

#include "base/map.h"
#include "net/kafka.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct rd_kafka_error_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;
struct rd_kafka_headers_s;

struct fl_kafka {
	struct rd_kafka_s *rk;
	bool consumer;
	char *brokers, *cluster;
	void (*undelivered)(void *arg, const char *topic, const char *bytes,
			    size_t len, bool timed_out, const char *why);
	void *arg;
	int timeout_ms; /* that a cluster may take to answer */

	/* The last thing that went wrong, as librdkafka told it, and the first
	 * one that no waiting mends. */
	char said[300];
	enum fl_code fatal; /* FL_OK: none */
	char fatal_text[300];

	struct fl_kafka_topic *topics;
	size_t topic_count;

	/* kafka-produce.c: topics by name, headers by "type/provider". */
	struct fl_map handles, headers;

	/* kafka-consume.c */
	struct rd_kafka_queue_s *queue;
	struct rd_kafka_message_s **batch; /* batch[taken] */
	size_t taken;
	struct rd_kafka_message_s *spare; /* came while we rested; NULL */
	struct fl_kafka_in *in;
	struct fl_map names; /* of topics, interned */
	/* What the group wants; NULL: nothing. */
	struct rd_kafka_topic_partition_list_s *wanted;
	bool wanted_given, wanted_lost;
	struct fl_kafka_part *wanted_parts;
	bool shared;   /* the partitions, with a group */
	bool assigned; /* something by it, once at least */
	bool resting, leaving;
};

/* What the code means for the user. */
enum fl_code fl_kafka_code(int code);
/* Fill err from an error of librdkafka and free that. `what`: "cannot …". */
int fl_kafka_fail(struct fl_kafka *kafka, struct rd_kafka_error_s *error,
		  const char *what, struct fl_error *err);
/* The same by its number. */
int fl_kafka_fail_code(struct fl_kafka *kafka, int code, const char *what,
		       struct fl_error *err);
/* Callbacks for the configuration. */
void fl_kafka_consumer_conf(struct rd_kafka_conf_s *conf);
void fl_kafka_producer_conf(struct rd_kafka_conf_s *conf);
/* Once the client is made. */
void fl_kafka_consumer_start(struct fl_kafka *kafka);
void fl_kafka_consumer_stop(struct fl_kafka *kafka);
/* false: messages are left that must not be freed. */
bool fl_kafka_producer_stop(struct fl_kafka *kafka);

#endif
