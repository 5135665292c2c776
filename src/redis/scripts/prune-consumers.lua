-- Removes consumers that own nothing and have not asked for anything for long, in one step with the look: an entry delivered
-- in between would be dropped with its consumer.
--
-- KEYS[1] stream
-- ARGV[1] group   ARGV[2] idle ms: since the last attempt to read; before 7.2, since the last read that brought something
-- ARGV[3] how many at most
-- Result: names removed; as many as ARGV[3] when there may be more: call again
-- Complexity: O(consumers)
local stream, group, idle, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local removed = {}
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  if #removed == most then break end
  local is = {}
  for index = 1, #info, 2 do is[info[index]] = info[index + 1] end
  if is.pending == 0 and is.idle >= idle then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, is.name)
    removed[#removed + 1] = is.name
  end
end
return removed
