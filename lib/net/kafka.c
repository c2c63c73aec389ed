/* kafka: the client, its settings, its errors, and topics; see kafka.h.
 *
 * A build without librdkafka has the options, so that help and manual are the
 * same, and one function that says what is missing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/secret.h"
#include "base/time.h"
#include "net/kafka-parts.h"

/* --- settings ------------------------------------------------------------ */

#define PROPERTIES_MAX 64
#define SECRET_MAX     1024

static struct {
	const char *brokers;
	const char *properties[PROPERTIES_MAX]; /* name=value */
	size_t property_count;
	bool tls;
	const char *ca, *cert, *key, *user, *sasl;
	const char *password_file, *key_password_file;
	int64_t timeout_ns;
} option = {
	.brokers = "localhost:9092",
	.timeout_ns = 30 * FL_SECOND,
};

/* Would its value be one that nobody may see in the list of processes? */
static bool is_secret(const char *name, size_t len)
{
	static const char *const words[] = { "password", "secret", "oauth",
					     "key.pem", "jaas" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(name, len, words[i], strlen(words[i])))
			return true;
	return false;
}

static int take_property(void *target, const char *value, struct fl_error *err)
{
	const char *eq = strchr(value, '=');
	size_t len = eq ? (size_t)(eq - value) : strlen(value);

	(void)target;
	if (!eq || eq == value)
		return fl_error_set(err, FL_ERR_USAGE,
				    "-X takes NAME=VALUE, a property of "
				    "librdkafka, not '%s'",
				    fl_show(value, len, 60));
	if (is_secret(value, len))
		return fl_error_set(err, FL_ERR_USAGE,
				    "-X %s would show a secret to whoever "
				    "lists processes: FL_KAFKA_PASSWORD and "
				    "FL_KAFKA_KEY_PASSWORD, or the same with "
				    "_FILE, hold them",
				    fl_show(value, len, 60));
	if (option.property_count == PROPERTIES_MAX)
		return fl_error_set(err, FL_ERR_USAGE,
				    "more than %d properties", PROPERTIES_MAX);
	option.properties[option.property_count++] = value;
	return 0;
}

const struct fl_option fl_kafka_options[] = {
	FL_OPT_TEXT(0, "brokers", "LIST", &option.brokers,
		    "the cluster, HOST:PORT,... [localhost:9092]"),
	FL_OPT_FLAG(0, "kafka-tls", &option.tls,
		    "speak TLS; the certificate is verified"),
	{ .kind = FL_OPTION_TEXT,
	  .name = "kafka-ca",
	  .arg = "FILE",
	  .target = &option.ca,
	  .words = "@file",
	  .help = "certificates that are trusted, PEM; implies --kafka-tls "
		  "[the system's]" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "kafka-cert",
	  .arg = "FILE",
	  .target = &option.cert,
	  .words = "@file",
	  .help = "our own certificate, PEM, for mutual TLS" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "kafka-key",
	  .arg = "FILE",
	  .target = &option.key,
	  .words = "@file",
	  .help = "its key, PEM; FL_KAFKA_KEY_PASSWORD if it has one" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "kafka-key-password-file",
	  .arg = "FILE",
	  .target = &option.key_password_file,
	  .words = "@file",
	  .help = "that password, in a file that nobody else may read" },
	FL_OPT_TEXT(0, "kafka-user", "NAME", &option.user,
		    "log in by SASL; the password is FL_KAFKA_PASSWORD"),
	{ .kind = FL_OPTION_TEXT,
	  .name = "kafka-password-file",
	  .arg = "FILE",
	  .target = &option.password_file,
	  .words = "@file",
	  .help = "that password, in a file that nobody else may read" },
	{ .kind = FL_OPTION_TEXT,
	  .name = "kafka-sasl",
	  .arg = "MECHANISM",
	  .target = &option.sasl,
	  .words = "SCRAM-SHA-512 SCRAM-SHA-256 PLAIN",
	  .help = "how: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN [SCRAM-SHA-512]" },
	FL_OPT_DURATION(0, "kafka-timeout", "DUR", &option.timeout_ns,
			"how long a cluster that does not answer is waited for "
			"[30s]"),
	FL_OPT_CALL('X', "property", "NAME=VALUE", take_property, NULL,
		    "a property of librdkafka; may be repeated"),
	FL_OPT_END,
};

