// zlib (RFC 1950), as Debian has it.
#pragma once
#include <zlib.h>
