-- Makes entries pending again whose place in the group's PEL is gone (XGROUP DESTROY, DELCONSUMER) although a consumer
-- works on them or a retry of them is scheduled. What is pending for anybody is left as it is.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)
-- ARGV[1] group   ARGV[2] consumer   ARGV[3...] ids, 1000 at most
-- Result: the ids that are pending again, for this consumer
-- Complexity: O(ids * log PEL)
local stream, schedule, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local adopted = {}
for index = 3, #ARGV do
  local id = ARGV[index]
  if #redis.call('XPENDING', stream, group, id, id, 1) == 0 and #redis.call('XRANGE', stream, id, id) == 1 then
    local due = redis.call('ZSCORE', schedule, id)
    local delivered = math.min(now, (tonumber(due) or now + 5) - 5) -- before it was due, else it looks taken up
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', string.format('%.0f', delivered), 'FORCE', 'JUSTID')
    adopted[#adopted + 1] = id
  end
end
return adopted
