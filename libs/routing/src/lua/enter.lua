-- Enters names for a place: the entry of each name and the roster of the place, in one step.
-- KEYS: the roster, then one entry a name. ARGV: the place, how long entries live in ms, then one roster field a name.
-- Answers the roster's revision, then a name each: '=' when it was entered already (otherwise '+') and the other places.
local place, life = ARGV[1], ARGV[2]
local node = string.match(place, '^(.*):') .. ':'
local revision = redis.call('HINCRBY', KEYS[1], '#', 1)
local answer = { revision }
for i = 2, #KEYS do
  local already, others = '+', ''
  for other in string.gmatch(redis.call('GET', KEYS[i]) or '', '%S+') do
    if other == place then
      already = '='
    -- An older generation of the same node is dead since this one began.
    elseif string.sub(other, 1, #node) ~= node then
      others = others .. ' ' .. other
    end
  end
  redis.call('SET', KEYS[i], place .. others, 'PX', life)
  redis.call('HSET', KEYS[1], ARGV[i + 1], '')
  answer[i] = already .. others
end
redis.call('PEXPIRE', KEYS[1], life)
return answer
