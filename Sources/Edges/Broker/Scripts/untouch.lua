-- Takes back the marks of recipients of whom nothing was on the wire.
-- KEYS: 1 epoch, 2 ready stream, 3 marks
-- ARGV: 1 consumer group, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was fed in, 6 run of this server,
--       7... first recipient and number of recipients
-- Returns 1, or 0 when the batch is not this worker's (any more).
if redis.call('GET', KEYS[1]) ~= ARGV[5] or string.sub(ARGV[5], 1, #ARGV[6]) ~= ARGV[6] then
  return 0
end
local held = redis.pcall('XPENDING', KEYS[2], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not held or held[2] ~= ARGV[2] or held[4] ~= tonumber(ARGV[4]) then
  return 0
end
for i = 7, #ARGV, 2 do
  redis.call('SETRANGE', KEYS[3], ARGV[i], string.rep('\0', tonumber(ARGV[i + 1])))
end
return 1
