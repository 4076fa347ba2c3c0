#!/usr/bin/perl
# Gives a command a terminal, or an input that others write to, and ends as it ends.
#
# usage: perl console.pl tty|tty:ROWS:COLUMNS|pipe COMMAND...
#        perl console.pl into:ROWS:COLUMNS:PID:NAMESPACES COMMAND...
#        perl console.pl relay:PIPE
#
# Stdin is a series of frames: a byte for the type, two for the length (big-endian), so many bytes.
#   0  input of the command
#   1  end of the input
#   2  size of the terminal: rows and columns, two bytes each
# A frame of at most 4096 bytes is written to a pipe in one go, so several may write to the same one.
#
# tty   the command is in a session of its own on a new terminal; what it writes there goes to stdout. When stdin ends,
#       the terminal is closed, which hangs up on the command.
# into  the same in the container of process PID: its terminals, its NAMESPACES (user,mnt,… in this order), its root and
#       working directory. Descriptor 3 has the environment: NAME=value with a NUL behind each. Unlike nsenter(1), nothing
#       of this is in the terminal's process group, whose keys would end it.
# pipe  its stdin is a pipe; its outputs are ours.
# relay no command: each frame is handed whole to the PIPE that is another one's stdin.
#
# Signals go on to the command. The exit code is the command's, 128+n if signal n ended it.
# Uses only what Debian's perl-base (an essential package) has.
use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use Fcntl qw(F_GETFL F_SETFL O_NOCTTY O_NONBLOCK O_RDWR O_WRONLY);
use POSIX qw(WNOHANG dup2 setsid);

# asm-generic/ioctls.h: x86, ARM, RISC-V, s390x.
my ($TIOCSCTTY, $TIOCSWINSZ, $TIOCGPTN, $TIOCSPTLCK) = (0x540E, 0x5414, 0x80045430, 0x40045431);
my ($INPUT, $END, $SIZE) = (0, 1, 2);
my $ROOM = 65536;
my $END_OF_FILE_KEY = "\x04";

my ($mode, @size) = split /:/, shift @ARGV;
my $is_into = $mode eq 'into';
my $is_tty = $is_into || $mode eq 'tty';
my ($target, $kinds) = $is_into ? splice(@size, 2) : ();
my $dev = $is_into && -c "/proc/$target/root/dev/pts/ptmx" ? "/proc/$target/root/dev" : '/dev';
# setns(2) has no name in perl.
my %SETNS = (x86_64 => 308, aarch64 => 268, riscv64 => 268, s390x => 339);
my ($sink, $slave);
my ($child, @early);

sub fail { print STDERR "interlink: @_: $!\n"; exit 125 }

sub non_blocking {
  my ($handle) = @_;
  fcntl($handle, F_SETFL, fcntl($handle, F_GETFL, 0) | O_NONBLOCK) or fail('fcntl');
}

if ($mode eq 'relay') {
  sysopen(my $pipe, join(':', @size), O_WRONLY | O_NONBLOCK) or fail('nobody takes input');
  fcntl($pipe, F_SETFL, fcntl($pipe, F_GETFL, 0) & ~O_NONBLOCK) or fail('fcntl');
  my $given = '';
  while (sysread(STDIN, $given, $ROOM, length $given)) {
    while (length($given) >= 3) {
      my $whole = 3 + unpack('xn', $given);
      last if length($given) < $whole;
      syswrite($pipe, substr($given, 0, $whole, '')) or fail('nobody takes input');
    }
  }
  exit 0;
}

# Becomes part of the container of process $target; what is started from then on is in it as a whole.
sub enter {
  my $number = $SETNS{ (POSIX::uname())[4] } or fail('no terminals in containers on this architecture');
  my @namespaces;
  for my $kind (split /,/, $kinds) {
    open(my $handle, '<', "/proc/$target/ns/$kind") or fail("open namespace $kind");
    push @namespaces, $handle;
  }
  opendir(my $root, "/proc/$target/root") or fail('open root');
  opendir(my $directory, "/proc/$target/cwd") or fail('open working directory');
  for my $handle (@namespaces) {
    syscall($number, fileno($handle) + 0, 0) == 0 or fail('enter namespace');
  }
  chdir($root) && chroot('.') && chdir($directory) or fail('enter root');
  my $started = fork();
  defined $started or fail('fork');
  return if $started == 0;
  close $_ for $slave, \*STDOUT;
  $child = $started;
  kill($_, $child) for splice @early;
  1 while waitpid($child, 0) != $child;
  my $status = $?;
  kill('KILL', $$) if ($status & 127) == 9;
  POSIX::_exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
}

my %into_environment;
if ($is_into) {
  local $/ = "\0";
  open(my $list, '<&=', 3) or fail('no environment');
  while (my $variable = <$list>) {
    chomp $variable;
    my ($name, $value) = split /=/, $variable, 2;
    $into_environment{$name} = $value;
  }
  close $list;
}

for my $signal (grep { !/^(KILL|STOP|CHLD|CLD|PIPE|TTIN|TTOU|SEGV|BUS|FPE|ILL)$/ } keys %SIG) {
  $SIG{$signal} = sub { $child ? kill($_[0], $child) : push(@early, $_[0]) };
}
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = sub { };    # Only to wake from select.

