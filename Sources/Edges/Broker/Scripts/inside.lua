-- Which batches lanes hold, by what their entries say of themselves.
-- KEYS: the lanes
-- Returns mailing, batch and dispatch number by turns.
local found = {}
for i = 1, #KEYS do
  for _, entry in ipairs(redis.call('XRANGE', KEYS[i], '-', '+')) do
    local said = { m = '', b = '', g = '' }
    for place = 1, #entry[2], 2 do
      if said[entry[2][place]] then
        said[entry[2][place]] = entry[2][place + 1]
      end
    end
    found[#found + 1] = said.m
    found[#found + 1] = said.b
    found[#found + 1] = said.g
  end
end
return found
