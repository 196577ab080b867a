-- How far the workers before came with a batch.
-- KEYS: 1 epoch, 2 lane, 3 marks
-- ARGV: 1 consumer group, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was dispatched in, 6 run of this server,
--       7 recipients of the batch
-- Returns the marks, or nil when the batch is not this worker's (any more).
if not is_epoch(KEYS[1], ARGV[5], ARGV[6]) or not owns(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4]) then
  return false
end
keep_marks(KEYS[3], ARGV[7])
return redis.call('GET', KEYS[3])
