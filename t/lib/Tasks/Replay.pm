package Tasks::Replay;

# The replies of a real Redis to some requests, recorded once and served again,
# thousands of times and many at a time, by fakes that spoil them.  How is in
# each request's scope, and so in the keys of its commands: nothing but the
# requests is told to a fake, and those of other connections go on meanwhile.
#
#   my $replay = Tasks::Replay->record;
#   $replay->actions;  $replay->size('get');  $replay->body('get');
#   my $nginx = $replay->start(slots => 24);
#   $replay->work($nginx, \&one, @cases);        see there
#
# A case is a hash: action, how, at (a byte of the replies to the request,
# which a fake knows although they come in several steps), times (on how many
# tries), way (which of a slot's stores), and maybe slot and fault.  The hows
# are
#
#   close, reset, stall     before that byte, and nothing more
#   behind                  close, right behind the reply that ends there
#   split                   there: the rest is sent when nginx has read that
#   pieces                  of so many bytes each, sent likewise
#   instead                 what the case's fault makes of the reply of that
#                           number (from 0): see start()

use strict;
use warnings;

use JSON::PP ();
use List::Util qw(first max min shuffle sum0);
use POSIX ();
use FaultyRedis;
use Tasks ();
use Tasks::HTTP;
use Tasks::Jobs qw(status);
use Tasks::Library;
use Tasks::Stopwatch;

my $LONG = 513;             # rows: a chunk, and one more

# Of the short list's tasks the second is asked for.  "n" is what a probe
# changes: see probe().

my $DEFINITION = <<'END';
{ "name": "r",
  "id": "string",
  "order": "n",
  "fields": {
    "n":      {"type": "integer", "view": "detail"},
    "status": {"type": "string", "view": "detail"} },
  "cancel": {"from": ["run"], "set": {"status": "end"}},
  "routes": [
    {"action": "list", "path": "",
     "query": {"limit": {"type": "integer", "role": "limit", "default": 3}},
     "response": {"tasks": "$tasks", "more": "$has_more"}},
    {"action": "list", "path": "/pages",
     "query": {"limit": {"type": "integer", "role": "limit", "default": 3}},
     "response": {"tasks": "$tasks", "total": "$total"}},
    {"action": "get", "path": "/{id}", "response": {"task": "$task"}},
    {"action": "cancel", "path": "/{id}/cancel",
     "response": {"cancelled": "$id", "was": "$state", "task": "$task"}} ],
  "errors": {"default": {"body": {"error": "$tasks_error",
                                  "status": "$status"}}} }
END

# What is asked, whether lists are cached, and how many times; the replies to
# the last one are those that are spoilt.

my %REQUESTS = (
    list     => ['GET', '/', off => 1],
    cached   => ['GET', '/', on => 1],
    checked  => ['GET', '/', on => 2],
    pages    => ['GET', '/pages', off => 1],
    get      => ['GET', '/2', off => 1],
    cancel   => ['POST', '/2/cancel', off => 1],
    streamed => ['GET', "/?limit=$LONG", off => 1],
    streamed_cached => ['GET', "/?limit=$LONG", on => 1],
);


sub actions { return sort keys %REQUESTS }


# Recording

sub record {
    my ($class) = @_;

    my $self = bless { records => {} }, $class;

    my $redis = Tasks::redis_server();
    my $proxy = FaultyRedis->proxy($redis->socket);

    $self->_fill($redis);

    my $nginx = $self->_start_nginx(
        "tasks_store main { server ${\ $proxy->address }; "
        . 'load_functions off; timeout 10s; }', 'main');

    Tasks::wait_for(sub { status($self->_ask($nginx->port, '/main', 'get',
                                             'start')) eq '200' });

    $self->{records}{$_} = $self->_record($nginx, $proxy, $_)
        for actions();

    return $self;
}


# Each action's scope has tasks of its own.

sub _fill {
    my ($self, $redis) = @_;

    $redis->command('FUNCTION', 'LOAD', 'REPLACE', $_)
        for Tasks::Library::texts(Tasks::main_config(),
                                  'r.json' => $DEFINITION);

    for my $scope ('start', actions()) {
        my $size = $scope =~ /^streamed/ ? $LONG : 4;

        $redis->command('FCALL', 'r_put', 1, "tasks:{r:$scope}", $_,
                        n => $_ + 6, status => '"run"') for 1 .. $size;
    }
}


