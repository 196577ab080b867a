-- Notes how far a ledger has come.
-- KEYS: 1 commits (string, 'ledger number')
-- ARGV: 1 ledger, 2 number of its last commit
local ledger, number = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
if ledger ~= ARGV[1] or tonumber(number) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
end
