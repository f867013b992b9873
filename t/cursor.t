# Cursors: a walk over a list shows each task once, and a cursor that was not
# given out leads nowhere or to another position, never back to the start.

use lib 't/lib';
use Tasks ':live';

use JSON::PP qw(decode_json);
use MIME::Base64 qw(decode_base64url encode_base64url);

use Tasks::Library;

my %apis = (
    newest  => ['made desc', 'datetime', '"integer"'],
    oldest  => ['made', 'datetime', '"integer"'],
    ranked  => ['made desc', 'integer', '"integer"'],
    named   => ['made', 'string', '{"type": "string", "pattern": "^[^/]*$"}'],
);

my (%files, $config);

$config = "keepalive_requests 100000;\n";

for my $name (sort keys %apis) {
    my ($order, $type, $id) = @{ $apis{$name} };

    $files{"$name.json"} = <<"END";
{"name": "$name", "id": $id, "order": "$order",
 "fields": {"made": {"type": "$type"},
            "kind": {"type": "string", "filter": true}},
 "routes": [{"action": "list", "path": "",
   "query": {"after": {"type": "string", "role": "cursor", "absent_if": [""]},
             "kind":  {"type": "string", "filter": "kind"},
             "limit": {"type": "integer", "role": "limit", "default": 10}},
   "response": {"items": "\$tasks", "next": "\$next_cursor?"}}],
 "errors": {"bad_cursor": {"status": 410}}}
END
    $config .= "location /$name { tasks_api apis/$name.json; tasks_pass main; }\n";
}

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), %files);

my $nginx = start_nginx($config,
    files => { map { ("conf/apis/$_" => $files{$_}) } keys %files });
my $connection = http_connect($nginx->port);


sub put {
    my ($api, $id, $made, $kind) = @_;
    redis('FCALL', "${api}_put", 1, "tasks:{$api}", $id, 'made', $made,
          'kind', qq("$kind"));
}


sub ask {
    my ($api, $query) = @_;
    return http($connection, 'GET', "/$api?$query");
}


# The ids of each page, as "1,2 3,4 5".

sub walk {
    my ($api, $query) = @_;

    my ($after, @pages) = ('');

    while (defined $after && @pages < 1000) {
        my $page = decode_json(ask($api, "$query&after=$after")->body);
        push @pages, join ',', map { $_->{id} } @{ $page->{items} };
        $after = $page->{next};
    }

    return "@pages";
}


# 250 tasks, many at the same time, at any page size.

my @times = map { sprintf '"2025-01-01T00:%02d:00Z"', $_ % 7 } 0 .. 249;

for my $n (0 .. 249) {
    put($_, $n, $times[$n], $n % 3 ? 'a' : 'b') for qw(newest oldest);
    put('ranked', $n, $n % 5 - 2, $n % 3 ? 'a' : 'b');
    put('named', "id-$n", '"' . 'x' x ($n % 4) . '"', $n % 3 ? 'a' : 'b');
}

for my $api (sort keys %apis) {
    my @whole = split /,/, walk($api, 'limit=1000');

    is(@whole, 250, "$api: all at once");

    for my $limit (1, 7, 249, 250) {
        my @pages = split / /, walk($api, "limit=$limit");

        is(join(',', @pages), join(',', @whole), "$api: the same by $limit");
        is(@pages, int((249 + $limit) / $limit), 'in so many pages');
    }

    my $filtered = walk($api, 'limit=10&kind=b') =~ tr/ /,/r;
    my @b = grep { /(\d+)/; $1 % 3 == 0 } @whole;

    is($filtered, join(',', @b), "$api: filtered");
}

is(walk('oldest', 'limit=3&kind=none'), '', 'nothing to walk over');


# The last page has no cursor, be it full or not.

unlike(ask('newest', 'limit=250')->body, qr/"next"/, 'no page after a full one');
unlike(ask('newest', 'limit=0')->body, qr/"next"/, 'nor after an empty one');


# What happens to the list during a walk moves nothing.

my $first = decode_json(ask('ranked', 'limit=5')->body);
my $rest = walk('ranked', "limit=1000&after=$first->{next}");

