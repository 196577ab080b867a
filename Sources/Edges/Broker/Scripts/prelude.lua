-- Prepended to every script: what several of them need.

-- The longest pause of a scope, in microseconds.
local longest_pause = 86400000000

-- The number that a value of Redis tells, and a default where it tells none, or one that Lua does not count exactly. Other programs may
-- have written the value: a script never does arithmetic with one that it has not asked for here.
local function number(text, default)
  local value = tonumber(text or '')
  if not value or value ~= value or math.abs(value) > 9007199254740992 then
    return default
  end
  return value
end

-- When a worker's lease ends, by its registration: 0 where there is none, or none that can be read.
local function lease_end(registration)
  return number(string.match(registration or '', '^(%d+) %S* %S+ %d+$'), 0)
end

-- The number that a field of `dispatched` has, of a dispatch or of one that was withdrawn; nil for none, or where it cannot be read.
local function dispatch_number(field)
  return number(string.match(field or '', '^%d+$') or string.match(field or '', '^withdrawn (%d+)$'))
end

-- Until when a scope is paused, and since when; 0 for no pause. One that begins in the time to come, or lasts longer than any, is of
-- before this server's clock went back, or was written by somebody else.
local function pause_of(stop, from, now)
  stop, from = number(stop, 0), number(from, 0)
  if from > now + 1000000 or stop > now + longest_pause + 1000000 then
    return 0, 0
  end
  return stop, from
end

-- The epoch, '' for none. One that is no plain text was written by somebody else.
local function epoch_of(key)
  return string.match(redis.call('GET', key) or '', '^[\33-\126]+$') or ''
end

-- Whether a lane is not there, or has no consumer group, by which it is known who has which batch.
local function lacks_group(lane, group)
  local pending = redis.pcall('XPENDING', lane, group)
  return pending.err ~= nil and string.find(pending.err, 'NOGROUP', 1, true) ~= nil
end

-- Whether an epoch is the one that holds, and was begun in this run of the server.
local function is_epoch(key, epoch, run)
  return redis.call('GET', key) == epoch and string.sub(epoch, 1, #run) == run
end

-- Whether the epoch that holds was begun in this run of the server: if not, this Redis is an older state of itself.
local function is_current(key, run)
  return string.sub(redis.call('GET', key) or '', 1, #run) == run
end

-- Ends the epoch, since a key of it is lost: what this Redis holds cannot be believed any more, but for results and limits. Workers find
-- their leases gone, and report again what no collector has confirmed.
local function lose(epoch_key, workers_key)
  redis.call('DEL', epoch_key)
  redis.call('DEL', workers_key)
end

-- Makes sure that a batch has its marks. Where they are lost, or not one for each recipient, nobody can tell who was started, and each of
-- its recipients counts as started. Where their number is not known, 0, nothing is done.
local function keep_marks(marks_key, count)
  local all = tonumber(count)
  if all > 0 and redis.call('STRLEN', marks_key) ~= all then
    redis.call('SET', marks_key, string.rep('b', all))
  end
end

-- Whether an entry is of a wire version that a process does not know yet. Versions are small: a greater number is none.
local function is_newer(fields, version)
  for i = 1, math.min(#fields, 1000), 2 do
    if fields[i] == 'v' then
      local own, its = tonumber(version), tonumber(fields[i + 1])
      return #fields <= 1000 and its ~= nil and its > own and its <= own + 1000
    end
  end
  return false
end

-- Whether a batch is this worker's; the worker and the number of deliveries are its fencing token. And whether it is in flight at all.
local function owns(lane, group, worker, entry, deliveries)
  local pending = redis.pcall('XPENDING', lane, group, entry, entry, 1)[1]
  if not pending then
    return false, false
  end
  return pending[2] == worker and pending[4] == tonumber(deliveries), true
end

-- Sets fields of a mailing, those of ARGV from `first` on. One that is resumed begins to count its failures anew.
local function set_mailing(key, first)
  local before = redis.call('HGET', key, 'state')
  redis.call('HSET', key, unpack(ARGV, first))
  if before ~= 'sending' and redis.call('HGET', key, 'state') == 'sending' then
    redis.call('HDEL', key, 'failed')
  end
end

-- Puts the entries of a replay stream back into the stream that they were confirmed in, when the ledger does not stand where it stood: its
-- server may lack them. What the ledger has, it ignores. Entries of another ledger are dropped.
-- Returns whether all are back; not where Redis has no memory for them.
local function put_back(stream_key, replay_key, standing_key, ledger, standing)
  local known = redis.call('GET', standing_key)
  if known == ledger .. ' ' .. standing then
    return true
  end
  if known and string.match(known, '^%S+') ~= ledger then
    redis.call('DEL', replay_key)
  end
  local some = redis.call('XRANGE', replay_key, '-', '+', 'COUNT', 500)
  while #some > 0 do
    for _, entry in ipairs(some) do
      if #entry[2] <= 40 then
        local added = redis.pcall('XADD', stream_key, '*', unpack(entry[2]))
        if type(added) == 'table' then
          return false
        end
      end
      redis.call('XDEL', replay_key, entry[1])
    end
    some = redis.call('XRANGE', replay_key, '-', '+', 'COUNT', 500)
  end
  return not redis.pcall('SET', standing_key, ledger .. ' ' .. standing, 'EX', 86400).err
end
