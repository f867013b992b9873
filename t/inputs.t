# Ids, queries and cursors that are not as they should be, and some that only
# look so: each against the declared type it is held to.  What is refused is
# refused in the definition's form, which is JSON and UTF-8 whatever was sent;
# nothing is rounded, cut or taken for its neighbour.
#
# Of the hand-written bad inputs, those of ids, queries and cursors are here;
# more of them in parameters.t, cursor.t and filters.t.

use lib 't/lib';
use Tasks ':live';

use JSON::PP qw(decode_json);
use MIME::Base64 qw(decode_base64url encode_base64 encode_base64url);

use Tasks::Library;

my $ERRORS = '"errors": {"default": {"body": {"error": "$tasks_error", "rule": "$rule?",
    "of": "$parameter?", "value": "$value?"}}}';

my $LISTS = <<'END';
    {"action": "list",
     "query": {"after": {"role": "cursor", "absent_if": [""]},
               "limit": {"type": "integer", "role": "limit", "default": 2, "minimum": 1, "maximum": 100},
               "state": {"filter": "state", "enum": ["new", "in work", "done"]},
               "prio":  {"type": "integer", "filter": "prio", "minimum": -5, "maximum": 5, "absent_if": ["any"]},
               "done":  {"type": "boolean", "filter": "done"},
               "many":  {"filter": "state", "multiple": "comma", "max_items": 2, "enum": ["new", "in work", "done"]},
               "uuid":  {"type": "uuid"},
               "big":   {"type": "integer"},
               "word":  {"pattern": "^[a-z]+$", "max_length": 8}},
     "response": {"items": "$tasks", "next": "$next_cursor?"}},
    {"action": "list", "path": "/pages",
     "query": {"page":   {"type": "integer", "role": "page"},
               "limit":  {"type": "integer", "role": "limit", "default": 2}},
     "response": {"items": "$tasks"}},
    {"action": "list", "path": "/offsets",
     "query": {"offset": {"type": "integer", "role": "offset"},
               "limit":  {"type": "integer", "role": "limit", "default": 2}},
     "response": {"items": "$tasks"}},
    {"action": "list", "path": "/ids",
     "query": {"after": {"role": "cursor", "encoding": "base64", "form": "{\"id\":\"$id\"}"},
               "limit": {"type": "integer", "role": "limit", "default": 2}},
     "response": {"items": "$tasks", "next": "$next_cursor?"}},
    {"action": "list", "path": "/plain",
     "query": {"after": {"role": "cursor", "encoding": "none", "form": "$id"},
               "limit": {"type": "integer", "role": "limit", "default": 2}},
     "response": {"items": "$tasks", "next": "$next_cursor?"}},
END

# Name => id, order, what becomes of a parameter that is there twice.
my %API = (
    ints  => ['"integer"', 'n', 'first'],
    last  => ['"integer"', 'n desc', 'last'],
    words => ['{"type": "string", "pattern": "^[a-z]+(-[0-9]+)?$", "max_length": 12}', 'text', 'error'],
    any   => ['"string"', 'id', 'first'],
    uuids => ['"uuid"', 'at desc', 'first'],
);

my $UUID = '019abc12-4567-7890-abcd-ef1234567891';

my %TASKS = (
    ints  => [0, 1, 5, -7, 42, '9223372036854775807', '-9223372036854775808'],
    last  => [1 .. 3],
    words => [qw(ab ab-1 zz)],
    any   => ['a b', 'a+b', 'A', '%41', "\xc3\xa4", 'a:b', '"', 'null'],
    uuids => [$UUID, $UUID =~ s/^0/1/r, $UUID =~ s/^0/2/r],
);

my %files;
my $config = "large_client_header_buffers 4 32k;\n";

