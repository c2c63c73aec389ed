/* kafka-consume: messages from a cluster; see kafka.h.
 *
 * Rebalances are not dealt with inside librdkafka's callback: that comes while
 * messages are being gathered, or while the output is full, when nothing can
 * be marked. It is noted, and librdkafka waits until it is settled.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/kafka-parts.h"

#ifndef FL_WITHOUT_KAFKA

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

enum {
	BATCH = 1000,
};

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
			 rd_kafka_topic_partition_list_t *parts, void *opaque)
{
	struct fl_kafka *kafka = opaque;

	if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS &&
	    code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
		fl_log("kafka: rebalance: %s", rd_kafka_err2str(code));
		rd_kafka_assign(rk, NULL);
		return;
	}
	kafka->assigned = true;
	fl_log("kafka: the group %s %d partitions",
	       code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "gives"
							    : "takes back",
	       parts->cnt);
	/* At the end there is nobody to ask; one at a time is all that
	 * librdkafka sends. */
	if (kafka->leaving || kafka->wanted) {
		if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
			rd_kafka_error_destroy(
				rd_kafka_incremental_assign(rk, parts));
		else
			rd_kafka_error_destroy(
				rd_kafka_incremental_unassign(rk, parts));
		return;
	}
	kafka->wanted = rd_kafka_topic_partition_list_copy(parts);
	kafka->wanted_given = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
	kafka->wanted_lost = rd_kafka_assignment_lost(rk) != 0;
}

void fl_kafka_consumer_conf(rd_kafka_conf_t *conf)
{
	static const char *const settings[][2] = {
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		/* A hole in the data must not look like data. */
		{ "auto.offset.reset", "error" },
		{ "enable.partition.eof", "true" },
		{ "partition.assignment.strategy", "cooperative-sticky" },
		{ "session.timeout.ms", "6000" },
		{ "heartbeat.interval.ms", "1000" },
		{ "queued.max.messages.kbytes", "32768" },
		{ "check.crcs", "true" },
		/* The end of a partition is told when a fetch comes back
		 * empty, so that none may be kept for long. */
		{ "fetch.wait.max.ms", "100" },
		{ "fetch.error.backoff.ms", "50" },
	};
	char text[200];

	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1],
				      text, sizeof(text)) != RD_KAFKA_CONF_OK)
			FL_BUG("librdkafka refuses a setting of ours");
}

void fl_kafka_consumer_start(struct fl_kafka *kafka)
{
	kafka->batch = fl_realloc(NULL, BATCH, sizeof(*kafka->batch));
	kafka->in = fl_realloc(NULL, BATCH, sizeof(*kafka->in));
}

static void give_back(struct fl_kafka *kafka)
{
	for (size_t i = 0; i < kafka->taken; i++)
		rd_kafka_message_destroy(kafka->batch[i]);
	kafka->taken = 0;
}

static void settled(struct fl_kafka *kafka)
{
	if (kafka->wanted)
		rd_kafka_topic_partition_list_destroy(kafka->wanted);
	kafka->wanted = NULL;
	free(kafka->wanted_parts);
	kafka->wanted_parts = NULL;
}

void fl_kafka_consumer_stop(struct fl_kafka *kafka)
{
	give_back(kafka);
	if (kafka->spare)
		rd_kafka_message_destroy(kafka->spare);
	settled(kafka);
	kafka->leaving = true;
	if (kafka->queue) {
		rd_kafka_queue_destroy(kafka->queue);
		rd_kafka_consumer_close(kafka->rk);
	}
	free(kafka->batch);
	free(kafka->in);
	fl_map_release(&kafka->names, NULL);
}

/* From here on everything comes through the consumer's queue. */
static int open_queue(struct fl_kafka *kafka, struct fl_error *err)
{
	rd_kafka_resp_err_t code;

	if (kafka->queue)
		return 0;
	code = rd_kafka_poll_set_consumer(kafka->rk);
	if (code)
		return fl_kafka_fail_code(kafka, (int)code, "cannot consume",
					  err);
	kafka->queue = rd_kafka_queue_get_consumer(kafka->rk);
	return 0;
}

