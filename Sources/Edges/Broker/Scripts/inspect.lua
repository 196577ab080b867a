-- Looks whether lanes are whole. A lane has a name among the lanes as long as it has batches.
-- KEYS: 1 epoch, 2 workers (hash), 3 lanes (set), then for each worker that is named its lanes (set), then the lanes
-- ARGV: 1 run of this server, 2 consumer group, 3 how many workers are named, then their names, then the names of the lanes
-- Returns the place of a lane that was lost, from 1, with which the epoch ends, else 0; then by turns the place of a lane and a worker that
-- has batches in it, and whose registration, or that of its lanes, was lost. The names of lanes that were lost are there again.
if not is_current(KEYS[1], ARGV[1]) then
  return { 0 }
end
local count = tonumber(ARGV[3])
local known, found = {}, { 0 }
for i = 1, count do
  if redis.call('HEXISTS', KEYS[2], ARGV[3 + i]) == 1 then
    known[ARGV[3 + i]] = i
  end
end
for i = 1, #KEYS - 3 - count do
  local name = ARGV[3 + count + i]
  local pending = redis.pcall('XPENDING', KEYS[3 + count + i], ARGV[2])
  if not pending.err then
    redis.call('SADD', KEYS[3], name)
    for _, consumer in ipairs(pending[4] or {}) do
      local place = known[consumer[1]]
      if not place or redis.call('SISMEMBER', KEYS[3 + place], name) == 0 then
        found[#found + 1] = i
        found[#found + 1] = consumer[1]
      end
    end
  elseif not string.find(pending.err, 'NOGROUP', 1, true) then
    return pending
  elseif redis.call('SISMEMBER', KEYS[3], name) == 1 then
    lose(KEYS[1], KEYS[2])
    return { i }
  end
end
return found
