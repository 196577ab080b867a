-- Notes a heartbeat with the time by Redis's clock.
-- KEYS: 1 heartbeats (hash)
-- ARGV: 1 process, 2 what it says of itself
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', now[1] * 1000 + math.floor(now[2] / 1000), ARGV[2]))
