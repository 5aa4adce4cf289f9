-- Makes wrk print its figures as one line of JSON, and, given a number of routes after `--`, spread the requests over
-- as many routes as `peers.py` configures. Without the number the request is static: no Lua runs per request.

function init(arguments)
   local routes = tonumber(arguments[1])
   if not routes then return end
   local requests, turn = {}, 0
   for i = 0, routes - 1 do
      local host = string.format("shop%d.bench.local", i % 100)
      requests[i] = wrk.format("GET", string.format("/api/v%d/item", i), { Host = host })
   end
   -- A stride that shares no factor with the counts used, so that neighbours in the file are not neighbours in time.
   function request()
      turn = (turn + 7919) % routes
      return requests[turn]
   end
end

function done(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      'FIGURES {"requests": %d, "duration_us": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, "errors": '
         .. '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
      e.connect, e.read, e.write, e.status, e.timeout))
end
