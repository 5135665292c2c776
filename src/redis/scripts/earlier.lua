-- Looks whether earlier entries of a key wait, for many entries at once. A mark is a hint, the PEL is the truth: marks of entries
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
