/* s3-xml: the answers of S3, which are XML.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_S3_XML_H
#define FL_NET_S3_XML_H

#include <stddef.h>

#include "base/error.h"

/* Tell of each element at its end: what it is in (""), what it is called, both
 * without a name space, and the text in it without that of elements in it.
 * Texts are UTF-8 and live during the call. One with a text over 64 KiB, or
 * that io/xml.h refuses, is refused.
 *
 * each    returns below 0 to end it, with err set
 * errors  FL_ERR_AGAIN it is not well-formed: cut off, or no answer of S3 */
int fl_s3_xml_read(const char *text, size_t len,
		   int (*each)(void *arg, const char *within, const char *name,
			       const char *value, struct fl_error *err),
		   void *arg, struct fl_error *err);

#endif
