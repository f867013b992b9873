package Tasks::Nginx;

# Owns one nginx: its prefix directory, its configuration, its processes, and
# the verdict on its health.  Used by the blocks of Test::Nginx::Socket (the
# one in t/lib/fallback) and by start_nginx() of Tasks.  Never decides what a
# test expects: complaints() only says what went wrong.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

use Tasks::Stopwatch;

my $START_TIMEOUT = 20;
my $STOP_TIMEOUT = 5;


# Options: prefix (required; emptied if it exists), config (what is in
# server {}), http_config, main_config, post_main_config, files (path relative
# to the prefix => content), port, master, workers, worker_connections,
# log_level, root_location, environment (a hash).

sub new {
    my ($class, %option) = @_;

    my $self = bless {
        config             => '',
        http_config        => '',
        main_config        => '',
        post_main_config   => '',
        files              => {},
        master             => 0,
        workers            => 1,
        worker_connections => 64,
        log_level          => 'info',
        root_location      => 1,
        environment        => {},
        owner              => $$,
        %option,
    }, $class;

    $self->{port} //= free_port();

    remove_tree($self->{prefix}, { keep_root => 1 });
    make_path(map { "$self->{prefix}/$_" } qw(conf logs html));
    $self->{prefix} = abs_path($self->{prefix});

    $self->write_file('html/index.html', 'It works!');
    $self->write_file($_, $self->{files}{$_}) for sort keys %{ $self->{files} };

    return $self;
}


# A port that is this process's until it ends: it may be listened on much later,
# and again and again, beside other suites that look for one.  It is none of
# those that Linux gives to clients; a name without a file says that it is taken.

my @claims;

sub free_port {
    for (1 .. 1000) {
        my $port = 10000 + int rand 20000;
        my $claim = IO::Socket::UNIX->new(Local => "\0tasks-port-$port",
                                          Listen => 1) or next;

        IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                              LocalPort => $port) or next;
        push @claims, $claim;

        return $port;
    }

    die "no free port: $!\n";
}


sub port   { $_[0]{port} }
sub prefix { $_[0]{prefix} }
sub pid    { $_[0]{pid} }


# A relative path is one below the prefix.

sub write_file {
    my ($self, $path, $content) = @_;

    $path = "$self->{prefix}/$path" unless $path =~ m{^/};

    make_path(dirname($path));
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out $content;
    close $out or die "$path: $!\n";
}


sub _slurp {
    my ($path, $from) = @_;

    open my $in, '<:raw', $path or return '';
    seek $in, $from // 0, 0;
    local $/;

    return <$in> // '';
}


# The text of error.log, from an offset.

sub error_log {
    my ($self, $from) = @_;

    return _slurp("$self->{prefix}/logs/error.log", $from);
}


sub access_log { return _slurp("$_[0]{prefix}/logs/access.log") }


# Starts nginx and waits until it serves.  Returns false if it exits instead;
# exit_status() is then set.

sub start {
    my ($self) = @_;

    $self->write_file('conf/nginx.conf', $self->_configuration);

    delete @$self{qw(status told_to_exit stopped_hard died)};
    unlink "$self->{prefix}/logs/nginx.pid";

    $self->{pid} = $self->_spawn;

    $self->_wait(sub { $self->_reap || $self->_is_up }, $START_TIMEOUT)
        or die "nginx did not start in $START_TIMEOUT s\n";

    $self->{serving} = { map { $_ => 1 } $self->worker_pids };

    return !defined $self->{status};
}


sub _spawn {
    my ($self) = @_;

    my $pid = fork() // die "fork: $!\n";

    return $pid if $pid;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{prefix}/logs/stderr.log";
    open STDERR, '>&', \*STDOUT;

    local %ENV = (%ENV, %{ $self->{environment} });

    # exec fails if there is no such binary
    no warnings 'exec';
    exec { binary() } binary(), '-p', "$self->{prefix}/",
         '-c', "$self->{prefix}/conf/nginx.conf",
         '-e', "$self->{prefix}/logs/error.log";
    POSIX::_exit(127);
}


sub binary { return $ENV{TEST_NGINX_BINARY} || 'nginx' }


# nginx writes its pid file when it listens; the master then starts workers.

sub _is_up {
    my ($self) = @_;

    return unless _slurp("$self->{prefix}/logs/nginx.pid") =~ /^$self->{pid}$/m;

    return !$self->{master} || $self->worker_pids == $self->{workers};
}


sub _wait {
    my ($self, $condition, $seconds) = @_;

    my $over = deadline($seconds);

    until ($condition->()) {
        return 0 if $over->();
        sleep 0.002;
    }

    return 1;
}


# True when nginx has exited.

sub _reap {
    my ($self) = @_;

    return 1 if !$self->{pid} || defined $self->{status};

    my $pid = waitpid $self->{pid}, WNOHANG;

    $self->{status} = $? if $pid == $self->{pid};

    return $pid != 0;
}


sub alive { return !$_[0]->_reap }


# As in $?: undef while it runs.

