-- Puts a batch into the ready stream, once for each generation.
-- KEYS: 1 ready stream, 2 fed (hash: batch -> generation), 3 epoch, 4 fence
-- ARGV: 1 batch, 2 generation, 3 epoch, 4 run of this server, 5 fence of the feeder, 6... fields and values of the entry
-- Returns 1; 0 when this generation, or a later one, is already in Redis; -1 when the epoch is over or another feeder has
-- the duty.
if redis.call('GET', KEYS[3]) ~= ARGV[3] or string.sub(ARGV[3], 1, #ARGV[4]) ~= ARGV[4]
  or redis.call('GET', KEYS[4]) ~= ARGV[5] then
  return -1
end
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known ~= false and tonumber(known) >= tonumber(ARGV[2]) then
  return 0
end
local entry = {}
for i = 6, #ARGV do
  entry[#entry + 1] = ARGV[i]
end
redis.call('XADD', KEYS[1], '*', unpack(entry))
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
