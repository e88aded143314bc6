-- Renews the lease of a place, ends the leases that are overdue, and answers how the fleet stands.
-- KEYS: the leases. ARGV: the place, its info, how long a lease holds in ms.
-- Answers: 1 when the lease is held, the time in ms, then place and lease by turns.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local hold = tonumber(ARGV[3])
-- When nobody at all beat for so long, the store was away and not the nodes: everybody gets one more lease.
local amnesty = now - tonumber(redis.call('HGET', KEYS[1], '#beat') or now) > hold * 2 / 3
redis.call('HSET', KEYS[1], '#beat', string.format('%.0f', now))
local answer = { 0, string.format('%.0f', now) }
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  local place, before = leases[i], leases[i + 1]
  local state, swept, at, info = string.match(before, '^(%a+) ([01]) (%d+) (.*)$')
  if state then
    local age = now - tonumber(at)
    -- The clock of Redis was set back, or another Redis took over whose clock is behind: the lease counts from now on.
    if age < 0 then
      at, age = string.format('%.0f', now), 0
    end
    if state == 'live' and age > hold and not amnesty then
      state = 'expired'
    elseif state == 'live' and place == ARGV[1] then
      at, info, answer[1] = string.format('%.0f', now), ARGV[2], 1
    elseif state == 'live' and amnesty then
      at = string.format('%.0f', now)
    end
    -- What is over and swept stays long enough for every node to have seen how it ended.
    if state ~= 'live' and swept == '1' and age > hold * 6 then
      redis.call('HDEL', KEYS[1], place)
    else
      local after = state .. ' ' .. swept .. ' ' .. at .. ' ' .. info
      if after ~= before then
        redis.call('HSET', KEYS[1], place, after)
      end
      answer[#answer + 1] = place
      answer[#answer + 1] = after
    end
  end
end
return answer
