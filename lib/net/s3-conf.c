/* s3-conf: see s3-conf.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3-conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/time.h"

enum {
	LINE_SIZE = 8192, /* tokens of sessions are long */
};

static const char *from_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static char *copy(const char *text)
{
	return text ? fl_strdup(text) : NULL;
}

static void forget(char **secret)
{
	if (*secret)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

/* --- profiles --------------------------------------------------------------
 */

/* Ways to a key that AWS's tools know and we do not. */
static const char *const others[] = {
	"sso_session",    "sso_start_url",     "credential_process",
	"source_profile", "credential_source", "login_session",
};

static void take_setting(struct fl_s3_profile *profile, const char *name,
			 const char *value)
{
	const struct {
		const char *name;
		char **to;
	} settings[] = {
		{ "region", &profile->region },
		{ "endpoint_url", &profile->endpoint },
		{ "aws_access_key_id", &profile->access },
		{ "aws_secret_access_key", &profile->secret },
		{ "aws_session_token", &profile->token },
		{ "role_arn", &profile->role },
		{ "web_identity_token_file", &profile->token_file },
		{ "role_session_name", &profile->session },
	};

	/* The credentials file is read first, and holds. */
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		if (strcasecmp(name, settings[i].name) == 0 &&
		    !*settings[i].to && *value)
			*settings[i].to = fl_strdup(value);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcasecmp(name, others[i]) == 0)
			profile->other = others[i];
	}
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* "[default]", in the configuration also "[profile NAME]". */
static bool is_section(char *line, const char *name, bool prefixed)
{
	char *end = strchr(line, ']'), *text;

	if (!end)
		return false;
	*end = '\0';
	text = trim(line + 1);
	if (prefixed && strncmp(text, "profile", 7) == 0 &&
	    strchr(" \t", text[7]) && text[7])
		return strcmp(trim(text + 7), name) == 0;
	return strcmp(text, name) == 0 &&
	       (!prefixed || strcmp(name, "default") == 0);
}

static void read_settings(FILE *file, struct fl_s3_profile *profile,
			  bool prefixed)
{
	bool ours = false;
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), file)) {
		char *value = strchr(line, '=');

		if (*line == '[') {
			ours = is_section(line, profile->name, prefixed);
			profile->found |= ours;
		} else if (ours && value && !strchr("#; \t", *line)) {
			*value++ = '\0';
			take_setting(profile, trim(line), trim(value));
		}
	}
	explicit_bzero(line, sizeof(line));
}

/* ~/.aws/NAME, or what the variable says; free() it. NULL: there is no home. */
static char *path_of(const char *variable, const char *name)
{
	const char *path = from_env(variable), *home = from_env("HOME");

	if (path)
		return fl_strdup(path);
	return home ? fl_sprintf("%s/.aws/%s", home, name) : NULL;
}

/* What is not there says nothing. */
static int read_file(const char *variable, const char *name, bool prefixed,
		     struct fl_s3_profile *profile, struct fl_error *err)
{
	char *path = path_of(variable, name);
	FILE *file = path ? fopen(path, "re") : NULL;
	bool had = profile->secret != NULL;
	struct stat st;
	int result = 0;

	if (!file && path && errno != ENOENT && errno != ENOTDIR)
		result = fl_error_set(err, FL_ERR_IO, "cannot read '%s': %s",
				      fl_show(path, strlen(path), 200),
				      strerror(errno));
	if (file) {
		read_settings(file, profile, prefixed);
		if (!had && profile->secret &&
		    (fstat(fileno(file), &st) < 0 || (st.st_mode & 077)))
			result = fl_error_set(
				err, FL_ERR_USAGE,
				"others may read or write the key in '%s': "
				"chmod 600 it",
				fl_show(path, strlen(path), 200));
		fclose(file);
	}
	free(path);
	return result;
}

static int read_profile(struct fl_s3_profile *profile, struct fl_error *err)
{
	const char *name = from_env("AWS_PROFILE");

	profile->name = fl_strdup(name ? name : "default");
	if (read_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", false,
		      profile, err) < 0 ||
	    read_file("AWS_CONFIG_FILE", "config", true, profile, err) < 0)
		return -1;
	if (name && !profile->found)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "there is no profile '%s' (AWS_PROFILE) in "
				    "~/.aws/credentials or ~/.aws/config",
				    fl_show(name, strlen(name), 100));
	return 0;
}

/* --- where -----------------------------------------------------------------
 */

/* "aws:kms:KEY" into its two parts. */
static int read_encryption(struct fl_s3_conf *conf, struct fl_error *err)
{
	const char *text = from_env("FL_S3_SSE");

	if (!text)
		return 0;
	if (strcmp(text, "AES256") == 0 || strcmp(text, "aws:kms") == 0) {
		conf->sse = fl_strdup(text);
	} else if (strncmp(text, "aws:kms:", 8) == 0 && text[8]) {
		conf->sse = fl_strdup("aws:kms");
		conf->sse_key = fl_strdup(text + 8);
	} else {
		return fl_error_set(err, FL_ERR_USAGE,
				    "FL_S3_SSE is AES256, aws:kms or "
				    "aws:kms:KEY, not '%s'",
				    fl_show(text, strlen(text), 100));
	}
	return 0;
}

/* It is sent in a header. */
static int check_text(const char *what, const char *text, struct fl_error *err)
{
	for (const char *at = text ? text : ""; *at; at++) {
		if (*at <= ' ' || *at == 0x7f)
			return fl_error_set(
				err, FL_ERR_USAGE,
				"%s has a blank or a control character in it",
				what);
	}
	return 0;
}

