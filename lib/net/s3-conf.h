/* s3-conf: where S3 is and who asks, as AWS's own tools have it.
 *
 * What the environment says holds, then the profile (AWS_PROFILE, "default") of
 * ~/.aws/credentials and ~/.aws/config. A key is, in this order, the
 * environment's, a role's by a token in a file (AWS_WEB_IDENTITY_TOKEN_FILE),
 * the profile's, or that of the machine (EC2's metadata service, version 2).
 * Keys appear in no message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_S3_CONF_H
#define FL_NET_S3_CONF_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Of one profile, from both files. */
struct fl_s3_profile {
	char *name;
	char *region, *endpoint;           /* NULL: not said */
	char *access, *secret, *token;     /* NULL */
	char *role, *token_file, *session; /* NULL; a web identity */
	const char *other; /* a way to a key that we have not; NULL */
	bool found;
};

struct fl_s3_conf {
	char *region;
	char *endpoint; /* "https://HOST:PORT[/PATH]"; NULL: AWS's own */
	char *ca_file;  /* NULL: the system's authorities */
	char *sse;      /* AES256, aws:kms; NULL: what the bucket does */
	char *sse_key;  /* of KMS; NULL */
	struct fl_s3_profile profile;
};

/* errors  FL_ERR_USAGE, FL_ERR_IO, FL_ERR_REFUSED no such profile */
int fl_s3_conf_read(struct fl_s3_conf *conf, struct fl_error *err);
void fl_s3_conf_release(struct fl_s3_conf *conf);

struct fl_s3_key {
	char *access, *secret;
	char *token;      /* of a session; NULL */
	int64_t until_ns; /* FL_TIME_NONE: for good */
	char from[200];   /* where it is from, for messages */
};

/* The key to ask with now.
 * errors  FL_ERR_REFUSED there is none; FL_ERR_AGAIN who gives it does not
 *         answer */
int fl_s3_key_find(const struct fl_s3_conf *conf, struct fl_s3_key *key,
		   struct fl_error *err);
void fl_s3_key_release(struct fl_s3_key *key);

/* --- keys that are asked for (s3-role.c) ---------------------------------- */

/* A role's, for the token in a file.  returns 0, -1 */
int fl_s3_key_of_role(const struct fl_s3_conf *conf, const char *role,
		      const char *token_file, const char *session,
		      struct fl_s3_key *key, struct fl_error *err);
/* The machine's.  returns 1, 0 it has none, -1 */
int fl_s3_key_of_machine(struct fl_s3_key *key, struct fl_error *err);

#endif
