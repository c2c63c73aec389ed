/* mask: addresses as messages may show them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_MASK_H
#define FL_NET_MASK_H

#include "base/buf.h"

/* Append the URL without its secrets: user:PASS@, and the values of parameters
 * whose name says key, token, secret, password, crumb, session or signature,
 * are "***". Bytes that belong in no message are escaped. */
void fl_url_mask(const char *url, struct fl_buf *out);

#endif
