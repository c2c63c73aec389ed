/* s3: signatures against AWS's published vectors, keys from where AWS's tools
 * have them, XML; and where FL_S3_TEST names a bucket, what a server that
 * checks signatures makes of it all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/s3.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "net/s3-conf.h"
#include "net/s3-upload.h"
#include "net/s3-xml.h"
#include "net/sigv4.h"
#include "tap.h"
#include "tsv.h"

static char folder[] = "/tmp/fl-s3-XXXXXX";

/* --- signatures ----------------------------------------------------------- */

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define EMPTY  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* of "Welcome to Amazon S3." */
#define WELCOME                                                                \
	"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

static int64_t time_of(const char *text)
{
	int64_t ns = 0;

	fl_time_parse(text, strlen(text), &ns);
	return ns;
}

static const char *signature(const struct fl_buf *text)
{
	const char *at = strstr(fl_buf_text(text), "Signature=");

	return at ? at + strlen("Signature=") : "";
}

static void test_vectors(void)
{
	const struct fl_sigv4_key key = { "AKIDEXAMPLE", SECRET, "us-east-1",
					  "service" };
	struct tsv tsv;
	int count = 0;

	tsv_open(&tsv, "tests/data/net/sigv4.tsv");
	while (tsv_next(&tsv)) {
		struct fl_sigv4_header headers[8];
		struct fl_sigv4_request request = {
			.method = tsv.field[1],
			.path = tsv.field[2],
			.query = tsv.field[3],
			.headers = headers,
			.payload = tsv.field[5],
			.now_ns = time_of("2015-08-30T12:36:00Z"),
		};
		struct fl_buf out = FL_BUF_INIT;
		char *rest = tsv.field[4], *line;

		while ((line = strsep(&rest, "|"))) {
			char *value = strchr(line, ':');

			*value++ = '\0';
			headers[request.header_count].name = line;
			headers[request.header_count++].value = value;
		}
		fl_sigv4_sign(&key, &request, &out);
		is_str(signature(&out), tsv.field[6], "%s", tsv.field[0]);
		fl_buf_release(&out);
		count++;
	}
	is_int(count, 38, "all vectors");
}

/* Amazon S3 API Reference, "Authenticating Requests: Using the Authorization
 * Header", its four examples. */
static void test_s3_examples(void)
{
	static const struct {
		const char *method, *path, *query, *payload, *signature;
		struct fl_sigv4_header headers[6];
	} examples[] = {
		{ "GET",
		  "/test.txt",
		  "",
		  EMPTY,
		  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036b"
		  "db41",
		  { { "host", "examplebucket.s3.amazonaws.com" },
		    { "range", "bytes=0-9" },
		    { "x-amz-content-sha256", EMPTY },
		    { "x-amz-date", "20130524T000000Z" } } },
		{ "PUT",
		  "/test%24file.text",
		  "",
		  WELCOME,
		  "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece1"
		  "08bd",
		  { { "date", "Fri, 24 May 2013 00:00:00 GMT" },
		    { "host", "examplebucket.s3.amazonaws.com" },
		    { "x-amz-content-sha256", WELCOME },
		    { "x-amz-date", "20130524T000000Z" },
		    { "x-amz-storage-class", "REDUCED_REDUNDANCY" } } },
		{ "GET",
		  "/",
		  "lifecycle",
		  EMPTY,
		  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a013678"
		  "3543",
		  { { "host", "examplebucket.s3.amazonaws.com" },
		    { "x-amz-content-sha256", EMPTY },
		    { "x-amz-date", "20130524T000000Z" } } },
		{ "GET",
		  "/",
		  "prefix=J&max-keys=2",
		  EMPTY,
		  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69d"
		  "c6f7",
		  { { "host", "examplebucket.s3.amazonaws.com" },
		    { "x-amz-content-sha256", EMPTY },
		    { "x-amz-date", "20130524T000000Z" } } },
	};
	const struct fl_sigv4_key key = { "AKIAIOSFODNN7EXAMPLE",
					  "wJalrXUtnFEMI/K7MDENG/"
					  "bPxRfiCYEXAMPLEKEY",
					  "us-east-1", "s3" };

	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		struct fl_sigv4_request request = {
			.method = examples[i].method,
			.path = examples[i].path,
			.query = examples[i].query,
			.headers = examples[i].headers,
			.payload = examples[i].payload,
			.now_ns = time_of("2013-05-24T00:00:00Z"),
		};
		struct fl_buf out = FL_BUF_INIT;

		while (examples[i].headers[request.header_count].name)
			request.header_count++;
		fl_sigv4_sign(&key, &request, &out);
		is_str(signature(&out), examples[i].signature,
		       "S3's example: %s %s?%s", examples[i].method,
		       examples[i].path, examples[i].query);
		fl_buf_release(&out);
	}
}

