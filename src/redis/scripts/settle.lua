-- Carries out the decisions about deliveries of one stream and group in one atomic step.
--
-- KEYS[1] stream   KEYS[2] retry schedule (ZSET id -> due ms)   KEYS[3] dead-letter stream
-- KEYS[4] failures (HASH id -> first failure ms, hops), which goes into the note; without the right to it, or memory, it is left out
-- KEYS[5...] keys of steps
-- ARGV[1] group    ARGV[2] consumer; both "" for what was read without a group: nothing is pending then, and only dead is of use
-- ARGV[3] what an ack does to the entry: "keep" | "delete" | "xackdel" (delete, where the server can do it in one command)
-- ARGV[4...] three per decision: verb, id, argument; more for deadKept
--    ack      -
--    retry    delay ms and, behind a space, how idle the entry is to look meanwhile: reads that claim go by that
--    dead     note                     the original pairs are copied from the stream, byte for byte
--    deadKept note, count, pair, ...   for an entry that was trimmed meanwhile: so many values, as they are
--    release  the same, or "" for at once
--  before a decision, where steps go with it: "with", how many words follow, then per step: name, its index in KEYS, how
--  many arguments, the arguments. They are done if, and only if, the decision is carried out.
--    ZADD, ZREM                      of a retry or release: its mark in the order of its key (ZSET, all of score 0), so that later
--                                    entries wait; it ends with "r" for a retry, with "d" for what only waits for others
--    XADD, HSET, HDEL, HINCRBY, INCRBY, SADD, SREM, ZINCRBY   of an ack: all of them or none; before other steps
--    mark     ms                       the key of dedupe is done, for so long
--    unclaim  entry                    the key of dedupe is given back, if the entry has it
-- Result: per decision "done", "notPending" (not this consumer's any more: nothing was done),
--    "gone" (dead: the entry is trimmed, send deadKept), or the text of the error that prevented it
-- Complexity: O(log PEL) per decision, plus the size of each dead letter and step; "delete" adds O(groups)
local stream, schedule, deadLetters, failures = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
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

local someFailed = group ~= '' and redis.pcall('EXISTS', failures) == 1
local function acknowledge(id)
  if group == '' then return 'done' end
  if someFailed then redis.pcall('HDEL', failures, id) end
  if onAck == 'xackdel' then
    redis.call('XACKDEL', stream, group, 'ACKED', 'IDS', 1, id)
  else
    redis.call('XACK', stream, group, id)
    if onAck == 'delete' and not neededElsewhere(id) then redis.call('XDEL', stream, id) end
  end
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
  return acknowledge(id)
end

local typeOf = {
  XADD = 'stream', HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', INCRBY = 'string', SADD = 'set', SREM = 'set', ZINCRBY = 'zset',
  ZADD = 'zset', ZREM = 'zset',
}

local function eachStep(with, visit)
  local at = with.first
  while at <= with.last do
    local last = at + 2 + ARGV[at + 2]
    visit(ARGV[at], KEYS[tonumber(ARGV[at + 1])], at + 3, last)
    at = last + 1
  end
end

local known = {} -- the type of a key, from its first step on
local function wrongType(with)
  local refusal
  eachStep(with, function(name, key)
    local needed = typeOf[name]
    if not needed then return end
    if not known[key] then
      local is = redis.call('TYPE', key).ok
      known[key] = is == 'none' and needed or is
    end
    if known[key] ~= needed then
      refusal = refusal or string.format('WRONGTYPE %s is a %s, and %s needs a %s', key, known[key], name, needed)
    end
  end)
  return refusal
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

-- All steps and the ack, or nothing: Redis does not roll back a script that fails half-way. Out of memory is no such case:
-- it refuses the first write of a script, or none.
local function write(with, finally)
  local undo, refusal = {}, wrongType(with)
  eachStep(with, function(name, key, first, last)
    if refusal or not typeOf[name] then return end
    local result = redis.pcall(name, key, unpack(ARGV, first, last))
    refusal = type(result) == 'table' and result.err
    if not refusal then undo[#undo + 1] = inverse(name, key, first, result) end
  end)
  local isDone, outcome = false, refusal
  if not refusal then isDone, outcome = pcall(finally) end
  if isDone then return outcome end
  for index = #undo, 1, -1 do redis.pcall(unpack(undo[index])) end
  return type(outcome) == 'table' and outcome.err or outcome
end

local function conclude(with)
  eachStep(with, function(name, key, first)
    if name == 'mark' then redis.call('SET', key, 'done', 'PX', ARGV[first]) end
    if name == 'unclaim' and redis.call('GET', key) == ARGV[first] then redis.call('DEL', key) end
  end)
end

local verbs = {
  ack = acknowledge,
  retry = function(id, argument)
    local delay, idle = string.match(argument, '(%d+) ?(%d*)')
    -- last delivered before it is due, for sure: what looks delivered after that has been taken up. By TIME, because IDLE counts from
    -- the moment of the command (7.0), which in a long script is later than `now`
    local looks = lookingIdle(tonumber(idle) or 0, tonumber(delay) < 5 and 5 or 0)
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', looks, 'JUSTID')
    local added = redis.pcall('ZADD', schedule, ms(now + delay), id)
    if type(added) ~= 'table' then noteFailure(id) end
    return type(added) == 'table' and added.err or 'done' -- out of memory: pending still, and tried again
  end,
  dead = function(id, note)
    local entry = redis.call('XRANGE', stream, id, id)[1]
    if not entry then return 'gone' end
    return deadLetter(id, note, entry[2])
  end,
  deadKept = function(id, note, _, pairs) return deadLetter(id, note, pairs) end,
  release = function(id, argument, row)
    -- one delivery less, so that the next one counts as this one did; due now, so that anybody takes it
    local delay, idle = string.match(argument, '(%d+) ?(%d*)')
    local looks = lookingIdle(delay and tonumber(idle) or delay and 0 or anyLease, 5)
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'TIME', looks, 'RETRYCOUNT', row[4] - 1, 'JUSTID')
    local added = redis.pcall('ZADD', schedule, ms(now + (delay or 0)), id)
    return type(added) == 'table' and added.err or 'done'
  end,
}

local function decide(it)
  local row = group == '' or redis.call('XPENDING', stream, group, it.id, it.id, 1, consumer)[1]
  if not row then return 'notPending' end
  local function carryOut() return verbs[it.verb](it.id, it.argument, row, it.kept) end
  if not it.with then return carryOut() end
  local outcome = write(it.with, carryOut)
  if outcome == 'done' then conclude(it.with) end
  return outcome
end

-- What adds goes first: after the first write of a script Redis refuses it nothing any more, however full the memory is.
local first, second, count, with = {}, {}, 0, nil
local index = 4
while index <= #ARGV do
  local verb = ARGV[index]
  if verb == 'with' then
    with = { first = index + 2, last = index + 1 + ARGV[index + 1] }
    index = with.last + 1
  else
    count = count + 1
    local it = { at = count, verb = verb, id = ARGV[index + 1], argument = ARGV[index + 2], with = with }
    with, index = nil, index + 3
    if verb == 'deadKept' then
      it.kept = {}
      for at = 1, tonumber(ARGV[index]) do it.kept[at] = ARGV[index + at] end
      index = index + 1 + #it.kept
    end
    local isAdding = verb == 'dead' or verb == 'deadKept' or it.with and typeOf[ARGV[it.with.first]]
    local list = isAdding and first or second
    list[#list + 1] = it
  end
end

local outcomes = {}
for _, list in ipairs({ first, second }) do
  for _, it in ipairs(list) do outcomes[it.at] = decide(it) end
end
forgetSome()
return outcomes
