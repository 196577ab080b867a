-- Takes, or keeps, the leadership of dispatching in this Redis.
-- KEYS: 1 leader ('ledger number'), 2 epoch, 3 commits ('ledger number')
-- ARGV: 1 ledger, 2 number of the fencing token in that ledger, 3 milliseconds until the leadership is free again,
--       4 run of this server, 5 the ledger of which the caller knows that it has nothing here any more ('' for none), 6 '1' to take a
--       Redis of which it is not known whose it was
-- Returns 1, or 0 when a later dispatcher of the ledger leads, -1 when one of another ledger does, -2 when it is not known whose this Redis
-- was; the epoch, '' for none; the run; and with -1 the ledger that has left this Redis and was the last to use it, '' where its dispatcher
-- leads.
local epoch = epoch_of(KEYS[2])
local ledger, token = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
local leads = false
-- What cannot be read, or never expires, is no leader's.
if ledger and redis.call('PTTL', KEYS[1]) >= 0 then
  if ledger ~= ARGV[1] then
    return { -1, epoch, ARGV[4], '' }
  end
  if number(token, 0) > tonumber(ARGV[2]) then
    return { 0, epoch, ARGV[4], '' }
  end
  leads = true
end
-- A ledger whose dispatcher is down for long keeps what it has here: its workers may be at work, and its results wait.
local last = string.match(redis.call('GET', KEYS[3]) or '', '^(%S+) %d+$') or string.match(epoch, '^[^:]+:([^:]+):')
if not leads and last and last ~= ARGV[1] and last ~= ARGV[5] then
  return { -1, epoch, ARGV[4], last }
end
-- It is new, or it has lost its data.
if not leads and not last and ARGV[6] ~= '1' then
  return { -2, epoch, ARGV[4], '' }
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return { 1, epoch, ARGV[4], '' }
