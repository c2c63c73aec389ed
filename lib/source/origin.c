/* origin: see origin.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

char *fl_origin_make(const char *path, const struct fl_origin_head *head)
{
	return fl_sprintf(
		"file:%s#%zu-%016llx", path, head->len,
		(unsigned long long)fl_hash64(head->bytes, head->len));
}

const char *fl_origin_mark(const char *origin, const char *path)
{
	const char *mark = strrchr(origin, '#');

	if (strncmp(origin, "file:", 5) != 0 || !mark ||
	    strlen(path) != (size_t)(mark - origin - 5) ||
	    memcmp(origin + 5, path, strlen(path)) != 0)
		return NULL;
	return mark;
}

bool fl_origin_same(const struct fl_origin_head *head, const char *mark,
		    size_t *len)
{
	char expected[40], *end;

	*len = strtoul(mark + 1, &end, 10);
	if (*end != '-' || *len > head->len)
		return false;
	snprintf(expected, sizeof(expected), "%016llx",
		 (unsigned long long)fl_hash64(head->bytes, *len));
	return strcmp(end + 1, expected) == 0;
}
