-- Asks for the paths of a file by turns, each thread from another place on, and prints what came as JSON.
--   wrk ... -s links.lua URL -- FILE [PAUSE]
-- PAUSE: milliseconds between an answer and the next request of a connection, on average; without it there is none.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  requests = {}
  for path in io.lines(args[1]) do requests[#requests + 1] = wrk.format("GET", path) end
  at = math.floor(#requests * 0.37 * number) % #requests
  local pause = tonumber(args[2] or "0")
  -- wrk takes another way where there is a function of this name.
  if pause > 0 then
    math.randomseed(number + 1)
    delay = function() return math.random(0, 2 * pause) end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
