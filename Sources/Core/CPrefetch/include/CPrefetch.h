// One instruction that Swift has no name for.
#pragma once

/// Asks the processor to bring what lies at an address into its caches, without waiting for it. Any address may be given.
static inline void flotilla_prefetch(const void *address) { __builtin_prefetch(address); }
