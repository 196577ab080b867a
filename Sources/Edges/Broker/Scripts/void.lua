-- Makes sure that a feeding that did not reach Redis will not reach it any more: a command that was lost may still be on its way.
-- KEYS: 1 epoch, 2 fence, 3 fed (hash: batch -> generation)
-- ARGV: 1 the epoch that is believed, 2 run of this server, 3 fence of the feeder, 4 batch, 5 generation
-- Returns 1; 0 when it has reached Redis by now, -1 when the epoch is over or another feeder has the duty.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or string.sub(ARGV[1], 1, #ARGV[2]) ~= ARGV[2]
  or redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return -1
end
local known = redis.call('HGET', KEYS[3], ARGV[4])
if known and tonumber(known) == tonumber(ARGV[5]) then
  return 0
end
-- Above this generation for feed.lua, and below the next; no generation for whoever reads it.
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5] .. '.5')
return 1
