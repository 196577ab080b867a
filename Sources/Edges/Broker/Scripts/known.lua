-- The batches of a mailing that Redis knows of.
-- KEYS: 1 epoch, 2 fed (hash: batch -> generation)
-- ARGV: 1 the epoch that is believed, 2 run of this server
-- Returns batches and generations by turns, or nil when the epoch is over: then it knows nothing, and not that there is nothing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or string.sub(ARGV[1], 1, #ARGV[2]) ~= ARGV[2] then
  return false
end
return redis.call('HGETALL', KEYS[2])
