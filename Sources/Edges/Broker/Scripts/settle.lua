-- Takes a batch out of the dispatched ones after the collector has committed its closing results.
-- KEYS: 1 dispatched (hash: batch -> dispatch number)
-- ARGV: 1 batch, 2 dispatch number
-- Returns 1, or 0 when a later dispatch is in work.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  return redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