#ifdef FL_WITHOUT_KAFKA

int fl_kafka_missing(struct fl_error *err)
{
	return fl_error_set(err, FL_ERR_USAGE,
			    "this build has no librdkafka, and so no Kafka: "
			    "scripts/setup installs it, make builds anew");
}

#else

#include <librdkafka/rdkafka.h>

static int set(rd_kafka_conf_t *conf, const char *name, const char *value,
	       struct fl_error *err)
{
	char text[300];

	if (!value || rd_kafka_conf_set(conf, name, value, text,
					sizeof(text)) == RD_KAFKA_CONF_OK)
		return 0;
	return fl_error_set(err, FL_ERR_USAGE, "librdkafka: %s", text);
}

/* The environment's, or that of a file. NULL: neither; with err: cannot be
 * read. */
static const char *secret(const char *variable, const char *file,
			  const char *what, char *text, struct fl_error *err)
{
	const char *value = getenv(variable);

	if (file) {
		if (fl_secret_read(file, what, text, SECRET_MAX, err) < 0)
			return NULL;
		return text;
	}
	return value && *value ? value : NULL;
}

static int set_login(rd_kafka_conf_t *conf, struct fl_error *err)
{
	bool tls = option.tls || option.ca || option.cert;
	char text[SECRET_MAX];
	const char *password;
	int result;

	if (!option.cert != !option.key)
		return fl_error_set(err, FL_ERR_USAGE,
				    "--kafka-cert and --kafka-key go together");
	if (!option.user && (option.sasl || option.password_file))
		return fl_error_set(err, FL_ERR_USAGE,
				    "to log in, say who: --kafka-user NAME or "
				    "FL_KAFKA_USER");
	if (tls || option.user)
		if (set(conf, "security.protocol",
			!option.user ? "ssl"
				     : (tls ? "sasl_ssl" : "sasl_plaintext"),
			err) < 0)
			return -1;
	if (set(conf, "ssl.ca.location", option.ca, err) < 0 ||
	    set(conf, "ssl.certificate.location", option.cert, err) < 0 ||
	    set(conf, "ssl.key.location", option.key, err) < 0)
		return -1;
	password = secret("FL_KAFKA_KEY_PASSWORD", option.key_password_file,
			  "the key's password", text, err);
	if (err->code || set(conf, "ssl.key.password", password, err) < 0)
		return -1;
	if (!option.user)
		return 0;
	password = secret("FL_KAFKA_PASSWORD", option.password_file,
			  "the password", text, err);
	if (!password && !err->code)
		fl_error_set(err, FL_ERR_USAGE,
			     "no password for '%s': FL_KAFKA_PASSWORD, or "
			     "FL_KAFKA_PASSWORD_FILE names a file with it",
			     fl_show(option.user, strlen(option.user), 60));
	if (err->code)
		return -1;
	result = set(conf, "sasl.mechanism",
		     option.sasl ? option.sasl : "SCRAM-SHA-512", err);
	if (result == 0)
		result = set(conf, "sasl.username", option.user, err);
	if (result == 0)
		result = set(conf, "sasl.password", password, err);
	explicit_bzero(text, sizeof(text));
	return result;
}

static int set_properties(rd_kafka_conf_t *conf, struct fl_error *err)
{
	for (size_t i = 0; i < option.property_count; i++) {
		const char *given = option.properties[i];
		const char *eq = strchr(given, '=');
		char *name = fl_strndup(given, (size_t)(eq - given));
		int result = set(conf, name, eq + 1, err);

		free(name);
		if (result < 0)
			return fl_error_wrap(err, "-X");
	}
	return 0;
}

/* --- errors -------------------------------------------------------------- */

enum fl_code fl_kafka_code(int code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
	case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
	case RD_KAFKA_RESP_ERR__SSL:
		return FL_ERR_REFUSED;
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
		return FL_ERR_USAGE;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
		return FL_ERR_DATA;
	default:
		return FL_ERR_AGAIN;
	}
}

