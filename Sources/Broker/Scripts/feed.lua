-- Puts a batch into the ready stream, once for each generation.
-- KEYS: 1 ready stream, 2 fed (hash: batch -> generation)
-- ARGV: 1 batch, 2 generation, 3... fields and values of the entry
-- Returns 1, or 0 when this generation, or a later one, is already in Redis.
local known = redis.call('HGET', KEYS[2], ARGV[1])
if known ~= false and tonumber(known) >= tonumber(ARGV[2]) then
  return 0
end
local entry = {}
for i = 3, #ARGV do
  entry[#entry + 1] = ARGV[i]
end
redis.call('XADD', KEYS[1], '*', unpack(entry))
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
