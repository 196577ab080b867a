-- Copies an entry of a lane that cannot be read to the dead letters, or moves it. They are not trimmed: a collector deletes each after the
-- ledger has it, and there are no more of them than there were entries.
-- KEYS: 1 lane, 2 dead letters (stream)
-- ARGV: 1 consumer group of the lane, 2 the entry, 3 the lane's name, 4 why it cannot be read, 5 bytes of a field kept at most,
--       6 fields kept at most, 7 '1' to take it off the lane
-- Returns the dead letter's id; '' when there is no such entry.
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not entry then
  return ''
end
local longest, most = tonumber(ARGV[5]), tonumber(ARGV[6])
local packed, is_whole = {}, #entry[2] <= 2 * most
for i = 1, math.min(#entry[2], 2 * most) do
  local text = string.sub(entry[2][i], 1, longest)
  is_whole = is_whole and #text == #entry[2][i]
  packed[#packed + 1] = struct.pack('<I4', #text) .. text
end
local id = redis.call('XADD', KEYS[2], '*', 'v', 1, 'l', ARGV[3], 'i', ARGV[2], 'y', ARGV[4], 'a', is_whole and 1 or 0,
  'd', table.concat(packed))
if ARGV[7] == '1' then
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
  redis.call('XDEL', KEYS[1], ARGV[2])
end
return id