static bool is_fenced(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR__FENCED ||
	       code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	       code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
	       code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

/* What librdkafka says may quote foreign bytes. */
static void keep(char *text, size_t size, const char *said)
{
	snprintf(text, size, "%s", fl_show(said, strlen(said), 250));
}

/* Of what goes wrong with TLS, what no waiting mends: not a broker that speaks
 * none yet. */
static bool of_certificate(const char *said)
{
	return strstr(said, "verify") || strstr(said, "certificate") ||
	       strstr(said, "unknown ca");
}

static void note(struct fl_kafka *kafka, rd_kafka_resp_err_t code,
		 const char *said)
{
	char *after;

	fl_log("kafka: %s: %s", rd_kafka_err2name(code), said);
	/* That all are down tells less than why the last one was. */
	if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*kafka->said)
		keep(kafka->said, sizeof(kafka->said), said);
	/* For how long, and how often, is nothing that a user could mend. */
	if ((after = strstr(kafka->said, " (after ")))
		*after = '\0';
	if (kafka->fatal)
		return;
	if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
	    (code == RD_KAFKA_RESP_ERR__SSL && of_certificate(said)) ||
	    /* Since TLS 1.3 the broker's word on ours comes when all is set up.
	     */
	    (code == RD_KAFKA_RESP_ERR__TRANSPORT &&
	     strstr(said, "SSL alert") && of_certificate(said))) {
		kafka->fatal = FL_ERR_REFUSED;
		keep(kafka->fatal_text, sizeof(kafka->fatal_text), said);
	}
}

static void on_error(rd_kafka_t *rk, int code, const char *said, void *opaque)
{
	struct fl_kafka *kafka = opaque;
	char text[300];

	if (code == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_resp_err_t fatal =
			rd_kafka_fatal_error(rk, text, sizeof(text));

		if (!kafka->fatal) {
			kafka->fatal = is_fenced(fatal)
					       ? FL_ERR_AGAIN
					       : fl_kafka_code((int)fatal);
			keep(kafka->fatal_text, sizeof(kafka->fatal_text),
			     text);
		}
		return;
	}
	note(kafka, (rd_kafka_resp_err_t)code, said);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility,
		   const char *said)
{
	(void)rk;
	(void)level;
	fl_log("librdkafka: %s: %s", facility, said);
}

int fl_kafka_check(struct fl_kafka *kafka, struct fl_error *err)
{
	if (!kafka->fatal)
		return 0;
	return fl_error_set(err, kafka->fatal, "Kafka at %s: %s",
			    kafka->brokers, kafka->fatal_text);
}

bool fl_kafka_is_lost(const struct fl_kafka *kafka)
{
	return kafka->fatal != FL_OK;
}

int fl_kafka_fail_code(struct fl_kafka *kafka, int code, const char *what,
		       struct fl_error *err)
{
	const char *said = rd_kafka_err2str((rd_kafka_resp_err_t)code);

	if (fl_kafka_check(kafka, err) < 0)
		return -1;
	if (code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
	    code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
	    code == RD_KAFKA_RESP_ERR__TRANSPORT)
		return fl_error_set(err, FL_ERR_AGAIN,
				    "%s: no answer from Kafka at %s%s%s", what,
				    kafka->brokers, *kafka->said ? ": " : "",
				    kafka->said);
	return fl_error_set(err, fl_kafka_code(code), "%s: %s", what, said);
}

int fl_kafka_fail(struct fl_kafka *kafka, rd_kafka_error_t *error,
		  const char *what, struct fl_error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);
	char said[300];

	keep(said, sizeof(said), rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	if (is_fenced(code))
		return fl_error_set(err, FL_ERR_AGAIN, "%s: %s", what, said);
	if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
		return fl_kafka_fail_code(kafka, code, what, err);
	if (fl_kafka_check(kafka, err) < 0)
		return -1;
	return fl_error_set(err, fl_kafka_code((int)code), "%s: %s", what,
			    said);
}

/* --- the client ---------------------------------------------------------- */

static int set_timeout(rd_kafka_conf_t *conf, const char *name,
		       struct fl_error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld",
		 (long long)(option.timeout_ns / (FL_SECOND / 1000)));
	return set(conf, name, text, err);
}