static rd_kafka_topic_partition_list_t *
list_of(const struct fl_kafka_part *parts, size_t count)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)count);

	for (size_t i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(list, parts[i].topic,
						  parts[i].partition)
			->offset = parts[i].offset;
	return list;
}

/* The first part that went wrong. */
static int check_list(struct fl_kafka *kafka,
		      const rd_kafka_topic_partition_list_t *list,
		      rd_kafka_resp_err_t code, const char *what,
		      struct fl_error *err)
{
	for (int i = 0; !code && i < list->cnt; i++) {
		if (!list->elems[i].err)
			continue;
		code = list->elems[i].err;
		fl_kafka_fail_code(kafka, (int)code, what, err);
		return fl_error_wrap(err, "'%s' partition %d",
				     list->elems[i].topic,
				     (int)list->elems[i].partition);
	}
	return code ? fl_kafka_fail_code(kafka, (int)code, what, err) : 0;
}

int fl_kafka_assign(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		    size_t count, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_error_t *error = NULL;
	int result = open_queue(kafka, err);

	if (result == 0)
		error = rd_kafka_incremental_assign(kafka->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	return error ? fl_kafka_fail(kafka, error, "cannot read", err) : result;
}

int fl_kafka_subscribe(struct fl_kafka *kafka, const char *const *topics,
		       struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(4);
	rd_kafka_resp_err_t code;

	if (open_queue(kafka, err) < 0) {
		rd_kafka_topic_partition_list_destroy(list);
		return -1;
	}
	kafka->shared = true;
	for (; *topics; topics++)
		rd_kafka_topic_partition_list_add(list, *topics,
						  RD_KAFKA_PARTITION_UA);
	code = rd_kafka_subscribe(kafka->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	return code ? fl_kafka_fail_code(kafka, (int)code, "cannot join", err)
		    : 0;
}

/* --- messages ------------------------------------------------------------ */

static const char *intern(struct fl_kafka *kafka, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < kafka->names.count; i++)
		if (strcmp(kafka->names.entries[i].key, name) == 0)
			return kafka->names.entries[i].key;
	*fl_map_at(&kafka->names, name, len) = kafka;
	return kafka->names.entries[kafka->names.count - 1].key;
}

/* returns 1 a message, 0 nothing to tell of, -1 */
static int take(struct fl_kafka *kafka, const rd_kafka_message_t *message,
		struct fl_kafka_in *in, struct fl_error *err)
{
	*in = (struct fl_kafka_in){
		.topic = message->rkt ? intern(kafka, rd_kafka_topic_name(
							      message->rkt))
				      : "",
		.partition = message->partition,
		.offset = message->offset,
		.time_ms = -1,
	};
	switch (message->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		in->key = message->key;
		in->key_len = message->key_len;
		in->bytes = message->payload;
		in->len = message->len;
		in->time_ms = rd_kafka_message_timestamp(message, NULL);
		return 1;
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		in->end = true;
		return 1;
	case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
		return fl_error_set(err, FL_ERR_AGAIN,
				    "the group gave our partitions away: they "
				    "were not read for too long "
				    "(max.poll.interval.ms)");
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		return fl_error_set(err, FL_ERR_REFUSED,
				    "'%s' partition %d has no message at the "
				    "offset where we stand: it was deleted "
				    "(retention), or the topic was created "
				    "anew; --from says where to begin",
				    in->topic, (int)in->partition);
	default:
		break;
	}
	fl_log("kafka: %s", rd_kafka_message_errstr(message));
	if (fl_kafka_check(kafka, err) < 0)
		return -1;
	if (fl_kafka_code((int)message->err) != FL_ERR_REFUSED)
		return 0; /* librdkafka tries again */
	return fl_error_set(err, FL_ERR_REFUSED, "cannot read '%s': %s",
			    in->topic, rd_kafka_err2str(message->err));
}

/* One by one: rd_kafka_consume_batch_queue() of 2.0.2 throws away what it has
 * gathered of a partition when a rebalance comes meanwhile, though it counts as
 * consumed, so that it never comes again. */
static ssize_t gather(struct fl_kafka *kafka, int timeout_ms)
{
	ssize_t count = 0;

	if (kafka->spare)
		kafka->batch[count++] = kafka->spare;
	kafka->spare = NULL;
	while (count < BATCH && !kafka->wanted) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(
			kafka->rk, count ? 0 : timeout_ms);

		if (!message)
			break;
		kafka->batch[count++] = message;
	}
	return count;
}

