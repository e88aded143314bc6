/**
 * A slow line as the kernel makes one: small segments and small buffers on both sides of a proxy, so that what a client does
 * not take soon waits in the node. A proxy within Node cannot do that: loopback has segments of 64 kB, and buffers of
 * megabytes for them that hide every backlog. Perl can, and is on every machine that has git.
 */
import { connect } from 'node:net'
import { freePort, startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'

export interface NarrowLine {
  readonly port: number
  close(): Promise<void>
}

const host = '127.0.0.1'
const segmentBytes = 536
const bufferBytes = 4_096

/** Each connection has a process of its own: what a client does not take, it does not read. */
const program = `
use strict; use warnings; use Socket; use IO::Select;
my ($port, $target, $segment, $buffer, $rate) = @ARGV;
$SIG{CHLD} = 'IGNORE'; $SIG{PIPE} = 'IGNORE';
sub narrow { my ($socket) = @_;
  setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack('i', $buffer)) or die "receive buffer: $!";
  setsockopt($socket, SOL_SOCKET, SO_SNDBUF, pack('i', $buffer)) or die "send buffer: $!";
  setsockopt($socket, getprotobyname('tcp') // 6, 2, pack('i', $segment)) or die "segment: $!"; }
socket(my $door, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($door, SOL_SOCKET, SO_REUSEADDR, pack('i', 1)); narrow($door);
bind($door, sockaddr_in($port, INADDR_LOOPBACK)) or die "bind: $!"; listen($door, 16) or die "listen: $!";
sub passed { my ($from, $to) = @_;
  my $got = sysread($from, my $bytes, 2048) or return 0;
  for (my $at = 0; $at < $got; ) { $at += syswrite($to, $bytes, $got - $at, $at) // return 0 }
  return $got; }
while (1) {
  accept(my $client, $door) or next;
  if (fork()) { close $client; next }
  socket(my $node, PF_INET, SOCK_STREAM, 0) or die "socket: $!"; narrow($node); narrow($client);
  connect($node, sockaddr_in($target, INADDR_LOOPBACK)) or exit 1;
  my $both = IO::Select->new($client, $node);
  while (my @ready = $both->can_read) { for my $from (@ready) {
    my $got = passed($from, $from == $node ? $client : $node) or exit 0;
    select(undef, undef, undef, $got / $rate) if $from == $node; } } }
`

/** @param bytesPerSecond of each connection, towards the client */
export async function startNarrowLine(target: { readonly port: number }, bytesPerSecond: number): Promise<NarrowLine> {
  const port = await freePort()
  const folder = makeFolder('narrow-line')
  const started = await startProcess({
    command: 'perl',
    args: ['-e', program, ...[port, target.port, segmentBytes, bufferBytes, bytesPerSecond].map(String)],
    folder,
    ready: () =>
      new Promise(resolve => {
        const probe = connect({ port, host }, () => {
          probe.destroy()
          resolve(true)
        })
        probe.on('error', () => resolve(false))
      }),
  })
  return {
    port,
    async close() {
      await started.end('SIGKILL')
      dropFolder(folder)
    },
  }
}
