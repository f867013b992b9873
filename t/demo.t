# conf/demo.sh: starts, answers the commands that it prints as the documentation
# of each API shows, moves, and leaves nothing behind.  It runs the module as built
# for use, so that run.sh leaves it out of the pass with sanitizers.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

use Tasks::JSON;
use Tasks::Nginx;

my $demo = abs_path(dirname(__FILE__) . '/../conf/demo.sh');
my $directory = tempdir(CLEANUP => 1) . '/demo';
my $port = Tasks::Nginx::free_port();
my $api = '/omelette/api/v1/tasks';

$ENV{TASKS_DEMO_DIR} = $directory;
$ENV{TASKS_DEMO_PORT} = $port;

# of curl; and prove's, as the demo's worker runs as a user who may not read it
$ENV{NO_PROXY} = '*';
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



# What a user who reads the welcome does.  Its commands are taken in its order, so
# that none is left out: the next one has to contain the text.  Returns what it
# prints, and for "curl -i" the status, the header and the body.

my @commands;

sub commands_of {
    my ($welcome) = @_;

    return $welcome =~ s/\\\n\s*//gr =~ /^  (\S.*)/mg;
}

sub paste {
    my ($text) = @_;

    my $command = shift @commands // '';
    my $shown = $command =~ s{http://[\d.:]+|\Q$directory\E/}{}gr;

    like($command, qr/\Q$text\E/, "to paste: $shown");

    open my $out, '-|', 'sh', '-c',
         ". '$directory/credentials'; exec 2>/dev/null; $command"
        or die "sh: $!\n";

    local $/;
    my $output = <$out>;
    close $out;

    return $output unless $command =~ /^curl -i/;

    my ($status, $header, $body) =
        $output =~ m{^HTTP/1\.1 (\d+)[^\n]*\n(.*?)\r\n\r\n(.*)}s;

    return ($status, $header, $body);
}

sub items {
    my ($list, @path) = @_;

    my $data = decode_json($list);
    $data = $data->{$_} for @path;

    return @$data;
}

sub ids { return join ' ', map { $_->{id} } items(@_) }

sub item {
    my ($id, @list) = @_;

    return Tasks::JSON::show((grep { $_->{id} eq $id } items(@list))[0]);
}

sub contents {
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!\n";
    local $/;

    return <$in>;
}

sub demo_redis {
    open my $out, '-|', 'redis-cli', '-s', "$directory/run/redis.sock", @_
        or die "redis-cli: $!\n";
    chomp(my @lines = <$out>);

    return @lines;
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
@commands = commands_of($output);
cmp_ok(scalar @commands, '>', 30, 'shows what to try');

($status, $output) = demo('status');
is($status, 0, 'status: it runs');
like($output, qr/as process \d+, on http:\/\/127\.0\.0\.1:$port$/, 'and where');

($status, $output) = demo('start');
is($status, 1, 'a second start');
like($output, qr/runs already/, 'is told');


# What is secret is so, and different each time.

my $key = contents("$directory/conf/keys/codex.key");

is((stat "$directory/credentials")[2] & 07777, 0600, 'tokens are their owner\'s');
is((stat "$directory/conf/keys")[2] & 07777, 0700, 'keys are in a closed place');
is(join(' ', map { sprintf '%o %d', (stat)[2] & 07777, (stat _)[4] }
                 glob "$directory/conf/keys/*"),
   join(' ', ("600 $>") x 4), 'and only who started nginx may read them');
like($key, qr/^[0-9a-f]{64}\n\z/, 'they are random');

my $credentials = contents("$directory/credentials");
my $day = time + 86400;

for my $claims ($credentials =~ /Bearer ey[\w-]+\.([\w-]+)\./g) {
    my $end = decode_json(decode_base64url($claims))->{exp};
    ok($end <= $day && $end > $day - 600, 'a token is valid for a day');
}

my @hashes = map { sha256_hex($_) } $credentials =~ /\b((?:codex_|sk-)\w+)'/g;

is(scalar @hashes, 2, 'two keys are no tokens');
is_deeply([sort(demo_redis('KEYS', 'tasks:credential:*'))],
          [sort map { "tasks:credential:$_" } @hashes],
          'Redis has only their hashes');

for my $hash (@hashes) {
    my ($end) = demo_redis('HGET', "tasks:credential:$hash", 'expires');
    ok($end <= $day && $end > $day - 600, 'a key is valid for a day');
}


# Omelette: the three examples of its documentation; "timestamp" is what the real
# server adds.

is(paste('credentials"'), '', 'the credentials can be read by a shell');

is_json(paste('tasks?project_id=1&status=running&limit=20'), <<'END', 'as documented');
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

my $running = $documented =~ s/44/42/r
                          =~ s/completed",/running",/r
                          =~ s/"progress": 100/"progress": 30/r
                          =~ s/"result": \{.*?\}/"result": null/r
                          =~ s/("completed_at":) "[^"]*"/$1 null/r;

is_json(paste('tasks/42"'), $running, 'task 42 is the one of the list');
is_json(paste('tasks/44"'), $documented, 'the detail example, as task 44');
is_json(paste('tasks/42/cancel'), <<'END', 'the cancel example');
{"code": 200, "message": "Task cancelled", "data": null, "timestamp": "<now>"}
END

my @tasks = items(paste('tasks?status=running'), 'data');
ok(@tasks && !grep({ $_->{status} ne 'running' } @tasks), 'some tasks run');

@tasks = items(paste('tasks?project_id=3&status=failed&limit=10'), 'data');
ok(@tasks && !grep({ $_->{status} ne 'failed' || $_->{project_id} != 3 } @tasks),
   'two filters at once');

my ($code, $header, $body) = paste('tasks?limit=x');
is($code, 422, 'a limit that is none');
is_json($body, <<'END', 'as the clients know it');
{"code": 422, "message": "Validation error", "data": [
  {"type": "int_parsing", "loc": ["query", "limit"], "input": "x",
   "msg": "Input should be a valid integer, unable to parse string as an integer"}]}
END

($code, $header, $body) = paste('tasks/99999');
is($code, 404, 'a task that is not there');
is_json($body, '{"code": 404, "message": "Task not found", "data": null}', 'too');

like(paste('FCALL omelette_put'), qr/^\d{16}\n\z/, 'a task of one\'s own');

my $counted = decode_json(http($port, 'GET', '/status')->body);
is($counted->{workers}, 2, 'both workers count');
cmp_ok($counted->{apis}{omelette}{requests}{GET}{ok}, '>', 0, 'what was asked');
like(http($port, 'GET', '/metrics')->body, qr/^tasks_workers 2$/m,
     'for Prometheus, too');
is_json(paste('tasks/9001"'), <<'END', 'is there at once');
{"code": 200, "message": "success", "timestamp": "<now>", "data":
  {"id": 9001, "project_id": 9, "task_type": "ocr", "status": "pending",
   "progress": 0, "total": 80, "params": null, "result": null,
   "error_message": "", "created_at": "<string>", "started_at": null,
   "completed_at": null}}
END
is_json(paste('tasks/9001/cancel'), <<'END', 'and can be cancelled');
{"code": 200, "message": "Task cancelled", "data": null, "timestamp": "<now>"}
END


# Cloudreve.

my $seed = Tasks::slurp('t/seeds/cloudreve_general.json');
my $list = paste('category=general&page_size=10"');

is(ids($list, 'data', 'tasks'),
   'kZ4mTq pXe7Lh d3RvNs Yw2FqA b8KtGe M5hUcX rT9dPw Q6jVnB z1LsEk W6AmTK',
   'a page of general tasks, newest first');
is_json(Tasks::JSON::show(decode_json($list)->{data}{pagination}), <<'END', 'cursor');
{"page": 0, "page_size": 10, "next_token": "eyJpZCI6Ilc2QW1USyJ9", "is_cursor": true}
END
is_json(item('W6AmTK', $list, 'data', 'tasks'),
        item('W6AmTK', $seed, 'data', 'tasks'), 'a task as documented');

$list = paste('category=general&page_size=10&next_page_token=eyJpZCI6Ilc2QW1USyJ9"');

is_json($list, <<"END", 'the next page, which is the last one');
{"code": 0, "msg": "", "data": {
  "pagination": {"page": 0, "page_size": 10, "is_cursor": true},
  "tasks": [@{[item('WqV7iK', $seed, 'data', 'tasks')]},
            @{[item('5EgBfy', $seed, 'data', 'tasks')]}]}}
END

$list = paste('category=downloading');

is(ids($list, 'data', 'tasks'), 'uC7aJr F4xNmo jAMaCN', 'downloads, whole');
is_json(Tasks::JSON::show(decode_json($list)->{data}{pagination}),
        '{"page": 0, "page_size": 32765, "is_cursor": true}', 'in one page');
is_json(item('uC7aJr', $list, 'data', 'tasks'), <<'END', 'null until it is known');
{"id": "uC7aJr", "status": "queued", "type": "remote_download",
 "created_at": "2025-05-21T09:20:00+08:00",
 "updated_at": "2025-05-21T09:20:00+08:00",
 "summary": {"props": {
   "dst": "cloudreve://my", "failed": 0, "src": "", "download": null,
   "src_str": "magnet:?xt=urn:btih:0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"}}}
END

is_json(paste('/progress/pXe7Lh'), <<'END', 'progress');
{"code": 0, "msg": "", "data": {
  "archive_count": {"total": 120, "current": 37, "identifier": ""},
  "archive_size": {"total": 73400320, "current": 22020096, "identifier": ""}}}
END

($code, $header, $body) = paste('?category=general"');
is($code, 200, 'an error has the status 200');
is_json($body, '{"code": 40001, "msg": "PageSize cannot be empty"}', 'and a code');

is_json(paste('/download/jAMaCN'), '{"code": 0, "msg": ""}', 'a cancel');
is(paste('HGET'), "true\n", 'is recorded for the worker');


# Codex.

my $example = Tasks::JSON::show({
    %{ decode_json(Tasks::slurp('t/seeds/codex_task.json')) },
    params => undef, result => undef });

$list = paste('"$codex_admin" "$codex"');

is(ids($list), join(' ', map { "550e8400-e29b-41d4-a716-44665544000$_" }
                             reverse 0 .. 7), 'a bare array, newest first');
is_json(item('550e8400-e29b-41d4-a716-446655440000', $list), $example,
        'its last one as documented');

is_json(paste('?status=failed&limit=1'), <<'END', 'a filter and a limit');
[{"id": "550e8400-e29b-41d4-a716-446655440005", "taskType": "analyze_series",
  "status": "failed", "priority": -5, "libraryId": null, "bookId": null,
  "seriesId": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "seriesTitle": "Aria",
  "params": {"force": true}, "lockedBy": null, "lockedUntil": null,
  "attempts": 2, "maxAttempts": 2, "lastError": "worker lost", "result": null,
  "scheduledFor": "2024-01-15T11:00:00Z", "createdAt": "2024-01-15T11:00:00Z",
  "startedAt": "2024-01-15T11:00:01Z", "completedAt": "2024-01-15T11:20:00Z"}]
END

is_json(paste('"$codex_key" "$codex/550e8400-e29b-41d4-a716-446655440000"'),
        $example, 'a key may read a task');
is_json(paste('"$codex_admin" "$codex/550e8400-e29b-41d4-a716-446655440000/cancel'),
        '{"message": "Task 550e8400-e29b-41d4-a716-446655440000 cancelled"}',
        'an admin may cancel it');

($code, $header, $body) = paste('"$codex_admin" "$codex/550e8400');
is($code, 400, 'but none that is completed');
is_json($body, '{"error": "BadRequest", "message": "Cannot cancel completed task"}',
        'says what is wrong');

($code, $header, $body) = paste('"$codex_key" "$codex/550e8400');
is($code, 403, 'the key may not cancel');
is_json($body, <<'END', 'says what is missing');
{"error": "Forbidden", "message": "Missing required permission: TasksWrite"}
END

($code, $header, $body) = paste('"$codex_reader" "$codex"');
is($code, 403, 'a reader may not even read');
is_json($body, <<'END', 'says what is missing');
{"error": "Forbidden", "message": "Missing required permission: TasksRead"}
END


# RunWisp.

my $run = '01ARZ3NDEKTSV4RRFFQ69G5FA';

$list = paste('$runwisp/tasks"');

is(join(' ', map { $_->{name} } items($list)), 'alpha example mail-queue web zeta',
   'tasks by name');
like($list, qr/^\[\{"name":"alpha","api_trigger":false\},/, 'what is empty is left out');
like($list, qr/"keep_for":31536000000000000[,}]/, 'nanoseconds of a year, exactly');

$list = paste('/runs?status=pending,running&limit=2&offset=2');

is(ids($list, 'runs'), "${run}0 ${run}Z", 'a page of runs in two states');
is(decode_json($list)->{total}, 4, 'and how many there are');
is(ids(paste('/tasks/zeta/runs"'), 'runs'), "${run}V ${run}W ${run}Y ${run}X",
   'a task\'s runs');

my $shown = decode_json(paste("/tasks/zeta/runs/${run}V\""));

is("@$shown{qw(id task_name status created_at)}",
   "${run}V zeta running 2026-01-01T03:00:00Z", 'one of them');

is_json(paste("/runs/${run}V/stop"), <<"END", 'can be told to stop');
{"\$schema": "http://127.0.0.1:$port/schemas/StopRunOutputBody.json",
 "message": "Run stop signal sent"}
END
is_deeply([demo_redis('HMGET', "tasks:{runwisp_runs}:task:${run}V", 'stop', 'status')],
          ['true', '"running"'], 'which is recorded for the runner');

($code, $header, $body) = paste("/runs/${run}W/stop");
is($code, 400, 'another one has ended');
like($header, qr{^Content-Type: application/problem\+json\r$}m, 'a problem');
is_json($body, <<"END", 'is described');
{"\$schema": "http://127.0.0.1:$port/schemas/ErrorModel.json", "status": 400,
 "title": "Bad Request", "detail": "run is not currently running"}
END

($code, $header, $body) = paste('curl -i "$runwisp/tasks"');
is($code, 401, 'without a token');
is($body, "no token found\n", 'it is said in plain words');


# Cyberun.

my $first = '019abc12-9012-7890-abcd-ef1234567896';

$example = <<'END';
{"id": "019abc12-9012-7890-abcd-ef1234567896",
 "workflow_id": "019abc12-8901-7890-abcd-ef1234567895",
 "task_source": "jwt", "task_status": "completed",
 "created_at": "2025-02-10T14:00:00Z", "retry_count": 0,
 "started_at": "2025-02-10T14:00:05Z", "completed_at": "2025-02-10T14:01:30Z",
 "agent_id": "agent-gpu-01", "agent_labels": ["gpu", "a100"],
 "gateway_id": "gw-a1b2c3d4", "gpu_type": "<string>", "dispatch_target": "agent",
 "target_pool": "team", "tool_type": "comfyui"}
END

$list = paste('"$cyberun_key" "$cyberun"');

is(scalar items($list, 'task_list'), 20, 'a page of the team\'s tasks');
is_json(Tasks::JSON::show(decode_json($list)->{page_meta}),
        '{"current_page": 1, "per_page": 20, "total_count": 42}', 'as documented');
is_json(item($first, $list, 'task_list'), $example, 'with the example');

$list = paste('?per_page=10&current_page=5');

is(scalar items($list, 'task_list'), 2, 'the last page');
is_json(Tasks::JSON::show(decode_json($list)->{page_meta}),
        '{"current_page": 5, "per_page": 10, "total_count": 42}', 'and its place');

$list = paste('"$cyberun_user" -H "$cyberun_team"');

is(join(' ', map { $_->{task_status} } items($list, 'task_list')), 'failed',
   'a user who names a team, a filter');
is(decode_json($list)->{page_meta}{total_count}, 1, 'which the count follows');

($code, $header, $body) = paste('"$cyberun_user" "$cyberun');
is($code, 400, 'a user who names none');
is_json($body, '{"error_message": "X-Team-ID header is required"}', 'is told to');

is_json(paste("\$cyberun/$first\""), $example =~ s/\}\s*$/, "task_error": ""}/r,
        'a task');
