-- After entries of a key were settled for good: removes their marks, and makes those that waited for them due.
--
-- KEYS[1] retry schedule (ZSET id -> due ms)   KEYS[2] order (ZSET of marks, all of score 0)
-- ARGV per key: the range of its marks (ZRANGEBYLEX min, max), how many to make due, how many marks to remove, and those
-- Result: how many were made due
-- Complexity: O(log marks) per mark and entry
local schedule, order = KEYS[1], KEYS[2]

local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))

local forwarded, at = 0, 1
while at < #ARGV do
  local min, max, most, done = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  for index = at + 4, at + 3 + done do redis.call('ZREM', order, ARGV[index]) end
  at = at + 4 + done
  if most > 0 then
    for _, mark in ipairs(redis.call('ZRANGEBYLEX', order, min, max, 'LIMIT', 0, most)) do
      local ms, seq = string.match(mark, '0*(%d+)%-0*(%d+)$')
      -- XX: those alone that are scheduled; LT: never later than they are
      redis.call('ZADD', schedule, 'XX', 'LT', now, ms .. '-' .. seq)
      forwarded = forwarded + 1
    end
  end
end
return forwarded
