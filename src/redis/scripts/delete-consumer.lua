-- Removes a consumer that owns nothing, in one step with the look: an entry delivered in between would be dropped with it.
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
