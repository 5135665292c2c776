-- Carries out the decisions about deliveries of one stream and group in one atomic step.
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
    -- the moment of the command (7.0), which in a long script is later than `now`
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
