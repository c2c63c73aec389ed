/* kafka-mock: librdkafka's own stand-in for a Kafka cluster as a process of its
 * own, which does what it is told on standard input until that ends.
 *
 *   kafka-mock BROKERS       prints where it listens; answers each order: ok
 *   topic NAME PARTITIONS
 *   down N | up N            broker N breaks off, or is there again
 *   rtt MS                   each answer of all brokers takes as long
 *   fail API CODE...         the next requests of that kind are answered so
 *
 * API and CODE are the numbers of the protocol. Its transactions hide nothing,
 * so what is to come once is for a real broker to show.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CODES_MAX = 100,
};

static rd_kafka_mock_cluster_t *cluster;
static int brokers;

static _Noreturn void die(const char *what, const char *object)
{
	fprintf(stderr, "kafka-mock: %s '%s'\n", what, object);
	exit(2);
}

static int number(const char *text)
{
	char *end;
	long value = text ? strtol(text, &end, 10) : -1;

	if (!text || end == text || *end || value < 0 || value > 1000000)
		die("no number", text ? text : "");
	return (int)value;
}

static void fail(char **rest)
{
	int api = number(strtok_r(NULL, " ", rest));
	rd_kafka_resp_err_t codes[CODES_MAX];
	size_t count = 0;
	char *word;

	while (count < CODES_MAX && (word = strtok_r(NULL, " ", rest)))
		codes[count++] = (rd_kafka_resp_err_t)number(word);
	rd_kafka_mock_push_request_errors_array(cluster, (int16_t)api, count,
						codes);
}

static rd_kafka_resp_err_t make_topic(char **rest)
{
	const char *name = strtok_r(NULL, " ", rest);

	return rd_kafka_mock_topic_create(cluster, name ? name : "",
					  number(strtok_r(NULL, " ", rest)),
					  brokers);
}

static rd_kafka_resp_err_t slow_down(char **rest)
{
	int ms = number(strtok_r(NULL, " ", rest));
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int n = 1; n <= brokers && !code; n++)
		code = rd_kafka_mock_broker_set_rtt(cluster, n, ms);
	return code;
}

static void obey(char *line)
{
	char *rest;
	const char *word = strtok_r(line, " \n", &rest);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	rest[strcspn(rest, "\n")] = '\0';
	if (!word)
		die("no order", "");
	if (strcmp(word, "topic") == 0)
		code = make_topic(&rest);
	else if (strcmp(word, "down") == 0)
		code = rd_kafka_mock_broker_set_down(
			cluster, number(strtok_r(NULL, " ", &rest)));
	else if (strcmp(word, "up") == 0)
		code = rd_kafka_mock_broker_set_up(
			cluster, number(strtok_r(NULL, " ", &rest)));
	else if (strcmp(word, "rtt") == 0)
		code = slow_down(&rest);
	else if (strcmp(word, "fail") == 0)
		fail(&rest);
	else
		die("no such order:", word);
	if (code)
		die("refused:", rd_kafka_err2str(code));
	puts("ok");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char text[512], line[1024];
	rd_kafka_t *client;

	if (argc != 2)
		die("usage:", "kafka-mock BROKERS");
	signal(SIGPIPE, SIG_IGN);
	client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text,
			      sizeof(text));
	if (!client)
		die("cannot begin:", text);
	brokers = number(argv[1]);
	cluster = rd_kafka_mock_cluster_new(client, brokers);
	if (!cluster)
		die("cannot make brokers:", argv[1]);
	puts(rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(client);
	return 0;
}
