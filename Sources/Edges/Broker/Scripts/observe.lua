-- Adds what a worker saw of a scope, and gives the judgement to one of those who ask once the time for it has come.
-- KEYS: 1 pace (hash)
-- ARGV: 1 answered, 2 throttled, 3 started, 4 microseconds to pause from now (0 for none), 5 microseconds from judgement to
--       judgement, 6 microseconds until a judge who says nothing is given up, 7 milliseconds that the hash is kept
-- Returns now, until, interval ('' where not slowed), state; and for the judge also version, answered, throttled and started,
-- microseconds since the judgement before, and how many of these the scope was paused.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'until', 'interval', 'state', 'from', 'at', 'claim', 'version')
local stop, from, at = tonumber(held[1] or 0), tonumber(held[4] or 0), tonumber(held[5] or now)
local pause = tonumber(ARGV[4])
-- A pause that begins in the time to come is from before this server's clock went back.
if from > now then
  stop, from = 0, now
  redis.call('HDEL', KEYS[1], 'until', 'from')
end
if pause > 0 and now + pause > stop then
  if stop <= now then
    from = now
  end
  stop = now + pause
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', stop), 'from', string.format('%.0f', from))
end
local answered = redis.call('HINCRBY', KEYS[1], 'answered', ARGV[1])
local throttled = redis.call('HINCRBY', KEYS[1], 'throttled', ARGV[2])
local started = redis.call('HINCRBY', KEYS[1], 'started', ARGV[3])
local reply = { string.format('%.0f', now), string.format('%.0f', stop), held[2] or '', held[3] or '' }
local claim = tonumber(held[6] or 0)
-- The first word, or a clock of Redis that was set back: that must not stop the judgements.
if not held[5] or at > now then
  redis.call('HSET', KEYS[1], 'at', string.format('%.0f', now))
elseif now - at >= tonumber(ARGV[5]) and (claim <= now or claim > now + tonumber(ARGV[6])) then
  local paused = math.min(now, stop) - math.max(at, from)
  local version = tonumber(held[7] or 0) + 1
  redis.call('HSET', KEYS[1], 'at', string.format('%.0f', now), 'claim', string.format('%.0f', now + tonumber(ARGV[6])),
    'version', version, 'answered', 0, 'throttled', 0, 'started', 0)
  for _, value in ipairs({ version, answered, throttled, started, now - at, math.max(0, paused) }) do
    reply[#reply + 1] = string.format('%.0f', value)
  end
end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[7]) + math.max(0, math.ceil((stop - now) / 1000)))
return reply
