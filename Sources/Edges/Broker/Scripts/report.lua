-- Sends a group of results to the collector, and marks its recipients as done. The closing group of the worker that has
-- the batch also takes it off the ready stream; that of any other is sent as an open one. A Redis that came back with an
-- older state has no say in who has what, nor in how many groups there were.
-- KEYS: 1 epoch, 2 status stream, 3 ready stream, 4 marks, 5 groups (hash: worker:sequence -> entry of the status stream)
-- ARGV: 1 consumer group of the ready stream, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was fed in,
--       6 run of this server, 7 worker:sequence, 8 closing, 9 number of results, 10 number of stretches, then first
--       recipient and number of recipients for each, then fields and values
-- Returns the status entry's id, that of the first time where the group was sent before; '' when there is nothing to tell.
local owns, counts = false, false
if redis.call('GET', KEYS[1]) == ARGV[5] and string.sub(ARGV[5], 1, #ARGV[6]) == ARGV[6] then
  local held = redis.pcall('XPENDING', KEYS[3], ARGV[1], ARGV[3], ARGV[3], 1)[1]
  owns = held and held[2] == ARGV[2] and held[4] == tonumber(ARGV[4])
  -- Whoever has it: the closing group will tell how many groups there were, and this one is among them.
  counts = held and true or false
end
if counts then
  local known = redis.call('HGET', KEYS[5], ARGV[7])
  if known then
    return known
  end
end
if not owns and ARGV[9] == '0' then
  return ''
end
local first = 11 + 2 * tonumber(ARGV[10])
local entry = {}
for i = first, #ARGV do
  entry[#entry + 1] = ARGV[i]
end
entry[#entry + 1] = 'f'
entry[#entry + 1] = owns and ARGV[8] or ''
entry[#entry + 1] = 'c'
entry[#entry + 1] = counts and redis.call('HLEN', KEYS[5]) + 1 or 0
local id = redis.call('XADD', KEYS[2], '*', unpack(entry))
if owns and ARGV[8] ~= '' then
  redis.call('XACK', KEYS[3], ARGV[1], ARGV[3])
  redis.call('XDEL', KEYS[3], ARGV[3])
  redis.call('DEL', KEYS[4], KEYS[5])
elseif counts then
  redis.call('HSET', KEYS[5], ARGV[7], id)
  for i = 11, first - 1, 2 do
    redis.call('SETRANGE', KEYS[4], ARGV[i], string.rep('d', tonumber(ARGV[i + 1])))
  end
end
return id
