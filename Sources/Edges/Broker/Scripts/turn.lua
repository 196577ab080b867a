-- Queues messages of a scope whose slots are far away, one behind the other at the scope's rate.
-- KEYS: 1 the end of the queue (string, microseconds of this server's time; goes when it has come, or the limit was changed by hand)
-- ARGV: 1 messages, 2 microseconds between two of them
-- Returns how many microseconds from now the first has its turn.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local last = turn + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], string.format('%.0f', last), 'PX', math.ceil((last - now) / 1000) + 1)
return string.format('%.0f', turn - now)
