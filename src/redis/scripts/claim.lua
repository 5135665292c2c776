-- Claims keys of dedupe for entries that are about to be handled, or renews such claims. A key holds "done", or the entry
-- that has claimed it; an entry that is delivered again finds its own claim and may go on at once.
--
-- KEYS[1...] keys of dedupe
-- ARGV[1] "take" | "renew" (only what is claimed already: a claim that was given back meanwhile must not come back)
-- ARGV[2] how long a claim holds unrenewed, ms   ARGV[3] the entries that want them, per key, with line feeds between
-- Result: how many keys there were; and for each that is not taken its place among them, from 1 on, with
--    the ms until it is forgotten that it is done (-1: never), or "claimed" by another entry
-- Complexity: O(keys)
local isRenewal, claimMs = ARGV[1] == 'renew', ARGV[2]

local answers, place = { #KEYS }, 0
for entry in string.gmatch(ARGV[3], '[^\n]+') do
  place = place + 1
  local key = KEYS[place]
  local holder
  if isRenewal then
    holder = redis.call('GET', key)
  else
    holder = redis.call('SET', key, entry, 'NX', 'GET', 'PX', claimMs)
  end
  if holder == entry then
    redis.call('PEXPIRE', key, claimMs)
  elseif holder or isRenewal then
    answers[#answers + 1], answers[#answers + 2] = place, holder == 'done' and redis.call('PTTL', key) or 'claimed'
  end
end
return answers
