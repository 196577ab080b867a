-- Renews a worker's lease.
-- KEYS: 1 workers (hash: worker -> 'expiry run condition losses'), 2 epoch, 3 admitted (set of the workers that the dispatcher knows),
--       4 demand (stream), 5 partitions
-- ARGV: 1 worker, 2 milliseconds of the lease, 3 run of this server, 4 'clean', 'busy' (with batches that a loss of Redis
--       took) or 'doubt' (it cannot tell which messages of such a batch were in flight), 5 losses of Redis that the worker noticed,
--       6 '1' when it has had a lease before
-- Returns 1 when the lease before is known here, else 0 (Redis lost it, or was started again), until the worker has noticed
-- that; the epoch, '' for none of this run; 1 when the dispatcher knows the worker; and the number of status streams, '' where not known.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local kept, condition = ARGV[6] == '0', ARGV[4]
-- A registration that cannot be read counts as missing.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if lease_end(known) <= now then
  -- The dispatcher may have given this worker up: it must be admitted again.
  redis.call('SREM', KEYS[3], ARGV[1])
end
if known and not kept then
  local run, old, losses = string.match(known, '^%d+ (%S*) (%S+) (%d+)$')
  -- Whoever has not noticed yet that its lease was lost is told again: the reply that told it may have been lost as well.
  kept = run == ARGV[3] and not (old == 'lost' and losses == ARGV[5])
end
if not kept then
  condition = 'lost'
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s %s %s', now + tonumber(ARGV[2]), ARGV[3], condition, ARGV[5]))
local epoch = epoch_of(KEYS[2])
if string.sub(epoch, 1, #ARGV[3]) ~= ARGV[3] then
  epoch = ''
end
local admitted = redis.call('SISMEMBER', KEYS[3], ARGV[1])
if admitted == 0 or tonumber(ARGV[2]) == 0 then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 100, '*', 'v', 1, 'k', 'worker', 'n', ARGV[1])
end
return { kept and 1 or 0, epoch, admitted, redis.call('GET', KEYS[5]) or '' }
