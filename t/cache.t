# Pages of lists that a worker keeps, and requests that share their reading:
# nothing older than its request, nobody else's page, few commands to Redis,
# bounded memory; and every request that shares is answered whatever becomes of
# the reading and of the other ones.

use lib 't/lib';
use Tasks ':live';

use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use FaultyRedis;
use Tasks::HTTP;
use Tasks::Jobs;
use Tasks::Library;
use Tasks::Load;
use Tasks::Valgrind;


my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds
# the address sanitizer keeps up to 256 MB of what was freed
my $SHARERS = 30;


# A Redis of two tasks whose rows tell the revision that they are of.  Its plan:
#
#   id => N                 counts commands from 1 again
#   rev => N                of every index; 1 by default
#   pad => BYTES            in each row
#   select => MS            before a connection is ready
#   hold => 1               answers nothing: see release()
#   steps => { K => ANSWER }    instead of the K-th answer
#   cut => { K => N }           N bytes of the K-th answer, and the end

sub bulk { defined $_[0] ? '$' . length($_[0]) . "\r\n$_[0]\r\n" : "\$-1\r\n" }

sub array { '*' . @_ . "\r\n" . join '', @_ }

my @IDS = qw(b a);


sub right_answer {
    my ($command, $plan) = @_;

    my ($name, $key, @rest) = @$command;
    my $rev = $plan->{rev} // 1;

    return "+OK\r\n" if $name eq 'SELECT';
    return array(map { bulk("862a99ba0c6000:$_") } @IDS) if $name eq 'ZRANGE';
    return ":2\r\n" if $name eq 'ZCARD';
    return array(map { bulk($rev) } @rest) if $key =~ /:revs$/;
    return array(map { bulk(row($_, $rev, $plan->{pad})) } @rest)
        if $key =~ /:rows$/;
    return array(map { bulk($rev) } @rest);
}


sub row {
    my ($id, $rev, $pad) = @_;

    return "{\"id\":\"$id\",\"rev\":$rev"
           . ($pad ? ',"pad":"' . 'x' x $pad . '"' : '') . '}';
}


sub right_body {
    my ($rev, $pad) = @_;

    return '{"tasks":[' . join(',', map { row($_, $rev, $pad) } @IDS)
           . '],"next":null}';
}


my ($id, $count) = (0, 0);     # in the process of the Redis


