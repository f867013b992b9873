# RunWisp's API: the conformance cases by their ids, the examples of its
# documents, and what its server does beyond them.  Locations and maps are those
# of conf/nginx.conf.
#
# Sections of this suite; each request has its own line of them:
#
#   --- names       the names of a list of tasks, "-" for none
#   --- runs        "TOTAL: RUN ...": the runs of a page by number, "-" for none
#   --- stop        "RUN JSON" in Redis: whether a run is to be stopped

use lib 't/lib';
use Tasks 'no_plan';

use MIME::Base64 qw(encode_base64url);
use Tasks::JWT;
use Tasks::Shipped;

our $API = '/runwisp/api';

# runs by number: R1 and R2 are those of the cases
our @RUN = map { sprintf '01ARZ3NDEKTSV4RRFFQ69G5FA%s', $_ } qw(T V W X Y Z);
our $MISSING = '01ARZ3NDEKTSV4RRFFQ69G5F00';

our $TASKS = <<'END';
= runwisp
zeta {"cron":"0 3 * * *","api_trigger":true,"timeout":30000000000,"keep_for":31536000000000000,"next_run_at":"2026-01-02 03:00:00"}
alpha {"api_trigger":false}
web {"kind":"service","api_trigger":true,"restart":"on_failure","instances":2}
END

our $ZETA = '{"name":"zeta","cron":"0 3 * * *","api_trigger":true,"timeout":30000000000,'
          . '"keep_for":31536000000000000,"next_run_at":"2026-01-02 03:00:00"}';
our $ALPHA = '{"name":"alpha","api_trigger":false}';
our $WEB = '{"name":"web","kind":"service","api_trigger":true,"restart":"on_failure","instances":2}';

our $RUNS = <<"END";
= runwisp_runs
$RUN[1] {"task_name":"zeta","status":"running","start_at":"2026-01-01T03:00:00.5Z","triggered_by":"cron","created_at":"2026-01-01T03:00:00Z"}
$RUN[2] {"task_name":"zeta","status":"ended","end_reason":"success","exit_code":0,"start_at":"2026-01-01T02:00:00Z","end_at":"2026-01-01T02:00:09Z","triggered_by":"api","created_at":"2026-01-01T02:00:00Z","retry_attempt":1,"retry_of_run_id":"$RUN[3]"}
END

# newest first: 5 4 1 2 3
my $MORE = <<"END";
$RUN[3] {"task_name":"zeta","status":"ended","end_reason":"failed","exit_code":-1,"triggered_by":"api","created_at":"2026-01-01T01:00:00Z"}
$RUN[4] {"task_name":"web","status":"running","triggered_by":"service","created_at":"2026-01-01T04:00:00Z","replica_index":1}
$RUN[5] {"task_name":"web","triggered_by":"service","created_at":"2026-01-01T05:00:00Z"}
END

our $R1 = qq({"id":"$RUN[1]","task_name":"zeta","status":"running","exit_code":0,"start_at":"2026-01-01T03:00:00.5Z",)
        . q("triggered_by":"cron","created_at":"2026-01-01T03:00:00Z","retry_attempt":0,"replica_index":0});
our $R2 = qq({"id":"$RUN[2]","task_name":"zeta","status":"ended","end_reason":"success","exit_code":0,)
        . q("start_at":"2026-01-01T02:00:00Z","end_at":"2026-01-01T02:00:09Z","triggered_by":"api",)
        . qq("created_at":"2026-01-01T02:00:00Z","retry_attempt":1,"retry_of_run_id":"$RUN[3]","replica_index":0});

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => maps() . ($block->http_config // ''));
    $block->set_value(config => location("$API/"));
    $block->set_value(conf_file => ">>> keys/runwisp.key\nrw-secret");
    $block->set_value(user_files => []);    # files as they are, to the byte
    $block->set_value(more_headers => bearer()) unless defined $block->more_headers;
    $block->set_value(put => $TASKS . $RUNS . $MORE) unless defined $block->put;
});


# Tokens: good ones, but for the claims that are given, as JSON; undef leaves a
# claim out.

sub claims {
    return claims_json(iss => '"runwisp"', aud => '"runwisp-api"',
                       iat => time - 10, exp => time + 3600, @_);
}

sub token { return jwt(claims(@_), 'rw-secret') }

our $HOST = 'Host: localhost:9477';

sub bearer { return "$HOST\nAuthorization: Bearer " . token(@_) }


# Responses.

sub failure {
    my ($status, $title, $detail, $more) = @_;
    $more //= '';
    return qq({"\$schema":"http://localhost:9477/schemas/ErrorModel.json",)
         . qq("title":"$title","status":$status,"detail":"$detail"$more});
}

