#include "address.h"

#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

/* IANA's IPv4 special-purpose registry, multicast, class E, and a cloud's metadata service at a public address. */
static const struct {
	uint32_t net;
	int bits;
} special_v4[] = {
	{ 0x00000000, 8 }, /* 0.0.0.0/8: this network */
	{ 0x0A000000, 8 }, /* 10.0.0.0/8: private */
	{ 0x64400000, 10 }, /* 100.64.0.0/10: shared by providers (CGNAT) */
	{ 0x7F000000, 8 }, /* 127.0.0.0/8: loopback */
	{ 0xA83F8110, 32 }, /* 168.63.129.16: Azure's platform service */
	{ 0xA9FE0000, 16 }, /* 169.254.0.0/16: link-local, metadata */
	{ 0xAC100000, 12 }, /* 172.16.0.0/12: private */
	{ 0xC0000000, 24 }, /* 192.0.0.0/24: protocol assignments */
	{ 0xC0000200, 24 }, /* 192.0.2.0/24: documentation */
	{ 0xC0586300, 24 }, /* 192.88.99.0/24: 6to4 relays */
	{ 0xC0A80000, 16 }, /* 192.168.0.0/16: private */
	{ 0xC6120000, 15 }, /* 198.18.0.0/15: benchmarks */
	{ 0xC6336400, 24 }, /* 198.51.100.0/24: documentation */
	{ 0xCB007100, 24 }, /* 203.0.113.0/24: documentation */
	{ 0xE0000000, 4 }, /* 224.0.0.0/4: multicast */
	{ 0xF0000000, 4 }, /* 240.0.0.0/4: reserved, broadcast */
};

/*
 * Inside 2000::/3, the only block that is given out. Everything outside of it
 * is refused by that alone: ::, ::1, ::ffff:0:0/96 (mapped), 64:ff9b::/96
 * (NAT64), 100::/64 (discard), fc00::/7, fe80::/10, ff00::/8.
 */
static const struct {
	uint8_t net[4];
	int bits;
} special_v6[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* 2001::/23: protocol assignments, Teredo, ORCHID */
	{ { 0x20, 0x01, 0x0D, 0xB8 }, 32 }, /* 2001:db8::/32: documentation */
	{ { 0x20, 0x02, 0x00, 0x00 }, 16 }, /* 2002::/16: 6to4, an IPv4 address inside */
	{ { 0x3F, 0xFF, 0x00, 0x00 }, 20 }, /* 3fff::/20: documentation */
};

static bool v4_is_public(uint32_t a)
{
	for (size_t i = 0; i < sizeof(special_v4) / sizeof(special_v4[0]); i++)
		if ((a ^ special_v4[i].net) >> (32 - special_v4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t top32(const uint8_t p[4])
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool v6_is_public(const struct in6_addr *a)
{
	uint32_t top = top32(a->s6_addr);

	if (top >> 29 != 1)
		return false;
	for (size_t i = 0; i < sizeof(special_v6) / sizeof(special_v6[0]); i++)
		if ((top ^ top32(special_v6[i].net)) >> (32 - special_v6[i].bits) == 0)
			return false;
	return true;
}

bool address_is_public(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		return v4_is_public(ntohl(v4.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		return v6_is_public(&v6.sin6_addr);
	}
	return false;
}

bool address_text_is_public(const char *text, bool *is_numeric_out)
{
	struct in_addr v4;
	struct in6_addr v6;
	bool is_v4 = inet_pton(AF_INET, text, &v4) == 1;
	bool is_v6 = !is_v4 && inet_pton(AF_INET6, text, &v6) == 1;

	if (is_numeric_out != NULL)
		*is_numeric_out = is_v4 || is_v6;
	return (is_v4 && v4_is_public(ntohl(v4.s_addr))) || (is_v6 && v6_is_public(&v6));
}
