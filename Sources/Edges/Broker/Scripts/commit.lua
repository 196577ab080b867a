-- Notes how far a ledger has come.
-- KEYS: 1 commits (string, 'ledger number')
-- ARGV: 1 ledger, 2 number of its last commit
-- Returns the number of the last commit that is known of the ledger: higher where others have come further, or the ledger is an older copy.
local ledger, text = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
local known = ledger == ARGV[1] and number(text) or -1
if known < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
  return tonumber(ARGV[2])
end
return known
