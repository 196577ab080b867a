-- Takes a batch off its lane that no worker has taken, so that none ever does.
-- KEYS: 1 lane, 2 dispatched (hash: batch -> dispatch number), 3 epoch, 4 leader, 5 lanes (set), 6 marks
-- ARGV: 1 entry, 2 batch, 3 dispatch number, 4 the epoch that is believed, 5 run of this server, 6 fencing token of the dispatcher,
--       7 consumer group, 8 the lane's name
-- Returns 1; 0 when a worker has it, or had it; -1 when the epoch has ended or another dispatcher leads.
if not is_epoch(KEYS[3], ARGV[4], ARGV[5]) or redis.call('GET', KEYS[4]) ~= ARGV[6] then
  return -1
end
redis.call('HLEN', KEYS[2])
redis.call('SCARD', KEYS[5])
local _, taken = owns(KEYS[1], ARGV[7], '', ARGV[1], 0)
if taken or redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], 'withdrawn ' .. ARGV[3])
redis.call('DEL', KEYS[6])
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[5], ARGV[8])
end
return 1
