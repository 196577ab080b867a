-- Begins an epoch: what was ready before is gone.
-- KEYS: 1 epoch, 2 leader, 3 partitions, 4 lanes (set), 5 wake (stream), 6 dead letters (stream), then the status streams, then the
--       lanes
-- ARGV: 1 the epoch found before ('' for none), 2 the new epoch, 3 run of this server, 4 fencing token of the dispatcher, 5 number of
--       status streams, 6 their consumer group
-- Returns 1; 0 when another has begun one meanwhile, another dispatcher leads, or the server was started again.
if epoch_of(KEYS[1]) ~= ARGV[1] or string.sub(ARGV[2], 1, #ARGV[3]) ~= ARGV[3]
  or redis.call('GET', KEYS[2]) ~= ARGV[4] then
  return 0
end
redis.call('XLEN', KEYS[5])
local streams = tonumber(ARGV[5])
for i = 6, #KEYS do
  if i < 7 + streams then
    -- From here on a status stream that is missing was lost.
    redis.pcall('XGROUP', 'CREATE', KEYS[i], ARGV[6], '0', 'MKSTREAM')
  else
    redis.call('DEL', KEYS[i])
  end
end
redis.call('DEL', KEYS[4])
redis.call('SET', KEYS[3], ARGV[5])
redis.call('SET', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 1000, '*', 'v', 1, 'k', 'epoch', 'n', '')
return 1
