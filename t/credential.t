# Opaque credentials: API keys and the like, of which Redis knows the SHA-256 and
# what they are for.  Each request asks anew, so that a revocation counts at once.

use lib 't/lib';
use Tasks ':live';

use Digest::SHA qw(sha256_hex);
use Time::HiRes ();

use RESP;
use Tasks::HTTP;
use Tasks::JWT;
use Tasks::Library;
use Tasks::Nginx;

my $SECRET = 'of-hs256-0123456789abcdefghijklmnopq';

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "cancel": {"from": ["a"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "response": {"tasks": "$tasks", "owner": "$tasks_credential_owner", "note": "$tasks_credential_note?",
                                    "sub": "$tasks_jwt_sub?"}},
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "path": "/{id}/cancel", "response": {"cancelled": "$id"}}],
 "errors": {"default": {"body": {"error": "$tasks_error", "owner": "$tasks_credential_owner?"}}}}
END

my $socket = redis_socket();
my $pass = 'tasks_api apis/t.json; tasks_pass';
my $key = 'tasks_auth credential; tasks_credential $http_x_api_key;';

my $nginx = start_nginx(<<"END", worker_connections => 256, http_config => <<"HTTP",
    location /key    { $pass main; $key add_header X-Note \$tasks_credential_note; }
    location /bearer { $pass main; tasks_auth credential; tasks_credential \$tasks_bearer; }
    location /first  { $pass main; tasks_auth credential;
                       tasks_credential \$http_x_api_key \$http_x_auth_user \$cookie_key; }
    location /scoped { $pass main; $key tasks_scope \$tasks_credential_owner; }
    location /rights { $pass main; $key tasks_require \$may; }
    location /early  { $pass main; $key set \$owner "<\$tasks_credential_owner>"; add_header X-Early \$owner;
                       if (\$tasks_credential_owner) { return 418; } }
    location /jwt-or-key { $pass main; tasks_auth jwt credential; tasks_jwt_key HS256 keys/hs256.key;
                           tasks_jwt_token \$cookie_jwt; tasks_credential \$http_x_api_key; }
    location /key-or-jwt { $pass main; tasks_auth credential jwt; tasks_jwt_key HS256 keys/hs256.key;
                           tasks_jwt_token \$cookie_jwt; tasks_credential \$http_x_api_key; }
    location /prefix { $pass main; tasks_auth credential jwt; tasks_jwt_key HS256 keys/hs256.key;
                       tasks_credential \$prefixed; }
    location /gone   { $pass gone; $key }
    location /slow   { $pass slow; $key }
    location /reader { $pass reader; $key }
    location /blind  { $pass blind; $key }
    location /fallback { $pass gone; $key tasks_fallback \@app unavailable; }
    location \@app   { return 200 "app"; }
END
    large_client_header_buffers 4 64k;
    keepalive_requests 10000;

    map "\$tasks_action:\$tasks_credential_rights" \$may {
        "~^(list|get):(.* )?read( |\$)"  1;
        "~^cancel:(.* )?write( |\$)"     1;
    }
    map \$tasks_bearer \$prefixed { "~^(sk|dk)-" \$tasks_bearer; }

    tasks_store gone   { server unix:/nowhere/redis.sock; }
    tasks_store slow   { server unix:$socket; timeout 1s; }
    tasks_store reader { server unix:$socket; timeout 10s; user reader; password_file keys/redis; }
    tasks_store blind  { server unix:$socket; timeout 10s; user blind; password_file keys/redis; }
HTTP
    files => {
        'conf/apis/t.json' => $definition,
        'conf/keys/hs256.key' => $SECRET,
        'conf/keys/redis' => "reader-password\n",
    });

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

put('tasks:{t}', 1);
put('tasks:{t:ann}', 11);
put('tasks:{t:bob}', 22);

