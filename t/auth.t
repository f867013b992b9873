# Authentication among everything else that nginx does: what is required and in
# which order, subrequests and redirects, variables in other phases, other ways to
# know a client, HTTP/2, reloads; and that a foreign task is as none at all.

use lib 't/lib';
use Tasks ':live';

use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);

use Tasks::HTTP;
use Tasks::JWT;
use Tasks::Library;
use Tasks::Load;
use Tasks::Nginx;

my %SECRET = map { $_ => "of-\L$_\E-" . 'z' x 40 } qw(A B old new);

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "cancel": {"from": ["a"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "query": {"limit": {"type": "integer", "role": "limit"}}, "response": {"tasks": "$tasks", "sub": "$tasks_jwt_sub?"},
     "errors": {"forbidden": {"message": "You may not list"}}},
    {"action": "get", "path": "/{id}", "response": "$task",
     "errors": {"no_team": {"message": "Which team has it?"}}},
    {"action": "cancel", "path": "/{id}/cancel", "response": {"cancelled": "$id"},
     "errors": {"forbidden": {"status": 409, "message": "You may not cancel"}}},
    {"action": "none", "path": "/stats"}],
 "errors": {
    "default": {"body": {"error": "$tasks_error", "message": "$message"}},
    "unauthorized": {"headers": {"WWW-Authenticate": "Bearer"}},
    "no_token": {"message": "Who are you?"},
    "no_team": {"like": "forbidden", "status": 400, "message": "Which team?"}}}
END

my $task = '{"id":1,"n":1,"status":"a"}';
my $whole = qq({"tasks":[$task]});
my %SAYS = (
    no_token     => '401 {"error":"no_token","message":"Who are you?"}',
    bad_token    => '401 {"error":"bad_token","message":"Invalid token"}',
    unauthorized => '401 {"error":"unauthorized","message":"Unauthorized"}',
    forbidden    => '403 {"error":"forbidden","message":"Forbidden"}',
    not_found    => '404 {"error":"not_found","message":"Task not found"}',
    no_route     => '404 {"error":"no_route","message":"Not found"}',
    bad_method   => '405 {"error":"bad_method","message":"Method not allowed"}',
    list_no_team => '400 {"error":"no_team","message":"You may not list"}',
    no_list      => '403 {"error":"forbidden","message":"You may not list"}',
    no_get       => '400 {"error":"no_team","message":"Which team has it?"}',
    no_cancel    => '409 {"error":"forbidden","message":"You may not cancel"}',
    bad_limit    => '400 {"error":"bad_parameter","message":"limit is not of the right type"}',
    task         => "200 $task",
    list         => "200 $whole",
);

my %KEY = map { $_ => "tasks_jwt_key HS256 keys/$_.key;" } keys %SECRET;
my $pass = 'tasks_api apis/t.json; tasks_pass main;';
my %jwt = map { $_ => "$pass tasks_auth jwt; $KEY{$_}" } keys %SECRET;
my %files = ('conf/apis/t.json' => $definition, map { ("conf/keys/$_.key" => $SECRET{$_}) } keys %SECRET);

my ($inherits, $app, $tls) = map { Tasks::Nginx::free_port() } 1 .. 3;
my $certificates = certificates();

