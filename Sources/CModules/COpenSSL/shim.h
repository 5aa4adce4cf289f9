// OpenSSL 3: what it declares as macros, as varargs or by types that Swift does not import.
#pragma once
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// MARK: Contexts

static const uint64_t sidecar_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t sidecar_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t sidecar_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const uint64_t sidecar_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t sidecar_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;

/// Connections give their buffers back when they are idle, take a record that the kernel has room for and no more, and let
/// what is left move in memory before it is tried again. One read from the kernel may bring many records.
static inline void sidecar_ssl_ctx_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(
        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
}

static inline int sidecar_ssl_ctx_set_versions(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) && SSL_CTX_set_max_proto_version(context, highest);
}

static inline int sidecar_ssl_ctx_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, (char *)list);
}

static inline int sidecar_ssl_ctx_use(SSL_CTX *context, X509 *certificate, EVP_PKEY *key) {
    return SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
}

/// Adds an issuer to the chain of the certificate that was given last.
static inline int sidecar_ssl_ctx_add_issuer(SSL_CTX *context, X509 *issuer) {
    return (int)SSL_CTX_add1_chain_cert(context, issuer);
}

static inline void sidecar_ssl_ctx_share_store(SSL_CTX *context, X509_STORE *store) {
    SSL_CTX_set1_cert_store(context, store);
}

static inline void sidecar_ssl_ctx_set_session_cache(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}

static inline void sidecar_ssl_ctx_on_server_name(
    SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *owner) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, owner);
}

/// Sends the names of a file's certificates to clients that are asked for one of theirs.
static inline int sidecar_ssl_ctx_set_client_cas(SSL_CTX *context, const char *path) {
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL) return 0;
    SSL_CTX_set_client_CA_list(context, names);
    return 1;
}

// MARK: Connections

static inline int sidecar_ssl_set_server_name(SSL *connection, const char *name) {
    return (int)SSL_set_tlsext_host_name(connection, name);
}

static inline int sidecar_ssl_is_alert(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET;
}

static inline void sidecar_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void sidecar_bio_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
static inline void sidecar_bio_no_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

// MARK: Errors

static inline int sidecar_err_library(unsigned long error) { return ERR_GET_LIB(error); }
static inline int sidecar_err_reason(unsigned long error) { return ERR_GET_REASON(error); }

// MARK: Tickets

/// Gives a ticket's authentication context its key: HMAC-SHA256.
static inline int sidecar_ticket_set_mac(EVP_MAC_CTX *context, const unsigned char *key, size_t count) {
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count);
    parameters[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
    parameters[2] = OSSL_PARAM_construct_end();
    return EVP_MAC_CTX_set_params(context, parameters);
}

// MARK: Certificates

typedef STACK_OF(GENERAL_NAME) sidecar_names;

/// The subject's alternative names, to be freed; NULL when there are none.
static inline sidecar_names *sidecar_x509_names(const X509 *certificate) {
    return (sidecar_names *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
static inline int sidecar_names_count(const sidecar_names *names) { return sk_GENERAL_NAME_num(names); }
static inline void sidecar_names_free(sidecar_names *names) { GENERAL_NAMES_free(names); }

/// The kind of one name (GEN_DNS, GEN_EMAIL, GEN_URI, GEN_IPADD, or any other, of which no bytes are given) and its bytes.
static inline int sidecar_names_at(const sidecar_names *names, int index, const unsigned char **bytes, int *count) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    const ASN1_STRING *value = NULL;
    switch (name->type) {
        case GEN_DNS: case GEN_EMAIL: case GEN_URI: value = name->d.ia5; break;
        case GEN_IPADD: value = name->d.iPAddress; break;
        default: break;
    }
    *bytes = value == NULL ? NULL : ASN1_STRING_get0_data(value);
    *count = value == NULL ? 0 : ASN1_STRING_length(value);
    return name->type;
}

/// RFC 2253, but that letters beyond ASCII stay UTF-8 and are not escaped.
static const unsigned long sidecar_XN_FLAG_RFC2253_UTF8 = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;

static inline long sidecar_bio_contents(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

/// A certificate is checked against its issuer's revocation list, which must be there.
static inline int sidecar_x509_check_revocation(X509_STORE *store) { return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK); }
