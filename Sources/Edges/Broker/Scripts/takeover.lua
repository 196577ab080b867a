-- Takes over the batches that a worker whose lease has expired had taken from one lane.
-- KEYS: 1 epoch, 2 workers (hash: worker -> 'expiry run condition losses'), 3 lane, 4 lanes of that worker (set), 5 lanes of the successor
-- ARGV: 1 consumer group, 2 successor, 3 the worker, 4 its registration as it was seen a while ago, 5 batches at most,
--       6 run of this server, 7 the lane's name, 8 milliseconds of a lease at most, 9 wire version of the successor
-- Returns for each batch its entry, the entry's fields, its deliveries and the worker that had it. A worker whose registration has changed
-- since it was seen lives: a clock that jumped alone takes nothing from anybody. A lease that is longer than any is from before the clock
-- went back. A batch of a newer wire version is left for a newer worker.
local found = {}
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('HGET', KEYS[2], ARGV[3])
local left = lease_end(known) - now
if not is_current(KEYS[1], ARGV[6]) or (known or '') ~= ARGV[4] or left > 0 and left <= tonumber(ARGV[8]) then
  return found
end
local most = 1000
local pending = redis.pcall('XPENDING', KEYS[3], ARGV[1], '-', '+', most, ARGV[3])
if pending.err then
  pending = {}
end
local is_all = #pending < most
for _, held in ipairs(pending) do
  if #found == tonumber(ARGV[5]) then
    is_all = false
    break
  end
  local entry = redis.call('XRANGE', KEYS[3], held[1], held[1])[1]
  if not entry then
    redis.call('XACK', KEYS[3], ARGV[1], held[1])
  elseif is_newer(entry[2], ARGV[9]) then
    is_all = false
  else
    redis.call('XCLAIM', KEYS[3], ARGV[1], ARGV[2], 0, held[1])
    found[#found + 1] = { entry[1], entry[2], held[4] + 1, ARGV[3] }
  end
end
if #found > 0 then
  redis.call('SADD', KEYS[5], ARGV[7])
end
if is_all then
  redis.pcall('XGROUP', 'DELCONSUMER', KEYS[3], ARGV[1], ARGV[3])
  redis.call('SREM', KEYS[4], ARGV[7])
end
return found
