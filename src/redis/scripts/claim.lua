-- Claims keys of dedupe for entries that are about to be handled, or renews such claims. A key holds "done", or the entry
-- that has claimed it; an entry that is delivered again finds its own claim and may go on at once.
--
-- KEYS[1...] keys of dedupe
-- ARGV[1] "take" | "renew" (only what is claimed already: a claim that was given back meanwhile must not come back)
-- ARGV[2] how long a claim holds unrenewed, ms   ARGV[3...] the entry that wants it, per key
-- Result: per key { "taken" }, { "done", ms until that is forgotten }, or { "claimed" } by another entry
-- Complexity: O(keys)
local isRenewal, claimMs = ARGV[1] == 'renew', ARGV[2]

local answers = {}
for index, key in ipairs(KEYS) do
  local entry, holder = ARGV[index + 2], redis.call('GET', key)
  if holder == 'done' then
    answers[index] = { 'done', redis.call('PTTL', key) }
  elseif holder == entry then
    redis.call('PEXPIRE', key, claimMs)
    answers[index] = { 'taken' }
  elseif holder or isRenewal then
    answers[index] = { 'claimed' }
  else
    redis.call('SET', key, entry, 'PX', claimMs)
    answers[index] = { 'taken' }
  end
end
return answers
