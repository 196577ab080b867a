#include "CUnbound.h"
