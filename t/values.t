# Values that writers store: each one is either refused by put, with an error
# that names the field, and nothing is changed; or get and list send it byte for
# byte, and the whole response is JSON to two parsers that are not the module's.
#
# Of the hand-written bad inputs, those of stored values are here; what put
# refuses is also in functions.t, there by what Redis holds.

use lib 't/lib';
use Tasks ':live';

use File::Temp qw(tempfile);
use JSON::PP ();

use Tasks::Library;

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "k", "max_value": 65536,
 "fields": {
    "k": {"type": "integer"},
    "x": {"type": "any"},    "s": {"type": "string"},   "i": {"type": "integer"},
    "n": {"type": "number"}, "b": {"type": "boolean"},  "d": {"type": "datetime"},
    "o": {"type": "object"}, "a": {"type": "array"},    "last": {"type": "integer"}},
 "routes": [
    {"action": "list", "response": {"items": "$tasks", "count": "$count"}},
    {"action": "get", "path": "/{id}", "response": {"task": "$task", "x": "$task.x?"}}]}
END

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

my $nginx = start_nginx(<<'END', files => {'conf/apis/t.json' => $definition});
    location /t { tasks_api apis/t.json; tasks_pass main; }
END

my $connection = http_connect($nginx->port);


# Name, field, value as put.