sub invalid {
    my ($location, $value, $message) = @_;
    return failure(422, 'Unprocessable Entity', 'validation failed',
                   qq(,"errors":[{"message":"$message","location":"$location","value":"$value"}]));
}

our $NO_RUN = failure(404, 'Not Found', 'run not found');
our $NOT_RUNNING = failure(400, 'Bad Request', 'run is not currently running');
our $NO_NAME = 'expected string to match pattern ^[a-zA-Z0-9._-]+$';
our $NO_ULID = 'expected string to match pattern ^[0-9A-HJKMNP-TV-Z]{26}$';

our $PROBLEM = <<'END';
Content-Type: application/problem+json
Link: </schemas/ErrorModel.json>; rel="describedBy"
X-Content-Type-Options: nosniff
X-Frame-Options: DENY
END

our $SECURE = <<'END';
X-Content-Type-Options: nosniff
X-Frame-Options: DENY
Content-Security-Policy: img-src 'self' data:; connect-src 'self' ws: wss:; font-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'
END

our $TEXT = "Content-Type: text/plain; charset=utf-8\n! Link\n$SECURE";

sub requests { return map { "GET $API/$_" } @_ }
sub runs     { return requests(map { "runs$_" } @_) }
sub stop     { my ($run, $task) = @_; $task //= 'zeta';
               return "POST $API/tasks/$task/runs/$run/stop" }


# What the suite's sections promise.

add_response_body_check(sub {
    my ($block, $body, $index) = @_;

    for my $name (qw(names runs stop)) {
        my $lines = $block->$name // next;
        my $expected = (grep { /\S/ } split /\n/, $lines)[$index]
                       // die $block->name, " - $name: no line $index\n";

        no strict 'refs';
        &{"check_$name"}($expected, $body, $block->name . " - $name $index");
    }
});

sub decoded { return eval { Tasks::JSON::decode($_[0]) } }

sub check_names {
    my ($expected, $body, $name) = @_;
    my $tasks = decoded($body);
    $tasks = [{ name => 'no list' }] unless ref $tasks eq 'ARRAY';
    is(join(' ', map { $_->{name} } @$tasks) || '-', $expected, $name);
}

sub check_runs {
    my ($expected, $body, $name) = @_;
    my $page = decoded($body);
    $page = { total => 'no list' } unless ref $page eq 'HASH' && $page->{runs};
    my %number = map { $RUN[$_] => $_ } 0 .. $#RUN;
    my $runs = join(' ', map { $number{$_->{id}} } @{ $page->{runs} }) || '-';
    is("$page->{total}: $runs", $expected, $name);
    is(join(' ', sort keys %$page), 'runs total', "$name, and nothing else");
}

