-- Looks through entries that XREADGROUP … CLAIM has just given to a consumer. It goes by idle time alone; what waits for a retry
-- that is not due, and what is in flight at this consumer after all, is put back with the delivery count it had.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)
-- ARGV[1] group    ARGV[2] consumer   ARGV[3] how many ids follow that are not in flight   ARGV[4...] these, then those in flight
-- Result: { ids of retries that were due, ids that were stale, how many wait }; other consumers have got the rest meanwhile
-- Complexity: O(ids * log PEL)
local stream, schedule = KEYS[1], KEYS[2]
local group, consumer, fresh = ARGV[1], ARGV[2], tonumber(ARGV[3])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function putBack(id, row)
  redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', 0, 'RETRYCOUNT', row[4] - 1, 'JUSTID')
end

local retries, stale, waiting = {}, {}, 0
for index = 4, #ARGV do
  local id = ARGV[index]
  local row = redis.call('XPENDING', stream, group, id, id, 1, consumer)[1]
  if row then
    local due = redis.call('ZSCORE', schedule, id)
    if index > 3 + fresh then
      putBack(id, row)
    elseif not due then
      stale[#stale + 1] = id
    elseif tonumber(due) > now then
      putBack(id, row)
      waiting = waiting + 1
    else
      redis.call('ZREM', schedule, id)
      retries[#retries + 1] = id
    end
  end
end
return { retries, stale, waiting }
