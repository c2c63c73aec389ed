/* csv_origin: which file a position belongs to; see csv_origin.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "source/csv/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "source/origin.h"

static const char *show(const char *path)
{
	return fl_show(path, strlen(path), 200);
}

static int read_head(const char *path, struct fl_origin_head *head,
		     struct fl_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		goto failed;
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		fl_error_set(err, FL_ERR_USAGE,
			     "'%s' is no regular file, so there is no position "
			     "to resume from",
			     show(path));
		return -1;
	}
	for (head->len = 0; head->len < FL_ORIGIN_HEAD;
	     head->len += (size_t)got) {
		got = pread(fd, head->bytes + head->len,
			    FL_ORIGIN_HEAD - head->len, (off_t)head->len);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			break;
	}
	if (got < 0)
		goto failed;
	close(fd);
	return 0;
failed:
	fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s", show(path),
		     strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int find_start(const struct fl_ask *ask, const char *path,
		      const struct fl_origin_head *head,
		      const struct fl_start **start, struct fl_error *err)
{
	const struct fl_start *other = NULL;
	size_t len, other_len = 0;
	char why[80];

	*start = NULL;
	for (size_t i = 0; i < ask->start_count; i++) {
		const char *mark = fl_origin_mark(ask->starts[i].origin, path);

		if (!mark)
			continue;
		if (fl_origin_same(head, mark, &len)) {
			*start = &ask->starts[i];
			return 0;
		}
		other = &ask->starts[i];
		other_len = len;
	}
	if (!other)
		return 0;
	if (other_len > head->len)
		snprintf(why, sizeof(why), "the file was cut to %zu bytes",
			 head->len);
	else
		snprintf(why, sizeof(why),
			 "the file was replaced, its first %zu bytes differ",
			 other_len);
	return fl_ask_moved(ask, other, why, err);
}

int fl_csv_origin(const struct fl_ask *ask, const char *path, char **origin,
		  const struct fl_start **start, struct fl_error *err)
{
	struct fl_origin_head head;
	char *real;
	int result;

	if (strcmp(path, "-") == 0)
		return fl_error_set(err, FL_ERR_USAGE,
				    "standard input has no position to resume "
				    "from; name the file");
	real = realpath(path, NULL);
	if (!real)
		return fl_error_set(err, FL_ERR_IO, "cannot open '%s': %s",
				    show(path), strerror(errno));
	result = read_head(real, &head, err);
	if (result == 0)
		result = find_start(ask, real, &head, start, err);
	if (result == 0 && *start)
		*origin = fl_strdup((*start)->origin);
	else if (result == 0)
		*origin = fl_origin_make(real, &head);
	free(real);
	return result;
}
