// libphonenumber as Swift can call it: plain C values, and no exception passes through.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What came of reading a text.
enum flotilla_phone_result {
    FLOTILLA_PHONE_READ,
    /// No telephone number at all.
    FLOTILLA_PHONE_NO_NUMBER,
    /// Its country calling code belongs to nobody; without a region also: it has none.
    FLOTILLA_PHONE_NO_COUNTRY,
    FLOTILLA_PHONE_TOO_SHORT,
    FLOTILLA_PHONE_TOO_LONG,
};

/// How well a number fits the numbering plan of its country, the best last.
enum flotilla_phone_fit {
    FLOTILLA_PHONE_FIT_TOO_SHORT,
    FLOTILLA_PHONE_FIT_TOO_LONG,
    /// It has a number of digits that no number of the country has.
    FLOTILLA_PHONE_FIT_LENGTH,
    /// It lacks its area code.
    FLOTILLA_PHONE_FIT_LOCAL,
    /// It has as many digits as numbers of the country have, and belongs to no range that the metadata knows.
    FLOTILLA_PHONE_FIT_POSSIBLE,
    FLOTILLA_PHONE_FIT_VALID,
    /// It belongs to a range of mobile numbers, or to one that mobile numbers share with others.
    FLOTILLA_PHONE_FIT_MOBILE,
};

struct flotilla_phone {
    /// In the form of E.164, `length` bytes of ASCII with the plus sign.
    char number[32];
    size_t length;
    int32_t country_code;
    enum flotilla_phone_fit fit;
    /// The text says by a plus sign or an international prefix that it begins with a country code.
    bool is_international;
    bool has_extension;
};

/// Reads a number. Thread-safe.
/// - region: an ISO 3166-1 code of a supported region, for numbers that are written as in that region; "" for none.
enum flotilla_phone_result flotilla_phone_read(
    const char *text, size_t length, const char *region, struct flotilla_phone *out);

/// The country calling code of a region; 0 for a region that is not supported.
int32_t flotilla_phone_country_code(const char *region);

/// Writes the codes of the supported regions one behind another, two letters each, in alphabetical order.
/// Returns the number of bytes that they need; writes none where `capacity` is less.
size_t flotilla_phone_regions(char *out, size_t capacity);

#ifdef __cplusplus
}
#endif
