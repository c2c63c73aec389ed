/* s3-role: keys for S3 that are asked for; see s3-conf.h.
 *
 * A role's is what STS gives for a token that somebody else has signed: that of
 * a pod's account, in Kubernetes. The machine's is at an address that only the
 * machine itself reaches; the token that version 2 of it wants first is what
 * keeps a server that can be led to fetch addresses from giving it away.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3-conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "io/json.h"
#include "net/http.h"
#include "net/s3-xml.h"

enum {
	TOKEN_MAX = 64 * 1024,
	ANSWER_MAX = 256 * 1024,
};

/* --- one question ----------------------------------------------------------
 */

struct question {
	const char *method; /* NULL: a form */
	const char *url, *form;
	const char *lines; /* of header */
	unsigned tries;
	int64_t connect_ns;
	const char *ca_file;
};

static int put_lines(void *arg, struct fl_buf *lines, struct fl_error *err)
{
	(void)err;
	fl_buf_puts(lines, arg);
	return 0;
}

/* returns 1 with status and body; 0 nobody is there, with why; -1 */
static int ask(const struct question *question, unsigned *status,
	       struct fl_buf *body, char why[300], struct fl_error *err)
{
	const struct fl_http_settings settings = {
		.agent = "FinanceLake",
		.accept = "*/*",
		.ca_file = question->ca_file,
		.parallel = 1,
		.tries = question->tries,
		.retry_ns = FL_SECOND / 5,
		.retry_most_ns = FL_MINUTE,
		.connect_ns = question->connect_ns,
		.stall_ns = 5 * FL_SECOND,
		.max_body = ANSWER_MAX,
	};
	const struct fl_http_request request = {
		.url = question->url,
		.arg = (void *)question->lines,
		.method = question->method,
		.form = question->form,
		.head = question->method ? put_lines : NULL,
	};
	const struct fl_io io = { .command = "" };
	struct fl_http_answer answer;
	struct fl_http *http;
	int got;

	if (fl_http_open(&http, &io, &settings, err) < 0)
		return -1;
	fl_http_ask(http, &request);
	do {
		got = fl_http_next(http, &answer, FL_MINUTE, err);
	} while (got == 2);
	if (got > 0 && answer.fault) {
		snprintf(why, 300, "%s", answer.why);
		got = 0;
	} else if (got > 0) {
		*status = answer.status;
		fl_buf_append(body, answer.body, answer.len);
	}
	fl_http_close(&http);
	return got;
}

static int64_t time_of(const char *text, size_t len)
{
	int64_t ns;

	return fl_time_parse(text, len, &ns) == FL_TIME_BAD ? FL_TIME_NONE : ns;
}

/* --- a role ----------------------------------------------------------------
 */

static int read_token(const char *path, struct fl_buf *token,
		      struct fl_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = -1;

	fl_buf_reserve(token, TOKEN_MAX);
	if (fd >= 0)
		got = read(fd, token->data, TOKEN_MAX);
	if (got < 0)
		fl_error_set(err, FL_ERR_IO,
			     "cannot read '%s', the token of the role: %s",
			     fl_show(path, strlen(path), 200), strerror(errno));
	if (fd >= 0)
		close(fd);
	while (got > 0 && strchr(" \t\r\n", token->data[got - 1]))
		got--;
	if (got < 0)
		return -1;
	token->len = (size_t)got;
	token->data[got] = '\0';
	return 0;
}

static int take_credential(void *arg, const char *within, const char *name,
			   const char *value, struct fl_error *err)
{
	struct fl_s3_key *key = arg;

	(void)err;
	if (strcmp(within, "Error") == 0 && strcmp(name, "Message") == 0) {
		snprintf(key->from, sizeof(key->from), "%s",
			 fl_show(value, strlen(value), 150));
		return 0;
	}
	if (strcmp(within, "Credentials") != 0)
		return 0;
	if (strcmp(name, "AccessKeyId") == 0 && !key->access)
		key->access = fl_strdup(value);
	else if (strcmp(name, "SecretAccessKey") == 0 && !key->secret)
		key->secret = fl_strdup(value);
	else if (strcmp(name, "SessionToken") == 0 && !key->token)
		key->token = fl_strdup(value);
	else if (strcmp(name, "Expiration") == 0)
		key->until_ns = time_of(value, strlen(value));
	return 0;
}

static void make_form(const char *role, const char *session,
		      const struct fl_buf *token, struct fl_buf *form)
{
	fl_buf_puts(form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
			  "&RoleArn=");
	fl_url_escape(role, form);
	fl_buf_puts(form, "&RoleSessionName=");
	fl_url_escape(session ? session : "financelake", form);
	fl_buf_puts(form, "&WebIdentityToken=");
	fl_url_escape(fl_buf_text(token), form);
}

int fl_s3_key_of_role(const struct fl_s3_conf *conf, const char *role,
		      const char *token_file, const char *session,
		      struct fl_s3_key *key, struct fl_error *err)
{
	const char *place = getenv("AWS_ENDPOINT_URL_STS");
	char *url = place && *place
			    ? fl_sprintf("%s/", place)
			    : fl_sprintf("https://sts.%s.amazonaws.com/",
					 conf->region);
	struct fl_buf token = FL_BUF_INIT, form = FL_BUF_INIT;
	struct fl_buf body = FL_BUF_INIT;
	struct question question = {
		.url = url,
		.tries = 4,
		.connect_ns = 10 * FL_SECOND,
		.ca_file = conf->ca_file,
	};
	const char *shown = fl_show(role, strlen(role), 100);
	unsigned status = 0;
	char why[300] = "";
	int got = read_token(token_file, &token, err);