for my $name (sort keys %API) {
    my ($id, $order, $repeated) = @{ $API{$name} };

    $files{"conf/apis/$name.json"} = <<"END";
{"name": "$name", "id": $id, "order": "$order", "repeated": "$repeated",
 "fields": {"n": {"type": "integer"}, "text": {"type": "string"}, "at": {"type": "datetime"},
            "state": {"type": "string", "filter": true},
            "prio": {"type": "integer", "filter": true},
            "done": {"type": "boolean", "filter": true}},
 "cancel": {"from": ["new"], "set": {"state": "done"}, "where": {"n": [-1]}},
 "state": "state",
 "routes": [
$LISTS
    {"action": "get", "path": "/one/{id}", "response": "\$task"}],
 $ERRORS}
END
    $config .= "    location /$name { tasks_api apis/$name.json; tasks_pass main; }\n";
}

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), map { (s/.*\///r => $files{$_}) } keys %files);

for my $name (sort keys %TASKS) {
    my $n = 0;

    redis('FCALL', "${name}_put", 1, "tasks:{$name}", $_, n => ++$n, text => qq("t$n"),
          at => qq("2025-01-01T00:00:0${n}Z"), state => '"new"', prio => $n % 6, done => 'true')
        for @{ $TASKS{$name} };
}

my $nginx = start_nginx($config, files => \%files);
my $connection = http_connect($nginx->port);


sub ask {
    my ($target) = @_;

    my $response = http($connection, 'GET', "/$target");
    $connection = http_connect($nginx->port) if $response->header('Connection') eq 'close';

    return $response;
}


# "200 IDS" or "STATUS CLASS RULE PARAMETER"; or what is wrong with the answer.

sub answer {
    my ($target) = @_;

    my $response = ask($target);
    my ($status, $body) = ($response->status, $response->body);

    return "$status nginx" if $response->header('X-Content-Type-Options') ne 'nosniff';

    my $json = eval { JSON::PP->new->utf8->allow_bignum->decode($body) } // return "no JSON: $body";

    return join ' ', $status, grep { defined } @$json{qw(error rule of)} if $status >= 400;

    my @ids = map { $_->{id} } $json->{items} ? @{ $json->{items} } : $json;
    utf8::encode($_) for @ids;

    return join ' ', $status, join ',', @ids;
}


sub cursor_of {
    my ($list) = @_;
    return decode_json(ask($list)->body)->{next};
}


my $no_id = '400 bad_parameter type id';
my $MAX = '9223372036854775807';
my $MIN = '-9223372036854775808';

# Target, answer.

my @IDS = (
    # integers: one number, whatever its spelling
    ['ints/one/1', '200 1'],
    ['ints/one/01', '200 1'],
    ['ints/one/' . '0' x 300 . '1', '200 1'],
    ['ints/one/+1', '200 1'],
    ['ints/one/%31', '200 1'],
    ['ints/one/0', '200 0'],
    ['ints/one/-0', '200 0'],
    ['ints/one/+0', '200 0'],
    ['ints/one/-7', '200 -7'],
    ['ints/one/7', '404 not_found'],
    ["ints/one/$MAX", "200 $MAX"],
    ["ints/one/$MIN", "200 $MIN"],
    ['ints/one/9223372036854775806', '404 not_found'],
    ['ints/one/9223372036854775808', $no_id],
    ['ints/one/-9223372036854775809', $no_id],
    ['ints/one/18446744073709551617', $no_id],
    ['ints/one/92233720368547758070', $no_id],
    ['ints/one/' . '9' x 5000, $no_id],
    ['ints/one/1e0', $no_id],
    ['ints/one/1e2', $no_id],
    ['ints/one/1.0', $no_id],
    ['ints/one/1.', $no_id],
    ['ints/one/.1', $no_id],
    ['ints/one/0x1', $no_id],
    ['ints/one/1,0', $no_id],
    ['ints/one/1_0', $no_id],
    ['ints/one/-', $no_id],
    ['ints/one/--1', $no_id],
    ['ints/one/+-1', $no_id],
    ['ints/one/1-', $no_id],
    ['ints/one/%201', $no_id],
    ['ints/one/1%20', $no_id],
    ['ints/one/1%09', $no_id],
    ['ints/one/1%0a', $no_id],
    ['ints/one/%d9%a1', $no_id],
    ['ints/one/%ef%bc%91', $no_id],
    ['ints/one/NaN', $no_id],
    ['ints/one/true', $no_id],
    ['ints/one/null', $no_id],
    ['ints/one/1:1', $no_id],
    ['ints/one/', '404 no_route'],
    ['ints/one', '404 no_route'],

    # a string and a pattern
    ['words/one/ab', '200 ab'],
    ['words/one/ab-1', '200 ab-1'],
    ['words/one/%61b', '200 ab'],
    ['words/one/ba', '404 not_found'],
    ['words/one/AB', '400 bad_parameter pattern id'],
    ['words/one/ab-', '400 bad_parameter pattern id'],
    ['words/one/ab%0a', $no_id],
    ['words/one/ab%0a-1', $no_id],
    ['words/one/ab*', '400 bad_parameter pattern id'],
    ['words/one/abcdefghijklm', '400 bad_parameter max_length id'],
    ['words/one/' . 'a' x 7000, '400 bad_parameter max_length id'],
    ['words/one/%c3%a4', '400 bad_parameter pattern id'],

    # any string: byte for byte
    ['any/one/a%20b', '200 a b'],
    ['any/one/a+b', '200 a+b'],
    ['any/one/a%2bb', '200 a+b'],
    ['any/one/%2541', '200 %41'],
    ['any/one/%41', '200 A'],
    ['any/one/%c3%a4', "200 \xc3\xa4"],
    ["any/one/\xc3\xa4", "200 \xc3\xa4"],
    ['any/one/a%cc%88', '404 not_found'],
    ['any/one/a:b', '200 a:b'],
    ['any/one/%22', '200 "'],
    ['any/one/null', '200 null'],
    ['any/one/a', '404 not_found'],
    ['any/one/' . 'x' x 255, '404 not_found'],
    ['any/one/' . 'x' x 256, '400 bad_parameter max_length id'],
    ['any/one/' . '%c3%a4' x 128, '400 bad_parameter max_length id'],
    ['any/one/%ff', $no_id],
    ['any/one/%c3', $no_id],
    ['any/one/a%80', $no_id],
    ['any/one/%c0%af', $no_id],
    ['any/one/%c1%81', $no_id],
    ['any/one/%e0%80%af', $no_id],
    ['any/one/%f0%80%80%af', $no_id],
    ['any/one/%ed%a0%80', $no_id],
    ['any/one/%ed%bf%bf', $no_id],
    ['any/one/%f4%90%80%80', $no_id],
    ['any/one/%f8%88%80%80%80', $no_id],
    ['any/one/%01', $no_id],
    ['any/one/a%7f', $no_id],
    ['any/one/a%1b%5b2J', $no_id],
    ['any/one/%e2%80%ae', '404 not_found'],
    ['any/one/%ef%bb%bfA', '404 not_found'],
    ['any/one/*', '404 not_found'],
    ['any/one/%5f_proto__', '404 not_found'],

    # UUIDs: any case, one form
    ["uuids/one/$UUID", "200 $UUID"],
    ["uuids/one/\U$UUID", "200 $UUID"],
    ["uuids/one/" . $UUID =~ s/-/%2d/gr, "200 $UUID"],
    ["uuids/one/" . $UUID =~ s/^0/3/r, '404 not_found'],
    ["uuids/one/" . $UUID =~ s/-//gr, $no_id],
    ["uuids/one/{$UUID}", $no_id],
    ["uuids/one/urn:uuid:$UUID", $no_id],
    ["uuids/one/$UUID%20", $no_id],
    ["uuids/one/$UUID%0a", $no_id],
    ["uuids/one/" . substr($UUID, 0, -1), $no_id],
    ["uuids/one/${UUID}0", $no_id],
    ["uuids/one/" . $UUID =~ s/^0/g/r, $no_id],
    ["uuids/one/" . $UUID =~ s/-/_/r, $no_id],
    ["uuids/one/" . $UUID =~ s/^(.{7})(.)-/$1-$2/r, $no_id],
    ["uuids/one/" . $UUID =~ s/^01/%ef%bc/r, $no_id],
    ["uuids/one/" . '-' x 36, $no_id],
    ["uuids/one/*", $no_id],
);

my @QUERIES = (
    # an enum is spelled as it is
    ['ints?state=new', '200 0,1'],
    ['ints?state=in+work', '200 '],
    ['ints?state=in%20work', '200 '],
    ['ints?state=%6eew', '200 0,1'],
    ['ints?%73tate=new', '200 0,1'],
    ['ints?state=NEW', '400 bad_parameter enum state'],
    ['ints?state=new+', '400 bad_parameter enum state'],
    ['ints?state=', '400 bad_parameter enum state'],
    ['ints?state', '400 bad_parameter enum state'],
    ['ints?state=new,done', '400 bad_parameter enum state'],
    ['ints?state=new%00', '400 bad_parameter type state'],
    ['ints?state=new%ff', '400 bad_parameter type state'],
    ['ints?state=in%2Bwork', '400 bad_parameter enum state'],
    ['ints?State=NEW', '200 0,1'],
    ['ints?state[]=x', '200 0,1'],
    ['ints?state=new#', '200 0,1'],
    ['ints?state=new;limit=1', '400 bad_parameter enum state'],
    ['ints?state=' . 'x' x 20000, '400 bad_parameter max_length state'],

    # several values
    ['ints?many=new,done', '200 0,1'],
    ['ints?many=new,new,new,new', '200 0,1'],
    ['ints?many=new%2Cdone', '200 0,1'],
    ['ints?many=new,done,in+work', '400 bad_parameter max_items many'],
    ['ints?many=', '400 bad_parameter enum many'],
    ['ints?many=,', '400 bad_parameter enum many'],
    ['ints?many=new,', '400 bad_parameter enum many'],
    ['ints?many=' . ',' x 20000, '400 bad_parameter enum many'],

    # integers and bounds
    ['ints?prio=5', '200 42'],
    ['ints?prio=+5', '400 bad_parameter type prio'],
    ['ints?prio=%2b5', '200 42'],
    ['ints?prio=-5', '200 '],
    ['ints?prio=6', '400 bad_parameter maximum prio'],
    ['ints?prio=-6', '400 bad_parameter minimum prio'],
    ['ints?prio=' . ('9' x 19), '400 bad_parameter type prio'],
    ["ints?prio=$MAX", '400 bad_parameter maximum prio'],
    ["ints?prio=$MIN", '400 bad_parameter minimum prio'],
    ['ints?prio=', '400 bad_parameter type prio'],
    ['ints?prio=5.0', '400 bad_parameter type prio'],
    ['ints?prio=5e0', '400 bad_parameter type prio'],
    ['ints?prio=any', '200 0,1'],
    ['ints?prio=ANY', '400 bad_parameter type prio'],
    ['ints?limit=1', '200 0'],
    ['ints?limit=0', '400 bad_parameter minimum limit'],
    ['ints?limit=-1', '400 bad_parameter minimum limit'],
    ['ints?limit=101', '400 bad_parameter maximum limit'],
    ['ints?limit=4294967297', '400 bad_parameter maximum limit'],
    ['ints?limit=18446744073709551617', '400 bad_parameter type limit'],
    ['ints?limit=0x1', '400 bad_parameter type limit'],
    ['ints?limit=1%00', '400 bad_parameter type limit'],
    ["ints?big=$MAX", '200 0,1'],
    ["ints?big=$MIN", '200 0,1'],
    ['ints?big=9223372036854775808', '400 bad_parameter type big'],
    ['ints?big=-9223372036854775809', '400 bad_parameter type big'],

    # booleans, UUIDs, patterns
    ['ints?done=true', '200 0,1'],
    ['ints?done=1', '200 0,1'],
    ['ints?done=false', '200 '],
    ['ints?done=True', '400 bad_parameter type done'],
    ['ints?done=yes', '400 bad_parameter type done'],
    ['ints?done=', '400 bad_parameter type done'],
    ['ints?done=2', '400 bad_parameter type done'],
    ["ints?uuid=\U$UUID", '200 0,1'],
    ['ints?uuid=', '400 bad_parameter type uuid'],
    ["ints?uuid=$UUID%00", '400 bad_parameter type uuid'],
    ['ints?word=abc', '200 0,1'],
    ['ints?word=', '400 bad_parameter pattern word'],
    ['ints?word=abc%0a', '400 bad_parameter type word'],
    ['ints?word=abcdefghi', '400 bad_parameter max_length word'],
    ['ints?word=ab%zz', '400 bad_parameter pattern word'],
    ['ints?word=ab%', '400 bad_parameter pattern word'],
    ['ints?word=%c0%80', '400 bad_parameter type word'],

    # one that is there twice
    ['ints?limit=1&limit=x', '200 0'],
    ['ints?limit=x&limit=1', '400 bad_parameter type limit'],
    ['last?limit=1&limit=x', '400 bad_parameter type limit'],
    ['last?limit=x&limit=1', '200 3'],
    ['words?limit=1&limit=1', '400 bad_parameter repeated limit'],
    ['words?limit=1&%6cimit=2', '400 bad_parameter repeated limit'],
    ['words?state=new&state=new', '400 bad_parameter repeated state'],
    ['words?x=1&x=2&limit=1', '200 ab'],
    ['ints?' . 'limit=1&' x 3000, '200 0'],
    ['ints?' . '=&=' x 3000, '200 0,1'],

    # pages and offsets
    ['ints/pages?page=2', '200 5,-7'],
    ['ints/pages?page=1000000', '200 '],
    ['ints/pages?page=0', '400 bad_parameter minimum page'],
    ['ints/pages?page=-1', '400 bad_parameter minimum page'],
    ["ints/pages?page=$MAX&limit=1000", '400 bad_parameter maximum page'],
    ['ints/pages?page=1.5', '400 bad_parameter type page'],
    ['ints/pages?page=', '400 bad_parameter type page'],
    ['ints/offsets?offset=6', "200 $MIN"],
    ['ints/offsets?offset=7', '200 '],
    ['ints/offsets?offset=-1', '400 bad_parameter minimum offset'],
    ["ints/offsets?offset=$MAX", '400 bad_parameter maximum offset'],
    ['ints/offsets?limit=-1', '400 bad_parameter minimum limit'],
    ["ints/offsets?limit=$MAX", "200 0,1,5,-7,42,$MAX,$MIN"],
    ["ints/offsets?limit=$MIN&offset=6", '400 bad_parameter minimum limit'],
    ['ints/offsets?limit=-0&offset=6', '200 '],
);

my $ints = cursor_of('ints');
my $position = decode_base64url($ints);         # 14 hex digits, ":" and the id
my $ids = cursor_of('ints/ids') =~ s/([+=\/])/sprintf '%%%02x', ord $1/ger;
my $bad = '400 bad_cursor after';

sub flipped {
    my ($at, $bit) = @_;
    my $bytes = $position;
    substr($bytes, $at, 1) ^= chr $bit;
    return encode_base64url($bytes);
}

sub of_id { return encode_base64($_[0], '') =~ s/([+=\/])/sprintf '%%%02x', ord $1/ger }

my @CURSORS = (
    ["ints?after=$ints", '200 5,-7'],
    ['ints?after=', '200 0,1'],
    ["ints?after=$ints=", $bad],
    ["ints?after=$ints%3d%3d", $bad],
    ["ints?after=%20$ints", $bad],
    ["ints?after=$ints%0a", $bad],
    ["ints?after=$ints$ints", $bad],
    ["ints?after=$ints.$ints", $bad],
    ['ints?after=' . substr($ints, 0, -1), $bad],
    ['ints?after=' . substr($ints, 0, 4), $bad],
    ['ints?after=' . lc $ints, $bad],
    ['ints?after=' . 'A' x 20000, $bad],
    ['ints?after=' . encode_base64url($position . 'x' x 700), '200 5,-7'],
    ['ints?after=' . encode_base64url('a' x 14), $bad],
    ['ints?after=' . encode_base64url(':'), $bad],
    ['ints?after=' . encode_base64url(uc('8000000000000a') . ':1'), $bad],
    ['ints?after=' . encode_base64url("$position\0"), $bad],
    ['ints?after=' . encode_base64url("\xff$position"), $bad],
    ['ints?after=' . encode_base64url("-$position"), $bad],
    ['ints?after=' . encode_base64url("[$position"), $bad],
    ['ints?after=' . encode_base64url("$position\xc0\x80"), $bad],
    ['ints?after=' . flipped(0, 0x80), $bad],
    ['ints?after=' . flipped(14, 1), $bad],
    ['ints?after=' . flipped(13, 0x40), $bad],
    ['ints?after=' . flipped(13, 1), '200 5,-7'],
    ['ints?after=' . encode_base64url('ffffffffffffff:1'), '200 '],
    ['ints?after=' . encode_base64url('00000000000000:1'), '200 0,1'],
    ['ints?after=' . cursor_of('words'), $bad],
    ["words?after=$ints", '200 ab,ab-1'],
    ["words/pages?after=$ints", '200 ab,ab-1'],
    ['uuids?after=' . cursor_of('words'), $bad],
    ["any?after=$ints", '200 A,a b'],
    ["ints/ids?after=$ids", '200 5,-7'],
    ["ints/ids?after=$ints", $bad],
    ["ints?after=$ids", $bad],
    ['ints/ids?after=', $bad],
    ['ints/ids?after=' . of_id('{"id":"1"}'), '200 5,-7'],
    ['ints/ids?after=' . of_id('{"id":"01"}'), $bad],
    ['ints/ids?after=' . of_id('{"id":"+1"}'), $bad],
    ['ints/ids?after=' . of_id('{"id":"-0"}'), $bad],
    ['ints/ids?after=' . of_id('{"id":1}'), $bad],
    ['ints/ids?after=' . of_id('{"id": "1"}'), $bad],
    ['ints/ids?after=' . of_id('{"id":""}'), $bad],
    ['ints/ids?after=' . of_id('{"id":"'), $bad],
    ['ints/ids?after=' . of_id('{"id":"9223372036854775808"}'), $bad],
    ['ints/ids?after=' . of_id('{"id":"1","id":"5"}'), $bad],
    ['ints/ids?after=' . of_id('{"id":"99"}'), $bad],
    ['any/ids?after=' . of_id("{\"id\":\"\xff\"}"), $bad],
    ['any/ids?after=' . of_id('{"id":"a"x"}'), $bad],
    ["uuids/plain?after=\U$UUID", $bad],
    ["uuids/plain?after=$UUID", '200 '],
    ['ints/plain?after=1', '200 5,-7'],
    ['ints/plain?after=1%00', $bad],
    ['ints/plain?after=1e0', $bad],
    ['words/plain?after=AB', $bad],
    ['words/plain?after=zz-99', $bad],
);


sub visible {
    my ($text) = @_;
    $text = substr($text, 0, 60) . '... (' . length($text) . ')' if length $text > 80;
    return $text =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ger;
}


for my $case (@IDS, @QUERIES, @CURSORS) {
    my ($target, $expected) = @$case;
    is(answer($target), $expected, visible($target));
}


# No bit flipped leads back to the first page, unless to a position before it.

my $first = answer('ints');
my $top = decode_base64url(cursor_of('ints?limit=1'));
my @fooled = grep { decode_base64url($_) ge $top && answer("ints?after=$_") eq $first }
             map { my $at = $_; map { flipped($at, 1 << $_) } 0 .. 7 } 0 .. length($position) - 1;

is_deeply(\@fooled, [], 'each bit of a cursor flipped');

my @taken = grep { answer('ints?after=' . substr $ints, 0, $_) !~ /^400 bad_cursor/ } 1 .. length($ints) - 1;

is_deeply(\@taken, [], 'a cursor cut anywhere');

is(answer('ints'), $first, 'and a good one is answered');

done_testing();
