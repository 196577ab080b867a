-- Adds batches of tracked events to their stream, as many as it has room for. In one piece, so that none comes before an earlier one of its
-- source: the collector takes what comes behind a later one for what it has counted.
-- KEYS: 1 events stream
-- ARGV: 1 entries of the stream at most, 2 its bytes at most, 3 the version of the entries, 4... batches
-- Returns how many batches were added, from the first on.
local most, bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('XLEN', KEYS[1]) + #ARGV - 3 > most or (redis.call('MEMORY', 'USAGE', KEYS[1]) or 0) > bytes then
  return 0
end
for i = 4, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'v', ARGV[3], 'd', ARGV[i])
end
return #ARGV - 3
