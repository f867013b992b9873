# The write side: what the Redis functions of an API keep, refuse and publish,
# as writers of any language see it, and how the functions get into Redis.

use lib 't/lib';
use Tasks ':live';

use File::Temp qw(tempdir);
use JSON::PP ();
use Time::HiRes qw(time);
use Time::Local ();

use RESP;
use Tasks::Jobs;
use Tasks::Library;
use Tasks::RedisServer;

# Every type; order and id of another kind in each.

my %DEFINITIONS = (
    'kinds.json' => <<'END',
{ "name": "kinds", "id": "integer", "order": "rank asc", "max_value": 8192,
  "fields": {
    "rank":  {"type": "integer"},
    "must":  {"type": "string", "required": true},
    "s":     {"type": "string"},   "i":  {"type": "integer"},
    "n":     {"type": "number"},   "b":  {"type": "boolean"},
    "d":     {"type": "datetime"}, "o":  {"type": "object"},
    "a":     {"type": "array"},    "x":  {"type": "any"},
    "h":     {"type": "any", "view": "detail"} },
  "routes": [{"action": "list", "path": "", "response": "$tasks"},
             {"action": "get", "path": "/{id}", "response": "$task"}] }
END
    'times.json' => <<'END',
{ "name": "times", "id": {"type": "string", "max_length": 40},
  "order": "at asc",
  "fields": {"at": {"type": "datetime"}, "flag": {"type": "boolean", "filter": true},
             "text": {"type": "string", "filter": true}},
  "routes": [{"action": "list", "path": "", "response": "$tasks"}] }
END
    'names.json' => <<'END',
{ "name": "names", "id": "string", "order": "name asc",
  "fields": {"name": {"type": "string"}},
  "routes": [{"action": "list", "path": "", "response": "$tasks"}] }
END
    'stamps.json' => <<'END',
{ "name": "stamps", "id": "string", "order": "created",
  "fields": {"created": {"type": "datetime"}, "state": {"type": "string"},
             "ended": {"type": "datetime"}, "worker": {"type": "string"}},
  "state": "state",
  "cancel": {"except": ["done"], "unchanged": ["stopped"],
             "set": {"state": "stopped", "ended": "$now", "worker": null}},
  "routes": [{"action": "list", "path": "", "response": "$tasks"}] }
END
    'blanks.json' => <<'END',
{ "name": "blanks", "id": "integer", "order": "n desc",
  "fields": {
    "n":    {"type": "integer", "absent_if": [-1]},
    "must": {"type": "string", "required": true, "absent_if": ["", "none"]},
    "s":    {"type": "string", "absent_if": ["", "\u00e9"]},
    "i":    {"type": "integer", "absent_if": [0], "default": 5},
    "f":    {"type": "number", "absent_if": [0, 0.5]},
    "b":    {"type": "boolean", "absent_if": [false], "filter": true},
    "d":    {"type": "datetime", "absent_if": ["0001-01-01T00:00:00Z"]},
    "o":    {"type": "object", "absent_if": [{}, {"a": [1, "x"]}]},
    "a":    {"type": "array", "absent_if": [[]]},
    "x":    {"type": "any", "absent_if": ["", 0, false, [], {}]} },
  "state": "s",
  "routes": [{"action": "list", "response": "$tasks"}] }
END
    'uuids.json' => <<'END',
{ "name": "uuids", "id": "uuid", "order": "id desc", "fields": {},
  "routes": [{"action": "list", "response": "$tasks"}] }
END
    'counts.json' => <<'END',
{ "name": "counts", "id": {"type": "integer", "name": "count"}, "order": "count",
  "fields": {"kind": {"type": "string"}},
  "routes": [{"action": "list", "response": "$tasks"}] }
END
    'wheres.json' => <<'END',
{ "name": "wheres", "id": "integer", "order": "id",
  "fields": {
    "status": {"type": "string", "default": "new"},
    "kind":   {"type": "string", "view": "none"},
    "size":   {"type": "integer", "default": 1, "view": "none"},
    "local":  {"type": "boolean", "view": "detail"},
    "at":     {"type": "integer"}, "at_ms": {"type": "number"},
    "any":    {"type": "any", "view": "none"} },
  "cancel": {"from": ["new", "run"], "unchanged": ["cancelled"],
             "where": {"kind": ["download", "\u00e9 \"x\""], "size": [1, 2],
                       "local": [true]},
             "set": {"status": "cancelled", "at": "$now_unix",
                     "at_ms": "$now_unix_ms", "any": "$now_unix"}},
  "routes": [{"action": "list", "response": "$tasks"}] }
END
    'mains.json' => <<'END',
{ "name": "mains", "id": "integer", "order": "id",
  "fields": {"title": {"type": "string"}},
  "collections": {
    "runs": {"id": "string", "order": "at desc", "state": "phase", "max_value": 64,
             "fields": {"at":    {"type": "datetime"},
                        "phase": {"type": "string", "filter": true, "default": "on"}},
             "cancel": {"from": ["on"], "set": {"phase": "off"}}},
    "logs": {"id": {"name": "line", "type": "integer"}, "order": "line desc",
             "fields": {"text": {"type": "string", "required": true}}} },
  "routes": [
    {"action": "list", "response": "$tasks"},
    {"action": "list", "collection": "runs", "path": "/runs", "response": "$tasks",
     "query": {"after": {"role": "cursor", "form": "$id"}}},
    {"action": "list", "collection": "logs", "path": "/logs", "response": "$tasks",
     "query": {"after": {"role": "cursor", "form": "at $position"}}} ] }
END
    slugs('up', 'asc'), slugs('down', 'desc'),
);


# Ordered by an id that is a string.

sub slugs {
    my ($name, $direction) = @_;

    return ("$name.json" => <<"END");
{ "name": "$name", "id": {"type": "string", "max_length": 600},
  "order": "id $direction",
  "fields": {"kind": {"type": "string", "filter": true},
             "open": {"type": "boolean", "filter": true}},
  "routes": [{"action": "list", "response": "\$tasks",
              "query": {"after": {"role": "cursor", "form": "\$id"}}}] }
END
}

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), %DEFINITIONS);
load_jobs();


sub call {
    my ($function, @arguments) = @_;

    my ($name) = $function =~ /^([a-z]+)_/;

    return redis('FCALL', $function, 1, "tasks:{$name}", @arguments);
}


# Calls the function, and returns what it says if it is an error.

sub error_of {
    my (@command) = @_;

    return eval { redis(@command); 1 } ? '' : $@;
}


# Everything in Redis, but for the functions.

sub dump_all {
    return join "\n", map { "$_ " . redis('DUMP', $_) }
                      sort @{ redis('KEYS', '*') };
}


# What is refused changes nothing at all, and the words of the refusal are the
# function's own.

sub refused {
    my ($name, $pattern, @command) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $before = dump_all();
    my $error = error_of(@command);

    like($error, $pattern, "refused: $name");
    ok(dump_all() eq $before, 'and nothing is changed');
    unlike($error, qr/[^\x20-\x7e\n]|CANARY/, 'and nothing repeated');
}


sub visible {
    my ($bytes) = @_;

    $bytes = substr($bytes, 0, 30) . '...' if length $bytes > 40;

    return $bytes =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ger;
}


my $T = '"2025-01-01T00:00:00"';
my @JOB = ('FCALL', 'jobs_put', 1, $JOBS);
my @KIND = ('FCALL', 'kinds_put', 1, 'tasks:{kinds}');


# Put

{
    my $first = call('jobs_put', 'a', created => $T, n => '1');
    my $second = call('jobs_put', 'a', n => '2');
    my $third = call('jobs_put', 'b', created => $T);

    like($first, qr/^\d{15,17}$/, 'put returns a revision');
    cmp_ok($second, '>', $first, 'a higher one each time');
    cmp_ok($third, '>', $second, 'whatever the task');
    is(redis('HGET', "$JOBS:task:a", '_rev'), $second, 'the task has its own');
    is(redis('HGET', "$JOBS:task:a", 'n'), 2, 'a field is updated');
    is(redis('HGET', "$JOBS:task:a", 'created'), $T, 'others stay');
    is(redis('HGET', "$JOBS:rows", 'a'), '{"id":"a","status":"pending","n":2,'
       . '"created":"2025-01-01T00:00:00"}', 'the row');
    is_deeply(redis('ZRANGE', "$JOBS:index", 0, -1),
              ['862a99ba0c6000:a', '862a99ba0c6000:b'], 'the index');
    is_deeply(redis('ZRANGE', "$JOBS:index:status=pending", 0, -1),
              ['862a99ba0c6000:a', '862a99ba0c6000:b'],
              'one of a default value');
    is(redis('EXISTS', "$JOBS:index:kind=", "$JOBS:index:kind=null"), 0,
       'none of an absent one');

    cmp_ok(call('jobs_put', 'a', n => 'null'), '>', $third, 'null');
    is(redis('HEXISTS', "$JOBS:task:a", 'n'), 0, 'clears a field');
    is(redis('HGET', "$JOBS:rows", 'a'), '{"id":"a","status":"pending",'
       . '"created":"2025-01-01T00:00:00"}', 'in the row too');
    is(call('jobs_put', 'a') > $third, 1, 'no field at all');
    is(call('jobs_put', 'a', n => '1', n => '3') > $third, 1, 'one twice');
    is(redis('HGET', "$JOBS:task:a", 'n'), 3, 'the last one counts');
}


