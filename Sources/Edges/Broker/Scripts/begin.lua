-- Asks whether the next group of a batch may begin, and marks its recipients as begun if so.
-- KEYS: 1 epoch, 2 ready stream, 3 fed (hash: batch -> generation), 4 mailing (hash), 5 marks (string, a byte a recipient)
-- ARGV: 1 consumer group, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was fed in, 6 run of this server,
--       7 batch, 8 generation, 9... first recipient and number of recipients, for each stretch of the group
-- Returns the mailing's state, or 'lost' when the batch is not this worker's (any more).
if redis.call('GET', KEYS[1]) ~= ARGV[5] or string.sub(ARGV[5], 1, #ARGV[6]) ~= ARGV[6] then
  return 'lost'
end
local held = redis.pcall('XPENDING', KEYS[2], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not held or held[2] ~= ARGV[2] or held[4] ~= tonumber(ARGV[4]) then
  return 'lost'
end
if redis.call('HGET', KEYS[3], ARGV[7]) ~= ARGV[8] then
  return 'lost'
end
local state = redis.call('HGET', KEYS[4], 'state')
if state == false then
  return 'lost'
end
if state == 'sending' then
  for i = 9, #ARGV, 2 do
    redis.call('SETRANGE', KEYS[5], ARGV[i], string.rep('b', tonumber(ARGV[i + 1])))
  end
end
return state
