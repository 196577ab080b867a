-- Takes lanes in which a worker that leaves has no batch off its registration. One that it has without knowing of it, because a reply was
-- lost, is left to be taken over.
-- KEYS: 1 lanes of the worker (set), 2... those lanes
-- ARGV: 1 consumer group, 2 worker, 3... the lanes' names
for i = 2, #KEYS do
  local pending = redis.pcall('XPENDING', KEYS[i], ARGV[1], '-', '+', 1, ARGV[2])
  if pending.err or #pending == 0 then
    redis.call('SREM', KEYS[1], ARGV[i + 1])
  end
end
