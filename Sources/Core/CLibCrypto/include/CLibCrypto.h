// OpenSSL's libcrypto: digests, HMAC (RFC 2104, FIPS 180-4), the comparison in constant time, and signatures by public keys.
#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

// A context with its key, to be freed by EVP_MAC_CTX_free; null where libcrypto has no memory or no SHA-256.
static inline EVP_MAC_CTX *flotilla_hmac_new(const unsigned char *key, size_t length) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0), OSSL_PARAM_construct_end()};
    if (context && EVP_MAC_init(context, key, length, parameters) == 1) return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

// The 32 bytes of two texts behind one another; 0 where it fails.
static inline int flotilla_hmac(
    EVP_MAC_CTX *context, const unsigned char *first, size_t first_length, const unsigned char *second, size_t second_length,
    unsigned char *out) {
    size_t length = 0;
    return EVP_MAC_init(context, NULL, 0, NULL) == 1 && EVP_MAC_update(context, first, first_length) == 1
        && EVP_MAC_update(context, second, second_length) == 1 && EVP_MAC_final(context, out, &length, 32) == 1 && length == 32;
}

// HMAC by a digest's name: its length, at most 64 bytes; 0 where it fails.
static inline size_t flotilla_hmac_once(
    const char *digest, const unsigned char *key, size_t key_length, const unsigned char *text, size_t length, unsigned char *out) {
    size_t count = 0;
    return EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, key, key_length, text, length, out, 64, &count) ? count : 0;
}

static inline int flotilla_verify(
    EVP_PKEY *key, const char *digest, const unsigned char *text, size_t length, const unsigned char *signature,
    size_t signature_length) {
    EVP_MD_CTX *context = key ? EVP_MD_CTX_new() : NULL;
    int is_signed = context && EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key, NULL) == 1
        && EVP_DigestVerify(context, signature, signature_length, text, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_signed;
}

// Whether a text has a signature by a public key, which is a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1).
static inline int flotilla_verify_by_key(
    const char *digest, const unsigned char *key, size_t key_length, const unsigned char *text, size_t length,
    const unsigned char *signature, size_t signature_length) {
    const unsigned char *bytes = key;
    EVP_PKEY *read = d2i_PUBKEY(NULL, &bytes, (long)key_length);
    int is_signed = flotilla_verify(read, digest, text, length, signature, signature_length);
    EVP_PKEY_free(read);
    return is_signed;
}

// The same by the key of a certificate in PEM that is valid at a time, in seconds since 1970.
static inline int flotilla_verify_by_certificate(
    const char *digest, const unsigned char *pem, size_t pem_length, long long now, const unsigned char *text, size_t length,
    const unsigned char *signature, size_t signature_length) {
    BIO *bytes = pem_length < (1 << 20) ? BIO_new_mem_buf(pem, (int)pem_length) : NULL;
    X509 *certificate = bytes ? PEM_read_bio_X509(bytes, NULL, NULL, NULL) : NULL;
    BIO_free(bytes);
    time_t time = (time_t)now;
    int is_signed = certificate && X509_cmp_time(X509_get0_notBefore(certificate), &time) < 0
        && X509_cmp_time(X509_get0_notAfter(certificate), &time) > 0
        && flotilla_verify(X509_get0_pubkey(certificate), digest, text, length, signature, signature_length);
    X509_free(certificate);
    ERR_clear_error();
    return is_signed;
}
