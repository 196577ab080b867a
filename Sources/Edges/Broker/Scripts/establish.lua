-- Begins an epoch: what was ready before is gone.
-- KEYS: 1 epoch, 2 fence, 3... ready streams
-- ARGV: 1 the epoch found before ('' for none), 2 the new epoch, 3 run of this server, 4 fence of the feeder
-- Returns 1; 0 when another has begun one meanwhile, another feeder has the duty, or the server was started again.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] or string.sub(ARGV[2], 1, #ARGV[3]) ~= ARGV[3]
  or redis.call('GET', KEYS[2]) ~= ARGV[4] then
  return 0
end
for i = 3, #KEYS do
  redis.call('DEL', KEYS[i])
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
