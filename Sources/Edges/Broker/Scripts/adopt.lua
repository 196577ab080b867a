-- Registers a worker that has batches in a lane and whose registration, or that of its lanes, was lost: others would never look for them.
-- KEYS: 1 workers (hash: worker -> 'expiry run condition losses'), 2 lane, 3 lanes of the worker (set)
-- ARGV: 1 consumer group, 2 worker, 3 the lane's name, 4 milliseconds of a lease
local pending = redis.pcall('XPENDING', KEYS[2], ARGV[1], '-', '+', 1, ARGV[2])
if pending.err or #pending == 0 then
  return
end
redis.call('SADD', KEYS[3], ARGV[3])
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then
  local clock = redis.call('TIME')
  redis.call('HSET', KEYS[1], ARGV[2], string.format('%.0f  busy 0', clock[1] * 1000 + tonumber(ARGV[4])))
end
