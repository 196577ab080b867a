-- Puts a batch into its lane, once for each dispatch number.
-- KEYS: 1 lane, 2 dispatched (hash: batch -> dispatch number), 3 epoch, 4 leader, 5 lanes (set)
-- ARGV: 1 batch, 2 dispatch number, 3 epoch, 4 run of this server, 5 fencing token of the dispatcher, 6 consumer group, 7 the lane's name,
--       8... fields and values of the entry
-- Returns 1; 0 when this dispatch, or a later one, has reached Redis before or was withdrawn; -1 when the epoch has ended or another
-- dispatcher leads.
if not is_epoch(KEYS[3], ARGV[3], ARGV[4]) or redis.call('GET', KEYS[4]) ~= ARGV[5] then
  return -1
end
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known and tonumber(string.match(known, '%d+')) >= tonumber(ARGV[2]) then
  return 0
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[6], '0', 'MKSTREAM')
  redis.call('SADD', KEYS[5], ARGV[7])
end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 8))
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
