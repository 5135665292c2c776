// Written by generate.mjs from the *.lua files beside it: edit those, then run `npm run lua`.
export const adoptSource: string = `-- Makes entries pending again whose place in the group's PEL is gone (XGROUP DESTROY, DELCONSUMER) although a consumer
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
`;

export const checkpointSource: string = `-- Moves the checkpoint of a reader without a group: forward only, whoever writes last, or away from one that proved to be wrong.
--
-- KEYS[1] checkpoint (string)
-- ARGV[1] id   ARGV[2] the id it replaces even when that is greater; "" for none
-- Result: the id that is stored then
-- Complexity: O(1)
local id, insteadOf = ARGV[1], ARGV[2]

local function precedes(one, other)
  local oneMs, oneSeq = string.match(one, '(%d+)-(%d+)')
  local otherMs, otherSeq = string.match(other, '(%d+)-(%d+)')
  local function less(a, b) return #a < #b or (#a == #b and a < b) end
  return less(oneMs, otherMs) or (oneMs == otherMs and less(oneSeq, otherSeq))
end

local stored = redis.call('GET', KEYS[1])
if stored and stored ~= insteadOf and not precedes(stored, id) then return stored end
redis.call('SET', KEYS[1], id)
return id
`;

export const confirmSource: string = `-- Looks through entries that XREADGROUP … CLAIM has just given to a consumer. It goes by idle time alone; what waits for a retry
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
`;

export const deleteConsumerSource: string = `-- Removes a consumer that owns nothing, in one step with the look: an entry delivered in between would be dropped with it.
-- What it owns may be moved to another consumer before, a page a call, with idle times and delivery counts as they are, so
-- that nobody's lease is renewed and no delivery is counted.
--
-- KEYS[1] stream
-- ARGV[1] group   ARGV[2] consumer   ARGV[3] the consumer to move its entries to, or "" to refuse while it owns any
-- ARGV[4] how many entries a call
-- Result: { "deleted" | "absent", moved }, { "refused", how many it owns },
--    { "more", moved } when the page was full: call again
-- Complexity: O(consumers + moved * log PEL)
local stream, group, consumer, heir, most = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local function owned()
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local is = {}
    for index = 1, #info, 2 do is[info[index]] = info[index + 1] end
    if is.name == consumer then return is.pending end
  end
end

-- entries of one read have one idle time: they move in one command
local function pageByState(rows)
  local moves, moveOf = {}, {}
  for _, row in ipairs(rows) do
    local deliveries = math.min(row[4], 99999999999999) -- the most that Lua writes out; XNACK FATAL sets more
    local state = row[3] .. ' ' .. deliveries
    if not moveOf[state] then
      moveOf[state] = { ids = {}, tail = { 'IDLE', row[3], 'RETRYCOUNT', deliveries, 'JUSTID' } }
      moves[#moves + 1] = moveOf[state]
    end
    local ids = moveOf[state].ids
    ids[#ids + 1] = row[1]
  end
  return moves
end

local function move()
  local rows, moved = redis.call('XPENDING', stream, group, '-', '+', most, consumer), 0
  for _, each in ipairs(pageByState(rows)) do
    local claim = { 'XCLAIM', stream, group, heir, 0, unpack(each.ids) }
    for _, word in ipairs(each.tail) do claim[#claim + 1] = word end
    -- XCLAIM takes what was trimmed while pending out of the PEL, and does not answer it
    moved = moved + #redis.call(unpack(claim))
  end
  return moved, #rows == most
end

local pending, moved, isFull = owned(), 0, false
if not pending then return { 'absent', 0 } end
if pending > 0 then
  if heir == '' then return { 'refused', pending } end
  moved, isFull = move()
end
if isFull then return { 'more', moved } end
redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
return { 'deleted', moved }
`;

export const destroyGroupSource: string = `-- Removes a group with all that belongs to it, and says whether it was there. What an earlier deletion of the stream has left
-- behind is removed as well.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)   KEYS[3] its dead-letter stream; left out, it is kept
-- ARGV[1] group
-- Result: 1 when the group was there, else 0
-- Complexity: O(PEL); the memory of the helper keys is freed in the background
local stream = KEYS[1]

-- XGROUP DESTROY is an error where the stream is missing, and 0 where the group is
local destroyed = redis.call('EXISTS', stream) == 1 and redis.call('XGROUP', 'DESTROY', stream, ARGV[1]) or 0
redis.call('UNLINK', unpack(KEYS, 2))
return destroyed
`;

