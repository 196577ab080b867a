-- Makes sure that a dispatch that did not reach Redis never will: a command that was lost may still be on its way.
-- KEYS: 1 epoch, 2 leader, 3 dispatched (hash: batch -> dispatch number)
-- ARGV: 1 the epoch that is believed, 2 run of this server, 3 fencing token of the dispatcher, 4 batch, 5 dispatch number
-- Returns 1; 0 when it has reached Redis by now, -1 when the epoch has ended or another dispatcher leads.
if not is_epoch(KEYS[1], ARGV[1], ARGV[2]) or redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return -1
end
if redis.call('HGET', KEYS[3], ARGV[4]) == ARGV[5] then
  return 0
end
redis.call('HSET', KEYS[3], ARGV[4], 'withdrawn ' .. ARGV[5])
return 1
