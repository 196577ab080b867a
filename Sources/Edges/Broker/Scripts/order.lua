-- Tells the workers of a person's order in the dispatcher's stead. The dispatcher publishes the same when it sees the order in the ledger.
-- KEYS: 1 mailing (hash), 2 wake (stream)
-- ARGV: 1 the mailing's id, 2... fields and values
-- Returns 1, or 0 when the mailing is not published: then no worker can start a message of it.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
set_mailing(KEYS[1], 2)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'v', 1, 'k', 'mailing', 'n', ARGV[1])
return 1
