# Makes a JSON line of each line of nginx's error log. nginx writes the request line, the host and the referrer of the
# request at fault into it, and a ticket or a code may be in them: all of that goes, but for the address of the upstream.
# That a picture waits in a file is no news.
/ is buffered to a temporary file /d
s/[^ -~]/?/g
s/, request: ".*, upstream: "\([a-z]*:\/\/[][0-9A-Fa-f.:]*\).*$/, upstream: \1/
t dropped
s/, \(sub\)\{0,1\}request: ".*$//
: dropped
s/?[^ ",]\{1,\}/?/g
s/\\/\\\\/g
s/"/\\"/g
s/^\([0-9]\{4\}\)\/\([0-9]\{2\}\)\/\([0-9]\{2\}\) \([0-9:]*\) \[\([a-z]*\)\] [0-9#]*: \(.*\)$/{"level":"\5","time":"\1-\2-\3T\4+00:00","name":"edge","msg":"\6"}/
t leveled
s/^nginx: \[\([a-z]*\)\] \(.*\)$/{"level":"\1","name":"edge","msg":"\2"}/
t leveled
s/^.*$/{"level":"error","name":"edge","msg":"&"}/
: leveled
s/^{"level":"debug"/{"level":20/
s/^{"level":"\(info\|notice\)"/{"level":30/
s/^{"level":"warn"/{"level":40/
s/^{"level":"error"/{"level":50/
s/^{"level":"[a-z]*"/{"level":60/
s/"msg":"\*\([0-9]*\) /"connection":\1,"msg":"/