sub exit_status { return $_[0]{status} }


# The processes that serve: the workers that are not shutting down, or nginx
# itself if there is no master process.

sub worker_pids {
    my ($self) = @_;

    return $self->alive ? $self->{pid} : () unless $self->{master};

    return grep { _slurp("/proc/$_/cmdline") =~ /^nginx: worker process\0*$/ }
                $self->_children;
}


sub _children {
    my ($self) = @_;

    return grep { _slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S $self->{pid} /s }
           map { m{(\d+)/stat$} } glob '/proc/[0-9]*/stat';
}


sub signal {
    my ($self, $name) = @_;

    $self->{told_to_exit} ||= $name =~ /^(?:QUIT|TERM|INT|KILL)$/;

    return kill $name, $self->{pid};
}


# Asks for a graceful exit and does not wait: see wait_exit().

sub quit { return $_[0]->signal('QUIT') }


# Waits for the exit; returns false if it has not come in time.

sub wait_exit {
    my ($self, $seconds) = @_;

    return $self->_wait(sub { $self->_reap }, $seconds // $STOP_TIMEOUT);
}


# Reloads, with a new configuration if options of new() are given, and waits
# until the new workers serve.  Returns false if the configuration is refused.

sub reload {
    my ($self, %option) = @_;

    @$self{keys %option} = values %option;
    $self->write_file('conf/nginx.conf', $self->_configuration);

    my $log = length $self->error_log;
    my %old = %{ $self->{serving} };

    $self->signal('HUP');

    my $refused;
    $self->_wait(sub {
        my @new = $self->worker_pids;
        $refused = $self->error_log($log) =~ /\[emerg\]/;
        $refused || @new == $self->{workers} && !grep { $old{$_} } @new;
    }, $START_TIMEOUT) or die "nginx did not reload in $START_TIMEOUT s\n";

    $self->{serving} = { map { $_ => 1 } $self->worker_pids };

    return !$refused;
}


# Stops nginx whatever its state: gracefully, or else as hard as it takes.

sub stop {
    my ($self) = @_;

    return if $self->{owner} != $$ || $self->_reap;

    $self->{died} = $self->_lost_workers;

    for my $name (qw(QUIT TERM)) {
        $self->signal($name);
        return if $self->wait_exit($STOP_TIMEOUT);
        $self->{stopped_hard} = $name;
    }

    kill 'KILL', $self->_children, $self->{pid};
    $self->wait_exit($STOP_TIMEOUT);
}


# Workers that served at start and do not any more, as a text.

sub _lost_workers {
    my ($self) = @_;

    my %now = map { $_ => 1 } $self->worker_pids;

    return join ' ', grep { !$now{$_} } sort keys %{ $self->{serving} };
}


# All that must not happen to any nginx, one text each, but for what matches
# the pattern of what the test has asked for.

sub complaints {
    my ($self, $expected) = @_;

    my $lost = $self->alive ? $self->_lost_workers : $self->{died};
    my $status = $self->{status};

    my $log = $self->error_log . _slurp("$self->{prefix}/logs/stderr.log");

    my @trouble = $log =~ /^(.*(?:\[(?:alert|crit|emerg)\]|exited\ on\ signal
                             |AddressSanitizer|runtime\ error:).*\n
                             (?:\ +\#\d+\ .*\n)*)/mgx;

    return grep { !defined $expected || !/$expected/ } (
        $lost ? "worker process $lost is gone" : (),
        $status || defined $status && !$self->{told_to_exit}
            ? "nginx exited with status $status (as in \$?)" : (),
        $self->{stopped_hard}
            ? "nginx did not exit on SIG$self->{stopped_hard}" : (),
        @trouble,
        sanitizer_reports(),
    );
}


# Takes the reports that the sanitizers have written so far.

sub sanitizer_reports {
    my $log = $ENV{TASKS_SANITIZER_LOG} or return;

    my @files = glob "$log.*";
    my @reports = grep { length } map { _slurp($_) } @files;

    unlink @files;

    return @reports;
}


sub _configuration {
    my ($self) = @_;

    my $master = $self->{master} ? 'on' : 'off';
    my $temp = join "\n    ", map { "${_}_temp_path temp_$_;" }
               qw(client_body proxy fastcgi uwsgi scgi);
    my $user = $> || $self->{main_config} =~ /^\s*user\s/m ? '' : 'user root;';
    my $root = $self->{root_location}
        ? 'location / { root html; index index.html; }' : '';

    return <<"EOF";
daemon off;
master_process $master;
worker_processes $self->{workers};
pid logs/nginx.pid;
error_log logs/error.log $self->{log_level};
$user

$self->{main_config}

events {
    worker_connections $self->{worker_connections};
}

http {
    access_log logs/access.log;
    $temp
    default_type text/plain;
    keepalive_timeout 68s;

$self->{http_config}

    server {
        listen 127.0.0.1:$self->{port};
        server_name localhost;
        client_max_body_size 30m;

$self->{config}

        $root
    }
}

$self->{post_main_config}
EOF
}


1;
