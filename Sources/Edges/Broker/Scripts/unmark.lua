-- Takes back the marks of recipients that were started and of whom no message was in flight.
-- KEYS: 1 epoch, 2 lane, 3 marks
-- ARGV: 1 consumer group, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was dispatched in, 6 run of this server,
--       7 recipients of the batch, 8... first recipient and number of recipients
-- Returns 1, or 0 when the batch is not this worker's (any more).
if not is_epoch(KEYS[1], ARGV[5], ARGV[6]) or not owns(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4]) then
  return 0
end
keep_marks(KEYS[3], ARGV[7])
for i = 8, #ARGV, 2 do
  redis.call('SETRANGE', KEYS[3], ARGV[i], string.rep('\0', tonumber(ARGV[i + 1])))
end
return 1