my $nginx = start_nginx(<<"END", worker_connections => 256, files => { %files,
    location /require { $pass tasks_require \$arg_a; }
    location /several { $pass tasks_require \$arg_a error=no_team; tasks_require "\$arg_b" error=forbidden;
                        tasks_require \$arg_c error=unauthorized; }
    location /text    { $pass tasks_require "\$arg_a\$arg_b"; }
    location /outer   { tasks_require \$arg_a; $pass
                        location /outer/same { $pass }
                        location /outer/own  { $pass tasks_require \$arg_b error=no_team; }
                        location /outer/none { $pass tasks_require 1; } }
    location /actions { $pass tasks_require \$action error=no_team; }
    location /order   { $jwt{A} tasks_require \$arg_ok; tasks_scope \$arg_scope; }

    location /a       { $jwt{A} }
    location /b       { $jwt{B} }
    location /scoped  { $jwt{A} tasks_scope \$tasks_jwt_sub; }
    location /keyed   { $pass tasks_auth credential; tasks_credential \$http_x_api_key; tasks_scope \$tasks_credential_owner; }

    location = /page  { default_type text/html; ssi on; root html; try_files /page.html =404; }
    location = /mine  { default_type text/html; ssi on; root html; try_files /mine.html =404; }
    location = /may   { default_type text/html; ssi on; root html; try_files /may.html =404; }
    location /scoped-b { $jwt{B} tasks_scope \$tasks_jwt_sub; }
    location = /gate  { $jwt{A} tasks_require \$tasks_jwt_role; }
    location = /guarded { auth_request /gate; root html; try_files /guarded.txt =404; }

    location /to-b    { $jwt{A} tasks_intercept_errors on; error_page 404 = /b/1; error_page 401 = /b; }
    location /to-show { $jwt{A} tasks_intercept_errors on; error_page 404 = /show; }
    location /to-if   { $jwt{A} tasks_intercept_errors on; error_page 404 = /if-b/1; }
    location /to-text { $jwt{A} tasks_intercept_errors on; error_page 401 404 = /plain; }
    location /falls-b { $jwt{A} tasks_fallback \@b; }
    location /falls   { $jwt{A} tasks_fallback \@app; }
    location = /show  { $KEY{B} return 200 "<\$tasks_jwt_sub>"; }
    location = /plain { return 200 "plain"; }
    location /if-b    { $jwt{B} if (\$tasks_jwt_sub = alice) { return 200 "alice of A"; } }
    location \@b      { $KEY{B} return 200 "<\$tasks_jwt_sub>"; }
    location \@app    { return 200 "<\$tasks_jwt_sub>"; }

    location /if      { $jwt{A} if (\$tasks_jwt_role = banned) { return 403 "banned"; } }
    location /in-if   { $jwt{A} if (\$arg_x) { set \$x 1; } }
    location /limit   { $jwt{A} limit_req zone=user; limit_req_status 429; }
    location /method  { $jwt{A} limit_except GET { deny all; } }

    location = /verify { internal; proxy_pass http://127.0.0.1:$app; proxy_pass_request_body off;
                         proxy_set_header Content-Length ""; }
    location /asks    { $pass auth_request /verify; auth_request_set \$user \$upstream_http_x_user; tasks_scope \$user; }
    location /any     { $jwt{A} tasks_jwt_token \$cookie_jwt; satisfy any; deny all;
                        auth_basic x; auth_basic_user_file keys/htpasswd; }
    location /all     { $jwt{A} deny all; }

    access_log logs/tasks.log tasks;
END
    'conf/keys/htpasswd' => "ann:{PLAIN}secret\n",
    'html/page.html' => '[<!--# include virtual="/a/1" -->][<!--# include virtual="/b/1" -->][<!--# include virtual="/a/2" -->]',
    'html/mine.html' => '[<!--# include virtual="/scoped" -->][<!--# include virtual="/scoped-b" -->][<!--# include virtual="/keyed" -->]',
    'html/may.html' => '[<!--# include virtual="/actions" -->][<!--# include virtual="/actions/1" -->]',
    'html/guarded.txt' => 'guarded',
}, http_config => <<"HTTP");
    log_format tasks '\$request_uri \$status [\$tasks_action] [\$tasks_error] [\$tasks_jwt_sub] [\$tasks_credential_owner]';
    limit_req_zone \$tasks_jwt_sub zone=user:32k rate=1r/m;
    large_client_header_buffers 4 32k;

    map \$tasks_action \$action { volatile; list 1; get ""; cancel 0; }
    map \$ssl_client_verify \$verified { SUCCESS 1; }
    map \$ssl_client_s_dn \$common_name { "~(^|,)CN=(?<cn>[^,]+)" \$cn; }

    server {
        listen 127.0.0.1:$inherits;
        tasks_auth jwt; $KEY{A} tasks_require \$arg_a; tasks_scope \$tasks_jwt_sub;
        location /in      { $pass }
        location /off     { $pass tasks_auth off; tasks_scope \$arg_a; }
        location /other   { $pass $KEY{B} }
        location /sorry   { $pass tasks_intercept_errors on; error_page 404 /page; }
        location /by-key  { $pass tasks_auth credential; tasks_scope \$tasks_credential_owner;
                            tasks_intercept_errors on; error_page 404 /page; }
        location = /page  { return 200 "<\$tasks_jwt_sub> <\$tasks_credential_owner>"; }
        tasks_credential \$http_x_api_key;
        access_log logs/tasks.log tasks;
    }
    server {
        listen 127.0.0.1:$app;
        if (\$http_authorization = "Bearer of-ann") { set \$who ann; }
        if (\$http_authorization = "Bearer of-nobody") { return 204; }
        if (\$who = "") { return 401; }
        add_header X-User \$who;
        location / { return 204; }
    }
    server {
        listen 127.0.0.1:$tls ssl http2;
        ssl_certificate $certificates/server.crt;
        ssl_certificate_key $certificates/server.key;
        ssl_client_certificate $certificates/ca.crt;
        ssl_verify_client optional_no_ca;
        location /cert   { $pass tasks_require \$verified error=unauthorized; tasks_scope \$common_name; }
        location /scoped { $jwt{A} tasks_scope \$tasks_jwt_sub; }
    }
