-- Sends a group of results to the collector and, with the closing group, takes the batch off the ready stream.
-- KEYS: 1 status stream, 2 ready stream
-- ARGV: 1 consumer group of the ready stream, 2 entry to take off or '', 3... fields and values of the status entry
-- Returns the status entry's id.
local entry = {}
for i = 3, #ARGV do
  entry[#entry + 1] = ARGV[i]
end
local id = redis.call('XADD', KEYS[1], '*', unpack(entry))
if ARGV[2] ~= '' then
  redis.call('XACK', KEYS[2], ARGV[1], ARGV[2])
  redis.call('XDEL', KEYS[2], ARGV[2])
end
return id
