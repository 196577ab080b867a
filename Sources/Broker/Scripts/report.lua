-- Sends a group of results to the collector, and marks its recipients as done. The closing group of the worker that has
-- the batch also takes it off the ready stream; that of any other is sent as an open one.
-- KEYS: 1 status stream, 2 ready stream, 3 marks, 4 groups (hash: worker:sequence -> entry of the status stream)
-- ARGV: 1 consumer group of the ready stream, 2 worker, 3 entry, 4 deliveries of the entry, 5 worker:sequence,
--       6 closing, 7 number of results, 8 number of stretches, then first recipient and number of recipients for each, then
--       fields and values
-- Returns the status entry's id, that of the first time where the group was sent before; '' when there is nothing to tell.
local held = redis.pcall('XPENDING', KEYS[2], ARGV[1], ARGV[3], ARGV[3], 1)[1]
local owns = held and held[2] == ARGV[2] and held[4] == tonumber(ARGV[4])
local counts = owns or redis.call('EXISTS', KEYS[4]) == 1
if counts then
  local known = redis.call('HGET', KEYS[4], ARGV[5])
  if known then
    return known
  end
end
if not owns and ARGV[7] == '0' then
  return ''
end
local first = 9 + 2 * tonumber(ARGV[8])
local entry = {}
for i = first, #ARGV do
  entry[#entry + 1] = ARGV[i]
end
entry[#entry + 1] = 'f'
entry[#entry + 1] = owns and ARGV[6] or ''
entry[#entry + 1] = 'c'
entry[#entry + 1] = counts and redis.call('HLEN', KEYS[4]) + 1 or 0
local id = redis.call('XADD', KEYS[1], '*', unpack(entry))
if owns and ARGV[6] ~= '' then
  redis.call('XACK', KEYS[2], ARGV[1], ARGV[3])
  redis.call('XDEL', KEYS[2], ARGV[3])
  redis.call('DEL', KEYS[3], KEYS[4])
elseif counts then
  redis.call('HSET', KEYS[4], ARGV[5], id)
  for i = 9, first - 1, 2 do
    redis.call('SETRANGE', KEYS[3], ARGV[i], string.rep('d', tonumber(ARGV[i + 1])))
  end
end
return id
