-- Puts a batch into its lane, once for each dispatch number.
-- KEYS: 1 lane, 2 dispatched (hash: batch -> dispatch number), 3 epoch, 4 leader, 5 lanes (set), 6 marks, 7 workers (hash),
--       8 reached (string)
-- ARGV: 1 batch, 2 dispatch number, 3 epoch, 4 run of this server, 5 fencing token of the dispatcher, 6 consumer group, 7 the lane's name,
--       8 recipients of the batch, 9... fields and values of the entry
-- Returns 1; 0 when this dispatch, or a later one, has reached Redis before or was withdrawn; -1 when the epoch has ended or another
-- dispatcher leads.
if not is_epoch(KEYS[3], ARGV[3], ARGV[4]) or redis.call('GET', KEYS[4]) ~= ARGV[5] then
  return -1
end
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known and not dispatch_number(known) then
  lose(KEYS[3], KEYS[7])
  return -1
end
if known and dispatch_number(known) >= tonumber(ARGV[2]) then
  return 0
end
-- What cannot be read is known before the first write.
local reached = number(redis.call('GET', KEYS[8]), -1)
redis.call('STRLEN', KEYS[6])
redis.call('SCARD', KEYS[5])
if lacks_group(KEYS[1], ARGV[6]) then
  if redis.call('SISMEMBER', KEYS[5], ARGV[7]) == 1 then
    lose(KEYS[3], KEYS[7])
    return -1
  end
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[6], '0', 'MKSTREAM')
  redis.call('SADD', KEYS[5], ARGV[7])
end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 9))
if reached < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[8], ARGV[1])
end
redis.call('SETRANGE', KEYS[6], tonumber(ARGV[8]) - 1, '\0')
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
