/*
 * static_tag: the ETag of one file of the page, a digest of its content. Images and
 * packages are reproducible, so a new version of a file has the old one's times, and
 * often its size: neither tells them apart. Loop thread only.
 */
#ifndef ALP_STATIC_TAG_H
#define ALP_STATIC_TAG_H

#include <stdbool.h>

#include <sys/stat.h>

#define STATIC_TAG_BYTES 16

/* Zeroed at first. */
struct static_tag {
	struct timespec changed, modified; /* of the file that etag is of */
	ino_t inode;
	off_t size;
	char etag[2 + 2 * STATIC_TAG_BYTES + 1]; /* with its quotes; "" none yet */
};

/*
 * Fills tag->etag for the open file of which st tells. Reads the whole file, from its
 * beginning and without moving fd's place, unless it is as it was the last time. False
 * with errno: it can not be read, or has become shorter meanwhile.
 */
bool static_tag_read(struct static_tag *tag, int fd, const struct stat *st);

#endif
