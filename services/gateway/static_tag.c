#include "static_tag.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE_BYTES 65536

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The time of change can not be set by anybody, as that of modification can. */
static bool is_known(const struct static_tag *tag, const struct stat *st)
{
	return tag->etag[0] != '\0' && tag->inode == st->st_ino && tag->size == st->st_size &&
	       is_same_time(&tag->changed, &st->st_ctim) && is_same_time(&tag->modified, &st->st_mtim);
}

static bool digest(int fd, off_t size, unsigned char out[STATIC_TAG_BYTES])
{
	static unsigned char piece[PIECE_BYTES];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, STATIC_TAG_BYTES);
	for (off_t at = 0; at < size;) {
		size_t wish = size - at < PIECE_BYTES ? (size_t)(size - at) : PIECE_BYTES;
		ssize_t n = pread(fd, piece, wish, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return false;
		crypto_generichash_update(&state, piece, (size_t)n);
		at += n;
	}
	crypto_generichash_final(&state, out, STATIC_TAG_BYTES);
	return true;
}

bool static_tag_read(struct static_tag *tag, int fd, const struct stat *st)
{
	unsigned char hash[STATIC_TAG_BYTES];
	char hex[2 * STATIC_TAG_BYTES + 1];

	if (is_known(tag, st))
		return true;
	if (!digest(fd, st->st_size, hash))
		return false;
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	*tag = (struct static_tag){
		.changed = st->st_ctim, .modified = st->st_mtim, .inode = st->st_ino, .size = st->st_size
	};
	snprintf(tag->etag, sizeof(tag->etag), "\"%s\"", hex);
	return true;
}
