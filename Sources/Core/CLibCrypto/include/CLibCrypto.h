// OpenSSL's libcrypto: digests, HMAC-SHA256 (RFC 2104, FIPS 180-4) and the comparison in constant time.
#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

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
