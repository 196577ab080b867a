-- Sends a group of results to the collector, and marks its recipients as done. The closing group of the worker that has
-- the batch also takes it off its lane; that of any other is sent as an open one. A Redis that came back with an
-- older state has no say in who has which batch, nor in how many groups there were.
-- KEYS: 1 epoch, 2 status stream, 3 lane, 4 marks, 5 groups (hash: worker:sequence -> entry of the status stream), 6 lanes (set),
--       7 workers (hash)
-- ARGV: 1 consumer group of the lane, 2 worker, 3 entry, 4 deliveries of the entry, 5 epoch it was dispatched in,
--       6 run of this server, 7 worker:sequence, 8 closing, 9 the lane's name, 10 number of results, 11 recipients of the batch,
--       12 number of ranges, then first recipient and number of recipients for each, then fields and values
-- Returns the status entry's id, that of the first time where the group was sent before; '' when there is nothing to tell.
local owner, counts, known = false, false, false
-- The stream is there from the beginning of the epoch.
if is_current(KEYS[1], ARGV[6]) and redis.call('EXISTS', KEYS[2]) == 0 then
  lose(KEYS[1], KEYS[7])
end
if is_epoch(KEYS[1], ARGV[5], ARGV[6]) then
  -- Whoever has the batch: the closing group will tell how many groups there were, and this one is among them.
  owner, counts = owns(KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
end
if counts then
  known = redis.call('HGET', KEYS[5], ARGV[7])
  if known and string.match(known, '^%d+%-%d+$') then
    return known
  end
end
if not owner and ARGV[10] == '0' then
  return ''
end
-- A key of another type is known before anything is written.
redis.call('XLEN', KEYS[2])
redis.call('STRLEN', KEYS[4])
redis.call('SCARD', KEYS[6])
local first = 13 + 2 * tonumber(ARGV[12])
local entry = {}
for i = first, #ARGV do
  entry[#entry + 1] = ARGV[i]
end
entry[#entry + 1] = 'f'
entry[#entry + 1] = owner and ARGV[8] or ''
entry[#entry + 1] = 'c'
entry[#entry + 1] = counts and redis.call('HLEN', KEYS[5]) + (known and 0 or 1) or 0
local id = redis.call('XADD', KEYS[2], '*', unpack(entry))
if owner and ARGV[8] ~= '' then
  redis.call('XACK', KEYS[3], ARGV[1], ARGV[3])
  redis.call('XDEL', KEYS[3], ARGV[3])
  redis.call('DEL', KEYS[4], KEYS[5])
  if redis.call('XLEN', KEYS[3]) == 0 then
    redis.call('DEL', KEYS[3])
    redis.call('SREM', KEYS[6], ARGV[9])
  end
elseif counts then
  redis.call('HSET', KEYS[5], ARGV[7], id)
  keep_marks(KEYS[4], ARGV[11])
  for i = 13, first - 1, 2 do
    redis.call('SETRANGE', KEYS[4], ARGV[i], string.rep('d', tonumber(ARGV[i + 1])))
  end
end
return id
