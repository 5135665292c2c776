-- Counts entries below an id, a page a call, without sending them.
--
-- KEYS[1] stream   ARGV[1] XRANGE start ("-", or "(id" to continue)   ARGV[2] the id   ARGV[3] how many at most
-- Result: { count, "(id" to continue at or "" at the end }
-- Complexity: O(counted)
local entries = redis.call('XRANGE', KEYS[1], ARGV[1], '(' .. ARGV[2], 'COUNT', ARGV[3])
return { #entries, #entries == tonumber(ARGV[3]) and '(' .. entries[#entries][1] or '' }
