-- Adds what a worker saw of a scope, and gives the judgement to one of those who ask once the time for it has come.
-- KEYS: 1 adaptive rate (hash)
-- ARGV: 1 answered, 2 throttled, 3 started, 4 microseconds to pause from now (0 for none), 5 microseconds from judgement to
--       judgement, 6 microseconds until a judge who says nothing is given up, 7 milliseconds that the hash is kept
-- Returns now, until, interval ('' where not slowed), state; and for the judge also version, answered, throttled and started,
-- microseconds since the judgement before, and how many of these the scope was paused.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'until', 'interval', 'state', 'from', 'at', 'claim', 'version',
  'answered', 'throttled', 'started')
local stop, from = pause_of(held[1], held[4], now)
local pause, at, claim = tonumber(ARGV[4]), number(held[5]), number(held[6], 0)
if pause > 0 and now + pause > stop then
  if stop <= now then
    from = now
  end
  stop = now + pause
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', stop), 'from', string.format('%.0f', from))
local sums, reply = {}, { string.format('%.0f', now), string.format('%.0f', stop), held[2] or '', held[3] or '' }
for i = 1, 3 do
  sums[i] = math.max(0, number(held[7 + i], 0)) + tonumber(ARGV[i])
end
-- The first word, or a clock of Redis that was set back: that must not stop the judgements.
if not at or at > now then
  at = now
elseif now - at >= tonumber(ARGV[5]) and (claim <= now or claim > now + tonumber(ARGV[6])) then
  local paused = math.min(now, stop) - math.max(at, from)
  local version = math.max(0, number(held[7], 0)) + 1
  for _, value in ipairs({ version, sums[1], sums[2], sums[3], now - at, math.max(0, paused) }) do
    reply[#reply + 1] = string.format('%.0f', value)
  end
  redis.call('HSET', KEYS[1], 'claim', string.format('%.0f', now + tonumber(ARGV[6])), 'version', string.format('%.0f', version))
  at, sums = now, { 0, 0, 0 }
end
redis.call('HSET', KEYS[1], 'at', string.format('%.0f', at), 'answered', string.format('%.0f', sums[1]),
  'throttled', string.format('%.0f', sums[2]), 'started', string.format('%.0f', sums[3]))
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[7]) + math.max(0, math.ceil((stop - now) / 1000)))
return reply
