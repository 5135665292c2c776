-- Moves the checkpoint of a reader without a group: forward only, whoever writes last, or away from one that proved to be wrong.
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
