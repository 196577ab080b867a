-- Removes keys for the dispatcher.
-- KEYS: 1 leader, 2... keys to remove
-- ARGV: 1 fencing token of the dispatcher
-- Returns 1, or 0 when another dispatcher leads.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for i = 2, #KEYS do
  redis.call('UNLINK', KEYS[i])
end
return 1
