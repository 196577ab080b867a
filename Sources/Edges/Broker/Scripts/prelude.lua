-- Prepended to every script: what several of them need.

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

-- Makes sure that a batch has its marks. Where they are lost nobody can tell who was started, and each of its recipients counts as started.
local function keep_marks(marks_key, count)
  if redis.call('EXISTS', marks_key) == 0 then
    redis.call('SET', marks_key, string.rep('b', tonumber(count)))
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
