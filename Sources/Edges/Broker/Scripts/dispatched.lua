-- The batches of a mailing that Redis knows of.
-- KEYS: 1 epoch, 2 dispatched (hash: batch -> dispatch number)
-- ARGV: 1 the epoch that is believed, 2 run of this server
-- Returns batches and dispatch numbers by turns; nil when the epoch has ended: that Redis knows of no batch then says nothing.
if not is_epoch(KEYS[1], ARGV[1], ARGV[2]) then
  return false
end
return redis.call('HGETALL', KEYS[2])
