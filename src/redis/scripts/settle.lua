-- Carries out the decisions about deliveries of one stream and group in one atomic step.
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
    -- the moment of the command (7.0), which in a long script is later than `now`
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
