-- Counts a hit in a fixed window that begins with the first one, or takes one back.
-- KEYS: the counter. ARGV: the window in ms, 1 or -1. Answers the count and the ms that are left of the window.
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
local left = redis.call('PTTL', KEYS[1])
local window = tonumber(ARGV[1])
-- More than the window is left when the clock of Redis was set back.
if left < 0 or left > window then
  left = window
  redis.call('PEXPIRE', KEYS[1], left)
end
return { count, left }