HTTP

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

put('tasks:{t}', 1);
put('tasks:{t:alice}', 11);
put('tasks:{t:bob}', 22);
put('tasks:{t:ann}', 33);
redis('HSET', 'tasks:credential:' . sha256_hex("key-of-$_"), owner => $_) for qw(alice bob);


sub put {
    my ($base, $id) = @_;

    redis('FCALL', 't_put', 1, $base, $id, 'n', $id, 'status', '"a"');
}


# Of "A", by its key: an hour long, of alice if nothing else is said.

sub token {
    my ($by, %claims) = @_;

    %claims = (sub => 'alice', exp => time + 3600, %claims);

    return jwt('{' . join(',', map { qq("$_":) . ($claims{$_} =~ /^\d+$/ ? $claims{$_} : qq("$claims{$_}")) }
                               sort keys %claims) . '}', $SECRET{$by});
}


sub bearer { return (Authorization => 'Bearer ' . token(@_)) }


sub says {
    my ($response) = @_;

    return $response->status . ' ' . $response->body;
}


sub get { return says(request('GET', @_)) }


sub request {
    my ($method, $path, @headers) = @_;

    return http($nginx->port, $method, $path, headers => { @headers });
}


sub show {
    my ($id) = @_;

    return qq(200 {"id":$id,"n":$id,"status":"a"});
}


# What is required

for my $case (
    ['empty',        '',      'no_list'],
    ['"0"',          '0',     'no_list'],
    ['"false"',      'false', 'no_list'],
    ['"1"',          '1',     'list'],
    ['"true"',       'true',  'list'],
    ['"00"',         '00',    'list'],
    ['"False"',      'False', 'list'],
    ['"off"',        'off',   'list'],
    ['"null"',       'null',  'list'],
    ['"false0"',     'false0', 'list'],
) {
    my ($name, $value, $expected) = @$case;

    is(get("/require?a=$value"), $SAYS{$expected}, "tasks_require of $name");
}

is(get('/require'), $SAYS{no_list}, 'tasks_require of nothing');
is(get('/text?b=1'), $SAYS{list}, 'of a text with variables');
is(get('/text?a=0&b=0'), $SAYS{list}, 'all of it counts');
is(get('/text'), $SAYS{no_list}, 'and it is empty');

is(get('/several?a=1&b=1&c=1'), $SAYS{list}, 'several, all met');
is(get('/several?a=0&b=0&c=0'), $SAYS{list_no_team}, 'none met: the first one');
is(get('/several?a=1&b=0&c=0'), $SAYS{no_list}, 'the first one met: the second');
is(get('/several?a=1&b=1&c=0'), $SAYS{unauthorized}, 'two met: the third');
is(get('/several?a=0&b=1&c=1'), $SAYS{list_no_team}, 'the first one not met');
is(request('GET', '/several?a=1&b=1')->header('WWW-Authenticate'), 'Bearer',
   'with the headers of its class');
is(get('/several/1'), $SAYS{no_get}, "a route's message for a class of one's own");
is(get('/several/stats'), $SAYS{no_route}, 'nothing is required where nothing is served');
is(get('/several/1?a=1'), $SAYS{forbidden}, "a route without one");
is(says(request('POST', '/several/1/cancel?a=1')), $SAYS{no_cancel}, "a route's status");
is(redis('HGET', 'tasks:{t}:task:1', 'status'), '"a"', 'what is forbidden is not done');

