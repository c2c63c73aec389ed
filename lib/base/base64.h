/* base64: bytes as text and back (RFC 4648, section 4).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_BASE64_H
#define FL_BASE_BASE64_H

#include "base/buf.h"

/* Append the text of the bytes, padded. */
void fl_base64_put(struct fl_buf *out, const void *bytes, size_t len);
/* Append the bytes of the text. Strict: no blanks, padding where it belongs or
 * none at all, no bits left over. false: it is none; what was appended until
 * then stays. */
bool fl_base64_read(const char *text, size_t len, struct fl_buf *out);

#endif
