-- Takes names away from a place: the entry of each name and the roster of the place, in one step.
-- KEYS: the roster, then one entry a name. ARGV: the place, how long entries live in ms, then one roster field a name.
-- Answers the roster's revision, then a name each: '-' when it was entered (otherwise '?') and the places that are left.
local place, life = ARGV[1], ARGV[2]
local revision = redis.call('HINCRBY', KEYS[1], '#', 1)
local answer = { revision }
for i = 2, #KEYS do
  local went, left = '?', ''
  for other in string.gmatch(redis.call('GET', KEYS[i]) or '', '%S+') do
    if other == place then
      went = '-'
    else
      left = left .. ' ' .. other
    end
  end
  if went == '-' then
    if left == '' then
      redis.call('DEL', KEYS[i])
    else
      redis.call('SET', KEYS[i], string.sub(left, 2), 'PX', life)
    end
  end
  redis.call('HDEL', KEYS[1], ARGV[i + 1])
  answer[i] = went .. left
end
redis.call('PEXPIRE', KEYS[1], life)
return answer