# Values stay as they are

{
    my %kept = (
        s => ['"\u00e9\ud83d\ude00\/\"\\\\"', "\"\xc3\xa9\xf0\x9f\x98\x80\"",
              '"\u0000"', '""', "\"\x7f\"", '"%s%%"'],
        i => ['0', '-1', '9223372036854775807', '-9223372036854775808',
              '1741773600123456789'],
        n => ['0.1', '1.10', '1E2', '-0', '-0.0', '1e999', '0e0', '1E-7',
              '123456789012345678901234567890'],
        b => ['true', 'false'],
        d => ['"2024-02-29T23:59:60Z"', '"2025-03-12 10:00:00+05:30"',
              '"2025-03-12t10:00:00.123456789z"', '"2000-02-29T00:00:00"'],
        o => ['{}', ' { "b" : 1 , "a" : [ 1.10 ] }', '{"a":1,"a":2}'],
        a => ['[]', "[1,\n2,\r\t 3]", '[' x 500 . ']' x 500],
        x => ['{"q":[null,true,1E5,"\ud83d\ude00"]}', '  7 ', '"a:b=c&d%"'],
    );

    for my $field (sort keys %kept) {
        for my $value (@{ $kept{$field} }) {
            call('kinds_put', 1, rank => 1, must => '"m"', $field => $value);
            is(redis('HGET', 'tasks:{kinds}:task:1', $field), $value,
               "kept: $field " . visible($value));
            like(redis('HGET', 'tasks:{kinds}:rows', 1), qr/"$field":\Q$value\E[,}]/,
                 'in the row too');
            call('kinds_put', 1, $field => 'null');
        }
    }
}


# What is no valid JSON

{
    my @bad = (
        '', ' ', '1.', '.5', '01', '-01', '+1', '1e', '1e+', '0x10', 'NaN',
        'nan', 'Infinity', '-Infinity', 'inf', '-', '--1', '1_000', '1,2',
        '[-]', '[1.]', '[.5]', '[01]', '[1e]', '[+1]', '[0x10]', '[NaN]',
        '[1e5.5]', '"a', 'a"', '"', "'a'", '"a"b', '"a" "b"', 'tru', 'True',
        'nulls', 'undefined', '1 2', '[] x', '[1]]', '[1}', '[', '{', '["a]',
        '[1,]', '[,1]', '[1 2]', '{"a":1,}', '{"a" 1}', '{a:1}', '{1:2}',
        '{"a":1 "b":2}', '{"a"}', '/**/1', '1//', "\xef\xbb\xbf1", "\x0b1",
        "[1,\x0c2]", "[1,\xc2\xa02]", "1\0", "\0", "\"\0\"",
        "\"a\tb\"", "\"a\nb\"", "[\"a\x1fb\"]", "{\"a\nb\":1}",
        '"\x"', '"\u12"', '"\u00g0"', '"\U0041"', '"\\', '["\"]',
        '"\ud800"', '"\udc00"', '"\ud800\u0041"', '"\ud800\ud800"',
        '["\udfff\ud800"]',
        "\"\x80\"", "\"\xff\"", "\"\xc3\"", "\"\xc3\xc3\"", "\"\xc0\x80\"",
        "\"\xc1\xbf\"", "\"\xe0\x9f\xbf\"", "\"\xe2\x82\"", "\"\xed\xa0\x80\"",
        "\"\xf0\x8f\xbf\xbf\"", "\"\xf0\x9f\x98\"", "\"\xf4\x90\x80\x80\"",
        "\"\xf8\x88\x80\x80\x80\"", "{\"\xff\":1}", "[\"a\",\"\xe2\x28\xa1\"]",
        '[' x 1001 . ']' x 1001, '{"":' x 1001 . '1' . '}' x 1001,
    );

    call('kinds_put', 2, rank => 2, must => '"m"', h => '"CANARY"');

    for my $value (@bad) {
        refused('any ' . visible($value), qr/^ERR tasks_kinds: h is not a valid JSON any/,
                @KIND, 2, i => '5', h => $value);
    }
}


# What is not of the type

{
    my %bad = (
        s => ['1', 'true', '{}', '["a"]', "\"a\tb\"", '"\ud800"', "\"\xff\"",
              ' "a"', '"a" '],
        i => ['1.0', '1e2', '"1"', '01', '-', 'true', '[1]', ' 1', '1 ',
              "1\n", '0x1', '1' x 21],
        n => ['"1"', '01', '1.', '.5', '1e', '-', 'true', '1 ', "1\n"],
        b => ['1', '"true"', 'True', 'true ', '0'],
        o => ['[]', '"{}"', '1', '{', '{}{}', 'null {}'],
        a => ['{}', '"[]"', '1', '[', '[][]'],
        d => ['20250101', '1735689600', '"2025-01-01"', '"2025-02-29T00:00:00"',
              '"1900-02-29T00:00:00"', '"2025-13-01T00:00:00"',
              '"2025-00-01T00:00:00"', '"2025-04-31T00:00:00"',
              '"2025-01-00T00:00:00"', '"2025-01-01T24:00:00"',
              '"2025-01-01T00:60:00"', '"2025-01-01T00:00:61"',
              '"2025-01-01T00:00:00."', '"2025-01-01T00:00:00.1.2"',
              '"2025-01-01T00:00:00+5"', '"2025-01-01T00:00:00X"',
              '"2025-01-01T00:00:00+99:99"', '"2025-01-01T00:00:00+24:00"',
              '"2025-01-01T00:00:00-05:60"', '"2025-1-1T0:0:0"',
              '"25-01-01T00:00:00"', '" 2025-01-01T00:00:00"',
              '"2025-01-01T00:00:00Z "', '"2025-01-01T00:00:00Z', '""'],
    );

    for my $field (sort keys %bad) {
        refused("$field " . visible($_), qr/^ERR tasks_kinds: $field is not a valid JSON \w+/,
                @KIND, 2, x => '5', $field => $_)
            for @{ $bad{$field} };
    }
}


# Other refusals