# read-only users, of whom one may not see credentials
redis('ACL', 'SETUSER', $_->[0], 'on', '>reader-password', '%R~tasks:{t*', '+@read', '+@connection', @{ $_->[1] })
    for ['reader', ['%R~tasks:credential:*']], ['blind', []];

# of all answers, to look for what must not be in them
my $SAID = '';


sub put {
    my ($base, $id) = @_;

    redis('FCALL', 't_put', 1, $base, $id, 'n', $id, 'status', '"a"');
}


sub redis_key { return 'tasks:credential:' . sha256_hex($_[0]) }


# Stores a credential and returns it.

sub credential {
    my ($text, %fields) = @_;

    redis('DEL', redis_key($text));
    redis('HSET', redis_key($text), %fields ? %fields : (owner => 'ann'));

    return $text;
}


sub get {
    my ($path, @headers) = @_;

    return request($nginx->port, 'GET', $path, @headers);
}


sub request {
    my ($to, $method, $path, %headers) = @_;

    my $response = http($to, $method, $path, headers => \%headers);

    $SAID .= $response->raw_headers . $response->body;

    return $response;
}


# "200", or the status and the class of the error.

sub outcome {
    my ($response) = @_;

    my ($class) = $response->body =~ /^\{"error":"(\w+)"/;

    return join ' ', $response->status, $class // ();
}


sub with_key {
    my ($path, $text) = @_;

    return outcome(get($path, 'X-API-Key' => $text));
}


sub in_one_second {
    my ($code) = @_;

    while (1) {
        my $now = time;
        my @result = $code->($now);
        return @result if time == $now;
    }
}


# How often Redis was asked for what while the code ran, as "exists 1 hmget 2";
# without what a new connection says first.

sub commands_of {
    my ($code) = @_;

    redis('CONFIG', 'RESETSTAT');
    $code->();

    my %calls = redis('INFO', 'commandstats') =~ /^cmdstat_(\S+?):calls=(\d+)/mg;
    delete @calls{grep { /^(?:config|info|auth|select|function|fcall_ro)/ } keys %calls};

    return join ' ', map { "$_ $calls{$_}" } sort keys %calls;
}


# Where it is looked for

credential('k1', owner => 'ann');

is(with_key('/key/1', 'k1'), '200', 'a credential that is known');
is(with_key('/key/1', 'k2'), '401 bad_credential', 'one that is not');
is(with_key('/key/1', $_), '401 bad_credential', "as \"$_\"") for 'K1', 'k', 'k11', 'k1 k1', sha256_hex('k1'), redis_key('k1'), '*';
is(with_key('/key/1', ''), '401 no_token', 'an empty one');
is(with_key('/key/1', '  '), '401 no_token', 'one of spaces, which nginx takes away');
is(outcome(get('/key/1')), '401 no_token', 'none');
is(outcome(get('/key/1', Authorization => 'Bearer k1', Cookie => 'key=k1')), '401 no_token',
   'a place that is not named');
is(outcome(get('/bearer/1', Authorization => $_)), '200', "\"$_\"") for 'Bearer k1', 'bearer k1', 'Bearer   k1';
is(outcome(get('/bearer/1', Authorization => 'Basic k1')), '401 no_token', 'another scheme');
is(outcome(get('/first/1', 'X-Auth-User' => 'k1')), '200', 'the second place');
is(outcome(get('/first/1', 'Cookie' => 'key=k1')), '200', 'the third place');
is(outcome(get('/first/1', 'X-API-Key' => 'k1', 'X-Auth-User' => 'k2')), '200',
   'the first place before the second');
is(outcome(get('/first/1', 'X-API-Key' => 'k2', 'X-Auth-User' => 'k1')), '401 bad_credential',
   'a bad one is not passed over');
is(outcome(get('/first/1', 'X-API-Key' => '', 'Cookie' => 'key=k1')), '200', 'an empty one is');

for my $text ('x', 'a b', q('"), 'a"b\\c', '%00', '../../etc', "caf\xc3\xa9", "\x80\xfe\xff", "a\tb", "\x01\x7f", '$1{}', "*3\$",
              'x' x 10000) {
    credential($text);
    is(with_key('/key/1', $text), '200', sprintf 'the bytes of "%s"', substr $text =~ s/([^ -~])/sprintf '\x%02x', ord $1/ger, 0, 20);
    redis('DEL', redis_key($text));
    is(with_key('/key/1', $text), '401 bad_credential', 'and not without them');
}

# When it ends

for my $case (
    ['0',             'expired_credential'],
    ['1',             'expired_credential'],
    ['',              'expired_credential'],
    ['never',         'expired_credential'],
    ['-1',            'expired_credential'],
    ['-4000000000',   'expired_credential'],
    ['+4000000000',   'expired_credential'],
    ['4000000000.5',  'expired_credential'],
    ['4e9',           'expired_credential'],
    [' 4000000000',   'expired_credential'],
    ['4000000000 ',   'expired_credential'],
    ["4000000000\n",  'expired_credential'],
    ["4000000000\0",  'expired_credential'],
    ['0xffffffff',    'expired_credential'],
    ['2099-01-01',    'expired_credential'],
    ['"4000000000"',  'expired_credential'],
    ['9' x 19,        'expired_credential'],
    ['9' x 40,        'expired_credential'],
    ['4000000000',    undef],
    ['04000000000',   undef],
) {
    my ($expires, $class) = @$case;

    credential('e', owner => 'ann', expires => $expires);
    is(with_key('/key/1', 'e'), $class ? "401 $class" : '200', sprintf 'expires "%s"', $expires =~ s/([^ -~])/./gr);
}

for my $case ([2, '200'], [0, '401 expired_credential']) {
    my ($offset, $expected) = @$case;

    my ($got) = in_one_second(sub {
        credential('e', owner => 'ann', expires => $_[0] + $offset);
        with_key('/key/1', 'e');
    });

    is($got, $expected, "expires now+$offset");
}

credential('e', owner => 'ann', Expires => 1);
is(with_key('/key/1', 'e'), '200', '"Expires" is another field');

# A revocation counts for the next request on the same connection

{
    my $connection = http_connect($nginx->port);
    my $ask = sub { request($connection, 'GET', '/key', 'X-API-Key' => 'k3') };

    credential('k3', owner => 'ann');
    is($ask->()->body, '{"tasks":[{"id":1,"n":1,"status":"a"}],"owner":"ann"}',
       'before it is revoked');
    redis('DEL', redis_key('k3'));
    is(outcome($ask->()), '401 bad_credential', 'revoked');
    is(outcome($ask->()), '401 bad_credential', 'revoked, again');
    credential('k3', owner => 'bob');
    is($ask->()->body, '{"tasks":[{"id":1,"n":1,"status":"a"}],"owner":"bob"}',
       'given anew, to another');
    redis('HSET', redis_key('k3'), 'owner', 'eve');
    is($ask->()->body, '{"tasks":[{"id":1,"n":1,"status":"a"}],"owner":"eve"}', 'and changed');
    redis('HSET', redis_key('k3'), 'expires', 1);
    is(outcome($ask->()), '401 expired_credential', 'and ended');
    redis('HDEL', redis_key('k3'), 'expires');
    is(outcome($ask->()), '200', 'and not ended');
    is(outcome(request($connection, 'GET', '/key')), '401 no_token',
       'a request without one, after one with');
    is(outcome(request($connection, 'GET', '/key', 'X-API-Key' => 'k1')), '200',
       'and one with another');
}

# Its fields

my $one = '"tasks":[{"id":1,"n":1,"status":"a"}]';

for my $case (
    ['a text',           'some text', '"some text"', 'some text'],
    ['an empty text',    '', '""', ''],
    ['JSON',             '{"a":[1]}', '"{\"a\":[1]}"', '{"a":[1]}'],
    ['a number',         '7', '"7"', '7'],
    ['beyond ASCII',     "\xc3\xa9", "\"\xc3\xa9\"", "\xc3\xa9"],
) {
    my ($name, $value, $json, $header) = @$case;

    credential('f', owner => 'ann', note => $value);
    my $response = get('/key', 'X-API-Key' => 'f');
    is($response->body, qq({$one,"owner":"ann","note":$json}), "a field: $name, in a response");
    is($response->header('X-Note'), $header, "a field: $name, in a header");
}

is(get('/key', 'X-API-Key' => 'k1')->body, qq({$one,"owner":"ann"}), 'a field that is not there');

credential('f', note => 'x');
is(get('/key', 'X-API-Key' => 'f')->body, qq({$one,"owner":null,"note":"x"}), 'nor another');
credential('f', Owner => 'x', owner2 => 'y', own => 'z');
is(get('/key', 'X-API-Key' => 'f')->body, '{"error":"bad_credential"}',
   'one that has nothing that is asked for, only names that are nearly the same');

for my $end ("\r\n", "\n", "\r\n\r\n") {
    credential('f', owner => 'ann', note => "a${end}X-Forged: 1");
    my $response = get('/key', 'X-API-Key' => 'f');
    unlike($response->raw_headers, qr/[\r\n]X-Forged/, 'no field makes a header');
    like($response->body, qr/^\{"tasks":/, 'nor a response');
}

for my $bytes ("a\0b", "a\x1fb", "a\x7fb", "a\xffb", "\xc0\xaf", "\xed\xa0\x80", "\xc3") {
    credential('f', owner => 'ann', note => $bytes);
    is(get('/key', 'X-API-Key' => 'f')->body, qq({$one,"owner":"ann"}),
       sprintf 'what is no text is no value: %vd', $bytes);
}

is(get('/early', 'X-API-Key' => 'k1')->header('X-Early'), '<>',
   'nothing is known in front of the content phase');
is(get('/early', 'X-API-Key' => 'k1')->body, qq({$one,"owner":"ann"}),
   'all is known from then on');
is(get('/key/7', 'X-API-Key' => 'k1')->body, '{"error":"not_found","owner":"ann"}',
   'in an error after the look-up, too');
is(get('/key/7', 'X-API-Key' => 'k2')->body, '{"error":"bad_credential"}',
   'nothing of a bad one');
credential('e', owner => 'ann', expires => 1);
is(get('/key/7', 'X-API-Key' => 'e')->body, '{"error":"expired_credential"}',
   'nothing of one that has ended');

# Many and large: only what variables name is asked for, and may have 16 KB

credential('m', owner => 'ann', map { ("f$_" => $_) } 1 .. 5000);
is(get('/key', 'X-API-Key' => 'm')->body, qq({$one,"owner":"ann"}), 'a credential with 5001 fields');
credential('m', owner => 'ann', picture => 'x' x 3000000, 'n' x 20000 => 'x');
is(get('/key', 'X-API-Key' => 'm')->body, qq({$one,"owner":"ann"}), 'with 3 MB that nobody asks for');

credential('m', owner => 'ann', note => 'x' x 16381);
is(get('/key', 'X-API-Key' => 'm')->body, qq({$one,"owner":"ann","note":") . 'x' x 16381 . '"}', '16384 bytes');
credential('m', owner => 'ann', note => 'x' x 16382);
is(with_key('/key/1', 'm'), '500 internal', '16385 bytes');
is(get('/key/1', 'X-API-Key' => 'm')->body, '{"error":"internal"}', 'tell nothing');
credential('m', owner => 'ann', note => 'x' x 500000);
is(with_key('/key/1', 'm'), '500 internal', '500 KB');
credential('m', owner => 'ann', expires => '4' x 500000);
is(with_key('/key/1', 'm'), '500 internal', '500 KB of a time');

# what others wait for is not lost with it

{
    my @connections = map { http_connect($nginx->port) } 1 .. 40;

    credential('m', owner => 'ann', note => 'x' x 17000);
    credential("o$_", owner => "owner$_") for 1 .. 40;

    for my $n (1 .. 40) {
        $connections[$n - 1]->send(Tasks::HTTP::request_bytes('GET', '/key',
            headers => { 'X-API-Key' => $n % 8 ? "o$n" : 'm' }));
    }

    my @wrong = grep {
        my $response = $connections[$_ - 1]->response;
        $_ % 8 ? $response->body ne qq({$one,"owner":"owner$_"})
               : outcome($response) ne '500 internal';
    } 1 .. 40;

    is("@wrong", '', 'forty at once: each its own, and the bad ones harm no other');
}

# Another type of key, and no Redis

redis('SET', redis_key('w'), 'x');
is(with_key('/key/1', 'w'), '500 internal', 'a key that is no hash');
redis('DEL', redis_key('w'));
redis('SADD', redis_key('w'), 'owner', 'ann');
is(with_key('/key/1', 'w'), '500 internal', 'a set');
redis('DEL', redis_key('w'));

is(with_key('/gone/1', 'k1'), '503 unavailable', 'no Redis');
is(get('/gone/1', 'X-API-Key' => 'k1')->header('Retry-After'), '1', 'and when to ask again');
is(outcome(get('/gone/1')), '401 no_token', 'nothing to look up');
is(get('/fallback/1', 'X-API-Key' => 'k1')->body, 'app', 'the fallback does what it can');

redis('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
is(with_key('/key/1', 'k1'), '200', 'a connection that was lost');

is(with_key('/slow/1', 'k1'), '200', 'a Redis that will be slow');
redis_server()->pause;
{
    my $left = http_connect($nginx->port);
    $left->send(Tasks::HTTP::request_bytes('GET', '/slow/1', headers => { 'X-API-Key' => 'k1' }));
    $left->close;

    my $took = stopwatch();
    is(with_key('/slow/1', 'k1'), '504 timeout', 'a Redis that does not answer');
    cmp_ok($took->(), '<', 3, 'is not waited for');
}
redis_server()->resume;
is(outcome(wait_for(sub { my $r = get('/slow/1', 'X-API-Key' => 'k1'); $r->status eq '200' && $r }, 5, 'the store')),
   '200', 'it answers again');

# Users of Redis that may only read.  Their connections were killed, too, and
# may have been about to be made anew when Redis stood still.

wait_for(sub { with_key('/reader/1', 'k1') ne '503 unavailable' }, 5, 'the store');
is(with_key('/reader/1', 'k1'), '200', 'a user that may read credentials');
is(with_key('/reader/1', 'k2'), '401 bad_credential', 'and finds none');
is(with_key('/blind/1', 'k1'), '503 unavailable', 'a user that may not');
is(with_key('/blind/1', 'k2'), '503 unavailable', 'whether there is one or not');

# Tenants and rights

credential('ann', owner => 'ann');
credential('bob', owner => 'bob');
credential('nobody', note => 'x');
credential('empty', owner => '');
credential('trick', owner => 'ann}:task');

is(with_key('/scoped/11', 'ann'), '200', 'the owner is the scope');
is(with_key('/scoped/11', 'bob'), '404 not_found', 'of another owner nothing is seen');
is(with_key('/scoped/22', 'bob'), '200', 'but its own');
is(with_key('/scoped/11', 'trick'), '404 not_found', 'whatever an owner is called');
is(with_key('/scoped/11', 'nobody'), '401 unauthorized', 'no owner');
is(with_key('/scoped/11', 'empty'), '401 unauthorized', 'an owner without a name');
is(outcome(request($nginx->port, 'POST', '/scoped/11/cancel', 'X-API-Key' => 'bob')), '404 not_found',
   'nor can it be cancelled');
is(redis('HGET', 'tasks:{t:ann}:task:11', 'status'), '"a"', 'and it is not');

for my $case (
    ['read',       '200', '200', '403 forbidden'],
    ['write',      '403 forbidden', '403 forbidden', '200'],
    ['write read', '200', '200', '200'],
    ['readwrite',  '403 forbidden', '403 forbidden', '403 forbidden'],
    ['',           '403 forbidden', '403 forbidden', '403 forbidden'],
) {
    my ($rights, @expected) = @$case;

    put('tasks:{t}', 2);
    redis('FCALL', 't_put', 1, 'tasks:{t}', 2, 'status', '"a"');
    credential('r', owner => 'ann', rights => $rights);

    is(with_key('/rights', 'r'), $expected[0], "rights \"$rights\": list");
    is(with_key('/rights/2', 'r'), $expected[1], "rights \"$rights\": get");
    is(outcome(request($nginx->port, 'POST', '/rights/2/cancel', 'X-API-Key' => 'r')), $expected[2], "rights \"$rights\": cancel");
    is(redis('HGET', 'tasks:{t}:task:2', 'status'), $expected[2] eq '200' ? '"x"' : '"a"', "rights \"$rights\": the task then");
}

redis('FCALL', 't_remove', 1, 'tasks:{t}', 2);

# With tokens

my $token = jwt('{"sub":"joe","exp":4000000000}', $SECRET);
my $expired = jwt('{"sub":"joe","exp":1}', $SECRET);

my @key = ('X-API-Key' => 'k1');
my @no_key = ('X-API-Key' => 'k2');
my @jwt = (Cookie => "jwt=$token");
my @no_jwt = (Cookie => "jwt=$expired");
my $by_key = qq(200 {$one,"owner":"ann"});
my $by_jwt = qq(200 {$one,"owner":null,"sub":"joe"});
my $by_both = qq(200 {$one,"owner":"ann","sub":"joe"});
my $unknown = '401 {"error":"bad_credential"}';
my $ended = '401 {"error":"expired_token"}';
my $nothing = '401 {"error":"no_token"}';

for my $case (
    #                                  jwt credential  credential jwt
    ['neither',         [],                 $nothing,  $nothing],
    ['a token',         [@jwt],             $by_jwt,   $by_jwt],
    ['a bad token',     [@no_jwt],          $ended,    $ended],
    ['a key',           [@key],             $by_key,   $by_key],
    ['a bad key',       [@no_key],          $unknown,  $unknown],
    ['both',            [@jwt, @key],       $by_jwt,   $by_both],
    ['both, one bad',   [@jwt, @no_key],    $by_jwt,   $unknown],
    ['both, one bad',   [@no_jwt, @key],    $ended,    $by_key],
    ['both, both bad',  [@no_jwt, @no_key], $ended,    $unknown],
) {
    my ($name, $headers, @expected) = @$case;

    for my $path ('/jwt-or-key', '/key-or-jwt') {
        my $response = get($path, @$headers);
        is($response->status . ' ' . $response->body, shift @expected, "$path: $name");
    }
}

credential('sk-1', owner => 'ann');
credential('ak-1', owner => 'ann');
credential('sk-' . $token, owner => 'eve');
is(outcome(get('/prefix/1', Authorization => "Bearer $_->[0]")), $_->[1], "by its prefix: " . substr $_->[0], 0, 10)
    for ['sk-1', '200'], ['dk-1', '401 bad_credential'], ['ak-1', '401 bad_token'], [$token, '200'], ["sk-$token", '200'],
        ['sk-', '401 bad_credential'];

# What Redis is asked

is(commands_of(sub { with_key('/key/1', 'k1') }), 'hmget 2',
   'a good one: one command before those of the task');
is(commands_of(sub { with_key('/key/1', 'k2') }), 'hmget 1', 'a bad one: no other');
is(commands_of(sub { with_key('/key/x', 'k2') }), 'hmget 1', 'whatever is asked');
is(commands_of(sub { with_key('/key/x/y', 'k1') }), '', 'where there is no route: none');
is(commands_of(sub { with_key('/rights/1', 'k1') }), 'hmget 1', 'what is forbidden: no other');
is(commands_of(sub { get('/jwt-or-key/1', @jwt, @key) }), 'hmget 1', 'a token needs none');
is(commands_of(sub { get('/key/1') }), '', 'no credential needs none');

# What nobody is told: Redis has the hash, others nothing

{
    my $monitor = RESP->new(redis_socket());
    my $text = 'a-very-secret-credential';

    credential($text, owner => 'ann');
    $monitor->command('MONITOR');
    is(with_key($_, $text), '200',
       "with a secret: $_") for '/key', '/key/1', '/slow', '/reader/1';
    is(with_key('/key', "$text-unknown"), '401 bad_credential', 'with an unknown secret');
    is(with_key('/scoped/7', $text), '404 not_found', 'with a secret, to no task');
    redis('ECHO', 'the end');

    my @seen;
    push @seen, next_line($monitor) until @seen && $seen[-1] =~ /the end/;

    my $hash = sha256_hex($text);
    is(grep({ /"HMGET" "tasks:credential:$hash"/ } @seen), 5, 'Redis is asked for its hash');
    is(grep({ /\Q$text\E/ } @seen), 0, 'and never sees the text');

    my @stored = (redis('KEYS', '*'), map { my $type = redis('TYPE', $_); dump_of($type, $_) } @{ redis('KEYS', '*') });
    my $stored = join "\n", map { ref $_ ? @$_ : $_ } @stored;

    like($stored, qr/tasks:credential:$hash/, 'stored is the hash');
    unlike($stored, qr/\Q$text\E/, 'and the text is nowhere');

    my $log = $nginx->error_log;
    unlike($log, qr/\Q$text\E|$hash/, 'no credential and no hash of one in the log');
    unlike($SAID, qr/\Q$text\E|$hash|tasks:credential/, 'nor in an answer');
    unlike($SAID, qr/reader-password|\Q$SECRET\E/, 'nor the password, nor the key of tokens');
    unlike($log, qr/reader-password|\Q$SECRET\E/, 'nor there');
}

# With all that nginx can log, if it is built for that: it tells headers, the
# module tells nothing of them.

{
    my $debug = `@{[Tasks::Nginx::binary()]} -V 2>&1` =~ /--with-debug/ ? 'debug' : 'info';

    my $nginx = start_nginx("location /key { $pass main; $key }", log_level => $debug,
                            files => { 'conf/apis/t.json' => $definition });

    for my $text (credential('a-secret-that-is-known'), 'a-secret-that-is-unknown') {
        http($nginx->port, 'GET', '/key/1', headers => { 'X-API-Key' => $text });
        my $hash = sha256_hex($text);
        my @lines = grep { !/ http header: "X-API-Key: | http script var: / } split /\n/, $nginx->error_log;

        ok(@lines > 0, 'there is a log');
        is_deeply([grep { /\Q$text\E|$hash/ } @lines], [], "no credential in the log of $debug");
    }
}

done_testing();


sub next_line {
    my ($monitor) = @_;

    until ($monitor->{buffer} =~ /\n/) {
        sysread $monitor->{socket}, $monitor->{buffer}, 65536, length $monitor->{buffer} or die "no line\n";
    }

    return substr $monitor->{buffer}, 0, 1 + index($monitor->{buffer}, "\n"), '';
}


sub dump_of {
    my ($type, $name) = @_;

    return redis('GET', $name)             if $type eq 'string';
    return redis('HGETALL', $name)         if $type eq 'hash';
    return redis('ZRANGE', $name, 0, -1)   if $type eq 'zset';

    return redis('SMEMBERS', $name);
}
