-- Takes, or keeps, the feeder's duty in this Redis.
-- KEYS: 1 fence ('ledger number')
-- ARGV: 1 ledger, 2 number of the feeder's duty in that ledger, 3 milliseconds until the duty is free again
-- Returns 1; 0 when a later feeder of the ledger has the duty, -1 when one of another ledger has.
local fence = redis.call('GET', KEYS[1])
if fence then
  local ledger, number = string.match(fence, '^(%S+) (%d+)$')
  if ledger ~= ARGV[1] then
    return -1
  end
  if tonumber(number) > tonumber(ARGV[2]) then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
