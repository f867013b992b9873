# Cyberun Cloud's task API: the conformance cases by their ids, the example of
# its documents, and what they say besides.  Locations and maps are those of
# conf/nginx.conf.
#
# Sections of this suite; each request has its own line of them:
#
#   --- page        "CURRENT PER TOTAL: IDS": a page of the list; the ids are
#                   numbers of tasks, or "42-23", or "-" for none
#   --- status      "TASK STATUS": what team T1's task has in Redis
#   --- then        a Redis command for when the response is there

use lib 't/lib';
use Tasks 'no_plan';

use Digest::SHA qw(sha256_hex);
use Tasks::JWT;
use Tasks::Shipped;

our $API = '/cyberun/api/v1/r/tasks';
our $T1 = '019abc12-4567-7890-abcd-ef1234567891';
our $T2 = '019abc12-4567-7890-abcd-ef1234567892';
our $T3 = '019abc12-4567-7890-abcd-ef1234567893';
our $OTHERS = '019abc12-9012-7890-abcd-ef1234560000';
our $MISSING = '019abc12-9012-7890-abcd-ef1234569999';

# team T1's tasks by number; the newest is the example of the documents
our @ID = map { sprintf '019abc12-9012-7890-abcd-ef12345678%02d', $_ } 0 .. 49;
$ID[42] = '019abc12-9012-7890-abcd-ef1234567896';
my %NUMBER = map { $ID[$_] => $_ } 0 .. $#ID;

