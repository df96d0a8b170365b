-- Sends prepared requests, each one once, and judges every answer. Called by wrk; see replay.py.
--
-- Arguments: the file of requests (each one behind its length in six digits), and the text with which a good body begins.
-- With more than one thread each reads its own file: the name with the thread's number behind it.

local threads = {}

function setup(thread)
  thread:set("number", #threads + 1)
  table.insert(threads, thread)
end

function init(arguments)
  requests = assert(io.open(arguments[1] .. "." .. number, "rb"))
  requests:setvbuf("full", 1048576)
  beginning = arguments[2]
  length_of_beginning = #beginning
  sent, good, bad, used_up = 0, 0, 0, 0
  first_bad = ""
end

function request()
  local length = requests:read(6)
  if length == nil then
    -- Nothing is ever sent twice: the run ends here and is void.
    used_up = 1
    wrk.thread:stop()
    return "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
  end
  sent = sent + 1
  return requests:read(tonumber(length))
end

function response(status, headers, body)
  if status == 200 and string.sub(body, 1, length_of_beginning) == beginning then
    good = good + 1
  else
    bad = bad + 1
    if bad == 1 then
      first_bad = status .. " " .. string.sub(body, 1, 300)
    end
  end
end

function done(summary, latency, requests)
  local good, bad, used_up, first_bad = 0, 0, 0, ""
  for _, thread in ipairs(threads) do
    good = good + thread:get("good")
    bad = bad + thread:get("bad")
    used_up = used_up + thread:get("used_up")
    if first_bad == "" then
      first_bad = thread:get("first_bad")
    end
  end
  local errors = summary.errors
  io.write(string.format(
    "RESULT requests=%d microseconds=%d good=%d bad=%d used_up=%d errors=%d p50=%d p99=%d maximum=%d\n",
    summary.requests, summary.duration, good, bad, used_up,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
  if first_bad ~= "" then
    io.write("FIRST_BAD ", (first_bad:gsub("%c", " ")), "\n")
  end
end
