-- Lets through as many as a sliding window allows that all consumers share: `limit` at most in any window of `perMs`, on the
-- server's clock. What passed in one step of time is one field, and counts until the last ms of its step is out of the window.
--
-- KEYS[1] hash: how many passed, by the ms at which the step began; it expires with the window
-- ARGV[1] limit   ARGV[2] perMs   ARGV[3] stepMs, a hundredth of it or more   ARGV[4] how many want to pass
-- Result: { how many may, ms until the next one may or 0 when all may }
-- Complexity: O(steps in use), 102 at most
local key = KEYS[1]
local limit, perMs, stepMs, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local step = now - now % stepMs

local taken, early, oldest, over = 0, 0, step, {}
local fields = redis.call('HGETALL', key)
for index = 1, #fields, 2 do
  local at, count = tonumber(fields[index]), tonumber(fields[index + 1])
  if at > step then -- another clock, after a failover: they count from now on
    early = early + count
    over[#over + 1] = fields[index]
  elseif at + stepMs - 1 + perMs <= now then
    over[#over + 1] = fields[index]
  else
    taken = taken + count
    oldest = math.min(oldest, at)
  end
end
if #over > 0 then redis.call('HDEL', key, unpack(over)) end

local granted = math.max(0, math.min(wanted, limit - taken - early))
if granted + early > 0 then
  redis.call('HINCRBY', key, string.format('%.0f', step), granted + early)
  redis.call('PEXPIRE', key, perMs + stepMs)
end
return { granted, granted == wanted and 0 or oldest + stepMs - 1 + perMs - now }
