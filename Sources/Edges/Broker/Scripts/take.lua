-- Takes batches from lanes for a worker, of each as many as it can use.
-- KEYS: 1 epoch, 2 lanes of the worker (set), 3 demand (stream), 4... the lanes
-- ARGV: 1 consumer group, 2 worker, 3 run of this server, then for each lane its name and the batches wanted, from 1
-- Returns for each lane its entries (id and fields of each) and how many batches it still has that nobody took; nothing at all while this
-- Redis cannot be believed.
local reply = {}
if not is_current(KEYS[1], ARGV[3]) then
  return reply
end
for i = 4, #KEYS do
  local name, wanted = ARGV[2 * i - 4], ARGV[2 * i - 3]
  local streams = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', wanted, 'STREAMS', KEYS[i], '>')
  local entries, waiting = {}, 0
  if streams and not streams.err and streams[1] then
    entries = streams[1][2]
    redis.call('SADD', KEYS[2], name)
    waiting = redis.call('XLEN', KEYS[i]) - redis.call('XPENDING', KEYS[i], ARGV[1])[1]
    -- The lane runs low: the dispatcher is to fill it before it is empty.
    if waiting <= #entries then
      redis.call('XADD', KEYS[3], 'MAXLEN', '~', 100, '*', 'v', 1, 'k', 'lane', 'n', name)
    end
  end
  reply[#reply + 1] = { entries, waiting }
end
return reply