/* --- keys ----------------------------------------------------------------- */

static void write_file(const char *name, const char *text, mode_t mode)
{
	char *path = fl_sprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	if (file) {
		fputs(text, file);
		fclose(file);
	}
	chmod(path, mode);
	free(path);
}

static void remove_file(const char *name)
{
	char *path = fl_sprintf("%s/%s", folder, name);

	remove(path);
	free(path);
}

/* The key that is found, as "ACCESS SECRET TOKEN REGION", or the error. */
static const char *find(void)
{
	static char text[1200];
	struct fl_error err = { .code = FL_OK };
	struct fl_s3_conf conf;
	struct fl_s3_key key = { 0 };

	if (fl_s3_conf_read(&conf, &err) == 0 &&
	    fl_s3_key_find(&conf, &key, &err) == 0)
		snprintf(text, sizeof(text), "%s %s %s %s", key.access,
			 key.secret, key.token ? key.token : "-", conf.region);
	else
		snprintf(text, sizeof(text), "%d %s", (int)err.code, err.text);
	fl_s3_key_release(&key);
	fl_s3_conf_release(&conf);
	return text;
}

static void clear_environment(void)
{
	static const char *const names[] = {
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_REGION",        "AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL",  "AWS_ENDPOINT_URL_S3",
		"FL_S3_SSE",         "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_CONFIG_FILE",   "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_ARN",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
}

static void test_keys(void)
{
	char *path = fl_sprintf("%s/.aws", folder);

	clear_environment();
	setenv("HOME", folder, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	is_str(find(),
	       "4 there is no key for S3: AWS_ACCESS_KEY_ID and "
	       "AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials",
	       "nothing says who we are");
	mkdir(path, 0700);
	write_file(".aws/credentials",
		   "# of mine\n[default]\naws_access_key_id = A\n"
		   "aws_secret_access_key=S/+=\n\n[other]\n"
		   "aws_access_key_id=B\naws_secret_access_key=T\n"
		   "aws_session_token = U==\n",
		   0600);
	write_file(".aws/config",
		   "[default]\nregion=eu-central-1\n[profile other]\n"
		   "region = us-west-2\naws_secret_access_key = no\n"
		   "[other]\nregion=xx\n"
		   "[profile sso]\nsso_session = me\n[profile broken]\n",
		   0600);
	is_str(find(), "A S/+= - eu-central-1", "the profile default");
	setenv("AWS_PROFILE", "other", 1);
	is_str(find(), "B T U== us-west-2", "another one, of both files");
	setenv("AWS_DEFAULT_REGION", "r1", 1);
	is_str(find(), "B T U== r1", "the environment holds");
	setenv("AWS_REGION", "r2", 1);
	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	is_str(find(),
	       "4 of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is "
	       "set",
	       "half of a key");
	setenv("AWS_SECRET_ACCESS_KEY", "F", 1);
	is_str(find(), "E F - r2", "a key of the environment, without token");
	setenv("AWS_SESSION_TOKEN", "G", 1);
	is_str(find(), "E F G r2", "and with it");
	clear_environment();
	setenv("AWS_PROFILE", "nobody", 1);
	is_str(find(),
	       "4 there is no profile 'nobody' (AWS_PROFILE) in "
	       "~/.aws/credentials or ~/.aws/config",
	       "a profile that is not there");
	setenv("AWS_PROFILE", "sso", 1);
	is_str(find(),
	       "4 profile 'sso' has its key by sso_session, which is not built "
	       "in: eval \"$(aws configure export-credentials --profile sso "
	       "--format env)\"",
	       "a way to a key that we have not");
	write_file(".aws/credentials",
		   "[default]\naws_access_key_id = A\n"
		   "aws_secret_access_key=SECRET\n",
		   0644);
	unsetenv("AWS_PROFILE");
	ok(strncmp(find(), "2 others may read or write the key in ", 38) == 0 &&
		   !strstr(find(), "SECRET"),
	   "a file open to others: %s", find());
	write_file(".aws/credentials", "", 0600);
	setenv("AWS_ENDPOINT_URL_S3", "localhost:9000", 1);
	is_str(find(),
	       "2 the endpoint of S3 is http://HOST:PORT or https://HOST:PORT, "
	       "not 'localhost:9000'",
	       "an endpoint without its scheme");
	clear_environment();
	setenv("FL_S3_SSE", "aes", 1);
	is_str(find(),
	       "2 FL_S3_SSE is AES256, aws:kms or aws:kms:KEY, not 'aes'",
	       "no such encryption");
	clear_environment();
	free(path);
}

/* --- XML ------------------------------------------------------------------ */

static int join(void *arg, const char *within, const char *name,
		const char *value, struct fl_error *err)
{
	fl_buf_printf(arg, "%s/%s=%s;", within, name, value);
	if (strcmp(name, "stop") == 0)
		return fl_error_set(err, FL_ERR_DATA, "enough");
	return 0;
}

static void test_xml(void)
{
	static const char *const texts[][2] = {
		{ "<a><b>1</b><c/>x<d>2 &lt; &#x33;</d></a>",
		  "a/b=1;a/c=;a/d=2 < 3;/a=x;" },
		{ "<?xml version=\"1.0\"?><p:a xmlns:p=\"u\"><p:b>1</p:b></p:a>",
		  "a/b=1;/a=;" },
		{ "<a><stop/><b/></a>", "a/stop=;!6 enough" },
		{ "<a><b>1</b>", "a/b=1;!3 line 1: no element found" },
		{ "", "!3 line 1: no element found" },
		{ "not XML", "!3 line 1: syntax error" },
		{ "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
		  "!3 line 1: it has a document type" },
		{ "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
		  "!3 line 1: it is nested too deep" },
		{ "<a-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-"
		  "on-and-on/>",
		  "!3 line 1: it has too long a name" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct fl_error err = { .code = FL_OK };
		struct fl_buf out = FL_BUF_INIT;

		if (fl_s3_xml_read(texts[i][0], strlen(texts[i][0]), join, &out,
				   &err) < 0)
			fl_buf_printf(&out, "!%d %s", (int)err.code, err.text);
		is_str(fl_buf_text(&out), texts[i][1], "%s", texts[i][0]);
		fl_buf_release(&out);
	}
}

/* --- a server ------------------------------------------------------------- */

static struct fl_s3 *s3;
static char *prefix; /* of this run */

static int put(const char *name, const char *text, bool exclusive,
	       struct fl_error *err)
{
	char *key = fl_sprintf("%s%s", prefix, name);
	struct fl_s3_call call = {
		.method = "PUT",
		.key = key,
		.body = text,
		.len = strlen(text),
		.exclusive = exclusive,
	};
	int got = fl_s3_ask(s3, &call, err);

	fl_s3_call_release(&call);
	free(key);
	return got;
}

/* What is there, "(none)", or the error; free() it. */
static char *get(const char *name, uint64_t from, uint64_t count)
{
	char *key = fl_sprintf("%s%s", prefix, name), *text;
	struct fl_s3_call call = {
		.method = "GET", .key = key, .from = from, .count = count
	};
	struct fl_error err = { .code = FL_OK };
	int got = fl_s3_ask(s3, &call, &err);

	if (got > 0)
		text = fl_strdup(fl_buf_text(&call.answer));
	else
		text = fl_strdup(got < 0 ? err.text : "(none)");
	fl_s3_call_release(&call);
	free(key);
	return text;
}

static void has(const char *name, uint64_t from, uint64_t count,
		const char *want, const char *what)
{
	char *got = get(name, from, count);

	is_str(got, want, "%s", what);
	free(got);
}

static int join_names(void *arg, const struct fl_s3_item *item,
		      struct fl_error *err)
{
	(void)err;
	fl_buf_printf(arg, "%s%s|", item->name, item->is_folder ? "/" : "");
	return 0;
}

static int count_names(void *arg, const struct fl_s3_item *item,
		       struct fl_error *err)
{
	(void)err;
	*(size_t *)arg +=
		!item->is_folder && item->modified_ns > 0 && item->size == 1;
	return 0;
}

static void test_odd_keys(void)
{
	static const char *const names[] = {
		"dt=2026-01-02",
		"a b",
		"plus+and%20percent%",
		"tilde~-._",
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		"amp&lt<quote\"'",
		"q?x=1#y",
		"semi;colon:at@,$!*()[]{}|^`",
	};
	struct fl_error err = { .code = FL_OK };
	struct fl_buf got = FL_BUF_INIT;
	bool listed = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *name = fl_sprintf("odd/%s", names[i]);

		ok(put(name, names[i], false, &err) == 1, "'%s' is written %s",
		   names[i], err.text);
		has(name, 0, 0, names[i], "and read");
		free(name);
	}
	{
		char *under = fl_sprintf("%sodd/", prefix);

		ok(fl_s3_list(s3, under, false, join_names, &got, &err) == 0,
		   "listed %s", err.text);
		free(under);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *part = fl_sprintf("%s|", names[i]);

		if (!strstr(fl_buf_text(&got), part)) {
			note("'%s' is not in %s", part, fl_buf_text(&got));
			listed = false;
		}
		free(part);
	}
	ok(listed, "each under its name");
	fl_buf_release(&got);
}

static void test_objects(void)
{
	struct fl_error err = { .code = FL_OK };
	char *key = fl_sprintf("%sx/o", prefix),
	     *to = fl_sprintf("%sy", prefix);
	struct fl_s3_call call = { .method = "HEAD", .key = key };

	has("x/o", 0, 0, "(none)", "nothing is there");
	is_int(put("x/o", "0123456789", true, &err), 1, "made: %s", err.text);
	is_int(put("x/o", "another", true, &err), 0, "there is one already");
	has("x/o", 0, 0, "0123456789", "which stayed");
	has("x/o", 3, 4, "3456", "a part of it");
	has("x/o", 8, 100, "89", "up to its end");
	has("x/o", 10, 5, "(none)", "behind its end");
	is_int(fl_s3_ask(s3, &call, &err), 1, "its head");
	is_int(call.size, 10, "with its size");
	ok(*call.etag == '"', "and its ETag, %s", call.etag);
	fl_s3_call_release(&call);
	call.method = "GET";
	call.key = key;
	call.match = "\"other\"";
	is_int(fl_s3_ask(s3, &call, &err), 0, "it is not that one");
	fl_s3_call_release(&call);
	call.method = "PUT";
	call.key = to;
	call.copy_of = key;
	is_int(fl_s3_ask(s3, &call, &err), 1, "a copy: %s", err.text);
	fl_s3_call_release(&call);
	has("y", 0, 0, "0123456789", "which is the same");
	is_int(fl_s3_remove(s3, key, &err), 0, "removed");
	is_int(fl_s3_remove(s3, key, &err), 0, "as it was already");
	has("x/o", 0, 0, "(none)", "it is gone");
	call.method = "PUT";
	call.key = to;
	call.copy_of = key;
	is_int(fl_s3_ask(s3, &call, &err), 0, "and cannot be copied any more");
	fl_s3_call_release(&call);
	free(key);
	free(to);
}

/* More than a page of them, asked for at once. */
static void test_pages(void)
{
	enum {
		COUNT = 1100
	};
	struct fl_s3_call *calls = fl_zalloc(COUNT * sizeof(*calls));
	char **keys = fl_zalloc(COUNT * sizeof(*keys));
	char *under = fl_sprintf("%spages/", prefix);
	struct fl_error err = { .code = FL_OK };
	size_t count = 0, bad = 0;

	for (size_t i = 0; i < COUNT; i++) {
		keys[i] = fl_sprintf("%s%zu%%/o", under, i);
		calls[i].method = "PUT";
		calls[i].key = keys[i];
		calls[i].body = "x";
		calls[i].len = 1;
		fl_s3_start(s3, &calls[i]);
	}
	for (size_t i = 0; i < COUNT; i++) {
		bad += fl_s3_finish(s3, &calls[i], &err) != 1;
		fl_s3_call_release(&calls[i]);
		free(keys[i]);
	}
	is_int(bad, 0, "%d objects at once: %s", COUNT, err.text);
	ok(fl_s3_list(s3, under, true, count_names, &count, &err) == 0 &&
		   count == COUNT,
	   "%zu are listed: %s", count, err.text);
	free(under);
	free(keys);
	free(calls);
}

static void test_upload(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const size_t part = 5 << 20, size = 2 * part + 12345;
	char *key = fl_sprintf("%sbig", prefix), *bytes = fl_alloc(size);
	struct fl_error err = { .code = FL_OK };
	struct fl_s3_upload *upload;
	struct fl_s3_call call = { .method = "GET", .key = key };

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 2654435761u >> 7);
	upload = fl_s3_upload_new(s3, key, part);
	for (size_t at = 0; at < size; at += 1000000)
		fl_s3_upload_write(upload, bytes + at,
				   size - at < 1000000 ? size - at : 1000000,
				   &err);
	is_int(fl_s3_upload_finish(upload, true, &err), 1, "in parts: %s",
	       err.text);
	fl_s3_upload_free(upload);
	ok(fl_s3_ask(s3, &call, &err) == 1 && call.answer.len == size &&
		   memcmp(call.answer.data, bytes, size) == 0,
	   "and it is the same");
	fl_s3_call_release(&call);

	upload = fl_s3_upload_new(s3, key, part);
	fl_s3_upload_write(upload, bytes, part + 1, &err);
	is_int(fl_s3_upload_finish(upload, true, &err), 0,
	       "in parts, where there is one already: %s", err.text);
	fl_s3_upload_free(upload);

	/* Somebody who never finishes, and two who look. */
	upload = fl_s3_upload_new(s3, key, part);
	fl_s3_upload_write(upload, bytes, part + 1, &err);
	for (int i = 0; i < 50; i++) {
		fl_s3_work(s3);
		nanosleep(&pause, NULL);
	}
	is_int(fl_s3_upload_sweep(s3, prefix, fl_now_ns() - FL_DAY, &err), 0,
	       "what is young stays: %s", err.text);
	is_int(fl_s3_upload_sweep(s3, prefix, fl_now_ns() + FL_DAY, &err), 0,
	       "what is old goes: %s", err.text);
	is_int(fl_s3_upload_finish(upload, false, &err), -1,
	       "whoever comes back is told: %s", err.text);
	is_int(err.code, FL_ERR_AGAIN, "that another time it may work");
	fl_s3_upload_free(upload);
	free(bytes);
	free(key);
}

static void test_server(const char *place)
{
	struct fl_error err = { .code = FL_OK };

	if (fl_s3_open(&s3, place + strlen("s3://"), &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	prefix = fl_sprintf("unit-s3-%d/", (int)getpid());
	test_objects();
	test_odd_keys();
	test_pages();
	test_upload();
	fl_s3_close(&s3);
	setenv("AWS_SECRET_ACCESS_KEY", "wrong", 1);
	if (fl_s3_open(&s3, place + strlen("s3://"), &err) == 0) {
		is_int(put("x", "y", false, &err), -1, "a wrong key");
		is_int(err.code, FL_ERR_REFUSED, "is refused: %s", err.text);
	}
	fl_s3_close(&s3);
	free(prefix);
}

int main(void)
{
	const char *place = getenv("FL_S3_TEST");

	if (!mkdtemp(folder))
		return 1;
	test_vectors();
	test_s3_examples();
	test_xml();
	if (place && *place)
		test_server(place);
	else
		ok(true, "a server # SKIP FL_S3_TEST names no bucket");
	test_keys();
	remove_file(".aws/credentials");
	remove_file(".aws/config");
	remove_file(".aws");
	remove_file("");
	return done_testing();
}