int fl_kafka_next(struct fl_kafka *kafka, int timeout_ms,
		  const struct fl_kafka_in **out, struct fl_error *err)
{
	int count = 0;
	ssize_t got;

	give_back(kafka);
	*out = kafka->in;
	/* What the group wants comes first. */
	if (kafka->wanted)
		return 0;
	got = kafka->shared
		      ? gather(kafka, timeout_ms)
		      : rd_kafka_consume_batch_queue(kafka->queue, timeout_ms,
						     kafka->batch, BATCH);
	if (got < 0)
		return fl_kafka_check(kafka, err);
	kafka->taken = (size_t)got;
	for (ssize_t i = 0; i < got; i++) {
		int told = take(kafka, kafka->batch[i], &kafka->in[count], err);

		/* What came before it is given; the next call finds it again.
		 */
		if (told < 0)
			return -1;
		count += told;
	}
	return count ? count : fl_kafka_check(kafka, err);
}

void fl_kafka_rest(struct fl_kafka *kafka)
{
	rd_kafka_topic_partition_list_t *all = NULL;
	rd_kafka_message_t *message;

	if (!kafka->queue)
		return;
	/* Each time: what ended its warm-up since was let go on. */
	if (rd_kafka_assignment(kafka->rk, &all) == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_pause_partitions(kafka->rk, all);
	if (all)
		rd_kafka_topic_partition_list_destroy(all);
	kafka->resting = true;
	/* Nothing but news of the group comes from what is paused. */
	if (kafka->wanted || kafka->spare)
		return;
	message = rd_kafka_consumer_poll(kafka->rk, 0);
	/* But what came all the same, an end among it, comes once only. */
	if (message &&
	    (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF))
		kafka->spare = message;
	else if (message)
		rd_kafka_message_destroy(message);
}

void fl_kafka_wake(struct fl_kafka *kafka)
{
	rd_kafka_topic_partition_list_t *all = NULL;

	if (!kafka->resting)
		return;
	kafka->resting = false;
	if (rd_kafka_assignment(kafka->rk, &all) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	rd_kafka_resume_partitions(kafka->rk, all);
	rd_kafka_topic_partition_list_destroy(all);
}

/* --- the group ----------------------------------------------------------- */

int fl_kafka_rebalance(struct fl_kafka *kafka,
		       const struct fl_kafka_part **parts, size_t *count,
		       bool *lost)
{
	if (!kafka->wanted)
		return 0;
	if (!kafka->wanted_parts)
		kafka->wanted_parts =
			fl_realloc(NULL, (size_t)kafka->wanted->cnt + 1,
				   sizeof(*kafka->wanted_parts));
	for (int i = 0; i < kafka->wanted->cnt; i++)
		kafka->wanted_parts[i] = (struct fl_kafka_part){
			.topic = intern(kafka, kafka->wanted->elems[i].topic),
			.partition = kafka->wanted->elems[i].partition,
			.offset = FL_KAFKA_NONE,
		};
	*parts = kafka->wanted_parts;
	*count = (size_t)kafka->wanted->cnt;
	*lost = kafka->wanted_lost;
	return kafka->wanted_given ? 1 : -1;
}

int fl_kafka_settle(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		    size_t count, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_error_t *error =
		kafka->wanted_given
			? rd_kafka_incremental_assign(kafka->rk, list)
			: rd_kafka_incremental_unassign(kafka->rk, list);

	rd_kafka_topic_partition_list_destroy(list);
	settled(kafka);
	return error ? fl_kafka_fail(kafka, error, "cannot follow the group",
				     err)
		     : 0;
}

int fl_kafka_seek(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		  size_t count, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_error_t *error =
		rd_kafka_seek_partitions(kafka->rk, list, kafka->timeout_ms);
	int result = error ? fl_kafka_fail(kafka, error, "cannot seek", err)
			   : check_list(kafka, list, RD_KAFKA_RESP_ERR_NO_ERROR,
					"cannot seek", err);

	rd_kafka_topic_partition_list_destroy(list);
	return result;
}

int fl_kafka_pause(struct fl_kafka *kafka, const struct fl_kafka_part *parts,
		   size_t count, bool pause, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_resp_err_t code =
		pause ? rd_kafka_pause_partitions(kafka->rk, list)
		      : rd_kafka_resume_partitions(kafka->rk, list);
	int result =
		code ? fl_kafka_fail_code(kafka, (int)code, "cannot pause", err)
		     : 0;

	rd_kafka_topic_partition_list_destroy(list);
	return result;
}

/* --- offsets ------------------------------------------------------------- */

int fl_kafka_span(struct fl_kafka *kafka, const char *topic, int32_t partition,
		  int64_t *low, int64_t *high, struct fl_error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
		kafka->rk, topic, partition, low, high, kafka->timeout_ms);

	return code ? fl_kafka_fail_code(kafka, (int)code,
					 "cannot ask for offsets", err)
		    : 0;
}

/* Offsets of the list into parts, which are in the same order. */
static int take_offsets(struct fl_kafka *kafka,
			rd_kafka_topic_partition_list_t *list,
			rd_kafka_resp_err_t code, struct fl_kafka_part *parts,
			size_t count, const char *what, struct fl_error *err)
{
	int result = check_list(kafka, list, code, what, err);

	for (size_t i = 0; result == 0 && i < count; i++) {
		const rd_kafka_topic_partition_t *at =
			rd_kafka_topic_partition_list_find(list, parts[i].topic,
							   parts[i].partition);

		if (at)
			parts[i].offset = at->offset;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return result;
}

int fl_kafka_at_time(struct fl_kafka *kafka, struct fl_kafka_part *parts,
		     size_t count, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_resp_err_t code =
		count ? rd_kafka_offsets_for_times(kafka->rk, list,
						   kafka->timeout_ms)
		      : RD_KAFKA_RESP_ERR_NO_ERROR;

	return take_offsets(kafka, list, code, parts, count,
			    "cannot find a time", err);
}

int fl_kafka_committed(struct fl_kafka *kafka, struct fl_kafka_part *parts,
		       size_t count, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_resp_err_t code =
		count ? rd_kafka_committed(kafka->rk, list, kafka->timeout_ms)
		      : RD_KAFKA_RESP_ERR_NO_ERROR;

	return take_offsets(kafka, list, code, parts, count,
			    "cannot ask what the group has committed", err);
}

int fl_kafka_commit_offsets(struct fl_kafka *kafka,
			    const struct fl_kafka_part *parts, size_t count,
			    bool wait, struct fl_error *err)
{
	rd_kafka_topic_partition_list_t *list = list_of(parts, count);
	rd_kafka_resp_err_t code =
		count ? rd_kafka_commit(kafka->rk, list, !wait)
		      : RD_KAFKA_RESP_ERR_NO_ERROR;
	int result =
		wait ? check_list(kafka, list, code, "cannot commit offsets",
				  err)
		     : (code ? fl_kafka_fail_code(kafka, (int)code,
						  "cannot commit offsets", err)
			     : 0);

	rd_kafka_topic_partition_list_destroy(list);
	return result;
}

#endif
