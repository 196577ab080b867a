-- Reserves slots in every scope of a send at once: the generic cell rate algorithm, in microseconds of Redis time.
-- A scope's key holds its theoretical arrival time; slot k of a scope may be used from arrival + (k - burst + 1) * interval.
-- KEYS: a key a scope
-- ARGV: 1 slots wanted; then for each scope: interval in microseconds, burst
-- Returns now, then for each scope the moment of its first slot (before the burst is taken off).
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wanted = tonumber(ARGV[1])
local arrivals = {}
local first = now
for i = 1, #KEYS do
  local interval = tonumber(ARGV[2 * i])
  local arrival = tonumber(redis.call('GET', KEYS[i]) or now)
  if arrival < now then
    arrival = now
  end
  arrivals[i] = arrival
  local start = arrival - (tonumber(ARGV[2 * i + 1]) - 1) * interval
  if start > first then
    first = start
  end
end
local answer = { string.format('%.0f', now) }
for i = 1, #KEYS do
  local interval = tonumber(ARGV[2 * i])
  if arrivals[i] < first then
    arrivals[i] = first
  end
  answer[i + 1] = string.format('%.0f', arrivals[i])
  local next = arrivals[i] + wanted * interval
  redis.call('SET', KEYS[i], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 60000)
end
return answer