# Commands without their scope; where each reply begins; from which byte on
# they are spoilt; where the response has begun, if it goes out in chunks.

sub _record {
    my ($self, $nginx, $proxy, $action) = @_;

    my $times = $REQUESTS{$action}[3];
    my ($known, $asked) = (scalar $proxy->replies, 0);
    my $response;

    for (1 .. $times) {
        $asked = $proxy->replies - $known;
        $response = $self->_ask($nginx->port, '/main', $action, $action);
        die "$action: ", status($response), "\n"
            unless status($response) eq '200' && $response->complete;
    }

    my @replies = ($proxy->replies)[$known .. $proxy->replies - 1];
    my @commands = ($proxy->commands)[$known .. $known + $#replies];
    my @starts = map { sum0(map { length } @replies[0 .. $_ - 1]) }
                 0 .. @replies;
    my @ranges = grep { $commands[$_][0] eq 'ZRANGE' } 0 .. $#commands;
    my $first = $starts[$asked];

    return { replies => \@replies, starts => \@starts, first => $first,
             before => $asked, commands => [map { plain($_) } @commands],
             body => $response->body, size => $starts[-1] - $first,
             sent => @ranges > 1 ? $starts[$ranges[1] - 1] - $first : undef };
}


sub plain { return join(' ', @{ $_[0] }) =~ s/\{r:[^}]*\}/{r}/r }


sub size { return $_[0]{records}{$_[1]}{size} }
sub body { return $_[0]{records}{$_[1]}{body} }


# From which byte on a failure ends a response that has begun; undef if none.

sub sent { return $_[0]{records}{$_[1]}{sent} }


# How many replies there are to the request.

sub replies {
    my ($self, $action) = @_;

    my $record = $self->{records}{$action};

    return @{ $record->{replies} } - $record->{before};
}


# The bytes at which they end.

sub ends {
    my ($self, $action) = @_;

    my $record = $self->{records}{$action};

    return grep { $_ > 0 } map { $_ - $record->{first} }
           @{ $record->{starts} };
}


# Serving

# nginx, and two fakes each for unix sockets and for TCP.  A slot has stores of
# its own, and so connections: "unix" and "tcp" with one timeout, and "short"
# with another (options timeout and short, in ms).  Option faults: name =>
# bytes, or a function of the right reply that returns an answer (FaultyRedis).

