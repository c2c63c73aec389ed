/* my-place: a place of MySQL taken apart, and its password; see my.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my-parts.h"

#ifndef FL_WITHOUT_MYSQL
#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"

#define PORT         3306
#define READ_TIMEOUT 300

static const char *const modes[] = {
	[FL_MY_TLS_DISABLED] = "disabled",
	[FL_MY_TLS_PREFERRED] = "preferred",
	[FL_MY_TLS_REQUIRED] = "required",
	[FL_MY_TLS_VERIFY] = "verify-identity",
	NULL,
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* text[len] without its %XX. NULL: broken, or a control character is in it. */
static char *decode(const char *text, size_t len)
{
	char *out = fl_alloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high = len - i > 2 ? hex(text[i + 1]) : -1;
			int low = high >= 0 ? hex(text[i + 2]) : -1;

			c = low >= 0 ? high << 4 | low : 0;
			i += 2;
		}
		if (c < ' ') {
			free(out);
			return NULL;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return out;
}

/* *out becomes what stands there; NULL where nothing does. */
static int take(char **out, const char *text, size_t len, const char *what,
		struct fl_error *err)
{
	free(*out);
	*out = NULL;
	if (len == 0)
		return 0;
	*out = decode(text, len);
	if (*out)
		return 0;
	return fl_error_set(err, FL_ERR_USAGE,
			    "its %s '%s' is not percent-encoded rightly", what,
			    fl_show(text, len, 100));
}

/* 1 to `most`; 0: none. */
static unsigned small_number(const char *text, unsigned most)
{
	unsigned value = 0;

	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9' || value > most)
			return 0;
		value = value * 10 + (unsigned)(*at - '0');
	}
	return value <= most ? value : 0;
}

/* --- NAME=VALUE& ---------------------------------------------------------- */

static int take_mode(struct fl_my_place *place, const char *value,
		     struct fl_error *err)
{
	for (int i = 0; modes[i]; i++) {
		if (strcasecmp(value, modes[i]) == 0) {
			place->tls = (enum fl_my_tls)i;
			return 0;
		}
	}
	if (strcasecmp(value, "verify-ca") == 0)
		return fl_error_set(
			err, FL_ERR_USAGE,
			"libmariadb checks a certificate with its name or not "
			"at all: ssl-mode=verify-identity, not verify-ca");
	return fl_error_set(err, FL_ERR_USAGE,
			    "ssl-mode is disabled, preferred, required or "
			    "verify-identity, not '%s'",
			    fl_show(value, strlen(value), 60));
}

static int take_option(struct fl_my_place *place, const char *name, char **text,
		       struct fl_error *err)
{
	const struct {
		const char *name;
		char **to;
	} texts[] = {
		{ "socket", &place->socket },
		{ "ssl-ca", &place->ca },
		{ "ssl-cert", &place->cert },
		{ "ssl-key", &place->key },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(name, texts[i].name) == 0) {
			free(*texts[i].to);
			*texts[i].to = *text;
			*text = NULL;
			return 0;
		}
	}
	if (strcmp(name, "ssl-mode") == 0)
		return take_mode(place, *text, err);
	if (strcmp(name, "read-timeout") == 0) {
		place->read_timeout = small_number(*text, 86400);
		if (place->read_timeout)
			return 0;
		return fl_error_set(err, FL_ERR_USAGE,
				    "read-timeout is 1 to 86400 seconds, not "
				    "'%s'",
				    fl_show(*text, strlen(*text), 60));
	}
	return fl_error_set(err, FL_ERR_USAGE,
			    "it knows socket, ssl-mode, ssl-ca, ssl-cert, "
			    "ssl-key and read-timeout, not '%s'",
			    fl_show(name, strlen(name), 60));
}

static int take_options(struct fl_my_place *place, const char *at,
			struct fl_error *err)
{
	bool moded = false;

	while (*at) {
		size_t len = strcspn(at, "&");
		size_t name_len = strcspn(at, "=&");
		char *name = NULL, *text = NULL;
		int got = take(&name, at, name_len, "parameter", err);

		if (got == 0 && (name_len == 0 || name_len == len))
			got = fl_error_set(err, FL_ERR_USAGE,
					   "behind ? stand NAME=VALUE, with & "
					   "between them, not '%s'",
					   fl_show(at, len, 60));
		if (got == 0)
			got = take(&text, at + name_len + 1, len - name_len - 1,
				   "value", err);
		if (got == 0 && !text)
			got = fl_error_set(err, FL_ERR_USAGE,
					   "'%s' has no value",
					   name ? name : "");
		if (got == 0 && name) {
			moded |= strcmp(name, "ssl-mode") == 0;
			got = take_option(place, name, &text, err);
		}
		free(name);
		free(text);
		if (got < 0)
			return -1;
		at += len + (at[len] == '&');
	}
	if (!moded && place->ca)
		place->tls = FL_MY_TLS_VERIFY;
	return 0;
}

/* --- what stands before it -------------------------------------------------
 */

/* HOST:PORT or [ADDRESS]:PORT */
static int take_host(struct fl_my_place *place, const char *text, size_t len,
		     struct fl_error *err)
{
	const char *colon = memrchr(text, ':', len);
	const char *close = memchr(text, ']', len);
	char *port = NULL;

