// libidn2 (IDNA 2008, Unicode TR46) and the normalisation of libunistring, on which it rests.
#pragma once
#include <idn2.h>
#include <uninorm.h>

// A macro that Swift cannot import.
static inline uninorm_t flotilla_nfc(void) { return UNINORM_NFC; }
