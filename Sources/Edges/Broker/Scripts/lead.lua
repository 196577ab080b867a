-- Takes, or keeps, the leadership of dispatching in this Redis.
-- KEYS: 1 leader ('ledger number'), 2 epoch
-- ARGV: 1 ledger, 2 number of the fencing token in that ledger, 3 milliseconds until the leadership is free again,
--       4 run of this server
-- Returns 1, or 0 when a later dispatcher of the ledger leads, -1 when one of another ledger does; the epoch, '' for none; and the run.
local epoch = epoch_of(KEYS[2])
local ledger, token = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
-- What cannot be read, or never expires, is no leader's.
if ledger and redis.call('PTTL', KEYS[1]) >= 0 then
  if ledger ~= ARGV[1] then
    return { -1, epoch, ARGV[4] }
  end
  if number(token, 0) > tonumber(ARGV[2]) then
    return { 0, epoch, ARGV[4] }
  end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return { 1, epoch, ARGV[4] }
