-- Removes a key whose value is of another type than ours: another program wrote it.
-- KEYS: 1 epoch, 2 workers (hash), 3 the key
-- ARGV: 1 the type that it must have, 2 '1' where the epoch ends with it
-- Returns the type that it had; '' when nothing was wrong with it.
local found = redis.call('TYPE', KEYS[3])['ok']
if found == 'none' or found == ARGV[1] then
  return ''
end
redis.call('DEL', KEYS[3])
if ARGV[2] == '1' then
  lose(KEYS[1], KEYS[2])
end
return found
