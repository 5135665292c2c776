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

export const appendSource: string = `-- Appends entries to one stream, in order, and stops at the first that can't be added, so that nothing overtakes it.
--
-- KEYS[1] stream   KEYS[2...] a marker per entry; none: nothing is looked up
-- ARGV[1] how long a marker lasts, ms
-- ARGV[2...] per entry: how many words, and the words of XADD after the key, 7000 at most
-- Result: ids, of all entries or of those before the first that could not be added; an entry whose marker is there is not added
--    again, its id is that of the first time. Empty: NOMKSTREAM found no stream. An error: not even the first could be added
-- Complexity: O(fields) and what trimming takes
local stream, markerMs = KEYS[1], ARGV[1]

local ids, at = {}, 2
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local marker = KEYS[#ids + 2]
  local id = marker and redis.call('GET', marker)
  if not id then
    id = redis.pcall('XADD', stream, unpack(ARGV, at + 1, last))
    -- as an error of its own when it is the first: the client looks for the new master when this one answers READONLY
    if type(id) == 'table' then return #ids > 0 and ids or id end
    if not id then break end
    if marker then redis.call('SET', marker, id, 'PX', markerMs) end
  end
  ids[#ids + 1] = id
  at = last + 1
end
return ids
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

export const claimSource: string = `-- Claims keys of dedupe for entries that are about to be handled, or renews such claims. A key holds "done", or the entry
-- that has claimed it; an entry that is delivered again finds its own claim and may go on at once.
--
-- KEYS[1...] keys of dedupe
-- ARGV[1] "take" | "renew" (only what is claimed already: a claim that was given back meanwhile must not come back)
-- ARGV[2] how long a claim holds unrenewed, ms   ARGV[3] the entries that want them, per key, with line feeds between
-- Result: how many keys there were; and for each that is not taken its place among them, from 1 on, with
--    the ms until it is forgotten that it is done (-1: never), or "claimed" by another entry
-- Complexity: O(keys)
local isRenewal, claimMs = ARGV[1] == 'renew', ARGV[2]

