-- Appends entries to one stream, in order, and stops at the first that can't be added, so that nothing overtakes it.
--
-- KEYS[1] stream   KEYS[2...] a marker per entry; none: nothing is looked up
-- ARGV[1] how long a marker lasts, ms
-- ARGV[2...] per entry: how many words, and the words of XADD after the key, 7000 at most
-- Result: ids, of all entries or of those before the first that could not be added; an entry whose marker is there is not added
--    again, its id is that of the first time. Empty: NOMKSTREAM found no stream. An error: not even the first could be added
-- Complexity: O(fields) and what trimming takes
local stream, markerMs = KEYS[1], ARGV[1]

local ids, at = {}, 2
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  local marker = KEYS[#ids + 2]
  local id = marker and redis.call('GET', marker)
  if not id then
    id = redis.pcall('XADD', stream, unpack(ARGV, at + 1, last))
    -- as an error of its own when it is the first: the client looks for the new master when this one answers READONLY
    if type(id) == 'table' then return #ids > 0 and ids or id end
    if not id then break end
    if marker then redis.call('SET', marker, id, 'PX', markerMs) end
  end
  ids[#ids + 1] = id
  at = last + 1
end
return ids
