-- Prepended to every script: what several of them need.

-- Whether an epoch is the one that holds, and was begun in this run of the server.
local function is_epoch(key, epoch, run)
  return redis.call('GET', key) == epoch and string.sub(epoch, 1, #run) == run
end

-- Whether the epoch that holds was begun in this run of the server: if not, this Redis is an older state of itself.
local function is_current(key, run)
  return string.sub(redis.call('GET', key) or '', 1, #run) == run
end

-- Whether a batch is in a worker's hands; the worker and the number of deliveries are its fencing token. And whether it is in anybody's.
local function owns(lane, group, worker, entry, deliveries)
  local pending = redis.pcall('XPENDING', lane, group, entry, entry, 1)[1]
  if not pending then
    return false, false
  end
  return pending[2] == worker and pending[4] == tonumber(deliveries), true
end
