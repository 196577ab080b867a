-- Takes entries off a stream that the ledger has. All at once: an entry that is acknowledged and still there would be read by nobody, and
-- counted for ever as one that a collector has yet to take. A Redis whose file was cut by the end of its machine has the whole, or nothing.
-- Where the ledger's server may be replaced by one that lacks what was committed last, copies stay in the replay stream for a while. If
-- that has happened since they were made, they are put back first.
-- KEYS: 1 status stream, or that of the dead letters, 2 its replay stream, 3 where the ledger stood that has the entries of that (string)
-- ARGV: 1 consumer group, 2 ledger, 3 where it stands ('' where nothing is kept), 4 milliseconds that copies are kept, 5 their bytes at
--       most, 6... ids
-- Returns how many were there.
if ARGV[3] ~= '' then
  -- A key of another type is known before anything is written.
  redis.call('XLEN', KEYS[2])
end
local keeps = ARGV[3] ~= '' and put_back(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[3])
local count = 0
for first = 6, #ARGV, 1000 do
  local last = math.min(first + 999, #ARGV)
  if keeps then
    for i = first, last do
      local fields = (redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1] or {})[2]
      -- What has more fields than ours is none of ours. A Redis without memory keeps none: what is confirmed frees some.
      if fields and #fields <= 40 then
        redis.pcall('XADD', KEYS[2], '*', unpack(fields))
      end
    end
  end
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, first, last))
  count = count + redis.call('XDEL', KEYS[1], unpack(ARGV, first, last))
end
if keeps then
  local clock = redis.call('TIME')
  -- Later confirmations alone make room: while the ledger cannot be reached, everything stays.
  redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000) - tonumber(ARGV[4])))
  if (redis.call('MEMORY', 'USAGE', KEYS[2]) or 0) > tonumber(ARGV[5]) then
    redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', math.floor(redis.call('XLEN', KEYS[2]) * 3 / 4))
  end
  redis.call('EXPIRE', KEYS[2], 86400)
  redis.call('EXPIRE', KEYS[3], 86400)
end
return count
