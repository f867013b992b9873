# tasks_status over the life of workers: what stays when they are reloaded and
# killed, and what goes with them.

use lib 't/lib';
use Tasks ':live';

use FaultyRedis;
use Tasks::Jobs;
use Tasks::Status;

# A store that never says a word: who asks it waits, and so does his worker if
# it is to go.  Its connection's handshake is a pending operation of each.

my $MUTE = FaultyRedis->canned(sub { '' });

my %MUTE = (
    http_config => "tasks_store mute { server ${\ $MUTE->address};"
                   . ' timeout 60s; connect_timeout 60s; }',
    locations => $STATUS . jobs_location('/mute', 'mute'),
);


sub hold {
    my ($nginx) = @_;

    my $pending = told($nginx)->{stores}{mute}{pending};
    my $connection = http_connect($nginx->port);

    $connection->send(Tasks::HTTP::request_bytes('GET', '/mute/a'));
    wait_for(sub { told($nginx)->{stores}{mute}{pending} == $pending + 1 },
             5, 'a request that waits');

    return $connection;
}


load_jobs();
put_job($_, n => 1) for 'a' .. 'c';


# Reloads

{
    my $nginx = start_jobs(locations => $STATUS, workers => 2,
                           allow => qr/must start with/);
    my $counted = sub {
        $_[0]{apis}{jobs}{requests}{'GET /{id}'}{not_found} // 0;
    };
    my $ask = sub { http($nginx->port, 'GET', '/jobs/no') for 1 .. $_[0] };

    await_service($nginx);
    $ask->(10);

    for my $round (1 .. 6) {
        ok($nginx->reload, "reload $round");
        comes_to($nginx, $counted, 10 * $round, 'keeps what was counted');
        $ask->(10);
    }

    comes_to($nginx, $counted, 70, 'and goes on');
    comes_to($nginx, sub { $_[0]{workers} }, 2, 'old workers are none any more',
             10);
    comes_to($nginx, of_store('main', qw(ready connecting down)), [2, 0, 0],
             'nor are their connections');
    same_in_both($nginx, 'after reloads');

    # another layout of the same size: counted anew; and back

    for my $path ('/aftex', '/after') {
        $nginx->write_file('conf/apis/jobs.json', with_path($path));
        ok($nginx->reload, "with the route $path");
        comes_to($nginx, $counted, 0, 'it begins anew');
        ok(exists told($nginx)->{apis}{jobs}{requests}{"GET $path"},
           'and tells the new route');

        $ask->(5);
        ok($nginx->reload, 'once more');
        comes_to($nginx, $counted, 5, 'keeps what was counted since');
    }

    # one that is refused

    $nginx->write_file('conf/apis/jobs.json', with_path('after'));
    ok(!$nginx->reload, 'a wrong definition is refused');
    $ask->(5);
    comes_to($nginx, $counted, 10, 'nothing has changed');
}


# Workers that are killed

{
    my $nginx = start_jobs(%MUTE, workers => 2,
                           allow => qr/exited on signal 9|is gone/);
    my $counted = sub { $_[0]{apis}{jobs}{requests}{'GET'}{ok} // 0 };
    my $now = sub {
        [$_[0]{workers}, $_[0]{stores}{main}{ready},
         $_[0]{stores}{main}{cache_entries}, $_[0]{stores}{mute}{pending}];
    };

    comes_to($nginx, $now, [2, 2, 0, 2], 'two workers');
    http($nginx->port, 'GET', '/jobs') for 1 .. 20;
    comes_to($nginx, $counted, 20, 'count');
    cmp_ok(told($nginx)->{stores}{main}{cache_entries}, '>=', 1, 'and keep');

    my @old = $nginx->worker_pids;
    kill 'KILL', @old;
    wait_for(sub { my %old = map { $_ => 1 } @old;
                   2 == grep { !$old{$_} } $nginx->worker_pids }, 10,
             'new workers');

    comes_to($nginx, $now, [2, 2, 0, 2], 'what they had is gone');
    comes_to($nginx, $counted, 20, 'what they counted is not');

    # one that is not replaced, as it was about to go: its place stays empty

    my $held = hold($nginx);
    @old = $nginx->worker_pids;
    ok($nginx->reload, 'a worker is to go, but waits');
    comes_to($nginx, $now, [3, 2, 0, 4], 'and is counted');

    kill 'KILL', @old;
    comes_to($nginx, $now, [2, 2, 0, 2], 'it is killed: what it had is gone');
}


# More workers than there are slots: old ones that their clients hold

{
    my $nginx = start_jobs(%MUTE, workers => 1);
    my $counted = sub { $_[0]{apis}{jobs}{requests}{'GET'}{ok} // 0 };
    my $told = 'tasks_status does not count this worker';

    await_service($nginx);
    comes_to($nginx, of_store('mute', 'pending'), [1], 'a handshake');
    http($nginx->port, 'GET', '/jobs') for 1 .. 3;

    my @held;

    for my $n (1 .. 8) {
        unlike($nginx->error_log, qr/$told/, "there is a slot for $n workers");
        push @held, hold($nginx);
        $nginx->reload;
        comes_to($nginx, of_store('mute', 'pending'),
                 [$n < 8 ? 2 * $n + 1 : 16], 'one more');
    }

    like($nginx->error_log, qr/\[warn\] .*$told: 8 /,
         'there are no more, it is said');
    http($nginx->port, 'GET', '/jobs') for 1 .. 4;
    comes_to($nginx, $counted, 3, 'who has no slot serves, and is not counted');
    is(told($nginx)->{workers}, 8, 'the others are');

    $_->close for @held;
    ok(wait_for(sub { told($nginx)->{workers} == 0 }, 10, 'the end of them'),
       'those go');
    $nginx->reload;
    http($nginx->port, 'GET', '/jobs');
    comes_to($nginx, $counted, 4, 'and the next worker counts on');
}


# Nobody asks: nothing is shared

{
    my $shared = sub {
        my ($pid) = $_[0]->worker_pids;
        open my $in, '<', "/proc/$pid/maps" or die "maps: $!\n";
        return scalar grep { m{ rw-s .*/dev/zero } } <$in>;
    };

    my $without = start_jobs();
    my $with = start_jobs(locations => $STATUS);

    await_service($_) for $without, $with;
    is($shared->($with) - $shared->($without), 1,
       'memory is shared only if there is a tasks_status');
}


done_testing();
