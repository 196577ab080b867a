-- Renews a worker's lease.
-- KEYS: 1 workers (hash: worker -> 'expiry run state'), 2 epoch
-- ARGV: 1 worker, 2 milliseconds of the lease, 3 run of this server, 4 'clean' or 'busy' (with batches that a loss of Redis
--       took), 5 '1' when the worker has had a lease before
-- Returns 1 when the lease before is known here, else 0 (Redis lost it, or was started again): the worker is then noted
-- as busy; and the epoch, '' for none of this run.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('HGET', KEYS[1], ARGV[1])
local kept = known and string.match(known, '^%d+ (%S*) ') == ARGV[3]
local state = ARGV[4]
if ARGV[5] == '1' and not kept then
  state = 'busy'
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s %s', now + tonumber(ARGV[2]), ARGV[3], state))
local epoch = redis.call('GET', KEYS[2]) or ''
if string.sub(epoch, 1, #ARGV[3]) ~= ARGV[3] then
  epoch = ''
end
return { kept and 1 or 0, epoch }
