-- Admits workers: the dispatcher knows of them, so that they may start messages.
-- KEYS: 1 admitted (set), 2 wake (stream)
-- ARGV: the workers
-- Returns how many were not admitted before.
local new = redis.call('SADD', KEYS[1], unpack(ARGV))
if new > 0 then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'v', 1, 'k', 'admitted', 'n', '')
end
return new
