-- Renews the lease of deliveries in flight, of those only that are still this consumer's: a plain XCLAIM would steal
-- back what another consumer has claimed meanwhile.
--
-- KEYS[1] stream
-- ARGV[1] group   ARGV[2] consumer   ARGV[3...] ids, 1000 at most
-- Result: { lost ids, deleted ids, absent ids }: another consumer's; trimmed while pending, and out of the PEL; pending for nobody
-- Complexity: O(ids * log PEL)
local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local lost, deleted, absent = {}, {}, {}
local renewal = { 'XCLAIM', stream, group, consumer, 0 }
for index = 3, #ARGV do
  local id = ARGV[index]
  local row = redis.call('XPENDING', stream, group, id, id, 1)[1]
  local list = not row and absent or row[2] == consumer and renewal or lost
  list[#list + 1] = id
end

if #renewal > 5 then
  local renewed = {}
  renewal[#renewal + 1] = 'JUSTID'
  for _, id in ipairs(redis.call(unpack(renewal))) do renewed[id] = true end
  for index = 6, #renewal - 1 do
    local id = renewal[index]
    if not renewed[id] and #redis.call('XRANGE', stream, id, id) == 0 then
      deleted[#deleted + 1] = id
      redis.call('XACK', stream, group, id) -- XCLAIM purges it since 7.0
    end
  end
end
return { lost, deleted, absent }
