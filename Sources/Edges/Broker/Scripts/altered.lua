-- Which mailings are not as they were published.
-- KEYS: the mailings (hashes)
-- ARGV: for each its state and its speed
-- Returns their places, from 1.
local found = {}
for i = 1, #KEYS do
  local now = redis.call('HMGET', KEYS[i], 'state', 'speed')
  if now[1] ~= ARGV[2 * i - 1] or now[2] ~= ARGV[2 * i] or redis.call('HSTRLEN', KEYS[i], 'definition') == 0 then
    found[#found + 1] = i
  end
end
return found
