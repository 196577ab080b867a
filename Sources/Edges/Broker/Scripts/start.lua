-- Asks whether the next group of a batch may start, and marks its recipients as started if so.
-- KEYS: 1 epoch, 2 lane, 3 dispatched (hash: batch -> dispatch number), 4 mailing (hash), 5 marks (string, a byte a recipient),
--       6 workers (hash), 7 suppressed (stream)
-- ARGV: 1 consumer group, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was dispatched in, 6 run of this server,
--       7 batch, 8 dispatch number, 9 recipients of the batch, 10 the last suppression that the worker knows, '' for none, '*' for any,
--       11... first recipient and number of recipients, for each range of the group
-- Returns the mailing's state, 'paused' where that is lost, or cannot be read, until the dispatcher tells it again; or 'lost' when the
-- batch is not this worker's (any more); or 'suppressed' when the worker has to read the later suppressions first.
local is_state = { scheduled = true, collecting = true, sending = true, paused = true, sent = true, stopped = true, failed = true }
if not is_epoch(KEYS[1], ARGV[5], ARGV[6]) or not owns(KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4]) then
  return 'lost'
end
local dispatch = redis.call('HGET', KEYS[3], ARGV[7])
if not dispatch_number(dispatch) then
  lose(KEYS[1], KEYS[6])
end
if dispatch ~= ARGV[8] then
  return 'lost'
end
local state = redis.call('HGET', KEYS[4], 'state')
if not is_state[state] then
  state = 'paused'
end
if state == 'sending' then
  local last = redis.pcall('XREVRANGE', KEYS[7], '+', '-', 'COUNT', 1)[1]
  if last and ARGV[10] ~= '*' and last[1] ~= ARGV[10] then
    return 'suppressed'
  end
  keep_marks(KEYS[5], ARGV[9])
  for i = 11, #ARGV, 2 do
    redis.call('SETRANGE', KEYS[5], ARGV[i], string.rep('b', tonumber(ARGV[i + 1])))
  end
end
return state
