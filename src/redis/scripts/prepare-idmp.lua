-- Makes a stream remember the keys of XADD IDMP for long enough. Its two limits are only raised: a change of either makes the stream
-- forget the keys it knows.
--
-- KEYS[1] stream   ARGV[1] how long, s   ARGV[2] how many keys per producer   ARGV[3] "create" | "leave": a stream that is missing
-- Result: 1 when it remembers, 0 when this server's streams can't, or there is no stream
-- Complexity: O(1)
local stream, seconds, count = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

if redis.call('EXISTS', stream) == 0 then
  if ARGV[3] ~= 'create' then return 0 end
  redis.call('XGROUP', 'CREATE', stream, 'prepare', '$', 'MKSTREAM') -- XCFGSET wants a stream, and no command makes an empty one
  redis.call('XGROUP', 'DESTROY', stream, 'prepare')
end

local info, is = redis.call('XINFO', 'STREAM', stream), {}
for index = 1, #info, 2 do is[info[index]] = info[index + 1] end
if not is['idmp-duration'] then return 0 end
if is['idmp-duration'] < seconds or is['idmp-maxsize'] < count then
  redis.call('XCFGSET', stream, 'IDMP-DURATION', math.max(seconds, is['idmp-duration']),
    'IDMP-MAXSIZE', math.max(count, is['idmp-maxsize']))
end
return 1
