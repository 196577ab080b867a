-- How full streams are together.
-- KEYS: the streams
-- ARGV: 1 consumer group
-- Returns their entries, and how many of them somebody of the group has.
local entries, pending = 0, 0
for i = 1, #KEYS do
  entries = entries + redis.call('XLEN', KEYS[i])
  local known = redis.pcall('XPENDING', KEYS[i], ARGV[1])
  if not known.err then
    pending = pending + known[1]
  elseif not string.find(known.err, 'NOGROUP', 1, true) then
    return known
  end
end
return { entries, pending }
