-- Publishes the limits that were set at run time, in place of those published before.
-- KEYS: 1 limits (hash: scope -> limit as text), 2 leader, 3 wake (stream), 4... the queues (`queue.lua`) of scopes whose limit has changed
-- ARGV: 1 fencing token of the dispatcher, 2... scopes and limits by turns
-- Returns 1, or 0 when another dispatcher leads.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
for i = 4, #KEYS do
  redis.call('DEL', KEYS[i])
end
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000, '*', 'v', 1, 'k', 'limits', 'n', '')
return 1
