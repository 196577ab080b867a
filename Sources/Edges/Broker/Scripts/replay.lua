-- Puts copies of confirmed entries back into their stream, if the ledger's server was replaced since they were made.
-- KEYS: 1 status stream, 2 its replay stream, 3 where the ledger stood that has the entries of that (string)
-- ARGV: 1 ledger, 2 where it stands
-- Returns how many were put back.
local before = redis.call('XLEN', KEYS[2])
put_back(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2])
return before - redis.call('XLEN', KEYS[2])
