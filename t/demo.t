# conf/demo.sh: starts, answers what the API's documentation shows, moves, and
# leaves nothing behind.  It runs the module as built for use, so that run.sh
# leaves it out of the pass with sanitizers.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

use Tasks::Nginx;

my $demo = abs_path(dirname(__FILE__) . '/../conf/demo.sh');
my $directory = tempdir(CLEANUP => 1) . '/demo';
my $port = Tasks::Nginx::free_port();
my $api = '/api/v1/tasks';

$ENV{TASKS_DEMO_DIR} = $directory;
$ENV{TASKS_DEMO_PORT} = $port;

# prove's: the demo's worker runs as a user who may not read it
delete $ENV{PERL5LIB};

END { demo('stop') if $demo && -e "$directory/demo.pid" }


# Returns the exit status and all output.

sub demo {
    my ($command) = @_;

    local $?;
    my $output = `sh $demo $command 2>&1`;

    return ($? >> 8, $output);
}


sub get  { return http($port, 'GET', "$api$_[0]") }
sub post { return http($port, 'POST', "$api$_[0]") }
sub data { return decode_json(get($_[0])->body)->{data} }


# The processes whose working directory is the demo's, all of them.

sub processes {
    return grep { (readlink "/proc/$_/cwd" // '') =~ /^\Q$directory\E/ }
           map { m{(\d+)$} } glob '/proc/[0-9]*';
}




# Not running yet.

my ($status, $output) = demo('status');

is($status, 3, 'status: it does not run');
is((demo('stop'))[0], 0, 'stop: nothing to do');

($status, $output) = demo('nonsense');
is($status, 2, 'an unknown command');
like($output, qr/^usage: /, 'has the usage');

{
    local $ENV{TASKS_DEMO_PORT} = '80x';
    ($status, $output) = demo('start');
    is($status, 1, 'a port that is none');
    like($output, qr/"80x" is not a port/, 'is told');
}

{
    my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
    local $ENV{TASKS_DEMO_PORT} = $taken->sockport;
    ($status, $output) = demo('start');
    is($status, 1, 'a port in use');
    like($output, qr/cannot listen on 127\.0\.0\.1:\d+.*TASKS_DEMO_PORT=/,
         'is told, and what to do');
    ok(!-e $directory, 'and leaves no directory');
}

{
    mkdir $directory;
    ($status, $output) = demo('start');
    is($status, 1, 'a directory in the way');
    like($output, qr/is in the way/, 'is told');
    rmdir $directory or fail("it was left alone: $!");
}


# In the background.

($status, $output) = demo('start');

is($status, 0, 'start') or BAIL_OUT($output);
like($output, qr{^  curl "http://127\.0\.0\.1:$port/api/v1/tasks\?project_id=1}m,
     'shows what to try');

($status, $output) = demo('status');
is($status, 0, 'status: it runs');
like($output, qr/as process \d+, on http:\/\/127\.0\.0\.1:$port$/, 'and where');

($status, $output) = demo('start');
is($status, 1, 'a second start');
like($output, qr/runs already/, 'is told');


# The three examples of the API's documentation; "timestamp" is what the real
# server adds.

my $list = get('?project_id=1&status=running&limit=20');

is($list->status, 200, 'the list example');
is_json($list->body, <<'END', 'is as documented');
{"code": 200, "message": "success", "timestamp": "<now>", "data": [
  {"id": 42, "project_id": 1, "task_type": "search", "status": "running",
   "progress": 30, "total": 100, "created_at": "2025-03-12T10:00:00"}]}
END

my $documented = <<'END';
{"code": 200, "message": "success", "timestamp": "<now>", "data":
  {"id": 44, "project_id": 1, "task_type": "search", "status": "completed",
   "progress": 100, "total": 100,
   "params": {"query": "machine learning", "sources": ["semantic_scholar"]},
   "result": {"papers_found": 15, "imported": 10}, "error_message": "",
   "created_at": "2025-03-12T10:00:00", "started_at": "2025-03-12T10:00:01",
   "completed_at": "2025-03-12T10:02:30"}}
END

is_json(get('/44')->body, $documented, 'the detail example, as task 44');

my $running = $documented =~ s/44/42/r
                          =~ s/completed",/running",/r
                          =~ s/"progress": 100/"progress": 30/r
                          =~ s/"result": \{.*?\}/"result": null/r
                          =~ s/("completed_at":) "[^"]*"/$1 null/r;

is_json(get('/42')->body, $running, 'task 42 is the one of the list');

my $cancel = post('/42/cancel');

is($cancel->status, 200, 'the cancel example');
is_json($cancel->body, <<'END', 'is as documented');
{"code": 200, "message": "Task cancelled", "data": null, "timestamp": "<now>"}
END

$cancel = post('/42/cancel');

is($cancel->status, 400, 'a second time');
is_json($cancel->body, <<'END', 'it cannot be cancelled');
{"code": 400, "message": "Cannot cancel task in cancelled state", "data": null}
END

is(data('/42')->{status}, 'cancelled', 'it is cancelled');
is_json(get('?project_id=1&status=running')->body,
        '{"code": 200, "message": "success", "timestamp": "<now>", "data": []}',
        'and not in the list any more');
is(get('/99999')->status, 404, 'a task that is not there');


# The others.

my @all = @{ data('?limit=1000') };

cmp_ok(scalar @all, '>=', 204, 'there is something to page through');
is_deeply([map { $_->{created_at} } @all],
          [sort { $b cmp $a } map { $_->{created_at} } @all], 'newest first');
is(scalar @{ data('') }, 50, 'a page has 50 tasks');
is(scalar @{ data('?limit=7') }, 7, 'or as many as asked for');

for my $field (qw(project_id status task_type)) {
    my %values = map { $_->{$field} => 1 } @all;
    cmp_ok(scalar keys %values, '>=', 5, "several values of $field");
}

my @failed = @{ data('?status=failed&project_id=3&limit=1000') };

ok(@failed && !grep({ $_->{status} ne 'failed' || $_->{project_id} != 3 }
                    @failed), 'two filters at once');


# The worker.

my %progress = map { $_->{id} => $_->{progress} } @{ data('?status=running') };

ok(wait_for(sub {
    grep { $_->{progress} > ($progress{$_->{id}} // $_->{progress}) }
         @{ data('?status=running') };
}, 10, 'progress'), 'a running task makes progress');

ok(wait_for(sub { data('?limit=1')->[0]{id} > $all[0]{id} }, 15, 'a new task'),
   'new tasks are added');

my $pending = data('?status=pending&limit=1000')->[-1]{id};

$pending = data('?status=pending&limit=1000')->[-2]{id} if $pending == 43;

ok(wait_for(sub { data("/$pending")->{status} ne 'pending' }, 60, 'a start'),
   'the oldest waiting task is started');
like(data("/$pending")->{started_at} // '', qr/^\d{4}-/, 'and has a time');

my ($victim) = sort { $a->{progress} / $a->{total} <=> $b->{progress} / $b->{total} }
               grep { $_->{id} != 42 } @{ data('?status=running') };

is(post("/$victim->{id}/cancel")->status, 200, 'a running task is cancelled');

$victim = data("/$victim->{id}");
sleep 2.5;

is_deeply(data("/$victim->{id}"), $victim, 'and the worker leaves it alone');

open my $log, '<', "$directory/logs/worker.log" or die "worker.log: $!\n";
like(join('', <$log>), qr/^task $victim->{id} is cancelled/m,
     'the worker has noticed');
close $log;


# The end.

cmp_ok(scalar processes(), '>=', 5, 'it has processes');

($status, $output) = demo('stop');

is($status, 0, 'stop');
is_deeply([processes()], [], 'no process is left');
ok(!-e $directory, 'no directory is left');


# In the foreground; as a background job of a script, which ignores Ctrl-C.

for my $signal (qw(INT TERM)) {
    my $pid = fork // die "fork: $!\n";

    if (!$pid) {
        $SIG{INT} = 'IGNORE';
        open STDOUT, '>', '/dev/null';
        exec 'sh', $demo or POSIX::_exit(127);
    }

    wait_for(sub { -f "$directory/run/loaded" }, 60, 'the demo');

    my @processes = processes();

    kill $signal, $pid;
    wait_for(sub { waitpid($pid, WNOHANG) }, 10, "an end by SIG$signal");

    is($? >> 8, $signal eq 'INT' ? 130 : 143, "SIG$signal ends it");
    cmp_ok(scalar @processes, '>=', 5, 'it had processes');
    is_deeply([processes()], [], 'none is left');
    ok(!-e $directory, 'nor a directory');
}


# After a kill that it cannot see.

is((demo('start'))[0], 0, 'start once more');

open my $in, '<', "$directory/demo.pid" or die "demo.pid: $!\n";
chomp(my $pid = <$in>);
close $in;

kill 'KILL', $pid;
wait_for(sub { (demo('status'))[0] == 3 }, 5, 'its death');

($status, $output) = demo('stop');

is($status, 0, 'stop after kill -9');
like($output, qr/cleared/, 'clears what is left');
wait_for(sub { !processes() }, 5, 'the end of its sleep');
ok(!-e $directory, 'the directory too');

done_testing();
