# Entity tags of lists and tasks: what has not changed is not sent again, what
# has is, and nobody is told of another's state.

use lib 't/lib';
use Tasks ':live';

use FaultyRedis;
use Tasks::HTTP;
use Tasks::Library;

my $DEFINITION = <<'END_OF_IT';
{ "name": "notes",
  "id": "integer",
  "order": "n desc",
  "headers": {"X-Definition": "notes"},
  "fields": {
    "status": {"type": "string", "filter": true},
    "n":      {"type": "integer"},
    "title":  {"type": "string"},
    "text":   {"type": "string", "view": "detail"},
    "secret": {"type": "string", "view": "none"} },
  "cancel": {"from": ["running"], "unchanged": ["cancelled"],
             "set": {"status": "cancelled"}},
  "routes": [
    {"action": "list", "path": "",
     "query": {"status": {"filter": "status", "multiple": "comma"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "cursor": {"role": "cursor"}},
     "response": {"tasks": "$tasks", "next": "$next_cursor"}},
    {"action": "list", "path": "/pages",
     "query": {"limit":  {"type": "integer", "role": "limit", "default": 20},
               "page":   {"type": "integer", "role": "page"}},
     "response": {"tasks": "$tasks", "total": "$total"}},
    {"action": "list", "path": "/whole", "response": {"tasks": "$tasks"}},
    {"action": "list", "path": "/accepted", "status": 202, "response": {"tasks": "$tasks"}},
    {"action": "get", "path": "/accepted/{id}", "status": 202, "response": {"task": "$task"}},
    {"action": "get", "path": "/{id}", "response": {"task": "$task"},
     "headers": {"X-Route": "get"}},
    {"action": "cancel", "path": "/{id}/cancel", "response": {"task": "$task"}} ],
  "errors": {"default": {"body": {"error": "$tasks_error"}},
             "bad_cursor": {"status": 200}, "cannot_cancel": {"status": 200}} }
END_OF_IT

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 'notes.json' => $DEFINITION);


sub put {
    my ($id, $fields, $scope) = @_;

    my $base = 'tasks:{notes' . (defined $scope ? ":$scope" : '') . '}';

    redis('FCALL', 'notes_put', 1, $base, $id, Tasks::JSON::members($fields));
}


sub refill {
    redis('FLUSHALL');

    for my $scope (undef, 'ann', 'bob') {
        put($_, qq({"status":"running","n":$_,"title":"t$_","text":"x","secret":"s"}),
            $scope) for 1 .. 5;
    }
}


my $redis = FaultyRedis->proxy(redis_socket());

my @PLACES = (['/notes', ''], ['/plain', 'tasks_cache off;'],
              ['/mine', 'tasks_scope $http_x_user;'],
              ['/mine/plain', 'tasks_scope $http_x_user; tasks_cache off;'],
              ['/zipped', 'gzip on; gzip_types *; gzip_min_length 1;'],
              ['/intercepted', 'tasks_intercept_errors on; error_page 404 /gone;']);

my $nginx = start_nginx(
    join("\n", 'location = /gone { return 404 "gone"; }',
         'location = /page { ssi on; ssi_types *; }',
         map { my ($path, $directives) = @$_;
               "location $path { tasks_api apis/notes.json; tasks_pass main; "
               . "$directives }" } @PLACES),
    http_config => 'tasks_store main { server ' . $redis->address
                   . '; timeout 10s; } '
                   . 'add_header X-Cache $tasks_cache always; '
                   . 'add_header X-Added "yes"; large_client_header_buffers 4 32k;',
    files => { 'conf/apis/notes.json' => $DEFINITION });

my $connection = http_connect($nginx->port);


# With the tag that is given, if any, and other headers.

sub get {
    my ($path, $tag, %headers) = @_;

    return http($connection, 'GET', $path, headers =>
        { %headers, defined $tag ? ('If-None-Match' => $tag) : () });
}