{
    my @due = (created => $T);

    refused('an undeclared field', qr/argument 4 is not a declared field/,
            @JOB, 'a', @due, CANARY => '1');
    refused('a field of the module', qr/not a declared field/,
            @JOB, 'a', _rev => '1');
    refused('the id as a field', qr/not a declared field/,
            @JOB, 'a', id => '"CANARY"');
    refused('a field without value', qr/each field wants a value/,
            @JOB, 'a', 'n');
    refused('no id', qr/an id is due/, @JOB);
    refused('an empty id', qr/an id is due/, @JOB, '', @due);
    refused('an id that is too long', qr/longer than \d+ bytes/,
            @JOB, 'CANARY' x 100, @due);
    refused('an id of control characters', qr/control characters/,
            @JOB, $_, @due)
        for "a\0", "a\nb", "\x1f", "a\x7f";
    refused('an id of ill-formed UTF-8', qr/UTF-8/, @JOB, $_, @due)
        for "\xff", "\xc3", "a\xed\xa0\x80", "\xf4\x90\x80\x80";

    my @kind = (rank => 1, must => '"m"');
    refused("the id $_ is no integer", qr/not an integer/, @KIND, $_, @kind)
        for 'CANARY', '1.0', '01', '-0', '+1', '1e1', ' 1', '1 ', '0x1';

    for my $key ('tasks:{job}', 'tasks:{jobs', 'tasks:{jobs}x', 'CANARY', '',
                 'tasks:{jobs:}', 'tasks:{jobs:a b}', 'tasks:{jobs:a}:task',
                 "tasks:{jobs:\xc3\xa9}", 'tasks:{jobs:a}}', 'tasks:jobs',
                 'tasks:{jobs:a:b}', 'xtasks:{jobs}', 'tasks:{kinds}') {
        refused("the key \"$key\"", qr/one key is due/,
                'FCALL', 'jobs_put', 1, $key, 'a', @due);
    }

    refused("the scope $_", qr/one key is due/, 'FCALL', 'jobs_put', 1,
            "tasks:{jobs:$_}", 'a', @due)
        for 'a%7Eb', 'a%3db', 'a%41', 'a%', 'a%0', '%2', 'b%zz';
    redis('FCALL', 'jobs_put', 1, "tasks:{jobs:$_}", 'a', @due)
        for 'a~b', 'a%3Db', '%25', '%00%FF', '-._~';
    redis('DEL', redis('KEYS', 'tasks:{jobs:*')->@*);
    refused('no key', qr/one key is due/, 'FCALL', 'jobs_put', 0, 'a', @due);
    refused('two keys', qr/one key is due/,
            'FCALL', 'jobs_put', 2, $JOBS, $JOBS, 'a', @due);

    refused('a value that is too large', qr/x is longer than 8192 bytes/,
            @KIND, 2, x => '"' . 'C' x 8191 . '"');
    is(error_of(@KIND, 2, x => '"' . 'C' x 8190 . '"'), '', 'not the largest');

    refused('no order field', qr/created is (?:due|required)/, @JOB, 'new', n => 1);
    refused('null for it', qr/created is (?:due|required)/,
            @JOB, 'a', created => 'null');
    refused('no required field', qr/must is required/, @KIND, 3, rank => 1);
    refused('null for it', qr/must is required/, @KIND, 2, must => 'null');
    refused('null for it in a new task', qr/must is required/,
            @KIND, 3, rank => 1, must => 'null');

    refused('an integer that cannot be ordered by', qr/2\^53/,
            @KIND, 2, rank => $_)
        for '9007199254740992', '9007199254740993', '-9007199254740992',
            '-9007199254740993', '9223372036854775807';

    refused('no count', qr/a count/, 'FCALL', 'jobs_prune', 1, $JOBS, @$_)
        for [], ['CANARY'], ['-1'], ['1.5'], ['1' x 16];
    refused('no id', qr/an id is due/, 'FCALL', "jobs_$_", 1, $JOBS)
        for qw(remove cancel);
    refused('a bad key', qr/one key is due/, 'FCALL', "jobs_$_", 1, 'CANARY', 1)
        for qw(remove cancel prune page);
    refused('writing in FCALL_RO', qr/./,
            'FCALL_RO', 'jobs_put', 1, $JOBS, 'a', @due);
}

# what is wrong in a page is refused, and not repeated either

for my $arguments ([], [''], [0, 9], [0, 9, ''], ['CANARY', 9, '', ''],
                   [0, 'CANARY', '', ''], ['', 9, '', ''], [0, '', '', ''],
                   ['0 1', 9, '', '']) {
    like(error_of('FCALL_RO', 'jobs_page', 1, $JOBS, @$arguments),
         qr/^ERR tasks_jobs: an offset, a count, a cursor and index suffixes are due/,
         "refused: a page of " . join ' ', map { "'$_'" } @$arguments);
}

for my $arguments ([0, 9, 'CANARY', ''], [0, 9, '', 'CANARY'],
                   [0, 9, 'CANARY', 'CANARY', 'CANARY=']) {
    is(error_of('FCALL_RO', 'jobs_page', 1, $JOBS, @$arguments), '',
       "a page of @$arguments is empty");
}


# Indexes and revisions

