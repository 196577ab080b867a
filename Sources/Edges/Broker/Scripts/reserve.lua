-- Reserves moments at which messages may start, in every scope of a send at once: Policy/ReservationCalendar.swift has the same
-- arithmetic in Swift, and says what it guarantees. Cell k of a scope starts at base + k * interval, and lets one message start.
-- KEYS: for each scope its calendar (string: `base next interval burst`, then `first+count` for each run of free cells before
--       `next`), and its adaptive rate (hash: until, interval)
-- ARGV: 1 moments wanted, 2 horizon: none lies further ahead, 3 none is nearer, 4 spacing between two of them; then for each scope
--       its interval (0: no limit of its own) and its burst. All times in microseconds.
-- Returns this server's time; the moments in microseconds after it, each with the microseconds after that until which it may be used, as
-- unsigned 32-bit little-endian integers; and how long after it the first that was not granted could be.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local wanted, horizon, spacing = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local floor, max = math.floor, math.max
local scopes = {}
local start = now + tonumber(ARGV[3])

local function load(text, interval, burst)
  local base, next, old, free = string.match(text or '', '^(%S+) (%S+) (%S+) %S+ ?(.*)$')
  -- New here, lost, or not to be read: what may have been handed out before comes first.
  local scope = { interval = interval, burst = burst, gaps = {}, place = 1, kept = {}, base = now + horizon, next = 0 }
  base, next, old = tonumber(base or ''), number(next), number(old)
  if not base or not next or not old or next < 0 or next ~= floor(next)
    or not (math.abs(now - base) <= math.min(1e18, 4503599627370496 * interval)) then
    return scope
  end
  if old ~= interval then
    -- Of what was handed out further ahead nothing is used any more: whoever has it learns of the change.
    base, next, free = math.min(base + (next - 1) * old + interval, now + 1000000), 0, ''
  end
  if base + next * interval > now + 20000000 + interval then
    -- Nobody looks so far ahead: this server's clock went back.
    base, next, free = now + horizon, 0, ''
  end
  local oldest = now - (burst - 1) * interval
  if base + next * interval < oldest then
    base, next, free = oldest, 0, ''
  end
  local gaps, known = {}, 0
  for first, count in string.gmatch(free, '(%d+)%+(%d+)') do
    first, count = number(first), number(count)
    if not first or not count or first < known or first + count > next then
      return scope
    end
    known = first + count
    local usable = max(first, floor((oldest - base) / interval))
    if usable < first + count then
      gaps[#gaps + 1], gaps[#gaps + 2] = usable, first + count - usable
    end
  end
  scope.base, scope.next, scope.gaps = base, next, gaps
  return scope
end

for i = 1, #KEYS / 2 do
  local slowed = redis.call('HMGET', KEYS[2 * i], 'until', 'interval', 'from')
  -- A quarter of an hour at most: no rate that is learnt is as slow.
  local interval = max(tonumber(ARGV[2 * i + 3]), math.min(number(slowed[2], 0), 1000000000))
  start = max(start, (pause_of(slowed[1], slowed[3], now)))
  if interval > 0 then
    local scope = load(redis.call('GET', KEYS[2 * i - 1]), interval, tonumber(ARGV[2 * i + 4]))
    scope.key = KEYS[2 * i - 1]
    scopes[#scopes + 1] = scope
  end
end
-- With several scopes a cell may be used a little late, for no cell of another scope begins where it does: by as long as two cells
-- of the widest scope are, and not beyond its own end.
local widest = math.huge
for i = 1, #scopes do
  widest = math.min(widest, scopes[i].interval)
end
for i = 1, #scopes do
  local scope = scopes[i]
  scope.slack = #scopes > 1 and math.min(scope.interval, 2 * widest) or 0
end

-- Until when a cell may be used.
local function latest(scope, cell)
  return scope.base + (cell + scope.burst - 1) * scope.interval + scope.slack
end

local function good(scope, cell, time)
  local last = latest(scope, cell)
  return last > time or (scope.slack == 0 and last == time)
end

-- The first cell from `cell` on that is not too late at `time`.
local function first(scope, cell, time)
  if good(scope, cell, time) then
    return cell
  end
  cell = max(cell, floor((time - scope.base) / scope.interval) - scope.burst)
  while not good(scope, cell, time) do
    cell = cell + 1
  end
  return cell
end

-- When the first message from `time` on can start.
local function usable(scope, time)
  local gaps = scope.gaps
  for i = scope.place, #gaps, 2 do
    local cell = first(scope, gaps[i], time)
    if cell < gaps[i] + gaps[i + 1] then
      return max(time, scope.base + cell * scope.interval)
    end
  end
  return max(time, scope.base + first(scope, scope.next, time) * scope.interval)
end

local function keep(scope, cell, count)
  if count > 0 then
    local kept = scope.kept
    kept[#kept + 1], kept[#kept + 2] = cell, count
  end
end

-- Uses the cell that `usable` found, and returns until when it may be used.
local function take(scope, time)
  local gaps = scope.gaps
  while scope.place < #gaps do
    local i = scope.place
    local cell, last = first(scope, gaps[i], time), gaps[i] + gaps[i + 1]
    if cell < last then
      keep(scope, gaps[i], cell - gaps[i])
      gaps[i], gaps[i + 1] = cell + 1, last - cell - 1
      if gaps[i + 1] == 0 then
        scope.place = i + 2
      end
      return latest(scope, cell)
    end
    keep(scope, gaps[i], gaps[i + 1])
    scope.place = i + 2
  end
  local cell = first(scope, scope.next, time)
  keep(scope, scope.next, cell - scope.next)
  scope.next = cell + 1
  return latest(scope, cell)
end

local granted = {}
local time = start
while true do
  local before
  repeat
    before = time
    for i = 1, #scopes do
      time = usable(scopes[i], time)
    end
  until time == before or #scopes == 1
  if #granted >= wanted or time >= now + horizon then
    break
  end
  local last = time + 4000000000
  for i = 1, #scopes do
    last = math.min(last, take(scopes[i], time))
  end
  local moment = math.ceil(time - now)
  granted[#granted + 1] = struct.pack('<I4I4', moment, max(0, floor(last - now) - moment))
  time = time + spacing
end
for i = 1, #scopes do
  local scope = scopes[i]
  local kept, gaps = scope.kept, scope.gaps
  for j = scope.place, #gaps do
    kept[#kept + 1] = gaps[j]
  end
  local words = { string.format('%.17g %.0f %.17g %d', scope.base, scope.next, scope.interval, scope.burst) }
  -- The latest are worth most.
  for j = max(1, #kept - 1023), #kept, 2 do
    words[#words + 1] = string.format('%.0f+%.0f', kept[j], kept[j + 1])
  end
  redis.call('SET', scope.key, table.concat(words, ' '), 'PX',
    math.ceil(3600000 + (scope.burst + 1) * scope.interval / 1000))
end
return { string.format('%.0f', now), table.concat(granted), string.format('%.0f', max(0, time - now)) }
