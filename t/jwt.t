# JSON Web Tokens: good ones of every algorithm are let in, what they claim is
# known by $tasks_jwt_..., and everything that is forged, malformed, expired or
# meant for others is refused, with the class of the reason.
#
# Of the hand-written bad inputs, tokens are here; API keys are in credential.t.

use lib 't/lib';
use Tasks ':live';

use Digest::SHA qw(hmac_sha384);
use MIME::Base64 qw(encode_base64);

use Tasks::JWT;
use Tasks::Library;

my $SECRET = 'of-hs256-0123456789abcdefghijklmnopq';
my $OTHER = 'of-nobody-0123456789abcdefghijklmno';
my %SECRET = map { $_ => "of-\L$_\E-" . 'z' x 60 } qw(HS384 HS512 one two);

my ($RSA, $RSA_PUBLIC) = new_key('RS256');
my ($EC, $EC_PUBLIC) = new_key('ES256');
my ($ED, $ED_PUBLIC) = new_key('EdDSA');
my ($FOREIGN_RSA) = new_key('RS256');
my ($FOREIGN_EC) = new_key('ES256');
my ($FOREIGN_ED) = new_key('EdDSA');
my ($P384) = new_key('ES384');

my %KEY = (HS256 => $SECRET, HS384 => $SECRET{HS384}, HS512 => $SECRET{HS512},
           RS256 => $RSA, ES256 => $EC, EdDSA => $ED);

my $ISSUER = 'https://id.example/';
my $AUDIENCE = 'tasks-api';

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "cancel": {"from": ["a"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "response": "$tasks"},
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "path": "/{id}/cancel", "response": {"cancelled": "$id"}}],
 "errors": {"default": {"body": {"error": "$tasks_error", "claim": "$claim?"}}}}
END

my $shows = <<'END';
{"name": "shows", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "list", "response": {
    "claim": "$tasks_jwt_c", "if_any": "$tasks_jwt_c?", "inside": "<$tasks_jwt_c>",
    "nested": "$nested?", "deep": "$deep?", "odd": "$odd?", "upper": "$upper?", "long": "$long?"}}],
 "errors": {"default": {"body": {"error": "$tasks_error", "claim": "$claim?"}}}}
END

my $long_name = 'n' x 300;

my $files = {
    'conf/apis/t.json' => $definition,
    'conf/apis/shows.json' => $shows,
    'conf/keys/hs256.key' => $SECRET,
    'conf/keys/hs384.key' => "$SECRET{HS384}\n",
    'conf/keys/hs512.key' => "$SECRET{HS512}\r\n",
    'conf/keys/two_lines.key' => "$SECRET\n\n",
    'conf/keys/one.key' => $SECRET{one},
    'conf/keys/two.key' => $SECRET{two},
};

my $nginx = start_nginx(locations(), files => $files, http_config => <<"HTTP");
    large_client_header_buffers 4 64k;

    map \$http_authorization \$exact_bearer { "~^Bearer (?<after_bearer>.+)\$" \$after_bearer; }

    tasks_jwt_set \$nested realm_access roles;
    tasks_jwt_set \$deep   a b c;
    tasks_jwt_set \$odd    "https://example.com/tenant id";
    tasks_jwt_set \$upper  clientId;
    tasks_jwt_set \$long   $long_name;
HTTP

# of all answers, to look for what must not be in them
my $SAID = '';

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

put('tasks:{t}', 1);


sub locations {
    my %rules = (
        '/strict' => "tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_key RS256 $RSA_PUBLIC;
                      tasks_jwt_key ES256 $EC_PUBLIC; tasks_jwt_key EdDSA $ED_PUBLIC;
                      tasks_jwt_issuer $ISSUER; tasks_jwt_audience $AUDIENCE; tasks_jwt_claim sub;",
        '/plain'  => 'tasks_jwt_key HS256 keys/hs256.key;',
        '/bare'   => 'tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_audience "";',
        '/HS256'  => 'tasks_jwt_key HS256 keys/hs256.key;',
        '/HS384'  => 'tasks_jwt_key HS384 keys/hs384.key;',
        '/HS512'  => 'tasks_jwt_key HS512 keys/hs512.key;',
        '/RS256'  => "tasks_jwt_key RS256 $RSA_PUBLIC;",
        '/ES256'  => "tasks_jwt_key ES256 $EC_PUBLIC;",
        '/EdDSA'  => "tasks_jwt_key EdDSA $ED_PUBLIC;",
        '/lines'  => 'tasks_jwt_key HS256 keys/two_lines.key;',
        '/both'   => 'tasks_jwt_key HS256 keys/one.key; tasks_jwt_key HS256 keys/two.key;',
        '/kids'   => "tasks_jwt_key HS256 keys/one.key kid=one; tasks_jwt_key HS256 keys/two.key kid=two;
                      tasks_jwt_key ES256 $EC_PUBLIC kid=ec;",
        '/mixed'  => 'tasks_jwt_key HS256 keys/one.key; tasks_jwt_key HS256 keys/two.key kid=two;',
        '/leeway' => 'tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_leeway 60s;',
        '/issuer' => "tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_issuer $ISSUER;",
        '/audience' => "tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_audience $AUDIENCE;",
        '/claims' => 'tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_claim role admin "chief editor";
                      tasks_jwt_claim tenant;',
        '/sources' => 'tasks_jwt_key HS256 keys/hs256.key;
                       tasks_jwt_token $cookie_session $http_x_token $arg_token;',
        '/exact'  => 'tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_token $exact_bearer;',
        '/scoped' => 'tasks_jwt_key HS256 keys/hs256.key; tasks_scope $tasks_jwt_sub;',
    );

    return join "\n", "tasks_jwt_audience $AUDIENCE;",
        (map { "location $_ { tasks_api apis/t.json; tasks_pass main; tasks_auth jwt; $rules{$_} }" }
             sort keys %rules),
        'location /shows { tasks_api apis/shows.json; tasks_pass main; tasks_auth jwt;
                           tasks_jwt_key HS256 keys/hs256.key; add_header X-Claim $tasks_jwt_c; }',
        'location /early { tasks_jwt_key HS256 keys/hs256.key; return 200 "<$tasks_jwt_sub>"; }',
        'location /bearer { return 200 "<$tasks_bearer>"; }';
}


sub put {
    my ($base, $id) = @_;

    redis('FCALL', 't_put', 1, $base, $id, 'n', $id, 'status', '"a"');
}


# Claims in JSON, of name => JSON text; undef: not there.

sub claims {
    return claims_json(iss => qq("$ISSUER"), aud => qq("$AUDIENCE"),
                       sub => '"alice"', exp => time + 3600, @_);
}