is_json(paste("\$cyberun/$first/result"), <<"END", 'its result');
{"id": "$first", "task_status": "completed", "task_error": "",
 "task_output": {"images": [{"filename": "out_00001.png", "node": "9"}]},
 "download_url": "https://files.example.com/outputs/out_00001.png",
 "download_urls": ["https://files.example.com/outputs/out_00001.png"],
 "expires_at": "2025-02-11T14:01:30Z", "completed_at": "2025-02-10T14:01:30Z"}
END
is_json(paste('/cancel'), '{"is_success": true}', 'one that runs is cancelled');
is((demo_redis('HGET', 'tasks:{cyberun:019abc12-4567-7890-abcd-ef1234567891}'
                       . ':task:019abc12-8290-7890-abcd-ef1234567829',
               'task_status'))[0], '"cancelled"', 'at once');

is_deeply(\@commands, [], 'that is all that it shows');


# Omelette: what the cancel has changed.

my $cancel = post('/42/cancel');

is($cancel->status, 400, 'a second cancel');
is_json($cancel->body, <<'END', 'it cannot be cancelled');
{"code": 400, "message": "Cannot cancel task in cancelled state", "data": null}
END

is(data('/42')->{status}, 'cancelled', 'it is cancelled');
is_json(get('?project_id=1&status=running')->body,
        '{"code": 200, "message": "success", "timestamp": "<now>", "data": []}',
        'and not in the list any more');


