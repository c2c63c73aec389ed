/* tls: see tls.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <dlfcn.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SONAME "libssl.so.3"

/* What is called of libssl, under its own names without SSL_. */
static struct {
	const SSL_METHOD *(*server_method)(void);
	SSL_CTX *(*ctx_new)(const SSL_METHOD *method);
	void (*ctx_free)(SSL_CTX *ctx);
	long (*ctx_ctrl)(SSL_CTX *ctx, int what, long number, void *arg);
	int (*ctx_chain)(SSL_CTX *ctx, const char *path);
	int (*ctx_key)(SSL_CTX *ctx, const char *path, int type);
	int (*ctx_check)(const SSL_CTX *ctx);
	int (*ctx_verify_file)(SSL_CTX *ctx, const char *file,
			       const char *folder);
	void (*ctx_verify)(SSL_CTX *ctx, int mode, SSL_verify_cb callback);
	SSL *(*new)(SSL_CTX *ctx);
	void (*free)(SSL *ssl);
	int (*set_fd)(SSL *ssl, int fd);
	int (*accept)(SSL *ssl);
	int (*read)(SSL *ssl, void *bytes, int size);
	int (*shutdown)(SSL *ssl);
	int (*get_error)(const SSL *ssl, int result);
} lib;

static const struct {
	const char *name;
	void *where;
} functions[] = {
	{ "TLS_server_method", &lib.server_method },
	{ "SSL_CTX_new", &lib.ctx_new },
	{ "SSL_CTX_free", &lib.ctx_free },
	{ "SSL_CTX_ctrl", &lib.ctx_ctrl },
	{ "SSL_CTX_use_certificate_chain_file", &lib.ctx_chain },
	{ "SSL_CTX_use_PrivateKey_file", &lib.ctx_key },
	{ "SSL_CTX_check_private_key", &lib.ctx_check },
	{ "SSL_CTX_load_verify_locations", &lib.ctx_verify_file },
	{ "SSL_CTX_set_verify", &lib.ctx_verify },
	{ "SSL_new", &lib.new },
	{ "SSL_free", &lib.free },
	{ "SSL_set_fd", &lib.set_fd },
	{ "SSL_accept", &lib.accept },
	{ "SSL_read", &lib.read },
	{ "SSL_shutdown", &lib.shutdown },
	{ "SSL_get_error", &lib.get_error },
};

struct fl_tls {
	SSL_CTX *ctx;
};

struct fl_tls_conn {
	SSL *ssl;
};

static int load(struct fl_error *err)
{
	/* Never closed: what it registers with libcrypto does not bear that. */
	void *handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return fl_error_set(err, FL_ERR_USAGE,
				    "cannot load %s, which speaks TLS (package "
				    "libssl3): %s",
				    SONAME, dlerror());
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *found = dlsym(handle, functions[i].name);

		if (!found)
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s is too old: it has no %s",
					    SONAME, functions[i].name);
		memcpy(functions[i].where, &found, sizeof(found));
	}
	return 0;
}

/* OpenSSL's words for what went wrong first. */
static const char *why(char *text, size_t size)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (reason)
		return reason;
	if (!code)
		return "the connection was cut";
	ERR_error_string_n(code, text, size);
	return text;
}

static int bad_file(const char *what, const char *path, struct fl_error *err)
{
	char text[256];

	return fl_error_set(err, FL_ERR_REFUSED, "cannot use %s '%s': %s", what,
			    fl_show(path, strlen(path), 200),
			    why(text, sizeof(text)));
}

int fl_tls_open(struct fl_tls **out, const char *cert, const char *key,
		const char *ca, struct fl_error *err)
{
	struct fl_tls *tls;
	char text[256];

	*out = NULL;
	if (load(err) < 0)
		return -1;
	*out = tls = fl_zalloc(sizeof(*tls));
	ERR_clear_error();
	tls->ctx = lib.ctx_new(lib.server_method());
	if (!tls->ctx)
		return fl_error_set(err, FL_ERR_AGAIN, "cannot set TLS up: %s",
				    why(text, sizeof(text)));
	lib.ctx_ctrl(tls->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION,
		     NULL);
	if (lib.ctx_chain(tls->ctx, cert) != 1)
		return bad_file("certificate", cert, err);
	if (lib.ctx_key(tls->ctx, key, SSL_FILETYPE_PEM) != 1)
		return bad_file("key", key, err);
	if (lib.ctx_check(tls->ctx) != 1)
		return bad_file("key", key, err);
	if (!ca)
		return 0;
	if (lib.ctx_verify_file(tls->ctx, ca, NULL) != 1)
		return bad_file("authorities", ca, err);
	lib.ctx_verify(tls->ctx,
		       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

void fl_tls_close(struct fl_tls **tls)
{
	struct fl_tls *old = *tls;

	*tls = NULL;
	if (!old)
		return;
	if (old->ctx)
		lib.ctx_free(old->ctx);
	free(old);
}

struct fl_tls_conn *fl_tls_accept(struct fl_tls *tls, int fd)
{
	struct fl_tls_conn *conn = fl_zalloc(sizeof(*conn));

	conn->ssl = lib.new(tls->ctx);
	if (!conn->ssl || lib.set_fd(conn->ssl, fd) != 1)
		fl_out_of_memory();
	return conn;
}

/* What a call wants: 0 to wait for *events; else -1 with err, or 1 the end. */
static int wants(const struct fl_tls_conn *conn, int result, short *events,
		 struct fl_error *err)
{
	char text[256];

	switch (lib.get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return 1;
	case SSL_ERROR_SSL:
		/* Many senders just close; whether a message was cut by that,
		 * its frame tells. */
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return 1;
		__attribute__((fallthrough));
	default:
		fl_error_set(err, FL_ERR_AGAIN, "%s", why(text, sizeof(text)));
		return -1;
	}
}

int fl_tls_shake(struct fl_tls_conn *conn, short *events, struct fl_error *err)
{
	int result;

	ERR_clear_error();
	result = lib.accept(conn->ssl);
	if (result == 1)
		return 1;
	result = wants(conn, result, events, err);
	if (result == 1)
		return fl_error_set(err, FL_ERR_AGAIN, "the peer went away");
	return result;
}

ssize_t fl_tls_read(struct fl_tls_conn *conn, void *bytes, size_t size,
		    short *events, struct fl_error *err)
{
	int result;

	if (size > INT_MAX)
		size = INT_MAX;
	ERR_clear_error();
	result = lib.read(conn->ssl, bytes, (int)size);
	if (result > 0)
		return result;
	result = wants(conn, result, events, err);
	return result == 1 ? 0 : result == 0 ? -1 : -2;
}

void fl_tls_end(struct fl_tls_conn **conn)
{
	struct fl_tls_conn *old = *conn;

	*conn = NULL;
	if (!old)
		return;
	ERR_clear_error();
	(void)lib.shutdown(old->ssl);
	lib.free(old->ssl);
	free(old);
}
