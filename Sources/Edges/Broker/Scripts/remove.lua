-- Removes keys for the feeder.
-- KEYS: 1 fence, 2... keys to remove
-- ARGV: 1 fence of the feeder
-- Returns 1, or 0 when the feeder has not the duty.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for i = 2, #KEYS do
  redis.call('UNLINK', KEYS[i])
end
return 1
