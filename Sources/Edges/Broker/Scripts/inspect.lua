-- Looks whether a lane is whole. A lane has a name among the lanes as long as it has batches.
-- KEYS: 1 epoch, 2 workers (hash), 3 lanes (set), 4 lane
-- ARGV: 1 run of this server, 2 the lane's name, 3 consumer group
-- Returns 0 when the lane was lost, with which the epoch ends; else 1: a name that was lost is there again.
if not is_current(KEYS[1], ARGV[1]) then
  return 1
end
if not lacks_group(KEYS[4], ARGV[3]) then
  redis.call('SADD', KEYS[3], ARGV[2])
elseif redis.call('SISMEMBER', KEYS[3], ARGV[2]) == 1 then
  lose(KEYS[1], KEYS[2])
  return 0
end
return 1
