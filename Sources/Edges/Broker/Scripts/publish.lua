-- Shows a mailing to the workers.
-- KEYS: 1 mailing (hash), 2 fence
-- ARGV: 1 fence of the feeder, 2... fields and values
-- Returns 1, or 0 when the feeder has not the duty.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
