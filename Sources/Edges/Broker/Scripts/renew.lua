-- Renews a worker's lease.
-- KEYS: 1 workers (hash: worker -> 'expiry run state losses'), 2 epoch, 3 noted (set of the workers that the feeder knows)
-- ARGV: 1 worker, 2 milliseconds of the lease, 3 run of this server, 4 'clean', 'busy' (with batches that a loss of Redis
--       took) or 'doubt' (it cannot tell what was on the wire of such a batch), 5 losses of Redis that the worker noticed,
--       6 '1' when it has had a lease before
-- Returns 1 when the lease before is known here, else 0 (Redis lost it, or was started again), until the worker has noticed
-- that; the epoch, '' for none of this run; and 1 when the feeder knows the worker.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local kept, state = ARGV[6] == '0', ARGV[4]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(string.match(known, '^%d+')) < now then
  -- The feeder may have given this worker up: it must be noted again.
  redis.call('SREM', KEYS[3], ARGV[1])
end
if known and not kept then
  local run, old, losses = string.match(known, '^%d+ (%S*) (%S+) (%d+)$')
  -- Whoever has not noticed yet that its lease was lost says so again: the reply that told it may have been lost as well.
  kept = run == ARGV[3] and not (old == 'lost' and losses == ARGV[5])
end
if not kept then
  state = 'lost'
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s %s %s', now + tonumber(ARGV[2]), ARGV[3], state, ARGV[5]))
local epoch = redis.call('GET', KEYS[2]) or ''
if string.sub(epoch, 1, #ARGV[3]) ~= ARGV[3] then
  epoch = ''
end
return { kept and 1 or 0, epoch, redis.call('SISMEMBER', KEYS[3], ARGV[1]) }
