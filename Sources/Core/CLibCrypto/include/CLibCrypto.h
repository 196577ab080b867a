// OpenSSL's libcrypto: digests, HMAC (RFC 2104, FIPS 180-4), the comparison in constant time, and signatures by public keys.
#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

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

// The 32 bytes of SHA-256; 0 where it fails.
static inline int flotilla_sha256(const unsigned char *text, size_t length, unsigned char *out) {
    return EVP_Digest(text, length, out, NULL, EVP_sha256(), NULL);
}

// Nobody types a passphrase.
static inline int flotilla_no_passphrase(char *out, int size, int is_writing, void *context) {
    (void)out, (void)size, (void)is_writing, (void)context;
    return -1;
}

// A private key in PEM, to be freed by EVP_PKEY_free; null where it is none, or has a passphrase.
static inline EVP_PKEY *flotilla_read_private_key(const unsigned char *pem, size_t length) {
    BIO *bio = BIO_new_mem_buf(pem, (int)length);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, flotilla_no_passphrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

// Signs by a private key; a null digest is for algorithms that have their own. `signature_length` is the room, and then the length.
static inline int flotilla_sign(
    EVP_PKEY *key, const char *digest, const unsigned char *text, size_t length, unsigned char *signature, size_t *signature_length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int is_signed = context && EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, key, NULL) == 1
        && EVP_DigestSign(context, signature, signature_length, text, length) == 1;
    EVP_MD_CTX_free(context);
    return is_signed;
}

// The SubjectPublicKeyInfo of a key in DER. `length` is the room, and then the length.
static inline int flotilla_public_der(EVP_PKEY *key, unsigned char *out, size_t *length) {
    unsigned char *der = NULL;
    int count = i2d_PUBKEY(key, &der);
    int fits = count > 0 && (size_t)count <= *length;
    if (fits) {
        memcpy(out, der, (size_t)count);
        *length = (size_t)count;
    }
    OPENSSL_free(der);
    return fits;
}

// A new private key in PEM: RSA of so many bits, or Ed25519 for 0. `length` is the room, and then the length.
static inline int flotilla_generate_key(int bits, unsigned char *out, size_t *length) {
    EVP_PKEY *key = bits > 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = key ? BIO_new(BIO_s_mem()) : NULL;
    int is_written = bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    int count = is_written ? BIO_read(bio, out, (int)*length) : 0;
    if (count > 0) *length = (size_t)count;
    BIO_free(bio);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return count > 0;
}
