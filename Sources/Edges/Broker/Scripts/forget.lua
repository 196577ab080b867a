-- Forgets a worker whose lease has expired, once it has no batch in any lane.
-- KEYS: 1 workers (hash: worker -> 'expiry run condition losses'), 2 lanes of that worker (set)
-- ARGV: 1 the worker, 2 milliseconds after the end of its lease before which it is not forgotten
-- Returns 1, or 0 when it is not forgotten yet.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('HGET', KEYS[1], ARGV[1])
if redis.call('SCARD', KEYS[2]) > 0 or lease_end(known) + tonumber(ARGV[2]) > now then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