is(get('/outer?a=1'), $SAYS{list}, 'the outer location');
is(get('/outer/same?a=1'), $SAYS{list}, 'a location inside');
is(get('/outer/same'), $SAYS{no_list}, 'has what the outer one requires');
is(get('/outer/own?b=1'), $SAYS{list}, 'or its own instead');
is(get('/outer/own?a=1'), $SAYS{list_no_team}, 'with its own class');
is(get('/outer/none'), $SAYS{list}, 'even none');

is(get('/actions'), $SAYS{list}, '$tasks_action is known: list');
is(get('/actions/1'), $SAYS{no_get}, '$tasks_action is known: get');
is(says(request('POST', '/actions/1/cancel')), '409 {"error":"no_team","message":"You may not cancel"}',
   '$tasks_action is known: cancel');

# The order

is(get('/order/x/y/z?limit=x'), $SAYS{no_route}, 'first is the route');
is(says(request('PUT', '/order?limit=x')), $SAYS{bad_method}, 'and the method');
is(get('/order/stats'), $SAYS{no_route}, 'and what is not served');
is(get('/order?limit=x'), $SAYS{no_token}, 'then the token');
is(get('/order?limit=x', bearer('B')), $SAYS{bad_token}, 'then the token, a bad one');
is(get('/order?limit=x', bearer('A')), $SAYS{no_list}, 'then what is required');
is(get('/order?limit=x&ok=1', bearer('A')), $SAYS{unauthorized}, 'then the scope');
is(get('/order?limit=x&ok=1&scope=s', bearer('A')), $SAYS{bad_limit}, 'then the parameters');
is(get('/order?limit=1&ok=1&scope=s', bearer('A')), '200 {"tasks":[],"sub":"alice"}',
   'then the answer');
is(get('/order/1?ok=1&scope=s', bearer('A')), $SAYS{not_found}, 'or what it lacks');

for my $path ('/a', '/a/1', '/a/7') {
    for my $headers ([], [bearer('A')], [bearer('B')]) {
        my ($got, $head) = map { request($_, $path, @$headers) } 'GET', 'HEAD';
        is($head->status, $got->status, "HEAD $path: the status of GET, " . $got->status);
        is($head->header($_), $got->header($_),
           "HEAD $path: $_ of GET") for qw(Content-Length Content-Type WWW-Authenticate);
        is($head->body, '', "HEAD $path: no body");
    }
}

