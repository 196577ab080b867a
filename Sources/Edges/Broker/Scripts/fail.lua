-- Lets recipients fail of a mailing of which nobody was accepted yet: the whole fleet fails a few, which are counted here.
-- KEYS: 1 mailing (hash)
-- ARGV: 1 how many are to fail, from 1, 2 how many of the mailing may at most
-- Returns how many may fail; 0 where the mailing is not published.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local failed = math.max(0, math.floor(number(redis.call('HGET', KEYS[1], 'failed'), 0)))
local count = math.max(0, math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - failed))
if count > 0 then
  redis.call('HSET', KEYS[1], 'failed', failed + count)
end
return count
