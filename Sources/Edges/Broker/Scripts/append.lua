-- Adds batches of tracked events to their stream: all of them, or none where it is full. The tracker keeps those that it does not take.
-- KEYS: 1 events stream
-- ARGV: 1 entries of the stream at most, 2 its bytes at most, 3 the version of the entries, 4... batches
-- Returns how many batches were added: all, or 0.
local most, bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('XLEN', KEYS[1]) + #ARGV - 3 > most or (redis.call('MEMORY', 'USAGE', KEYS[1]) or 0) > bytes then
  return 0
end
for i = 4, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'v', ARGV[3], 'd', ARGV[i])
end
return #ARGV - 3
