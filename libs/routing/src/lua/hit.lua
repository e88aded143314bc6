-- Counts a hit in a fixed window that begins with the first one.
-- KEYS: the counter. ARGV: the window in ms. Answers the count and the ms that are left of the window.
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], left)
end
return { count, left }
