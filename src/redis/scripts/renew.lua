-- Renews the lease of deliveries in flight, of those only that are still this consumer's: a plain XCLAIM would steal
-- back what another consumer has claimed meanwhile.
--
-- KEYS[1] stream
-- ARGV[1] group   ARGV[2] consumer   ARGV[3...] ids, 1000 at most
-- Result: { lost ids, deleted ids }: another consumer's or settled; trimmed while pending, and out of the PEL
-- Complexity: O(ids * log PEL)
local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local owned, lost, deleted = {}, {}, {}
for index = 3, #ARGV do
  local id = ARGV[index]
  local list = #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 1 and owned or lost
  list[#list + 1] = id
end

local renewed = {}
if #owned > 0 then
  for _, id in ipairs(redis.call('XCLAIM', stream, group, consumer, 0, unpack(owned), 'JUSTID')) do renewed[id] = true end
end
for _, id in ipairs(owned) do
  if not renewed[id] then
    deleted[#deleted + 1] = id
    redis.call('XACK', stream, group, id) -- XCLAIM purges it since 7.0
  end
end
return { lost, deleted }
