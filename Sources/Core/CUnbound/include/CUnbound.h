// libunbound: DNS that answers in the background.
#pragma once
#include <unbound.h>
