# What readers see while others write: nothing older than their request, no
# task where it does not belong, none twice, and none missing.

use lib 't/lib';
use Tasks ':live';

use Time::HiRes qw(time);

use Tasks::Background;
use Tasks::Jobs;

my $FULL = $ENV{TASKS_FULL};
my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 2 : 1;

load_jobs();


sub put_on {
    my ($redis, @job) = @_;

    return $redis->command('FCALL', 'jobs_put', 1, $JOBS, job(@job));
}


# Asks on one of so many connections.  nginx closes each after 1,000 requests.

sub asker {
    my ($port, $connections) = @_;

    my @connections;

    return sub {
        my $connection = \$connections[rand $connections];
        my $response = http($$connection //= http_connect($port), 'GET', @_);

        $$connection = undef if $response->header('Connection') eq 'close';

        return $response;
    };
}


# Not older than the request

{
    redis('FLUSHALL');
    put_job("o$_", n => 0, kind => 'x') for 1 .. 10;

    my $nginx = start_jobs(workers => 2);
    my $ask = asker($nginx->port, 8);
    my @paths = ('/jobs', '/jobs?kind=x', '/jobs/pages?limit=100', '/jobs/o5');
    my ($old, $wrong, $count) = (0, 0, $FULL ? 20000 : 2000 / $SLOW);

    for my $i (1 .. $count) {
        put_job('o5', n => $i, kind => 'x');

        for my $path ($paths[$i % 3], $paths[3]) {
            my $body = $ask->($path)->body;
            my ($n) = $body =~ /"id":"o5",[^}]*"n":(\d+)/;

            $old++ if defined $n && $n < $i;
            $wrong++ if !defined $n || $n > $i;
        }
    }

    is("$old $wrong", '0 0', "$count writes, each read twice on other "
       . 'connections: nothing old');
}


# Calls of functions since RESETSTAT.

sub fcalls {
    my ($name) = @_;

    return redis('INFO', 'commandstats') =~ /^cmdstat_$name:calls=(\d+)/m
           ? $1 : 0;
}


# A writer that moves tasks between indexes all the time

{
    redis('FLUSHALL');

    my @status = qw(pending running completed failed);
    my $tasks = 40;

    put_job("f$_", n => 0, status => $status[$_ % 4], kind => 'k' . $_ % 2,
            created => sprintf '2025-01-01T00:00:%02d', $_) for 1 .. $tasks;
    redis('CONFIG', 'RESETSTAT');

    my $nginx = start_jobs(workers => 2);
    my @writers = map {
        my $writer = $_;
        in_background(sub {
            my ($redis) = @_;
            my $id = 1 + 2 * int(rand $tasks / 2) + $writer;
            put_on($redis, "f$id", status => $status[rand 4],
                   created => sprintf '2025-01-01T00:00:%02d', $id);
        });
    } 0, 1;

    my $ask = asker($nginx->port, 6);
    my ($lists, $rows, %bad) = (0, 0);
    my $until = time + ($FULL ? 30 : 8);

    # so long, and on a slow machine until there are enough
    my $enough = sub { $lists > 300 / $SLOW && fcalls('fcall_ro') > 2 };

    while (time < $until || (!$enough->() && time < $until + 60)) {
        my $status = $status[rand 4];
        my ($path, $check) = @{ (
            ["/jobs?status=$status&limit=50", sub { }],
            ["/jobs?status=$status&kind=k1", sub { }],
            ["/jobs/after?status=$status,completed&limit=50", sub { }],
            ["/jobs/pages?status=$status&limit=50", sub {
                my ($body, $n) = @_;
                $bad{total}++ unless $body =~ /"total":$n\}$/;
            }],
            ['/jobs?limit=50', sub { $bad{missing}++ if $_[1] != $tasks }],
            ['/jobs/pages?limit=50', sub {
                $bad{missing}++ if $_[1] != $tasks || $_[0] !~ /:$tasks\}$/;
            }],
        )[rand 6] };

        my $response = $ask->($path);
        my $body = $response->body;
        my %seen;

        if (status($response) ne '200') {
            $bad{status($response)}++;
            next;
        }

        while ($body =~ /"id":"(\w+)","status":"(\w+)","kind":"(\w+)"/g) {
            my ($id, $its_status, $its_kind) = ($1, $2, $3);
            $rows++;
            $bad{twice}++ if $seen{$id}++;
            $bad{status}++ if $path =~ /status=([\w,]+)/
                              && ",$1," !~ /,$its_status,/;
            $bad{kind}++ if $path =~ /kind=/ && $its_kind ne 'k1';
        }

        $check->($body, scalar keys %seen);
        $lists++;
    }

    # a user that may call no function reads again until it is whole

    redis('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@read');
    my $reader = start_jobs(store => 'server unix:' . redis_socket()
        . '; user reader; password_file password; timeout 5s;',
        files => { 'conf/password' => "secret\n" });
    wait_for(sub { status(http($reader->port, 'GET', '/jobs/f1')) eq '200' });
    my %statuses;
    $statuses{status(http($reader->port, 'GET', '/jobs?limit=50'))}++
        for 1 .. 400 / $SLOW;
    is(join(' ', sort keys %statuses), '200',
       'a user that may only read gets its lists, too')
        or diag(explain(\%statuses));

    is((grep { end($_) } @writers), 2, 'the writers wrote');
    is(join(', ', map { "$_: $bad{$_}" } sort keys %bad), '',
       'no row contradicts its filter, none comes twice, none is missing');
    cmp_ok($lists, '>', 300 / $SLOW, 'in many lists');

    my ($puts, $pages) = map { fcalls($_) } qw(fcall fcall_ro);
    cmp_ok($pages, '>', 2, 'some of which were read by the page function');
    note("$lists lists of $rows rows during $puts writes; $pages pages");
}


