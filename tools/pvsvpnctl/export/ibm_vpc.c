// SPDX-License-Identifier: GPL-2.0
/* VPN for VPC of IBM Cloud, as resources of Terraform */
#include <ctype.h>
#include <string.h>

#include "connection/identity.h"
#include "export/export.h"
#include "print.h"

/* In front of names there, which begin with a letter. A suffix follows, as a name ends with no dash. */
#define NAME_PREFIX "pvsvpn-"
#define NAME_MAX_THERE (sizeof(NAME_PREFIX) + CONNECTION_NAME_MAX)

/* Names of resources there are in small letters, and have no underscore. */
static const char *resource_name(char *text, const char *name)
{
	char *to = stpcpy(text, NAME_PREFIX);

	for (; *name; name++)
		*to++ = isalnum((unsigned char)*name) ? tolower((unsigned char)*name) : '-';
	*to = '\0';
	return text;
}

static void print_list(FILE *out, const char *key, enum algorithm_kind kind, bool ike,
		       const struct algorithm_list *list, bool combined, bool quoted)
{
	const char *quote = quoted ? "\"" : "";

	fprintf(out, "  %s = [%s", key, quote);
	print_words(out, IBM_VPC, kind, ike, list, combined, quoted ? "\", \"" : ", ");
	fprintf(out, "%s]\n", quote);
}

static void print_ike(FILE *out, const char *name, const struct policy *ike)
{
	fprintf(out, "resource \"ibm_is_ike_policy\" \"pvsvpn\" {\n  name = \"%s-ike\"\n"
		"  ike_version = %u\n", name, ike->version);
	print_list(out, "encryption_algorithms", ALGORITHM_ENCRYPTION, true, &ike->encryption,
		   false, true);
	print_list(out, "authentication_algorithms", ALGORITHM_AUTHENTICATION, true,
		   &ike->authentication, false, true);
	print_list(out, "dh_groups", ALGORITHM_DH_GROUP, true, &ike->dh, false, false);
	fprintf(out, "  key_lifetime = %u\n}\n\n", ike->lifetime);
}

/* A policy there is all GCM, or has none. */
static void print_ipsec(FILE *out, const char *name, const struct policy *ipsec)
{
	bool gcm = ipsec->encryption.one[0]->combined;

	fprintf(out, "resource \"ibm_is_ipsec_policy\" \"pvsvpn\" {\n"
		"  name = \"%s-ipsec\"\n", name);
	print_list(out, "encryption_algorithms", ALGORITHM_ENCRYPTION, false, &ipsec->encryption,
		   gcm, true);
	if (gcm)
		fputs("  authentication_algorithms = [\"disabled\"]\n", out);
	else
		print_list(out, "authentication_algorithms", ALGORITHM_AUTHENTICATION, false,
			   &ipsec->authentication, false, true);
	if (first_group(ipsec))
		print_list(out, "pfs_groups", ALGORITHM_DH_GROUP, false, &ipsec->dh, false, true);
	else
		fputs("  pfs_groups = [\"disabled\"]\n", out);
	fprintf(out, "  key_lifetime = %u\n}\n\n", ipsec->lifetime);
}

/* A host name has no dot there. */
static void print_identity(FILE *out, const char *block, const struct identity *identity)
{
	enum identity_kind kind;
	const char *name = identity_name(identity, &kind);
	const char *type = strchr(name, '.') ? "fqdn" : "hostname";

	fprintf(out, "    %s {\n      type = \"%s\"\n      value = \"%s\"\n    }\n", block,
		kind == KIND_FQDN ? type : "ipv4_address", name);
}

/*
 * Each member of the gateway identifies itself by its address, unless there is an identity for
 * both. A printed address would be that of one member.
 */