static int configure(struct fl_kafka *kafka, rd_kafka_conf_t *conf,
		     const struct fl_kafka_config *config, struct fl_error *err)
{
	rd_kafka_conf_set_opaque(conf, kafka);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (config->consumer)
		fl_kafka_consumer_conf(conf);
	else
		fl_kafka_producer_conf(conf);
	if (set(conf, "bootstrap.servers", kafka->brokers, err) < 0 ||
	    set(conf, "client.id", config->client, err) < 0 ||
	    set(conf, "transactional.id", config->transactional_id, err) < 0 ||
	    set(conf, "group.id", config->group, err) < 0 ||
	    set(conf, "group.instance.id", config->instance, err) < 0 ||
	    (!config->consumer &&
	     set_timeout(conf, "message.timeout.ms", err) < 0) ||
	    set(conf, "isolation.level",
		config->consumer ? (config->uncommitted ? "read_uncommitted"
							: "read_committed")
				 : NULL,
		err) < 0)
		return -1;
	/* Without a group nothing is committed, yet a consumer has one. */
	if (config->consumer && !config->group &&
	    set(conf, "group.id", "fl-consume-without-group", err) < 0)
		return -1;
	return set_login(conf, err) < 0 ? -1 : set_properties(conf, err);
}

/* A first answer, or why there is none. */
static int wait_for_answer(struct fl_kafka *kafka, struct fl_error *err)
{
	int64_t until = fl_monotonic_ns() + option.timeout_ns;
	int patience_ms = 500;
	rd_kafka_resp_err_t code;

	/* In parts, to hear of what no waiting mends; in growing ones, for an
	 * answer that comes after its part is missed. */
	do {
		const struct rd_kafka_metadata *found;

		code = rd_kafka_metadata(kafka->rk, 0, NULL, &found,
					 patience_ms);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
			rd_kafka_metadata_destroy(found);
			return 0;
		}
		rd_kafka_poll(kafka->rk, 0);
		if (kafka->fatal)
			break;
		if (code == RD_KAFKA_RESP_ERR__TIMED_OUT &&
		    patience_ms < kafka->timeout_ms / 2)
			patience_ms *= 2;
	} while (fl_monotonic_ns() < until);
	return fl_kafka_fail_code(kafka, (int)code, "cannot connect", err);
}

static int open_client(struct fl_kafka *kafka,
		       const struct fl_kafka_config *config,
		       struct fl_error *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[300];

	kafka->brokers =
		fl_strdup(config->brokers ? config->brokers : option.brokers);
	kafka->consumer = config->consumer;
	kafka->undelivered = config->undelivered;
	kafka->arg = config->arg;
	kafka->timeout_ms = (int)(option.timeout_ns / (FL_SECOND / 1000));
	if (configure(kafka, conf, config, err) < 0) {
		rd_kafka_conf_destroy(conf);
		return -1;
	}
	kafka->rk = rd_kafka_new(config->consumer ? RD_KAFKA_CONSUMER
						  : RD_KAFKA_PRODUCER,
				 conf, text, sizeof(text));
	if (!kafka->rk) {
		rd_kafka_conf_destroy(conf);
		return fl_error_set(err, FL_ERR_USAGE, "librdkafka: %s", text);
	}
	if (wait_for_answer(kafka, err) < 0)
		return -1;
	if (config->consumer)
		fl_kafka_consumer_start(kafka);
	return 0;
}

void fl_kafka_close(struct fl_kafka **out)
{
	struct fl_kafka *kafka = *out;

	*out = NULL;
	if (!kafka)
		return;
	if (kafka->rk && kafka->consumer)
		fl_kafka_consumer_stop(kafka);
	else if (kafka->rk && !fl_kafka_producer_stop(kafka))
		return; /* nothing but memory is left, till the program ends */
	/* A member that leaves before it was first given anything makes 2.0.2
	 * abort in there; nothing but its memory is left. */
	if (kafka->rk && (!kafka->shared || kafka->assigned))
		rd_kafka_destroy(kafka->rk);
	for (size_t i = 0; i < kafka->topic_count; i++)
		free((char *)kafka->topics[i].name);
	free(kafka->topics);
	free(kafka->brokers);
	free(kafka->cluster);
	free(kafka);
}

int fl_kafka_open(struct fl_kafka **out, const struct fl_kafka_config *config,
		  struct fl_error *err)
{
	*out = fl_zalloc(sizeof(**out));
	if (open_client(*out, config, err) == 0)
		return 0;
	fl_kafka_close(out);
	return -1;
}

const char *fl_kafka_brokers(const struct fl_kafka *kafka)
{
	return kafka->brokers;
}