sub nested { my ($open, $n, $close, $core) = @_; return $open x $n . ($core // '') . $close x $n }
sub of     { my ($bytes) = @_; return "\"$bytes\"" }

my @KEPT = (
    # texts
    ['an empty string', s => '""'],
    ['every escape', s => '"\"\\\\\/\b\f\n\r\t\u0041"'],
    ['an escape that nobody needs', s => '"\u0061\/"'],
    ['capitals in an escape', s => '"\u00E9\u00e9"'],
    ['an escaped zero', s => '"a\u0000b"'],
    ['a pair of surrogates', s => '"\ud83d\ude00"'],
    ['four bytes of UTF-8', s => of("\xf0\x9f\x98\x80")],
    ['the last code point', s => of("\xf4\x8f\xbf\xbf")],
    ['a noncharacter', s => of("\xef\xbf\xbf")],
    ['U+2028 and U+2029', s => of("\xe2\x80\xa8\xe2\x80\xa9")],
    ['the same escaped', s => '"\u2028\u2029"'],
    ['a byte order mark inside', s => of("\xef\xbb\xbf")],
    ['DEL and C1', s => of("\x7f\xc2\x80\xc2\x9f")],
    ['right to left', s => of("\xe2\x80\xae")],
    ['combining characters', s => of('e' . "\xcc\x81" x 100)],
    ['a template\'s words', s => '"$tasks $$ ${id} $task.x?"'],
    ['formats', s => '"%s%n%V%Z%%"'],
    ['HTML', s => '"</script><!--"'],
    ['what looks like Redis', s => '"$-1\r\n*2\r\n"'],
    ['what looks like JSON', s => '"{\"a\":[1,2]}"'],
    ['a backslash at the end', s => '"\\\\"'],
    ['64 KB', s => of('x' x 65534)],
    ['64 KB of escapes', s => of('\u0000' x 10922)],
    ['64 KB of four bytes each', s => of("\xf0\x9f\x98\x80" x 16383)],

    # numbers
    ['0.1', n => '0.1'],
    ['1.10', n => '1.10'],
    ['1E2', n => '1E2'],
    ['1e+02', n => '1e+02'],
    ['-0', n => '-0'],
    ['-0.0e-0', n => '-0.0e-0'],
    ['1e400', n => '1e400'],
    ['1e-400', n => '1e-400'],
    ['5e-324', n => '5e-324'],
    ['400 digits', n => '9' x 400],
    ['400 digits behind the point', n => '0.' . '3' x 400],
    ['2^53 + 1', n => '9007199254740993'],
    ['2^53 + 1, an integer', i => '9007199254740993'],
    ['the largest int64', i => '9223372036854775807'],
    ['the smallest int64', i => '-9223372036854775808'],
    ['the largest uint64', i => '18446744073709551615'],
    ['0', i => '0'],
    ['-1', i => '-1'],

    # the rest
    ['true', b => 'true'],
    ['false', x => 'false'],
    ['an empty object', o => '{}'],
    ['an empty array', a => '[]'],
    ['names twice', o => '{"a":1,"a":2,"\u0061":3}'],
    ['names of the module\'s fields', o => '{"id":9,"_rev":1,"k":2,"items":[]}'],
    ['an empty name', o => '{"":{"":""}}'],
    ['__proto__', o => '{"__proto__":{"a":1},"constructor":null}'],
    ['null inside', a => '[null,{"a":null}]'],
    ['white space of all kinds', o => "{\t\"a\" :\r\n [ 1.10 , 2 ] }"],
    ['white space around', x => "  \t\r\n7\n"],
    ['numbers that parsers change', a => '[1.10,1E2,-0,1e400,9007199254740993,0.1]'],
    ['an order of names', o => '{"z":1,"b":2,"a":3,"10":4,"9":5}'],
    ['1,000 arrays in one another', x => nested('[', 1000, ']')],
    ['1,000 objects in one another', x => nested('{"a":', 1000, '}', '1')],
    ['20,000 elements', x => '[' . join(',', (0) x 20000) . ']'],
    ['an object of 5,000 names', o => '{' . join(',', map { "\"$_\":$_" } 1 .. 5000) . '}'],
    ['a time to the nanosecond', d => '"2025-03-12T10:00:00.123456789+05:30"'],
    ['a leap second', d => '"2016-12-31T23:59:60Z"'],
);

my @REFUSED = (
    # texts
    ['an empty value', x => ''],
    ['white space alone', x => " \n"],
    ['no quotes', x => 'text'],
    ['single quotes', x => "'a'"],
    ['a string that is cut', x => '"a'],
    ['one cut in an escape', x => '"a\u00e'],
    ['one cut behind a backslash', x => '"a\\'],
    ['an unknown escape', s => '"\x41"'],
    ['an escape of a quote alone', s => '"\\\'"'],
    ['a line end', s => "\"a\nb\""],
    ['a tab', s => "\"a\tb\""],
    ['a control character', s => "\"\x1f\""],
    ['a zero byte', s => "\"a\0b\""],
    ['a zero byte behind', x => "1\0"],
    ['a high surrogate alone', s => '"\ud83d"'],
    ['a low one', s => '"\ude00"'],
    ['two in the wrong order', s => '"\ude00\ud83d"'],
    ['a high one and a letter', s => '"\ud83d\u0041"'],
    ['one in a name', o => '{"\ud800":1}'],
    ['a byte that begins nothing', s => of("\x80")],
    ['a byte that is none', s => of("\xff")],
    ['UTF-8 that is cut', s => of("\xe2\x82")],
    ['UTF-8 cut by the quote', x => "[\"\xf0\x9f\x98\"]"],
    ['an overlong slash', s => of("\xc0\xaf")],
    ['an overlong zero', s => of("\xc0\x80")],
    ['three bytes for two', s => of("\xe0\x82\xa9")],
    ['a surrogate in UTF-8', s => of("\xed\xa0\x80")],
    ['a pair of them', s => of("\xed\xa0\xbd\xed\xb8\x80")],
    ['beyond the last code point', s => of("\xf4\x90\x80\x80")],
    ['five bytes', s => of("\xf8\x88\x80\x80\x80")],
    ['Latin-1', s => of("caf\xe9")],
    ['bad UTF-8 in a name', o => "{\"\xff\":1}"],
    ['bad UTF-8 between', x => "[1,\xff2]"],
    ['a byte order mark in front', x => "\xef\xbb\xbf1"],
    ['UTF-16', x => "\xff\xfe1\0"],
    ['a space that is none', x => "[1,\xc2\xa02]"],
    ['a form feed', x => "[1,\x0c2]"],

    # numbers
    ['NaN', x => 'NaN'],
    ['Infinity', x => '-Infinity'],
    ['a plus', x => '+1'],
    ['a zero in front', x => '01'],
    ['one behind the sign', x => '-01'],
    ['a point at the end', x => '1.'],
    ['a point in front', x => '.5'],
    ['no exponent', x => '1e'],
    ['hex', x => '0x1F'],
    ['octal', x => '0o17'],
    ['an underscore', x => '1_000'],
    ['a comma', n => '1,5'],
    ['a minus alone', x => '[-]'],
    ['digits of another script', x => "\xd9\xa1"],
    ['a suffix', x => '1n'],

    # the rest
    ['True', x => 'True'],
    ['undefined', x => 'undefined'],
    ['a comma at the end', o => '{"a":1,}'],
    ['one of an array', a => '[1,]'],
    ['two commas', a => '[1,,2]'],
    ['no comma', a => '[1 2]'],
    ['no colon', o => '{"a" 1}'],
    ['a name without quotes', o => '{a:1}'],
    ['a number as a name', o => '{1:2}'],
    ['a comment', x => '/* a */1'],
    ['a comment behind', x => '1//'],
    ['a hash', x => "1 # a"],
    ['an array that is cut', a => '[1,[2]'],
    ['an object that is cut', o => '{"a":{"b":1}'],
    ['a bracket too many', a => '[1]]'],
    ['brackets that do not fit', a => '[1}'],
    ['two values', x => '1 2'],
    ['two objects', o => '{}{}'],
    ['JSON lines', x => "1\n2"],
    ['1,001 arrays', x => nested('[', 1001, ']')],
    ['30,000 arrays', x => nested('[', 30000, ']')],
    ['30,000 of them, open', x => '[' x 30000],
    ['an array for an object', o => '[]'],
    ['an object for an array', a => '{}'],
    ['a number for a string', s => '1'],
    ['a string for a number', n => '"1"'],
    ['a fraction for an integer', i => '1.0'],
    ['an exponent for an integer', i => '1e2'],
    ['-0 for an integer', i => '-0'],
    ['22 digits for an integer', i => '1' x 22],
    ['1 for a boolean', b => '1'],
    ['a day that is none', d => '"2025-02-30T00:00:00Z"'],
    ['65,537 bytes', s => of('x' x 65535)],
);


sub put  { return redis('FCALL', 't_put', 1, 'tasks:{t}', @_) }
sub body { return http($connection, 'GET', $_[0])->body }


# What is told of task 1, with a value in a field.

sub expected {
    my ($field, $value) = @_;

    my %at = (k => 1, last => 9, defined $field ? ($field => $value) : ());

    return '{"id":1,' . join(',', map { "\"$_\":$at{$_}" }
                              grep { exists $at{$_} } qw(k x s i n b d o a last)) . '}';
}


my @BODIES;                               # name, body: for another parser

sub is_kept {
    my ($name, $field, $value) = @_;

    ok(eval { put(1, $field => $value) }, "put: $name") or diag($@);

    my $task = expected($field, $value);
    my $get = body('/t/1');
    my $list = body('/t');

    ok($get eq "{\"task\":$task" . ($field eq 'x' ? ",\"x\":$value}" : '}'), "get: $name")
        or diag(substr $get, 0, 200);
    ok($list eq "{\"items\":[$task],\"count\":1}", "list: $name") or diag(substr $list, 0, 200);

    # 2 more than the value has
    ok(eval { JSON::PP->new->utf8->allow_bignum->max_depth(1005)->decode($_) }, "JSON: $name") or diag($@)
        for $get, $list;

    push @BODIES, [$name, $get], [$name, $list];

    put(1, $field => 'null');
}


sub is_refused {
    my ($name, $field, $value) = @_;

    my $is = eval { put(1, last => 10, $field => $value); 1 } ? 'no error' : $@;

    like($is, qr/^ERR tasks_t: $field is (?:not a valid JSON (?:any|string|integer|number|boolean|datetime|object|array)|longer than 65536 bytes)$/,
         "refused: $name");
    is(body('/t/1'), '{"task":' . expected() . '}', "get is as before: $name");
    is(body('/t'), '{"items":[' . expected() . '],"count":1}', "list is as before: $name");
}


# The names of the bodies that Python's json does not take.

sub refused_by_python {
    my ($out, $path) = tempfile(UNLINK => 1);

    print $out unpack('H*', $_->[1]), "\n" for @BODIES;
    close $out;

    open my $in, '-|', 'python3', '-c', <<'END', $path or die "python3: $!\n";
import json, sys
sys.setrecursionlimit(20000)

def no(word):
    raise ValueError(word)

for line in open(sys.argv[1]):
    try:
        json.loads(bytes.fromhex(line).decode("utf-8"), parse_constant=no)
        print("ok")
    except Exception as e:
        print(type(e).__name__, e)
END
    my @verdicts = <$in>;
    close $in;
    chomp @verdicts;

    return map { ($verdicts[$_] // 'none') eq 'ok' ? () : "$BODIES[$_][0]: " . ($verdicts[$_] // 'none') }
           0 .. $#BODIES;
}


put(1, k => 1, last => 9);
is_kept(@$_) for @KEPT;
is_refused(@$_) for @REFUSED;

is_deeply([refused_by_python()], [], 'Python takes all ' . @BODIES . ' responses');


# All of them in one list.

my @tasks;

for my $kept (@KEPT) {
    my ($name, $field, $value) = @$kept;
    my $id = 2 + @tasks;

    put($id, k => $id, $field => $value);
    push @tasks, "{\"id\":$id,\"k\":$id,\"$field\":$value}";
}

redis('FCALL', 't_remove', 1, 'tasks:{t}', 1);
ok(body('/t') eq '{"items":[' . join(',', @tasks) . '],"count":' . @tasks . '}', 'all in one list');

done_testing();