sub check_stop {
    my ($expected, undef, $name) = @_;
    my ($run, $json) = split / /, $expected;
    is(redis('HGET', "tasks:{runwisp_runs}:task:$RUN[$run]", 'stop') // 'null', $json, $name);
}


# The documents' examples: an item of the list as a writer stores it, and what
# may be in an error, by the types of its members.

sub seed { return Tasks::slurp("t/seeds/runwisp_$_[0].json") }

sub seed_task { return Tasks::JSON::show(decoded(seed('tasks'))->[0]) }

add_response_body_check(sub {
    my ($block, $body) = @_;

    return unless defined $block->error_of_seed;

    my ($error, $seed) = (decoded($body), decoded(seed('error')));

    for my $name (sort keys %$error) {
        is(Tasks::JSON::type_of($error->{$name}),
           $name eq 'errors' ? 'array' : Tasks::JSON::type_of($seed->{$name}),
           $block->name . " - $name");
    }
});

run_tests();

__DATA__

=== RW1: the list: an array, by name, with no $schema and no Link
--- request
GET /runwisp/api/tasks
--- response_headers eval
"Content-Type: application/json\n! Link\n$main::SECURE"
--- names
alpha web zeta
--- response_json eval
"[$main::ALPHA,$main::WEB,$main::ZETA]"



=== RW2: a task has its name and api_trigger always, and nothing else if there is nothing
--- put
= runwisp
alpha {"api_trigger":false}
--- request
GET /runwisp/api/tasks
--- response_body chomp
[{"name":"alpha","api_trigger":false}]



=== RW4: no token; "bearer" in lower case; a cookie
--- request eval
[("GET /runwisp/api/tasks") x 3]
--- more_headers eval
["X-None: 1", "Authorization: bearer " . main::token(), "Cookie: runwisp_jwt=" . main::token()]
--- error_code eval
[401, 200, 200]
--- response_headers eval
[$main::TEXT, "Content-Type: application/json", "Content-Type: application/json"]
--- response_body eval
["no token found\n", (qr/^\[\{"name":"alpha",/) x 2]



=== RW6: a stop is a signal: it is recorded, and the run goes on
--- request eval
[main::stop($main::RUN[1]), main::requests("tasks/zeta/runs/$main::RUN[1]")]
--- response_headers eval
["Content-Type: application/json\nLink: </schemas/StopRunOutputBody.json>; rel=\"describedBy\"\n$main::SECURE",
 "Content-Type: application/json"]
--- response_json eval
['{"$schema":"http://localhost:9477/schemas/StopRunOutputBody.json","message":"Run stop signal sent"}', $main::R1]
--- stop
1 true
1 true



=== the document's example of a task comes back, member by member
--- put eval
"= runwisp\nseed " . main::seed_task()
--- request
GET /runwisp/api/tasks
--- response_json eval
my $seed = main::seed('tasks');
$seed =~ s/\{/{"name":"seed","api_trigger":false,/;
$seed



=== members come in the order of the server's, integers of 64 bits to the last digit
--- request
GET /runwisp/api/tasks
--- response_body eval
"[$main::ALPHA,$main::WEB,$main::ZETA]"



=== a task with everything
--- put
= runwisp
all {"next_run_at":"2026-02-28 23:59:59","keep_for":9223372036854775807,"keep_runs":50,"log_on_full":"kill_task","log_max_size":9007199254740993,"retry_backoff":"exponential","retry_delay":1,"retry_attempts":3,"restart_backoff":"linear","restart_delay":1500000000,"instances":1,"on_overlap":"terminate","parallelism":4,"restart":"always","timeout":31536000000000001,"catch_up":"all","api_trigger":true,"timezone":"Europe/Prague","cron":"*/5 * * * *","description":"<b>\u00e9 & \"q\"</b>\n\ud83d\ude00","group":"night","kind":"service"}
--- request
GET /runwisp/api/tasks
--- response_body chomp
[{"name":"all","kind":"service","group":"night","description":"<b>\u00e9 & \"q\"</b>\n\ud83d\ude00","cron":"*/5 * * * *","timezone":"Europe/Prague","api_trigger":true,"catch_up":"all","timeout":31536000000000001,"restart":"always","parallelism":4,"on_overlap":"terminate","instances":1,"restart_delay":1500000000,"restart_backoff":"linear","retry_attempts":3,"retry_delay":1,"retry_backoff":"exponential","log_max_size":9007199254740993,"log_on_full":"kill_task","keep_runs":50,"keep_for":9223372036854775807,"next_run_at":"2026-02-28 23:59:59"}]



=== zero and empty values are left out, api_trigger never
--- put
= runwisp
none {"kind":"","group":"","description":"","cron":"","timezone":"","api_trigger":false,"catch_up":"","timeout":0,"restart":"","parallelism":0,"on_overlap":"","instances":0,"restart_delay":0,"restart_backoff":"","retry_attempts":0,"retry_delay":0,"retry_backoff":"","log_max_size":0,"log_on_full":"","keep_runs":0,"keep_for":0,"next_run_at":""}
null {"kind":null,"timeout":null,"api_trigger":null}
--- request
GET /runwisp/api/tasks
--- response_body chomp
[{"name":"none","api_trigger":false},{"name":"null","api_trigger":false}]



=== a value that becomes zero or empty goes, the others stay
--- put
= runwisp
job {"group":"g","cron":"@daily","timeout":30000000000,"keep_runs":5,"api_trigger":true}
job {"group":"","timeout":0}
--- request
GET /runwisp/api/tasks
--- response_body chomp
[{"name":"job","cron":"@daily","api_trigger":true,"keep_runs":5}]



=== negative and one-digit numbers, and texts of one blank, are values
--- put
= runwisp
job {"timeout":-1,"keep_runs":1,"group":" ","timezone":"0"}
--- request
GET /runwisp/api/tasks
--- response_body chomp
[{"name":"job","group":" ","timezone":"0","api_trigger":false,"timeout":-1,"keep_runs":1}]



=== names are ordered as bytes are: - . digits, upper case, _, lower case
--- put eval
CORE::join "\n", '= runwisp', map { "$_ {\"api_trigger\":false}" }
     qw(ab b a_b a10 a2 a aB aA a1 a-b a.b _a -a .a 10 2 1 B A Z z a0 aa a-)
--- request
GET /runwisp/api/tasks
--- names
-a .a 1 10 2 A B Z _a a a- a-b a.b a0 a1 a10 a2 aA aB a_b aa ab b z



=== a name comes before the names that begin with it
--- put eval
CORE::join "\n", '= runwisp', map { "$_ {\"api_trigger\":false}" } qw(job-1 job.1 job1 job_1 jobs job job- jo)
--- request
GET /runwisp/api/tasks
--- names
jo job job- job-1 job.1 job1 job_1 jobs



=== names of one byte and of a hundred
--- put eval
"= runwisp\n" . ('n' x 100) . " {\"api_trigger\":true}\nn {\"api_trigger\":true}"
--- request
GET /runwisp/api/tasks
--- names eval
"n " . 'n' x 100



=== a task that is written again is there once
--- put
= runwisp
b {"api_trigger":true}
a {"api_trigger":true}
b {"api_trigger":false}
--- request
GET /runwisp/api/tasks
--- response_body chomp
[{"name":"a","api_trigger":true},{"name":"b","api_trigger":false}]



=== no task at all
--- put
--- request
GET /runwisp/api/tasks
--- response_headers
Content-Type: application/json
! Link
--- response_body chomp
[]



=== a hundred and fifty tasks: the list has no pages
--- put eval
CORE::join "\n", '= runwisp', map { sprintf 'job%03d {"instances":%d}', $_, $_ } CORE::reverse 1 .. 150
--- request
GET /runwisp/api/tasks
--- response_body eval
'[' . CORE::join(',', map { sprintf '{"name":"job%03d","api_trigger":false,"instances":%d}', $_, $_ } 1 .. 150) . ']'



=== the list takes no parameters: whatever comes is ignored
--- request eval
[main::requests('tasks?limit=1', 'tasks?limit=x&offset=-1', 'tasks?name=zeta&kind=service&status=bad',
                'tasks?', 'tasks?%00=%FF', 'tasks?search=a&sort_direction=desc')]
--- names
alpha web zeta
alpha web zeta
alpha web zeta
alpha web zeta
alpha web zeta
alpha web zeta



=== a HEAD is the GET without its body
--- request eval
["HEAD /runwisp/api/tasks", "HEAD /runwisp/api/runs", "HEAD /runwisp/api/tasks/zeta/runs/$main::MISSING",
 "HEAD /runwisp/api/runs?limit=0"]
--- error_code eval
[200, 200, 404, 422]
--- response_headers eval
['Content-Length: ' . length("[$main::ALPHA,$main::WEB,$main::ZETA]"), 'Content-Type: application/json',
 $main::PROBLEM . 'Content-Length: ' . length $main::NO_RUN, $main::PROBLEM]
--- response_body eval
['', '', '', '']



=== the runs, newest first, with their total
--- request
GET /runwisp/api/runs
--- response_headers
Content-Type: application/json
--- runs
5: 5 4 1 2 3



=== the runs of a task
--- request eval
[main::requests('tasks/zeta/runs', 'tasks/web/runs', 'tasks/alpha/runs', 'tasks/nobody/runs')]
--- runs
3: 1 2 3
2: 5 4
0: -
0: -



=== a page of runs in full: what a run does not have is left out
--- put eval
$main::TASKS . $main::RUNS
--- request
GET /runwisp/api/runs
--- response_body eval
qq({"runs":[$main::R1,$main::R2],"total":2})



=== no run at all
--- put
--- request eval
[main::runs('', '?status=running', '?limit=10&offset=10'), main::requests('tasks/zeta/runs')]
--- response_body eval
[('{"runs":[],"total":0}') x 4]



=== limit and offset: the total is that of all
--- request eval
[main::runs('?limit=2', '?limit=2&offset=2', '?limit=2&offset=4', '?offset=1', '?limit=1&offset=0', '?limit=1000',
            '?limit=%2B3', '?limit=003', '?offset=%2B3')]
--- runs
5: 5 4
5: 1 2
5: 3
5: 4 1 2 3
5: 5
5: 5 4 1 2 3
5: 5 4 1
5: 5 4 1
5: 2 3



=== an offset beyond the end: no runs, the same total
--- request eval
[main::runs('?offset=5', '?offset=100', '?limit=2&offset=2147483647', '?offset=4503599627370496',
            '?status=running&offset=2', '?status=running,ended&offset=4', '?status=running,ended&offset=9000'),
 main::requests('tasks/web/runs?offset=2')]
--- runs
5: -
5: -
5: -
5: -
2: -
4: -
4: -
2: -



=== fifty runs unless asked for more
--- put eval
CORE::join "\n", '= runwisp_runs', map { sprintf '01ARZ3NDEKTSV4RRFFQ69G5F%02d {"task_name":"t","created_at":"2026-01-01T00:00:%02dZ"}', $_, $_ } 0 .. 59
--- request eval
[main::runs('', '?limit=', '?limit', '?limit=60', '?limit=&offset=59')]
--- response_body eval
[(map { my $last = $_; qr/^\{"runs":\[\{"id":"01ARZ3NDEKTSV4RRFFQ69G5F59",(?:[^{}]*\},\{){49}"id":"01ARZ3NDEKTSV4RRFFQ69G5F10",[^{}]*\}\],"total":60\}$/ } 1 .. 3),
 qr/^\{"runs":\[(?:[^{}]*\{[^{}]*\}){60}\],"total":60\}$/,
 qr/^\{"runs":\[\{"id":"01ARZ3NDEKTSV4RRFFQ69G5F00",[^{}]*\}\],"total":60\}$/]



=== one status
--- request eval
[main::runs(map { "?status=$_" } qw(running ended pending), '')]
--- runs
2: 4 1
2: 2 3
1: 5
5: 5 4 1 2 3



=== several statuses: runs of any of them, merged in order, counted once
--- request eval
[main::runs('?status=running,ended', '?status=ended,running', '?status=pending,running,ended',
            '?status=running,running', '?status=pending%2Cended', '?status=running,ended&limit=2&offset=1',
            '?status=running,ended&limit=2&offset=3')]
--- runs
4: 4 1 2 3
4: 4 1 2 3
5: 5 4 1 2 3
2: 4 1
3: 5 2 3
4: 1 2
4: 3



=== a status that no run has; cases count
--- request eval
[main::runs('?status=failed', '?status=Running', '?status=%20running', '?status=failed,running')]
--- runs
0: -
0: -
0: -
2: 4 1



=== a task's name as a filter, alone and with others
--- request eval
[main::runs('?task_name=zeta', '?task_name=web&status=running', '?task_name=zeta&status=running,ended&limit=2&offset=1',
            '?task_name=', '?task_name=zet', '?task_name=zeta%2Cweb', '?task_name=alpha&status=pending')]
--- runs
3: 1 2 3
1: 4
3: 2 3
5: 5 4 1 2 3
0: -
0: -
0: -



=== the runs of a task with statuses and pages
--- request eval
[main::requests('tasks/zeta/runs?status=ended', 'tasks/zeta/runs?status=running,ended&limit=1&offset=1',
                'tasks/web/runs?limit=1', 'tasks/web/runs?status=', 'tasks/zeta/runs?task_name=web')]
--- runs
2: 2 3
3: 2
2: 5
2: 5 4
3: 1 2 3



=== unknown parameters and empty sort parameters are ignored
--- request eval
[main::runs('?page=2&per_page=x', '?Limit=1', '?sort_field=&sort_direction=&search=',
            '?sort_field=created_at&sort_direction=desc')]
--- runs
5: 5 4 1 2 3
5: 5 4 1 2 3
5: 5 4 1 2 3
5: 5 4 1 2 3



=== runs of the same time: each one once, on all pages, in one order
--- put eval
CORE::join "\n", '= runwisp_runs', map { qq($main::RUN[$_] {"task_name":"t","status":"ended","created_at":"2026-01-01T00:00:00Z"}) } 1 .. 5
--- request eval
[main::runs('', '?limit=2', '?limit=2&offset=2', '?limit=2&offset=4', '?status=ended&limit=3&offset=2')]
--- runs
5: 5 4 3 2 1
5: 5 4
5: 3 2
5: 1
5: 3 2 1



=== a run
--- request eval
[main::requests(map { "tasks/zeta/runs/$main::RUN[$_]" } 1, 2)]
--- response_headers eval
[("Content-Type: application/json\n$main::SECURE") x 2]
--- response_body eval
[$main::R1, $main::R2]



=== a run that has hardly anything: numbers are 0, a status it has
--- request eval
[main::requests("tasks/web/runs/$main::RUN[5]", "tasks/zeta/runs/$main::RUN[3]")]
--- response_json eval
[qq({"id":"$main::RUN[5]","task_name":"web","status":"pending","exit_code":0,"triggered_by":"service","created_at":"2026-01-01T05:00:00Z","retry_attempt":0,"replica_index":0}),
 qq({"id":"$main::RUN[3]","task_name":"zeta","status":"ended","end_reason":"failed","exit_code":-1,"triggered_by":"api","created_at":"2026-01-01T01:00:00Z","retry_attempt":0,"replica_index":0})]



=== the task in the path is checked, and not compared with the run's
--- request eval
[main::requests("tasks/other/runs/$main::RUN[1]"), main::stop($main::RUN[1], 'other')]
--- response_json eval
[$main::R1, '{"$schema":"http://localhost:9477/schemas/StopRunOutputBody.json","message":"Run stop signal sent"}']
--- stop
1 null
1 true



=== a run that is not there
--- request eval
[main::requests("tasks/zeta/runs/$main::MISSING"), main::stop($main::MISSING)]
--- error_code eval
[404, 404]
--- response_headers eval
[($main::PROBLEM . $main::SECURE) x 2]
--- response_body eval
[($main::NO_RUN) x 2]



=== a stop of runs that are not running
--- request eval
[map { main::stop($main::RUN[$_]) } 2, 3, 5]
--- error_code eval
[400, 400, 400]
--- response_headers eval
[($main::PROBLEM) x 3]
--- response_body eval
[($main::NOT_RUNNING) x 3]
--- stop
2 null
3 null
5 null



=== a second stop is as good as the first; lists do not tell of stops
--- request eval
[(main::stop($main::RUN[4], 'web')) x 2, main::runs('?task_name=web&status=running'),
 main::requests("tasks/web/runs/$main::RUN[4]")]
--- response_body_like eval
[('"message":"Run stop signal sent"\}$') x 2, ('^(?!.*stop).*"status":"running"') x 2]
--- stop
4 true
4 true
4 true
4 true



=== a run that the runner has ended after a stop: why, and no second stop
--- redis_after_start eval
qq(FCALL runwisp_runs_cancel 1 tasks:{runwisp_runs} $main::RUN[1]
FCALL runwisp_runs_put 1 tasks:{runwisp_runs} $main::RUN[1] status '"ended"' end_reason '"stopped"' exit_code 143 end_at '"2026-01-01T03:00:07Z"')
--- request eval
[main::requests("tasks/zeta/runs/$main::RUN[1]"), main::stop($main::RUN[1]), main::runs('?status=running'),
 main::runs('?status=ended')]
--- error_code eval
[200, 400, 200, 200]
--- response_body eval
[($main::R1 =~ s/"running","exit_code":0/"ended","end_reason":"stopped","exit_code":143/r)
     =~ s/(?=,"triggered_by")/,"end_at":"2026-01-01T03:00:07Z"/r,
 $main::NOT_RUNNING, qr/"total":1\}$/, qr/"total":3\}$/]



=== a limit that is no integer
--- request eval
[main::runs(map { "?limit=$_" } qw(x 1.5 1e1 5x +5 0x10 - 9223372036854775808)),
 main::requests('tasks/zeta/runs?limit=x')]
--- error_code eval
[(422) x 9]
--- response_headers eval
[($main::PROBLEM) x 9]
--- response_json eval
[map { main::invalid('query.limit', $_, 'invalid integer') } qw(x 1.5 1e1 5x), ' 5', qw(0x10 - 9223372036854775808 x)]



=== a limit out of bounds
--- request eval
[main::runs(map { "?limit=$_" } qw(0 -1 1001 9223372036854775807)),
 main::requests('tasks/zeta/runs?limit=0', 'tasks/zeta/runs?limit=1001')]
--- error_code eval
[(422) x 6]
--- response_json eval
[(map { main::invalid('query.limit', $_, 'expected number >= 1') } 0, -1),
 (map { main::invalid('query.limit', $_, 'expected number <= 1000') } 1001, '9223372036854775807'),
 main::invalid('query.limit', 0, 'expected number >= 1'), main::invalid('query.limit', 1001, 'expected number <= 1000')]



=== an offset that is none
--- request eval
[main::runs(map { "?offset=$_" } qw(-1 x 0.5)), main::requests('tasks/zeta/runs?offset=-5'),
 main::runs('?offset=4503599627370497')]
--- error_code eval
[(422) x 5]
--- response_json eval
[main::invalid('query.offset', -1, 'expected number >= 0'), main::invalid('query.offset', 'x', 'invalid integer'),
 main::invalid('query.offset', '0.5', 'invalid integer'), main::invalid('query.offset', -5, 'expected number >= 0'),
 main::invalid('query.offset', '4503599627370497', 'expected number <= 4503599627370496')]



=== an order that is not served is refused, not ignored
--- request eval
[main::runs('?sort_field=duration', '?sort_direction=asc', '?search=boom', '?sort_field=password'),
 main::requests('tasks/zeta/runs?sort_direction=asc', 'tasks/zeta/runs?sort_field=status', 'tasks/zeta/runs?search=x')]
--- error_code eval
[(422) x 7]
--- response_body_like eval
[map { qr/"detail":"validation failed","errors":\[\{"message":"[^}]+","location":"query\.$_"\}\]\}$/ }
 'sort_field","value":"duration', 'sort_direction","value":"asc', 'search","value":"boom',
 'sort_field","value":"password', 'sort_direction","value":"asc', 'sort_field","value":"status', 'search","value":"x']



=== more statuses than eight
--- request
GET /runwisp/api/runs?status=a,b,c,d,e,f,g,h,i
--- error_code: 422
--- response_json eval
main::invalid('query.status', 'a,b,c,d,e,f,g,h,i', 'expected array length <= 8')



=== a task's name that is none
--- request eval
[main::requests('tasks/a%20b/runs', 'tasks/a%5Cb/runs', 'tasks/%C3%A9/runs', 'tasks/' . 'n' x 101 . '/runs',
                "tasks/a*b/runs/$main::RUN[1]"), main::stop($main::RUN[1], 'a+b')]
--- error_code eval
[(422) x 6]
--- response_json eval
[(map { main::invalid('path.taskName', $_, $main::NO_NAME) } 'a b', 'a\\\\b', "\xc3\xa9"),
 main::invalid('path.taskName', 'n' x 101, 'expected length <= 100'),
 (map { main::invalid('path.taskName', $_, $main::NO_NAME) } 'a*b', 'a+b')]



=== a run's id that is no ULID
--- request eval
[main::requests(map { "tasks/zeta/runs/$_" } 'abc', lc $main::RUN[1], substr($main::RUN[1], 1), "$main::RUN[1]0",
     'I' . substr($main::RUN[1], 1), 'U' . substr($main::RUN[1], 1), '0' x 300), main::stop('1'), main::stop("x$main::RUN[1]")]
--- error_code eval
[(422) x 9]
--- response_headers eval
[($main::PROBLEM) x 9]
--- response_json eval
[map { main::invalid('path.runId', $_, $main::NO_ULID) } 'abc', lc $main::RUN[1], substr($main::RUN[1], 1),
 "$main::RUN[1]0", 'I' . substr($main::RUN[1], 1), 'U' . substr($main::RUN[1], 1), '0' x 300, '1', "x$main::RUN[1]"]



=== errors have members of the document's error, of its types
--- request eval
[main::requests("tasks/zeta/runs/$main::MISSING", 'runs?limit=0', 'tasks/zeta/runs/x', 'nowhere')]
--- error_code eval
[404, 422, 422, 404]
--- error_of_seed



=== the URL of a schema has the host that the client has asked
--- more_headers eval
[map { "Host: $_\nAuthorization: Bearer " . main::token() } 'localhost:9477', 'runs.example:8443', '127.0.0.1', '[::1]:80']
--- request eval
[main::requests(("tasks/zeta/runs/$main::MISSING") x 4)]
--- error_code eval
[(404) x 4]
--- response_body_like eval
[map { qr{^\{"\$schema":"https?://\Q$_\E/schemas/ErrorModel\.json","title":} }
 'localhost:9477', 'runs.example:8443', '127.0.0.1', '[::1]:80']



=== no token: nothing, another scheme, nothing behind the scheme, another cookie
--- request eval
[(main::requests('tasks')) x 7]
--- more_headers eval
['X-None: 1', 'Authorization: Bearer', 'Authorization: Basic dXNlcjpwdw==', 'Authorization: ' . main::token(),
 'Cookie: runwisp_jwt=', 'Cookie: jwt=' . main::token(), 'X-API-Key: ' . main::token()]
--- error_code eval
[(401) x 7]
--- response_headers eval
[($main::TEXT) x 7]
--- response_body eval
[("no token found\n") x 7]



=== tokens that nobody here has signed
--- request eval
[(main::requests('tasks')) x 9]
--- more_headers eval
[map { "Authorization: Bearer $_" } 'x', 'a.b.c', '..', Tasks::JWT::jwt(main::claims(), 'other'), Tasks::JWT::jwt(main::claims(), ''),
 Tasks::JWT::jwt(main::claims(), 'rw-secret', alg => 'HS512'),
 Tasks::JWT::jwt(main::claims(), 'rw-secret', header => '{"alg":"none"}') =~ s/[^.]*\z//r,
 main::token() =~ s/\.[^.]*\./'.' . main::encode_base64url(main::claims(exp => 9999999999)) . '.'/er,
 main::token() . '=']
--- error_code eval
[(401) x 9]
--- response_headers eval
[($main::TEXT) x 9]
--- response_body eval
[("token is unauthorized\n") x 9]



=== tokens of another issuer, for another audience, or without what they must have
--- request eval
[(main::requests('tasks')) x 8]
--- more_headers eval
[map { main::bearer(@$_) } [iss => '"other"'], [iss => undef], [iss => '["runwisp"]'], [aud => '"runwisp"'], [aud => undef],
 [aud => '[]'], [aud => '["a","b"]'], [exp => undef]]
--- error_code eval
[(401) x 8]
--- response_body eval
[("token is unauthorized\n") x 8]



=== good tokens: an audience among others, without iat, from its nbf on
--- request eval
[(main::requests('tasks')) x 4]
--- more_headers eval
[map { main::bearer(@$_) } [aud => '["x","runwisp-api"]'], [iat => undef], [nbf => time - 1], [sub => '"me"', iat => time - 1e6]]
--- response_body eval
[(qr/^\[\{"name":"alpha",/) x 4]



=== tokens out of their time, to the second
--- request eval
[(main::requests('tasks')) x 6]
--- more_headers eval
[map { main::bearer(@$_) } [exp => time - 1], [exp => 1], [nbf => time + 60], [iat => time + 60],
 [nbf => time - 60, exp => time - 30], [exp => time - 1, iss => '"other"']]
--- error_code eval
[(401) x 6]
--- response_headers eval
[($main::TEXT) x 6]
--- response_body eval
["token is expired\n", "token is expired\n", "token nbf validation failed\n", "token iat validation failed\n",
 "token is expired\n", "token is unauthorized\n"]



=== the scheme in any case; the cookie among others
--- request eval
[(main::requests('tasks')) x 5]
--- more_headers eval
['Authorization: BEARER ' . main::token(), 'Authorization: bEaReR ' . main::token(),
 'Cookie: a=b; runwisp_jwt=' . main::token() . '; c=d', "Authorization: Basic dXNlcjpwdw==\nCookie: runwisp_jwt=" . main::token(),
 'Authorization: Bearer ' . main::token() . "\nCookie: runwisp_jwt=bad"]
--- response_body eval
[(qr/^\[\{"name":"alpha",/) x 5]



=== the header's token counts before the cookie's; a bad cookie is no better
--- request eval
[(main::requests('tasks')) x 3]
--- more_headers eval
["Authorization: Bearer x\nCookie: runwisp_jwt=" . main::token(), 'Cookie: runwisp_jwt=x',
 'Cookie: runwisp_jwt=' . main::token(exp => time - 1)]
--- error_code eval
[(401) x 3]
--- response_body eval
["token is unauthorized\n", "token is unauthorized\n", "token is expired\n"]



=== a token counts before parameters; without one nothing is stopped
--- more_headers
--- request eval
[main::requests('runs?limit=x', 'tasks/a%20b/runs', 'tasks/zeta/runs/x', "tasks/zeta/runs/$main::MISSING"),
 main::stop($main::RUN[1]), "HEAD /runwisp/api/tasks"]
--- error_code eval
[(401) x 6]
--- response_headers eval
[($main::TEXT) x 6]
--- response_body eval
[("no token found\n") x 5, '']
--- stop
1 null
1 null
1 null
1 null
1 null
1 null



=== a stop with the cookie
--- more_headers eval
"$main::HOST\nCookie: runwisp_jwt=" . main::token()
--- request eval
main::stop($main::RUN[1])
--- response_json
{"$schema":"http://localhost:9477/schemas/StopRunOutputBody.json","message":"Run stop signal sent"}
--- stop
1 true



=== other methods
--- request eval
["POST /runwisp/api/tasks", "DELETE /runwisp/api/tasks", "PUT /runwisp/api/runs", "PATCH /runwisp/api/tasks/zeta/runs",
 "POST /runwisp/api/tasks/zeta/runs/$main::RUN[1]", main::requests("tasks/zeta/runs/$main::RUN[1]/stop"),
 "DELETE /runwisp/api/tasks/zeta/runs/$main::RUN[1]/stop"]
--- error_code eval
[(405) x 7]
--- response_headers eval
[map { "Allow: $_\n$main::PROBLEM" } ('GET, HEAD') x 5, ('POST') x 2]
--- response_json eval
[(main::failure(405, 'Method Not Allowed', 'Method not allowed')) x 7]
--- stop
1 null
1 null
1 null
1 null
1 null
1 null
1 null



=== paths that are not served
--- request eval
[main::requests('tasks/', 'tasks/zeta', 'tasks/zeta/', 'tasks/zeta/runs/', 'tasks//runs', 'runs/', "runs/$main::RUN[1]", 'Tasks', ''),
 "POST /runwisp/api/tasks/zeta/stop", "POST /runwisp/api/tasks/zeta/run"]
--- error_code eval
[(404) x 11]
--- response_headers eval
[($main::PROBLEM) x 11]
--- response_json eval
[(main::failure(404, 'Not Found', 'Not found')) x 11]



=== a store that cannot be reached
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- request
GET /runwisp/api/tasks
--- error_code: 503
--- response_headers eval
"Retry-After: 1\n$main::PROBLEM"
--- response_json eval
main::failure(503, 'Service Unavailable', 'The task store is unavailable')
--- error_log
cannot connect
