-- Begins a stream anew, as it takes no entry any more: one with the highest id is in it, which a wrong clock or another program made. Its
-- entries stay in their order, with ids of now; its consumer groups go.
-- KEYS: 1 the stream, 2 where it is made anew, missing otherwise
-- Returns how many entries stay.
redis.call('DEL', KEYS[2])
local from, kept = '-', 0
while from do
  -- Behind the highest id nothing can be asked for.
  local entries = redis.pcall('XRANGE', KEYS[1], from, '+', 'COUNT', 500)
  from = nil
  for _, entry in ipairs(entries) do
    -- What has more fields than ours is none of ours.
    if #entry[2] <= 40 then
      redis.call('XADD', KEYS[2], '*', unpack(entry[2]))
      kept = kept + 1
    end
    from = '(' .. entry[1]
  end
end
redis.call('DEL', KEYS[1])
if kept > 0 then
  redis.call('RENAME', KEYS[2], KEYS[1])
end
return kept