# Its other tasks.

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


# The worker.

my %progress = map { $_->{id} => $_->{progress} } @{ data('?status=running') };

ok(wait_for(sub {
    grep { $_->{progress} > ($progress{$_->{id}} // $_->{progress}) }
         @{ data('?status=running') };
}, 10, 'progress'), 'a running task makes progress');

my %known = map { $_->{id} => 1 } @all;

ok(wait_for(sub { !$known{ data('?limit=1')->[0]{id} } }, 15, 'a new task'),
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

ok(wait_for(sub { contents("$directory/logs/worker.log")
                  =~ /^task $victim->{id} is cancelled/m }, 15, 'the worker'),
   'the worker has noticed');
sleep 1.5;
is_deeply(data("/$victim->{id}"), $victim, 'and leaves it alone');

# unless the worker puts it again just now
wait_for(sub { demo_redis('FCALL', 'omelette_prune', 1, 'tasks:{omelette}', 0);
               get('/44')->status == 404 }, 5, 'the end of task 44');
pass('a task of the documentation is pruned');
ok(wait_for(sub { get('/44')->status == 200 }, 45, 'task 44'),
   'the worker puts it again');
is_json(get('/44')->body, $documented, 'as it was');


# The end.

cmp_ok(scalar processes(), '>=', 5, 'it has processes');

($status, $output) = demo('stop');

is($status, 0, 'stop');
ok(wait_for(sub { !processes() }, 5, 'the end of all'), 'no process is left');
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
    ok(wait_for(sub { !processes() }, 5, 'the end of all'), 'none is left');
    ok(!-e $directory, 'nor a directory');
}


# After a kill that it cannot see.

is((demo('start'))[0], 0, 'start once more');

isnt(contents("$directory/conf/keys/codex.key"), $key, 'with other keys');

chomp(my $pid = contents("$directory/demo.pid"));

kill 'KILL', $pid;
wait_for(sub { (demo('status'))[0] == 3 }, 5, 'its death');

($status, $output) = demo('stop');

is($status, 0, 'stop after kill -9');
like($output, qr/cleared/, 'clears what is left');
wait_for(sub { !processes() }, 5, 'the end of its sleep');
ok(!-e $directory, 'the directory too');

done_testing();
