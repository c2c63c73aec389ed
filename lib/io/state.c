/* state: see state.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/stream.h"

/* The folder, to be freed; NULL: none is named. */
static char *folder(void)
{
	const char *own = getenv("FL_STATE_DIR");
	const char *given = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (own && *own)
		return fl_strdup(own);
	if (given && *given)
		return fl_strndup(given, strcspn(given, ":"));
	/* A relative one is to be ignored, says XDG. */
	if (xdg && *xdg == '/')
		return fl_sprintf("%s/financelake", xdg);
	if (home && *home == '/')
		return fl_sprintf("%s/.local/state/financelake", home);
	return NULL;
}

/* The folder and those above it. */
static int make_folder(char *path, struct fl_error *err)
{
	for (char *at = path + 1;; at++) {
		char was = *at;

		if (was && was != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return fl_error_set(err, FL_ERR_IO,
					    "cannot make the folder '%s': %s",
					    fl_show(path, strlen(path), 200),
					    strerror(errno));
		*at = was;
		if (!was)
			return 0;
	}
}

char *fl_state_path(const char *name, struct fl_error *err)
{
	char *dir = folder(), *path = NULL;

	if (!dir)
		fl_error_set(err, FL_ERR_USAGE,
			     "no place to keep '%s': FL_STATE_DIR names a "
			     "folder",
			     name);
	else if (make_folder(dir, err) == 0)
		path = fl_sprintf("%s/%s", dir, name);
	free(dir);
	return path;
}

static int cannot(struct fl_error *err, const char *what, const char *path)
{
	return fl_error_set(err, FL_ERR_IO, "cannot %s '%s': %s", what,
			    fl_show(path, strlen(path), 200), strerror(errno));
}

/* returns 1, 0 not to be trusted, -1 */
static int read_all(int fd, const char *path, struct fl_buf *out,
		    struct fl_error *err)
{
	char bytes[4096];
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return cannot(err, "read", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) ||
	    st.st_uid != geteuid()) {
		fl_log("'%s' is not ours alone (mode 0600): not used",
		       fl_show(path, strlen(path), 200));
		return 0;
	}
	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot(err, "read", path);
		fl_buf_append(out, bytes, (size_t)got);
	}
	return 1;
}

int fl_state_read(const char *name, struct fl_buf *out, struct fl_error *err)
{
	char *path = fl_state_path(name, err);
	int fd = -1, result = -1;

	if (!path)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0)
		result = read_all(fd, path, out, err);
	else if (errno == ENOENT || errno == ELOOP)
		result = 0;
	else
		cannot(err, "open", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return result;
}

int fl_state_write(const char *name, const char *bytes, size_t len,
		   struct fl_error *err)
{
	char *path = fl_state_path(name, err), *made;
	int fd, result = -1;

	if (!path)
		return -1;
	made = fl_sprintf("%s.XXXXXX", path);
	fd = mkostemp(made, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		cannot(err, "write", path);
		goto done;
	}
	result = fl_write_all(fd, bytes, len, path, err);
	if (close(fd) < 0 && result == 0)
		result = cannot(err, "write", path);
	if (result == 0 && rename(made, path) < 0)
		result = cannot(err, "write", path);
	if (result < 0)
		unlink(made);
done:
	free(made);
	free(path);
	return result;
}

void fl_state_remove(const char *name)
{
	struct fl_error err = { .code = FL_OK };
	char *path = fl_state_path(name, &err);

	if (path)
		unlink(path);
	free(path);
}
