-- Hands back what is pending for a consumer that stops, a page a call; then removes the consumer, if nothing is left of it.
-- Entries that wait for a retry go on waiting. What belongs to a consumer that is to be removed passes to one named
-- "released", which only holds: whoever is alive takes it from there.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)
-- ARGV[1] group    ARGV[2] consumer
-- ARGV[3] XPENDING start ("-", or "(id" to continue)   ARGV[4] how many rows a call
-- ARGV[5] "remove" | "stay": what becomes of the consumer
-- ARGV[6...] ids to hand back; none: all
-- Result: { how many were handed back, "(id" to continue at or "" at the end }
-- Complexity: O(rows * log PEL)
local stream, schedule = KEYS[1], KEYS[2]
local group, consumer, rowCount = ARGV[1], ARGV[2], tonumber(ARGV[4])
local anyLease = 86400000 -- a day: foreign consumers that look at idle times alone take it, too

local some, only = #ARGV >= 6, {}
for index = 6, #ARGV do only[ARGV[index]] = true end
local holder = ARGV[5] == 'remove' and 'released' or consumer
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A server that reads claim from (Redis 8.4 and later) keeps the PEL in the order of delivery times too, and looks for the place of an
-- entry from the newest on: one that is to look old costs milliseconds where many are pending. There the schedule alone has to do.
local mostLookedPast = 1000
local isLong = redis.call('XPENDING', stream, group)[1] > mostLookedPast
local ms = function(number) return string.format('%.0f', number) end

-- What looks delivered after it was due has been taken up.
local function pass(id, row, due)
  if isLong and due < now + 5 then redis.call('ZADD', schedule, ms(now + 5), id) end
  redis.call('XCLAIM', stream, group, holder, 0, id, 'TIME', ms(isLong and now or now - row[3]), 'JUSTID')
end

local released = 0
local rows = redis.call('XPENDING', stream, group, ARGV[3], '+', rowCount, consumer)
for _, row in ipairs(rows) do
  local id = row[1]
  local due = redis.call('ZSCORE', schedule, id)
  if due and now - row[3] < tonumber(due) then -- else a read has claimed it since, and nobody has seen it
    if holder ~= consumer then pass(id, row, tonumber(due)) end
  elseif not some or only[id] then
    -- one delivery less, so that the next one counts as this one did; due now, so that anybody takes it
    redis.call('XCLAIM', stream, group, holder, 0, id, 'TIME', ms(now - (isLong and 5 or anyLease)), 'RETRYCOUNT', row[4] - 1, 'JUSTID')
    redis.call('ZADD', schedule, ms(now), id)
    released = released + 1
  end
end

if #rows == rowCount then return { released, '(' .. rows[#rows][1] } end
-- in one step with the look: an entry delivered in between would be dropped with the consumer
if ARGV[5] == 'remove' and #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
end
return { released, '' }
