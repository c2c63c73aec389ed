/* my: see my.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/my.h"

#ifndef FL_WITHOUT_MYSQL
#include <dlfcn.h>
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/my-parts.h"

#define SONAME "libmariadb.so.3" /* since 2017 */

enum {
	CONNECT_TIMEOUT = 10, /* seconds */
	WRITE_TIMEOUT = 60,
	SECRET_MAX = 1000,
};

struct fl_my_lib fl_my_lib;
#define lib fl_my_lib

static int load(struct fl_error *err)
{
	static const char *const names[] = {
#define F(name) #name,
		FL_MY_FUNCTIONS(F)
#undef F
	};
	const size_t count = sizeof(names) / sizeof(*names);
	void **out = (void **)&lib;
	void *so;

	if (out[count - 1])
		return 0;
	so = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return fl_error_set(err, FL_ERR_USAGE,
				    "cannot load %s, which speaks with MySQL "
				    "and MariaDB (package libmariadb3): %s",
				    SONAME, dlerror());
	for (size_t i = 0; i < count; i++) {
		out[i] = dlsym(so, names[i]);
		if (!out[i])
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s is too old: it has no %s",
					    SONAME, names[i]);
	}
	return 0;
}

/* --- connecting ---------------------------------------------------------- */

/* Where nobody can stand between us and the server. */
static bool is_near(const struct fl_my_place *place)
{
	return !place->host || strcmp(place->host, "localhost") == 0 ||
	       strncmp(place->host, "127.", 4) == 0 ||
	       strcmp(place->host, "::1") == 0;
}

