/* expr: a user's expression in the jq language, applied to one record.
 *
 * Compiled without libjq (FL_WITHOUT_JQ) opening one fails and says so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_OP_EXPR_H
#define FL_OP_EXPR_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "io/reject.h"

struct fl_expr; /* for one thread */

enum fl_expr_result {
	FL_EXPR_SAME,    /* the input, unchanged: pass its bytes */
	FL_EXPR_CHANGED, /* one value, printed to `out` */
	FL_EXPR_NOTHING, /* filtered */
	FL_EXPR_FAILED,  /* note says why: expr_error */
};

/* text: a program, or @FILE that holds one.
 * errors  FL_ERR_USAGE it does not compile (with jq's words); FL_ERR_IO */
int fl_expr_open(struct fl_expr **expr, const char *text, struct fl_error *err);
/* Input that is no strict JSON is FL_EXPR_SAME: the check that follows refuses
 * it.
 * Numbers that the program did not change keep all their digits. */
enum fl_expr_result fl_expr_apply(struct fl_expr *expr, const char *bytes,
				  size_t len, struct fl_buf *out,
				  struct fl_note *note);
void fl_expr_close(struct fl_expr **expr);

#endif