	if (got == 0) {
		make_form(role, session, &token, &form);
		question.form = fl_buf_text(&form);
		got = ask(&question, &status, &body, why, err);
	}
	if (got > 0)
		got = fl_s3_xml_read(fl_buf_text(&body), body.len,
				     take_credential, key, err) < 0
			      ? -1
			      : 1;
	if (got == 0)
		got = fl_error_set(err, FL_ERR_AGAIN,
				   "cannot get the key of role '%s': %s", shown,
				   why);
	else if (got > 0 && (!key->access || !key->secret))
		got = fl_error_set(
			err, status >= 500 ? FL_ERR_AGAIN : FL_ERR_REFUSED,
			"cannot get the key of role '%s': HTTP %u%s%s", shown,
			status, *key->from ? ": " : "", key->from);
	if (got > 0)
		snprintf(key->from, sizeof(key->from), "role '%s'", shown);
	explicit_bzero(token.data, token.cap);
	if (form.data)
		explicit_bzero(form.data, form.cap);
	if (body.data)
		explicit_bzero(body.data, body.cap);
	fl_buf_release(&token);
	fl_buf_release(&form);
	fl_buf_release(&body);
	free(url);
	return got < 0 ? -1 : 0;
}

/* --- the machine -----------------------------------------------------------
 */

static char *text_of(const struct fl_json *json, const char *name)
{
	uint32_t at = fl_json_find(json, 0, name, strlen(name));

	if (!at || json->toks[at].kind != FL_JSON_STRING)
		return NULL;
	return fl_strndup(json->toks[at].text, json->toks[at].len);
}

/* errors  FL_ERR_AGAIN it is none */
static int read_machine(const struct fl_buf *body, struct fl_s3_key *key,
			struct fl_error *err)
{
	struct fl_json json = FL_JSON_INIT;
	struct fl_note note = { "", "" };
	char *until = NULL;

	if (fl_json_parse(&json, fl_buf_text(body), body->len, &note) ==
		    FL_REASON_NONE &&
	    json.toks[0].kind == FL_JSON_OBJECT) {
		key->access = text_of(&json, "AccessKeyId");
		key->secret = text_of(&json, "SecretAccessKey");
		key->token = text_of(&json, "Token");
		until = text_of(&json, "Expiration");
	}
	if (until)
		key->until_ns = time_of(until, strlen(until));
	free(until);
	fl_json_release(&json);
	if (key->access && key->secret)
		return 1;
	return fl_error_set(err, FL_ERR_AGAIN,
			    "the metadata service of this machine gives no "
			    "key, but something else");
}

/* GET of its `path`, with the token in lines. */
static int ask_machine(const char *base, const char *path, const char *lines,
		       struct fl_buf *body, struct fl_error *err)
{
	char *url = fl_sprintf("%s%s", base, path);
	const struct question question = {
		.method = "GET",
		.url = url,
		.lines = lines,
		.tries = 3,
		.connect_ns = FL_SECOND,
	};
	unsigned status = 0;
	char why[300] = "";
	int got;

	fl_buf_reset(body);
	got = ask(&question, &status, body, why, err);
	free(url);
	if (got == 0 || (got > 0 && status >= 500))
		return fl_error_set(err, FL_ERR_AGAIN,
				    "the metadata service of this machine does "
				    "not answer: %s",
				    *why ? why : "an error of its own");
	return got < 0 ? -1 : status / 100 == 2 && body->len;
}

int fl_s3_key_of_machine(struct fl_s3_key *key, struct fl_error *err)
{
	const char *place = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *base = place && *place ? place : "http://169.254.169.254";
	static const char roles[] = "/latest/meta-data/iam/security-"
				    "credentials/";
	char *url = fl_sprintf("%s/latest/api/token", base);
	struct question question = {
		.method = "PUT",
		.url = url,
		.lines = "X-aws-ec2-metadata-token-ttl-seconds: 21600\n",
		.tries = 1,
		.connect_ns = FL_SECOND, /* mostly there is none */
	};
	struct fl_buf body = FL_BUF_INIT;
	char why[300] = "", *lines = NULL, *path = NULL;
	unsigned status = 0;
	int got = ask(&question, &status, &body, why, err);

	/* Who has no such address has no such service. */
	if (got > 0 && status == 200) {
		size_t len = strcspn(fl_buf_text(&body), "\r\n");

		lines = fl_sprintf("X-aws-ec2-metadata-token: %.*s\n", (int)len,
				   fl_buf_text(&body));
		got = ask_machine(base, roles, lines, &body, err);
		if (got > 0) {
			len = strcspn(fl_buf_text(&body), "\r\n");
			path = fl_sprintf("%s%.*s", roles, (int)len,
					  fl_buf_text(&body));
			got = ask_machine(base, path, lines, &body, err);
		}
		if (got > 0)
			got = read_machine(&body, key, err);
	} else if (got > 0) {
		got = 0;
	}
	if (got > 0)
		snprintf(key->from, sizeof(key->from),
			 "the machine's metadata service");
	if (body.data)
		explicit_bzero(body.data, body.cap);
	fl_buf_release(&body);
	free(lines);
	free(path);
	free(url);
	return got;
}