is(request('GET', '/a', @$_[1 .. $#$_])->header('WWW-Authenticate'), 'Bearer',
   "a kind of unauthorized has its headers: $_->[0]")
    for ['no token'], ['a bad token', bearer('B')];

# Servers and what is inside of them

for my $case (
    ['/in?a=1',       'A', '200 {"tasks":[{"id":11,"n":11,"status":"a"}],"sub":"alice"}'],
    ['/in?a=1',       'B', $SAYS{bad_token}],
    ['/in',           'A', $SAYS{no_list}],
    ['/other?a=1',    'B', '200 {"tasks":[{"id":11,"n":11,"status":"a"}],"sub":"alice"}'],
    ['/other?a=1',    'A', $SAYS{bad_token}],
    ['/off?a=alice',  'A', '200 {"tasks":[{"id":11,"n":11,"status":"a"}],"sub":"alice"}'],
    ['/off?a=alice',  'B', '200 {"tasks":[{"id":11,"n":11,"status":"a"}]}'],
    ['/off',          'A', $SAYS{no_list}],
) {
    my ($path, $by, $expected) = @$case;

    is(says(http($inherits, 'GET', $path, headers => { bearer($by) })), $expected,
       "from the server: $path by $by");
}

is(says(http($inherits, 'GET', '/off?a=bob')), '200 {"tasks":[{"id":22,"n":22,"status":"a"}]}',
   'tasks_auth off');
is(says(http($inherits, 'GET', '/in?a=1')), $SAYS{no_token}, 'and not off');

for my $case (
    ['/sorry/7?a=1',  [bearer('A')], '<alice> <>', '[alice] [-]'],
    ['/sorry/7?a=2',  [bearer('A'), 'X-API-Key' => 'key-of-bob'], '<alice> <>', '[alice] [-]'],
    ['/by-key/7?a=1', ['X-API-Key' => 'key-of-bob'], '<> <bob>', '[-] [bob]'],
) {
    my ($path, $headers, $page, $logged) = @$case;

    is(says(http($inherits, 'GET', $path, headers => { @$headers })), "404 $page",
       "from the server, on an error_page: $path");
    is(logged($path), "$path 404 [get] [not_found] $logged",
       "from the server, on an error_page, in the log: $path");
}

# One connection, many clients

{
    my $connection = http_connect($nginx->port);
    my @said = map { says(http($connection, 'GET', '/scoped', headers => { @$_ })) }
               [bearer('A')], [], [bearer('A', sub => 'bob')], [bearer('B')], [bearer('A', exp => 1)], [bearer('A')];

    is_deeply([map { /"id":(\d+)/ ? $1 : /"error":"(\w+)"/ ? $1 : $_ } @said],
              [11, 'no_token', 22, 'bad_token', 'expired_token', 11], 'each request has its own token');

    $connection->send(join '', map { Tasks::HTTP::request_bytes('GET', '/scoped', headers => { @$_ }) }
                               [bearer('A')], [], [bearer('A', sub => 'bob')]);
    is_deeply([map { says($connection->response) =~ /"id":(\d+)|"error":"(\w+)"/ ? $1 // $2 : '?' } 1 .. 3],
              [11, 'no_token', 22], 'when they are sent at once, too');

    my $response = http($connection, 'POST', '/scoped/11/cancel', body => 'x' x 100000);
    is(says($response), $SAYS{no_token}, 'a body that comes with no token');
    is(says(http($connection, 'GET', '/scoped/11', headers => { bearer('A') })), show(11),
       'is no request');
}

# Subrequests

is(get('/page', bearer('A')), qq(200 [$task][) . substr($SAYS{bad_token}, 4) . '][' . substr($SAYS{not_found}, 4) . ']',
   'subrequests: each location has its own key');
is(get('/page', bearer('B')), '200 [' . substr($SAYS{bad_token}, 4) . "][$task][" . substr($SAYS{bad_token}, 4) . ']',
   'subrequests: by the other one');
is(get('/page'), '200 [' . join('][', (substr $SAYS{no_token}, 4) x 3) . ']',
   'subrequests: without a token');

is(get('/mine', bearer('A', sub => 'bob'), 'X-API-Key' => 'key-of-alice'),
   '200 [{"tasks":[{"id":22,"n":22,"status":"a"}],"sub":"bob"}][' . substr($SAYS{bad_token}, 4)
   . '][{"tasks":[{"id":11,"n":11,"status":"a"}]}]', 'subrequests: each has its own scope');
is(get('/may'), "200 [$whole][" . substr($SAYS{no_get}, 4) . ']',
   'subrequests: each has its own requirements, by a volatile map');

is(get('/guarded', bearer('A', role => 'admin')), '200 guarded',
   'auth_request asks a location of this module');
is(request('GET', '/guarded')->status, '401', 'auth_request: no token');
is(request('GET', '/guarded')->header('WWW-Authenticate'), 'Bearer', 'auth_request: the header');
is(request('GET', '/guarded', bearer('B', role => 'admin'))->status, '401',
   'auth_request: a bad token');
is(request('GET', '/guarded', bearer('A'))->status, '403', 'auth_request: what is required');

# Redirects to locations that have other keys

is(get('/to-b/1', bearer('A')), $SAYS{task}, 'no error, no redirect');
is(get('/to-b/7', bearer('A')), $SAYS{bad_token},
   'to another key: a token of the first one is none');
is(get('/to-b', bearer('B')), '200 {"tasks":[' . $task . '],"sub":"alice"}',
   'to another key: a token of the second one is good');
is(get('/to-b'), $SAYS{no_token}, 'to another key: no token is none');
is(get('/to-show/7', bearer('A')), '200 <>', 'to another key: variables are of the second one');
is(get('/to-if/7', bearer('A')), $SAYS{bad_token},
   'to another key: those in front of the content phase, too');
is(get('/to-text/7', bearer('A')), '200 plain', 'to a location without keys');
is(get('/falls-b/x/y', bearer('A')), '200 <>', 'the fallback has another key');
is(get('/falls-b/x/y', bearer('B')), '200 <alice>', 'and a token of its own');
is(get('/falls/x/y', bearer('A')), '200 <alice>',
   'the fallback has none: what was found out counts');
is(get('/falls/x/y', bearer('B')), '200 <>', 'if it was good');
is(get('/falls/stats', bearer('A')), '200 <alice>', 'likewise for what is not served');

# Variables in other phases

is(get('/if/1', bearer('A', role => 'banned')), '403 banned', 'if');
is(get('/if/1', bearer('A', role => 'admin')), $SAYS{task}, 'if: another one');
is(get('/if/1', bearer('B', role => 'banned')), $SAYS{bad_token},
   'if: a claim that is not verified is none');
is(get('/in-if/1?x=1', bearer('A')), $SAYS{task}, 'a location goes on in an "if"');
is(get('/in-if/1?x=1'), $SAYS{no_token}, 'with its rules');
is(get('/in-if/1?x=1', bearer('B')), $SAYS{bad_token}, 'and its key');
is(get('/method/1', bearer('A')), $SAYS{task}, 'limit_except: GET');
is(request('POST', '/method/1/cancel', bearer('A'))->status, '403', 'limit_except: POST');

is(get('/limit/1', bearer('A')), $SAYS{task}, 'limit_req: the first request');
is(request('GET', '/limit/1', bearer('A'))->status, '429',
   'limit_req: the second one of the same user');
is(get('/limit/1', bearer('A', sub => 'bob')), $SAYS{task}, 'limit_req: another user');
is(get('/limit/1', bearer('B', sub => 'carl')), $SAYS{bad_token}, 'limit_req: a forged one');
is(get('/limit/1', bearer('A', sub => 'carl')), $SAYS{task}, 'limit_req: counts for nobody');
is(get('/limit/1'), $SAYS{no_token}, 'limit_req: no token') for 1 .. 2;

for my $case (
    ['/a?1',        [bearer('A')],                    '200 [list] [-] [alice] [-]'],
    ['/a?2',        [],                               '401 [list] [no_token] [-] [-]'],
    ['/a?3',        [bearer('B')],                    '401 [list] [bad_token] [-] [-]'],
    ['/a?4',        [bearer('A', exp => 1)],          '401 [list] [expired_token] [-] [-]'],
    ['/keyed/11?1', ['X-API-Key' => 'key-of-alice'],  '200 [get] [-] [-] [alice]'],
    ['/keyed/11?2', ['X-API-Key' => 'key-of-bob'],    '404 [get] [not_found] [-] [bob]'],
    ['/keyed/11?3', ['X-API-Key' => 'key-of-nobody'], '401 [get] [bad_credential] [-] [-]'],
    ['/to-text/7',  [bearer('A')],                    '200 [get] [not_found] [alice] [-]'],
    ['/falls/x/y?', [bearer('A')],                    '200 [-] [-] [alice] [-]'],
    ['/if/1?1',     [bearer('A', role => 'banned')],  '403 [-] [-] [alice] [-]'],
) {
    my ($path, $headers, $expected) = @$case;

    get($path, @$headers);

    is(logged($path), "$path $expected", "the access log: $path");
}


# The line of the path in the access log, once it is there

sub logged {
    my ($path) = @_;

    my $file = $nginx->prefix . '/logs/tasks.log';

    return wait_for(sub { (grep { /^\Q$path\E / } split /\n/, Tasks::slurp($file))[0] }, 5, "the log line of $path");
}


# Other ways to know a client

is(get('/asks/33', Authorization => 'Bearer of-ann'), show(33),
   'auth_request instead: the user that it says');
is(get('/asks/11', Authorization => 'Bearer of-ann'), $SAYS{not_found}, 'and of nobody else');
is(request('GET', '/asks/33', Authorization => 'Bearer of-eve')->status, '401', 'it refuses');
is(get('/asks/33', Authorization => 'Bearer of-nobody'), $SAYS{unauthorized}, 'it says no user');

my $basic = 'Basic YW5uOnNlY3JldA==';

is(get('/any/1', Authorization => $basic, Cookie => 'jwt=' . token('A')), $SAYS{task},
   'satisfy any: a password, and a token');
is(get('/any/1', Authorization => $basic), $SAYS{no_token},
   'satisfy any: a password is no token');
is(request('GET', '/any/1', Cookie => 'jwt=' . token('A'))->status, '401',
   'satisfy any: a token is no password');
is(request('GET', '/all/1', bearer('A'))->status, '403', 'deny all: nor does a token help');

sub certificates {
    my $directory = tempdir(CLEANUP => 1);

    my @commands = (
        'req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.crt',
        'req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -keyout ca.key -out ca.crt',
        'req -x509 -newkey rsa:2048 -nodes -subj /CN=alice -keyout forged.key -out forged.crt',
        map { ("req -newkey rsa:2048 -nodes -subj /O=x/CN=$_ -keyout $_.key -out $_.csr",
               "x509 -req -in $_.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out $_.crt") } qw(alice bob),
    );

    for (@commands) {
        system("cd $directory && openssl $_ 2>/dev/null >/dev/null") == 0 or die "openssl $_ fails\n";
    }

    return $directory;
}


# Runs curl over TLS; returns what it writes, and the status at the end.

sub curl {
    my ($path, @arguments) = @_;

    open my $out, '-|', 'curl', '-k', '-sS', '--max-time', 10, '-w', ' %{http_code} %{http_version}', @arguments,
         "https://127.0.0.1:$tls$path"
        or die "curl: $!\n";
    local $/;
    my $text = <$out>;
    close $out;

    return $text;
}

sub certificate { return ('--cert', "$certificates/$_[0].crt", '--key', "$certificates/$_[0].key") }

is(curl('/cert/11', certificate('alice')), '{"id":11,"n":11,"status":"a"} 200 2',
   'a client certificate is the scope');
is(curl('/cert/22', certificate('alice')), substr($SAYS{not_found}, 4) . ' 404 2',
   'and sees no other one');
is(curl('/cert/22', certificate('bob')), '{"id":22,"n":22,"status":"a"} 200 2',
   'but another certificate does');
is(curl('/cert/11', certificate('forged')), substr($SAYS{unauthorized}, 4) . ' 401 2',
   'one that is not verified');
is(curl('/cert/11'), substr($SAYS{unauthorized}, 4) . ' 401 2', 'none');

# HTTP/2

is(curl('/scoped/11', '-H', 'Authorization: Bearer ' . token('A')), '{"id":11,"n":11,"status":"a"} 200 2',
   'a token by HTTP/2');
is(curl('/scoped/11', '-H', 'authorization: bearer ' . token('B')), substr($SAYS{bad_token}, 4) . ' 401 2',
   'a bad one');
is(curl('/scoped/11', '-H', 'Authorization: Bearer ' . token('A', pad => 'x' x 9000)), substr($SAYS{bad_token}, 4) . ' 401 2',
   'a large one');
is(curl('/scoped/11'), substr($SAYS{no_token}, 4) . ' 401 2', 'none');

{
    my $directory = tempdir(CLEANUP => 1);
    my @kinds = ([11, 'A', 'alice'], [22, 'A', 'bob'], [11, 'B', 'alice']);
    my @transfers = map {
        my ($id, $by, $sub) = @{ $kinds[$_ % 3] };
        [$_, '-k', '--http2', '-H', 'Authorization: Bearer ' . token($by, sub => $sub, n => $_),
         '-o', "$directory/$_", "https://127.0.0.1:$tls/scoped/$id"];
    } 0 .. 59;

    my @arguments = map { my ($n, @own) = @$_; ($n ? '--next' : (), @own) } @transfers;

    system('curl', '-sS', '--no-progress-meter', '--parallel', '--parallel-max', 30, @arguments) == 0 or diag("curl: $?");

    my @wrong = grep {
        my ($id, $by) = @{ $kinds[$_ % 3] };
        Tasks::slurp("$directory/$_") ne substr $by eq 'A' ? show($id) : $SAYS{bad_token}, 4;
    } 0 .. 59;

    is("@wrong", '', 'sixty at once, each with its own token');
}

# A foreign task is as one that is not there: the same bytes, the same commands

for my $case (
    ['get, by a token',      'GET',  '/scoped/%d',        bearer('A', sub => 'alice')],
    ['cancel, by a token',   'POST', '/scoped/%d/cancel', bearer('A', sub => 'alice')],
    ['HEAD, by a token',     'HEAD', '/scoped/%d',        bearer('A', sub => 'alice')],
    ['get, by a credential', 'GET',  '/keyed/%d',         'X-API-Key' => 'key-of-alice'],
    ['cancel, by a credential', 'POST', '/keyed/%d/cancel', 'X-API-Key' => 'key-of-alice'],
) {
    my ($name, $method, $path, @headers) = @$case;

    put('tasks:{t:alice}', 11);

    my ($foreign, $absent, $own) = map { watched($method, sprintf($path, $_), @headers) } 22, 99, 11;

    is($foreign->[0], $absent->[0], "$name: the same bytes");
    is($foreign->[1], $absent->[1], "$name: the same commands, $absent->[1]");
    like($foreign->[0], qr{^HTTP/1.1 404 }, "$name: there is none");
    like($own->[0], qr{^HTTP/1.1 200 }, "$name: but one's own");
}

is(redis('HGET', 'tasks:{t:bob}:task:22', 'status'), '"a"', 'and nothing happened to it');


# The bytes of the answer without its date, and what Redis was asked

sub watched {
    my ($method, $path, @headers) = @_;

    redis('CONFIG', 'RESETSTAT');

    my $response = request($method, $path, @headers);
    my %calls = redis('INFO', 'commandstats') =~ /^cmdstat_(\S+?):calls=(\d+)/mg;
    delete @calls{grep { /^(?:config|info)/ } keys %calls};

    return [$response->raw_headers =~ s/^Date: .*\n//mr . $response->body, join ' ', map { "$_ $calls{$_}" } sort keys %calls];
}


# Reload

{
    my %config = (
        old  => "location /t { $jwt{old} tasks_jwt_token \$arg_token; }",
        both => "location /t { $pass tasks_auth jwt; tasks_jwt_token \$arg_token; tasks_jwt_key HS256 keys/old.key;
                               tasks_jwt_key HS256 keys/new.key; }",
        new  => "location /t { $jwt{new} tasks_jwt_token \$arg_token; }",
    );

    my $nginx = start_nginx($config{old}, workers => 2, worker_connections => 256, files => { %files },
                            allow => qr/keys\/old\.key/);
    my ($old, $new) = map { '/t/1?token=' . token($_) } qw(old new);
    my $ask = sub { says(http($nginx->port, 'GET', $_[0])) };

    is($ask->($old), $SAYS{task}, 'before: the old key');
    is($ask->($new), $SAYS{bad_token}, 'before: the new key');

    $nginx->write_file('conf/keys/old.key', $SECRET{new});
    is($ask->($old), $SAYS{task}, 'a file that changes counts from the next reload on');
    ok($nginx->reload, 'reload');
    is($ask->($old), $SAYS{bad_token}, 'then: the old key');
    is($ask->($new), $SAYS{task}, 'then: the new key');

    unlink $nginx->prefix . '/conf/keys/old.key';
    ok(!$nginx->reload, 'a reload without the file is refused');
    is($ask->($new), $SAYS{task}, 'and what was goes on');
    is($ask->($old), $SAYS{bad_token}, 'as it was');

    $nginx->write_file('conf/keys/old.key', $SECRET{old});
    ok($nginx->reload, 'the first key again');
    is($ask->($old), $SAYS{task}, 'is good again');

    my $load = Tasks::Load->start($nginx->port, fresh => 4, paths => [$old], accept => qr/^\Q$SAYS{task}\E$/);

    my $asked = sub { return scalar(() = $nginx->access_log =~ /\n/g) };

    for my $n (1 .. 3) {
        my $until = $asked->() + 80;
        wait_for(sub { $asked->() > $until }, 20, 'requests');
        ok($nginx->reload(config => $config{$n == 2 ? 'old' : 'both'}), "a reload under load, $n");
        is($ask->($new), $SAYS{$n == 2 ? 'bad_token' : 'task'}, 'whether it takes the new key');
    }

    my $until = $asked->() + 80;
    wait_for(sub { $asked->() > $until }, 20, 'requests');

    my $result = $load->stop;

    is_deeply($result->{failures}, [], 'three reloads that keep the key: no request fails');
    cmp_ok($result->{requests}, '>=', 200, 'of 200 and more');

    ok($nginx->reload(config => $config{new}), 'the old key is taken out');
    is($ask->($old), $SAYS{bad_token}, 'its tokens are refused');
    is($ask->($new), $SAYS{task}, 'the others are not');
}

done_testing();