local answers, place = { #KEYS }, 0
for entry in string.gmatch(ARGV[3], '[^\\n]+') do
  place = place + 1
  local key = KEYS[place]
  local holder
  if isRenewal then
    holder = redis.call('GET', key)
  else
    holder = redis.call('SET', key, entry, 'NX', 'GET', 'PX', claimMs)
  end
  if holder == entry then
    redis.call('PEXPIRE', key, claimMs)
  elseif holder or isRenewal then
    answers[#answers + 1], answers[#answers + 2] = place, holder == 'done' and redis.call('PTTL', key) or 'claimed'
  end
end
return answers
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

export const countBeforeSource: string = `-- Counts entries below an id, a page a call, without sending them.
--
-- KEYS[1] stream   ARGV[1] XRANGE start ("-", or "(id" to continue)   ARGV[2] the id   ARGV[3] how many at most
-- Result: { count, "(id" to continue at or "" at the end }
-- Complexity: O(counted)
local entries = redis.call('XRANGE', KEYS[1], ARGV[1], '(' .. ARGV[2], 'COUNT', ARGV[3])
return { #entries, #entries == tonumber(ARGV[3]) and '(' .. entries[#entries][1] or '' }
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
-- KEYS[1] stream   KEYS[2...] what is beside it: retry schedule, failures, order; its dead-letter stream, left out, is kept
-- ARGV[1] group
-- Result: 1 when the group was there, else 0
-- Complexity: O(PEL); the memory of the helper keys is freed in the background
local stream = KEYS[1]

-- XGROUP DESTROY is an error where the stream is missing, and 0 where the group is
local destroyed = redis.call('EXISTS', stream) == 1 and redis.call('XGROUP', 'DESTROY', stream, ARGV[1]) or 0
redis.call('UNLINK', unpack(KEYS, 2))
return destroyed
`;

export const earlierSource: string = `-- Looks whether earlier entries of a key wait, for many entries at once. A mark is a hint, the PEL is the truth: marks of entries
-- that are not pending any more are removed on the way, and a few others are looked at, so that none stays for ever.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)   KEYS[3] order (ZSET of marks, all of score 0)
-- ARGV[1] group    ARGV[2...] three per entry: its own mark without its end, and the range of marks (ZRANGEBYLEX min, max) in which to look
-- Result: two per entry: 1 when it has a mark itself, else 0; ms until the first one in the range is due, 0 when it is not scheduled,
--    -1 when there is none
-- Complexity: O(log marks + log PEL) per entry, plus the marks removed
local stream, schedule, order, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local looksAtRandom, mostRemoved = 5, 2000

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function idOf(mark)
  local ms, seq = string.match(mark, '0*(%d+)%-0*(%d+)[rd]$')
  return ms .. '-' .. seq
end

local removed = 0
local function isStale(mark)
  local id = idOf(mark)
  if #redis.call('XPENDING', stream, group, id, id, 1) > 0 then return false end
  redis.call('ZREM', order, mark)
  removed = removed + 1
  return true
end

local function firstWaitsMs(min, max)
  while removed < mostRemoved do
    local mark = redis.call('ZRANGEBYLEX', order, min, max, 'LIMIT', 0, 1)[1]
    if not mark then return -1 end
    if not isStale(mark) then
      local due = redis.call('ZSCORE', schedule, idOf(mark))
      return due and math.max(0, tonumber(due) - now) or 0
    end
  end
  return 0 -- there may be one: to be asked again
end

for _, mark in ipairs(redis.call('ZRANDMEMBER', order, looksAtRandom)) do isStale(mark) end
local answers = {}
for index = 2, #ARGV, 3 do
  local isMarked = redis.call('ZSCORE', order, ARGV[index] .. 'r') or redis.call('ZSCORE', order, ARGV[index] .. 'd')
  answers[#answers + 1] = isMarked and 1 or 0
  answers[#answers + 1] = firstWaitsMs(ARGV[index + 1], ARGV[index + 2])
end
return answers
`;

export const forwardSource: string = `-- After entries of a key were settled for good: removes their marks, and makes those due that waited for them. An entry that has
-- been tried waits for its own time (its mark ends with "r"), and those behind it for that entry.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)   KEYS[3] order (ZSET of marks, all of score 0)
-- ARGV[1] group    then per key: the range of its marks (ZRANGEBYLEX min, max), how many to make due, how many marks to remove, and those without
--    their ends
-- Result: how many were made due
-- Complexity: O(log marks + log PEL) per mark and entry
local stream, schedule, order, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]

local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))

local function forward(min, max, most)
  local count = 0
  for _, mark in ipairs(most > 0 and redis.call('ZRANGEBYLEX', order, min, max, 'LIMIT', 0, most) or {}) do
    local ms, seq, kind = string.match(mark, '0*(%d+)%-0*(%d+)([rd])$')
    local id = ms .. '-' .. seq
    if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then
      redis.call('ZREM', order, mark)
    elseif kind == 'r' then
      return count
    else
      -- XX: those alone that are scheduled; LT: never later than they are
      redis.call('ZADD', schedule, 'XX', 'LT', now, id)
      count = count + 1
    end
  end
  return count
end

local forwarded, at = 0, 2
while at < #ARGV do
  local removed = tonumber(ARGV[at + 3])
  for index = at + 4, at + 3 + removed do redis.call('ZREM', order, ARGV[index] .. 'r', ARGV[index] .. 'd') end
  forwarded = forwarded + forward(ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]))
  at = at + 4 + removed
end
return forwarded
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

export const prepareIdmpSource: string = `-- Makes a stream remember the keys of XADD IDMP for long enough. Its two limits are only raised: a change of either makes the stream
-- forget the keys it knows.
--
-- KEYS[1] stream   ARGV[1] how long, s   ARGV[2] how many keys per producer   ARGV[3] "create" | "leave": a stream that is missing
-- Result: 1 when it remembers, 0 when this server's streams can't, or there is no stream
-- Complexity: O(1)
local stream, seconds, count = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

if redis.call('EXISTS', stream) == 0 then
  if ARGV[3] ~= 'create' then return 0 end
  redis.call('XGROUP', 'CREATE', stream, 'prepare', '$', 'MKSTREAM') -- XCFGSET wants a stream, and no command makes an empty one
  redis.call('XGROUP', 'DESTROY', stream, 'prepare')
end

local info, is = redis.call('XINFO', 'STREAM', stream), {}
for index = 1, #info, 2 do is[info[index]] = info[index + 1] end
if not is['idmp-duration'] then return 0 end
if is['idmp-duration'] < seconds or is['idmp-maxsize'] < count then
  redis.call('XCFGSET', stream, 'IDMP-DURATION', math.max(seconds, is['idmp-duration']),
    'IDMP-MAXSIZE', math.max(count, is['idmp-maxsize']))
end
return 1
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

export const redriveSource: string = `-- Takes dead letters back to the group that failed, and to no other; stops at the first that can't be written.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)   KEYS[3] failures (HASH id -> first failure ms, hops)
-- KEYS[4] dead-letter stream
-- ARGV[1] group   ARGV[2] "do" | "look"
-- ARGV[3...] four per letter: its id, the id of the entry, when that failed first (ms), how often it was redriven before
-- Result: per letter, of all or of those before the first that failed, { what, id }
--    "again" the entry is pending again, and due   "added" the entry was gone, and is there anew under this id
--    "absent" no such letter: redriven before, or trimmed   "noGroup", "tooWide": nothing was done
-- Complexity: O(groups) and O(log PEL + the size of what is added) per letter
local stream, schedule, failures, deadLetters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, isLook = ARGV[1], ARGV[2] == 'look'
local anyLease = 86400000 -- a day: foreign consumers that look at idle times alone take it, too
local mostLookedPast = 1000 -- in a long PEL Redis 8.4 and later take milliseconds to make an entry look old: the schedule has to do
local marker = 'rxjs-redis-streams:redriven-for'

local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))

local mine, others = nil, {}
if redis.call('EXISTS', stream) == 1 then
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local is = {}
    for index = 1, #flat, 2 do is[flat[index]] = flat[index + 1] end
    if is.name == group then mine = is else others[#others + 1] = is end
  end
end

local function finish(letter, id, first, hops)
  redis.call('HSET', failures, id, first .. ' ' .. string.format('%d', hops + 1))
  redis.call('XDEL', deadLetters, letter)
end

local function isAhead(id) -- the group has not been given it yet: the start of a range excludes what it was given last
  return #redis.call('XRANGE', stream, '(' .. mine['last-delivered-id'], id, 'COUNT', 1) > 0
end

-- One who was given everything until now is moved past the new entry; the sources of the others know it by its first field.
local function hideFrom(other, id)
  local next = redis.call('XRANGE', stream, '(' .. other['last-delivered-id'], '+', 'COUNT', 1)[1]
  if next[1] ~= id then return end
  local read = other['entries-read']
  if read then
    redis.call('XGROUP', 'SETID', stream, other.name, id, 'ENTRIESREAD', read + 1)
    other['entries-read'] = read + 1
  else
    redis.call('XGROUP', 'SETID', stream, other.name, id)
  end
  other['last-delivered-id'] = id
end

local function again(letter, id, first, hops)
  if isLook then return { 'again', id } end
  local isPending = #redis.call('XPENDING', stream, group, id, id, 1) > 0
  if not isPending and not isAhead(id) then
    local planned = redis.pcall('ZADD', schedule, now, id) -- first: out of memory refuses the first write of a script, or none
    if type(planned) == 'table' then return planned end
    local looks = redis.call('XPENDING', stream, group)[1] > mostLookedPast and 5 or anyLease
    redis.call('XCLAIM', stream, group, 'released', 0, id, 'TIME', string.format('%.0f', now - looks), 'RETRYCOUNT', 0, 'FORCE', 'JUSTID')
  end
  finish(letter, id, first, hops)
  return { 'again', id }
end

local function add(letter, pairs, first, hops)
  local isPacked = #pairs == 4 and pairs[3] == 'pairs' and string.find(pairs[2], '{"packed":true,', 1, true) == 1
  if isPacked or #pairs > 7002 then return { 'tooWide', '' } end
  if isLook then return { 'added', '' } end
  local id = redis.pcall('XADD', stream, '*', marker, group, unpack(pairs, 3))
  if type(id) == 'table' then return id end
  for _, other in ipairs(others) do hideFrom(other, id) end
  finish(letter, id, first, hops)
  return { 'added', id }
end

local outcomes = {}
for index = 3, #ARGV, 4 do
  local letter, id, first, hops = ARGV[index], ARGV[index + 1], ARGV[index + 2], tonumber(ARGV[index + 3])
  local entry = redis.call('XRANGE', deadLetters, letter, letter)[1]
  local outcome
  if not entry then outcome = { 'absent', '' }
  elseif not mine then outcome = { 'noGroup', '' }
  elseif #redis.call('XRANGE', stream, id, id) > 0 then outcome = again(letter, id, first, hops)
  else outcome = add(letter, entry[2], first, hops) end
  if outcome.err then return #outcomes > 0 and outcomes or outcome end
  outcomes[#outcomes + 1] = outcome
end
return outcomes
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
-- KEYS[4] failures (HASH id -> first failure ms, hops), which goes into the note; without the right to it, or memory, it is left out
-- KEYS[5...] keys of steps
-- ARGV[1] group    ARGV[2] consumer; both "" for what was read without a group: nothing is pending then, and only dead is of use
-- ARGV[3] what an ack does to the entry: "keep" | "delete" | "xackdel" (delete, where the server can do it in one command)
-- ARGV[4] lowest id   ARGV[5] highest id: where in the PEL to look for them page by page; what is not found so is asked for by itself
-- ARGV[6...] runs of decisions that have a verb and steps in common: the verb, the ids with a space between (one alone, but for ack;
--  7000 at most), how many steps go with each; per step its name, its place in KEYS, how many arguments; then per decision what its
--  verb wants, and the arguments of its steps
--    ack      -
--    retry    delay ms and, behind a space, how idle the entry is to look meanwhile: reads that claim go by that
--    dead     note                     the original pairs are copied from the stream, byte for byte
--    deadKept note, count, pair, ...   for an entry that was trimmed meanwhile: so many values, as they are
--    release  the same as retry, or "" for at once
--  The steps of a decision are done if, and only if, it is carried out:
--    ZADD, ZREM                      of a retry or release: its mark in the order of its key (ZSET, all of score 0), so that later
--                                    entries wait; it ends with "r" for a retry, with "d" for what only waits for others
--    XADD, HSET, HDEL, HINCRBY, INCRBY, SADD, SREM, ZINCRBY   of an ack: all of them or none; before other steps
--    mark                            of an ack: the key of dedupe is done. Each decision has a key of its own, as many places behind
--                                    that of the one before as there are marks; instead of how many arguments: for how many ms
--    unclaim  entry                  of anything else: the key of dedupe is given back, if the entry has it
-- Result: how many decisions there were; and for each that is not done its place among them, from 1 on, with
--    "notPending" (not this consumer's any more: nothing was done),
--    "gone" (dead: the entry is trimmed, send deadKept), or the text of the error that prevented it
-- Complexity: O(log PEL) per decision, plus the size of each dead letter and step; "delete" adds O(groups)
local stream, schedule, deadLetters, failures = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, onAck = ARGV[1], ARGV[2], ARGV[3]
local anyLease = 86400000 -- a day: foreign consumers that look at idle times alone take it, too

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ms = function(number) return string.format('%.0f', number) end

local rows = {} -- of the PEL, for each id that is decided about: false for what is not this consumer's, true for what is not known

local function rowOf(id)
  local row = rows[id]
  if row == true then
    row = redis.call('XPENDING', stream, group, id, id, 1, consumer)[1] or false
    rows[id] = row
  end
  return row
end

-- A row of a page costs a fifth of one that is asked for by itself. So pages are read as long as an eighth of their rows is wanted.
local pageSize = 100
local function readRows(from, to)
  while true do
    local page, hits = redis.call('XPENDING', stream, group, from, to, pageSize, consumer), 0
    for _, row in ipairs(page) do
      local id = row[1]
      if rows[id] then rows[id], hits = row, hits + 1 end
    end
    if #page < pageSize or hits * 8 < pageSize then return end
    from = '(' .. page[pageSize][1]
  end
end

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

local someFailed = group ~= '' and redis.pcall('EXISTS', failures) == 1
local function acknowledge(ids)
  if group == '' then return 'done' end
  if onAck == 'xackdel' then
    redis.call('XACKDEL', stream, group, 'ACKED', 'IDS', #ids, unpack(ids))
  else
    redis.call('XACK', stream, group, unpack(ids))
  end
  if onAck == 'delete' then
    for _, id in ipairs(ids) do
      if not neededElsewhere(id) then redis.call('XDEL', stream, id) end
    end
  end
  if someFailed then redis.pcall('HDEL', failures, unpack(ids)) end
  return 'done'
end

-- A server that reads claim from (Redis 8.4 and later) keeps the PEL in the order of delivery times too, and looks for the place of an
-- entry from the newest on: one that is to look old costs milliseconds where many are pending. There the schedule alone has to do.
local mostLookedPast, isLong = 1000, nil
local function lookingIdle(wanted, least)
  if isLong == nil then isLong = redis.call('XPENDING', stream, group)[1] > mostLookedPast end
  return ms(now - (isLong and least or math.max(least, wanted)))
end

local newFailures, asFirst = 0, ms(now) .. ' 0'
local function noteFailure(id)
  if redis.pcall('HSETNX', failures, id, asFirst) == 1 then newFailures = newFailures + 1 end
end

-- Ids stay in there that somebody else acknowledges, or that are trimmed. So for each new one another is looked at, twenty a call.
local function forgetSome()
  if newFailures == 0 then return end
  for _, id in ipairs(redis.pcall('HRANDFIELD', failures, math.min(newFailures, 20))) do
    if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then redis.pcall('HDEL', failures, id) end
  end
end

local function withHistory(id, note)
  local known = redis.pcall('HGET', failures, id)
  local first, hops = string.match(type(known) == 'string' and known or '', '^(%d+) (%d+)$')
  if not first then return note end
  return '{"firstFailedAt":' .. first .. ',"hops":' .. hops .. ',' .. string.sub(note, 2)
end

local function deadLetter(id, note, pairs)
  note = withHistory(id, note)
  if pairs[1] == 'rxjs-redis-streams:redriven-for' and #pairs <= 7000 then pairs = { unpack(pairs, 3) } end
  if #pairs > 7000 then -- more than Lua can pass as arguments: one field holds them all, and the note says so
    note = '{"packed":true,' .. string.sub(note, 2)
    pairs = { 'pairs', cjson.encode(pairs) }
  end
  -- pcall: when the dead letter can't be written (OOM, WRONGTYPE) the entry stays pending
  local added = redis.pcall('XADD', deadLetters, '*', 'dead-letter', note, unpack(pairs))
  if type(added) == 'table' and added.err then return added.err end
  return acknowledge({ id })
end

local typeOf = {
  XADD = 'stream', HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', INCRBY = 'string', SADD = 'set', SREM = 'set', ZINCRBY = 'zset',
  ZADD = 'zset', ZREM = 'zset',
}

local known = {} -- the type of a key, from its first step on
local function wrongType(steps)
  for _, step in ipairs(steps) do
    local needed, key = typeOf[step.name], step.key
    if needed and not known[key] then
      local is = redis.call('TYPE', key).ok
      known[key] = is == 'none' and needed or is
    end
    if needed and known[key] ~= needed then
      return string.format('WRONGTYPE %s is a %s, and %s needs a %s', key, known[key], step.name, needed)
    end
  end
end

local function minus(number) return string.sub(number, 1, 1) == '-' and string.sub(number, 2) or '-' .. number end

-- Sets, marks and hash fields stay: the attempt that follows writes the same again.
local function inverse(name, key, first, result)
  local one, other = ARGV[first], ARGV[first + 1]
  if name == 'XADD' then return { 'XDEL', key, result } end
  if name == 'INCRBY' then return result == tonumber(one) and { 'DEL', key } or { name, key, minus(one) } end
  if name == 'HINCRBY' then return result == tonumber(other) and { 'HDEL', key, one } or { name, key, one, minus(other) } end
  if name == 'ZINCRBY' then return tonumber(result) == tonumber(one) and { 'ZREM', key, other } or { name, key, minus(one), other } end
end

local function takeBack(run, place)
  local first, results = run.first + (place - 1) * run.words, run.results[place]
  for index = #results, 1, -1 do
    local step = run.steps[index]
    local undo = inverse(step.name, step.key, first + step.offset, results[index])
    if undo then redis.pcall(unpack(undo)) end
  end
end

-- All writes of a decision or, with an error, none: Redis does not roll back a script that fails half-way. Out of memory is no such
-- case: it refuses the first write of a script, or none.
local function write(run, place)
  local first, results = run.first + (place - 1) * run.words, {}
  run.results[place] = results
  for index, step in ipairs(run.steps) do
    if not typeOf[step.name] then return end -- what follows are marks
    local from = first + step.offset
    local result = redis.pcall(step.name, step.key, unpack(ARGV, from, from + step.count - 1))
    if type(result) == 'table' and result.err then
      takeBack(run, place)
      return result.err
    end
    results[index] = result
  end
end

-- Behind the decision, because Redis refuses them nothing then. With SET, which whoever claims keys has the right to: PSETEX might be refused.
local function conclude(run, places)
  for _, step in ipairs(run.steps) do
    if step.name == 'mark' then
      for _, place in ipairs(places) do redis.call('SET', KEYS[step.place + (place - 1) * run.marks], 'done', 'PX', step.count) end
    elseif step.name == 'unclaim' and redis.call('GET', step.key) == ARGV[run.first + step.offset] then
      redis.call('DEL', step.key)
    end
  end
end

local verbs = {
  ack = acknowledge,
  retry = function(ids, argument)
    local id, delay, idle = ids[1], string.match(argument, '(%d+) ?(%d*)')
    -- last delivered before it is due, for sure: what looks delivered after that has been taken up. By TIME, because IDLE counts from
    -- the moment of the command (7.0), which in a long script is later than \`now\`
    local looks = lookingIdle(tonumber(idle) or 0, tonumber(delay) < 5 and 5 or 0)
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', looks, 'JUSTID')
    local added = redis.pcall('ZADD', schedule, ms(now + delay), id)
    if type(added) ~= 'table' then noteFailure(id) end
    return type(added) == 'table' and added.err or 'done' -- out of memory: pending still, and tried again
  end,
  dead = function(ids, note)
    local entry = redis.call('XRANGE', stream, ids[1], ids[1])[1]
    if not entry then return 'gone' end
    return deadLetter(ids[1], note, entry[2])
  end,
  deadKept = function(ids, note, _, pairs) return deadLetter(ids[1], note, pairs) end,
  release = function(ids, argument, row)
    -- one delivery less, so that the next one counts as this one did; due now, so that anybody takes it
    local id, delay, idle = ids[1], string.match(argument, '(%d+) ?(%d*)')
    local looks = lookingIdle(delay and tonumber(idle) or delay and 0 or anyLease, 5)
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', looks, 'RETRYCOUNT', row[4] - 1, 'JUSTID')
    local added = redis.pcall('ZADD', schedule, ms(now + (delay or 0)), id)
    return type(added) == 'table' and added.err or 'done'
  end,
}

local outcomes = { 0 }
local function report(run, place, outcome)
  outcomes[#outcomes + 1], outcomes[#outcomes + 2] = run.before + place, outcome
end

-- The writes of each decision, then all decisions in one command, then their marks. Where that command is refused all is taken back.
local function carryOut(run)
  local places, ids, row = {}, {}, nil
  local refusal = run.isWriting and wrongType(run.steps)
  for place, id in ipairs(run.ids) do
    row = group == '' or rowOf(id)
    local problem = not row and 'notPending' or refusal or run.isWriting and write(run, place)
    if problem then
      report(run, place, problem)
    else
      places[#places + 1], ids[#ids + 1] = place, id
      rows[id] = false -- should it come again
    end
  end
  if #ids == 0 then return end
  local isDone, outcome = pcall(verbs[run.verb], ids, run.argument, row, run.kept)
  if not isDone then outcome = type(outcome) == 'table' and outcome.err or outcome end
  if run.verb ~= 'ack' or outcome ~= 'done' then
    for _, id in ipairs(ids) do rows[id] = true end -- pending still, maybe
  end
  if outcome == 'done' then return conclude(run, places) end
  for at = #places, 1, -1 do
    if run.isWriting then takeBack(run, places[at]) end
    report(run, places[at], outcome)
  end
end

-- What adds goes first: after the first write of a script Redis refuses it nothing any more, however full the memory is.
local adding, others = {}, {}
local index, count = 6, 0
while index <= #ARGV do
  local run = { verb = ARGV[index], ids = {}, before = count, steps = {}, words = 0, marks = 0, results = {} }
  for id in string.gmatch(ARGV[index + 1], '%S+') do
    count = count + 1
    run.ids[count - run.before], rows[id] = id, true
  end
  local last = index + 2 + 3 * ARGV[index + 2]
  for at = index + 3, last, 3 do
    local name, place, number = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
    run.steps[#run.steps + 1] = { name = name, place = place, key = KEYS[place], count = number, offset = run.words }
    if name == 'mark' then run.marks = run.marks + 1 else run.words = run.words + number end
    run.isWriting = run.isWriting or typeOf[name] ~= nil
  end
  index = last + 1
  if run.verb ~= 'ack' then
    run.argument, index = ARGV[index], index + 1
  end
  if run.verb == 'deadKept' then
    run.kept = {}
    for at = 1, tonumber(ARGV[index]) do run.kept[at] = ARGV[index + at] end
    index = index + 1 + #run.kept
  end
  run.first = index
  index = index + #run.ids * run.words
  local isAdding = run.isWriting or run.verb == 'dead' or run.verb == 'deadKept'
  local list = isAdding and adding or others
  list[#list + 1] = run
end

if group ~= '' and count > 4 then readRows(ARGV[4], ARGV[5]) end
for _, list in ipairs({ adding, others }) do
  for _, run in ipairs(list) do carryOut(run) end
end
forgetSome()
outcomes[1] = count
return outcomes
`;

export const takePermitsSource: string = `-- Lets through as many as a sliding window allows that all consumers share: \`limit\` at most in any window of \`perMs\`, on the
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

export const trimAckedSource: string = `-- Removes the oldest entries that every live group has acknowledged, some of them a call. A group has not acknowledged what is pending
-- in it, what waits for a retry included, nor what it has not been given.
--
-- KEYS[1] stream   KEYS[2...] the retry schedules (ZSET id -> due ms) of the groups in ARGV[4...]
-- ARGV[1] a group is dead when none of its consumers gave a sign of life for so long, ms; -1: no group is dead
-- ARGV[2] about how many entries at most   ARGV[3] "trim" | "look"
-- ARGV[4...] the groups the caller knows of; any other is alive
-- Result: { removed, the first id to keep or "" when nothing may go, the group that holds it or "", dead groups that were not waited for }
-- Complexity: O(groups + removed); with dead groups O(consumers) more
local stream, deadAfter, most = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

local schedules = {}
for index = 4, #ARGV do schedules[ARGV[index]] = KEYS[index - 2] end

local function record(flat)
  local is = {}
  for index = 1, #flat, 2 do is[flat[index]] = flat[index + 1] end
  return is
end

local function precedes(one, other)
  local oneMs, oneSeq = string.match(one, '(%d+)-(%d+)')
  local otherMs, otherSeq = string.match(other, '(%d+)-(%d+)')
  local function less(a, b) return #a < #b or (#a == #b and a < b) end
  return less(oneMs, otherMs) or (oneMs == otherMs and less(oneSeq, otherSeq))
end

-- ids are too large for a number of Lua's
local function increment(digits)
  local head, last, nines = string.match(digits, '^(%d-)([0-8]?)(9*)$')
  return head .. (last == '' and '1' or tostring(tonumber(last) + 1)) .. string.rep('0', #nines)
end
local function after(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  if seq == '18446744073709551615' then return increment(ms) .. '-0' end
  return ms .. '-' .. increment(seq)
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]

local function isDead(group)
  local schedule = schedules[group.name]
  if deadAfter < 0 or not schedule or group.consumers == 0 then return false end
  local last = redis.call('ZREVRANGE', schedule, 0, 0, 'WITHSCORES')[2]
  if last and tonumber(last) > now - deadAfter then return false end -- before 7.2 a consumer that waits for it looks idle
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group.name)) do
    if record(consumer).idle < deadAfter then return false end
  end
  return true
end

local keep, holder, dead = nil, '', {}
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = record(flat)
  local from = after(group['last-delivered-id'])
  local pending = redis.call('XPENDING', stream, group.name, '-', '+', 1)[1]
  if pending and precedes(pending[1], from) then from = pending[1] end
  local holds = newest and not precedes(newest[1], from)
  if holds and isDead(group) then
    dead[#dead + 1] = { group.name, from }
  elseif not keep or precedes(from, keep) then
    keep, holder = from, holds and group.name or ''
  end
end

local ignored = {}
for _, each in ipairs(dead) do
  if keep and precedes(each[2], keep) then ignored[#ignored + 1] = each[1] end
end
local removed = 0
if keep and ARGV[3] == 'trim' then
  removed = redis.call('XTRIM', stream, 'MINID', '~', keep, 'LIMIT', most) -- whole nodes
  if removed == 0 then removed = redis.call('XTRIM', stream, 'MINID', '=', keep) end -- what is left of the first one
end
return { removed, keep or '', holder, ignored }
`;
