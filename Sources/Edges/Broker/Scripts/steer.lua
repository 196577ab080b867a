-- Sets what a judge found, unless the judgement was given to another meanwhile.
-- KEYS: 1 adaptive rate (hash)
-- ARGV: 1 version, 2 interval in microseconds ('' where not slowed), 3 state
-- Returns 1, or 0 when it was too late: who has steered, or was given up, has the judgement no more.
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] or redis.call('HDEL', KEYS[1], 'claim') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[3])
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], 'interval')
else
  redis.call('HSET', KEYS[1], 'interval', ARGV[2])
end
return 1
