-- Shows the limits that were set at run time to the workers, in place of those shown before.
-- KEYS: 1 limits (hash: scope -> limit as text), 2 fence, 3... the queues (`turn.lua`) of scopes whose limit has changed
-- ARGV: 1 fence of the feeder, 2... scopes and limits by turns
-- Returns 1, or 0 when the feeder has not the duty.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
for i = 3, #KEYS do
  redis.call('DEL', KEYS[i])
end
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
return 1
