-- Publishes a mailing to the workers.
-- KEYS: 1 mailing (hash), 2 leader, 3 wake (stream)
-- ARGV: 1 fencing token of the dispatcher, 2 the mailing's id, 3... fields and values
-- Returns 1, or 0 when another dispatcher leads.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
set_mailing(KEYS[1], 3)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 1000, '*', 'v', 1, 'k', 'mailing', 'n', ARGV[2])
return 1
