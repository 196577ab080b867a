-- Takes a batch out of the fed ones after the collector has committed its closing results.
-- KEYS: 1 fed (hash: batch -> generation)
-- ARGV: 1 batch, 2 generation
-- Returns 1, or 0 when a later generation is in work.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  return redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