sub answer {
    my ($command, $plan) = @_;

    return { bytes => "+OK\r\n", delay => $plan->{select} }
        if $command->[0] eq 'SELECT';
    return '' if $plan->{hold};

    ($id, $count) = ($plan->{id}, 0) if ($plan->{id} // 0) != $id;

    my $answer = $plan->{steps}{++$count} // right_answer($command, $plan);
    my $cut = $plan->{cut}{$count};

    return defined $cut ? { bytes => substr($answer, 0, $cut), close => 1 }
                        : $answer;
}


my $plans = 0;

sub set_plan {
    my ($fake, %plan) = @_;

    $fake->plan(id => ++$plans, %plan);
}


my $HEADER = 'add_header X-Cache $tasks_cache always;';

sub start_fake {
    my ($directives, $http, %option) = @_;

    my $listen = delete $option{listen};
    my $fake = FaultyRedis->canned(\&answer,
                                   defined $listen ? (listen => $listen) : ());
    my $nginx = start_jobs(
        store => 'server ' . $fake->address
                 . "; load_functions off; $directives",
        http_config => "$HEADER " . ($http // ''), worker_connections => 512,
        %option);

    wait_for(sub { http($nginx->port, 'GET', '/jobs/a')->status eq '200' }, 5,
             'service');

    return ($fake, $nginx);
}


sub get { return http($_[0]->port, 'GET', $_[1] // '/jobs', timeout => 10) }

sub how { return $_[0]->header('X-Cache') }


sub send_get {
    my ($connection, $path, %header) = @_;

    $connection->send(Tasks::HTTP::request_bytes('GET', $path,
                                                 headers => \%header));

    return $connection;
}


sub connections {
    my ($nginx, $n) = @_;

    my @made = map { http_connect($nginx->port) } 1 .. $n;

    # nginx has accepted them when it has answered on them
    send_get($_, '/') for @made;
    $_->response(10)->status eq '200' or die "no answer\n" for @made;

    return @made;
}


# Requests that nginx finds at once, all in one turn of its event loop.

sub at_once {
    my ($nginx, $connections, $path) = @_;

    my ($worker) = $nginx->worker_pids;

    kill 'STOP', $worker;
    wait_for(sub { state_of($worker) eq 'T' }, 5, 'a stopped worker');
    send_get($connections->[$_], ref $path ? $path->[$_] : $path)
        for 0 .. $#$connections;
    kill 'CONT', $worker;
}


sub state_of {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/stat" or return '';

    return <$in> =~ /^\d+ \(.*\) (\S)/ ? $1 : '';
}


sub rss_of {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/statm" or die "statm: $!\n";

    return 4096 * (split ' ', <$in>)[1];
}


# Each answer that there is with how many got it: "503 unavailable", "200 rev 1".

sub answers {
    my (@connections) = @_;

    my %got;

    $got{outcome(eval { $_->response(5) })}++ for @connections;

    return \%got;
}


sub outcome {
    my ($response) = @_;

    return 'none' if !$response;

    my $status = status($response);

    return $status if $status ne '200';

    my ($rev) = $response->body =~ /"rev":(\d+)/;

    return $response->complete
           && $response->body =~ /^\{"tasks":\[(.*)\],"(?:next|total)"/
           && defined $rev && $1 eq join(',', map { row($_, $rev) } @IDS)
           ? "200 rev $rev" : '200 with a wrong body: ' . $response->body;
}


sub hows {
    my %got;

    $got{how($_->response(5))}++ for @_;

    return \%got;
}


# The commands so far, but for those of a new connection.

sub commands { return grep { $_->[0] ne 'SELECT' } $_[0]->commands }


# A Redis that waits: what it is asked from hold() on is answered by release(),
# in turn, as of a state.

my $answered;

sub hold {
    my ($fake, %plan) = @_;

    set_plan($fake, %plan, hold => 1);
    $answered = commands($fake);
}


sub asked {
    my ($fake, $n) = @_;

    return wait_for(sub {
        my @commands = commands($fake);
        @commands >= $answered + $n && [@commands[$answered .. $#commands]];
    }, 5, "$n commands");
}


sub release {
    my ($fake, $n, %state) = @_;

    my @commands = @{ asked($fake, $n) };

    $answered += $n;
    $fake->inject(join '', map { right_answer($_, \%state) }
                           @commands[0 .. $n - 1]);
}


# Returns when nginx has seen all that was sent before: its command for another
# task has come, and is to be released, too.

my $witness;

sub witness {
    my ($fake, $nginx) = @_;

    $witness = send_get(http_connect($nginx->port), '/jobs/witness');
    wait_for(sub { grep { "@$_" =~ /:task:witness / }
                        @{ asked($fake, 0) } }, 5, 'the witness');
}


# Failures of each step, with many that share.  What the reader of replies
# takes for nonsense makes it ask once more on another connection.

# the commands of a list, in order
my @READING = (['HMGET', ':revs', ''], ['HMGET', ':revs', ''],
               ['ZRANGE', ':index'], ['HMGET', ':rows', @IDS],
               ['HMGET', ':revs', '']);

# how a list is read: its commands, and the revision to be found by each
my %WAYS = (
    'a check'                  => [1, kept => 1, rev => 1],
    'a check, and the reading' => [5, kept => 1, rev => 2],
    'a reading'                => [4, kept => 0, rev => 1],
);

my %FAILURES = (
    LOADING   => ["-LOADING Redis is loading\r\n", '503 unavailable'],
    NOPERM    => ["-NOPERM this user has no permissions\r\n",
                  '503 unavailable'],
    BUSY      => ["-BUSY Redis is busy\r\n", '503 unavailable'],
    WRONGTYPE => ["-WRONGTYPE Operation against a key\r\n", '500 internal'],
    ERR       => ["-ERR unknown command\r\n", '500 internal'],
    'a status'        => ["+OK\r\n", '503 unavailable'],
    'an integer'      => [":7\r\n", '503 unavailable'],
    'a nil'           => ["\$-1\r\n", '503 unavailable'],
    'a nil array'     => ["*-1\r\n", '503 unavailable'],
    'a string'        => ["\$1\r\n7\r\n", '503 unavailable'],
    'an array of integers'      => ["*1\r\n:7\r\n", '503 unavailable'],
    'too long an array'         => [array((bulk(7)) x 99), 'served'],
    'no protocol'     => ["HTTP/1.1 400 Bad Request\r\n\r\n", 'served'],
);

# Puts the list into the state that a way begins with; returns its path.

sub prepare {
    my ($fake, $nginx, %way) = @_;

    set_plan($fake, rev => 99);
    wait_for(sub { outcome(get($nginx)) eq '200 rev 99' }, 5, 'service');

    # an error leaves the page that is kept: a list that nobody has asked for
    return '/jobs?kind=k' . ++$plans unless $way{kept};

    set_plan($fake, rev => 1);
    outcome(get($nginx)) eq '200 rev 1' or die "no service\n";

    return '/jobs';
}


sub refuse_each_step {
    my ($fake, $nginx, @sharers) = @_;

    for my $name (sort keys %WAYS) {
        my ($steps, %way) = @{ $WAYS{$name} };

        for my $step (1 .. $steps) {
            my %bad = map { refuse($fake, $nginx, $steps, $step, \%way, $_,
                                   @sharers) } sort keys %FAILURES;

            is_deeply(\%bad, {}, "$name, step $step of $steps fails: all "
                      . @sharers . ' are told, and the next request is served');
        }
    }
}


# What was wrong: nothing, or the failure and what they got.

sub refuse {
    my ($fake, $nginx, $steps, $step, $way, $failure, @sharers) = @_;

    my ($bytes, $expected) = @{ $FAILURES{$failure} };
    my $good = "200 rev $way->{rev}";
    my $rows = $step == $steps - 1 && $steps > 1;

    $expected = $good if $expected eq 'served'
                         || $rows && $failure eq 'an array of integers';

    my $path = prepare($fake, $nginx, %$way);

    set_plan($fake, rev => $way->{rev}, steps => { $step => $bytes });
    at_once($nginx, \@sharers, $path);
    my $got = answers(@sharers);

    set_plan($fake, rev => $way->{rev});
    my $next;
    wait_for(sub { ($next = outcome(get($nginx, $path)))
                   ne '503 unavailable' }, 5, 'service');

    return $next eq $good && ($got->{$expected} // 0) == @sharers ? ()
         : ($failure => [$got, $next]);
}


{
    my ($fake, $nginx) = start_fake('timeout 10s;');
    my @sharers = connections($nginx, $SHARERS);
    my ($worker) = $nginx->worker_pids;
    my @rss;

    for (1 .. 3) {
        refuse_each_step($fake, $nginx, @sharers);
        push @rss, rss_of($worker);
    }

    cmp_ok($rss[2] - $rss[0], '<', $SLOW > 1 ? 300e6 : 300e3,
           'which leaves no memory in use') or diag("@rss");


    # a connection that is closed once: the commands are sent again; each time:
    # an error

    for my $name (sort keys %WAYS) {
        my ($steps, %way) = @{ $WAYS{$name} };

        for my $step (1 .. $steps) {
            my $path = prepare($fake, $nginx, %way);

            set_plan($fake, rev => $way{rev}, steps => { $step => { close => 1 } });
            at_once($nginx, \@sharers, $path);
            is_deeply(answers(@sharers), { "200 rev $way{rev}" => $SHARERS },
                      "$name, step $step of $steps: closed once, all are served");

            $path = prepare($fake, $nginx, %way);
            set_plan($fake, rev => $way{rev}, steps => { map { $_ => { close => 1 } }
                                          $step .. $step + 40 });
            at_once($nginx, \@sharers, $path);
            is_deeply(answers(@sharers), { '503 unavailable' => $SHARERS },
                      "$name, step $step of $steps: closed each time, all are told");
            $fake->drop;
            set_plan($fake, rev => $way{rev});
            wait_for(sub { outcome(get($nginx, $path)) ne '503 unavailable' }, 5);
            is(outcome(get($nginx, $path)), "200 rev $way{rev}", 'then served');
        }
    }


    # a Redis that says nothing more

    ($fake, $nginx) = start_fake('timeout 500ms;');
    @sharers = connections($nginx, $SHARERS);

    for my $name (sort keys %WAYS) {
        my ($steps, %way) = @{ $WAYS{$name} };

        for my $step (1 .. $steps) {
            my $path = prepare($fake, $nginx, %way);

            set_plan($fake, rev => $way{rev}, steps => { $step => { stall => 1 } });
            my $took = stopwatch();
            at_once($nginx, \@sharers, $path);
            is_deeply(answers(@sharers), { '504 timeout' => $SHARERS },
                      "$name, step $step of $steps: never answered, all are told");
            cmp_ok($took->(), '<', 0.5 + 0.5 * $SLOW, 'in time');
            set_plan($fake, rev => $way{rev});
            wait_for(sub { outcome(get($nginx, $path)) !~ /^50[34] / }, 5);
            is(outcome(get($nginx, $path)), "200 rev $way{rev}", 'then served');
        }
    }
}



# A reply that breaks off, at each byte

{
    my ($fake, $nginx) = start_fake('timeout 10s;');
    my @sharers = connections($nginx, 8);
    my ($steps, %way) = @{ $WAYS{'a check, and the reading'} };
    my (%bad, $cuts);

    for my $step (1 .. $steps) {
        my $length = length right_answer($READING[$step - 1], { rev => 2 });

        for my $cut (1 .. $length - 1) {
            set_plan($fake, rev => 1);
            wait_for(sub { outcome(get($nginx)) eq '200 rev 1' }, 5, 'service');

            set_plan($fake, rev => 2, cut => { $step => $cut });
            at_once($nginx, \@sharers, '/jobs');
            my $got = answers(@sharers);
            $bad{"step $step, byte $cut"} = $got
                unless ($got->{'200 rev 2'} // 0) == @sharers;
            $cuts++;
        }
    }

    is_deeply(\%bad, {}, "a reply that breaks off at one of $cuts bytes: asked "
                         . 'for once more') or diag(explain(\%bad));
}


# Who shares

{
    my ($fake, $nginx) = start_fake('timeout 5s;');
    my @sharers = connections($nginx, 50);

    my $before = commands($fake);
    at_once($nginx, \@sharers, '/jobs');
    is_deeply(hows(@sharers), { MISS => 1, SHARED => 49 },
              '50 equal requests at once: one is read for');
    is(commands($fake) - $before, 4, 'by four commands');

    $before = commands($fake);
    at_once($nginx, \@sharers, '/jobs');
    is_deeply(hows(@sharers), { HIT => 1, SHARED => 49 }, 'again: one is asked for');
    is(commands($fake) - $before, 1, 'by one command');

    set_plan($fake, rev => 2);
    $before = commands($fake);
    at_once($nginx, \@sharers, '/jobs');
    is_deeply(answers(@sharers), { '200 rev 2' => 50 }, 'after a change: all get it');
    is(commands($fake) - $before, 5, 'by five commands');


    # who comes when the question has left

    for my $way (['the check', 1], ['the first step of a reading', 2]) {
        my ($name, $n) = @$way;

        my $path = $n == 1 ? '/jobs' : '/jobs?kind=late';

        hold($fake);
        my $first = send_get($sharers[0], $path);
        asked($fake, $n);
        my @late = @sharers[1 .. 20];
        send_get($_, $path) for @late;
        witness($fake, $nginx);

        # what was asked before the change is answered as it was then
        release($fake, $n, rev => 2);
        release($fake, 1);
        release($fake, 2, rev => 2) if $n == 2;

        is(outcome($first->response), '200 rev 2',
           "$name has left: its request gets the state of then");

        # the later ones: a check, and the reading of what has changed
        release($fake, $_, rev => 3) for 1, 2, 2;

        is_deeply(answers(@late), { '200 rev 3' => 20 },
                  'requests that come later get the state of a later check');
        is(@{ asked($fake, 0) }, 0, 'and share that');
        set_plan($fake, rev => 2);
    }
}


# Who goes away

sub leave {
    my (@connections) = @_;

    for (@connections) {
        setsockopt $_->socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
        $_->close;
    }
}


sub go_away {
    my ($fake, $nginx) = @_;

    # the commands that are answered before they go, and those after that
    my %moments = (
        'during a check'          => ['/jobs', 0, 1],
        'during the first step'   => ['/jobs?kind=%d', 0, 2, 2],
        'during the second step'  => ['/jobs?kind=%d', 2, 2],
    );

    for my $moment (sort keys %moments) {
        my ($path, $before, @after) = @{ $moments{$moment} };

        for my $who ('the first', 'some', 'the last', 'all') {
            get($nginx);
            my $this = $path =~ s/%d/++$plans/er;
            my @sharers = connections($nginx, 12);
            my @waiting = connections($nginx, 4);

            hold($fake);
            at_once($nginx, \@sharers, $this);
            release($fake, $before) if $before;
            asked($fake, $after[0]);
            send_get($_, $this) for @waiting;

            my %gone = map { $_ => 1 } $who eq 'the first' ? 0
                                     : $who eq 'some' ? (0, 3 .. 7)
                                     : $who eq 'the last' ? 11 : 0 .. 11;
            leave(@sharers[sort { $a <=> $b } keys %gone]);
            leave($waiting[1]);
            witness($fake, $nginx);

            release($fake, $after[0]);
            release($fake, 1);                      # the witness
            release($fake, $_) for @after[1 .. $#after];

            my @stay = @sharers[grep { !$gone{$_} } 0 .. 11];
            is_deeply(answers(@stay), @stay ? { '200 rev 1' => scalar @stay } : {},
                      "$who that share go away $moment: the others are served");

            release($fake, 1, rev => 1);            # the check
            is_deeply(answers(@waiting[0, 2, 3]), { '200 rev 1' => 3 },
                      'and those that wait for the next check');

            set_plan($fake);
            is(outcome(get($nginx, $this)), '200 rev 1', 'then one more');
        }

        # nobody is left: what was asked is of no use to who comes then

        get($nginx);
        my $this = $path =~ s/%d/++$plans/er;
        my @sharers = connections($nginx, 12);
        my $log = length $nginx->error_log;

        hold($fake);
        at_once($nginx, \@sharers, $this);
        release($fake, $before) if $before;
        asked($fake, $after[0]);
        leave(@sharers);
        wait_for(sub { 12 == (() = $nginx->error_log($log) =~
                              /prematurely closed/g) }, 5, 'them to be gone');

        my ($next) = send_get(http_connect($nginx->port), $this);
        asked($fake, $after[0] + ($path =~ /kind/ ? 2 : 1));
        release($fake, $after[0], rev => 1);
        release($fake, 1, rev => 3) if $path !~ /kind/;
        release($fake, $_, rev => 3) for 2, 2;
        is(outcome($next->response), '200 rev 3',
           "all that share go away $moment: who comes then gets a later state");

        set_plan($fake);
    }
}


# How long requests wait

my $TIMEOUT = 1;

sub in_time {
    my ($start, $took, $name) = @_;

    my ($passed, $own) = (time - $start, $took->());

    ok($passed > $TIMEOUT - 0.02 && $own < $TIMEOUT + 0.5 * $SLOW,
       "$name: in its time") or diag("$own of $passed s");
}


{
    my ($fake, $nginx) = start_fake("timeout ${\ ($TIMEOUT * 1000) }ms;");

    for my $path ('/jobs', '/jobs?kind=slow') {
        my @connections = connections($nginx, 2);

        wait_for(sub { outcome(get($nginx)) eq '200 rev 1' }, 5, 'service');
        hold($fake);

        my ($start, $took) = (time, stopwatch());
        my $from = commands($fake);
        send_get($connections[0], $path);
        wait_for(sub { commands($fake) > $from });
        sleep $TIMEOUT / 2;
        my ($later, $later_took) = (time, stopwatch());
        send_get($connections[1], $path);

        is(outcome($connections[0]->response), '504 timeout',
           "$path is never answered: a timeout");
        in_time($start, $took, 'the first');
        is(outcome($connections[1]->response), '504 timeout',
           'and for one that waits for the next question');
        in_time($later, $later_took, 'the second');

        set_plan($fake);
        wait_for(sub { outcome(get($nginx)) eq '200 rev 1' }, 5, 'service');
        is(outcome(get($nginx, $path)), '200 rev 1', 'then served');

        # one that waits is served as soon as the question under way ends

        hold($fake);
        $from = commands($fake);
        send_get($connections[0], $path);
        wait_for(sub { commands($fake) > $from });
        sleep $TIMEOUT / 2;
        send_get($connections[1], $path);
        witness($fake, $nginx);
        set_plan($fake, rev => 2);
        is(outcome($connections[0]->response), '504 timeout', 'a timeout');
        is(outcome($connections[1]->response), '200 rev 2',
           'the next question is answered');
        set_plan($fake);
    }
}


# whose waiting began before that of the list that it shares

{
    my ($fake, $nginx) = start_fake("timeout ${\ ($TIMEOUT * 1000) }ms;", '',
        locations => 'location /key { tasks_api apis/jobs.json; '
            . 'tasks_auth credential; tasks_credential $http_x_key; '
            . 'tasks_pass main; }');
    my @connections = connections($nginx, 2);

    get($nginx);
    hold($fake);

    my ($start, $took) = (time, stopwatch());
    send_get($connections[0], '/key', 'X-Key' => 'k');
    asked($fake, 1);
    sleep 0.6 * $TIMEOUT;
    send_get($connections[1], '/jobs');
    asked($fake, 2);
    my ($key) = asked($fake, 1)->[0];
    like("@$key", qr/^HMGET tasks:credential:/, 'a credential is asked for');
    release($fake, 1, rev => 9_999_999_999);     # when it expires, too

    is(outcome($connections[0]->response), '504 timeout',
       'a list that waits for a check, after a slow credential: a timeout');
    in_time($start, $took, 'the request');
    is(outcome($connections[1]->response), '504 timeout', 'the check times out');
}


# before there is a connection

{
    my ($fake, $nginx) = start_fake("timeout ${\ ($TIMEOUT * 1000) }ms;"
                                    . ' connect_timeout 10s;');
    my @connections = connections($nginx, 2);

    sleep 1.1;      # a connection that has served for a second is replaced at once
    set_plan($fake, select => 1.25 * $TIMEOUT * 1000);
    $fake->drop;
    send_get($connections[0], '/jobs');
    sleep $TIMEOUT / 2;
    send_get($connections[1], '/jobs');
    is(outcome($connections[0]->response), '504 timeout',
       'a connection that takes longer than the first may wait: a timeout');
    is(outcome($connections[1]->response), '200 rev 1',
       'but the second, which has asked later, is served');
}


# Pages that go while they are checked

sub drop_checked_pages {
    my ($fake, $nginx) = @_;

    my %state = (pad => 3000);
    my $path = sub { "/jobs?limit=$_[0]" };
    my ($first, @others) = 101 .. 108;

    set_plan($fake, %state);
    get($nginx, $path->($_)) for $first, @others;
    is(join(' ', map { how(get($nginx, $path->($_))) } $first, @others),
       join(' ', ('HIT') x 8), 'eight pages are kept, and there is no more room');

    # a page is read; a check of the oldest page is under way, and all others
    # are asked for after it, when that page is to be kept

    hold($fake, %state);
    my @new = map { http_connect($nginx->port) } 1 .. 2;
    send_get($new[0], $path->(200));
    release($fake, 2, %state);
    asked($fake, 2);

    my $checked = send_get(http_connect($nginx->port), $path->($first));
    asked($fake, 3);
    my @rest = map { my $connection = http_connect($nginx->port);
                     send_get($connection, $path->($others[$_]));
                     asked($fake, 4 + $_); $connection } 0 .. $#others;
    send_get($new[1], $path->(200));
    witness($fake, $nginx);

    release($fake, 2, %state);
    ok($new[0]->response->body eq right_body(1, 3000), 'a page more is read');
    release($fake, 1, %state);
    set_plan($fake, %state);
    release($fake, scalar @{ asked($fake, 0) }, %state);

    ok($_->response->body eq right_body(1, 3000),
       'a page that is checked meanwhile is whole') for $checked, @rest, $new[1];
}


# Several lists in one page, and in one request

sub include_lists {
    my ($fake, $nginx) = @_;

    my @lists = ((map { "/jobs?limit=$_" } 5, 5, 6, 5, 6), '/jobs?limit=5');

    $nginx->write_file('html/page', join '',
        map { "<!--# include virtual=\"$_\" -->\n" } @lists);

    for my $rev (1, 1, 2) {
        set_plan($fake, rev => $rev);
        my $before = commands($fake);
        my $response = get($nginx, '/page');
        is($response->body, (right_body($rev) . "\n") x @lists,
           'a page that includes lists several times');
        cmp_ok(commands($fake) - $before, '<=', 2 * 5, 'each list is read once');
    }

    # the client goes away in between

    my @pages = connections($nginx, 3);
    hold($fake);
    at_once($nginx, \@pages, '/page');
    asked($fake, 2);
    leave($pages[0]);
    witness($fake, $nginx);
    set_plan($fake, rev => 3);
    release($fake, scalar @{ asked($fake, 0) }, rev => 3);
    is($_->response->body, (right_body(3) . "\n") x @lists,
       'another client has gone while they shared') for @pages[1, 2];
}


# All of that, on a nginx of its own: as it is, and under valgrind.

sub start_small {
    return start_fake('timeout 5s;', 'tasks_cache 64k;', @_,
        locations => 'location /page { ssi on; ssi_types *; }');
}


{
    my ($fake, $nginx) = start_small();

    go_away($fake, $nginx);
    drop_checked_pages($fake, $nginx);
    include_lists($fake, $nginx);
}


unless ($ENV{TASKS_SANITIZER_DIR}) {
    my $valgrind = Tasks::Valgrind->new;

    {
        local $ENV{TEST_NGINX_BINARY} = $valgrind->binary;

        my ($fake, $nginx) = start_small(master => 0);
        my @sharers = connections($nginx, 6);

        go_away($fake, $nginx);
        drop_checked_pages($fake, $nginx);
        include_lists($fake, $nginx);
        refuse_each_step($fake, $nginx, @sharers);

        # nginx without a master process closes nothing when it exits
        $fake->stop;
        wait_for(sub { outcome(get($nginx)) eq '503 unavailable' }, 5, 'the end');
        $nginx->stop;
        is($nginx->exit_status, 0, 'valgrind: nginx exits with status 0');
    }

    is($valgrind->complaints, '', 'valgrind: no error, and nothing is lost');
}


# The process's life

for my $signal (qw(HUP QUIT)) {
    my ($fake, $nginx) = start_fake('timeout 5s;');
    my @sharers = connections($nginx, 12);

    get($nginx);
    hold($fake);
    at_once($nginx, [@sharers[0 .. 7]], '/jobs');
    asked($fake, 1);
    send_get($_, '/jobs') for @sharers[8 .. 11];
    witness($fake, $nginx);

    $signal eq 'HUP' ? $nginx->reload : $nginx->quit;
    wait_for(sub { $nginx->error_log =~ /gracefully shutting down/ });
    release($fake, 2);
    is_deeply(answers(@sharers[0 .. 7]), { '200 rev 1' => 8 },
              "$signal: those that share are served");
    release($fake, $_, rev => 2) for 1, 2, 2;
    is_deeply(answers(@sharers[8 .. 11]), { '200 rev 2' => 4 },
              'and so are those that wait for the next check');
    $witness->response;
    set_plan($fake);

    if ($signal eq 'QUIT') {
        ok($nginx->wait_exit(2 * $SLOW), 'nginx exits');
        is($nginx->exit_status, 0, 'with status 0');
    } else {
        ok(wait_for(sub { $nginx->error_log =~ /exited with code 0/ }, 2 * $SLOW),
           'the old worker exits');
        wait_for(sub { outcome(get($nginx)) eq '200 rev 1' }, 5, 'service');
        pass('the new one serves');
    }

    unlike($nginx->error_log, qr/open socket/, 'no socket is left open');
}

{
    my ($fake, $nginx) = start_fake('timeout 5s;', '',
                                    allow => qr/is gone|exited on signal 9/);
    my @sharers = connections($nginx, 12);
    my ($worker) = $nginx->worker_pids;

    hold($fake);
    at_once($nginx, \@sharers, '/jobs');
    asked($fake, 2);
    kill 'KILL', $worker;
    is_deeply(answers(@sharers), { none => 12 }, 'a worker is killed');
    set_plan($fake);
    wait_for(sub { (outcome(eval { get($nginx) }) // '') eq '200 rev 1' }, 5, 'service');
    pass('the next one serves');
}


# With a real Redis.  The same API at four places: with a cache and without,
# and of users.

my $DEFINITION = <<'END';
{ "name": "lists",
  "id": "integer",
  "order": "n desc",
  "fields": {
    "status": {"type": "string", "filter": true},
    "kind":   {"type": "string", "filter": true},
    "n":      {"type": "integer"},
    "pad":    {"type": "string"},
    "note":   {"type": "any", "view": "detail"} },
  "cancel": {"from": ["running"], "unchanged": ["cancelled"],
             "set": {"status": "cancelled"}},
  "routes": [
    {"action": "list", "path": "",
     "query": {"status": {"filter": "status", "multiple": "comma"},
               "kind":   {"filter": "kind", "multiple": "repeated"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "cursor": {"role": "cursor"}},
     "response": {"tasks": "$tasks", "next": "$next_cursor"}},
    {"action": "list", "path": "/pages",
     "query": {"status": {"filter": "status"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "page":   {"type": "integer", "role": "page"}},
     "response": {"tasks": "$tasks", "total": "$total", "first": "$first_id?"}},
    {"action": "list", "path": "/rest",
     "query": {"status": {"filter": "status", "multiple": "comma"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "offset": {"type": "integer", "role": "offset"}},
     "response": {"tasks": "$tasks", "more": "$has_more", "count": "$count"}},
    {"action": "list", "path": "/after",
     "query": {"kind":   {"filter": "kind"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "cursor": {"role": "cursor", "encoding": "none", "form": "$id"}},
     "response": {"tasks": "$tasks", "next": "$next_cursor"}},
    {"action": "get", "path": "/{id}", "response": {"task": "$task"}},
    {"action": "cancel", "path": "/{id}/cancel", "response": {"cancelled": "$id"}} ],
  "errors": {"default": {"body": {"error": "$tasks_error",
                                  "status": "$status"}}} }
END

my $OTHER = $DEFINITION =~ s/"name": "lists"/"name": "other"/r;

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(),
                              'lists.json' => $DEFINITION, 'other.json' => $OTHER);
load_jobs();


sub lists_location {
    my ($path, $directives) = @_;

    my $file = $path =~ /other/ ? 'other' : 'lists';

    return "location $path { tasks_api apis/$file.json; tasks_pass main; "
           . ($directives // '') . ' }';
}


my $SCOPED = 'tasks_scope $http_x_user;';
my $WAYS = 'access_log logs/ways.log ways;';

my @PLACES = (['/lists', ''], ['/mine', $SCOPED], ['/other', '']);

sub start_lists {
    my ($http, %option) = @_;

    return start_jobs(
        files => { 'conf/apis/lists.json' => $DEFINITION,
                   'conf/apis/other.json' => $OTHER },
        http_config => "$HEADER keepalive_requests 100000; log_format ways '\$status \$tasks_cache';" . ($http // ''),
        worker_connections => 512,
        locations => join("\n", (map {
            lists_location(@$_), lists_location("/plain$_->[0]",
                                                "$_->[1] tasks_cache off;")
        } @PLACES), lists_location('/logged', $WAYS)),
        %option);
}


sub put {
    my ($id, %field) = @_;

    %field = (n => $id, status => 'running', kind => 'k', %field);

    redis('FCALL', 'lists_put', 1, 'tasks:{lists}', $id,
          map { ($_ => Tasks::Jobs::json($field{$_})) } sort keys %field);
}


# the ways

{
    my $nginx = start_lists();

    redis('FLUSHALL');
    put($_) for 1 .. 3;

    my $ask = sub {
        my ($method, $path, @rest) = @_;
        my $response = http($nginx->port, $method, $path, @rest);
        return $response->status . ' ' . how($response);
    };

    my @log;
    my @steps = (
        ['the first time',     '200 MISS',   GET => '/logged'],
        ['again',              '200 HIT',    GET => '/logged'],
        ['its head',           '200 HIT',    HEAD => '/logged'],
        ['another page',       '200 MISS',   GET => '/logged?limit=2'],
        ['an empty list',      '200 MISS',   GET => '/logged?status=none'],
        ['again',              '200 HIT',    GET => '/logged?status=none'],
        ['of a page number',   '200 MISS',   GET => '/logged/pages?page=2&limit=1'],
        ['again',              '200 HIT',    GET => '/logged/pages?page=2&limit=1'],
        ['a task',             '200 ',       GET => '/logged/1'],
        ['no task',            '404 ',       GET => '/logged/99'],
        ['a bad parameter',    '400 ',       GET => '/logged?limit=x'],
        ['a bad cursor',       '400 ',       GET => '/logged/after?cursor=99'],
        ['no route',           '404 ',       GET => '/logged/1/2/3'],
        ['a cancel',           '200 ',       POST => '/logged/1/cancel'],
        ['a list after that',  '200 MISS',   GET => '/logged'],
        ['without a cache',    '200 BYPASS', GET => '/plain/lists'],
        ['again',              '200 BYPASS', GET => '/plain/lists'],
        ['another location',   '200 HIT',    GET => '/lists'],
        ['something else',     '200 ',       GET => '/'],
    );

    for (@steps) {
        my ($name, $expected, @request) = @$_;
        is($ask->(@request), $expected, "\$tasks_cache: $name");
        push @log, $expected if $request[1] =~ /logged/;
    }

    my $etag = http($nginx->port, 'GET', '/logged')->header('ETag');
    is($ask->(GET => '/logged', headers => { 'If-None-Match' => $etag }),
       '304 NOT_MODIFIED', '$tasks_cache: what the client has');
    push @log, '200 HIT', '304 NOT_MODIFIED';

    my @sharers = connections($nginx, 5);
    at_once($nginx, \@sharers, '/logged');
    is_deeply(hows(@sharers), { HIT => 1, SHARED => 4 }, '$tasks_cache: at once');

    open my $in, '<', $nginx->prefix . '/logs/ways.log' or die "ways.log: $!\n";
    is_deeply([(map { s/ -?\n/ /r =~ s/\n//r } <$in>)[0 .. $#log]], \@log,
              'and in the log');
}


# never another's page, and none of before a change: what is told with a cache
# is what is told without one

{
    my $nginx = start_lists('tasks_cache 128k;');
    my @bases = ('tasks:{lists}', 'tasks:{lists:ann}', 'tasks:{lists:bob}',
                 'tasks:{other}');
    my %place = ('tasks:{lists}' => ['/lists'], 'tasks:{other}' => ['/other'],
                 map { ("tasks:{lists:$_}" => ['/mine', 'X-User' => $_]) }
                     qw(ann bob));
    my (@cursors, %count, @wrong);
    my $connection = http_connect($nginx->port);
    my $one_of = sub { $_[rand @_] };

    redis('FLUSHALL');
    srand 5;

    my $write = sub {
        my ($base) = @_;
        my ($api) = $base =~ /\{(\w+)/;
        my $id = 1 + int rand 12;
        my $what = rand;

        $count{writes}++;

        return redis('FCALL', "${api}_remove", 1, $base, $id) if $what < 0.2;
        return redis('FCALL', "${api}_cancel", 1, $base, $id) if $what < 0.3;
        return redis('FCALL', "${api}_prune", 1, $base, 3)    if $what < 0.32;
        return redis('DEL', redis('KEYS', "$base*")->@*)      if $what < 0.33
                                              && redis('EXISTS', "$base:revs");
        return redis('FLUSHALL')                              if $what < 0.34;
        return redis('FCALL', "${api}_put", 1, $base, $id,
                     note => int rand 100)
            if $what < 0.4 && redis('EXISTS', "$base:task:$id");

        redis('FCALL', "${api}_put", 1, $base, $id, n => int rand 8,
              status => '"' . $one_of->(qw(running done failed)) . '"',
              kind => '"' . $one_of->(qw(a b)) . '"');
    };

    my $path = sub {
        my $path = $one_of->('', '', '/pages', '/rest', '/after');
        my @args;

        push @args, 'limit=' . $one_of->(0, 1, 2, 3, 20, 600) if rand > 0.3;
        push @args, 'status=' . $one_of->(qw(running done failed none),
            $path =~ /pages|after/ ? () : ('running,done', 'done,running', 'failed,done,none'))
            if rand > 0.4 && $path ne '/after';
        push @args, map { "kind=$_" } $one_of->('a', 'b', 'c',
            $path eq '' ? ('a&kind=b', 'b&kind=a') : ())
            if rand > 0.6 && $path =~ /^(?:|.after)$/;
        push @args, 'page=' . (1 + int rand 3) if $path eq '/pages' && rand > 0.5;
        push @args, 'offset=' . int rand 4 if $path eq '/rest' && rand > 0.5;
        push @args, 'cursor=' . (1 + int rand 12) if $path eq '/after' && rand > 0.3;
        push @args, 'cursor=' . $one_of->(@cursors) if $path eq '' && @cursors
                                                       && rand > 0.5;

        return $path . (@args ? '?' . join '&', @args : '');
    };

    my @paths = map { $path->() } 1 .. 60;

    for my $round (1 .. 1500) {
        $write->($one_of->(@bases)) if rand > 0.8;

        my $base = $one_of->(@bases);
        my ($place, @header) = @{ $place{$base} };
        my $rest = $one_of->(@paths);

        my ($plain, $cached) = map {
            http($connection, 'GET', "$_$place$rest", headers => { @header })
        } '/plain', '';

        $count{how($cached) || $cached->status}++;
        $count{filled}++ if $plain->body =~ /"id"/;

        push @wrong, "$base $rest: " . $cached->status . ' ' . $cached->body
                     . ', not ' . $plain->body
            unless $cached->status eq $plain->status
                   && $cached->body eq $plain->body
                   && $cached->header('ETag') eq $plain->header('ETag');

        push @cursors, $1 if @cursors < 20 && $cached->body =~ /"next":"([^"]+)"/;
        $paths[rand @paths] = $path->() if rand > 0.95;
    }

    is(@wrong, 0, 'what is told with a cache is what is told without one')
        or diag(join "\n", @wrong[0 .. ($#wrong < 3 ? $#wrong : 3)]);
    note(join ', ', map { "$_: $count{$_}" } sort keys %count);
    cmp_ok($count{$_} // 0, '>', 100, "of many: $_") for qw(HIT MISS writes filled);
}


# nothing older than its request

{
    my $nginx = start_lists('', workers => 2);
    my $rounds = $ENV{TASKS_FULL} ? 20000 : 2000;
    my @connections = map { http_connect($nginx->port) } 1 .. 4;

    redis('FLUSHALL');
    put($_) for 1 .. 3;

    my $load = Tasks::Load->start($nginx->port, kept => 3, fresh => 1,
        paths => ['/lists', '/lists?status=running,none'], accept => qr/^200 \{/);
    my (@old, %how);

    for my $n (1 .. $rounds) {
        my $filter = $n % 2 ? '' : '?status=running,none';

        put(1 + $n % 3, n => $n);
        my $response = http($connections[rand 4], 'GET', "/lists$filter");
        $how{how($response)}++;
        push @old, $response->body unless $response->body =~ /"n":$n\b/;
    }

    my $result = $load->stop;

    is(@old, 0, "$rounds changes, each seen by the next request")
        or diag(@old);
    is(@{ $result->{failures} }, 0, 'beside others that ask for the same')
        or diag(@{ $result->{failures} });
    note(join ', ', map { "$_: $how{$_}" } sort keys %how);
}


# The bound

{
    my $nginx = start_lists('tasks_cache 256k;');
    my ($worker) = $nginx->worker_pids;
    my $connection = http_connect($nginx->port);
    my $how = sub { how(http($connection, 'GET', "/lists?kind=k$_[0]")) };
    my (@rss, %how);

    redis('FLUSHALL');
    put($_, kind => "k$_", pad => 'x' x 2000) for 1 .. 500;

    for my $round (1 .. 5) {
        $how{$how->($_)}++ for 1 .. 500;
        push @rss, rss_of($worker);
    }

    is_deeply(\%how, { MISS => 2500 }, 'more lists in turn than there is room for');
    cmp_ok($rss[4] - $rss[1], '<', $SLOW > 1 ? 300e6 : 200e3, 'memory stays as it was')
        or diag("@rss");
    cmp_ok($rss[4] - $rss[0], '<', $SLOW > 1 ? 300e6 : 1e6, 'from the first time on')
        or diag("@rss");

    is_deeply([map { $how->($_) } 451 .. 500], [('HIT') x 50],
              'the last ones are kept');
    is_deeply([map { $how->($_) } 451 .. 460], [('HIT') x 10], 'and again');
    is_deeply([map { $how->($_) } 1 .. 40], [('MISS') x 40], 'the first ones not');
    is_deeply([map { $how->($_) } 1 .. 40], [('HIT') x 40], 'then they are');
    is_deeply([map { $how->($_) } 451 .. 460], [('HIT') x 10],
              'those that were asked for late are still kept');
    is_deeply([map { $how->($_) } 461 .. 465], [('MISS') x 5],
              'and those that were not are gone');

    # 32k is an eighth

    put($_, kind => 'small', pad => 'x' x 2000) for 1000 .. 1014;
    put($_, kind => 'large', pad => 'x' x 2000) for 1100 .. 1115;
    is(join(' ', map { how(http($connection, 'GET',
        '/lists?kind=small')) } 1 .. 3), 'MISS HIT HIT', 'a page of 31k is kept');
    is(join(' ', map { how(http($connection, 'GET', '/lists?kind=large')) } 1 .. 3),
       'MISS MISS MISS', 'one that is larger than an eighth of the cache is not');

    my @sharers = connections($nginx, 10);
    at_once($nginx, \@sharers, '/lists?kind=large');
    my @responses = map { $_->response } @sharers;
    is(scalar(grep { $_->complete && $_->body eq $responses[0]->body
                     && (() = $_->body =~ /"id":11\d\d/g) == 16 } @responses), 10,
       'but shared');
    is((grep { how($_) eq 'SHARED' } @responses), 9, 'by nine');
}


done_testing();
