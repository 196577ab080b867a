-- Takes over the batches of workers whose lease is over, and forgets such workers once they have none.
-- KEYS: 1 ready stream, 2 workers (hash: worker -> 'expiry run state'), 3 epoch
-- ARGV: 1 consumer group, 2 the worker that takes over, 3 batches at most, 4 milliseconds after which the dead are
--       forgotten, 5 run of this server
-- Returns for each batch its entry, the entry's fields, its deliveries and the worker that had it.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = {}
-- What an older state of this Redis says of batches and marks is void.
if string.sub(redis.call('GET', KEYS[3]) or '', 1, #ARGV[5]) ~= ARGV[5] then
  return found
end
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then
  return found
end
for _, consumer in ipairs(consumers) do
  local name, pending = consumer[2], consumer[4]
  local known = redis.call('HGET', KEYS[2], name)
  local expiry = known and tonumber(string.match(known, '^%d+')) or 0
  if name ~= ARGV[2] and expiry <= now then
    if pending == 0 then
      if known == false or expiry + tonumber(ARGV[4]) < now then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
        redis.call('HDEL', KEYS[2], name)
      end
    elseif #found < tonumber(ARGV[3]) then
      for _, held in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', tonumber(ARGV[3]) - #found, name)) do
        local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, held[1])[1]
        if claimed then
          found[#found + 1] = { claimed[1], claimed[2], held[4] + 1, name }
        else
          redis.call('XACK', KEYS[1], ARGV[1], held[1])
        end
      end
    end
  end
end
return found
