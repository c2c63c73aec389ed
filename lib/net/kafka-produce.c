/* kafka-produce: messages to a cluster; see kafka.h.
 *
 * Every message is reported, not failed ones alone: so it is freed by the
 * thread that allocated it, which takes half the time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/kafka-parts.h"

#ifndef FL_WITHOUT_KAFKA

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

/* The headers of one type and provider: all its messages have the same ones.
 * librdkafka reads them, and frees them with the message unless they are taken
 * away when it is reported, which all are (see fl_kafka_producer_stop). Headers
 * of its own cost a message four allocations, or, kept for the next one, memory
 * that is in no cache any more when that comes. */
void *fl_kafka_headers(struct fl_kafka *kafka, const char *type,
		       const char *provider, size_t provider_len)
{
	char *key = fl_sprintf("%s/%.*s", type, (int)provider_len, provider);
	void **slot = fl_map_at(&kafka->headers, key, strlen(key));
	rd_kafka_headers_t *headers = *slot;

	free(key);
	if (headers)
		return headers;
	*slot = headers = rd_kafka_headers_new(2);
	rd_kafka_header_add(headers, "type", -1, type, -1);
	rd_kafka_header_add(headers, "provider", -1, provider,
			    (ssize_t)provider_len);
	return headers;
}

static void free_headers(void *headers)
{
	rd_kafka_headers_destroy(headers);
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message,
		      void *opaque)
{
	struct fl_kafka *kafka = opaque;
	rd_kafka_resp_err_t code = message->err;
	rd_kafka_headers_t *headers;
	bool timed_out = false;

	(void)rk;
	/* The message is ours to take apart, whatever its type says. */
	rd_kafka_message_detach_headers(
		(rd_kafka_message_t *)(uintptr_t)message, &headers);
	if (!code)
		return;
	switch (code) {
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
	case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
	case RD_KAFKA_RESP_ERR__DESTROY:
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	/* It was there, so a broker that does not know of it is behind. */
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		timed_out = true;
		break;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		/* No fault of the message: none of them will get through. */
		timed_out = true;
		if (!kafka->fatal)
			snprintf(kafka->fatal_text, sizeof(kafka->fatal_text),
				 "'%s': %s", rd_kafka_topic_name(message->rkt),
				 rd_kafka_err2str(code));
		kafka->fatal = FL_ERR_REFUSED;
		break;
	default:
		break;
	}
	if (kafka->undelivered)
		kafka->undelivered(kafka->arg,
				   rd_kafka_topic_name(message->rkt),
				   message->payload, message->len, timed_out,
				   rd_kafka_err2str(code));
}

void fl_kafka_producer_conf(rd_kafka_conf_t *conf)
{
	/* None of these can fail; -X may change them. */
	static const char *const settings[][2] = {
		{ "enable.idempotence", "true" }, /* acks=all, order kept */
		{ "compression.codec", "zstd" },
		/* As the Java client spreads keys, so that whoever else writes
		 * to the topic finds the same partition. */
		{ "partitioner", "murmur2_random" },
		{ "queue.buffering.max.kbytes", "32768" },
		/* What waits is what the caches must hold: ten times as many
		 * take half as much time again, and go no faster. */
		{ "queue.buffering.max.messages", "15000" },
		{ "batch.size", "300000" },
		{ "linger.ms", "20" },
	};
	char text[200];

	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1],
				      text, sizeof(text)) != RD_KAFKA_CONF_OK)
			FL_BUG("librdkafka refuses a setting of ours");
}

static rd_kafka_topic_t *topic_of(struct fl_kafka *kafka, const char *name)
{
	void **slot = fl_map_at(&kafka->handles, name, strlen(name));

	if (!*slot)
		*slot = rd_kafka_topic_new(kafka->rk, name, NULL);
	return *slot;
}

/* One attempt. */
static rd_kafka_resp_err_t put(struct fl_kafka *kafka, rd_kafka_topic_t *topic,
			       const struct fl_kafka_out *out)
{
	enum {
		TOPIC,
		KEY,
		VALUE,
		FLAGS,
		TIME,
		HEADERS,
		VALUES
	};
	rd_kafka_vu_t values[VALUES] = {
		[TOPIC] = { .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic },
		[KEY] = { .vtype = RD_KAFKA_VTYPE_KEY },
		[VALUE] = { .vtype = RD_KAFKA_VTYPE_VALUE },
		[FLAGS] = { .vtype = RD_KAFKA_VTYPE_MSGFLAGS,
			    .u.i = RD_KAFKA_MSG_F_COPY },
		[TIME] = { .vtype = RD_KAFKA_VTYPE_TIMESTAMP,
			   .u.i64 = out->time_ms },
		[HEADERS] = { .vtype = RD_KAFKA_VTYPE_HEADERS,
			      .u.headers = out->headers },
	};
	rd_kafka_error_t *error;
	rd_kafka_resp_err_t code;

	values[KEY].u.mem.ptr = (void *)(uintptr_t)out->key;
	values[KEY].u.mem.size = out->key_len;
	values[VALUE].u.mem.ptr = (void *)(uintptr_t)out->bytes;
	values[VALUE].u.mem.size = out->len;
	error = rd_kafka_produceva(kafka->rk, values,
				   out->headers ? VALUES : HEADERS);
	if (!error)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	code = rd_kafka_error_code(error);
	rd_kafka_error_destroy(error);
	return code;
}