sub get {
    my ($path, %headers) = @_;

    my $response = http($nginx->port, 'GET', $path, headers => \%headers);

    $SAID .= $response->raw_headers . $response->body;

    return $response;
}


sub ask {
    my ($path, $token) = @_;

    return get($path, Authorization => "Bearer $token");
}


# "200", or "401 CLASS" and the claim at fault, if one is told.

sub outcome {
    my ($response) = @_;

    my ($class, $claim) = $response->body =~ /^\{"error":"(\w+)"(?:,"claim":"(.*)")?\}$/;

    return join ' ', $response->status, grep { defined } $class, $claim;
}


# The token is good but for what its name says.

sub is_refused {
    my ($path, $name, $token, $why) = @_;

    is(outcome(ask($path, $token)), '401 ' . ($why // 'bad_token'), $name);
}


sub is_taken {
    my ($path, $name, $token) = @_;

    is(outcome(ask($path, $token)), '200', $name);
}


# What is asked begins and ends in the same second, which is given to it.

sub in_one_second {
    my ($code) = @_;

    while (1) {
        my $now = time;
        my @result = $code->($now);
        return @result if time == $now;
    }
}


# Good tokens

for my $alg (sort keys %KEY) {
    is_taken("/$alg/1", "$alg", jwt(claims(), $KEY{$alg}, alg => $alg));
}

for my $alg (qw(ES256 EdDSA RS256)) {
    my @outcomes = map { outcome(ask("/$alg/1", jwt(claims(n => $_), $KEY{$alg}, alg => $alg))) } 1 .. 16;
    is("@outcomes", join(' ', (200) x 16), "$alg, sixteen signatures");
}

is_taken('/strict/1', 'a key of several that is of the algorithm', jwt(claims(), $KEY{$_}, alg => $_))
    for qw(HS256 RS256 ES256 EdDSA);
is_taken('/both/1', "either of two keys", jwt(claims(), $SECRET{$_})) for qw(one two);
is_taken('/lines/1', 'of the line ends that a key ends in one is none of it', jwt(claims(), "$SECRET\n"));
is_refused('/lines/1', 'the other one is', jwt(claims(), $SECRET));

is_taken('/bare/1', 'only exp is needed, if nothing is said', jwt(claims(iss => undef, aud => undef, sub => undef), $SECRET));
is_taken('/bare/1', 'an issuer is not looked at then', jwt(claims(iss => '"x"', aud => undef), $SECRET));
is_refused('/bare/1', 'an audience is that of others', jwt(claims(aud => $_), $SECRET), 'bad_token aud') for '"y"', '["y"]', '[]', '""';
is_taken('/plain/1', 'no typ, and other members of the header', jwt(claims(), $SECRET, header => '{"cty":"x","alg":"HS256","x":[1,null]}'));
is_taken('/bare/1', 'spaces in the JSON', jwt(" {\n\"exp\" :\t" . (time + 60) . " } \r\n", $SECRET, header => ' { "alg" : "HS256" } '));
is_taken('/plain/1', 'a fraction of a second', jwt(claims(exp => time + 3600 . '.5', iat => time - 5 . '.25'), $SECRET));
is_taken('/plain/1', 'an exponent', jwt(claims(exp => '4e9'), $SECRET));
is_taken('/plain/1', 'text beyond ASCII', jwt(claims(sub => qq("\xc3\xa9\xf0\x9f\x98\x80"), name => '"\ud83d\ude00"'), $SECRET));

is_taken('/plain/1', 'a token of 8192 bytes', sized(8192));
is_refused('/plain/1', 'a token of 8193 bytes', sized(8193));


# A good token of so many bytes.

sub sized {
    my ($size) = @_;

    for my $spaces (0 .. 3) {
        my $header = '{"alg":"HS256"' . ' ' x $spaces . '}';

        for my $n (int($size * 3 / 4) - 300 .. int $size * 3 / 4) {
            my $claims = claims(c => '"' . 'x' x $n . '"');
            next if length(base64url($header) . base64url($claims)) + 45 != $size;
            return jwt($claims, $SECRET, header => $header);
        }
    }

    die "no token has $size bytes\n";
}

# Where the token is looked for

my $good = jwt(claims(), $SECRET);

is(outcome(get('/plain/1', Authorization => "$_ $good")), '200', "\"$_\"") for qw(bearer BEARER bEaReR);
is(outcome(get('/plain/1', Authorization => "Bearer    $good")), '200',
   'several spaces after "Bearer"');
is(outcome(get('/plain/1', Authorization => "Bearer $good   ")), '200',
   'spaces behind the token');
is(outcome(get('/plain/1')), '401 no_token', 'no header');
is(outcome(get('/plain/1', Authorization => $_->[1])), '401 no_token', $_->[0]) for (
    ['an empty header', ''],
    ['"Bearer" and nothing', 'Bearer'],
    ['"Bearer" and spaces', 'Bearer   '],
    ['another scheme', "Basic $good"],
    ['a scheme that only begins so', "BearerX $good"],
    ['no scheme', $good],
    ['a tab behind "Bearer"', "Bearer\t$good"],
);
is(outcome(get('/plain/1', Cookie => "session=$good", 'X-Token' => $good)), '401 no_token',
   'a place that is not named');

is(outcome(get('/sources/1', Cookie => "session=$good")), '200', 'a cookie');
is(outcome(get('/sources/1', 'X-Token' => $good)), '200', 'a header');
is(outcome(get("/sources/1?token=$good")), '200', 'an argument');
is(outcome(get('/sources/1', Authorization => "Bearer $good")), '401 no_token',
   'where places are named, others are none');
is(outcome(get('/sources/1', 'X-Token' => $good, Cookie => 'session=')), '200',
   'an empty place is passed over');
is(outcome(get('/sources/1', 'X-Token' => $good, Cookie => 'session=x')), '401 bad_token',
   'a bad token is not: the first one decides');
is(outcome(get('/sources/1?token=x', 'X-Token' => $good)), '200', 'in their order');

is(outcome(get('/exact/1', Authorization => "Bearer $good")), '200',
   '"Bearer" in this case only');
is(outcome(get('/exact/1', Authorization => "$_ $good")), '401 no_token', "\"$_\" is none then") for qw(bearer BEARER);
is(outcome(get('/exact/1', Authorization => "Bearer  $good")), '401 bad_token',
   'nor are two spaces left out then');

is(get('/bearer', Authorization => $_->[0])->body, "<$_->[1]>", "\$tasks_bearer of \"$_->[0]\"") for (
    ['Bearer abc',
     'abc'], ['bearer  a b', 'a b'], ['Bearer', ''], ['Basic abc', ''], ['Bearer sk-1', 'sk-1'],
);
is(get('/bearer')->body, '<>', '$tasks_bearer without the header');

for my $pair ([$good, 'x'], ['x', $good]) {
    my $lines = join '', map { "Authorization: Bearer $_\r\n" } @$pair;
    my $response = http($nginx->port, "GET /plain/1 HTTP/1.1\r\nHost: x\r\n$lines\r\n");

    is($response->status, '400', 'the header twice');
}

# Keys with names

for my $case (
    ['of its key',                   'kids', 'one', '"one"', 1],
    ['of its key, the other one',    'kids', 'two', '"two"', 1],
    ['of another key',               'kids', 'one', '"two"', 0],
    ['unknown',                      'kids', 'one', '"three"', 0],
    ['not there',                    'kids', 'one', undef, 0],
    ['empty',                        'kids', 'one', '""', 0],
    ['in another case',              'kids', 'one', '"One"', 0],
    ['longer',                       'kids', 'one', '"one "', 0],
    ['shorter',                      'kids', 'one', '"on"', 0],
    ['a number',                     'kids', 'one', '1', 0],
    ['null',                         'kids', 'one', 'null', 0],
    ['true',                         'kids', 'one', 'true', 0],
    ['a list',                       'kids', 'one', '["one"]', 0],
    ['an object',                    'kids', 'one', '{"one":"one"}', 0],
    ['a path',                       'kids', 'one', '"../../../../dev/null"', 0],
    ['with a zero',                  'kids', 'one', '"one\u0000"', 0],
    ['of a key of another algorithm', 'kids', 'one', '"ec"', 0],
    ['one without a name, with others', 'mixed', 'one', undef, 1],
    ['one with a name, with others', 'mixed', 'two', '"two"', 1],
    ['unknown, where a key has no name', 'mixed', 'one', '"three"', 0],
    ['of the named key, by the other', 'mixed', 'one', '"two"', 0],
    ['not there, by the named key',  'mixed', 'two', undef, 0],
    ['a number, where no key has a name', 'both', 'one', '1', 0],
    ['null, where no key has a name', 'both', 'one', 'null', 0],
    ['any text, where no key has a name', 'both', 'one', '"three"', 1],
) {
    my ($name, $location, $key, $kid, $taken) = @$case;
    my $header = '{"alg":"HS256"' . (defined $kid ? qq(,"kid":$kid) : '') . '}';

    is(outcome(ask("/$location/1", jwt(claims(), $SECRET{$key}, header => $header))),
       $taken ? '200' : '401 bad_token', "kid: $name");
}

is_taken('/kids/1', 'kid: of an ES256 key', jwt(claims(), $EC, alg => 'ES256', header => '{"alg":"ES256","kid":"ec"}'));

# Times, at both edges

for my $case (
    ['/plain/1',  'exp',   1,  '200'],
    ['/plain/1',  'exp',   0,  '401 expired_token exp'],
    ['/plain/1',  'nbf',   0,  '200'],
    ['/plain/1',  'nbf',   1,  '401 early_token nbf'],
    ['/plain/1',  'iat',   0,  '200'],
    ['/plain/1',  'iat',   1,  '401 early_token iat'],
    ['/leeway/1', 'exp', -59,  '200'],
    ['/leeway/1', 'exp', -60,  '401 expired_token exp'],
    ['/leeway/1', 'nbf',  60,  '200'],
    ['/leeway/1', 'nbf',  61,  '401 early_token nbf'],
    ['/leeway/1', 'iat',  60,  '200'],
    ['/leeway/1', 'iat',  61,  '401 early_token iat'],
) {
    my ($path, $claim, $offset, $expected) = @$case;

    my ($got) = in_one_second(sub {
        outcome(ask($path, jwt(claims($claim => $_[0] + $offset), $SECRET)));
    });

    is($got, $expected, "$claim " . ($offset < 0 ? $offset : "+$offset") . " at $path");
}

# Issuer, audience, other claims

for my $case (
    ['issuer',   iss => qq("$ISSUER"), '200'],
    ['issuer',   iss => undef, '401 bad_token iss'],
    ['audience', aud => qq("$AUDIENCE"), '200'],
    ['audience', aud => qq(["$AUDIENCE"]), '200'],
    ['audience', aud => qq(["x","$AUDIENCE","y"]), '200'],
    ['audience', aud => undef, '401 bad_token aud'],
    ['claims',   role => '"admin"', '200'],
    ['claims',   role => '"chief editor"', '200'],
    ['claims',   role => '"chief"', '401 bad_token role'],
    ['claims',   role => '"Admin"', '401 bad_token role'],
    ['claims',   role => '""', '401 bad_token role'],
    ['claims',   role => '["admin"]', '401 bad_token role'],
    ['claims',   role => '{"admin":"admin"}', '401 bad_token role'],
    ['claims',   role => undef, '401 bad_token role'],
    ['claims',   role => 'null', '401 bad_token role'],
    ['claims',   tenant => '"any"', '200'],
    ['claims',   tenant => '7', '200'],
    ['claims',   tenant => 'false', '200'],
    ['claims',   tenant => 'null', '401 bad_token tenant'],
    ['claims',   tenant => undef, '401 bad_token tenant'],
) {
    my ($location, $claim, $value, $expected) = @$case;

    is(outcome(ask("/$location/1", jwt(claims(role => '"admin"', tenant => '"x"', $claim => $value), $SECRET))),
       $expected, "$location: $claim " . ($value // 'is not there'));
}

# $tasks_jwt_..., of every JSON type: the claim's JSON, the header, the JSON of the
# variable as a value and inside of a string

for my $case (
    ['a string',            '"text"', 'text', '"text"', '"<text>"'],
    ['an empty string',     '""', '', '""', '"<>"'],
    ['a string to escape',
     '"a\"b\\\\c\u00e9/"', qq(a"b\\c\xc3\xa9/), qq("a\\"b\\\\c\xc3\xa9/"), qq("<a\\"b\\\\c\xc3\xa9/>")],
    ['an integer',          '42', '42', '"42"', '"<42>"'],
    ['a negative integer',  '-7', '-7', '"-7"', '"<-7>"'],
    ['a large integer',
     '9223372036854775807', '9223372036854775807', '"9223372036854775807"', '"<9223372036854775807>"'],
    ['a fraction',          '0.1', '0.1', '"0.1"', '"<0.1>"'],
    ['true',                'true', 'true', '"true"', '"<true>"'],
    ['false',               'false', 'false', '"false"', '"<false>"'],
    ['null',                'null', '', 'null', '"<>"'],
    ['nothing',             undef, '', 'null', '"<>"'],
    ['a list',
     '[1, "a", null]', '[1,"a",null]', '"[1,\"a\",null]"', '"<[1,\"a\",null]>"'],
    ['an object',
     '{"a": {"b": [true]}}', '{"a":{"b":[true]}}', '"{\"a\":{\"b\":[true]}}"', '"<{\"a\":{\"b\":[true]}}>"'],
) {
    my ($name, $claim, $header, $value, $inside) = @$case;

    my $response = ask('/shows', jwt(claims(c => $claim), $SECRET));
    my $member = $value eq 'null' ? '' : qq("if_any":$value,);

    is($response->body, qq({"claim":$value,${member}"inside":$inside}),
       "a claim that is $name, in a response");
    is($response->header('X-Claim'), $header, "a claim that is $name, in a header");
    is($response->has_header('X-Claim'), $header ne '',
       "a claim that is $name: whether there is a header");
}

for my $name ("\\r\\nX-Forged: 1", "\\nX-Forged: 1", "\\r\\n\\r\\nforged") {
    my $response = ask('/shows', jwt(claims(c => qq("a$name")), $SECRET));

    unlike($response->raw_headers, qr/[\r\n]X-Forged/, "no claim makes a header: $name");
    is($response->body, '{"error":"bad_token"}', "nor is it a token: $name");
}

for my $case (
    ['in an object', realm_access => '{"roles":["a","b"]}', nested => '["a","b"]'],
    ['in an object, a text', realm_access => '{"roles":"a"}', nested => 'a'],
    ['in an object that has others', realm_access => '{"x":1}', undef],
    ['in what is no object', realm_access => '"roles"', undef],
    ['in a list', realm_access => '["roles"]', undef],
    ['in an object, but null', realm_access => '{"roles":null}', undef],
    ['in an object in an object', a => '{"b":{"c":5}}', deep => '5'],
    ['not as deep', a => '{"b":5}', undef],
    ['a line end deep down', a => '{"b":{"c":"x\r\nX-Y: z"}}', undef],
    ['a zero deep down', a => '{"b":{"c":"\u0001"}}', undef],
    ['on the wrong level', b => '{"c":5}', undef],
    ['of an odd name', 'https://example.com/tenant id' => '"x y"', odd => 'x y'],
    ['of a name with capitals', clientId => '"c1"', upper => 'c1'],
    ['of a name in other capitals', clientid => '"c1"', undef],
    ['of a long name', $long_name => '1', undef],
) {
    my ($name, $claim, $value, $variable, $text) = @$case;

    my $member = defined $variable ? qq(,"$variable":) . Tasks::JSON::show($text) : '';

    is(ask('/shows', jwt(claims($claim => $value), $SECRET))->body, qq({"claim":null,"inside":"<>"$member}),
       "tasks_jwt_set: a claim $name");
}

is(ask('/early', jwt(claims(), $SECRET))->body, '<alice>',
   '$tasks_jwt_sub in front of the content phase');
is(ask('/early', jwt(claims(), $OTHER))->body, '<>', 'nothing of a token that is not verified');
is(ask('/early', jwt(claims(exp => time - 1), $SECRET))->body, '<>',
   'nor of one that has expired');

# Tenants

my @TENANTS = ('alice', 'Alice', 'alic', 'alice}', '{alice}', 'alice:task', '%61lice', "al\xc3\xadce", 'a/../b', '*',
               'alice ', 'x' x 255);
my $id = 100;

for my $tenant (@TENANTS) {
    put(Tasks::base_key('t', $tenant), ++$id);
}

$id = 100;

for my $tenant (@TENANTS) {
    my $token = jwt(claims(sub => qq("$tenant")), $SECRET);
    my $mine = ++$id;

    is(ask('/scoped', $token)->body, qq([{"id":$mine,"n":$mine,"status":"a"}]), "a tenant sees its own: \"$tenant\"");

    my @seen = grep { ask("/scoped/$_", $token)->status ne '404' } grep { $_ != $mine } 101 .. 100 + @TENANTS;

    is("@seen", '', "and nothing of others: \"$tenant\"");
}

{
    my $response = http($nginx->port, 'POST', '/scoped/101/cancel',
                        headers => { Authorization => 'Bearer ' . jwt(claims(sub => '"Alice"'), $SECRET) });

    is(outcome($response), '404 not_found', "a cancel of another tenant's task");
    is(redis('HGET', 'tasks:{t:alice}:task:101', 'status'), '"a"', 'changes nothing');
}

is(outcome(ask('/scoped/1', jwt(claims(sub => undef), $SECRET))), '401 unauthorized',
   'no scope: no sub');
is(outcome(ask('/scoped/1', jwt(claims(sub => '""'), $SECRET))), '401 unauthorized',
   'no scope: an empty sub');
is(outcome(ask('/scoped/1', jwt(claims(sub => '"' . 'x' x 256 . '"'), $SECRET))), '401 unauthorized',
   'no scope: 256 bytes');

# What must be refused.  Each token is good but for what its name says.

my $header = base64url('{"alg":"HS256","typ":"JWT"}');
my $payload = base64url(claims());

is_taken('/strict/1', 'the token that the next ones are made of', by_hand("$header.$payload"));


sub by_hand { return jws($_[0], signature('HS256', $_[0], $SECRET)) }

sub headed { return jwt(claims(), $SECRET, header => $_[0]) }

sub claimed { return jwt(claims(@_), $SECRET) }

sub unsigned { return base64url($_[0]) . ".$payload." }

sub headed_by {
    my ($alg, $sign, $key) = @_;
    my $text = base64url(qq({"alg":"$alg","typ":"JWT"})) . ".$payload";
    return jws($text, signature($sign, $text, $key));
}

# of an algorithm, with its signature changed

sub resigned {
    my ($alg, $change) = @_;
    my $text = base64url(qq({"alg":"$alg"})) . ".$payload";
    return jws($text, $change->(signature($alg, $text, $KEY{$alg})));
}

sub slurp { return Tasks::slurp(@_) }

# A part's text with bits set that no byte has: it decodes to the same bytes.

sub stray {
    my ($part) = @_;

    my $alphabet = join '', 'A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_';

    die "$part has no such bits\n" if length($part) % 4 == 0;

    substr($part, -1) = substr $alphabet, index($alphabet, substr $part, -1) + 1, 1;

    return $part;
}

# JSON with spaces behind it until its text has bits to spare.

sub spared {
    my ($json) = @_;

    $json .= ' ' until length($json) % 3;

    return base64url($json);
}

# The same, in base64 with the padding that it needs.

sub padded {
    my ($json) = @_;

    $json .= ' ' until length($json) % 3;

    return encode_base64($json, '') =~ tr{+/}{-_}r;
}

my $now = time;
my $jwk = '"jwk":{"kty":"oct","k":"' . base64url($OTHER) . '"}';
my $n = "\xff\xff\xff\xff\0\0\0\0" . "\xff" x 8 . "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
my ($h, $p, $s) = split /\./, by_hand("$header.$payload");
my $zeros = base64url("\0" x 32);
my $plus = base64_plain('{"alg":"HS256","x":">>>???"}');

sub base64_plain { return encode_base64($_[0], '') =~ s/=+$//r }

die "no + in $plus\n" unless $plus =~ /[+\/]/;

for my $case (
    # no signature, and another algorithm than the key's
    ['alg "none"',              unsigned('{"alg":"none"}')],
    ['alg "None"',              unsigned('{"alg":"None"}')],
    ['alg "NONE"',              unsigned('{"alg":"NONE"}')],
    ['alg "nOnE"',              unsigned('{"alg":"nOnE"}')],
    ['alg "none" with a signature', headed('{"alg":"none"}')],
    ['alg ""',                  headed('{"alg":""}')],
    ['alg "", no signature',    unsigned('{"alg":""}')],
    ['no alg',                  headed('{"typ":"JWT"}')],
    ['no alg, no signature',    unsigned('{"typ":"JWT"}')],
    ['alg a number',            headed('{"alg":256}')],
    ['alg a list',              headed('{"alg":["HS256"]}')],
    ['alg an object',           headed('{"alg":{"alg":"HS256"}}')],
    ['alg null',                headed('{"alg":null}')],
    ['alg true',                headed('{"alg":true}')],
    ['alg in lower case',       headed('{"alg":"hs256"}')],
    ['alg with a space',        headed('{"alg":"HS256 "}')],
    ['alg with more',           headed('{"alg":"HS2567"}')],
    ['alg shorter',             headed('{"alg":"HS25"}')],
    ['alg with a zero',         headed('{"alg":"HS256\u0000"}')],
    ['"Alg" for alg',           headed('{"Alg":"HS256"}')],
    ['alg in the payload only', jwt(claims(alg => '"HS256"'), $SECRET, header => '{}')],
    ['HS384 where the key is for HS256', headed_by('HS384', 'HS384', $SECRET)],
    ['HS512 where the key is for HS256', headed_by('HS512', 'HS512', $SECRET)],
    ['HS256 with a signature of HS384', headed_by('HS256', 'HS384', $SECRET)],
    ['HS256 with the half of one of HS512',
     jws("$header.$payload", substr signature('HS512', "$header.$payload", $SECRET), 0, 32)],
    ['HS256 with the first bytes of one of HS384',
     jws("$header.$payload", substr hmac_sha384("$header.$payload", $SECRET), 0, 32)],
    ['alg duplicate, the last one good', headed('{"alg":"none","alg":"HS256"}')],
    ['alg duplicate, the first one good', headed('{"alg":"HS256","alg":"none"}')],
    ['alg duplicate, both good', headed('{"alg":"HS256","alg":"HS256"}')],
    ['alg duplicate, one escaped', headed('{"alg":"HS256","\u0061lg":"HS256"}')],

    # confused keys
    ['HS256 by another secret', jwt(claims(), $OTHER)],
    ['HS256 by no secret',      jwt(claims(), '')],
    ['HS256 by the secret and a line end', jwt(claims(), "$SECRET\n")],
    ['HS256 by the text of the RSA key', jwt(claims(), slurp($RSA_PUBLIC))],
    ['HS256 by that text without its line end', jwt(claims(), slurp($RSA_PUBLIC) =~ s/\n\z//r)],
    ['HS256 by the text of the EC key', jwt(claims(), slurp($EC_PUBLIC))],
    ['HS256 by the text of the Ed25519 key', jwt(claims(), slurp($ED_PUBLIC))],
    ['HS256 by the name of the key file', jwt(claims(), 'keys/hs256.key')],
    ['RS256 by the HS256 secret', headed_by('RS256', 'HS256', $SECRET)],
    ['ES256 by the HS256 secret', headed_by('ES256', 'HS256', $SECRET)],
    ['EdDSA by the HS256 secret', headed_by('EdDSA', 'HS256', $SECRET)],
    ['RS256 by another key',    jwt(claims(), $FOREIGN_RSA, alg => 'RS256')],
    ['ES256 by another key',    jwt(claims(), $FOREIGN_EC, alg => 'ES256')],
    ['EdDSA by another key',    jwt(claims(), $FOREIGN_ED, alg => 'EdDSA')],
    ['RS256 with a signature of ES256', headed_by('RS256', 'ES256', $EC)],
    ['ES256 with a signature of EdDSA', headed_by('ES256', 'EdDSA', $ED)],
    ['EdDSA with a signature of ES256', headed_by('EdDSA', 'ES256', $EC)],
    ['RS256 with SHA-1',        headed_by('RS256', 'RS1', $RSA)],
    ['RS256 with PSS',          headed_by('RS256', 'PS256', $RSA)],
    ['PS256 by the RSA key',    headed_by('PS256', 'PS256', $RSA)],
    ['RS512 by the RSA key',    headed_by('RS512', 'RS256', $RSA)],
    ['ES384 by a key of P-384', headed_by('ES384', 'ES384', $P384)],
    ['ES256 by a key of P-384', headed_by('ES256', 'ES384', $P384)],
    ['"Ed25519" for EdDSA',     headed_by('Ed25519', 'EdDSA', $ED)],
    ['a key in the header',     jwt(claims(), $OTHER, header => qq({"alg":"HS256",$jwk}))],
    ['a key in the header, RS256', jwt(claims(), $FOREIGN_RSA, alg => 'RS256',
                                       header => '{"alg":"RS256","jku":"http://127.0.0.1/k","x5c":["x"]}')],

    # signatures
    ['no signature',            "$h.$p."],
    ['a signature of zeros',    "$h.$p.$zeros"],
    ['a signature that lacks a byte', resigned('HS256', sub { substr $_[0], 0, 31 })],
    ['a signature that lacks a character', "$h.$p." . substr $s, 0, -1],
    ['half a signature',        resigned('HS256', sub { substr $_[0], 0, 16 })],
    ['one byte of the signature', resigned('HS256', sub { substr $_[0], 0, 1 })],
    ['a signature with one byte more', resigned('HS256', sub { "$_[0]\0" })],
    ['a signature twice',       resigned('HS256', sub { $_[0] x 2 })],
    ['a signature in hex',      "$h.$p." . unpack 'H*', signature('HS256', "$h.$p", $SECRET)],
    ['the signature of another token', "$h.$p." . (split /\./, claimed(sub => '"bob"'))[2]],
    ['the payload of another token', join '.', $h, (split /\./, claimed(sub => '"bob"'))[1], $s],
    ['the header of another token', join '.', base64url('{"alg":"HS256"}'), $p, $s],
    ['a signature of the payload only', jws("$h.$p", signature('HS256', $p, $SECRET))],
    ['a signature of the decoded text',
     jws("$h.$p", signature('HS256', '{"alg":"HS256","typ":"JWT"}.' . claims(), $SECRET))],
    ['RS256: no signature',     resigned('RS256', sub { '' })],
    ['RS256: zeros',            resigned('RS256', sub { "\0" x 256 })],
    ['RS256: the number one',   resigned('RS256', sub { "\0" x 255 . "\1" })],
    ['RS256: all bits',         resigned('RS256', sub { "\xff" x 256 })],
    ['RS256: a byte less',      resigned('RS256', sub { substr $_[0], 1 })],
    ['RS256: a zero in front',  resigned('RS256', sub { "\0$_[0]" })],
    ['RS256: a byte more',      resigned('RS256', sub { "$_[0]\0" })],
    ['RS256: one bit',          resigned('RS256', sub { $_[0] ^ "\0" x 200 . "\1" })],
    ['ES256: no signature',     resigned('ES256', sub { '' })],
    ['ES256: zeros',            resigned('ES256', sub { "\0" x 64 })],
    ['ES256: r is zero',        resigned('ES256', sub { "\0" x 32 . substr $_[0], 32 })],
    ['ES256: s is zero',        resigned('ES256', sub { substr($_[0], 0, 32) . "\0" x 32 })],
    ['ES256: r and s are one',  resigned('ES256', sub { ("\0" x 31 . "\1") x 2 })],
    ['ES256: r is the order',   resigned('ES256', sub { $n . substr $_[0], 32 })],
    ['ES256: r and s are the order', resigned('ES256', sub { $n x 2 })],
    ['ES256: all bits',         resigned('ES256', sub { "\xff" x 64 })],
    ['ES256: r and s swapped',
     resigned('ES256', sub { substr($_[0], 32) . substr $_[0], 0, 32 })],
    ['ES256: a byte less',      resigned('ES256', sub { substr $_[0], 0, 63 })],
    ['ES256: a byte more',      resigned('ES256', sub { "$_[0]\0" })],
    ['ES256: two bytes more, one each',
     resigned('ES256', sub { "\0" . substr($_[0], 0, 32) . "\0" . substr $_[0], 32 })],
    ['ES256: 132 bytes, as of P-521',
     resigned('ES256', sub { "\0" x 34 . substr($_[0], 0, 32) . "\0" x 34 . substr $_[0], 32 })],
    ['ES256: 4000 bytes',       resigned('ES256', sub { "\xff" x 4000 })],
    ['ES256: r only',           resigned('ES256', sub { substr $_[0], 0, 32 })],
    ['ES256: in DER',           resigned('ES256', sub { der($_[0]) })],
    ['EdDSA: no signature',     resigned('EdDSA', sub { '' })],
    ['EdDSA: zeros',            resigned('EdDSA', sub { "\0" x 64 })],
    ['EdDSA: the neutral point', resigned('EdDSA', sub { "\1" . "\0" x 63 })],
    ['EdDSA: a byte less',      resigned('EdDSA', sub { substr $_[0], 0, 63 })],
    ['EdDSA: a byte more',      resigned('EdDSA', sub { "$_[0]\0" })],
    ['EdDSA: one bit',          resigned('EdDSA', sub { $_[0] ^ "\0" x 40 . "\1" })],
    ['EdDSA: s with the order added',
     resigned('EdDSA', sub { substr($_[0], 0, 32) . add_order(substr $_[0], 32) })],

    # parts
    ['a word',                  'abc'],
    ['a dot',                   '.'],
    ['two dots',                '..'],
    ['three dots',              '...'],
    ['the header only',         $h],
    ['two parts',               "$h.$p"],
    ['header and signature',    "$h.$s"],
    ['an empty header',         by_hand(".$payload")],
    ['an empty payload',        by_hand("$header.")],
    ['both empty',              by_hand('.')],
    ['a part more',             "$h.$p.$s.$s"],
    ['an empty part more',      "$h.$p.$s."],
    ['an empty part in front',  ".$h.$p.$s"],
    ['an empty part within',    "$h..$p.$s"],
    ['five parts, as of an encrypted one', "$h.$p.$p.$p.$s"],
    ['a part more, signed',     by_hand("$header.$payload.$payload")],
    ['a token in a token',      by_hand("$header." . base64url(by_hand("$header.$payload")))],
    ['JSON serialization',      qq({"protected":"$h","payload":"$p","signature":"$s"})],

    # the text of parts
    ['"=" behind the header',   by_hand("$header=.$payload")],
    ['"==" behind the payload', by_hand("$header.$payload==")],
    ['"=" behind the signature', "$h.$p.$s="],
    ['"=" within the payload',
     by_hand("$header." . substr($payload, 0, 8) . '=' . substr $payload, 8)],
    ['"=" in front of the payload', by_hand("$header.=$payload")],
    ['padding that is right elsewhere', by_hand("$header." . padded(claims()))],
    ['plain base64: "+" and "/"', by_hand("$plus.$payload")],
    ['"!" in the header',       by_hand("$header!!!!.$payload")],
    ['"!" in the payload',      by_hand("$header.$payload!!!!")],
    ['"!" in the signature',    "$h.$p." . substr($s, 0, -1) . '!'],
    ['a percent escape',        by_hand("$header." . ($payload =~ s/^e/%65/r))],
    ['bytes beyond ASCII',      by_hand("$header.\xc3\xa9$payload")],
    ['a single character more',
     by_hand($header . 'A' x (1 + (4 - length($header) % 4) % 4) . ".$payload")],
    ['stray bits of the header', by_hand(stray(spared('{"alg":"HS256"}')) . ".$payload")],
    ['stray bits of the payload', by_hand("$header." . stray(spared(claims())))],
    ['stray bits of the signature', "$h.$p." . stray($s)],

    # JSON
    ['something behind the header', headed('{"alg":"HS256"}x')],
    ['another object behind the header', headed('{"alg":"HS256"}{}')],
    ['a header that is a list', headed('[{"alg":"HS256"}]')],
    ['a header that is a string', headed('"HS256"')],
    ['a header that is a number', headed('256')],
    ['a header that is null',   headed('null')],
    ['a header that is no JSON', headed('alg=HS256')],
    ['a header that is cut',    headed('{"alg":"HS256"')],
    ['a header of spaces',      headed('   ')],
    ['a header of 2100 lists',  headed('{"alg":"HS256","a":' . '[' x 2100 . ']' x 2100 . '}')],
    ['a header of 4000 lists, open', headed('{"alg":"HS256","a":' . '[' x 4000)],
    ['something behind the payload', jwt(claims() . 'x', $SECRET)],
    ['another object behind the payload', jwt(claims() . claims(sub => '"bob"'), $SECRET)],
    ['a comma behind the payload', jwt(claims() . ',', $SECRET)],
    ['a zero byte behind the payload', jwt(claims() . "\0", $SECRET)],
    ['a byte order mark',       jwt("\xef\xbb\xbf" . claims(), $SECRET)],
    ['UTF-16',                  jwt(join('', map { "$_\0" } split //, claims()), $SECRET)],
    ['a payload that is a list', jwt('[' . claims() . ']', $SECRET)],
    ['a payload that is a string', jwt('"alice"', $SECRET)],
    ['a payload that is a number', jwt('4000000000', $SECRET)],
    ['a payload that is true',  jwt('true', $SECRET)],
    ['a payload that is null',  jwt('null', $SECRET)],
    ['a payload that is no JSON', jwt("sub=alice&exp=4000000000", $SECRET)],
    ['a payload that is cut',   jwt(substr(claims(), 0, -1), $SECRET)],
    ['a comma at the end of it', jwt(claims() =~ s/\}$/,}/r, $SECRET)],
    ['single quotes',           jwt(claims() =~ tr/"/'/r, $SECRET)],
    ['a comment',               jwt(claims() =~ s/\}$/\/**\/}/r, $SECRET)],
    ['a payload of 2900 lists', claimed(a => '[' x 2900 . ']' x 100)],
    ['2100 lists, all closed',  claimed(a => '[' x 2100 . ']' x 2100)],
    ['a zero byte in a claim',  claimed(a => qq("x\0y"))],
    ['an escaped zero in a claim', claimed(sub => '"alice\u0000bob"')],
    ['an escaped zero in a name', claimed('sub\u0000' => '"bob"')],
    ['a line end in a claim',   claimed(a => qq("x\ny"))],
    ['bad UTF-8',               claimed(a => qq("\xff"))],
    ['UTF-8 that is cut',       claimed(a => qq("\xc3"))],
    ['overlong UTF-8',          claimed(a => qq("\xc0\xaf"))],
    ['half a surrogate pair',   claimed(a => '"\ud800"')],
    ['half a surrogate pair in UTF-8', claimed(a => qq("\xed\xa0\x80"))],
    ['sub duplicate',           jwt(claims() =~ s/\}$/,"sub":"bob"}/r, $SECRET)],
    ['exp duplicate',           jwt(claims() =~ s/\}$/,"exp":4000000000}/r, $SECRET)],
    ['a duplicate by an escape', jwt(claims() =~ s/\}$/,"s\\u0075b":"bob"}/r, $SECRET)],
    ['a duplicate deeper down', claimed(a => '{"b":1,"b":2}')],

    # extensions
    ['crit',                    headed('{"alg":"HS256","crit":["exp"],"exp":1}')],
    ['crit that is empty',      headed('{"alg":"HS256","crit":[]}')],
    ['crit that is null',       headed('{"alg":"HS256","crit":null}')],
    ['crit that is a string',   headed('{"alg":"HS256","crit":"exp"}')],
    ['b64 false, and crit',
     jws(base64url('{"alg":"HS256","b64":false,"crit":["b64"]}') . ".$payload",
                                    signature('HS256', base64url('{"alg":"HS256","b64":false,"crit":["b64"]}')
                                                       . '.' . claims(), $SECRET))],
    ['kid a number',            headed('{"alg":"HS256","kid":1}')],
    ['kid a list',              headed('{"alg":"HS256","kid":["a"]}')],

    # times
    ['no exp',                  claimed(exp => undef), 'bad_token exp'],
    ['exp a string',            claimed(exp => '"4000000000"'), 'bad_token exp'],
    ['exp null',                claimed(exp => 'null'), 'bad_token exp'],
    ['exp true',                claimed(exp => 'true'), 'bad_token exp'],
    ['exp false',               claimed(exp => 'false'), 'bad_token exp'],
    ['exp a list',              claimed(exp => '[4000000000]'), 'bad_token exp'],
    ['exp an object',           claimed(exp => '{"exp":4000000000}'), 'bad_token exp'],
    ['exp one level down',
     claimed(exp => undef, a => '{"exp":4000000000}'), 'bad_token exp'],
    ['exp in the header',
     jwt(claims(exp => undef), $SECRET, header => '{"alg":"HS256","exp":4000000000}'), 'bad_token exp'],
    ['"Exp" for exp',           claimed(exp => undef, Exp => 4000000000), 'bad_token exp'],
    ['exp 1e400',               claimed(exp => '1e400')],
    ['exp of 30 digits',        claimed(exp => '9' x 30)],
    ['exp NaN',                 claimed(exp => 'NaN')],
    ['exp Infinity',            claimed(exp => 'Infinity')],
    ['exp in hex',              claimed(exp => '0xffffffff')],
    ['exp with a plus',         claimed(exp => '+4000000000')],
    ['exp with a leading zero', claimed(exp => '04000000000')],
    ['exp negative',            claimed(exp => '-4000000000'), 'expired_token exp'],
    ['exp 0',                   claimed(exp => '0'), 'expired_token exp'],
    ['exp -1e300',              claimed(exp => '-1e300'), 'expired_token exp'],
    ['exp a moment ago',        claimed(exp => $now - 1), 'expired_token exp'],
    ['exp a year ago',          claimed(exp => $now - 31536000), 'expired_token exp'],
    ['exp a fraction, past',    claimed(exp => $now - 1 . '.5'), 'expired_token exp'],
    ['nbf in the future',       claimed(nbf => $now + 600), 'early_token nbf'],
    ['nbf far in the future',   claimed(nbf => '1e300'), 'early_token nbf'],
    ['nbf a string',            claimed(nbf => '"0"'), 'bad_token nbf'],
    ['nbf null',                claimed(nbf => 'null'), 'bad_token nbf'],
    ['nbf false',               claimed(nbf => 'false'), 'bad_token nbf'],
    ['nbf -1e400',              claimed(nbf => '-1e400')],
    ['iat in the future',       claimed(iat => $now + 600), 'early_token iat'],
    ['iat a string',            claimed(iat => '"0"'), 'bad_token iat'],
    ['iat null',                claimed(iat => 'null'), 'bad_token iat'],
    ['expired and forged',      jwt(claims(exp => 1), $OTHER)],

    # whose it is and for whom
    ['no sub',                  claimed(sub => undef), 'bad_token sub'],
    ['sub null',                claimed(sub => 'null'), 'bad_token sub'],
    ['sub a number',            claimed(sub => '7'), 'bad_token sub'],
    ['sub a list',              claimed(sub => '["alice"]'), 'bad_token sub'],
    ['sub in a sub',            claimed(sub => '{"sub":"alice"}'), 'bad_token sub'],
    ['jti a number',            claimed(jti => '7'), 'bad_token jti'],
    ['no iss',                  claimed(iss => undef), 'bad_token iss'],
    ['iss another',             claimed(iss => '"https://evil.example/"'), 'bad_token iss'],
    ['iss a part of it',        claimed(iss => '"https://id.example"'), 'bad_token iss'],
    ['iss more than it',        claimed(iss => '"https://id.example/x"'), 'bad_token iss'],
    ['iss in another case',     claimed(iss => '"https://ID.example/"'), 'bad_token iss'],
    ['iss with a space',        claimed(iss => '" https://id.example/"'), 'bad_token iss'],
    ['iss empty',               claimed(iss => '""'), 'bad_token iss'],
    ['iss a list',              claimed(iss => qq(["$ISSUER"])), 'bad_token iss'],
    ['iss a number',            claimed(iss => '1'), 'bad_token iss'],
    ['no aud',                  claimed(aud => undef), 'bad_token aud'],
    ['aud another',             claimed(aud => '"billing"'), 'bad_token aud'],
    ['aud a part of it',        claimed(aud => '"tasks"'), 'bad_token aud'],
    ['aud more than it',        claimed(aud => '"tasks-api2"'), 'bad_token aud'],
    ['aud in another case',     claimed(aud => '"Tasks-API"'), 'bad_token aud'],
    ['aud empty',               claimed(aud => '""'), 'bad_token aud'],
    ['aud null',                claimed(aud => 'null'), 'bad_token aud'],
    ['aud a number',            claimed(aud => '1'), 'bad_token aud'],
    ['aud an object',           claimed(aud => qq({"$AUDIENCE":true})), 'bad_token aud'],
    ['aud an empty list',       claimed(aud => '[]'), 'bad_token aud'],
    ['aud a list of others',    claimed(aud => '["a","b"]'), 'bad_token aud'],
    ['aud a list with a number', claimed(aud => qq(["$AUDIENCE",1])), 'bad_token aud'],
    ['aud a list with null',    claimed(aud => qq([null,"$AUDIENCE"])), 'bad_token aud'],
    ['aud a list in a list',    claimed(aud => qq([["$AUDIENCE"]])), 'bad_token aud'],

    # what is around it
    ['11 KB',                   claimed(a => '"' . 'x' x 8192 . '"')],
    ['40 KB',                   claimed(a => '"' . 'x' x 30000 . '"')],
    ['"Bearer" twice',          "Bearer $h.$p.$s"],
    ['a tab in front',          "\t$h.$p.$s"],
    ['a tab behind',            "$h.$p.$s\t"],
    ['a space within',          "$h.$p .$s"],
    ['two tokens',              "$h.$p.$s $h.$p.$s"],
    ['two tokens and a comma',  "$h.$p.$s, Bearer $h.$p.$s"],
    ['a comma behind',          "$h.$p.$s,"],
    ['in quotes',               qq("$h.$p.$s")],
    ['with a name',             "token=$h.$p.$s"],
    ['a quoted string within',  qq($h."$p".$s)],
) {
    my ($name, $token, $why) = @$case;

    is_refused('/strict/1', $name, $token, $why);
}


# r and s as two DER integers in a sequence

sub der {
    my ($raw) = @_;

    my $integers = join '', map {
        my $bytes = s/^\0+//r;
        $bytes = "\0$bytes" if ord($bytes) & 0x80;
        pack 'C C a*', 2, length $bytes, $bytes;
    } substr($raw, 0, 32), substr $raw, 32;

    return pack 'C C a*', 0x30, length $integers, $integers;
}


# Ed25519: s is little-endian, below the order

sub add_order {
    my ($s) = @_;

    my @order = unpack 'C*', pack 'H*', 'edd3f55c1a631258d69cf7a2def9de14' . '0' x 30 . '10';
    my $carry = 0;

    return join '', map {
        my $sum = ord(substr $s, $_, 1) + $order[$_] + $carry;
        $carry = $sum >> 8;
        chr($sum & 0xff);
    } 0 .. 31;
}


# One character changed, anywhere

{
    my $token = by_hand("$header.$payload");
    my @taken = grep {
        my $changed = $token;
        substr($changed, $_, 1) = substr($token, $_, 1) eq 'A' ? 'B' : 'A';
        outcome(ask('/strict/1', $changed)) ne '401 bad_token';
    } 0 .. length($token) - 1;

    is("@taken", '', 'each one character changed: refused, ' . length $token);

    @taken = grep { outcome(ask('/strict/1', substr $token, 0, $_)) ne '401 bad_token' } 1 .. length($token) - 1;
    is("@taken", '', 'cut anywhere: refused');
}

is_taken('/strict/1', 'after all of that a good one is still good', by_hand("$header.$payload"));

# What nobody is told.  nginx itself tells a header that is there twice.

my $log = $nginx->error_log =~ s/^.* client sent duplicate header line: .*\n//mgr;

for my $secret ($SECRET, @SECRET{sort keys %SECRET}) {
    is(index($SAID, $secret), -1, 'no secret in an answer');
    is(index($log, $secret), -1, 'no secret in the log');
}

for my $part ($h, $p, $s) {
    is(index($SAID, $part), -1, 'no part of a token in an answer');
    is(index($log, $part), -1, 'no part of a token in the log');
}

unlike($SAID, qr/\Q$RSA_PUBLIC\E|BEGIN|hs256\.key/, 'no key and no name of one in an answer');

# With all that nginx can log, if it is built for that: there it tells headers
# and variables, but the module tells nothing of them.

{
    my $debug = `@{[Tasks::Nginx::binary()]} -V 2>&1` =~ /--with-debug/ ? 'debug' : 'info';

    my $nginx = start_nginx(<<'END', log_level => $debug, files => $files);
    location /cookie { tasks_api apis/t.json; tasks_pass main; tasks_auth jwt; tasks_scope $tasks_jwt_sub;
                       tasks_jwt_key HS256 keys/hs256.key; tasks_jwt_key HS512 keys/hs512.key;
                       tasks_jwt_token $cookie_session; }
END

    for my $token (by_hand("$header.$payload"), claimed(exp => 1), jwt(claims(), $OTHER)) {
        http($nginx->port, 'GET', '/cookie', headers => { Cookie => "session=$token" });
        my ($h, $p, $s) = split /\./, $token;

        my @lines = grep { !/ (?:http|parse) header: "Cookie: | http script var: / } split /\n/, $nginx->error_log;

        ok(@lines > 0, 'there is a log');
        is_deeply([grep { index($_, $s) >= 0 || index($_, $p) >= 0 } @lines], [],
                  "no token in the log of $debug");
        is_deeply([grep { index($_, $SECRET) >= 0 || index($_, $SECRET{HS512}) >= 0 } @lines], [],
                  "no secret in the log of $debug");
    }
}

done_testing();
