-- How many entries streams have together.
-- KEYS: the streams
local count = 0
for i = 1, #KEYS do
  count = count + redis.call('XLEN', KEYS[i])
end
return count
