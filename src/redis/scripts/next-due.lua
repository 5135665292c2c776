-- When the next retry is due, for several streams at once.
--
-- KEYS retry schedules (ZSET id -> due ms), 1000 at most
-- Result: per schedule the ms until its first retry is due, 0 when it is, -1 when none waits
-- Complexity: O(schedules)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local due = {}
for index, schedule in ipairs(KEYS) do
  local first = redis.call('ZRANGE', schedule, 0, 0, 'WITHSCORES')
  due[index] = first[2] and math.max(0, tonumber(first[2]) - now) or -1
end
return due
