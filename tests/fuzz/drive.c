/* drive: replay files through a fuzz target without the fuzzer.
 *
 * usage: fuzz-X [FILE | DIR]...
 *
 * Every named file, and every file of a named folder in the order of its name,
 * is handed to the target once, and the empty input before them. The bytes are
 * copied to the heap at their exact size, so that a sanitizer sees each read
 * past the end. It says how many inputs it replayed; a target that finds
 * something ends the program itself. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long replayed;

static void fail(const char *path)
{
	fprintf(stderr, "cannot replay '%s': %s\n", path, strerror(errno));
	exit(5);
}

static void replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");

	if (!f || !data || fread(data, 1, size, f) != size)
		fail(path);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay(const char *path)
{
	struct dirent **entries = NULL;
	struct stat st;
	int count;

	if (stat(path, &st) < 0)
		fail(path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return;
	}
	count = scandir(path, &entries, visible, alphasort);
	if (count < 0)
		fail(path);
	for (int i = 0; i < count; i++) {
		char *child = NULL;

		if (asprintf(&child, "%s/%s", path, entries[i]->d_name) < 0)
			fail(path);
		replay(child);
		free(child);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	replayed++;
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%s: %lu inputs replayed\n",
	       strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0],
	       replayed);
	return 0;
}
