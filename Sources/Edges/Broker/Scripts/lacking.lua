-- Which mailings have fewer batches here than they should have.
-- KEYS: the dispatched batches of each (hash)
-- ARGV: for each how many there should be at least
-- Returns their places, from 1.
local found = {}
for i = 1, #KEYS do
  if redis.call('HLEN', KEYS[i]) < tonumber(ARGV[i]) then
    found[#found + 1] = i
  end
end
return found
