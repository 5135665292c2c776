-- Removes a group with all that belongs to it, and says whether it was there. What an earlier deletion of the stream has left
-- behind is removed as well.
--
-- KEYS[1] stream   KEYS[2...] what is beside it: retry schedule, failures, order; its dead-letter stream, left out, is kept
-- ARGV[1] group
-- Result: 1 when the group was there, else 0
-- Complexity: O(PEL); the memory of the helper keys is freed in the background
local stream = KEYS[1]

-- XGROUP DESTROY is an error where the stream is missing, and 0 where the group is
local destroyed = redis.call('EXISTS', stream) == 1 and redis.call('XGROUP', 'DESTROY', stream, ARGV[1]) or 0
redis.call('UNLINK', unpack(KEYS, 2))
return destroyed
