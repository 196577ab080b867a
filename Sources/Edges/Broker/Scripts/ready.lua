-- The batches of a lane that no worker has taken.
-- KEYS: 1 lane
-- ARGV: 1 consumer group
-- Returns entry, mailing, batch and dispatch number of each by turns.
local found = {}
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
  return found
end
for _, group in ipairs(groups) do
  local info = {}
  for i = 1, #group, 2 do
    info[group[i]] = group[i + 1]
  end
  if info['name'] == ARGV[1] then
    for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. info['last-delivered-id'], '+')) do
      local fields = {}
      for i = 1, #entry[2], 2 do
        fields[entry[2][i]] = entry[2][i + 1]
      end
      for _, value in ipairs({ entry[1], fields['m'] or '', fields['b'] or '', fields['g'] or '' }) do
        found[#found + 1] = value
      end
    end
  end
end
return found
