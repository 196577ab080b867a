-- Ends the epoch of a ledger: a key is lost, this server loses keys, or the ledger is not there.
-- KEYS: 1 epoch, 2 workers (hash)
-- ARGV: 1 ledger
-- Returns 1, or 0 when there is no epoch of that ledger.
if not string.find(redis.call('GET', KEYS[1]) or '', ':' .. ARGV[1] .. ':', 1, true) then
  return 0
end
lose(KEYS[1], KEYS[2])
return 1
