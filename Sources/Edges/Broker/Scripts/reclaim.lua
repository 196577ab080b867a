-- Gives a worker the batches that are pending for it and that it does not know of: a reply was lost.
-- KEYS: 1 epoch, 2 lane
-- ARGV: 1 consumer group, 2 worker, 3 run of this server, 4 wire version of the worker, 5... entries that it knows of
-- Returns for each batch its entry, the entry's fields, its deliveries and ''; nothing while this Redis cannot be believed.
local found = {}
if not is_current(KEYS[1], ARGV[3]) then
  return found
end
local known = {}
for i = 5, #ARGV do
  known[ARGV[i]] = true
end
local pending = redis.pcall('XPENDING', KEYS[2], ARGV[1], '-', '+', 1000, ARGV[2])
if pending.err then
  return found
end
for _, held in ipairs(pending) do
  if not known[held[1]] then
    local entry = redis.call('XRANGE', KEYS[2], held[1], held[1])[1]
    if entry and not is_newer(entry[2], ARGV[4]) then
      found[#found + 1] = { entry[1], entry[2], held[4], '' }
    elseif not entry then
      redis.call('XACK', KEYS[2], ARGV[1], held[1])
    end
  end
end
return found
