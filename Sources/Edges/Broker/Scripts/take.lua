-- Takes batches from lanes for a worker, of each as many as it can use.
-- KEYS: 1 epoch, 2 lanes of the worker (set), 3 demand (stream), then each lane with the key that says that it waits for newer workers
-- ARGV: 1 consumer group, 2 worker, 3 run of this server, 4 wire version of the worker, then for each lane its name and the batches
--       wanted, from 1
-- Returns for each lane its entries (id and fields of each), how many batches it still has that nobody took, and whether some are left for
-- a newer worker; nothing at all while this Redis cannot be believed.
local reply = {}
if not is_current(KEYS[1], ARGV[3]) then
  return reply
end
-- A key of another type is known before a batch is handed out.
redis.call('SCARD', KEYS[2])
redis.call('XLEN', KEYS[3])
local version = tonumber(ARGV[4])
for i = 4, #KEYS, 2 do
  local name, wanted = ARGV[i + 1], ARGV[i + 2]
  local entries, waiting, left = {}, 0, 0
  local oldest = number(redis.call('GET', KEYS[i + 1]), version)
  -- What is no version, or never expires, is none of ours.
  if oldest > version and oldest <= version + 1000 and redis.call('PTTL', KEYS[i + 1]) >= 0 then
    left = 1
  else
    local streams = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', wanted, 'STREAMS', KEYS[i], '>')
    if streams and not streams.err and streams[1] then
      for _, entry in ipairs(streams[1][2]) do
        if is_newer(entry[2], version) then
          -- Back to the end of the lane, so that the others behind it can be taken.
          redis.call('XADD', KEYS[i], '*', unpack(entry[2]))
          redis.call('XACK', KEYS[i], ARGV[1], entry[1])
          redis.call('XDEL', KEYS[i], entry[1])
          left = 1
        else
          entries[#entries + 1] = entry
        end
      end
      if #entries > 0 then
        redis.call('SADD', KEYS[2], name)
        waiting = redis.call('XLEN', KEYS[i]) - redis.call('XPENDING', KEYS[i], ARGV[1])[1]
        -- The lane runs low: the dispatcher is to fill it before it is empty.
        if waiting <= #entries then
          redis.call('XADD', KEYS[3], 'MAXLEN', '~', 100, '*', 'v', 1, 'k', 'lane', 'n', name)
        end
      else
        -- Workers of this version, and of older ones, look again in a minute.
        redis.call('SET', KEYS[i + 1], version + 1, 'EX', 60)
      end
    end
  end
  reply[#reply + 1] = { entries, waiting, left }
end
return reply
