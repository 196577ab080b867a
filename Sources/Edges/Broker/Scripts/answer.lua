-- Gives a tracker answers to its questions, where it takes them: what a tracker that has ended leaves is bounded.
-- KEYS: 1 answers list of the tracker
-- ARGV: 1 answers in the list at most, 2 its bytes at most, 3 milliseconds after which it expires, 4... answers
-- Returns how many were given: all, or 0.
local most, bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('LLEN', KEYS[1]) + #ARGV - 3 > most or (redis.call('MEMORY', 'USAGE', KEYS[1]) or 0) > bytes then
  return 0
end
for i = 4, #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return #ARGV - 3
