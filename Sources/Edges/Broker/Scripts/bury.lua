-- Moves an entry that cannot be read from its stream to the dead letters, or copies it. A field beyond the sixty-fourth is left out: Lua
-- can hand on only some thousand values at once.
-- KEYS: 1 its stream, 2 dead letters (stream)
-- ARGV: 1 consumer group of its stream, 2 the entry, 3 the stream's name, 4 why it cannot be read, 5 dead letters kept at most,
--       6 bytes of a field kept at most, 7 '1' to take it off its stream
-- Returns the dead letter's id; '' when there is no such entry.
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not entry then
  return ''
end
local most = tonumber(ARGV[6])
local letter, isWhole = {}, #entry[2] <= 128
for i = 1, math.min(#entry[2], 128), 2 do
  local name, value = entry[2][i], entry[2][i + 1]
  isWhole = isWhole and #name <= 100 and #value <= most
  letter[#letter + 1] = '=' .. string.sub(name, 1, 100)
  letter[#letter + 1] = string.sub(value, 1, most)
end
local id = redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], '*', 'v', 1, 's', ARGV[3], 'i', ARGV[2], 'y', ARGV[4],
  'a', isWhole and 1 or 0, unpack(letter))
if ARGV[7] == '1' then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
  redis.call('XDEL', KEYS[1], ARGV[2])
end
return id