# A chain of cursors

{
    redis('FLUSHALL');

    my $tasks = $FULL ? 20000 : 10000 / $SLOW;
    my @status = qw(pending running);

    # the even ones stay; the odd ones come and go

    put_job("c$_", n => $_, created => created($_), status => $status[$_ % 4 / 2])
        for map { $_ * 2 } 1 .. $tasks;

    my $nginx = start_jobs(workers => 2);
    my $writer = in_background(sub {
        my ($redis) = @_;
        my $odd = 1 + 2 * int rand $tasks;
        put_on($redis, "c$odd", n => $odd, created => created($odd));
        $odd = 1 + 2 * int rand $tasks;
        $redis->command('FCALL', 'jobs_remove', 1, $JOBS, "c$odd");
    });

    for (['/jobs?limit=50', 'by position'],
         ['/jobs?limit=333', 'by position'],
         ['/jobs/after?limit=50', 'by id, also of a task that was removed'],
         ['/jobs/after?limit=77&status=running,pending',
          'by id, through two indexes']) {
        my ($path, $what) = @$_;
        my ($pages, $repeated, $disorder, $seen) = walk($nginx->port, $path);

        is("$repeated $disorder " . grep({ !$seen->{$_ * 2} } 1 .. $tasks),
           '0 0 0', "$path: $pages pages while others insert and remove, $what:"
           . ' no task twice, in order, none missing');
    }

    ok(end($writer), 'the writer wrote');
}


# Follows the cursors of a list to its end.

sub walk {
    my ($port, $path) = @_;

    my ($cursor, $pages, $repeated, $disorder, $last, %seen) = ('', 0, 0, 0);
    my $connection;

    do {
        my $response = http($connection //= http_connect($port), 'GET',
                            $path . ($cursor && "&cursor=$cursor"));
        my $body = $response->body;

        $connection = undef if $response->header('Connection') eq 'close';

        for my $n ($body =~ /"n":(\d+)/g) {
            $repeated++ if $seen{$n}++;
            $disorder++ if defined $last && $n >= $last;
            $last = $n;
        }

        ($cursor) = $body =~ /"next":"([\w-]+)"\}$/;
        $pages++;
    } while ($cursor && $pages < 5000);

    return ($pages, $repeated, $disorder, \%seen);
}


# A cursor with any one byte changed is refused, or leads to another position
# of the same list.

{
    redis('FLUSHALL');

    for my $scope (qw(mine theirs)) {
        redis('FCALL', 'jobs_put', 1, "tasks:{jobs:$scope}",
              job("$scope$_", n => $_, created => created($_))) for 1 .. 20;
    }

    my $nginx = start_jobs(workers => 1, locations => <<'END');
location /mine { tasks_api apis/jobs.json; tasks_pass main; tasks_scope mine; }
END

    for my $route ('/mine', '/mine/after') {
        my ($cursor) = http($nginx->port, 'GET', "$route?limit=7")->body
                       =~ /"next":"([\w-]+)"\}$/;
        my ($refused, $served, %bad) = (0, 0);
        my $connection;

        for my $at (0 .. length($cursor) - 1) {
            for my $byte (grep { $_ != ord substr $cursor, $at, 1 } 0 .. 255) {
                my $changed = join '', map { sprintf '%%%02X', ord }
                    split //, substr($cursor, 0, $at) . chr($byte)
                              . substr $cursor, $at + 1;

                my $response = http($connection //= http_connect($nginx->port),
                                    'GET', "$route?limit=7&cursor=$changed");
                my ($status, $body) = (status($response), $response->body);

                $connection = undef
                    if $response->header('Connection') eq 'close';

                if ($status eq '400 bad_cursor') {
                    $refused++;
                } elsif ($status eq '200' && $body !~ /theirs/) {
                    $served++;
                } else {
                    $bad{$status}++;
                }
            }
        }

        is(join(', ', %bad), '', "$route: " . ($refused + $served)
           . ' changed cursors are refused or lead elsewhere in the list');
        cmp_ok($refused, '>', $served, 'most are refused');
        note("$route: $refused refused, $served served");
    }
}


sub created {
    my ($n) = @_;

    return sprintf '2025-01-01T%02d:%02d:%02d', $n / 3600, $n / 60 % 60,
                   $n % 60;
}


done_testing();
