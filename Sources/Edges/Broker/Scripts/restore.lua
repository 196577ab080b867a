-- Makes the consumer group of a status stream where it is missing. In an epoch it is there from the beginning: a stream without one was
-- lost, with results in it perhaps, and with it the epoch ends.
-- KEYS: 1 epoch, 2 workers (hash), 3 status stream
-- ARGV: 1 consumer group, 2 run of this server
-- Returns 2 when that ended the epoch, 1 when it was missing before one began, else 0.
-- Asked first: a Redis without memory makes nothing, and a collector is what frees it.
if not redis.pcall('XPENDING', KEYS[3], ARGV[1]).err then
  return 0
end
local made = redis.pcall('XGROUP', 'CREATE', KEYS[3], ARGV[1], '0', 'MKSTREAM')
if made.err then
  if string.find(made.err, 'BUSYGROUP', 1, true) then
    return 0
  end
  return made
end
if is_current(KEYS[1], ARGV[2]) then
  lose(KEYS[1], KEYS[2])
  return 2
end
return 1
