# Codex's task API: the conformance cases by their ids, the example of its
# documents, and what its server does beyond them.  Location and maps are those
# of conf/nginx.conf.
#
# Sections of this suite; of those with lines, each request has its own:
#
#   --- role    whose token (admin, unless the block has more_headers)
#   --- ids     the ids of a list; A to E are the fixtures, "-" is none
#   --- task    "A {...}": a task of the list, member by member

use lib 't/lib';
use Tasks 'no_plan';

use Digest::SHA qw(sha256_hex);
use POSIX qw(strftime);
use Tasks::JWT;
use Tasks::Shipped;

our $API = '/codex/api/v1/tasks';

our %ID;
@ID{qw(A B C D E)} = map { "550e8400-e29b-41d4-a716-44665544000$_" } 0 .. 4;
my %NAME = reverse %ID;

our $LOCKED_UNTIL = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 11 * 60));

my $FIXTURES = <<"END";
= codex
$ID{A} {"taskType":"scan_library","status":"pending","libraryId":"550e8400-e29b-41d4-a716-446655440001","libraryName":"Manga","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:00Z"}
$ID{B} {"taskType":"scan_library","status":"processing","lockedBy":"worker-1","lockedUntil":"$LOCKED_UNTIL","attempts":1,"scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:01.500Z","startedAt":"2024-01-15T10:00:02Z"}
$ID{C} {"taskType":"generate_thumbnail","status":"completed","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:02Z","completedAt":"2024-01-15T10:05:00Z","result":{"pages":10}}
$ID{D} {"taskType":"generate_thumbnail","status":"failed","lastError":"boom","attempts":3,"scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:03Z"}
$ID{E} {"taskType":"scan_library","status":"cancelled","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:04Z","completedAt":"2024-01-15T10:06:00Z"}
END

my %KEYS = (
    codex_ab12_s3cret => 'rights tasks:read',
    codex_write_x     => 'rights tasks:write',
    codex_both_x      => "rights 'libraries:read tasks:read tasks:write'",
    codex_none_x      => "rights ''",
    codex_other_x     => "rights 'libraries:read tasks:reader xtasks:read tasks:writer'",
    codex_old_x       => "rights 'tasks:read tasks:write' expires " . (time - 1),
    codex_new_x       => "rights 'tasks:read tasks:write' expires " . (time + 3600),
    codex_never_x     => 'owner whatever',
);

