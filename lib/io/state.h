/* state: small files that outlive a run, and are nobody else's.
 *
 * They stand in the first of $FL_STATE_DIR, $STATE_DIRECTORY (of systemd, the
 * first of its folders), $XDG_STATE_HOME/financelake and
 * ~/.local/state/financelake that is set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_IO_STATE_H
#define FL_IO_STATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* The path of the file, to be freed; its folder is made when it is missing,
 * with mode 0700.
 * errors  NULL: FL_ERR_USAGE no folder is named, FL_ERR_IO it cannot be made */
char *fl_state_path(const char *name, struct fl_error *err);
/* Append what is in the file, at most out->max bytes.
 * returns 1; 0 there is none, or one that others may read or have written,
 *         which is not trusted; -1 FL_ERR_IO */
int fl_state_read(const char *name, struct fl_buf *out, struct fl_error *err);
/* Put it there whole or not at all, with mode 0600. */
int fl_state_write(const char *name, const char *bytes, size_t len,
		   struct fl_error *err);
/* Take the file away; it need not be there. */
void fl_state_remove(const char *name);

#endif