sub revs {
    my ($base) = @_;

    my %revs = @{ redis('HGETALL', ($base // $JOBS) . ':revs') };

    return \%revs;
}


sub time_of_redis {
    my ($seconds, $microseconds) = @{ redis('TIME') };

    return $seconds * 1000000 + $microseconds;
}


# The indexes whose revision a call has moved, and those that have gone.

sub moved {
    my (@call) = @_;

    my $before = revs();
    call(@call);
    my $after = revs();

    return join ' ', sort((grep { ($before->{$_} // '') ne $after->{$_} }
                                grep { $_ ne '_' } keys %$after),
                          (map { "-$_" } grep { !exists $after->{$_} }
                                         keys %$before));
}

sub indexes {
    return join ' ', sort map { /:index:?(.*)/ }
                          @{ redis('KEYS', "$JOBS:index*") };
}


{
    redis('FLUSHALL');

    my @times = map { (time_of_redis(), call('jobs_put', "a$_", created => $T)) }
                1 .. 3;
    push @times, time_of_redis();
    is_deeply(\@times, [sort { $a <=> $b } @times], 'a revision is the time');

    my $later = $times[-1] + 60e6;
    redis('HSET', "$JOBS:revs", '_', $later);
    is(call('jobs_put', 'a4', created => $T), $later + 1,
       'but none is below the last one');
    call('jobs_put', 'a4', note => '1');
    is_deeply([@{ revs() }{'_', ''}], [$later + 2, $later + 1],
              'a field that no list has moves no list');
}


{
    redis('FLUSHALL');

    is(moved('jobs_put', 'a', created => $T, status => '"running"',
             kind => '"x"'),
       ' kind=x status=running status=running&kind=x', 'a new task');
    is(moved('jobs_put', 'b', created => $T, status => '"failed"'),
       ' status=failed', 'one without a filter value');
    is(moved('jobs_put', 'c', created => $T, status => '"running"',
             kind => '"y"'),
       ' kind=y status=running status=running&kind=y', 'another');
    is(moved('jobs_put', 'b', note => '"n"'), '', 'a detail');
    is(moved('jobs_put', 'b', n => 5), ' status=failed',
       'a value: the indexes with it');
    is(moved('jobs_put', 'b', n => 5), '', 'the same value again');
    my %moved = map { $_ => 1 }
        split / /, moved('jobs_put', 'a', status => '"done"'), -1;
    is(join(' ', sort keys %moved),
       join(' ', sort '', 'kind=x', 'status=done', 'status=done&kind=x',
            'status=running', '-status=running&kind=x'),
       'a status: where it was, where it is, and those of the other filter');

    is(indexes(), join(' ', sort '', qw(kind=x kind=y status=done
       status=done&kind=x status=failed status=running status=running&kind=y)),
       'an emptied index is no key');
    is_deeply(redis('ZRANGE', "$JOBS:index:status=running", 0, -1),
              ['862a99ba0c6000:c'], 'who is left');

    %moved = map { $_ => 1 } split / /,
        moved('jobs_put', 'c', created => '"2025-01-01T00:00:01"'), -1;
    is(join(' ', sort keys %moved),
       join(' ', sort '', qw(kind=y status=running status=running&kind=y)),
       'the order: all its indexes');
    is_deeply(redis('ZRANGE', "$JOBS:index", 0, -1),
              [qw(862a99ba0c6000:a 862a99ba0c6000:b 862a99ba1ba240:c)],
              'and it has moved');

    like(moved('jobs_remove', 'c'), qr/-status=running&kind=y/, 'remove');
    is(redis('EXISTS', "$JOBS:task:c"), 0, 'the task is gone');
    is(redis('HEXISTS', "$JOBS:rows", 'c'), 0, 'the row is gone');
    is(indexes(), join(' ', sort '', qw(kind=x status=done status=done&kind=x
       status=failed)), 'its indexes are gone');
    is(join(' ', sort keys %{ revs() }), join(' ', sort '', '_',
       qw(kind=x status=done status=done&kind=x status=failed)),
       'their revisions are gone');
    is(call('jobs_remove', 'c'), 0, 'there is nothing to remove');
    is(call('jobs_remove', $_), 1, 'a last one') for qw(a b);
    is(join(' ', grep { !/^\Q$JOBS\E:gone:/ } @{ redis('KEYS', '*') }), '',
       'nothing is left of an empty collection but where tasks were');

    my $last = call('jobs_put', 'a', created => $T);
    redis('FLUSHALL');
    cmp_ok(call('jobs_put', 'a', created => $T), '>', $last,
           'a collection that was lost repeats no revision');
    call('jobs_remove', 'a');
    cmp_ok(call('jobs_put', 'a', created => $T), '>', $last,
           'nor does one that was emptied');
}


# Values in the names of indexes

{
    redis('FLUSHALL');

    my %suffix = (
        '"a b"' => 'a b', '"a&b=c:d%"' => 'a%26b%3Dc%3Ad%25',
        "\"\xc3\xa9\"" => '%C3%A9', '"\u00e9"' => '%C3%A9', '""' => '',
        '"a\nb"' => 'a%0Ab', '"\u0000"' => '%00', '"\""' => '"',
        '"{x}"' => '{x}', '"~!"' => '~!', '"\u007f"' => '%7F',
    );

    for my $value (sort keys %suffix) {
        call('times_put', 'a', at => $T, text => $value, flag => 'true');
        is(join(' ', sort map { s/^tasks:\{times\}:index:?//r }
                          @{ redis('KEYS', '*:index*') }),
           join(' ', sort '', 'flag=true', "text=$suffix{$value}",
                "flag=true&text=$suffix{$value}"),
           'an index of ' . visible($value));
    }
}


# Positions

sub order_of {
    my ($name, $field, @values) = @_;

    redis('FLUSHALL');

    my @order = keys @values;

    # put in another order than the one that is due
    call("${name}_put", 100 + $_, $field => $values[$_],
         $name eq 'kinds' ? (must => '""') : ())
        for sort { $a * 7 % 11 <=> $b * 7 % 11 || $a <=> $b } @order;

    return [map { my ($id) = /^[^:]*:(.*)$/; $values[$id - 100] }
            @{ redis('ZRANGE', "tasks:{$name}:index", 0, -1) }];
}


{
    my @integers = qw(-9007199254740991 -9007199254740990 -4294967297
        -4294967296 -16777217 -16777216 -16777215 -2 -1 0 1 2 9 10 16777215
        16777216 16777217 4294967295 4294967296 9007199254740990
        9007199254740991);
    is_deeply(order_of('kinds', 'rank', @integers), \@integers, 'integers');

    my @times = map { "\"$_\"" } qw(
        0001-01-01T00:00:00Z 0829-01-01T00:00:00Z
        1582-10-04T00:00:00 1899-12-31T23:59:59 1900-02-28T00:00:00
        1900-03-01T00:00:00 1969-12-31T23:59:58.5 1969-12-31T23:59:59
        1969-12-31T23:59:59.000001 1969-12-31T23:59:59.999999
        1970-01-01T00:00:00 1970-01-01T00:00:00.000001 1999-12-31T23:59:59
        2000-02-29T00:00:00 2000-03-01T00:00:00
        2025-03-12T10:00:00+14:00 2025-03-12T10:00:00+05:30
        2025-03-12T05:30:00Z 2025-03-12T06:00:00.1 2025-03-12T06:00:00.12
        2025-03-12T06:00:00.123456 2025-03-12T10:00:00-11:30
        2038-01-19T03:14:08Z 2255-06-05T23:47:34.740993Z
        2255-06-06T00:00:00Z 3112-01-01T00:00:00Z 9999-12-31T23:59:59Z
        9999-12-31T23:59:59.999999Z);
    is_deeply(order_of('times', 'at', @times), \@times, 'times');

    my ($one, $two) = map {
        call('times_put', $_, at => '"2300-01-01T00:00:00.12345' . $_ . '"');
        redis('HGET', "tasks:{times}:task:$_", '_pos') =~ /^(\w{14}):/;
    } 6, 7;
    isnt($one, $two, 'microseconds count in 2300 as well');

    is(join(' ', grep { !/^[0-9a-f]{14}:/ }
                 @{ redis('ZRANGE', 'tasks:{times}:index', 0, -1) }), '',
       'a time has 14 hex digits');

    my @names = ('""', '"-"', '"A"', '"AA"', '"Ab"', '"B"', '"a"', '"a "', '"a b"',
                 '"aa"', '"b"', "\"\xc3\xa9\"");
    is_deeply(order_of('names', 'name', @names), \@names, 'strings');

    # any strings sort as their bytes do, whatever the escapes

    srand 7;
    my @letters = ('a', 'b', ' ', '!', '#', '%', '9', ':', ';', '<', '~', '}',
                   "\x7f", "\xc3\xa9", "\xf0\x9f\x98\x80", '-');
    my %strings = map { (join('', map { $letters[rand @letters] }
                                  1 .. 1 + rand 4) => 1) } 1 .. 400;
    my @strings = map { "\"$_\"" } sort keys %strings;
    is_deeply([map { visible($_) } @{ order_of('names', 'name', @strings) }],
              [map { visible($_) } @strings], 'many strings');

    # any times

    my %by_time;
    for (1 .. 400) {
        my @t = (1000 + int rand 2100, 1 + int rand 12, 1 + int rand 28,
                 int rand 24, int rand 60, int rand 60, int rand 1e6);
        my ($h, $m) = (int rand 24, int rand 60);
        my $sign = rand() < 0.5 ? 1 : -1;
        my $at = Time::Local::timegm($t[5], $t[4], $t[3], $t[2], $t[1] - 1,
                                     $t[0]) - $sign * ($h * 60 + $m) * 60;
        $by_time{sprintf '%020d%06d', $at + 1e12, $t[6]} =
            sprintf '"%04d-%02d-%02dT%02d:%02d:%02d.%06d%s%02d:%02d"', @t,
                    $sign > 0 ? '+' : '-', $h, $m;
    }
    my @by_time = map { $by_time{$_} } sort keys %by_time;
    is_deeply(order_of('times', 'at', @by_time), \@by_time, 'many times');

    redis('FLUSHALL');
    call('names_put', 'a:b', name => '"x:y%\n"');
    is(redis('ZRANGE', 'tasks:{names}:index', 0, -1)->[0] =~ s/^[^:]*://r,
       'a:b', 'the id is what follows the first colon');
}


# Prune

sub fill {
    my ($n, %field) = @_;

    redis('FLUSHALL');
    put_job(sprintf('p%04d', $_), n => $_, status => 'completed', %field,
            created => sprintf '2025-01-01T%02d:%02d:%02d', $_ / 3600,
                               $_ / 60 % 60, $_ % 60) for 1 .. $n;
}

{
    fill(30);
    put_job('p0003', status => 'running', created => '2025-01-01T00:00:03');
    put_job('p0004', status => 'pending', created => '2025-01-01T00:00:04');

    is(call('jobs_prune', 30), 0, 'prune: no surplus');
    is(call('jobs_prune', 100), 0, 'none at all');
    is(call('jobs_prune', 20), 8, 'counts those that it removes');
    is(join(' ', map { s/.*:p0*//r } @{ redis('ZRANGE', "$JOBS:index", 0, -1) }),
       join(' ', 3, 4, 11 .. 30), 'and keeps the newest and the active ones');
    is(redis('ZCARD', "$JOBS:index:status=completed"), 20, 'in each index');
    is(redis('HLEN', "$JOBS:rows"), 22, 'rows too');
    is(@{ redis('KEYS', "$JOBS:task:*") }, 22, 'tasks too');
    is(call('jobs_prune', 20), 0, 'again: only active ones are left');
    is(call('jobs_prune', 0), 20, 'all but the active ones');

    fill(2500);
    is(call('jobs_prune', 10), 1000, 'no more than 1,000 a call');
    is(redis('ZRANGE', "$JOBS:index", 0, 0)->[0] =~ s/.*://r, 'p1001',
       'the oldest first');
    is(call('jobs_prune', 10), $_, "then $_") for 1000, 490, 0;

    redis('FLUSHALL');
    call('kinds_put', $_, rank => $_, must => '""') for 1 .. 10;
    is(call('kinds_prune', 4), 6, 'an ascending list without cancel');
    is(join(' ', map { s/.*://r }
                 @{ redis('ZRANGE', 'tasks:{kinds}:index', 0, -1) }),
       '1 2 3 4', 'keeps its first ones');
}


# Page

sub page {
    my ($name, @arguments) = @_;

    return redis('FCALL_RO', "${name}_page", 1, "tasks:{$name}", @arguments);
}

{
    fill(5, kind => 'x');

    my @index = @{ redis('ZRANGE', "$JOBS:index", 0, -1, 'REV') };
    my @rows = @{ redis('HMGET', "$JOBS:rows", map { s/.*://r } @index) };
    my $done = revs()->{'status=completed'};

    is_deeply(page('jobs', 0, 2, '', ''),
              [revs()->{''}, 5, @index[0, 1], @rows[0, 1]],
              'page: revision, total, positions, rows');
    is_deeply(page('jobs', 3, 9, '', 'status=completed'),
              [$done, 5, @index[3, 4], @rows[3, 4]], 'behind a rank');
    is_deeply(page('jobs', 5, 9, '', ''), [revs()->{''}, 5], 'behind the last');
    is_deeply(page('jobs', 0, 9, $index[3], 'status=completed'),
              [$done, 5, $index[4], $rows[4]], 'behind a position');
    is_deeply(page('jobs', 0, 1, $index[0], ''),
              [revs()->{''}, 5, $index[1], $rows[1]], 'and no more than asked for');
    is_deeply(page('jobs', 0, 0, '', ''), [revs()->{''}, 5], 'none at all');
    is_deeply(page('jobs', 0, 0, $index[0], ''), [revs()->{''}, 5],
              'none behind a position');
    is_deeply(page('jobs', 0, 9, '', 'status=none'), [undef, 0], 'of no index');

    put_job('a', status => 'running', created => '2025-01-01T00:00:03');
    my ($position) = grep { /:a$/ }
                     @{ redis('ZRANGE', "$JOBS:index", 0, -1) };

    is_deeply(page('jobs', 1, 3, '', qw(status=completed status=none
                                        status=running)),
              [revs()->{'status=completed'}, 5, undef, 0,
               revs()->{'status=running'}, 1,
               @index[1, 2], $position, @rows[1, 2],
               redis('HGET', "$JOBS:rows", 'a')],
              'of several indexes: revision and total of each, then one list');
}


# A page of several indexes is what all their tasks, in the order of bytes, have
# there.  A locale would not tell some of these letters apart, or sort "a" in
# front of "B".

{
    redis('FLUSHALL');
    srand 11;

    my @letters = ('a', 'A', 'b', 'B', 'z', 'Z', '_', '-', ' ', '.', '0', '9',
                   "\xc3\xa4", "\xc3\x84", "\xc3\x9f", "\xe2\x82\xac", '~', '!',
                   ';', '%');
    my %ids = map { ($_ => 1) }
              qw(a A aa aA Aa AA B b _a -a a-b ab a_b a.b),
              map { join '', map { $letters[rand @letters] } 1 .. 1 + rand 5 }
                  1 .. 150;
    my @kinds = qw(x y z);

    for my $id (sort keys %ids) {
        my @fields = (kind => '"' . $kinds[rand @kinds] . '"',
                      open => rand() < 0.5 ? 'true' : 'false');
        redis('FCALL', "${_}_put", 1, "tasks:{$_}", $id, @fields)
            for qw(up down);
    }

    my @suffixes = ('kind=x', 'kind=z', 'kind=none');
    my @pairs = map { my $kind = $_; map { "kind=$kind&open=$_" } qw(true false) }
                qw(y z);

    for my $name (qw(up down)) {
        is(wrong_pages($name, @suffixes), '', "$name: pages of three indexes");
        is(wrong_pages($name, @pairs), '', "$name: pages of pairs of filters");
        is(wrong_pages($name, 'kind=y'), '', "$name: pages of one index");
        is(wrong_pages($name, ''), '', "$name: pages of all tasks");
    }

    my @up = @{ redis('ZRANGE', 'tasks:{up}:index', 0, -1) };
    cmp_ok(@up, '>', 100, 'many tasks');
    is(join(' ', map { visible($_) } @{ redis('ZRANGE', 'tasks:{down}:index',
                                               0, -1, 'REV') }),
       join(' ', map { visible($_) } reverse sort @up), 'both orders of bytes');
}

# The pages that differ from what they should be.

sub wrong_pages {
    my ($name, @suffixes) = @_;

    my $base = "tasks:{$name}";
    my @all = sort map { @{ redis('ZRANGE', "$base:index" . ($_ && ":$_"),
                                  0, -1) } } @suffixes;
    @all = reverse @all if $name eq 'down';

    my @head = map { (revs($base)->{$_},
                      redis('ZCARD', "$base:index" . ($_ && ":$_"))) } @suffixes;
    my @wrong;

    my $check = sub {
        my ($offset, $count, $cursor, @positions) = @_;

        my @rows = map { redis('HGET', "$base:rows", s/^[^:]*://r) } @positions;
        my $got = page($name, $offset, $count, $cursor, @suffixes);
        my $due = [@head, @positions, @rows];

        push @wrong, "$offset $count " . visible($cursor)
            unless join('|', map { $_ // 'nil' } @$got)
                   eq join('|', map { $_ // 'nil' } @$due);
    };

    for my $offset (0, 1, 2, 17, $#all, $#all + 1, $#all + 6) {
        for my $count (0, 1, 7, $#all + 1, $#all + 100) {
            $check->($offset, $count, '', some($offset, $count, @all));
        }
    }

    for my $at (0, 1, 5, 30, $#all - 1, $#all) {
        for my $count (0, 1, 8, $#all + 100) {
            $check->(0, $count, $all[$at], some($at + 1, $count, @all));
        }
    }

    # positions that no task has: before all, after all, in between

    for my $cursor (' :', "\xff :\xff", 'Z :Z', 'a :A') {
        $check->(0, 5, $cursor, some(0, 5,
            grep { $name eq 'down' ? $_ lt $cursor : $_ gt $cursor } @all));
    }

    return join ', ', @wrong;
}

# So many elements of a list, or as many as there are.

sub some {
    my ($from, $count, @list) = @_;

    splice @list, 0, $from < @list ? $from : scalar @list;

    return splice @list, 0, $count < @list ? $count : scalar @list;
}


# Cancel

{
    redis('FLUSHALL');
    put_job('r', status => 'running');
    put_job('d', status => 'completed');
    put_job('p');
    put_job('q', status => 'q"');

    is_deeply(call('jobs_cancel', 'r'), ['cancelled', '"running"', 'running'],
              'cancel: what became of it, the state before as JSON and as text');
    is(redis('HGET', "$JOBS:task:r", 'status'), '"cancelled"', 'is done');
    is_deeply(call('jobs_cancel', 'r', 'status', 'none'),
              ['unchanged', '"cancelled"', 'cancelled', '"cancelled"', undef],
              'and the fields that are asked for');
    is_deeply(call('jobs_cancel', 'x', 'status'), ['missing'],
              'of which a missing task has none');
    like(redis('HGET', "$JOBS:rows", 'r'), qr/"status":"cancelled"/, 'is shown');
    is(redis('ZCARD', "$JOBS:index:status=cancelled"), 1, 'moves the index');
    is(redis('EXISTS', "$JOBS:index:status=running"), 0, 'from where it was');

    my $before = dump_all();
    is_deeply(call('jobs_cancel', 'r'), ['unchanged', '"cancelled"', 'cancelled'],
              'again');
    is_deeply(call('jobs_cancel', 'd'), ['refused', '"completed"', 'completed'],
              'ended');
    is_deeply(call('jobs_cancel', 'q'), ['refused', '"q\\""', 'q"'], 'unknown');
    is_deeply(call('jobs_cancel', 'x'), ['missing'], 'missing');
    ok(dump_all() eq $before, 'which change nothing');

    is_deeply(call('jobs_cancel', 'p'), ['cancelled', '"pending"', 'pending'],
              'one in a default state');

    call('stamps_put', 's', created => $T, worker => '"w"');
    is_deeply(call('stamps_cancel', 's'), ['cancelled', 'null', ''],
              'one without state');
    is_deeply(redis('HMGET', 'tasks:{stamps}:task:s', 'state', 'worker'),
              ['"stopped"', undef], 'a constant and a null');

    call('stamps_put', 'r', created => $T, state => '"running"');
    is(call('stamps_prune', 0), 1, 'which is not active any more: prune');
    is(redis('HGET', 'tasks:{stamps}:rows', 's'), undef, 'removes it');
    call('stamps_remove', 'r');
    call('stamps_put', 's', created => $T);
    call('stamps_cancel', 's');

    my ($seconds) = redis('HGET', 'tasks:{stamps}:task:s', 'ended')
        =~ /^"20\d\d-\d\d-\d\dT\d\d:\d\d:(\d\d)\.\d{3}Z"$/;
    ok(defined $seconds, 'and the time');
}

# the calendar, of which only today can be asked

{
    my $now = time;
    call('stamps_put', 't', created => $T);
    call('stamps_cancel', 't');
    my ($y, $mo, $d, $h, $mi, $s) =
        redis('HGET', 'tasks:{stamps}:task:t', 'ended') =~ /(\d+)/g;
    my $then = Time::Local::timegm($s, $mi, $h, $d, $mo - 1, $y);
    cmp_ok($then, '>=', int $now, 'is now');
    cmp_ok($then, '<=', time, 'and not later');
}


# Cancel where

{
    redis('FLUSHALL');

    my $put = sub { redis('FCALL', 'wheres_put', 1, 'tasks:{wheres}', @_) };
    my $cancel = sub { redis('FCALL', 'wheres_cancel', 1, 'tasks:{wheres}', @_) };

    my @fits = (kind => '"download"', local => 'true');

    $put->(1, @fits);
    $put->(2, @fits, kind => '"\u00e9 \"x\""', size => '2', status => '"run"');
    $put->(3, @fits, kind => '"upload"');
    $put->(4, @fits, kind => 'null');
    $put->(5, @fits, size => '3');
    $put->(6, @fits, local => 'false');
    $put->(7, kind => '"download"');
    $put->(8, @fits, status => '"done"');
    $put->(9, @fits, status => '"cancelled"');
    $put->(10, kind => '"upload"', status => '"done"');

    my $before = dump_all();
    is_deeply($cancel->($_), ['unchanged', '"new"', 'new'],
              "cancel where: task $_, which it is not for, stays as it is")
        for 3 .. 7;
    is_deeply($cancel->($_), ['refused', '"done"', 'done'],
              "the state of task $_ counts first") for 8, 10;
    is_deeply($cancel->(9), ['unchanged', '"cancelled"', 'cancelled'],
              'one that is cancelled');
    is_deeply($cancel->(11), ['missing'], 'one that is not there');
    ok(dump_all() eq $before, 'which change nothing');

    is_deeply($cancel->(1), ['cancelled', '"new"', 'new'],
              'a task that it is for, by a default too, is cancelled');
    is_deeply($cancel->(2), ['cancelled', '"run"', 'run'],
              'by any of the values, however it was written');
    is(redis('HGET', 'tasks:{wheres}:task:2', 'status'), '"cancelled"',
       'and is so');

    $put->(3, kind => '"download"');
    is($cancel->(3)->[0], 'cancelled', 'and so is one that has become such a task');
}

# the time of Redis as a number

{
    my $from = time;
    redis('FCALL', 'wheres_put', 1, 'tasks:{wheres}', 12, kind => '"download"',
          local => 'true');
    redis('FCALL', 'wheres_cancel', 1, 'tasks:{wheres}', 12);
    my $until = time;

    my ($at, $at_ms, $any) = @{ redis('HMGET', 'tasks:{wheres}:task:12',
                                      qw(at at_ms any)) };

    like("$at $at_ms", qr/^\d{10} \d{13}$/, '$now_unix and $now_unix_ms are digits');
    cmp_ok($at, '>=', int $from, 'the one in seconds');
    cmp_ok($at, '<=', $until, 'of now');
    cmp_ok($at_ms, '>=', int($from * 1000), 'the other in milliseconds');
    cmp_ok($at_ms, '<=', $until * 1000, 'of now');
    is($any, $at, 'for a field of type any as well');
    like(redis('HGET', 'tasks:{wheres}:rows', 12), qr/"at":$at,"at_ms":$at_ms\}/,
         'in the row too');
}


# Ids that are UUIDs

{
    redis('FLUSHALL');

    my @uuids = qw(00000000-0000-0000-0000-000000000000
                   550e8400-e29b-41d4-a716-446655440000
                   ffffffff-ffff-ffff-ffff-ffffffffffff);
    my @put = ('FCALL', 'uuids_put', 1, 'tasks:{uuids}');

    is(error_of(@put, $_), '', "the id $_ is one") for @uuids;

    is(join(' ', @{ redis('ZRANGE', 'tasks:{uuids}:index', 0, -1) }),
       join(' ', map { "$_ :$_" } @uuids), 'their positions');
    is(redis('HGET', 'tasks:{uuids}:rows', $uuids[1]), qq({"id":"$uuids[1]"}),
       'the row');
    is(eval { redis('FCALL', 'uuids_remove', 1, 'tasks:{uuids}', $uuids[1]) }, 1,
       'and remove takes it, too');

    refused("the id $_", qr/ERR tasks_uuids: the id is not a UUID in lower case/,
            @put, $_)
        for '550E8400-e29b-41d4-a716-446655440000',
            '550e8400-e29b-41d4-a716-44665544000F',
            '550e8400e29b41d4a716446655440000',
            '550e8400-e29b-41d4-a716-4466554400000',
            '550e8400-e29b-41d4-a716-44665544000',
            '550e840-0e29b-41d4-a716-446655440000',
            '550e8400e-29b-41d4-a716-446655440000',
            '550e8400-e29b41d4--a716-446655440000',
            '550e8400-e29b-41d4a-716-446655440000',
            '550e8400-e29b-41d4-a7164-46655440000',
            '550e8400--e29b-41d4-a71-446655440000',
            '550g8400-e29b-41d4-a716-446655440000',
            '------------------------------------',
            '-50e8400-e29b-41d4-a716-446655440000',
            '550e8400-e29b-41d4-a716-44665544000-',
            '550e8400%e29b-41d4-a716-446655440000',
            '{550e8400-e29b-41d4-a716-4466554400}',
            ' 50e8400-e29b-41d4-a716-446655440000', '1';
}


# Values that stand for none

sub blank {
    my ($field) = @_;

    return redis('HGET', 'tasks:{blanks}:task:1', $field) // 'absent';
}

{
    redis('FLUSHALL');

    my @put = ('FCALL', 'blanks_put', 1, 'tasks:{blanks}');
    my %absent = (
        s => ['""', "\"\xc3\xa9\""], i => ['0'], f => ['0', '0.5'],
        b => ['false'], d => ['"0001-01-01T00:00:00Z"'],
        o => ['{}', '{"a":[1,"x"]}'], a => ['[]'],
        x => ['""', '0', 'false', '[]', '{}'],
    );
    my %kept = (
        s => ['" "', '"\u00e9"', '"0"'], i => ['1', '-1'],
        f => ['0.0', '0.50', '-0', '0e0'], b => ['true'],
        d => ['"0001-01-01T00:00:00"'], o => ['{ }', '{"a":[1, "x"]}'],
        a => ['[ ]', '[null]'], x => ['" "', '0.0', 'true', '[ ]', '"0"'],
    );
    my %set = (s => '"s"', i => '7', f => '1.5', b => 'true',
               d => '"2025-01-01T00:00:00"', o => '{"b":1}', a => '[1]', x => '"x"');

    redis(@put, 1, n => 1, must => '"m"');

    for my $field (sort keys %absent) {
        for my $value (@{ $absent{$field} }) {
            redis(@put, 1, $field => $set{$field});
            is(blank($field), $set{$field}, "absent_if: $field has a value");
            redis(@put, 1, $field => $value);
            is(blank($field), 'absent', 'which ' . visible($value) . ' clears');
        }
    }

    for my $field (sort keys %kept) {
        for my $value (@{ $kept{$field} }) {
            redis(@put, 1, $field => $value);
            is(blank($field), $value, "absent_if: $field stays " . visible($value));
        }
    }

    redis(@put, 1, map { ($_ => $absent{$_}[0]) } keys %absent);
    is(redis('HGET', 'tasks:{blanks}:rows', 1), '{"id":1,"n":1,"must":"m","i":5}',
       'the row has none of them, but for a default');

    redis(@put, 1, b => 'true');
    is(redis('ZCARD', 'tasks:{blanks}:index:b=true'), 1, 'a filter value');
    redis(@put, 1, b => 'false');
    is(redis('EXISTS', 'tasks:{blanks}:index:b=true',
             'tasks:{blanks}:index:b=false'), 0, 'an absent one has no index');

    redis(@put, 1, s => '"on"');
    redis('FCALL', 'blanks_put_if', 1, 'tasks:{blanks}', 1, '"on"', s => '""',
          i => '0');
    is(blank('s') . ' ' . blank('i'), 'absent absent', 'put_if does it, too');

    refused('a required field with such a value', qr/must is required/,
            @put, 1, must => '""');
    refused('in a new task, too', qr/must is required/,
            @put, 2, n => 2, must => '"none"');
    refused('the order field with such a value', qr/n is (?:due|required)/,
            @put, 1, n => '-1');
    refused('what is not of the type', qr/o is not a valid JSON object/,
            @put, 1, o => '[]');
}


# An order by the id

sub positions {
    my ($base) = @_;

    return join ' ', map { visible($_) }
                     @{ redis('ZRANGE', "$base:index", 0, -1) };
}

{
    redis('FLUSHALL');

    my @put = ('FCALL', 'counts_put', 1, 'tasks:{counts}');

    redis(@put, $_) for qw(10 9 -1 0 9007199254740991 -9007199254740991 16777216);
    is(positions('tasks:{counts}'), join(' ', qw(
        60000000000001:-9007199254740991 7fffffffffffff:-1 80000000000000:0
        80000000000009:9 8000000000000a:10 80000001000000:16777216
        9fffffffffffff:9007199254740991)), 'order by an integer id: by its number');
    is(redis('HGET', 'tasks:{counts}:rows', 9), '{"count":9}',
       'a task needs no field then');

    my $revision = redis('HGET', 'tasks:{counts}:task:9', '_rev');
    redis(@put, 9, kind => '"k"');
    is(redis('HGET', 'tasks:{counts}:task:9', '_pos'), '80000000000009:9',
       'a change does not move it');
    cmp_ok(redis('HGET', 'tasks:{counts}:task:9', '_rev'), '>', $revision,
           'but its revision');

    refused("the id $_", qr/count is not below 2\^53: it cannot be ordered by/,
            @put, $_)
        for '9007199254740992', '-9007199254740992', '9223372036854775807',
            '1234567890123456789';

    refused("the id $_", qr/the id is not an integer of 64 bits/, @put, $_)
        for '9223372036854775808', '-9223372036854775809',
            '12345678901234567890';

    is(redis('FCALL', 'counts_prune', 1, 'tasks:{counts}', 5), 2, 'prune');
    is(positions('tasks:{counts}'), join(' ', qw(
        60000000000001:-9007199254740991 7fffffffffffff:-1 80000000000000:0
        80000000000009:9 8000000000000a:10)), 'keeps the first ones');
    is(redis('FCALL', 'counts_remove', 1, 'tasks:{counts}', -1), 1, 'remove');
    is(redis('FCALL', 'counts_rebuild', 1, 'tasks:{counts}'), 4, 'rebuild');
    is(positions('tasks:{counts}'), join(' ', qw(
        60000000000001:-9007199254740991 80000000000000:0 80000000000009:9
        8000000000000a:10)), 'and the rest is in order');
}

{
    redis('FLUSHALL');

    my @put = ('FCALL', 'down_put', 1, 'tasks:{down}');
    my @ids = ('a', 'a b', 'a:b', 'ab', 'B', "\xc3\xa4", ':', '"', '\\', '%3A');

    redis(@put, $_) for @ids;
    is(join(' ', map { visible(s/^[^:]*://r) }
                 @{ redis('ZRANGE', 'tasks:{down}:index', 0, -1) }),
       join(' ', map { visible($_) } sort @ids),
       'order by a string id: by its bytes');
    is(positions('tasks:{down}'), join(' ', '" :"', '%3A :%3A', ';3A ::', 'B :B',
       '\\ :\\', 'a :a', 'a!20b :a b', 'a;3Ab :a:b', 'ab :ab',
       '\xc3\xa4 :\xc3\xa4'), 'whose positions hold it twice');

    is(error_of(@put, 'x' x 512), '', 'an id of 512 bytes');
    refused('a longer one', qr/id is longer than 512 bytes: it cannot be ordered by/,
            @put, 'C' x 513);
    refused('one that is too long anyway', qr/the id is longer than 600 bytes/,
            @put, 'C' x 601);
}


# Collections

{
    redis('FLUSHALL');

    my $main = 'tasks:{mains}';
    my $runs = 'tasks:{mains_runs}';

    redis('FCALL', 'mains_put', 1, $main, 1, title => '"t"');
    my $first = redis('FCALL', 'mains_runs_put', 1, $runs, 'r1', at => $T);
    redis('FCALL', 'mains_runs_put', 1, "tasks:{mains_runs:anna}", 'r1', at => $T,
          phase => '"off"');
    redis('FCALL', 'mains_logs_put', 1, 'tasks:{mains_logs}', 7, text => '"x"');

    is(redis('HGET', "$main:rows", 1), '{"id":1,"title":"t"}',
       'collections: a task of the main one');
    is(redis('HGET', "$runs:rows", 'r1'),
       '{"id":"r1","at":"2025-01-01T00:00:00","phase":"on"}', 'of another one');
    is(redis('HGET', 'tasks:{mains_runs:anna}:rows', 'r1'),
       '{"id":"r1","at":"2025-01-01T00:00:00","phase":"off"}', 'of a scope there');
    is(redis('HGET', 'tasks:{mains_logs}:rows', 7), '{"line":7,"text":"x"}',
       'of a third one');
    is(redis('HGET', "$runs:revs", '_'), $first, 'each has its own revision');

    my %versions = map { ($_ => redis('FCALL_RO', "${_}_version", 0)) }
                   qw(mains mains_runs mains_logs);
    is(grep({ /^[0-9a-f]{32}$/ } values %versions), 3, 'each has a version');
    my %different = reverse %versions;
    is(keys %different, 3, 'of its own');

    is_deeply(redis('FCALL', 'mains_runs_cancel', 1, $runs, 'r1'),
              ['cancelled', '"on"', 'on'], 'a cancel rule is of one of them');
    like(error_of('FCALL', "${_}_cancel", 1, "tasks:{$_}", 1),
         qr/^ERR Function not found/, "$_ has none") for qw(mains mains_logs);
    is(error_of('FCALL', 'mains_runs_put_if', 1, $runs, 'r1', '"off"', at => $T),
       '', 'so is a state');
    refused('put_if where there is none', qr/a state is due/, 'FCALL',
            'mains_logs_put_if', 1, 'tasks:{mains_logs}', 7, '"x"', text => '"y"');

    refused("$_->[0] with the key $_->[1]", qr/one key is due: tasks:\{$_->[0]\}/,
            'FCALL', "$_->[0]_put", 1, $_->[1], 1, title => '"t"')
        for ['mains', $runs], ['mains_runs', $main],
            ['mains_runs', 'tasks:{mains_logs}'], ['mains_runs', 'tasks:{runs}'],
            ['mains', 'tasks:{mains:_runs:a}'];
    refused('a field of another collection', qr/not a declared field/,
            'FCALL', 'mains_runs_put', 1, $runs, 'r1', title => '"t"');
    refused('a value above its own max_value', qr/phase is longer than 64 bytes/,
            'FCALL', 'mains_runs_put', 1, $runs, 'r1', phase => '"' . 'C' x 63 . '"');
    is(error_of('FCALL', 'mains_put', 1, $main, 1, title => '"' . 'x' x 63 . '"'),
       '', 'which others do not have');

    my $client = subscribed("$runs:events");
    redis('FCALL', 'mains_put', 1, $main, 2);
    redis('FCALL', 'mains_runs_put', 1, $runs, 'r2', at => $T);
    like(join(' ', messages($client, $runs)),
         qr/^\{"id":"r2","revision":\d+,"status":"on","event":"created"\}$/,
         'events are of one of them');

    is(redis('FCALL', 'mains_runs_remove', 1, $runs, $_), 1, "remove $_")
        for qw(r1 r2);
    is(redis('HGET', "$main:rows", 1) =~ tr/x//, 63, 'and others stay');
}


# Where a task was that is gone

sub gone {
    return join ' ', sort @{ redis('KEYS', '*:gone:*') };
}

{
    redis('FLUSHALL');

    redis('FCALL', 'up_put', 1, 'tasks:{up}', $_, kind => '"k"')
        for 'a', 'b:c', 'd', 'e';
    my $position = redis('HGET', 'tasks:{up}:task:b:c', '_pos');

    is(gone(), '', 'nothing is gone');
    redis('FCALL', 'up_remove', 1, 'tasks:{up}', 'b:c');
    is(gone(), 'tasks:{up}:gone:b:c', 'a removed task leaves its place');
    is(redis('GET', 'tasks:{up}:gone:b:c'), $position, 'which was its position');
    my $ttl = redis('TTL', 'tasks:{up}:gone:b:c');
    ok($ttl > 3590 && $ttl <= 3600, 'for an hour');

    redis('FCALL', 'up_remove', 1, 'tasks:{up}', $_) for 'b:c', 'none';
    is(gone(), 'tasks:{up}:gone:b:c', 'what was not there leaves none');

    is(redis('FCALL', 'up_prune', 1, 'tasks:{up}', 1), 2, 'pruned tasks');
    is(gone(), join(' ', map { "tasks:{up}:gone:$_" } qw(b:c d e)),
       'leave theirs');

    redis('FCALL', 'up_remove', 1, 'tasks:{up}', 'a');
    is(join(' ', sort @{ redis('KEYS', 'tasks:*') }),
       join(' ', map { "tasks:{up}:gone:$_" } qw(a b:c d e)),
       'nothing else is left of an empty collection');

    redis('FLUSHALL');
    redis('FCALL', 'counts_put', 1, 'tasks:{counts}', $_) for 1, 2;
    redis('FCALL', 'counts_remove', 1, 'tasks:{counts}', 2);
    redis('FCALL', 'counts_prune', 1, 'tasks:{counts}', 0);
    redis('FCALL', 'mains_put', 1, 'tasks:{mains}', 1);
    redis('FCALL', 'mains_remove', 1, 'tasks:{mains}', 1);
    redis('FCALL', 'mains_logs_put', 1, 'tasks:{mains_logs}', 1, text => '""');
    redis('FCALL', 'mains_logs_remove', 1, 'tasks:{mains_logs}', 1);
    is(join(' ', @{ redis('KEYS', '*') }), '',
       'where no cursor is by id, nothing is left');

    redis('FCALL', 'mains_runs_put', 1, 'tasks:{mains_runs:s}', 'r', at => $T);
    redis('FCALL', 'mains_runs_remove', 1, 'tasks:{mains_runs:s}', 'r');
    is(gone(), 'tasks:{mains_runs:s}:gone:r', 'a collection that has such cursors');
}


# Put if

{
    redis('FLUSHALL');
    put_job('r', status => 'running', n => 1);
    put_job('p', n => 1);

    my $revision = call('jobs_put_if', 'r', '"running"', n => '2',
                        status => '"completed"');
    is(redis('HGET', "$JOBS:task:r", '_rev'), $revision,
       'put_if: a task in the state is updated');
    is(redis('HGET', "$JOBS:rows", 'r'), '{"id":"r","status":"completed",'
       . '"n":2,"created":"2025-01-01T00:00:00"}', 'as by put');
    cmp_ok(call('jobs_put_if', 'p', '"p\u0065nding"', n => '2'), '>', 0,
           'a default state, written otherwise');

    my $before = dump_all();
    is(call('jobs_put_if', 'r', '"running"', n => '3'), 0, 'another state');
    is(call('jobs_put_if', 'none', '"running"', created => $T), 0, 'no task');
    ok(dump_all() eq $before, 'change nothing');

    my @put_if = ('FCALL', 'jobs_put_if', 1, $JOBS, 'p');
    refused('put_if without a state', qr/a state is due/, @put_if);
    refused("put_if with $_->[0] for one", qr/a state is due/, @put_if, @$_)
        for ['n', '5'], ['null', n => '5'], ['CANARY', n => '5'], ['1'];
    refused('put_if with a bad value', qr/n is not a valid/,
            @put_if, '"pending"', n => '"CANARY"');
    refused('put_if with a bad field', qr/not a declared field/,
            @put_if, '"pending"', CANARY => '1');
    refused('put_if with a bad key', qr/one key is due/,
            'FCALL', 'jobs_put_if', 1, 'CANARY', 'p', '"pending"');
    refused('put_if where there is no state', qr/a state is due/,
            'FCALL', 'kinds_put_if', 1, 'tasks:{kinds}', 1, '"a"');
}


# A Redis that is full

{
    fill(3);
    put_job('r', status => 'running');
    redis('CONFIG', 'SET', 'maxmemory', 1);
    refused('put, when Redis is full', qr/^OOM/, @JOB, 'p0001', n => 5);
    refused('put_if', qr/^OOM/, 'FCALL', 'jobs_put_if', 1, $JOBS, 'r',
            '"running"', n => 5);
    is(call('jobs_cancel', 'r')->[0], 'cancelled', 'what ends tasks goes on');
    is(call('jobs_remove', 'r'), 1, 'and what makes room');
    is(call('jobs_prune', 1), 2, 'as prune does');
    is(redis('FCALL_RO', 'jobs_page', 1, $JOBS, 0, 9, '', '')->[1], 1,
       'and what reads');
    redis('CONFIG', 'SET', 'maxmemory', 0);
}


# Events

sub subscribed {
    my (@channels) = @_;

    my $client = RESP->new(redis_socket());
    $client->command('SUBSCRIBE', @channels);

    return $client;
}


# Messages up to the one that says "end".

sub messages {
    my ($client, $base) = @_;

    redis('PUBLISH', ($base // $JOBS) . ':events', 'end');

    my @messages;

    local $SIG{ALRM} = sub { die "no message\n" };
    alarm 30;

    while (1) {
        my ($reply, $length) = RESP::decode(\$client->{buffer});

        if (!$length) {
            sysread $client->{socket}, $client->{buffer}, 65536,
                    length $client->{buffer};
            next;
        }

        substr $client->{buffer}, 0, $length, '';
        last if $reply->[2] eq 'end';
        push @messages, $reply->[2];
    }

    alarm 0;

    return @messages;
}


{
    redis('FLUSHALL');
    my $client = subscribed("$JOBS:events");

    my @revisions = (put_job('a', status => 'running'), put_job('a', n => 1));
    put_job('a', note => 'detail');
    eval { put_job('b', n => 'no') };
    call('jobs_cancel', 'a');
    call('jobs_cancel', 'a');
    call('jobs_cancel', 'none');
    call('jobs_remove', 'a');
    call('jobs_remove', 'a');

    my @messages = messages($client);

    is(join(' ', map { s/\d{15,}/R/r } @messages), join(' ',
       '{"id":"a","revision":R,"status":"running","event":"created"}',
       '{"id":"a","revision":R,"status":"running","event":"updated"}',
       '{"id":"a","revision":R,"status":"running","event":"updated"}',
       '{"id":"a","revision":R,"status":"cancelled","event":"cancelled"}',
       '{"id":"a","revision":R,"status":"cancelled","event":"removed"}'),
       'events');
    is(join(' ', map { /(\d{15,})/ } @messages[0, 1]), "@revisions",
       'with their revisions');

    my $id = "\xc3\xa9\"\\/ ";
    put_job($id);
    my ($message) = messages($client);
    is(JSON::PP->new->utf8->decode($message)->{id}, "\x{e9}\"\\/ ",
       'an id is escaped');
    is(JSON::PP->new->utf8->decode(redis('HGET', "$JOBS:rows", $id))->{id},
       "\x{e9}\"\\/ ", 'in the row, too');

    put_job($_) for 'p1', 'p2';
    call('jobs_put', $_, status => '"failed"') for 'p1', 'p2', $id;
    messages($client);
    call('jobs_prune', 1);
    is((grep { /"removed"/ } messages($client)), 2, 'prune tells, too');
}


# Loading

sub loaded_text {
    my ($redis, $name) = @_;

    for my $library (@{ $redis->command('FUNCTION', 'LIST', 'LIBRARYNAME',
                                        $name, 'WITHCODE') }) {
        my %library = @$library;
        return $library{library_code};
    }

    return '';
}


{
    my $redis = Tasks::RedisServer->new;
    my $store = 'server unix:' . $redis->socket . '; timeout 10s;';
    my $library = 'location = /library { tasks_api apis/jobs.json; tasks_library; }';
    my $nginx = start_jobs(store => $store, locations => $library);
    my $loaded = sub { loaded_text($redis, 'tasks_jobs') };

    my $text = http($nginx->port, 'GET', '/library')->body;

    ok(wait_for($loaded, 5, 'the library'), 'nginx loads a library');
    ok($loaded->() eq $text, 'the text of tasks_library, byte for byte');
    like($nginx->error_log, qr/\[notice\].*loading functions tasks_jobs/,
         'and says so');
    $nginx->quit;
    $nginx->wait_exit;

    my $from = length $nginx->error_log;
    $nginx = start_jobs(store => $store, locations => $library);
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs')) eq '200' });
    unlike($nginx->error_log, qr/loading functions/, 'not once more');

    # another version: what a Redis has from before
    (my $other = $text) =~ s/(local version = ')[0-9a-f]/$1x/;
    $redis->command('FUNCTION', 'LOAD', 'REPLACE', $other);
    $nginx->reload;
    ok(wait_for(sub { $loaded->() eq $text }, 5, 'the library'),
       'another version is replaced');

    $redis->command('FCALL', 'jobs_put', 1, $JOBS, job('a', n => 1));
    $redis->command('FUNCTION', 'FLUSH', 'SYNC');
    is(status(http($nginx->port, 'POST', '/jobs/a/cancel')), '200',
       'a cancel after FUNCTION FLUSH succeeds');
    is($redis->command('HGET', "$JOBS:task:a", 'status'), '"cancelled"',
       'and cancels');
    ok($loaded->() eq $text, 'as the library was loaded');

    $redis->stop;
    $redis->start;
    ok(wait_for($loaded, 5, 'the library') eq $text,
       'it is loaded again when Redis comes back empty');

    my $bare = Tasks::RedisServer->new;
    $nginx = start_jobs(store => 'server unix:' . $bare->socket
                                 . '; timeout 10s; load_functions off;');
    is(status(http($nginx->port, 'GET', '/jobs')), '200',
       'load_functions off: lists are served');
    is(status(http($nginx->port, 'POST', '/jobs/a/cancel')), '503 unavailable',
       'a cancel is an error');
    is_deeply($bare->command('FUNCTION', 'LIST'), [], 'and nothing is loaded');
    like($nginx->error_log, qr/answers "ERR Function not found"; load the functions/,
         'the log says why');

    # of another version, whose cancel knows no fields

    my ($file, $definition) = jobs_file();
    $definition =~ s/\{"cancelled": "\$id", .*?\}/"\$task"/ or die 'no cancel route';
    $nginx = start_jobs(store => 'server unix:' . $bare->socket
                                 . '; timeout 10s; load_functions off;',
                        files => { $file => $definition });
    ($other = $text) =~ s/if args\[2\]/if false/ or die 'no fields';
    $bare->command('FUNCTION', 'LOAD', $other);
    $bare->command('FCALL', 'jobs_put', 1, $JOBS, job('a', n => 1));
    is(status(http($nginx->port, 'POST', '/jobs/a/cancel')), '500 internal',
       'functions of another version: a cancel whose task cannot be shown');
    like($nginx->error_log, qr/functions tasks_jobs return no fields: .*load them again/,
         'the log says why');
    is(status(http($nginx->port, 'POST', '/jobs/none/cancel')), '404 not_found',
       'another one');
    unlike($nginx->error_log, qr/connecting again/, 'the connection stays');
}


done_testing();
