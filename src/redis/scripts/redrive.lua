-- Takes dead letters back to the group that failed, and to no other; stops at the first that can't be written.
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