int fl_kafka_produce(struct fl_kafka *kafka, const struct fl_kafka_out *out,
		     bool (*waits)(void *arg), void *arg, struct fl_error *err)
{
	rd_kafka_topic_t *topic = topic_of(kafka, out->topic);
	rd_kafka_resp_err_t code;

	if (!topic)
		return fl_error_set(
			err, FL_ERR_USAGE, "no topic can be called '%s'",
			fl_show(out->topic, strlen(out->topic), 100));
	while ((code = put(kafka, topic, out)) ==
	       RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		rd_kafka_poll(kafka->rk, 100);
		if (fl_kafka_check(kafka, err) < 0)
			return -1;
		if (!waits(arg))
			return 0;
	}
	if (!code)
		return 1;
	return fl_kafka_fail_code(kafka, (int)code, out->topic, err);
}

void fl_kafka_serve(struct fl_kafka *kafka, int timeout_ms)
{
	rd_kafka_poll(kafka->rk, timeout_ms);
}

uint64_t fl_kafka_pending(const struct fl_kafka *kafka)
{
	return (uint64_t)rd_kafka_outq_len(kafka->rk);
}

uint64_t fl_kafka_flush(struct fl_kafka *kafka, bool (*waits)(void *arg),
			void *arg)
{
	/* flush() does not wait for linger.ms. */
	while (rd_kafka_outq_len(kafka->rk) > 0 && !kafka->fatal) {
		if (rd_kafka_flush(kafka->rk, 100) ==
		    RD_KAFKA_RESP_ERR_NO_ERROR)
			break;
		if (!waits(arg))
			break;
	}
	rd_kafka_poll(kafka->rk, 0);
	return fl_kafka_pending(kafka);
}

void fl_kafka_give_up(struct fl_kafka *kafka)
{
	rd_kafka_purge(kafka->rk,
		       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	for (int i = 0; i < 50 && rd_kafka_outq_len(kafka->rk) > 0; i++)
		rd_kafka_poll(kafka->rk, 100);
}

/* --- transactions -------------------------------------------------------- */

int fl_kafka_fence(struct fl_kafka *kafka, struct fl_error *err)
{
	/* A coordinator that is loading answers when it is done; librdkafka
	 * asks again for as long as that may take. */
	rd_kafka_error_t *error =
		rd_kafka_init_transactions(kafka->rk, kafka->timeout_ms);

	return error ? fl_kafka_fail(kafka, error,
				     "cannot begin to write transactions", err)
		     : 0;
}

int fl_kafka_begin(struct fl_kafka *kafka, struct fl_error *err)
{
	rd_kafka_error_t *error = rd_kafka_begin_transaction(kafka->rk);

	return error ? fl_kafka_fail(kafka, error, "cannot begin a transaction",
				     err)
		     : 0;
}

int fl_kafka_commit(struct fl_kafka *kafka, struct fl_error *err)
{
	for (int tries = 0;; tries++) {
		rd_kafka_error_t *error = rd_kafka_commit_transaction(
			kafka->rk, kafka->timeout_ms);

		if (!error)
			return 0;
		/* It goes on where it stopped. */
		if (rd_kafka_error_is_retriable(error) && tries < 3) {
			fl_log("kafka: commit: %s",
			       rd_kafka_error_string(error));
			rd_kafka_error_destroy(error);
			continue;
		}
		return fl_kafka_fail(kafka, error,
				     "cannot commit a transaction", err);
	}
}

void fl_kafka_abort(struct fl_kafka *kafka)
{
	rd_kafka_error_t *error;

	/* What is queued is part of it. */
	rd_kafka_purge(kafka->rk,
		       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	error = rd_kafka_abort_transaction(kafka->rk, kafka->timeout_ms);
	if (!error)
		return;
	fl_log("kafka: abort: %s", rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
}

static void free_topic(void *topic)
{
	rd_kafka_topic_destroy(topic);
}

bool fl_kafka_producer_stop(struct fl_kafka *kafka)
{
	if (rd_kafka_outq_len(kafka->rk) > 0)
		fl_kafka_give_up(kafka);
	/* What was never reported would free its headers once more. */
	if (rd_kafka_outq_len(kafka->rk) > 0)
		return false;
	fl_map_release(&kafka->handles, free_topic);
	fl_map_release(&kafka->headers, free_headers);
	return true;
}

#endif
