-- Ends a lease by its own node ('release'), or notes that what it left behind was swept ('swept').
-- KEYS: the leases. ARGV: the place, 'release' or 'swept'.
local lease = redis.call('HGET', KEYS[1], ARGV[1])
if not lease then
  return 0
end
local state, swept, at, info = string.match(lease, '^(%a+) ([01]) (%d+) (.*)$')
if ARGV[2] == 'release' then
  if state ~= 'live' then
    return 0
  end
  local time = redis.call('TIME')
  state, at = 'released', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
else
  swept = '1'
end
redis.call('HSET', KEYS[1], ARGV[1], state .. ' ' .. swept .. ' ' .. at .. ' ' .. info)
return 1