export const leaveSource: string = `-- Hands back what is pending for a consumer that stops, a page a call; then removes the consumer, if nothing is left of it.
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

local released = 0
local rows = redis.call('XPENDING', stream, group, ARGV[3], '+', rowCount, consumer)
for _, row in ipairs(rows) do
  local id = row[1]
  local due = redis.call('ZSCORE', schedule, id)
  if due and now - row[3] < tonumber(due) then -- else a read has claimed it since, and nobody has seen it
    if holder ~= consumer then redis.call('XCLAIM', stream, group, holder, 0, id, 'TIME', string.format('%.0f', now - row[3]), 'JUSTID') end
  elseif not some or only[id] then
    -- one delivery less, so that the next one counts as this one did; due now, so that anybody takes it
    redis.call('XCLAIM', stream, group, holder, 0, id, 'IDLE', anyLease, 'RETRYCOUNT', row[4] - 1, 'JUSTID')
    redis.call('ZADD', schedule, string.format('%.0f', now), id)
    released = released + 1
  end
end

if #rows == rowCount then return { released, '(' .. rows[#rows][1] } end
-- in one step with the look: an entry delivered in between would be dropped with the consumer
if ARGV[5] == 'remove' and #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
end
return { released, '' }
`;

export const nextDueSource: string = `-- When the next retry is due, for several streams at once.
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
`;

export const pruneConsumersSource: string = `-- Removes consumers that own nothing and have not asked for anything for long, in one step with the look: an entry delivered
-- in between would be dropped with its consumer.
--
-- KEYS[1] stream
-- ARGV[1] group   ARGV[2] idle ms: since the last attempt to read; before 7.2, since the last read that brought something
-- ARGV[3] how many at most
-- Result: names removed; as many as ARGV[3] when there may be more: call again
-- Complexity: O(consumers)
local stream, group, idle, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local removed = {}
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  if #removed == most then break end
  local is = {}
  for index = 1, #info, 2 do is[info[index]] = info[index + 1] end
  if is.pending == 0 and is.idle >= idle then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, is.name)
    removed[#removed + 1] = is.name
  end
end
return removed
`;

export const renewSource: string = `-- Renews the lease of deliveries in flight, of those only that are still this consumer's: a plain XCLAIM would steal
-- back what another consumer has claimed meanwhile.
--
-- KEYS[1] stream
-- ARGV[1] group   ARGV[2] consumer   ARGV[3...] ids, 1000 at most
-- Result: { lost ids, deleted ids, absent ids }: another consumer's; trimmed while pending, and out of the PEL; pending for nobody
-- Complexity: O(ids * log PEL)
local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local lost, deleted, absent = {}, {}, {}
local renewal = { 'XCLAIM', stream, group, consumer, 0 }
for index = 3, #ARGV do
  local id = ARGV[index]
  local row = redis.call('XPENDING', stream, group, id, id, 1)[1]
  local list = not row and absent or row[2] == consumer and renewal or lost
  list[#list + 1] = id
end

if #renewal > 5 then
  local renewed = {}
  renewal[#renewal + 1] = 'JUSTID'
  for _, id in ipairs(redis.call(unpack(renewal))) do renewed[id] = true end
  for index = 6, #renewal - 1 do
    local id = renewal[index]
    if not renewed[id] and #redis.call('XRANGE', stream, id, id) == 0 then
      deleted[#deleted + 1] = id
      redis.call('XACK', stream, group, id) -- XCLAIM purges it since 7.0
    end
  end
end
return { lost, deleted, absent }
`;

