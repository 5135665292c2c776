-- Removes the oldest entries that every live group has acknowledged, some of them a call. A group has not acknowledged what is pending
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
