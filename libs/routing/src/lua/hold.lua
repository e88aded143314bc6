-- Notes how many a node holds of each of these, and answers how many the others hold.
-- KEYS: a hash each, of nodes. ARGV: the node, how long a note is good in ms, then one count a key.
-- A note is `count at`.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, life = ARGV[1], tonumber(ARGV[2])
local answer = {}
for i = 1, #KEYS do
  local others = 0
  local notes = redis.call('HGETALL', KEYS[i])
  for j = 1, #notes, 2 do
    if notes[j] ~= node then
      local count, at = string.match(notes[j + 1], '^(%d+) (%d+)$')
      -- One from the future is from before the clock of Redis was set back; its node will note it again.
      if count and tonumber(at) <= now and tonumber(at) > now - life then
        others = others + tonumber(count)
      else
        redis.call('HDEL', KEYS[i], notes[j])
      end
    end
  end
  if ARGV[i + 2] == '0' then
    redis.call('HDEL', KEYS[i], node)
  else
    redis.call('HSET', KEYS[i], node, string.format('%s %.0f', ARGV[i + 2], now))
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
  answer[i] = others
end
return answer