sub start {
    my ($self, %option) = @_;

    @$self{qw(slots faults)} = @option{qw(slots faults)};

    my %timeout = (short => $option{short} // 50,
                   map { $_ => $option{timeout} // 1000 } qw(unix tcp));

    my %fakes = (unix => [map { $self->_fake } 1, 2],
                 tcp => [map { $self->_fake(listen => 0) } 1, 2]);
    $fakes{short} = $fakes{unix};
    $self->{fakes} = \%fakes;

    my (@stores, @names);

    for my $slot (0 .. $option{slots} - 1) {
        for my $way (qw(unix tcp short)) {
            my $server = $fakes{$way}[$slot % 2]->address;
            push @names, "$way$slot";
            push @stores, "tasks_store $way$slot { server $server; "
                          . "timeout $timeout{$way}ms; load_functions off; }";
        }
    }

    return $self->_start_nginx(join("\n", @stores), @names);
}


sub _start_nginx {
    my ($self, $stores, @names) = @_;

    my $locations = join '', map { my $store = $_; map { <<"END" } qw(on off) }
location /$store/$_ {
    tasks_api apis/r.json;
    tasks_pass $store;
    tasks_cache $_;
    tasks_scope \$arg_case;
    add_header X-Cache \$tasks_cache;
}
END
                             @names;

    return Tasks::start_nginx($locations, http_config => $stores,
        worker_connections => 1024, log_level => 'error',
        files => { 'conf/apis/r.json' => $DEFINITION });
}


# One that serves all actions, and knows the latest cases.

sub _fake {
    my ($self, @options) = @_;

    my %cases;

    return FaultyRedis->canned(
        sub { $self->_serve(\%cases, $_[0], $_[2]) },
        forget => 1, @options);
}


sub _serve {
    my ($self, $cases, $command, $connection) = @_;

    my $plain = plain($command);
    my ($scope) = "@$command[0 .. ($#$command > 3 ? 3 : $#$command)]"
                  =~ /\{r:([^}]*)\}/ or return "+OK\r\n";

    return $self->_probed($cases, $1) if $scope =~ /^probe\.(.*)/;

    my ($action) = $scope =~ /^(\w+)/;
    my $record = $self->{records}{$action};
    my $case = $cases->{$scope} // $self->_new_case($cases, $scope);

    # what was sent behind the command whose reply was cut

    return '' if ($case->{over} // 0) == $connection;

    # the next one; or else what broke is sent again, and so an earlier one

    my $i = first { ($record->{commands}[$_] // '') eq $plain }
            reverse 0 .. $case->{next};
    return "-ERR not recorded: $plain\r\n" unless defined $i;

    $case->{next} = $i + 1;

    return $case->{how} eq 'instead'
        ? $self->_replace($record, $case, $i)
        : $self->_spoil($record, $case, $i, $connection);
}


sub _new_case {
    my ($self, $cases, $scope) = @_;

    my $latest = $self->{latest} //= [];

    push @$latest, $scope;
    delete $cases->{shift @$latest} if @$latest > 20_000;

    my %case = (next => 0, tries => 0, spoilt => 0);
    @case{qw(action how at times number fault)} = split /\./, $scope;

    return $cases->{$scope} = \%case;
}


# The reply to the i-th command, or what is sent instead.

sub _replace {
    my ($self, $record, $case, $i) = @_;

    my $bytes = $record->{replies}[$i];
    my $fault = $self->{faults}{$case->{fault} // ''};

    return $bytes if $i != $record->{before} + $case->{at};

    $case->{tries}++;

    return $bytes if $case->{spoilt} >= $case->{times};

    $case->{spoilt}++;

    return ref $fault ? $fault->($bytes) : $fault;
}


# The reply to the i-th command, or what becomes of it.

sub _spoil {
    my ($self, $record, $case, $i, $connection) = @_;

    my $bytes = $record->{replies}[$i];
    my ($start, $end) = @{ $record->{starts} }[$i, $i + 1];
    my $how = $case->{how};
    my $at = $case->{at} + $record->{first};

    return { bytes => $bytes, gap => 0,
             split => [grep { $_ % $case->{at} == 0 } 1 .. length $bytes] }
        if $how eq 'pieces';

    my $here = $how eq 'behind' ? $at > $start && $at <= $end
                                : $at >= $start && $at < $end;

    return $bytes unless $here;

    $case->{tries}++;

    return $bytes if $case->{spoilt} >= $case->{times};

    return { bytes => $bytes, split => [$at - $start], gap => 0 }
        if $how eq 'split';

    $case->{spoilt}++;
    $case->{over} = $connection;
    $case->{next} = $i unless $how eq 'behind';

    return { bytes => substr($bytes, 0, $at - $start),
             $how eq 'behind' ? 'close' : $how => 1 };
}


# A get whose task has as "n" how often the case's command has come.

sub _probed {
    my ($self, $cases, $scope) = @_;

    my $tries = ($cases->{$scope} // {})->{tries} // 0;

    return $self->{records}{get}{replies}[0]
           =~ s/\$1\r\n8\r\n/\$1\r\n$tries\r\n/r;
}


# Asking

# Has each case done by the function, one after the other on each slot, and
# all slots at once, but few for long lists, which are work for all processes:
# with more of them each would wait for the others.  The function is called with
# this object, the slot and the case, and returns what went wrong, if anything.
#
# What begins with "late" may be the machine's fault: if these are few they are
# done again, one at a time, and count then.  Returns how many cases were right,
# what went wrong (text => how often), figures: see figure(), and how many were
# done again.

sub work {
    my ($self, $nginx, $function, @cases) = @_;

    my $slots = @cases && $self->size($cases[0]{action}) > 4096
                ? min(6, $self->{slots}) : $self->{slots};

    $self->{port} = $nginx->port;

    srand 1;
    @cases = shuffle(@cases);

    for my $i (0 .. $#cases) {
        $cases[$i]{number} = $i;
        $cases[$i]{slot} //= $i % $slots;
    }

    my %sum = (right => 0, wrong => {}, figures => {}, late => [], again => 0);

    $self->_add(\%sum, map {
        my $slot = $_;
        $self->_client($function, grep { $_->{slot} == $slot } @cases);
    } 0 .. $self->{slots} - 1);

    my @late = splice @{ $sum{late} };

    # a machine that stands still for a moment hits one of each slot

    if (@late > 2 * $self->{slots}) {
        $sum{wrong}{@late . ' are late'}++;
        return \%sum;
    }

    # a fake remembers those that it has done

    $_->{number} += @cases for @cases[@late];

    $self->_add(\%sum, $self->_client($function, @cases[@late])) if @late;
    $sum{again} = @late;
    $sum{wrong}{@{ $sum{late} } . ' are late again'}++ if @{ $sum{late} };

    return \%sum;
}


# Adds the results of clients to a sum.

sub _add {
    my ($self, $sum, @clients) = @_;

    for my $out (@clients) {
        my $result = eval { JSON::PP->new->decode(join '', <$out>) }
                     // { wrong => { 'a client died' => 1 } };

        $sum->{right} += $result->{right} // 0;
        $sum->{wrong}{$_} += $result->{wrong}{$_}
            for keys %{ $result->{wrong} };
        push @{ $sum->{late} }, @{ $result->{late} // [] };

        for my $name (keys %{ $result->{figures} }) {
            $sum->{figures}{$name} = max($result->{figures}{$name},
                                         $sum->{figures}{$name} // 0);
        }

        close $out;
    }
}


# A process that does some cases, whose result can be read.

sub _client {
    my ($self, $function, @cases) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!\n";

    return $out if $pid;

    $self->{figures} = {};
    my %result = (right => 0, wrong => {}, late => [],
                  figures => $self->{figures});

    for my $case (@cases) {
        my $wrong = eval { $function->($self, $case->{slot}, $case) }
                    // "late: died: $@";

        if ($wrong =~ /^late/) {
            push @{ $result{late} }, $case->{number};
        } elsif (length $wrong) {
            $result{wrong}{$wrong}++;
        } else {
            $result{right}++;
        }
    }

    syswrite STDOUT, JSON::PP->new->ascii->encode(\%result);
    POSIX::_exit(0);
}


# Keeps the largest value of a name.

sub figure {
    my ($self, $name, $value) = @_;

    $self->{figures}{$name} = $value
        if $value > ($self->{figures}{$name} // 0);
}


# Asks for what the case is about, and returns the response to the last request
# and how long it took.

sub ask {
    my ($self, $slot, $case) = @_;

    my $action = $case->{action};
    my $scope = scope_of($case);
    my ($response, $took);

    for (1 .. $REQUESTS{$action}[3]) {
        $took = stopwatch();
        $response = $self->_ask($self->{port}, "/$case->{way}$slot", $action,
                                $scope);
    }

    return ($response, $took->());
}


sub scope_of {
    my ($case) = @_;

    return join '.', @$case{qw(action how at times number)},
                     $case->{fault} // ();
}


# Waits for service on the case's store; returns how often the command that was
# spoilt has come, and how long that took.

sub probe {
    my ($self, $slot, $case, $seconds) = @_;

    my $scope = 'probe.' . scope_of($case);
    my $took = stopwatch();

    while (1) {
        my $response = $self->_ask($self->{port}, "/$case->{way}$slot", 'get',
                                   $scope);
        my $status = status($response);
        my ($tries) = $response->body =~ /"n":(\d+)/;

        return ($tries, $took->())
            if $status eq '200'
               && $response->body eq $self->_probe_body($tries);

        die "probed: $status\n" unless $status =~ /^50[34] /;
        die "no service after $seconds s\n" if $took->() > $seconds;
    }
}


sub _probe_body {
    my ($self, $tries) = @_;

    return $self->body('get') =~ s/"n":8/"n":$tries/r;
}


# On the connection of this process, which is replaced when nginx closes it.

sub _ask {
    my ($self, $port, $prefix, $action, $scope) = @_;

    my ($method, $path, $cached) = @{ $REQUESTS{$action} };

    $path =~ s{^/(?=$|\?)}{};
    $path .= ($path =~ /\?/ ? '&' : '?') . "case=$scope";

    my $connection = $self->{connection}{$$} //= Tasks::http_connect($port);

    $connection->send(Tasks::HTTP::request_bytes($method,
                                                 "$prefix/$cached$path"));

    my $response = $connection->response(10);

    delete $self->{connection}{$$}
        if !$response || !$response->complete
           || $response->header('Connection') eq 'close';

    return $response;
}


1;