static void set_options(MYSQL *conn, const struct fl_my_place *place)
{
	const unsigned connect = CONNECT_TIMEOUT, write = WRITE_TIMEOUT;
	const unsigned tcp = MYSQL_PROTOCOL_TCP, on = 1;
	const my_bool tls = place->tls != FL_MY_TLS_DISABLED;
	const my_bool verify = place->tls == FL_MY_TLS_VERIFY;

	lib.mysql_options(conn, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
	lib.mysql_options(conn, MYSQL_OPT_READ_TIMEOUT, &place->read_timeout);
	lib.mysql_options(conn, MYSQL_OPT_WRITE_TIMEOUT, &write);
	lib.mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	lib.mysql_options(conn, MYSQL_OPT_LOCAL_INFILE, &on);
	lib.mysql_options4(conn, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name",
			   fl_log_name ? fl_log_name : "financelake");
	/* Else it would take "localhost" for the socket. */
	if (place->host)
		lib.mysql_options(conn, MYSQL_OPT_PROTOCOL, &tcp);
	lib.mysql_options(conn, MYSQL_OPT_SSL_ENFORCE, &tls);
	lib.mysql_options(conn, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (tls && place->ca)
		lib.mysql_options(conn, MYSQL_OPT_SSL_CA, place->ca);
	if (tls && place->cert)
		lib.mysql_options(conn, MYSQL_OPT_SSL_CERT, place->cert);
	if (tls && place->key)
		lib.mysql_options(conn, MYSQL_OPT_SSL_KEY, place->key);
	if (!verify && !is_near(place))
		lib.mysql_options(
			conn, MARIADB_OPT_RESTRICTED_AUTH,
			"mysql_native_password,"
			"caching_sha2_password,client_ed25519,parsec");
}

/* A peer that is gone is found out by TCP, be it by what we sent or by asking
 * when nothing moves. */
static void watch(int fd)
{
	const int on = 1, idle = 10, interval = 5, count = 4, ms = 30000;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

static int refuse(struct fl_my *my, MYSQL *conn, struct fl_error *err)
{
	unsigned number = lib.mysql_errno(conn);
	const char *text = lib.mysql_error(conn);

	/* TLS, passwords and the ways to give them fail here alike: they call
	 * for somebody, where the network may mend itself. */
	if (number == CR_AUTH_PLUGIN_CANNOT_LOAD ||
	    number == CR_AUTH_PLUGIN_ERR || number == CR_PLUGIN_NOT_ALLOWED ||
	    number == CR_SECURE_AUTH || number == CR_VERSION_ERROR ||
	    (number == CR_SSL_CONNECTION_ERROR &&
	     (strcasestr(text, "certificate") ||
	      strstr(text, "SSL is required") || strcasestr(text, "file")))) {
		fl_db_keep_words(&my->db, text, NULL);
		my->db.fault = FL_FAULT_OTHER;
		return fl_error_set(err, FL_ERR_REFUSED,
				    "cannot connect to '%s': %s", my->db.shown,
				    my->db.words);
	}
	fl_my_sort(my, number, lib.mysql_sqlstate(conn), text, "connect to",
		   err);
	if (my->db.fault == FL_FAULT_OTHER && err->code == FL_ERR_AGAIN)
		my->db.fault = FL_FAULT_LOST;
	return -1;
}

/* Without the session's settings. NULL with err, or, without err, with nothing
 * kept of why. */
static MYSQL *dial(struct fl_my *my, struct fl_error *err)
{
	const struct fl_my_place *place = &my->place;
	struct fl_error ignored = { .code = FL_OK };
	char secret[SECRET_MAX];
	MYSQL *conn;

	if (fl_my_place_password(secret, sizeof(secret), err ? err : &ignored) <
	    0)
		return NULL;
	conn = lib.mysql_init(NULL);
	if (!conn)
		fl_out_of_memory();
	set_options(conn, place);
	fl_my_load_guard(my, conn);
	if (!lib.mysql_real_connect(conn, place->host, place->user,
				    *secret ? secret : NULL, place->database,
				    place->port, place->socket,
				    CLIENT_MULTI_STATEMENTS)) {
		if (err)
			refuse(my, conn, err);
		lib.mysql_close(conn);
		conn = NULL;
	}
	explicit_bzero(secret, sizeof(secret));
	if (conn && place->tls == FL_MY_TLS_REQUIRED &&
	    !lib.mysql_get_ssl_cipher(conn)) {
		if (err)
			fl_error_set(err, FL_ERR_REFUSED,
				     "cannot connect to '%s': the server has "
				     "no TLS",
				     my->db.shown);
		lib.mysql_close(conn);
		conn = NULL;
	}
	if (conn && place->host)
		watch((int)lib.mysql_get_socket(conn));
	return conn;
}

struct st_mysql *fl_my_connect_beside(struct fl_my *my)
{
	return dial(my, NULL);
}

/* Who reads slowly is not cut off, within a day. */
#define SETTINGS                                                               \
	"SET SESSION time_zone = '+00:00', "                                   \
	"sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"          \
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"                   \
	"NO_BACKSLASH_ESCAPES', "                                              \
	"autocommit = 1, innodb_lock_wait_timeout = 30, "                      \
	"wait_timeout = 28800, net_read_timeout = 600, "                       \
	"net_write_timeout = 86400; "                                          \
	"SET NAMES utf8mb4; "                                                  \
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
#define QUESTION                                                               \
	"SELECT CURRENT_USER(), VERSION(), @@local_infile, "                   \
	"@@max_allowed_packet"

/* lake@% as statements name it: `lake`@`%` */
static void keep_account(struct fl_my *my, const char *text)
{
	const char *at = strrchr(text, '@');
	size_t len = at ? (size_t)(at - text) : strlen(text);

	snprintf(my->account, sizeof(my->account), "`%.*s`@`%s`", (int)len,
		 text, at ? at + 1 : "%");
}

static int look_around(struct fl_my *my, struct fl_error *err)
{
	MYSQL_RES *rows;
	MYSQL_ROW row;

	if (lib.mysql_real_query(my->conn, QUESTION, strlen(QUESTION)) != 0 ||
	    !(rows = lib.mysql_store_result(my->conn)))
		return fl_my_fail(my, "use", err);
	row = lib.mysql_fetch_row(rows);
	if (row && row[0] && row[1] && row[2] && row[3]) {
		keep_account(my, row[0]);
		my->server = (struct fl_my_server){
			.mariadb = strcasestr(row[1], "mariadb") != NULL,
			.version = (unsigned)lib.mysql_get_server_version(
				my->conn),
			.local_infile = strcmp(row[2], "1") == 0,
			.packet = strtoull(row[3], NULL, 10),
		};
	}
	lib.mysql_free_result(rows);
	return 0;
}

static int run(struct fl_db *db, const char *sql, const char *doing,
	       struct fl_error *err);

static void hang_up(struct fl_my *my)
{
	fl_my_forget(my);
	if (my->conn)
		lib.mysql_close(my->conn);
	my->conn = NULL;
}

static int connect_to(struct fl_db *db, struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;

	hang_up(my);
	my->conn = dial(my, err);
	if (!my->conn)
		return -1;
	if (run(db, SETTINGS, "use", err) == 0 && look_around(my, err) == 0)
		return 0;
	hang_up(my);
	return -1;
}

static void close_it(struct fl_db *db)
{
	struct fl_my *my = (struct fl_my *)db;

	hang_up(my);
	fl_my_place_release(&my->place);
	free(my);
}

static int open_it(struct fl_db **out, const char *place, const char *shown,
		   struct fl_error *err)
{
	struct fl_my *my;

	*out = NULL;
	if (load(err) < 0)
		return -1;
	my = fl_zalloc(sizeof(*my));
	my->db.ops = &fl_db_my;
	my->db.shown = shown;
	if (fl_my_place_parse(place, shown, &my->place, err) == 0 &&
	    connect_to(&my->db, err) == 0) {
		*out = &my->db;
		return 0;
	}
	close_it(&my->db);
	return -1;
}

const struct fl_my_server *fl_my_server(const struct fl_db *db)
{
	return &((const struct fl_my *)db)->server;
}

uint64_t fl_my_warnings(const struct fl_db *db)
{
	return ((const struct fl_my *)db)->warnings;
}

/* The server tells with each answer that is no error; with an error a
 * transaction may have ended, which rolling it back makes sure of. */
static bool in_transaction(const struct fl_db *db)
{
	const struct fl_my *my = (const struct fl_my *)db;
	unsigned status = 0;

	if (!my->conn ||
	    lib.mariadb_get_infov(my->conn, MARIADB_CONNECTION_SERVER_STATUS,
				  &status))
		return false;
	return status & SERVER_STATUS_IN_TRANS;
}

/* --- statements ---------------------------------------------------------- */

int fl_my_begin(struct fl_my *my, const char *doing, struct fl_error *err)
{
	my->db.fault = FL_FAULT_NONE;
	if (my->conn)
		return 0;
	my->db.fault = FL_FAULT_LOST;
	return fl_error_set(err, FL_ERR_AGAIN, "cannot %s '%s': %s", doing,
			    my->db.shown, my->db.words);
}

static int run(struct fl_db *db, const char *sql, const char *doing,
	       struct fl_error *err)
{
	struct fl_my *my = (struct fl_my *)db;
	int next = 0; /* -1: that was all */

	if (fl_my_begin(my, doing, err) < 0)
		return -1;
	if (lib.mysql_real_query(my->conn, sql, strlen(sql)) != 0)
		return fl_my_fail(my, doing, err);
	while (next == 0) {
		MYSQL_RES *rows = lib.mysql_store_result(my->conn);

		if (rows)
			lib.mysql_free_result(rows);
		else if (lib.mysql_errno(my->conn))
			return fl_my_fail(my, doing, err);
		my->warnings = lib.mysql_warning_count(my->conn);
		next = lib.mysql_next_result(my->conn);
	}
	return next < 0 ? 0 : fl_my_fail(my, doing, err);
}

uint64_t fl_my_count_of(const struct fl_my *my, const char *word, uint64_t none)
{
	const char *info = lib.mysql_info(my->conn);
	const char *at = info ? strstr(info, word) : NULL;

	if (!at)
		return none;
	at += strlen(word);
	return strtoull(at + strspn(at, ": "), NULL, 10);
}

const struct fl_db_ops fl_db_my = {
	.name = "mysql",
	.open = open_it,
	.connect = connect_to,
	.close = close_it,
	.in_transaction = in_transaction,
	.run = run,
	.ask = fl_my_ask,
	.free = fl_my_free,
	.count = fl_my_count,
	.touched = fl_my_touched,
	.cell = fl_my_cell,
	.number = fl_my_number,
	.declare = fl_my_declare,
	.step = fl_my_step,
	.end = fl_my_end,
};

#endif