add_block_preprocessor(sub {
    my ($block) = @_;

    my $role = $block->role
               // (defined $block->more_headers ? undef : 'admin');

    $block->set_value(more_headers => bearer(role => qq("$role")))
        if defined $role;

    $block->set_value(http_config => maps() . ($block->http_config // ''));
    $block->set_value(config => location($API)) unless defined $block->config;
    $block->set_value(conf_file => ">>> keys/codex.key\ncx-secret");
    $block->set_value(user_files => []);    # files as they are, to the byte
    $block->set_value(put => $FIXTURES) unless defined $block->put;
    $block->set_value(redis => join '',
        map { 'HSET tasks:credential:' . sha256_hex($_) . " $KEYS{$_}\n" }
            sort keys %KEYS);
});


# Tokens: good ones of an admin, but for the claims that are given, as JSON;
# undef leaves a claim out.

sub claims {
    return claims_json(sub => '"7c9e6679-7425-40de-944b-e07fc1f90ae7"',
                       username => '"ann"', role => '"admin"',
                       iat => time - 10, exp => time + 3600, @_);
}

sub token  { return jwt(claims(@_), 'cx-secret') }
sub bearer { return 'Authorization: Bearer ' . token(@_) }
sub key    { return "X-API-Key: $_[0]" }


# Requests and responses.

sub list { my ($query) = @_; return "GET $API?$query" }
sub show { my ($name) = @_; return "GET $API/$ID{$name}" }
sub stop { my ($name) = @_; return "POST $API/$ID{$name}/cancel" }

sub failure {
    my ($error, $message) = @_;
    return qq({"error":"$error","message":"$message"});
}

sub cancelled { return qq({"message":"Task $ID{$_[0]} cancelled"}) }

our $NO_CREDENTIALS =
    failure('Unauthorized', 'Missing or invalid authentication credentials');
our $BAD_TOKEN =
    failure('Unauthorized', 'Invalid JWT token: Failed to decode JWT token');
our $NO_READ = failure('Forbidden', 'Missing required permission: TasksRead');
our $NO_WRITE = failure('Forbidden', 'Missing required permission: TasksWrite');
our $NOT_FOUND = failure('NotFound', 'Task not found');
our $BAD_LIMIT = 'Failed to deserialize query string: limit: '
                 . 'invalid digit found in string';


# A task's 18 members, null or a default but for those that are given as JSON;
# and those of three fixtures.

sub task {
    my %members = (
        priority => 0, attempts => 0, maxAttempts => 3,
        scheduledFor => '"2024-01-15T10:00:00Z"',
        (map { ($_ => 'null') } qw(libraryId seriesId bookId params lockedBy
            lockedUntil lastError result startedAt completedAt)), @_);

    return '{' . join(',', map { qq("$_":$members{$_}) } sort keys %members)
           . '}';
}

sub task_a {
    return task(id => qq("$ID{A}"), taskType => '"scan_library"',
                status => '"pending"',
                libraryId => '"550e8400-e29b-41d4-a716-446655440001"',
                createdAt => '"2024-01-15T10:00:00Z"', @_);
}

sub task_b {
    return task(id => qq("$ID{B}"), taskType => '"scan_library"',
                createdAt => '"2024-01-15T10:00:01.500Z"',
                startedAt => '"2024-01-15T10:00:02Z"', attempts => 1, @_);
}

sub task_e {
    return task(id => qq("$ID{E}"), taskType => '"scan_library"',
                status => '"cancelled"',
                createdAt => '"2024-01-15T10:00:04Z"', @_);
}


# What the suite's sections promise.

add_response_body_check(sub {
    my ($block, $body, $index) = @_;

    for my $name (qw(ids task)) {
        my $lines = $block->$name // next;
        my $expected = (grep { /\S/ } split /\n/, $lines)[$index] // next;

        my $tasks = eval { Tasks::JSON::decode($body) };
        $tasks = [{ id => 'no list' }] if ref $tasks ne 'ARRAY';

        no strict 'refs';
        &{"check_$name"}($expected, $tasks, $block->name . " - $name $index");
    }
});

sub check_ids {
    my ($expected, $tasks, $name) = @_;
    my @names = map { $NAME{$_->{id}} // $_->{id} } @$tasks;
    is(join(' ', @names) || '-', $expected, $name);
}

sub check_task {
    my ($expected, $tasks, $name) = @_;
    my ($letter, $json) = split / /, $expected, 2;
    my ($task) = grep { $_->{id} eq $ID{$letter} } @$tasks;
    is_json(Tasks::JSON::show($task), $json, $name);
}


# The document's example, and what a writer stores of it.

sub seed { return Tasks::JSON::decode(Tasks::slurp('t/seeds/codex_task.json')) }

sub seed_put {
    my $task = seed();
    my $id = delete $task->{id};
    return "= codex\n$id " . Tasks::JSON::show($task);
}

# The example has no params and result; they are null.

sub seed_shown {
    return Tasks::JSON::show({ %{ seed() }, params => undef, result => undef });
}


# Tasks that differ in nothing but id and time of creation: [digits, time] each.

sub alike {
    return join "\n", '= codex', map {
        uuid($_->[0]) . ' {"taskType":"scan_library",'
        . qq("scheduledFor":"2024-01-15T10:00:00Z","createdAt":"$_->[1]"})
    } @_;
}

sub alike_ids { return join ' ', map { $NAME{uuid($_)} // uuid($_) } @_ }

sub uuid { return sprintf '550e8400-e29b-41d4-a716-%012d', @_ }

run_tests();

__DATA__

=== CX1: an array of all tasks, the newest first
--- request
GET /codex/api/v1/tasks
--- response_headers
Content-Type: application/json
--- ids
E D C B A



=== CX2: 18 members, null where unset; libraryName is there, bookTitle and seriesTitle are not
--- request
GET /codex/api/v1/tasks
--- task eval
'A ' . main::task(id => qq("$main::ID{A}"), taskType => '"scan_library"', status => '"pending"',
 priority => 0,
    libraryId => '"550e8400-e29b-41d4-a716-446655440001"', seriesId => 'null', bookId => 'null',
    params => 'null',
    lockedBy => 'null', lockedUntil => 'null', attempts => 0, maxAttempts => 3, lastError => 'null',
    result => 'null',
    scheduledFor => '"2024-01-15T10:00:00Z"', createdAt => '"2024-01-15T10:00:00Z"',
    startedAt => 'null',
    completedAt => 'null', libraryName => '"Manga"')



=== CX4: filtered, then limited
--- request eval
[map { main::list($_) } 'status=failed&limit=1', 'status=pending&limit=1',
     'taskType=generate_thumbnail&limit=1']
--- ids
D
A
D



=== CX8: no credentials: 401, and no WWW-Authenticate
--- more_headers
--- request
GET /codex/api/v1/tasks
--- error_code: 401
--- response_headers
Content-Type: application/json
!WWW-Authenticate
--- response_json
{"error":"Unauthorized","message":"Missing or invalid authentication credentials"}



=== CX10: a reader may not read tasks
--- role: reader
--- request
GET /codex/api/v1/tasks
--- error_code: 403
--- response_headers
Content-Type: application/json
!WWW-Authenticate
--- response_json
{"error":"Forbidden","message":"Missing required permission: TasksRead"}



=== CX12: a task by its id has no titles and no libraryName
--- request
GET /codex/api/v1/tasks/550e8400-e29b-41d4-a716-446655440000
--- response_headers
Content-Type: application/json
--- response_json eval
main::task_a()



=== CX13: a cancel, and the task after it
--- request eval
["POST /codex/api/v1/tasks/550e8400-e29b-41d4-a716-446655440000/cancel",
 "GET /codex/api/v1/tasks/550e8400-e29b-41d4-a716-446655440000"]
--- response_json eval
['{"message":"Task 550e8400-e29b-41d4-a716-446655440000 cancelled"}',
 main::task_a(status => '"cancelled"', completedAt => '"<now>"')]



=== CX15: a completed task cannot be cancelled
--- request
POST /codex/api/v1/tasks/550e8400-e29b-41d4-a716-446655440002/cancel
--- error_code: 400
--- response_headers
Content-Type: application/json
--- response_json
{"error":"BadRequest","message":"Cannot cancel completed task"}



=== the members come in the order of the server, libraryName last
--- request
GET /codex/api/v1/tasks?status=pending
--- response_body eval
qq([{"id":"$main::ID{A}","taskType":"scan_library","status":"pending","priority":0,)
. '"libraryId":"550e8400-e29b-41d4-a716-446655440001","seriesId":null,"bookId":null,"params":null,"lockedBy":null,'
. '"lockedUntil":null,"attempts":0,"maxAttempts":3,"lastError":null,"result":null,"scheduledFor":"2024-01-15T10:00:00Z",'
. '"createdAt":"2024-01-15T10:00:00Z","startedAt":null,"completedAt":null,"libraryName":"Manga"}]'



=== the document's example, in the list and by its id
--- put eval: main::seed_put()
--- request eval
["GET $main::API", main::show('A')]
--- response_json eval
['[' . main::seed_shown() . ']', main::seed_shown()]



=== what a task has when it was written with what it cannot do without
--- put
= codex
550e8400-e29b-41d4-a716-446655440000 {"taskType":"purge_deleted","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:00Z"}
--- request eval
[main::show('A'), main::list('status=pending')]
--- response_json eval
my $task = main::task(id => qq("$main::ID{A}"), taskType => '"purge_deleted"',
    status => '"pending"',
                      createdAt => '"2024-01-15T10:00:00Z"');
[$task, "[$task]"]



=== all titles are in the list, none is in the task by its id
--- put
= codex
550e8400-e29b-41d4-a716-446655440000 {"taskType":"scan_library","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:00Z","bookTitle":"b","seriesTitle":"s","libraryName":"l"}
550e8400-e29b-41d4-a716-446655440001 {"taskType":"scan_library","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:01Z","bookTitle":"b","seriesTitle":"s"}
550e8400-e29b-41d4-a716-446655440001 {"bookTitle":null,"seriesTitle":null}
--- request eval
["GET $main::API", main::show('A'), main::show('B')]
--- response_json eval
my %a = (id => qq("$main::ID{A}"), taskType => '"scan_library"', status => '"pending"',
    createdAt => '"2024-01-15T10:00:00Z"');
my %b = (%a, id => qq("$main::ID{B}"), createdAt => '"2024-01-15T10:00:01Z"');
['[' . main::task(%b) . ',' . main::task(%a, bookTitle => '"b"', seriesTitle => '"s"',
 libraryName => '"l"') . ']',
 main::task(%a), main::task(%b)]



=== params and result are any JSON, byte for byte
--- put
= codex
550e8400-e29b-41d4-a716-446655440000 {"taskType":"a","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:00Z","params":{"n": 12345678901234567890, "f": 1.50, "t": "\u003c\ud83d\ude00 é"},"result":[1, [], {}]}
550e8400-e29b-41d4-a716-446655440001 {"taskType":"a","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:01Z","params":false,"result":""}
550e8400-e29b-41d4-a716-446655440002 {"taskType":"a","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:02Z","params":0,"result":[]}
--- request eval
["GET $main::API", map { main::show($_) } qw(A B C)]
--- response_body_like eval
my $a = qr/"params":\{"n": 12345678901234567890, "f": 1\.50, "t": "\\u003c\\ud83d\\ude00 é"\},.*"result":\[1, \[\], \{\}\],/;
my $b = qr/"params":false,.*"result":"",/;
my $c = qr/"params":0,.*"result":\[\],/;
[qr/$c.*$b.*$a/, $a, $b, $c]



=== a filter by status: any text is one, the empty one, too
--- request eval
[map { main::list("status=$_") } qw(pending processing completed failed cancelled), '', 'paused',
     'Pending', 'pending,failed',
 'null', '%20pending', '*', 'pend%69ng']
--- ids
A
B
C
D
E
-
-
-
-
-
-
-
A



=== a filter by type, and both filters
--- request eval
[map { main::list($_) } 'taskType=scan_library', 'taskType=generate_thumbnail', 'taskType=',
     'taskType', 'taskType=x',
 'taskType=scan_library&status=cancelled', 'status=failed&taskType=generate_thumbnail',
 'status=failed&taskType=scan_library',
 'status=&taskType=scan_library']
--- ids
E B A
D C
-
-
-
E
D
-
-



=== what no task has in common is an empty array
--- request eval
[main::list('status=x'), main::list('limit=0')]
--- response_body eval
['[]', '[]']



=== other parameters are ignored: there are no pages
--- request eval
[map { main::list($_) } 'page=2&pageSize=1',
     'offset=3&sort=createdAt&task_type=x&Status=failed&tasktype=x&LIMIT=1',
 'cursor=x&&=&limit=2']
--- ids
E D C B A
E D C B A
E D



=== limit: as many as asked for, there is no upper bound
--- request eval
[map { main::list("limit=$_") } qw(0 1 3 5 6 007 %2B2 100 1000 20000 4294967296 9223372036854775807)]
--- ids
-
E
E D C
E D C B A
E D C B A
E D C B A
E D
E D C B A
E D C B A
E D C B A
E D C B A
E D C B A



=== fifty tasks unless asked for more
--- put eval
main::alike(map { [$_, CORE::sprintf '2024-01-15T%02d:%02d:00Z', 10 + $_ / 60, $_ % 60] } 0 .. 119)
--- request eval
["GET $main::API", map { main::list($_) } 'status=pending', 'limit=51', 'limit=1000',
 'limit=51&taskType=scan_library']
--- ids eval
CORE::join "\n", map { main::alike_ids(CORE::reverse $_ .. 119) } 70, 70, 69, 0, 69



=== limit: negative or no number: a plain text, not the product's JSON
--- request eval
[map { main::list("limit=$_") } qw(-1 -50 x 1.5 1e1 0x10 5x %205 5%20 +5 null - -x)]
--- error_code eval
[(400) x 13]
--- response_headers eval
[("Content-Type: text/plain; charset=utf-8\n!WWW-Authenticate") x 13]
--- response_body eval
[($main::BAD_LIMIT) x 13]



=== limit: empty, or beyond all numbers
--- request eval
[map { main::list("limit$_") } '=', '', '=99999999999999999999', '=&status=failed']
--- error_code eval
[(400) x 4]
--- response_headers eval
[("Content-Type: text/plain; charset=utf-8") x 4]
--- response_body_like eval
[('^Failed to deserialize query string: limit: ') x 4]



=== tasks of the same time: each one once, in the same order always
--- put eval
main::alike(map({ [$_ * 7 % 20, '2024-01-15T10:00:00Z'] } 0 .. 19), [99,
    '2024-01-15T10:00:00.001Z'], [98, '2024-01-15T09:59:59.999999Z'])
--- request eval
[map { main::list($_) } 'limit=100', 'limit=100&status=pending', 'limit=7',
     'limit=20&taskType=scan_library']
--- ids eval
my @all = (99, CORE::reverse(0 .. 19), 98);
CORE::join "\n", map { main::alike_ids(@all[0 .. $_]) } 21, 21, 6, 19



=== times of 0, 3, 6 and 9 digits: in their order, and byte for byte
--- put eval
main::alike([1, '2024-01-15T10:00:00.5Z'], [2, '2024-01-15T10:00:00Z'], [3,
    '2024-01-15T10:00:00.499Z'],
            [4, '2024-01-15T10:00:00.500001Z'], [5, '2024-01-15T10:00:00.500002999Z'], [6,
            '2024-01-15T09:59:59.999999999Z'])
--- request
GET /codex/api/v1/tasks
--- ids eval
main::alike_ids(5, 4, 1, 3, 2, 6)
--- response_body_like: \.500002999Z".*\.500001Z".*\.5Z".*\.499Z".*"createdAt":"2024-01-15T10:00:00Z".*59\.999999999Z"



=== each task by its id
--- request eval
[map { main::show($_) } qw(B C D E)]
--- response_json eval
[main::task_b(status => '"processing"', lockedBy => '"worker-1"',
 lockedUntil => qq("$main::LOCKED_UNTIL")),
 main::task(id => qq("$main::ID{C}"), taskType => '"generate_thumbnail"', status => '"completed"',
 result => '{"pages":10}',
            createdAt => '"2024-01-15T10:00:02Z"', completedAt => '"2024-01-15T10:05:00Z"'),
 main::task(id => qq("$main::ID{D}"), taskType => '"generate_thumbnail"', status => '"failed"',
 lastError => '"boom"',
            attempts => 3, createdAt => '"2024-01-15T10:00:03Z"'),
 main::task_e(completedAt => '"2024-01-15T10:06:00Z"')]



=== a task that is not there
--- request eval
my $id = '550e8400-e29b-41d4-a716-446655449999';
["GET $main::API/$id", "POST $main::API/$id/cancel",
 "GET $main::API/00000000-0000-0000-0000-000000000000"]
--- error_code eval
[404, 404, 404]
--- response_headers eval
[("Content-Type: application/json") x 3]
--- response_json eval
[($main::NOT_FOUND) x 3]



=== an id in upper case is the same one, and is shown in lower case
--- request eval
my $id = '550E8400-E29B-41d4-A716-446655440000';
["GET $main::API/$id", "POST $main::API/$id/cancel", main::show('A')]
--- response_json eval
[main::task_a(), main::cancelled('A'), main::task_a(status => '"cancelled"',
 completedAt => '"<now>"')]



=== an id that is no UUID: a plain text with the value
--- request eval
[map { "GET $main::API/$_" } 'abc', '1', '550e8400-e29b-41d4-a716-44665544000',
     '550e8400-e29b-41d4-a716-4466554400000',
 'g50e8400-e29b-41d4-a716-446655440000', '550e8400-e29b-41d4-a716_446655440000',
 '550e8400e-29b-41d4-a716-446655440000',
 '%20550e8400-e29b-41d4-a716-446655440000', 'STATS', 'a%22b%3Cc', '%2A']
--- error_code eval
[(400) x 11]
--- response_headers eval
[("Content-Type: text/plain; charset=utf-8\n!WWW-Authenticate") x 11]
--- response_body_like eval
[map { qr/^Invalid URL: Cannot parse `task_id` with value `\Q$_\E`: UUID parsing failed/ }
 'abc', '1', '550e8400-e29b-41d4-a716-44665544000', '550e8400-e29b-41d4-a716-4466554400000',
 'g50e8400-e29b-41d4-a716-446655440000', '550e8400-e29b-41d4-a716_446655440000',
 '550e8400e-29b-41d4-a716-446655440000',
 ' 550e8400-e29b-41d4-a716-446655440000', 'STATS', 'a"b<c', '*']



=== a cancel with an id that is no UUID
--- request
POST /codex/api/v1/tasks/abc/cancel
--- error_code: 400
--- response_headers
Content-Type: text/plain; charset=utf-8
--- response_body_like: ^Invalid URL: Cannot parse `task_id` with value `abc`: UUID parsing failed



=== a cancel takes a task from its worker
--- request eval
[main::stop('B'), main::show('B'), map { main::list("status=$_") } qw(processing cancelled)]
--- response_headers eval
[("Content-Type: application/json") x 4]
--- ids
no list
no list
-
E B
--- response_json eval
[main::cancelled('B'), main::task_b(status => '"cancelled"', completedAt => '"<now>"'), '[]',
 '[' . main::task_e(completedAt => '"2024-01-15T10:06:00Z"') . ','
     . main::task_b(status => '"cancelled"', completedAt => '"<now>"') . ']']



=== a cancelled task can be cancelled again, and has ended now
--- request eval
[main::stop('E'), main::show('E'), main::stop('A'), main::stop('A'), main::show('A')]
--- response_json eval
[main::cancelled('E'), main::task_e(completedAt => '"<now>"'), main::cancelled('A'),
 main::cancelled('A'),
 main::task_a(status => '"cancelled"', completedAt => '"<now>"')]



=== completed and failed tasks stay as they are
--- request eval
[map({ main::stop($_) } qw(C D C)), main::list('status=completed'), main::list('status=failed'),
 main::list('status=cancelled')]
--- error_code eval
[400, 400, 400, 200, 200, 200]
--- response_body_like eval
[map({ qr/^\{"error":"BadRequest","message":"Cannot cancel $_ task"\}$/ } qw(completed failed completed)),
 '"completedAt":"2024-01-15T10:05:00Z"', '"completedAt":null',
 '"completedAt":"2024-01-15T10:06:00Z"']
--- ids
no list
no list
no list
C
D
E



=== a task in a state that nobody knows, or without one, can be cancelled
--- put
= codex
550e8400-e29b-41d4-a716-446655440000 {"taskType":"a","status":"paused","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:00Z"}
550e8400-e29b-41d4-a716-446655440001 {"taskType":"a","scheduledFor":"2024-01-15T10:00:00Z","createdAt":"2024-01-15T10:00:01Z"}
--- request eval
[main::stop('A'), main::stop('B'), main::list('status=cancelled')]
--- response_body_like eval
['^\{"message":"Task .* cancelled"\}$', '^\{"message":"Task .* cancelled"\}$',
 '"status":"cancelled"']
--- ids
no list
no list
B A



=== a cancel has no need of a body, and does not look at one
--- request eval
[main::stop('A') . "\n{\"status\":\"completed\"}", main::show('A')]
--- response_json eval
[main::cancelled('A'), main::task_a(status => '"cancelled"', completedAt => '"<now>"')]



=== a worker's changes are seen at once: a task that is retried is pending again
--- redis_after_start
FCALL codex_put 1 tasks:{codex} 550e8400-e29b-41d4-a716-446655440003 status '"pending"' attempts 0 lastError null
--- request eval
[map { main::list("status=$_") } qw(failed pending)]
--- ids
-
D A
--- response_body_unlike eval
["boom", "boom"]



=== credentials that are none: a scheme in another case, an empty one, another one
--- more_headers eval
['', 'Authorization: bearer ' . main::token(), 'Authorization: BEARER ' . main::token(),
 'Authorization: ' . main::token(),
 'Authorization:', 'Authorization: Bearer', 'Authorization: Basic YTpi',
 'Authorization: Token codex_ab12_s3cret', 'X-API-Key:',
 'X-Auth-User:', 'Cookie: token=' . main::token(), 'API-Key: codex_ab12_s3cret']
--- request eval
[("GET $main::API") x 12]
--- error_code eval
[(401) x 12]
--- response_headers eval
[("Content-Type: application/json\n!WWW-Authenticate") x 12]
--- response_json eval
[($main::NO_CREDENTIALS) x 12]



=== tokens that are not good
--- more_headers eval
[map({ "Authorization: Bearer $_" } 'x', 'a.b.c', 'codex_ab12_s3cret', 'Bearer ' . main::token(),
 main::token() . 'x',
     main::token() =~ s/[^.]*$//r, main::jwt(main::claims(), 'cr-secret'), main::jwt(main::claims(),
     'cx-secret', alg => 'HS512'),
     main::jwt(main::claims(), 'cx-secret', header => '{"alg":"none"}'), main::jwt('[]',
     'cx-secret')),
 map { main::bearer(@$_) } [exp => time - 90], [exp => undef], [exp => '"2099-01-01"'],
 [sub => undef], [username => undef],
     [role => undef], [iat => undef]]
--- request eval
[("GET $main::API") x 17]
--- error_code eval
[(401) x 17]
--- response_headers eval
[("Content-Type: application/json\n!WWW-Authenticate") x 17]
--- response_json eval
[($main::BAD_TOKEN) x 17]



=== a token counts for a minute after it has expired
--- more_headers eval
[map { main::bearer(exp => time + $_) } -1, -5, -70]
--- request eval
[("GET $main::API") x 3]
--- error_code eval
[200, 200, 401]



=== what each role may do
--- more_headers eval
[map { (main::bearer(role => $_)) x 3 } '"admin"', '"maintainer"', '"reader"']
--- request eval
["GET $main::API", main::show('A'), main::stop('A'), "GET $main::API", main::show('A'),
 main::stop('B'),
 "GET $main::API", main::show('A'), main::stop('C')]
--- error_code eval
[(200) x 6, (403) x 3]
--- response_body_like eval
['^\[\{', '^\{"id"', '^\{"message"', '^\[\{', '^\{"id"', '^\{"message"',
 map { "^\Q$_\E\$" } $main::NO_READ, $main::NO_READ, $main::NO_WRITE]



=== a role that is none may do nothing
--- more_headers eval
[map { main::bearer(role => $_) } '"Admin"', '"administrator"', '"xadmin"', '"admin "', '""',
     '["admin"]', '{"admin":true}', 'true', '"reader:list:tasks:read"']
--- request eval
[("GET $main::API") x 9]
--- error_code eval
[(403) x 9]
--- response_json eval
[($main::NO_READ) x 9]



=== a reader learns nothing by a cancel, and changes nothing
--- more_headers eval
[(main::bearer(role => '"reader"')) x 3, main::bearer()]
--- request eval
[main::stop('A'), "POST $main::API/550e8400-e29b-41d4-a716-446655449999/cancel",
 "POST $main::API/abc/cancel", main::show('A')]
--- error_code eval
[403, 403, 403, 200]
--- response_json eval
[($main::NO_WRITE) x 3, main::task_a()]



=== an API key with the right to read, in either header
--- more_headers eval
[(main::key('codex_ab12_s3cret')) x 4, ('x-auth-user: codex_ab12_s3cret') x 2, main::bearer()]
--- request eval
["GET $main::API", main::show('A'), main::stop('A'),
 "POST $main::API/550e8400-e29b-41d4-a716-446655449999/cancel",
 "GET $main::API", main::stop('A'), main::show('A')]
--- error_code eval
[200, 200, 403, 403, 200, 403, 200]
--- response_body_like eval
my $no = "^\Q$main::NO_WRITE\E\$";
['^\[\{', '^\{"id"', $no, $no, '^\[\{', $no, '"status":"pending"']



=== an API key with the right to write, with both, with none, with others
--- more_headers eval
[map { (main::key($_)) x 3 } qw(codex_write_x codex_both_x codex_none_x codex_other_x codex_never_x)]
--- request eval
[map { ("GET $main::API", main::show('A'), main::stop('A')) } 1 .. 5]
--- error_code eval
[403, 403, 200, 200, 200, 200, (403) x 9]
--- response_body_like eval
my ($read, $write) = map { "^\Q$_\E\$" } $main::NO_READ, $main::NO_WRITE;
[$read, $read, '^\{"message"', '^\[\{', '^\{"id"', '^\{"message"', ($read, $read, $write) x 3]



=== API keys that are not good: unknown, cut, longer, in another case, a hash, another key of Redis
--- more_headers eval
[map { main::key($_) } 'x', 'codex_ab12_s3cre', 'codex_ab12_s3crett', 'CODEX_ab12_s3cret',
     'codex_ab12_', 'codex_ab12',
 main::sha256_hex('codex_ab12_s3cret'), 'tasks:credential:' . main::sha256_hex('codex_ab12_s3cret'),
 'x' x 1000,
 'codex_ab12_s3cret, codex_ab12_s3cret']
--- request eval
[("GET $main::API") x 10]
--- error_code eval
[(401) x 10]
--- response_headers eval
[("Content-Type: application/json\n!WWW-Authenticate") x 10]
--- response_json eval
[(main::failure('Unauthorized', 'Invalid API key')) x 10]



=== an API key expires
--- more_headers eval
[main::key('codex_old_x'), 'X-Auth-User: codex_old_x', main::key('codex_new_x')]
--- request eval
[("GET $main::API") x 3]
--- error_code eval
[401, 401, 200]
--- response_body_like eval
[("^\Q{\"error\":\"Unauthorized\",\"message\":\"API key has expired\"}\E\$") x 2, '^\[\{']



=== an API key that is revoked or gets other rights while nginx runs
--- redis_after_start eval
'DEL tasks:credential:' . main::sha256_hex('codex_ab12_s3cret') . "\n"
. 'HSET tasks:credential:' . main::sha256_hex('codex_none_x') . " rights tasks:read\n"
--- more_headers eval
[main::key('codex_ab12_s3cret'), main::key('codex_none_x')]
--- request eval
[("GET $main::API") x 2]
--- error_code eval
[401, 200]



=== which credential counts: Bearer, then X-API-Key, then x-auth-user; another scheme is passed over
--- more_headers eval
[main::bearer() . "\n" . main::key('x'),
 main::bearer(role => '"reader"') . "\n" . main::key('codex_both_x'),
 "Authorization: Bearer x\n" . main::key('codex_both_x'),
 "Authorization: Basic YTpi\n" . main::key('codex_both_x'),
 'Authorization: bearer ' . main::token(role => '"reader"') . "\n" . main::key('codex_both_x'),
 main::key('x') . "\nX-Auth-User: codex_both_x", main::key('codex_both_x') . "\nX-Auth-User: x",
 "X-API-Key:\nX-Auth-User: codex_both_x",
 main::bearer(exp => time - 90) . "\nX-Auth-User: codex_both_x"]
--- request eval
[("GET $main::API") x 9]
--- error_code eval
[200, 403, 401, 200, 200, 401, 200, 200, 401]
--- response_body_like eval
['^\[\{', 'TasksRead', 'Invalid JWT token', '^\[\{', '^\[\{', 'Invalid API key', '^\[\{', '^\[\{',
 'Invalid JWT token']



=== credentials, then permission, then what is asked
--- more_headers eval
[('') x 3, (main::key('x')) x 2, (main::bearer(role => '"reader"')) x 3]
--- request eval
[main::list('limit=x'), "GET $main::API/abc", "GET $main::API/550e8400-e29b-41d4-a716-446655449999",
 main::list('limit=x'), "POST $main::API/abc/cancel",
 main::list('limit=x'), "GET $main::API/abc", "GET $main::API/550e8400-e29b-41d4-a716-446655449999"]
--- error_code eval
[(401) x 5, (403) x 3]
--- response_json eval
[($main::NO_CREDENTIALS) x 3, (main::failure('Unauthorized', 'Invalid API key')) x 2,
 ($main::NO_READ) x 3]



=== the headers of responses: nothing about caching, no challenge
--- request eval
["GET $main::API", main::show('A'), main::stop('A'), main::stop('C')]
--- error_code eval
[200, 200, 200, 400]
--- response_headers eval
[("Content-Type: application/json\n!WWW-Authenticate\n!Cache-Control\n!Location") x 4]



=== HEAD: the headers, and no body
--- request eval
["HEAD $main::API?limit=0", "HEAD $main::API/$main::ID{A}", "HEAD $main::API?limit=x"]
--- error_code eval
[200, 200, 400]
--- response_headers eval
["Content-Type: application/json\nContent-Length: 2", "Content-Type: application/json",
 "Content-Type: text/plain; charset=utf-8\nContent-Length: " . length $main::BAD_LIMIT]
--- response_body eval
['', '', '']



=== what else is under /tasks stays with the application, which looks at credentials itself
--- more_headers
--- config eval
main::location($main::API, 'tasks_fallback @app;') . 'location @app { return 203 "$request_method $request_uri"; }'
--- request eval
$main::app = ["GET $main::API/stats", "HEAD $main::API/stats", "GET $main::API/stream",
    "DELETE $main::API/purge?days=30",
 "DELETE $main::API/nuke", "POST $main::API/stats", "POST $main::API",
 "POST $main::API/$main::ID{A}/unlock",
 "POST $main::API/$main::ID{A}/retry", "DELETE $main::API/$main::ID{A}",
 "GET $main::API/$main::ID{A}/cancel", "GET $main::API/",
 "GET $main::API/stats/", "GET $main::API/purge/cancel"]
--- error_code eval
[(203) x 14]
--- response_body eval
[map { /^HEAD/ ? '' : $_ } @$main::app]



=== with a fallback, what the API serves is not the application's, good or not
--- config eval
main::location($main::API, 'tasks_fallback @app;') . 'location @app { return 203 "$request_method $request_uri"; }'
--- request eval
["GET $main::API", main::show('A'), "GET $main::API/Stats", "GET $main::API/statsx",
 "GET $main::API/550e8400-e29b-41d4-a716-446655449999", "POST $main::API/stats/cancel",
 main::stop('A'), main::list('limit=x')]
--- error_code eval
[200, 200, 400, 400, 404, 400, 200, 400]



=== without an application, what it would serve is not found
--- request eval
[map { "GET $main::API/$_" } qw(stats stream purge nuke), "$main::ID{A}/unlock", '']
--- error_code eval
[(404) x 6]
--- response_json eval
[(main::failure('NotFound', 'Not found')) x 6]



=== a wrong method: 405, and an empty body
--- request eval
["POST $main::API", "PUT $main::API", "DELETE $main::API/$main::ID{A}",
 "GET $main::API/$main::ID{A}/cancel",
 "PATCH $main::API/abc"]
--- error_code eval
[(405) x 5]
--- response_headers eval
["Allow: GET, HEAD\nContent-Length: 0", "Allow: GET, HEAD\nContent-Length: 0",
 "Allow: GET, HEAD\nContent-Length: 0",
 "Allow: POST\nContent-Length: 0", "Allow: GET, HEAD\nContent-Length: 0"]
--- response_body eval
[('') x 5]



=== a store that cannot be reached: credentials that need none are looked at before
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- more_headers eval
[(main::bearer()) x 3, main::key('codex_ab12_s3cret'), '', main::bearer(role => '"reader"'),
 main::bearer()]
--- request eval
["GET $main::API", main::show('A'), main::stop('A'), ("GET $main::API") x 3, main::list('limit=x')]
--- error_code eval
[503, 503, 503, 503, 401, 403, 400]
--- response_headers eval
[("Content-Type: application/json\nRetry-After: 1") x 4,
 ("Content-Type: application/json\n!Retry-After") x 2,
 "Content-Type: text/plain; charset=utf-8\n!Retry-After"]
--- response_body_like eval
[('^\{"error":"ServiceUnavailable","message":"[^"]+"\}$') x 4, 'Missing or invalid', 'TasksRead',
 'limit']