my $source;
if ($is_tty) {
  sysopen($sink, $dev eq '/dev' ? '/dev/ptmx' : "$dev/pts/ptmx", O_RDWR | O_NOCTTY) or fail('no terminal');
  ioctl($sink, $TIOCSPTLCK, my $unlock = pack('i', 0)) or fail('unlock terminal');
  ioctl($sink, $TIOCGPTN, my $number = pack('i', 0)) or fail('number of terminal');
  ioctl($sink, $TIOCSWINSZ, my $size = pack('SSSS', @size[0, 1], 0, 0)) if @size > 1;
  # Held open here as well: that the command lets go of it for a moment is not its end.
  sysopen($slave, "$dev/pts/" . unpack('i', $number), O_RDWR | O_NOCTTY) or fail('open terminal');
} else {
  pipe($source, $sink) or fail('pipe');
}

$child = fork();
defined $child or fail('fork');
if ($child == 0) {
  close $sink;
  $child = 0;
  enter() if $is_into;
  $SIG{PIPE} = 'DEFAULT';
  if ($is_tty) {
    setsid();
    ioctl($slave, $TIOCSCTTY, 0);
    dup2(fileno($slave), $_) for 0 .. 2;
  } else {
    dup2(fileno($source), 0);
  }
  %ENV = %into_environment if $is_into;
  no warnings 'exec';
  exec { $ARGV[0] } @ARGV;
  my $code = $!{ENOENT} ? 127 : 126;
  print STDERR "exec: \"$ARGV[0]\": $!\n";
  POSIX::_exit($code);
}
kill($_, $child) for splice @early;
close $source if $source;
non_blocking($sink);
# What others read or write with us (a log, the other writers' pipe) is left as it is.
non_blocking(\*STDOUT) if $is_tty && (-p STDOUT || -S STDOUT);

# Each way: what was read and not written yet. Nothing more is read while it is much.
my ($frames, $input, $output) = ('', '', '');
my ($is_open, $is_ending) = (1, 0);

sub hang_up {
  $is_open = 0;
  $input = $output = '';
  close $sink if defined $sink;
  close $slave if defined $slave;
  undef $sink;
}

sub take_frames {
  while (length($frames) >= 3) {
    my ($type, $length) = unpack('Cn', $frames);
    last if length($frames) < 3 + $length;
    my $data = substr($frames, 3, $length);
    substr($frames, 0, 3 + $length) = '';
    if ($type == $INPUT) {
      $input .= $data unless $is_ending;
    } elsif ($type == $END) {
      if ($is_tty) { $input .= $END_OF_FILE_KEY }
      else { $is_ending = 1 }
    } elsif ($type == $SIZE && $is_tty && $length == 4) {
      ioctl($sink, $TIOCSWINSZ, my $size = pack('SSSS', unpack('nn', $data), 0, 0));
    }
  }
}

# Appends what can be read; false at the end.
sub receive {
  my ($handle, $buffer) = @_;
  my $count = sysread($handle, $$buffer, $ROOM, length $$buffer);
  return defined $count ? $count > 0 : $!{EAGAIN} || $!{EINTR};
}

# Writes what can be written; false when nobody reads.
sub give {
  my ($handle, $buffer) = @_;
  my $count = syswrite($handle, $$buffer);
  return $!{EAGAIN} || $!{EINTR} unless defined $count;
  substr($$buffer, 0, $count) = '';
  return 1;
}

my $status;
until (defined $status) {
  my ($readable, $writable) = ('', '');
  vec($readable, 0, 1) = 1 if $is_open && length($input) < $ROOM;
  if (defined $sink) {
    vec($readable, fileno($sink), 1) = 1 if $is_tty && length($output) < $ROOM;
    vec($writable, fileno($sink), 1) = 1 if length $input;
  }
  vec($writable, 1, 1) = 1 if length $output;
  # The command may end just before: its signal does not wake then, the time does.
  my $ready = select($readable, $writable, undef, 1);
  if ($ready > 0) {
    if ($is_open && vec($readable, 0, 1)) {
      if (receive(\*STDIN, \$frames)) { take_frames() }
      elsif ($is_tty) { hang_up() }
      else { ($is_open, $is_ending) = (0, 1) }
    }
    if (defined $sink && vec($readable, fileno($sink), 1)) { receive($sink, \$output) }
    if (defined $sink && length $input && vec($writable, fileno($sink), 1)) {
      $input = '' unless give($sink, \$input);
    }
    if (length $output && vec($writable, 1, 1)) { give(\*STDOUT, \$output) or hang_up() }
  }
  if ($is_ending && !length $input && defined $sink && !$is_tty) { close $sink; undef $sink }
  $status = $? if waitpid($child, WNOHANG) == $child;
}

# What it wrote last is still in the terminal.
while ($is_tty && defined $sink) {
  my $before = length $output;
  receive($sink, \$output);
  last if length($output) == $before && !length $output;
  my $writable = '';
  vec($writable, 1, 1) = 1;
  select(undef, $writable, undef, 1);
  give(\*STDOUT, \$output) or last;
}
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
