-- Takes entries off a stream that the ledger has. All at once: an entry that is acknowledged and still there would be read by nobody, and
-- counted for ever as one that a collector has yet to take. A Redis whose file was cut by the end of its machine has the whole, or nothing.
-- KEYS: 1 status stream, or that of the dead letters
-- ARGV: 1 consumer group, 2... ids
-- Returns how many were there.
local count = 0
for first = 2, #ARGV, 1000 do
  local last = math.min(first + 999, #ARGV)
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, first, last))
  count = count + redis.call('XDEL', KEYS[1], unpack(ARGV, first, last))
end
return count