const char *fl_kafka_cluster(struct fl_kafka *kafka, struct fl_error *err)
{
	char *id;

	if (kafka->cluster)
		return kafka->cluster;
	id = rd_kafka_clusterid(kafka->rk, kafka->timeout_ms);
	if (!id) {
		fl_error_set(err, FL_ERR_AGAIN,
			     "Kafka at %s does not tell which cluster it is",
			     kafka->brokers);
		return NULL;
	}
	kafka->cluster = fl_strdup(id);
	rd_kafka_mem_free(kafka->rk, id);
	return kafka->cluster;
}

/* --- topics -------------------------------------------------------------- */

static int by_name(const void *left, const void *right)
{
	const struct fl_kafka_topic *a = left, *b = right;

	return strcmp(a->name, b->name);
}

int fl_kafka_refresh(struct fl_kafka *kafka, struct fl_error *err)
{
	const struct rd_kafka_metadata *found;
	rd_kafka_resp_err_t code;
	size_t n = 0;

	/* All of them: whoever asks for one by name makes it, where brokers
	 * make topics by themselves. */
	code = rd_kafka_metadata(kafka->rk, 1, NULL, &found, kafka->timeout_ms);
	if (code)
		return fl_kafka_fail_code(kafka, (int)code,
					  "cannot list topics", err);
	for (size_t i = 0; i < kafka->topic_count; i++)
		free((char *)kafka->topics[i].name);
	kafka->topics = fl_realloc(kafka->topics, (size_t)found->topic_cnt + 1,
				   sizeof(*kafka->topics));
	for (int i = 0; i < found->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *topic = &found->topics[i];

		if (topic->err || strncmp(topic->topic, "__", 2) == 0)
			continue;
		kafka->topics[n++] = (struct fl_kafka_topic){
			.name = fl_strdup(topic->topic),
			.partitions = topic->partition_cnt,
			.replicas = topic->partition_cnt
					    ? topic->partitions->replica_cnt
					    : 0,
		};
	}
	rd_kafka_metadata_destroy(found);
	kafka->topic_count = n;
	qsort(kafka->topics, n, sizeof(*kafka->topics), by_name);
	kafka->topics[n] = (struct fl_kafka_topic){ .name = NULL };
	return 0;
}

const struct fl_kafka_topic *fl_kafka_topics(const struct fl_kafka *kafka)
{
	return kafka->topics;
}

const struct fl_kafka_topic *fl_kafka_topic(const struct fl_kafka *kafka,
					    const char *name)
{
	for (size_t i = 0; i < kafka->topic_count; i++)
		if (strcmp(kafka->topics[i].name, name) == 0)
			return &kafka->topics[i];
	return NULL;
}

int fl_kafka_no_topic(const struct fl_kafka *kafka, const char *name,
		      struct fl_error *err)
{
	const char **names =
		fl_realloc(NULL, kafka->topic_count + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < kafka->topic_count; i++)
		names[i] = kafka->topics[i].name;
	names[kafka->topic_count] = NULL;
	near = fl_nearest(name, names);
	fl_error_set(err, FL_ERR_REFUSED, "no topic '%s' on %s%s%s%s",
		     fl_show(name, strlen(name), 100), kafka->brokers,
		     near ? " (there is '" : "", near ? near : "",
		     near ? "')" : "");
	free(names);
	return -1;
}

/* The result of the one topic that was to be made. */
static rd_kafka_resp_err_t created(rd_kafka_event_t *event, char *said,
				   size_t size)
{
	const rd_kafka_CreateTopics_result_t *result =
		rd_kafka_event_CreateTopics_result(event);
	rd_kafka_resp_err_t code = rd_kafka_event_error(event);
	const rd_kafka_topic_result_t **topics;
	size_t count;

	if (code) {
		keep(said, size, rd_kafka_event_error_string(event));
		return code;
	}
	topics = rd_kafka_CreateTopics_result_topics(result, &count);
	if (!count)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	code = rd_kafka_topic_result_error(topics[0]);
	if (code)
		keep(said, size,
		     rd_kafka_topic_result_error_string(topics[0])
			     ? rd_kafka_topic_result_error_string(topics[0])
			     : rd_kafka_err2str(code));
	return code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
		       ? RD_KAFKA_RESP_ERR_NO_ERROR
		       : code;
}