int fl_s3_conf_read(struct fl_s3_conf *conf, struct fl_error *err)
{
	const char *text;

	*conf = (struct fl_s3_conf){ 0 };
	if (read_profile(&conf->profile, err) < 0)
		return -1;
	text = from_env("AWS_REGION");
	if (!text)
		text = from_env("AWS_DEFAULT_REGION");
	if (!text)
		text = conf->profile.region;
	conf->region = fl_strdup(text ? text : "us-east-1");
	text = from_env("AWS_ENDPOINT_URL_S3");
	if (!text)
		text = from_env("AWS_ENDPOINT_URL");
	if (!text)
		text = conf->profile.endpoint;
	conf->endpoint = copy(text);
	conf->ca_file = copy(from_env("AWS_CA_BUNDLE"));
	if (check_text("the region", conf->region, err) < 0 ||
	    read_encryption(conf, err) < 0 ||
	    check_text("FL_S3_SSE", conf->sse_key, err) < 0)
		return -1;
	if (text && strncasecmp(text, "http://", 7) != 0 &&
	    strncasecmp(text, "https://", 8) != 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "the endpoint of S3 is http://HOST:PORT or "
				    "https://HOST:PORT, not '%s'",
				    fl_show(text, strlen(text), 100));
	return 0;
}

void fl_s3_conf_release(struct fl_s3_conf *conf)
{
	struct fl_s3_profile *profile = &conf->profile;

	forget(&profile->secret);
	forget(&profile->token);
	free(profile->name);
	free(profile->region);
	free(profile->endpoint);
	free(profile->access);
	free(profile->role);
	free(profile->token_file);
	free(profile->session);
	free(conf->region);
	free(conf->endpoint);
	free(conf->ca_file);
	free(conf->sse);
	free(conf->sse_key);
	*conf = (struct fl_s3_conf){ 0 };
}

/* --- who -------------------------------------------------------------------
 */

void fl_s3_key_release(struct fl_s3_key *key)
{
	free(key->access);
	forget(&key->secret);
	forget(&key->token);
	*key = (struct fl_s3_key){ 0 };
}

/* returns 1, 0 there is none, -1 half of one is there */
static int key_of_env(struct fl_s3_key *key, struct fl_error *err)
{
	const char *access = from_env("AWS_ACCESS_KEY_ID");
	const char *secret = from_env("AWS_SECRET_ACCESS_KEY");

	if (!access && !secret)
		return 0;
	if (!access || !secret)
		return fl_error_set(err, FL_ERR_REFUSED,
				    "of AWS_ACCESS_KEY_ID and "
				    "AWS_SECRET_ACCESS_KEY only one is set");
	key->access = fl_strdup(access);
	key->secret = fl_strdup(secret);
	key->token = copy(from_env("AWS_SESSION_TOKEN"));
	snprintf(key->from, sizeof(key->from), "AWS_ACCESS_KEY_ID");
	return 1;
}

static int key_of_role_env(const struct fl_s3_conf *conf, struct fl_s3_key *key,
			   struct fl_error *err)
{
	const char *file = from_env("AWS_WEB_IDENTITY_TOKEN_FILE");
	const char *role = from_env("AWS_ROLE_ARN");

	if (!file || !role)
		return 0;
	return fl_s3_key_of_role(conf, role, file,
				 from_env("AWS_ROLE_SESSION_NAME"), key,
				 err) < 0
		       ? -1
		       : 1;
}

static int key_of_profile(const struct fl_s3_conf *conf, struct fl_s3_key *key,
			  struct fl_error *err)
{
	const struct fl_s3_profile *profile = &conf->profile;
	const char *name = fl_show(profile->name, strlen(profile->name), 60);

	if (profile->access && profile->secret) {
		key->access = fl_strdup(profile->access);
		key->secret = fl_strdup(profile->secret);
		key->token = copy(profile->token);
		snprintf(key->from, sizeof(key->from), "profile '%s'", name);
		return 1;
	}
	if (profile->role && profile->token_file)
		return fl_s3_key_of_role(conf, profile->role,
					 profile->token_file, profile->session,
					 key, err) < 0
			       ? -1
			       : 1;
	if (profile->other)
		return fl_error_set(
			err, FL_ERR_REFUSED,
			"profile '%s' has its key by %s, which is not built "
			"in: eval \"$(aws configure export-credentials "
			"--profile %s --format env)\"",
			name, profile->other, name);
	return 0;
}

int fl_s3_key_find(const struct fl_s3_conf *conf, struct fl_s3_key *key,
		   struct fl_error *err)
{
	const char *off = from_env("AWS_EC2_METADATA_DISABLED");
	int got;

	*key = (struct fl_s3_key){ .until_ns = FL_TIME_NONE };
	got = key_of_env(key, err);
	if (got == 0)
		got = key_of_role_env(conf, key, err);
	if (got == 0)
		got = key_of_profile(conf, key, err);
	if (got == 0 && (!off || strcasecmp(off, "true") != 0))
		got = fl_s3_key_of_machine(key, err);
	if (got == 0)
		fl_error_set(err, FL_ERR_REFUSED,
			     "there is no key for S3: AWS_ACCESS_KEY_ID and "
			     "AWS_SECRET_ACCESS_KEY, or a profile in "
			     "~/.aws/credentials");
	if (got > 0 && (check_text("the key for S3", key->access, err) < 0 ||
			check_text("the key for S3", key->token, err) < 0))
		got = -1;
	if (got <= 0)
		fl_s3_key_release(key);
	return got > 0 ? 0 : -1;
}
