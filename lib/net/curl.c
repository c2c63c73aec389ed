/* curl: see curl.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/curl.h"

#include <dlfcn.h>
#include <string.h>

#define SONAME "libcurl.so.4" /* since 2006, and no successor in sight */

int fl_curl_load(const char *const *names, void **out, size_t count,
		 struct fl_error *err)
{
	/* Never closed: libraries below it do not bear that. */
	void *lib = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);

	const char *why = lib ? "" : dlerror();

	if (!lib)
		return fl_error_set(err,
				    strstr(why, "annot allocate") ||
						    strstr(why, "annot create")
					    ? FL_ERR_AGAIN
					    : FL_ERR_USAGE,
				    "cannot load %s, which speaks HTTP "
				    "(package libcurl4): %s",
				    SONAME, why);
	for (size_t i = 0; i < count; i++) {
		out[i] = dlsym(lib, names[i]);
		if (!out[i])
			return fl_error_set(err, FL_ERR_USAGE,
					    "%s is too old: it has no %s",
					    SONAME, names[i]);
	}
	return 0;
}