/* Does the broker itself know the topic? One that cannot be asked does. */
static bool broker_knows(struct fl_kafka *kafka, int32_t broker,
			 const char *name)
{
	char said[200];
	rd_kafka_AdminOptions_t *how = rd_kafka_AdminOptions_new(
		kafka->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->rk);
	rd_kafka_ConfigResource_t *topic =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
	rd_kafka_event_t *event;
	bool knows = true;

	rd_kafka_AdminOptions_set_broker(how, broker, said, sizeof(said));
	rd_kafka_AdminOptions_set_request_timeout(how, 2000, said,
						  sizeof(said));
	rd_kafka_DescribeConfigs(kafka->rk, &topic, 1, how, queue);
	event = rd_kafka_queue_poll(queue, 3000);
	if (event && !rd_kafka_event_error(event)) {
		size_t count;
		const rd_kafka_ConfigResource_t **found =
			rd_kafka_DescribeConfigs_result_resources(
				rd_kafka_event_DescribeConfigs_result(event),
				&count);

		knows = !count ||
			rd_kafka_ConfigResource_error(found[0]) !=
				RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	}
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_ConfigResource_destroy(topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(how);
	return knows;
}

static int all_know(struct fl_kafka *kafka, const char *name, bool *all,
		    struct fl_error *err)
{
	const struct rd_kafka_metadata *found;
	rd_kafka_resp_err_t code = rd_kafka_metadata(kafka->rk, 0, NULL, &found,
						     kafka->timeout_ms);

	if (code)
		return fl_kafka_fail_code(kafka, (int)code,
					  "cannot list brokers", err);
	*all = true;
	for (int i = 0; i < found->broker_cnt && *all; i++)
		*all = broker_knows(kafka, found->brokers[i].id, name);
	rd_kafka_metadata_destroy(found);
	return 0;
}

/* It is made, but not every broker knows it yet; one that does not makes
 * librdkafka give up what is on its way there. */
static int wait_for_topic(struct fl_kafka *kafka, const char *name,
			  struct fl_error *err)
{
	int64_t until = fl_monotonic_ns() + option.timeout_ns;

	for (;;) {
		const struct fl_kafka_topic *topic;
		bool all = false;

		if (fl_kafka_refresh(kafka, err) < 0)
			return -1;
		topic = fl_kafka_topic(kafka, name);
		if (topic && topic->partitions &&
		    all_know(kafka, name, &all, err) < 0)
			return -1;
		if (all)
			return 0;
		if (fl_monotonic_ns() > until)
			return fl_error_set(err, FL_ERR_AGAIN,
					    "topic '%s' was created, but the "
					    "brokers do not show it yet",
					    name);
		rd_kafka_poll(kafka->rk, 20);
	}
}

int fl_kafka_create(struct fl_kafka *kafka, const char *name, int partitions,
		    int replicas, bool compacted, struct fl_error *err)
{
	char said[300] = "";
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
		name, partitions, replicas, said, sizeof(said));
	rd_kafka_AdminOptions_t *how;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	rd_kafka_resp_err_t code;

	if (!topic)
		return fl_error_set(err, FL_ERR_USAGE,
				    "no topic can be called '%s': %s",
				    fl_show(name, strlen(name), 100), said);
	if (compacted)
		rd_kafka_NewTopic_set_config(topic, "cleanup.policy",
					     "compact");
	else
		rd_kafka_NewTopic_set_config(topic, "retention.ms", "-1");
	queue = rd_kafka_queue_new(kafka->rk);
	how = rd_kafka_AdminOptions_new(kafka->rk,
					RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_AdminOptions_set_request_timeout(how, kafka->timeout_ms, said,
						  sizeof(said));
	rd_kafka_CreateTopics(kafka->rk, &topic, 1, how, queue);
	event = rd_kafka_queue_poll(queue, kafka->timeout_ms + 1000);
	code = event ? created(event, said, sizeof(said))
		     : RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_AdminOptions_destroy(how);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy(topic);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return wait_for_topic(kafka, name, err);
	if (*said)
		fl_error_set(err, fl_kafka_code((int)code),
			     "cannot create topic '%s' on %s: %s",
			     fl_show(name, strlen(name), 100), kafka->brokers,
			     said);
	return fl_kafka_fail_code(kafka, (int)code, "cannot create a topic",
				  err);
}

#endif
