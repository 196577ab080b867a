-- Notes a heartbeat with the time by Redis's clock, and what has changed of the mailings of its process.
-- KEYS: 1 heartbeats (hash), 2 the process's mailings (hash: mailing -> what the process has of it, '' -> the revision of all of them)
-- ARGV: 1 process, 2 what it says of itself, 3 the revision that the changes follow, '' where all mailings are told, 4 the revision with
--       them, '' where there is no mailing, 5 seconds for which the mailings are kept, then for each change the mailing and what the
--       process has of it, '' for nothing any more
-- Returns 1, or 0 where Redis does not have the revision that the changes follow: nothing is noted then.
if ARGV[3] == '' then
  redis.call('DEL', KEYS[2])
elseif redis.call('HGET', KEYS[2], '') ~= ARGV[3] then
  return 0
end
for i = 6, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[i])
  else
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[2], '', ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', now[1] * 1000 + math.floor(now[2] / 1000), ARGV[2]))
return 1