	if (close && colon && colon < close)
		colon = NULL;
	if (colon) {
		size_t at = (size_t)(colon - text);

		if (take(&port, colon + 1, len - at - 1, "port", err) < 0)
			return -1;
		place->port = port ? small_number(port, 65535) : 0;
		free(port);
		if (!place->port)
			return fl_error_set(
				err, FL_ERR_USAGE, "its port '%s' is none",
				fl_show(colon + 1, len - at - 1, 60));
		len = at;
	}
	if (len >= 2 && *text == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	return take(&place->host, text, len, "host", err);
}

static int take_user(struct fl_my_place *place, const char *text, size_t len,
		     struct fl_error *err)
{
	if (memchr(text, ':', len))
		return fl_error_set(err, FL_ERR_USAGE,
				    "a password there would show in the list "
				    "of processes: FL_MYSQL_PASSWORD, or "
				    "FL_MYSQL_PASSWORD_FILE names a file with "
				    "it");
	return take(&place->user, text, len, "user", err);
}

static void whoami(struct fl_my_place *place)
{
	const struct passwd *us = getpwuid(geteuid());

	place->user = fl_strdup(us ? us->pw_name : "nobody");
}

static int parse(const char *at, struct fl_my_place *place,
		 struct fl_error *err)
{
	const char *slash = at + strcspn(at, "/?");
	const char *user = memrchr(at, '@', (size_t)(slash - at));
	const char *query;

	if (user) {
		if (take_user(place, at, (size_t)(user - at), err) < 0)
			return -1;
		at = user + 1;
	}
	if (take_host(place, at, (size_t)(slash - at), err) < 0)
		return -1;
	if (*slash == '/')
		slash++;
	query = slash + strcspn(slash, "?");
	if (take(&place->database, slash, (size_t)(query - slash), "database",
		 err) < 0)
		return -1;
	if (!place->database || strchr(place->database, '/'))
		return fl_error_set(err, FL_ERR_USAGE,
				    "it is mysql://USER@HOST:PORT/DATABASE");
	return *query ? take_options(place, query + 1, err) : 0;
}

int fl_my_place_parse(const char *text, const char *shown,
		      struct fl_my_place *place, struct fl_error *err)
{
	const char *at = strstr(text, "://");

	*place = (struct fl_my_place){
		.port = PORT,
		.read_timeout = READ_TIMEOUT,
		.tls = FL_MY_TLS_PREFERRED,
	};
	if (parse(at ? at + 3 : "", place, err) < 0) {
		fl_my_place_release(place);
		return fl_error_wrap(err, "'%s' names no database", shown);
	}
	if (!place->user)
		whoami(place);
	return 0;
}

void fl_my_place_release(struct fl_my_place *place)
{
	free(place->user);
	free(place->host);
	free(place->database);
	free(place->socket);
	free(place->ca);
	free(place->cert);
	free(place->key);
	*place = (struct fl_my_place){ 0 };
}

/* --- the password ----------------------------------------------------------
 */

/* password = "…" of a line; false: it is something else. */
static bool take_line(const char *line, char *secret, size_t size)
{
	const char *at = line + strspn(line, " \t");
	size_t len;

	if (strncmp(at, "password", 8) != 0)
		return false;
	at += 8;
	at += strspn(at, " \t");
	if (*at != '=')
		return false;
	at += 1 + strspn(at + 1, " \t");
	len = strcspn(at, "\r\n");
	while (len && strchr(" \t", at[len - 1]))
		len--;
	if (len >= 2 && strchr("'\"", *at) && at[len - 1] == *at) {
		at++;
		len -= 2;
	}
	snprintf(secret, size, "%.*s", (int)len, at);
	return true;
}

/* A file that everybody may read, but that has no password, is fine. */
static int read_own_file(char *secret, size_t size, struct fl_error *err)
{
	const char *home = getenv("HOME");
	char *path, line[1000];
	bool ours = false, found = false;
	int result = 0;
	struct stat st;
	FILE *file;

	if (!home)
		return 0;
	path = fl_sprintf("%s/.my.cnf", home);
	file = fopen(path, "re");
	free(path);
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " \t");

		if (*at == '[')
			ours = strncmp(at, "[client]", 8) == 0;
		else if (ours)
			found |= take_line(at, secret, size);
	}
	explicit_bzero(line, sizeof(line));
	if (found && (fstat(fileno(file), &st) < 0 || (st.st_mode & 077)))
		result =
			fl_error_set(err, FL_ERR_USAGE,
				     "others may read or write the password in "
				     "~/.my.cnf: chmod 600 ~/.my.cnf");
	fclose(file);
	return result;
}

int fl_my_place_password(char *secret, size_t size, struct fl_error *err)
{
	const char *given = getenv("FL_MYSQL_PASSWORD");
	const char *file = getenv("FL_MYSQL_PASSWORD_FILE");

	*secret = '\0';
	if (given && *given) {
		if (strlen(given) >= size)
			return fl_error_set(err, FL_ERR_USAGE,
					    "FL_MYSQL_PASSWORD is too long");
		snprintf(secret, size, "%s", given);
		return 0;
	}
	if (file && *file)
		return fl_secret_read(file, "the password", secret, size, err);
	return read_own_file(secret, size, err);
}

#endif
