/* io: see io.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "io/io.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/stream.h"

bool fl_stop_requested(const struct fl_io *io)
{
	int stop;

	if (!io->stop)
		return false;
	/* A handler in another thread may be writing it. */
	stop = __atomic_load_n(io->stop, __ATOMIC_RELAXED);
	return stop && (!io->drains || stop >= FL_STOP_NOW);
}

int fl_io_check_input(struct fl_io *io, const struct fl_stream *in,
		      struct fl_error *err)
{
	const char *other = "standard output";
	bool same = fl_stream_same_file(in, STDOUT_FILENO);
	int fd;

	if (!same && io->rejects && strcmp(io->rejects, "inline") != 0 &&
	    strncmp(io->rejects, "fd:", 3) != 0) {
		fd = open(io->rejects, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0) {
			same = fl_stream_same_file(in, fd);
			other = "--rejects";
			close(fd);
		}
	}
	if (!same)
		return 0;
	return fl_error_set(err, FL_ERR_USAGE,
			    "'%s' is read and, as %s, written to; name "
			    "another file",
			    fl_stream_path(in), other);
}
