-- After entries of a key were settled for good: removes their marks, and makes those due that waited for them. An entry that has
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
