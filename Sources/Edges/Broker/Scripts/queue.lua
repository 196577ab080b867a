-- Queues messages of a scope whose reservations are far away, one behind the other at the scope's rate.
-- KEYS: 1 the end of the queue (string, microseconds of this server's time; expires at that time, or goes when the limit was changed by
--   hand)
-- ARGV: 1 messages, 2 microseconds between two of them
-- Returns how many microseconds from now the first may be tried again.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local first = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local last = first + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], string.format('%.0f', last), 'PX', math.ceil((last - now) / 1000) + 1)
return string.format('%.0f', first - now)
