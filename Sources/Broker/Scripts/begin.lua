-- Asks whether the next group of a batch may begin.
-- KEYS: 1 fed (hash: batch -> generation), 2 mailing (hash)
-- ARGV: 1 batch, 2 generation
-- Returns the mailing's state, or 'lost' when this generation is no longer the one in work.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 'lost'
end
local state = redis.call('HGET', KEYS[2], 'state')
if state == false then
  return 'lost'
end
return state
