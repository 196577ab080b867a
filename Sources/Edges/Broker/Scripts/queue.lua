-- Queues messages of a scope whose reservations are far in the future, one behind the other at the scope's rate.
-- KEYS: 1 the end of the queue and when that was noted (string, microseconds of this server's time; expires at that time, or goes when the
--   limit was changed by hand)
-- ARGV: 1 messages, 2 microseconds between two of them
-- Returns how many microseconds from now the first may be tried again.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local known, noted = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ?(%d*)$')
known, noted = number(known, 0), number(noted, 0)
-- Noted in the time to come: the clock went back. Nobody is postponed for more than a day: the queue is looked at again then.
local first = math.min(math.max(now, known - math.max(0, noted - now)), now + longest_pause)
local last = first + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], string.format('%.0f %.0f', last, now), 'PX', math.ceil((last - now) / 1000) + 1)
return string.format('%.0f', first - now)