sub tag { return get($_[0], undef, @_[1 .. $#_])->header('ETag') }

sub status { return get(@_)->status }


# What Redis is asked for, "HMGET revs" and the like.

sub asked_for {
    my ($code) = @_;

    my $before = () = $redis->commands;
    my $result = $code->();
    my @commands = $redis->commands;

    return ($result, join ', ', map { "$_->[0] " . ($_->[1] =~ s/.*\}://r) }
                                @commands[$before .. $#commands]);
}


sub is_not_modified {
    my ($response, $tag, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is_deeply([$response->status, $response->body, $response->header('ETag'),
               $response->has_header('Content-Length')
                   || $response->has_header('Transfer-Encoding')
                   || $response->has_header('Content-Encoding') || 0],
              [304, '', $tag, 0], $name)
        or diag($response->raw_headers);
}


my @LISTS = ('/notes', '/plain', '/notes?status=running', '/plain?status=running,x',
             '/notes?limit=2', '/notes/pages?page=2&limit=2', '/plain/pages',
             '/notes?status=none', '/notes/whole', '/plain/whole');
my @GETS = ('/notes/3', '/plain/3');


# The same

refill();

for my $path (@LISTS, @GETS) {
    my $response = get($path);
    my $tag = $response->header('ETag');

    is($response->status, 200, "$path without a tag");
    like($tag, qr{^W/"[\x21\x23-\x7e]+"$}, 'has a weak tag');
    is(tag($path), $tag, 'the same one again');
    is_not_modified(get($path, $tag), $tag, 'and with it is not modified');

    my $not = get($path, $tag);
    is($not->header('X-Definition'), $path =~ m{/\d$} ? '' : 'notes',
       "the definition's headers");
    is($not->header('X-Route'), $path =~ m{/\d$} ? 'get' : '', "the route's");
    is($not->header('X-Added'), 'yes', 'those of add_header');
    is($not->header('X-Cache'), 'NOT_MODIFIED', '$tasks_cache');
    is(get($path)->body, $response->body, 'then all of it, on the same connection');

    my $head = http($connection, 'HEAD', $path);
    is($head->status . $head->header('ETag'), "200$tag", 'HEAD');
    $head = http($connection, 'HEAD', $path, headers => { 'If-None-Match' => $tag });
    is_not_modified($head, $tag, 'HEAD with the tag');

    my $old = http($nginx->port, "GET $path HTTP/1.0\r\nIf-None-Match: $tag\r\n\r\n");
    is($old->status . $old->body, '304', 'HTTP/1.0');
}

is(tag('/notes'), tag('/plain'), 'the same with a cache and without');
is(tag('/notes/3'), tag('/plain/3'), 'so are those of a task');


# What it costs

for my $path (grep { !/3$/ } @LISTS) {
    my $tag = tag($path);
    my ($response, $asked) = asked_for(sub { get($path, $tag) });

    is($response->status . " $asked", '304 HMGET revs',
       "$path: revisions tell that nothing has changed");
}

for my $path ('/notes/3', '/plain/3') {
    my $tag = tag($path);
    my ($response, $asked) = asked_for(sub { get($path, $tag) });

    is($response->status . " $asked", '304 HMGET task:3', "$path: a task is read");
}

{
    my $tag = tag('/plain');
    put(1, '{"title":"new"}');
    my ($response, $asked) = asked_for(sub { get('/plain', $tag) });
    like($asked, qr/^HMGET revs, HMGET revs, ZRANGE index, HMGET rows, HMGET revs$/,
         'without a cache: a list that has changed is read then');
    like($response->body, qr/"title":"new"/, 'whole');
    is($response->header('ETag'), tag('/notes'), 'with its new tag');
}


# Changes

my %CHANGES = (
    'a put'         => sub { put(3, '{"title":"other"}') },
    'a cancel'      => sub { http($connection, 'POST', '/notes/3/cancel') },
    'a new task'    => sub { put(9, '{"status":"running","n":9,"title":"t9"}') },
    'a remove'      => sub { redis('FCALL', 'notes_remove', 1, 'tasks:{notes}', 3) },
    'an end and a new beginning' => \&refill,
);

for my $change (sort keys %CHANGES) {
    for my $path ('/notes', '/plain', '/notes/pages', '/notes?status=running',
                  '/notes?status=running,x', '/plain?status=running,x', '/notes/whole',
                  $change eq 'a new task' ? () : @GETS) {
        refill();
        my $tag = tag($path);
        $CHANGES{$change}->();
        my $response = get($path, $tag);
        my $same = get($path);

        is($response->status, $change eq 'a remove' && $path =~ /3$/ ? 404 : 200,
           "$change: $path has changed");
        isnt($response->header('ETag'), $tag, 'has another tag');
        is($response->body, $same->body, 'and is sent whole');
        is_not_modified(get($path, $same->header('ETag')), $same->header('ETag'),
                        'then it stays') if $same->status == 200;
    }
}


# A list that becomes empty, and is filled again with the same

{
    refill();
    my $full = tag('/notes?status=running');
    redis('FCALL', 'notes_remove', 1, 'tasks:{notes}', $_) for 1 .. 5;
    my $empty = tag('/notes?status=running');
    isnt($empty, $full, 'a list without tasks');
    is(get('/notes?status=running', $full)->body, '{"tasks":[],"next":null}',
       'is sent whole');
    is(status('/notes?status=running', $empty), 304, 'and stays so');
    put($_, qq({"status":"running","n":$_,"title":"t$_","text":"x","secret":"s"}))
        for 1 .. 5;
    is(status('/notes?status=running', $_), 200, 'filled again') for $full, $empty;
}


# No changes, or of what is not shown

{
    refill();
    my $list = tag('/notes');

    put(3, '{"title":"t3","status":"running"}');
    is(status('/notes', $list), 304, 'a put of what there is: a list');

    my $task = tag('/notes/3');
    put(3, '{"text":"y"}');
    is(status($_, $list), 304, "a put of what only a task shows: $_")
        for '/notes', '/plain';
    is(status($_, $task), 200, "a put of what only a task shows: $_") for @GETS;

    put(3, '{"secret":"y"}');
    is(status('/notes', $list), 304, 'a put of what nobody is shown: a list');

    my $running = tag('/notes?status=running');
    put(7, '{"status":"done","n":7}');
    is(status('/notes?status=running', $running), 304, 'a put into another list');
    is(status('/notes', $list), 200, 'and into the list of all');
    is(status('/notes/4', tag('/notes/4')), 304, 'another task');
}


# Others

{
    refill();

    my %tags;
    my @paths = ('', '?limit=2', '?limit=3', '?status=running', '?status=running,x',
                 '?status=running,y', '?status=x', '/pages', '/pages?page=2&limit=2',
                 '/pages?page=1&limit=2', '/pages?page=2&limit=3', '/whole', '/3', '/4');
    my ($cursor) = get('/notes?limit=2')->body =~ /"next":"([^"]+)"/;

    push @paths, "?limit=2&cursor=$cursor", "?limit=3&cursor=$cursor";

    push @{ $tags{tag("/notes$_")} }, $_ for @paths;
    push @{ $tags{tag("/mine$_", 'X-User' => 'ann')} }, "ann $_" for @paths;
    push @{ $tags{tag("/mine$_", 'X-User' => 'bob')} }, "bob $_" for @paths;

    is_deeply([grep { @$_ > 1 } values %tags], [],
              'another scope, filter, page, route or task has another tag');

    for my $place ('/mine', '/mine/plain') {
        put(3, '{"title":"of ann"}', 'ann');
        put(3, '{"title":"of bob"}', 'bob');

        for my $path ('', '/3', '?status=running,x', '/pages') {
            my $tag = tag("$place$path", 'X-User' => 'ann');
            my $response = get("$place$path", $tag, 'X-User' => 'bob');

            is($response->status, 200, "$place$path: a tag of ann's is nothing to bob");
            like($response->body, qr/"of bob"/, 'who gets his own');
            is(status("$place$path", $tag, 'X-User' => 'ann'), 304, 'but to ann');
        }
    }
}


# Forms of If-None-Match

{
    refill();

    for my $path ('/notes', '/plain', '/notes/3') {
        my $tag = tag($path);
        my ($opaque) = $tag =~ /^W\/(".*")$/;
        my $hex = $opaque =~ s/"//gr;
        my $changed = $tag =~ s/^(W\/".)(.)/$1 . ($2 eq '0' ? '1' : '0')/er;

        my @same = ('*', $opaque, qq("x", $tag), qq($tag, "x"), qq(W/"a",$tag,W/"b"),
                    join(', ', (map { qq(W/"$_") } 1 .. 500), $tag));
        my @other = ('', 'W/""', '""', '"', 'W/', 'W/"', $hex, "w/$opaque", "W/$hex",
                     qq(W/"$hex), qq(W/$hex"), $changed, qq(W/"${hex}0"), qq(W/"0$hex"),
                     'W/"' . substr($hex, 1) . '"', 'W/"' . substr($hex, 0, -1) . '"',
                     'W/"' . substr($hex, -8) . '"', 'W/"' . 'f' x 7000 . '"',
                     'W/"' . uc($hex) . '"', "\x01\xff", '"' x 100,
                     'W/"' . substr($hex, 0, -8) . '00000000"');

        is(status($path, $_), 304, "$path: " . substr $_, 0, 60) for @same;
        is(status($path, $_), 200, "$path: " . substr $_, 0, 60) for @other;
        is(status($path, 'W/"' . 'f' x 40000 . '"'), 400, 'what is too long');
        $connection = http_connect($nginx->port);

        my $since = 'Thu, 01 Jan 2015 00:00:00 GMT';
        is(status($path, $tag, 'If-Modified-Since' => $since), 304,
           'If-Modified-Since does not matter');
        is(status($path, $changed, 'If-Modified-Since' =>
                  'Thu, 01 Jan 2037 00:00:00 GMT'), 200, 'in no case');
    }
}


# What has none

{
    refill();

    is(get('/notes?cursor=x')->status, 200, 'an error may have status 200');

    for my $path ('/notes/99', '/notes?limit=x', '/notes?cursor=x', '/notes/1/2/3',
                  '/notes/x') {
        my $response = get($path);
        is($response->has_header('ETag') ? 'a tag' : '', '', "$path: an error has none");
        is(status($path, '*'), $response->status, 'and is told in any case');
    }

    for my $path ('/notes/accepted', '/notes/accepted/3') {
        my $response = get($path);
        is($response->status, 202, "$path: another status");
        is($response->has_header('ETag') ? 'a tag' : '', '', 'has none');
        is(status($path, $_), 202, 'and is sent in any case')
            for '*', tag('/notes'), tag('/notes/whole'), tag('/notes/3');
    }

    my $response = get('/notes', undef, Accept => 'application/x-ndjson');
    is($response->header('Content-Type') . $response->header('ETag'),
       'application/x-ndjson', 'lines have none');
    is(get('/notes', tag('/notes'), Accept => 'application/x-ndjson')->body,
       $response->body, 'and are sent in any case');

    my $tag = tag('/notes/whole');
    put($_, qq({"status":"running","n":$_})) for 6 .. 600;
    $response = get('/notes/whole');
    is((() = $response->body =~ /"id":/g) . $response->header('ETag'), '600',
       'a list that is sent in pieces has none');
    is(status('/notes/whole', $tag), 200, 'and is sent in any case');
    is(get('/notes?limit=512')->status . (tag('/notes?limit=512') ne ''), '2001',
       'of a page of 512 tasks there is one');

    for my $accept ('*/*', 'application/x-ndjson') {
        like(status('/notes/whole', '*', Accept => $accept), qr/^(?:200|304)$/,
             "any tag, and what has none, $accept");
        is(get('/notes/3')->status, 200, 'the connection goes on');
    }
}


# Whatever has been done is told

{
    refill();
    my $cancel = sub { my ($id, $tag) = @_;
        http($connection, 'POST', "/notes/$id/cancel",
             headers => { 'If-None-Match' => $tag }) };

    is($cancel->(1, '*')->status, 200, 'a cancel, whatever the client has');
    my $response = $cancel->(2, tag('/notes/2'));
    is($response->status, 200, 'also if it has the task');
    like($response->body, qr/"status":"cancelled"/, 'is told');
    is($cancel->(2, $response->header('ETag') || '*')->status, 200,
       'also if there was nothing to do');

    put(5, '{"status":"done"}');
    $response = $cancel->(5, '*');
    is($response->status . $response->body, '200{"error":"cannot_cancel"}',
       'an error with status 200 is told');
    is($response->has_header('ETag') ? 'a tag' : '', '', 'and has none');
}


# Composed with others

{
    refill();

    my $zipped = get('/zipped', undef, 'Accept-Encoding' => 'gzip');
    my $tag = $zipped->header('ETag');
    is($zipped->header('Content-Encoding'), 'gzip', 'gzip');
    is($tag, tag('/notes'), 'keeps the tag');
    is_not_modified(get('/zipped', $tag, 'Accept-Encoding' => 'gzip'), $tag,
                    'which is known then');
    isnt(get('/zipped', 'W/"x"', 'Accept-Encoding' => 'gzip')->body, '', 'or not');

    my $gone = get('/intercepted/99', '*');
    is($gone->status . $gone->body . $gone->header('ETag'), '404gone',
       'an error that is intercepted');
    $tag = tag('/intercepted/3');
    is(status('/intercepted/3', $tag), 304, 'a task where errors are intercepted');

    $nginx->write_file('html/page', join ' ',
        map { "<!--# include virtual=\"$_\" -->" } '/notes', '/plain', '/notes/3');
    my @parts = map { get($_)->body } '/notes', '/plain', '/notes/3';
    is(get('/page', tag($_))->body, "@parts", "a page that includes $_ is sent whole")
        for '/notes', '/plain', '/notes/3';

    # at once, some with the tag and some without

    $tag = tag('/notes');
    my $body = get('/notes')->body;
    my @asked = map { my $own = http_connect($nginx->port);
        $own->send(Tasks::HTTP::request_bytes('GET', '/notes', headers =>
            { $_ % 2 ? ('If-None-Match' => $tag) : () })); $own } 0 .. 19;
    is(join(' ', map { my $response = $_->response;
                       $response->status . ($response->body eq $body) } @asked),
       join(' ', ('2001', '304') x 10), 'each gets what it has asked for');
}


# The definition

{
    my %before = map { $_ => tag($_) } '/notes', '/plain', '/notes/3';

    $nginx->reload;
    $connection = http_connect($nginx->port);
    is(status($_, $before{$_}), 304, "the same definition once more: $_")
        for sort keys %before;

    $nginx->write_file('conf/apis/notes.json',
                       $DEFINITION =~ s/"next":/"following":/r =~ s/"task":/"note":/gr);
    $nginx->reload;
    $connection = http_connect($nginx->port);
    is(status($_, $before{$_}), 200, "another definition: $_") for sort keys %before;
    is(status($_, tag($_)), 304, 'then it stays') for sort keys %before;
    like(get('/notes')->body, qr/"following":/, 'it is the other one');
}


done_testing();
