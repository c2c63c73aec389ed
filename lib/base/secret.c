/* secret: see secret.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_open(int fd, const char *shown, const char *what, char *secret,
		     size_t size, struct fl_error *err)
{
	struct stat st;
	ssize_t got = 0;
	size_t len = 0;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fl_error_set(err, FL_ERR_USAGE, "'%s', %s, is no file",
				    shown, what);
	if (st.st_mode & 077)
		return fl_error_set(err, FL_ERR_USAGE,
				    "others may read or write '%s', %s (mode "
				    "%04o): chmod 600 %s",
				    shown, what, (unsigned)(st.st_mode & 07777),
				    shown);
	while (len < size && (got = read(fd, secret + len, size - len)) > 0)
		len += (size_t)got;
	if (got < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot read '%s', %s: %s",
				    shown, what, strerror(errno));
	if (len == size)
		return fl_error_set(err, FL_ERR_USAGE,
				    "'%s' is too long for %s", shown, what);
	while (len && strchr("\r\n \t", secret[len - 1]))
		len--;
	secret[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)secret[i] < ' ')
			return fl_error_set(err, FL_ERR_USAGE,
					    "'%s' holds more than a line, "
					    "which %s is not",
					    shown, what);
	return 0;
}

int fl_secret_read(const char *path, const char *what, char *secret,
		   size_t size, struct fl_error *err)
{
	const char *shown = fl_show(path, strlen(path), 200);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int result;

	if (fd < 0)
		return fl_error_set(err, FL_ERR_IO, "cannot open '%s', %s: %s",
				    shown, what, strerror(errno));
	result = read_open(fd, shown, what, secret, size, err);
	close(fd);
	return result;
}
