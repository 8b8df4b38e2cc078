/*
 * address: may a connection on behalf of a user go to this address? Only to
 * ordinary addresses of the public internet: what the registries of special
 * purposes name (RFC 6890 and after) is refused, and so is whatever carries an
 * IPv4 address inside an IPv6 one. Any thread; pure.
 */
#ifndef ALP_ADDRESS_H
#define ALP_ADDRESS_H

#include <stdbool.h>

#include <sys/socket.h>

/* False for every family but IPv4 and IPv6. */
bool address_is_public(const struct sockaddr *address);

/* The same for a numeric address as inet_pton reads it. *is_numeric_out (may be NULL): it is one. */
bool address_text_is_public(const char *text, bool *is_numeric_out);

#endif