static void print_local(FILE *out, const struct connection *far)
{
	enum identity_kind kind;
	struct addr addr;
	const char *name = identity_name(&far->local_identity, &kind);

	if (kind == KIND_IPV4 && !parse_addr(name, &addr) && addr.len == far->local_gateway.len &&
	    !memcmp(addr.byte, far->local_gateway.byte, addr.len))
		return;
	fputs("\n  local {\n", out);
	print_identity(out, "ike_identities", &far->local_identity);
	print_identity(out, "ike_identities", &far->local_identity);
	fputs("  }\n", out);
}

static void print_connection(FILE *out, const char *name, const struct export *x)
{
	const struct connection *far = &x->far;
	char text[FORMAT_MAX];

	fprintf(out, "resource \"ibm_is_vpn_gateway_connection\" \"pvsvpn\" {\n"
		"  name = \"%s-conn\"\n"
		"  vpn_gateway = var.vpn_gateway_id\n  preshared_key = var.preshared_key\n"
		"  admin_state_up = true\n  establish_mode = \"bidirectional\"\n  action = \"restart\"\n"
		"  interval = %u\n  timeout = %u\n"
		"  ike_policy = ibm_is_ike_policy.pvsvpn.id\n"
		"  ipsec_policy = ibm_is_ipsec_policy.pvsvpn.id\n", name,
		far->dpd_interval,
		far->dpd_interval * far->dpd_threshold);
	print_local(out, far);
	fprintf(out, "\n  peer {\n    address = \"%s\"\n",
		format_addr(text, &far->peer_gateway.addr));
	print_identity(out, "ike_identity", &far->peer_identity);
	fputs("  }\n}\n", out);
}

/* Terraform looks for a provider among its own ones, unless its source is said. */
static void print_provider(FILE *out)
{
	fputs("terraform {\n  required_providers {\n    ibm = {\n      source = \"IBM-Cloud/ibm\"\n"
	      "      version = \">= 2.3.0\"\n    }\n  }\n}\n\n"
	      "provider \"ibm\" {\n  region = var.region\n}\n\n", out);
}

static void print_variables(FILE *out, const struct export *x)
{
	static const char * const names[] = {
		"region", "vpc_id", "zone", "routing_table_id", "vpn_gateway_id",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fprintf(out, "variable \"%s\" { type = string }\n", names[i]);
	fputs("variable \"preshared_key\" {\n  type = string\n  sensitive = true\n", out);
	if (strcmp(x->secret, SECRET_PLACEHOLDER))
		fprintf(out, "  default = \"%s\"\n", x->secret);
	fputs("}\n\n", out);
}

static void print_hints(FILE *out)
{
	fputs("# Save it as main.tf in its own directory, then: terraform init, terraform apply\n"
	      "# The gateway has to be in route mode, and the routing table that of its subnets.\n"
	      "# It has two members. PeerGateway has to be the address of one.\n"
	      "# Security groups have to let in the prefixes of the other end; network ACLs, too,\n"
	      "# and UDP 500 and 4500. The MTU is 1500 there, and the MSS at most 1360.\n", out);
}

void ibm_vpc_export(FILE *out, const struct export *x)
{
	char name[NAME_MAX_THERE], text[FORMAT_MAX];

	resource_name(name, x->far.name);
	print_hints(out);
	print_provider(out);
	print_variables(out, x);
	print_ike(out, name, &x->far.ike);
	print_ipsec(out, name, &x->far.ipsec);
	print_connection(out, name, x);
	for (size_t i = 0; i < x->far.peer_subnets.count; i++)
		fprintf(out, "\nresource \"ibm_is_vpc_routing_table_route\" \"pvsvpn_%zu\" {\n"
			"  vpc = var.vpc_id\n  routing_table = var.routing_table_id\n"
			"  zone = var.zone\n"
			"  name = \"%s-%zu\"\n  destination = \"%s\"\n  action = \"deliver\"\n"
			"  next_hop = ibm_is_vpn_gateway_connection.pvsvpn.gateway_connection\n}\n",
			i + 1, name, i + 1, format_subnet(text, &x->far.peer_subnets.subnet[i]));
}
