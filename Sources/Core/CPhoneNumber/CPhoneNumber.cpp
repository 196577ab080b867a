#include "CPhoneNumber.h"

#include <phonenumbers/phonenumberutil.h>

#include <cstring>
#include <set>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

flotilla_phone_result result(PhoneNumberUtil::ErrorType error) {
    switch (error) {
    case PhoneNumberUtil::NO_PARSING_ERROR: return FLOTILLA_PHONE_READ;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR: return FLOTILLA_PHONE_NO_COUNTRY;
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN: return FLOTILLA_PHONE_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG_NSN: return FLOTILLA_PHONE_TOO_LONG;
    default: return FLOTILLA_PHONE_NO_NUMBER;
    }
}

flotilla_phone_fit fit(const PhoneNumberUtil &util, const PhoneNumber &number) {
    switch (util.IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::IS_POSSIBLE: break;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY: return FLOTILLA_PHONE_FIT_LOCAL;
    case PhoneNumberUtil::TOO_SHORT: return FLOTILLA_PHONE_FIT_TOO_SHORT;
    case PhoneNumberUtil::TOO_LONG: return FLOTILLA_PHONE_FIT_TOO_LONG;
    default: return FLOTILLA_PHONE_FIT_LENGTH;
    }
    switch (util.GetNumberType(number)) {
    case PhoneNumberUtil::UNKNOWN: return FLOTILLA_PHONE_FIT_POSSIBLE;
    case PhoneNumberUtil::MOBILE:
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE: return FLOTILLA_PHONE_FIT_MOBILE;
    default: return FLOTILLA_PHONE_FIT_VALID;
    }
}

}  // namespace

enum flotilla_phone_result flotilla_phone_read(
    const char *text, size_t length, const char *region, struct flotilla_phone *out) try {
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    // "ZZ" is the library's word for no region.
    const auto error = util.ParseAndKeepRawInput(std::string(text, length), *region ? region : "ZZ", &number);
    if (error != PhoneNumberUtil::NO_PARSING_ERROR) return result(error);
    std::string formatted;
    util.Format(number, PhoneNumberUtil::E164, &formatted);
    if (formatted.size() > sizeof out->number) return FLOTILLA_PHONE_TOO_LONG;
    memcpy(out->number, formatted.data(), formatted.size());
    out->length = formatted.size();
    out->country_code = number.country_code();
    out->fit = fit(util, number);
    const auto source = number.country_code_source();
    out->is_international = source == PhoneNumber::FROM_NUMBER_WITH_PLUS_SIGN || source == PhoneNumber::FROM_NUMBER_WITH_IDD;
    out->has_extension = !number.extension().empty();
    return FLOTILLA_PHONE_READ;
} catch (...) {
    return FLOTILLA_PHONE_NO_NUMBER;
}

int32_t flotilla_phone_country_code(const char *region) try {
    return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region);
} catch (...) {
    return 0;
}

size_t flotilla_phone_regions(char *out, size_t capacity) try {
    std::set<std::string> regions;
    PhoneNumberUtil::GetInstance()->GetSupportedRegions(&regions);
    std::string text;
    for (const auto &region : regions) text += region;
    if (text.size() <= capacity) memcpy(out, text.data(), text.size());
    return text.size();
} catch (...) {
    return 0;
}
