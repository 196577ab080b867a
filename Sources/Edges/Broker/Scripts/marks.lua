-- How far the workers before came with a batch.
-- KEYS: 1 epoch, 2 ready stream, 3 marks
-- ARGV: 1 consumer group, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was fed in, 6 run of this server
-- Returns the marks ('' for none), or nil when the batch is not this worker's (any more).
if redis.call('GET', KEYS[1]) ~= ARGV[5] or string.sub(ARGV[5], 1, #ARGV[6]) ~= ARGV[6] then
  return false
end
local held = redis.pcall('XPENDING', KEYS[2], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not held or held[2] ~= ARGV[2] or held[4] ~= tonumber(ARGV[4]) then
  return false
end
return redis.call('GET', KEYS[3]) or ''