export const settleSource: string = `-- Carries out the decisions about deliveries of one stream and group in one atomic step.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)   KEYS[3] dead-letter stream
-- ARGV[1] group    ARGV[2] consumer; both "" for what was read without a group: nothing is pending then, and only dead is of use
-- ARGV[3] what an ack does to the entry: "keep" | "delete" | "xackdel" (delete, where the server can do it in one command)
-- ARGV[4...] three per decision: verb, id, argument; more for deadKept
--    ack      -
--    retry    delay ms and, behind a space, how idle the entry is to look meanwhile: reads that claim go by that
--    dead     note                     the original pairs are copied from the stream, byte for byte
--    deadKept note, count, pair, ...   for an entry that was trimmed meanwhile: so many values, as they are
--    release  -
-- Result: per decision "done", "notPending" (not this consumer's any more: nothing was done),
--    "gone" (dead: the entry is trimmed, send deadKept), or the text of the error that prevented it
-- Complexity: O(log PEL) per decision, plus the size of each dead letter; "delete" adds O(groups)
local stream, schedule, deadLetters = KEYS[1], KEYS[2], KEYS[3]
local group, consumer, onAck = ARGV[1], ARGV[2], ARGV[3]
local anyLease = 86400000 -- a day: foreign consumers that look at idle times alone take it, too

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ms = function(number) return string.format('%.0f', number) end

local function precedes(one, other)
  local oneMs, oneSeq = string.match(one, '(%d+)-(%d+)')
  local otherMs, otherSeq = string.match(other, '(%d+)-(%d+)')
  local function less(a, b) return #a < #b or (#a == #b and a < b) end
  return less(oneMs, otherMs) or (oneMs == otherMs and less(oneSeq, otherSeq))
end

local function neededElsewhere(id)
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local is = {}
    for index = 1, #info, 2 do is[info[index]] = info[index + 1] end
    if is.name ~= group and (precedes(is['last-delivered-id'], id)
        or #redis.call('XPENDING', stream, is.name, id, id, 1) > 0) then
      return true
    end
  end
  return false
end

local function acknowledge(id)
  if group == '' then return 'done' end
  if onAck == 'xackdel' then
    redis.call('XACKDEL', stream, group, 'ACKED', 'IDS', 1, id)
  else
    redis.call('XACK', stream, group, id)
    if onAck == 'delete' and not neededElsewhere(id) then redis.call('XDEL', stream, id) end
  end
  return 'done'
end

local function deadLetter(id, note, pairs)
  if #pairs > 7000 then -- more than Lua can pass as arguments: one field holds them all, and the note says so
    note = '{"packed":true,' .. string.sub(note, 2)
    pairs = { 'pairs', cjson.encode(pairs) }
  end
  -- pcall: when the dead letter can't be written (OOM, WRONGTYPE) the entry stays pending
  local added = redis.pcall('XADD', deadLetters, '*', 'dead-letter', note, unpack(pairs))
  if type(added) == 'table' and added.err then return added.err end
  return acknowledge(id)
end

local verbs = {
  ack = acknowledge,
  retry = function(id, argument)
    local delay, idle = string.match(argument, '(%d+) ?(%d*)')
    -- last delivered before it is due, for sure: what looks delivered after that has been taken up. By TIME, because IDLE counts from
    -- the moment of the command (7.0), which in a long script is later than \`now\`
    local looks = math.max(tonumber(idle) or 0, tonumber(delay) < 5 and 5 or 0)
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', ms(now - looks), 'JUSTID')
    local added = redis.pcall('ZADD', schedule, ms(now + delay), id)
    return type(added) == 'table' and added.err or 'done' -- out of memory: pending still, and tried again
  end,
  dead = function(id, note)
    local entry = redis.call('XRANGE', stream, id, id)[1]
    if not entry then return 'gone' end
    return deadLetter(id, note, entry[2])
  end,
  deadKept = function(id, note, _, pairs) return deadLetter(id, note, pairs) end,
  release = function(id, _, row)
    -- one delivery less, so that the next one counts as this one did; due now, so that anybody takes it
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', anyLease, 'RETRYCOUNT', row[4] - 1, 'JUSTID')
    local added = redis.pcall('ZADD', schedule, ms(now), id)
    return type(added) == 'table' and added.err or 'done'
  end,
}

local outcomes, index = {}, 4
while index <= #ARGV do
  local verb, id, argument, kept = ARGV[index], ARGV[index + 1], ARGV[index + 2], nil
  index = index + 3
  if verb == 'deadKept' then
    local count = tonumber(ARGV[index])
    kept = {}
    for at = 1, count do kept[at] = ARGV[index + at] end
    index = index + 1 + count
  end
  local row = group == '' or redis.call('XPENDING', stream, group, id, id, 1, consumer)[1]
  outcomes[#outcomes + 1] = row and verbs[verb](id, argument, row, kept) or 'notPending'
end
return outcomes
`;

export const takeSource: string = `-- Takes pending entries over for a consumer: retries that are due, or entries that were idle for too long.
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

-- What was delivered after it was due has been taken up already, by a read that claims.
local function pickDue()
  local due = redis.call('ZRANGEBYSCORE', schedule, '-inf', string.format('%.0f', now), 'WITHSCORES', 'LIMIT', 0, most)
  for index = 1, #due, 2 do
    local id, dueAt = due[index], tonumber(due[index + 1])
    local row = redis.call('XPENDING', stream, group, id, id, 1)[1]
    if row and now - row[3] < dueAt then pick(row) end
    redis.call('ZREM', schedule, id)
  end
end

-- Walks on until it has done \`left\` rows' worth of work, in small steps: XPENDING answers rows that are then not looked at.
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
`;
