-- Takes, or keeps, the feeder's duty in this Redis.
-- KEYS: 1 fence ('ledger number'), 2 epoch
-- ARGV: 1 ledger, 2 number of the feeder's duty in that ledger, 3 milliseconds until the duty is free again,
--       4 run of this server
-- Returns 1, or 0 when a later feeder of the ledger has the duty, -1 when one of another ledger has; the epoch, '' for none; and
-- the run.
local epoch = redis.call('GET', KEYS[2]) or ''
local fence = redis.call('GET', KEYS[1])
if fence then
  local ledger, number = string.match(fence, '^(%S+) (%d+)$')
  if ledger ~= ARGV[1] then
    return { -1, epoch, ARGV[4] }
  end
  if tonumber(number) > tonumber(ARGV[2]) then
    return { 0, epoch, ARGV[4] }
  end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return { 1, epoch, ARGV[4] }
