-- Takes pending entries over for a consumer: retries that are due, or entries that were idle for too long.
-- Entries that wait for a retry are never taken for being idle.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)
-- ARGV[1] group    ARGV[2] consumer    ARGV[3] how many at most (0: only look)
-- ARGV[4] "due"
--      or "idle", then ARGV[5] min idle ms
--                      ARGV[6] whose: a consumer's, or "" for anybody's but this consumer's
--                      ARGV[7] XPENDING start ("-", or "(id" to continue)   ARGV[8] how many rows to look at; one that is taken counts as 10
--                      ARGV[9] "count" | "same": whether this counts as a delivery
--                      ARGV[10...] ids to leave alone: those in flight
-- Result: { entries {id, pairs, delivery count}, deleted ids, next, stale ids of this consumer }
--    next: "due": ms until the next retry, -1 when none waits; "idle": "(id" to continue at, "" at the end
--    deleted ids were trimmed while pending; they are out of the PEL
-- Complexity: due O(taken * log PEL); idle O(rows looked at + taken * log PEL)
local stream, schedule = KEYS[1], KEYS[2]
local group, consumer, most, mode = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local stepRows = 100
local rowsPerClaim = 9 -- a claim costs the server about as much as so many rows more

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local ids, deliveries = {}, {}
local function pick(row)
  ids[#ids + 1] = row[1]
  deliveries[row[1]] = row[4]
end

-- What is due together is sorted as text, in which "10" comes before "9".
local function inStreamOrder(one, other)
  local oneMs, oneSeq = string.match(one, '(%d+)-(%d+)')
  local otherMs, otherSeq = string.match(other, '(%d+)-(%d+)')
  local function less(a, b) return #a < #b or (#a == #b and a < b) end
  return less(oneMs, otherMs) or (oneMs == otherMs and less(oneSeq, otherSeq))
end

-- What was delivered after it was due has been taken up already, by a read that claims.
local function pickDue()
  local dueAtOf = {}
  local due = redis.call('ZRANGEBYSCORE', schedule, '-inf', string.format('%.0f', now), 'WITHSCORES', 'LIMIT', 0, most)
  for index = 1, #due, 2 do
    local id, dueAt = due[index], tonumber(due[index + 1])
    local row = redis.call('XPENDING', stream, group, id, id, 1)[1]
    if row and now - row[3] < dueAt then
      pick(row)
      dueAtOf[id] = dueAt
    end
    redis.call('ZREM', schedule, id)
  end
  table.sort(ids, function(one, other)
    if dueAtOf[one] ~= dueAtOf[other] then return dueAtOf[one] < dueAtOf[other] end
    return inStreamOrder(one, other)
  end)
end

-- Walks on until it has done `left` rows' worth of work, in small steps: XPENDING answers rows that are then not looked at.
local mine = {}
local function pickIdle()
  local minIdle, owner, cursor, left, inFlight = tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8]), {}
  for index = 10, #ARGV do inFlight[ARGV[index]] = true end
  local someWait = redis.call('EXISTS', schedule) == 1
  local function waits(row) -- what was delivered after it was due does not: a read has claimed it
    local due = someWait and redis.call('ZSCORE', schedule, row[1])
    return due and now - row[3] < tonumber(due)
  end
  while left > 0 do
    local step = math.min(left, stepRows)
    local range = { 'XPENDING', stream, group, cursor, '+', step }
    if owner ~= '' then range[#range + 1] = owner end
    local rows = redis.call(unpack(range))
    for _, row in ipairs(rows) do
      if #ids >= most or left <= 0 then return cursor end
      cursor, left = '(' .. row[1], left - 1
      if row[3] >= minIdle and not inFlight[row[1]] and not waits(row) then
        if owner == '' and row[2] == consumer then
          mine[#mine + 1] = row[1]
        else
          pick(row)
          left = left - rowsPerClaim
        end
      end
    end
    if #rows < step then return '' end
  end
  return cursor
end

local next
if mode == 'due' then pickDue() else next = pickIdle() end

local entries, found, deleted = {}, {}, {}
local counted = ARGV[9] == 'same' and 0 or 1
local function keep(claimed)
  for _, entry in ipairs(claimed) do
    if entry then -- 6.2 answers null for a deleted entry
      found[entry[1]] = true
      entries[#entries + 1] = { entry[1], entry[2], deliveries[entry[1]] + counted }
    end
  end
end
if #ids > 0 and counted == 1 then
  keep(redis.call('XCLAIM', stream, group, consumer, 0, unpack(ids)))
else
  for _, id in ipairs(ids) do keep(redis.call('XCLAIM', stream, group, consumer, 0, id, 'RETRYCOUNT', deliveries[id])) end
end
for _, id in ipairs(ids) do
  if not found[id] and #redis.call('XRANGE', stream, id, id) == 0 then
    deleted[#deleted + 1] = id
    redis.call('XACK', stream, group, id) -- XCLAIM purges it since 7.0
  end
end

if mode == 'due' then
  local first = redis.call('ZRANGE', schedule, 0, 0, 'WITHSCORES')
  next = first[2] and math.max(0, tonumber(first[2]) - now) or -1
end
return { entries, deleted, next, mine }