my %STATUS = (41 => 'running', 40 => 'pending', 39 => 'failed');
my %MORE = (42 => ',' . (seed_task() =~ s/^\{|\}$//gr),
            41 => ',"started_at":"2025-02-10T13:41:05Z","agent_id":"agent-gpu-02"',
            39 => ',"task_error":"out of memory","completed_at":"2025-02-10T13:39:30Z"');

sub fixture {
    my ($number) = @_;
    my $status = $STATUS{$number} // 'completed';
    my $more = $MORE{$number} // '';
    my $created = $number == 42 ? '' : sprintf ',"created_at":"2025-02-10T13:%02d:00Z"', $number;

    return qq($ID[$number] {"task_status":"$status"$created$more}\n);
}

my $FIXTURES = "= cyberun $T1\n" . join('', map { fixture($_) } 1 .. 42)
    . qq(= cyberun $T2\n$OTHERS {"task_status":"running","created_at":"2025-02-10T15:00:00Z"}\n);

sub key {
    my ($key, %fields) = @_;
    return join(' ', 'HSET tasks:credential:' . sha256_hex($key), %fields) . "\n";
}

our $KEYS = key('sk-t1key', team => $T1) . key('dk-t1key', team => $T1, user => 'u1')
    . key('ak-t1key', team => $T1) . key('sk-t2key', team => $T2) . key('SK-T1KEY', team => $T1)
    . key('sk-past', team => $T1, expires => time - 1) . key('dk-past', team => $T1, expires => 1)
    . key('sk-future', team => $T1, expires => time + 3600) . key('sk-teamless', owner => 'u1');

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(http_config => maps() . ($block->http_config // ''));
    $block->set_value(config => location($API));
    $block->set_value(conf_file => ">>> keys/cyberun.key\ncy-secret");
    $block->set_value(user_files => []);    # files as they are, to the byte
    $block->set_value(more_headers => bearer('sk-t1key')) unless defined $block->more_headers;
    $block->set_value(put => $FIXTURES) unless defined $block->put;
    $block->set_value(redis => $KEYS . ($block->redis // ''));
});


# Credentials.  Claims of users' tokens are JSON; undef leaves one out.

sub bearer { return "Authorization: Bearer $_[0]" }
sub team   { return "X-Team-ID: $_[0]\n" }

sub claims {
    return claims_json(sub => '"u1"', teams => qq(["$T3","$T1"]),
                       exp => time + 3600, @_);
}

sub user { return bearer(jwt(claims(@_), 'cy-secret')) }


# Responses.

our $JSON = "Content-Type: application/json\nX-Content-Type-Options: nosniff";
our $UNAUTHORIZED = "$JSON\nWWW-Authenticate: Bearer";
our $ERROR = '{"error_message":"<string>"}';
our $NOT_FOUND = '{"error_message":"resource not found"}';
our $CANCELLED = '{"is_success":true}';

sub lists  { return map { "GET $API$_" } @_ }
sub get    { return map { "GET $API/$_" } @_ }
sub cancel { return map { "POST $API/$_/cancel" } @_ }

# a task as the list shows it
sub item {
    my ($id, $values) = @_;
    my @absent = qw(workflow_id started_at completed_at agent_id gateway_id gpu_type dispatch_target target_pool tool_type);
    my %item = (id => $id, map({ $_ => undef } @absent), retry_count => 0, agent_labels => [], %{ decoded($values) });
    return Tasks::JSON::show(\%item);
}

sub result {
    my ($id, $values) = @_;
    my %result = (id => $id, map({ $_ => undef } qw(task_output download_url download_urls expires_at completed_at)),
                  task_error => '', %{ decoded($values) });
    return Tasks::JSON::show(\%result);
}


# What the suite's sections promise.

add_response_body_check(sub {
    my ($block, $body, $index) = @_;

    for my $name (qw(page status then)) {
        my $lines = $block->$name // next;
        my $expected = (grep { /\S/ } split /\n/, $lines)[$index]
                       // die $block->name, " - $name: no line $index\n";

        no strict 'refs';
        &{"check_$name"}($expected, $body, $block->name . " - $name $index");
    }
});

sub decoded { return eval { Tasks::JSON::decode($_[0]) } }

sub check_page {
    my ($expected, $body, $name) = @_;
    my ($meta, $ids) = split /: /, $expected;
    my ($current, $per, $total) = split / /, $meta;
    my $list = decoded($body);
    my $tasks = ref $list eq 'HASH' && delete $list->{task_list};

    $tasks = [{ id => 'no list' }] unless ref $tasks eq 'ARRAY';
    $ids =~ s/(\d+)-(\d+)/join ' ', reverse $2 .. $1/eg;

    is(join(' ', map { $NUMBER{$_->{id}} // $_->{id} } @$tasks) || '-', $ids, $name);
    is_json(Tasks::JSON::show($list), qq({"page_meta":{"current_page":$current,"per_page":$per,"total_count":$total}}),
            "$name, page_meta and nothing else");
}

sub check_status {
    my ($expected, undef, $name) = @_;
    my ($number, $status) = split / /, $expected;
    is(redis('HGET', "tasks:{cyberun:$T1}:task:$ID[$number]", 'task_status'), qq("$status"), $name);
}

sub check_then { Tasks::run_commands($_[0]) }


# The document's example: its task, without the id, and its page_meta.

sub seed { return decoded(Tasks::slurp('t/seeds/cyberun_tasks.json')) }

sub seed_task {
    my %task = %{ seed()->{task_list}[0] };
    delete $task{id};
    return Tasks::JSON::show(\%task);
}

# gpu_type is "<string>" in the example, which is_json() takes for any string
add_response_body_check(sub {
    my ($block, $body, $index) = @_;

    return unless defined $block->as_seed;

    my $list = decoded($body);
    my $task = $index ? $list : $list->{task_list}[0];

    is($task->{gpu_type}, '<string>', $block->name . " - gpu_type $index");
});

run_tests();

__DATA__

=== CY1: the first page: twenty tasks, the newest first
--- request
GET /cyberun/api/v1/r/tasks
--- response_headers eval
$main::JSON
--- page
1 20 42: 42-23



=== CY2: a task has every member and value of the document's example
--- request
GET /cyberun/api/v1/r/tasks?per_page=1
--- response_json eval
my $seed = main::seed();
$seed->{task_list}[0]{task_status} = 'completed';
$seed->{page_meta}{per_page} = 1;
Tasks::JSON::show($seed)
--- as_seed



=== CY4: a filter; the total is that of the filtered tasks
--- request
GET /cyberun/api/v1/r/tasks?status=failed
--- page
1 20 1: 39



=== CY6: a user's token without X-Team-ID: 400, not 401 or 403
--- more_headers eval
main::user()
--- request
GET /cyberun/api/v1/r/tasks
--- error_code: 400
--- response_headers eval
$main::JSON
--- response_json eval
$main::ERROR



=== CY7: a user's token with X-Team-ID
--- more_headers eval
main::team($main::T1) . main::user()
--- request
GET /cyberun/api/v1/r/tasks
--- page
1 20 42: 42-23



=== CY10: a cancel, and the task after it
--- request eval
[main::cancel($main::ID[41]), main::get($main::ID[41])]
--- response_headers eval
[($main::JSON) x 2]
--- response_json eval
['{"is_success":true}',
 main::item($main::ID[41], '{"task_status":"cancelled","created_at":"2025-02-10T13:41:00Z","started_at":"2025-02-10T13:41:05Z",
                             "completed_at":"<now>","agent_id":"agent-gpu-02","task_error":""}')]
--- status
41 cancelled
41 cancelled



=== the document's example, as it is: in a list and alone, with the page_meta
--- put eval
"= cyberun $main::T1\n$main::ID[42] " . main::seed_task() . CORE::join '', map { qq(\n$main::ID[$_] {"created_at":"2025-02-10T13:$_:00Z"}) } '01' .. '41'
--- request eval
[main::lists('?per_page=20&current_page=1'), main::get($main::ID[42])]
--- response_json eval
my $seed = main::seed();
my $others = CORE::join ',', map { main::item($main::ID[$_], qq({"created_at":"2025-02-10T13:$_:00Z"})) } CORE::reverse 23 .. 41;
[Tasks::JSON::show($seed) =~ s/(?<=\})\]/,$others]/r,
 Tasks::JSON::show({ %{ $seed->{task_list}[0] }, task_error => '' })]
--- as_seed



=== a task's members, in the order of the document's example
--- request
GET /cyberun/api/v1/r/tasks?per_page=1
--- response_body chomp
{"task_list":[{"id":"019abc12-9012-7890-abcd-ef1234567896","workflow_id":"019abc12-8901-7890-abcd-ef1234567895","task_status":"completed","created_at":"2025-02-10T14:00:00Z","retry_count":0,"started_at":"2025-02-10T14:00:05Z","completed_at":"2025-02-10T14:01:30Z","agent_id":"agent-gpu-01","agent_labels":["gpu","a100"],"gateway_id":"gw-a1b2c3d4","gpu_type":"<string>","dispatch_target":"agent","target_pool":"team","tool_type":"comfyui"}],"page_meta":{"current_page":1,"per_page":1,"total_count":42}}



=== a task that has hardly anything: nulls, a number and an array; how it was created
--- put eval
qq(= cyberun $main::T1
$main::ID[1] {"created_at":"2025-02-10T13:00:00Z"}
$main::ID[2] {"created_at":"2025-02-10T13:01:00Z","task_status":"pending","task_source":"api_key","retry_count":3,"agent_labels":[]})
--- request eval
[main::get($main::ID[1], $main::ID[2])]
--- response_json eval
[main::item($main::ID[1], '{"created_at":"2025-02-10T13:00:00Z","task_error":""}'),
 main::item($main::ID[2], '{"created_at":"2025-02-10T13:01:00Z","task_status":"pending","task_source":"api_key","retry_count":3,"task_error":""}')]



=== the error of a task is in the detail, not in the list
--- request eval
[main::get($main::ID[39]), main::lists('?status=failed')]
--- response_json eval
[map { $_->[0] . main::item($main::ID[39], '{"task_status":"failed","created_at":"2025-02-10T13:39:00Z",
                                  "completed_at":"2025-02-10T13:39:30Z"' . $_->[1] . '}') . $_->[2] }
 ['', ',"task_error":"out of memory"', ''],
 ['{"task_list":[', '', '],"page_meta":{"current_page":1,"per_page":20,"total_count":1}}']]



=== all pages, the last one and beyond it: the same total everywhere
--- request eval
[main::lists('?current_page=1', '?current_page=2', '?current_page=3', '?current_page=4', '?current_page=1000',
             '?current_page=2147483647')]
--- page
1 20 42: 42-23
2 20 42: 22-3
3 20 42: 2 1
4 20 42: -
1000 20 42: -
2147483647 20 42: -



=== page sizes from 1 to 100
--- request eval
[main::lists('?per_page=1', '?per_page=1&current_page=42', '?per_page=1&current_page=43', '?per_page=21&current_page=2',
             '?per_page=41&current_page=2', '?per_page=42', '?per_page=42&current_page=2', '?per_page=100')]
--- page
1 1 42: 42
42 1 42: 1
43 1 42: -
2 21 42: 21-1
2 41 42: 1
1 42 42: 42-1
2 42 42: -
1 100 42: 42-1



=== no task at all; a filter that no task passes
--- put
--- request eval
[main::lists('', '?current_page=2&per_page=10', '?status=running')]
--- page
1 20 0: -
2 10 0: -
1 20 0: -



=== pages of filtered tasks
--- request eval
[main::lists('?status=completed', '?status=completed&current_page=2', '?status=completed&per_page=38&current_page=2',
             '?status=running&per_page=1', '?status=running&current_page=2')]
--- page
1 20 39: 42 38-20
2 20 39: 19-1
2 38 39: 1
1 1 1: 41
2 20 1: -



=== a page below 1, and one that is no integer
--- request eval
[main::lists(map { "?current_page=$_" } qw(0 -1 -0 x 1.5 1x %201 2e0), '')]
--- error_code eval
[(400) x 9]
--- response_headers eval
[($main::JSON) x 9]
--- response_json eval
[($main::ERROR) x 9]



=== a page size out of 1 to 100, and one that is no integer
--- request eval
[main::lists(map { "?per_page=$_" } qw(0 101 -1 x 20.0 1000000000000 99999999999999999999 0x10), '')]
--- error_code eval
[(400) x 9]
--- response_headers eval
[($main::JSON) x 9]
--- response_json eval
[($main::ERROR) x 9]



=== every status, and one that the filter does not know but tasks can have
--- put eval
my $n = 0;
"= cyberun $main::T1\n" . CORE::join '', map { $n++; qq($main::ID[$n] {"task_status":"$_","created_at":"2025-02-10T13:0$n:00Z"}\n) }
    qw(pending waiting provisioning queued running completed failed cancelled)
--- request eval
[main::lists((map { "?status=$_" } qw(pending waiting queued running completed failed cancelled)), ''), main::get($main::ID[3])]
--- response_body_like eval
[(map { my $n = $_; qr/^\{"task_list":\[\{"id":"$main::ID[$n]",[^\]]*\](?!.*"id")[^\]]*\],"page_meta":\{"current_page":1,"per_page":20,"total_count":1\}\}$/ } 1, 2, 4 .. 8),
 CORE::join('.*', (map { qq("id":"$main::ID[$_]") } CORE::reverse 1 .. 8), '"total_count":8'),
 '"task_status":"provisioning"']



=== a status outside the enum
--- request eval
[main::lists(map { "?status=$_" } 'provisioning', 'canceled', 'Running', 'RUNNING', 'running,failed', '%20running', 'paused', '1', '')]
--- error_code eval
[(400) x 9]
--- response_headers eval
[($main::JSON) x 9]
--- response_json eval
[($main::ERROR) x 9]



=== unknown parameters are ignored, names of parameters are exact
--- request eval
[main::lists('?page=2&limit=x', '?Current_page=2', '?per-page=1', '?team_id=x&sort=asc', '?')]
--- page
1 20 42: 42-23
1 20 42: 42-23
1 20 42: 42-23
1 20 42: 42-23
1 20 42: 42-23



=== tasks of the same second: each one once, on all pages, in one order
--- put eval
CORE::join "\n", "= cyberun $main::T1", map { qq($main::ID[$_] {"task_status":"queued","created_at":"2025-02-10T13:00:00Z"}) } 3, 1, 5, 2, 4
--- request eval
[main::lists('', '?per_page=2', '?per_page=2&current_page=2', '?per_page=2&current_page=3', '?status=queued&per_page=3')]
--- page
1 20 5: 5-1
1 2 5: 5 4
2 2 5: 3 2
3 2 5: 1
1 3 5: 5 4 3



=== every task on exactly one page
--- request eval
[main::lists(map { "?per_page=7&current_page=$_" } 1 .. 7)]
--- page
1 7 42: 42-36
2 7 42: 35-29
3 7 42: 28-22
4 7 42: 21-15
5 7 42: 14-8
6 7 42: 7-1
7 7 42: -



=== a cancel, then the task in lists
--- request eval
[main::cancel($main::ID[40]), main::lists('?status=cancelled', '?status=pending', '', '?status=running')]
--- response_body_like eval
['^\{"is_success":true\}$', "\"id\":\"$main::ID[40]\",.*\"task_status\":\"cancelled\",.*\"total_count\":1\\}\\}\$",
 '^\{"task_list":\[\],.*"total_count":0\}\}$', "\"id\":\"$main::ID[40]\",[^{}]*\"task_status\":\"cancelled\".*\"total_count\":42\\}\\}\$",
 "\"id\":\"$main::ID[41]\""]



=== the time of a cancel is in whole seconds, as the others are
--- request eval
[main::cancel($main::ID[41]), main::get($main::ID[41])]
--- response_body_like eval
['^\{"is_success":true\}$', '"completed_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"']



=== tasks that have ended: a cancel succeeds and changes nothing
--- request eval
[main::cancel($main::ID[42], $main::ID[39]), main::get($main::ID[42], $main::ID[39]), main::lists('?status=cancelled')]
--- response_body_like eval
[('^\{"is_success":true\}$') x 2, '"task_status":"completed",.*"completed_at":"2025-02-10T14:01:30Z"',
 '"task_status":"failed",.*"completed_at":"2025-02-10T13:39:30Z",.*"task_error":"out of memory"', '"total_count":0\}\}$']
--- status
42 completed
39 failed
42 completed
39 failed
42 completed



=== cancelled already: success, and the time of the first cancel stays
--- put eval
qq(= cyberun $main::T1\n$main::ID[1] {"task_status":"cancelled","created_at":"2025-02-10T13:00:00Z","completed_at":"2025-02-10T13:30:00Z"})
--- request eval
[(main::cancel($main::ID[1])) x 2, main::get($main::ID[1])]
--- response_body eval
[('{"is_success":true}') x 2, qr/"task_status":"cancelled",.*"completed_at":"2025-02-10T13:30:00Z"/]



=== a cancel of each state that is before the end, provisioning too
--- put eval
my $n = 0;
"= cyberun $main::T1\n" . CORE::join '', map { $n++; qq($main::ID[$n] {"task_status":"$_","created_at":"2025-02-10T13:00:00Z"}\n) }
    qw(pending waiting provisioning queued running)
--- request eval
[main::cancel(map { $main::ID[$_] } 1 .. 5), main::lists('?status=cancelled')]
--- response_body_like eval
[('^\{"is_success":true\}$') x 5, '"total_count":5\}\}$']
--- status
1 cancelled
2 cancelled
3 cancelled
4 cancelled
5 cancelled
5 cancelled



=== the result of a task that goes on, and of one that waits: nulls, not left out
--- request eval
[main::get(map { "$main::ID[$_]/result" } 41, 40)]
--- response_headers eval
[($main::JSON) x 2]
--- response_json eval
[main::result($main::ID[41], '{"task_status":"running"}'), main::result($main::ID[40], '{"task_status":"pending"}')]



=== the result of a task that is completed, and of one that failed
--- put eval
qq(= cyberun $main::T1
$main::ID[1] {"task_status":"completed","created_at":"2025-02-10T13:00:00Z","completed_at":"2025-02-10T13:01:00Z","task_output":{"9":{"images":[{"filename":"a.png","seed":18446744073709551615}]}},"download_url":"https://dl.example/a?sig=1%2B2&x=<y>","download_urls":["https://dl.example/a","https://dl.example/b"],"expires_at":"2025-02-11T13:01:00Z"}
$main::ID[2] {"task_status":"failed","created_at":"2025-02-10T13:00:00Z","completed_at":"2025-02-10T13:01:00Z","task_error":"agent lost: \\"gpu\\"","task_output":null})
--- request eval
[main::get(map { "$main::ID[$_]/result" } 1, 2)]
--- response_body eval
[qq({"id":"$main::ID[1]","task_status":"completed","task_output":{"9":{"images":[{"filename":"a.png","seed":18446744073709551615}]}},"download_url":"https://dl.example/a?sig=1%2B2&x=<y>","download_urls":["https://dl.example/a","https://dl.example/b"],"expires_at":"2025-02-11T13:01:00Z","task_error":"","completed_at":"2025-02-10T13:01:00Z"}),
 qq({"id":"$main::ID[2]","task_status":"failed","task_output":null,"download_url":null,"download_urls":null,"expires_at":null,"task_error":"agent lost: \\"gpu\\"","completed_at":"2025-02-10T13:01:00Z"})]



=== output and its URLs are in the result only
--- put eval
qq(= cyberun $main::T1\n$main::ID[1] {"task_status":"completed","created_at":"2025-02-10T13:00:00Z","task_output":1,"download_url":"u","download_urls":["u"],"expires_at":"2025-02-11T13:01:00Z"})
--- request eval
[main::get($main::ID[1]), main::lists('')]
--- response_body_unlike eval
[('task_output|download_url|expires_at') x 2]



=== the result of a cancelled task: no output, even if there was some
--- put eval
qq(= cyberun $main::T1\n$main::ID[1] {"task_status":"running","created_at":"2025-02-10T13:00:00Z","task_output":{"part":1},"download_url":"u","download_urls":["u"],"expires_at":"2025-02-11T13:01:00Z"})
--- request eval
[main::cancel($main::ID[1]), main::get("$main::ID[1]/result")]
--- response_json eval
[$main::CANCELLED, main::result($main::ID[1], '{"task_status":"cancelled","completed_at":"<now>"}')]



=== another team's task is as if it were not there, byte for byte
--- request eval
[map { my $id = $_; (main::get($id, "$id/result"), main::cancel($id)) } $main::OTHERS, $main::MISSING]
--- error_code eval
[(404) x 6]
--- response_headers eval
[($main::JSON) x 6]
--- response_body eval
[($main::NOT_FOUND) x 6]



=== what another team's task is spared, its own team sees
--- more_headers eval
[map { main::bearer($_) } 'sk-t1key', ('sk-t2key') x 3]
--- request eval
[main::cancel($main::OTHERS), main::get($main::OTHERS), main::lists(''), main::get($main::ID[42])]
--- error_code eval
[404, 200, 200, 404]
--- response_body_like eval
['resource not found', '"task_status":"running"', "^\\{\"task_list\":\\[\\{\"id\":\"$main::OTHERS\",[^{}]*\\}\\],.*\"total_count\":1\\}\\}\$",
 'resource not found']



=== an id that is no UUID: 400
--- request eval
[main::get('abc', '1', substr($main::ID[42], 1), "$main::ID[42]0", $main::ID[42] =~ tr/-//dr, $main::ID[42] =~ s/-/_/gr,
           $main::ID[42] =~ s/f/g/r, "{$main::ID[42]}", 'abc/result', "%20$main::ID[42]"), main::cancel('abc', "$main::ID[41]x")]
--- error_code eval
[(400) x 12]
--- response_headers eval
[($main::JSON) x 12]
--- response_json eval
[($main::ERROR) x 12]



=== a UUID in upper case is the same one
--- request eval
[main::get(uc $main::ID[42], uc($main::ID[41]) . '/result'), main::cancel(uc $main::ID[41])]
--- response_body eval
[qr/^\{"id":"$main::ID[42]",/, qr/^\{"id":"$main::ID[41]","task_status":"running",/, '{"is_success":true}']
--- status
41 running
41 running
41 cancelled



=== keys of integrations and devices, the scheme in any case
--- more_headers eval
['Authorization: Bearer dk-t1key', 'Authorization: bearer sk-t1key', 'Authorization: BEARER  dk-t1key', 'Authorization: Bearer sk-future']
--- request eval
[(main::lists('')) x 4]
--- page
1 20 42: 42-23
1 20 42: 42-23
1 20 42: 42-23
1 20 42: 42-23



=== a key knows its team: X-Team-ID is ignored, be it another's, malformed or empty
--- more_headers eval
[map({ main::team($_) . main::bearer('sk-t1key') } $main::T2, $main::T1, 'not-a-uuid', '', "$main::T2, $main::T1", '"'),
 main::team($main::T1) . main::bearer('sk-t2key')]
--- request eval
[(main::lists('?per_page=1')) x 6, main::get($main::ID[42])]
--- error_code eval
[(200) x 6, 404]
--- response_body_like eval
[("^\\{\"task_list\":\\[\\{\"id\":\"$main::ID[42]\".*\"total_count\":42\\}\\}\$") x 6, 'resource not found']



=== keys of agents are none here, though the store has them; nor do cases count
--- more_headers eval
[map { main::team($main::T1) . main::bearer($_) } 'ak-t1key', 'AK-T1KEY', 'SK-T1KEY', 't1key', 'ask-t1key']
--- request eval
[(main::lists('')) x 4, main::cancel($main::ID[41])]
--- error_code eval
[(401) x 5]
--- response_headers eval
[($main::UNAUTHORIZED) x 5]
--- response_json eval
[($main::ERROR) x 5]
--- status
41 running
41 running
41 running
41 running
41 running



=== unknown and expired keys
--- more_headers eval
[map { main::team($main::T1) . main::bearer($_) } 'sk-', 'dk-', 'sk-t1ke', 'sk-t1key2', 'dk-t1keY', 'sk-past', 'dk-past', 'sk-*', "sk-t1key, sk-t1key"]
--- request eval
[(main::lists('')) x 9]
--- error_code eval
[(401) x 9]
--- response_headers eval
[($main::UNAUTHORIZED) x 9]
--- response_json eval
[($main::ERROR) x 9]



=== a key that is revoked, or moved to another team, counts from the next request on
--- request eval
[(main::lists('?status=running')) x 5]
--- then eval
my $key = 'tasks:credential:' . main::sha256_hex('sk-t1key');
CORE::join "\n", "HSET $key team $main::T2", "DEL $key", "HSET $key team $main::T1", "HSET $key expires 1", 'PING'
--- error_code eval
[200, 200, 401, 200, 401]
--- response_body_like eval
["\"id\":\"$main::ID[41]\"", "\"id\":\"$main::OTHERS\"", '^\{"error_message":"[^"]+"\}$', "\"id\":\"$main::ID[41]\"",
 '^\{"error_message":"[^"]+"\}$']



=== a key without a team opens nothing, whatever X-Team-ID says
--- more_headers eval
[map { main::team($_) . main::bearer('sk-teamless') } $main::T1, $main::T2, "$main::T1:\"$main::T1\"", qq($main::T1:["$main::T1"])]
--- request eval
[main::lists(''), main::get($main::OTHERS), (main::lists('')) x 2]
--- error_code_like eval
[('^40[03]$') x 4]
--- response_json eval
[($main::ERROR) x 4]



=== no credentials; another scheme; a key in another place
--- more_headers eval
['X-None: 1', 'Authorization: Bearer', 'Authorization: sk-t1key', 'Authorization: Basic c2stdDFrZXk6', 'X-API-Key: sk-t1key',
 main::team($main::T1), 'Cookie: token=sk-t1key']
--- request eval
[(main::lists('')) x 7]
--- error_code eval
[(401) x 7]
--- response_headers eval
[($main::UNAUTHORIZED) x 7]
--- response_json eval
[($main::ERROR) x 7]



=== users: a team of theirs, and teams of others
--- more_headers eval
[main::team($main::T1) . main::user(teams => qq(["$main::T1"])), main::team($main::T3) . main::user(),
 main::team($main::T2) . main::user(), main::team($main::T1) . main::user(teams => '[]'), main::team($main::T1) . main::user(teams => undef),
 main::team($main::T1) . main::user(teams => qq(["x$main::T1","${main::T1}x"])), main::team($main::T2) . main::user()]
--- request eval
[(main::lists('?per_page=1')) x 6, main::get($main::OTHERS)]
--- error_code eval
[200, 200, (403) x 5]
--- response_body_like eval
["\"id\":\"$main::ID[42]\".*\"total_count\":42\\}\\}\$", '^\{"task_list":\[\],.*"total_count":0\}\}$',
 ('^\{"error_message":"[^"]+"\}$') x 5]



=== users: an X-Team-ID that is no UUID: 400
--- more_headers eval
[map { main::team($_) . main::user() } '', 'x', 'undefined', substr($main::T1, 1), "${main::T1}0", "$main::T1, $main::T2",
 "$main::T1:\"$main::T1\"", qq($main::T1:["$main::T1"]), qq($main::T2 ["$main::T2"]), "{$main::T1}", '*', "../$main::T1"]
--- request eval
[(main::lists('')) x 12]
--- error_code eval
[(400) x 12]
--- response_json eval
[($main::ERROR) x 12]



=== users: an X-Team-ID in upper case is the same team
--- more_headers eval
[(main::team(uc $main::T1) . main::user()) x 2, main::team(uc $main::T2) . main::user(), main::team($main::T1) . main::user(teams => qq(["\U$main::T2"]))]
--- request eval
[main::lists('?per_page=1'), main::get($main::ID[41]), main::lists(''), main::lists('')]
--- error_code eval
[200, 200, 403, 403]
--- response_body_like eval
["\"id\":\"$main::ID[42]\".*\"total_count\":42\\}\\}\$", "\"id\":\"$main::ID[41]\"", ('^\{"error_message":"[^"]+"\}$') x 2]



=== users' tokens that are no good: 401, with or without X-Team-ID
--- more_headers eval
[map({ main::team($main::T1) . main::user(@$_) } [exp => time - 1], [exp => undef], [nbf => time + 60], [sub => undef]),
 map({ main::team($main::T1) . main::bearer($_) } Tasks::JWT::jwt(main::claims(), 'other'),
      Tasks::JWT::jwt(main::claims(), 'cy-secret', alg => 'HS384'),
      Tasks::JWT::jwt(main::claims(), 'cy-secret', header => '{"alg":"none"}') =~ s/[^.]*\z//r, 'a.b.c', 'x'),
 main::user(exp => time - 1)]
--- request eval
[(main::lists('')) x 10]
--- error_code eval
[(401) x 10]
--- response_headers eval
[($main::UNAUTHORIZED) x 10]
--- response_json eval
[($main::ERROR) x 10]



=== users cancel and read results as keys do
--- more_headers eval
[(main::team($main::T1) . main::user()) x 3, (main::user()) x 2]
--- request eval
[main::cancel($main::ID[41]), main::get("$main::ID[41]/result"), main::cancel($main::OTHERS), main::cancel($main::ID[40]),
 main::get($main::ID[40])]
--- error_code eval
[200, 200, 404, 400, 400]
--- response_body_like eval
['^\{"is_success":true\}$', '"task_status":"cancelled"', 'resource not found', ('^\{"error_message":"[^"]+"\}$') x 2]
--- status
40 pending
40 pending
40 pending
40 pending
40 pending



=== credentials count before the team, the team before parameters
--- more_headers eval
['X-None: 1', main::bearer('ak-t1key'), main::user(), main::team($main::T2) . main::user(), main::bearer('sk-t1key')]
--- request eval
[(main::lists('?per_page=x')) x 2, main::get('abc'), (main::lists('?status=x')) x 2]
--- error_code eval
[401, 401, 400, 403, 400]
--- response_body_like eval
[('error_message') x 2, 'X-Team-ID', 'error_message', 'status']



=== other methods
--- request eval
["POST $main::API", "DELETE $main::API/$main::ID[41]", "PUT $main::API/$main::ID[41]", main::get("$main::ID[41]/cancel"),
 "DELETE $main::API/$main::ID[41]/cancel", "POST $main::API/$main::ID[41]/result", "POST $main::API/$main::ID[41]"]
--- error_code eval
[(405) x 7]
--- response_headers eval
[map { "$main::JSON\nAllow: $_" } ('GET, HEAD') x 3, 'POST', 'POST', ('GET, HEAD') x 2]
--- response_json eval
[($main::ERROR) x 7]
--- status
41 running
41 running
41 running
41 running
41 running
41 running
41 running



=== paths that are not served
--- request eval
["GET $main::API/", "GET ${main::API}x", main::get("$main::ID[41]/", "$main::ID[41]/events", "$main::ID[41]/result/x"),
 "POST $main::API/$main::ID[41]/retry"]
--- error_code eval
[(404) x 6]
--- response_headers eval
[($main::JSON) x 6]
--- response_json eval
[($main::NOT_FOUND) x 6]



=== a HEAD is the GET without its body
--- request eval
["HEAD $main::API?per_page=1&status=failed", map { "HEAD $main::API/$_" } $main::ID[42], "$main::ID[40]/result", $main::MISSING, 'x']
--- error_code eval
[200, 200, 200, 404, 400]
--- response_headers eval
[($main::JSON) x 2, "$main::JSON\nContent-Length: " . length(main::result($main::ID[40], '{"task_status":"pending"}')),
 "$main::JSON\nContent-Length: " . length $main::NOT_FOUND, $main::JSON]
--- response_body eval
[('') x 5]



=== a POST with a body cancels as one without
--- request eval
[qq(POST $main::API/$main::ID[41]/cancel\n{"reason":"x"}), main::get($main::ID[41])]
--- response_body_like eval
['^\{"is_success":true\}$', '"task_status":"cancelled"']



=== a store that cannot be reached, with a key and with a user's token
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- more_headers eval
[main::bearer('sk-t1key'), main::team($main::T1) . main::user(), main::user(), 'X-None: 1']
--- request eval
[(main::lists('')) x 4]
--- error_code eval
[503, 503, 400, 401]
--- response_json eval
[($main::ERROR) x 4]
