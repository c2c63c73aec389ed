/* curl: libcurl, loaded when it is first needed.
 *
 * A program linked with libcurl starts 5 to 6 ms later for the forty libraries
 * behind it, whatever it is used for; fl-fetch has many sources, and few ask
 * the network. Only http.c and link.c call what is found here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_NET_CURL_H
#define FL_NET_CURL_H

#include <stddef.h>

#include "base/error.h"

/* Find the functions: out[i] becomes that of names[i].
 * errors  FL_ERR_USAGE no libcurl.so.4 on this machine, or one too old */
int fl_curl_load(const char *const *names, void **out, size_t count,
		 struct fl_error *err);

#endif