put('ranked', 1000, 100, 'a');
redis('FCALL', 'ranked_remove', 1, 'tasks:{ranked}', $first->{items}[4]{id});

my $second = decode_json(ask('ranked', "limit=1000&after=$first->{next}")->body);

unlike(join(',', map { $_->{id} } @{ $second->{items} }), qr/\b1000\b/,
       'a new task above is not seen');
is(@{ $second->{items} }, 245, 'and the one that the cursor names may be gone');


# Cursors that nobody gave out.

my $cursor = $first->{next};
my $head = ask('ranked', 'limit=5')->body;
my $position = decode_base64url($cursor);
my $top = decode_base64url(decode_json(ask('ranked', 'limit=1')->body)->{next});

my %bad = (
    'no base64'           => '***',
    'padded'              => "$cursor=",
    'cut'                 => substr($cursor, 0, -1),
    'doubled'             => $cursor . $cursor,
    'of another alphabet' => 'ab+/',
    'spare bits set'      => 'OjB',
    'no colon'            => encode_base64url('80000000000000'),
    'no id'               => encode_base64url('80000000000000:'),
    'no order key'        => encode_base64url(':1'),
    'capitals'            => encode_base64url(uc($position =~ s/:.*//r) . 'A:1'),
    'a short key'         => encode_base64url('8000000000000:1'),
    'a long key'          => encode_base64url('800000000000000:1'),
    'no hex'              => encode_base64url('8000000000000g:1'),
    'a control character' => encode_base64url("80000000000000:1\n"),
    'a zero byte'         => encode_base64url("80000000000000:\0"),
    'ill-formed UTF-8'    => encode_base64url("80000000000000:\xff"),
    'a page number'       => '2',
    'a space'             => '+',
    'a raw control character' => '%01',
    'raw ill-formed UTF-8'    => '%ff',
);

for my $name (sort keys %bad) {
    my $response = ask('ranked', "limit=5&after=$bad{$name}");
    is($response->status . $response->body, '410{"error":"Bad cursor"}',
       "refused: $name");
}

is(ask('ranked', 'after=' . 'A' x $_)->status, 410, "refused: $_ bytes")
    for 1500, 5000;


# Each byte of one, changed to several others: refused, or another position,
# which may be one above all tasks.

my ($refused, $moved, $fooled) = (0, 0, '');

for my $at (0 .. length($cursor) - 1) {
    for my $byte (qw(A Z a z 0 9 - _ %00 %ff . =)) {
        my $changed = $cursor;
        next if substr($cursor, $at, 1) eq $byte;
        substr $changed, $at, 1, $byte;

        my $response = ask('ranked', "limit=5&after=$changed");

        if ($response->status == 410) {
            $refused++;
        } elsif ($response->status != 200) {
            $fooled .= "$changed: " . $response->status . "\n";
        } elsif ($response->body eq $head
                 && decode_base64url($changed) le $top) {
            $fooled .= "$changed: the first page\n";
        } else {
            $moved++;
        }
    }
}

is($fooled, '', 'a changed cursor never leads to the first page');
cmp_ok($refused, '>', 100, 'many are refused') or diag($moved);


# A cursor says a position in this list only: whose it was does not matter,
# whose list it is used on does.

my $foreign = decode_json(ask('newest', 'limit=5')->body)->{next};
is(ask('named', "after=$foreign")->status, 200, 'that of another list');

# ids and order values of any form come back

redis('FCALL', 'named_remove', 1, 'tasks:{named}', "id-$_") for 0 .. 249;
my @odd = ('a:b', ':', '::', 'a b', '%41', "\xc3\xa4", '"', '\\', '(', '[x',
           '+', '-', '&=', 'x' x 200);
put('named', $_, '"' . s/(["\\])/\\$1/gr . '"', 'a') for @odd;

my $walk = walk('named', 'limit=1');
is(my @n = split(/ (?=\S)/, $walk =~ s/a b/a_b/r), @odd, 'ids of any form') or diag $walk;

# order values as long as they may be: 512 bytes, all escaped in a position

put('named', "long$_", '"' . ':' x 510 . '"', 'long') for 1 .. 3;
is(walk('named', 'kind=long&limit=1'), 'long1 long2 long3',
   'a cursor that the module gave is taken, however long');

done_testing();
