# Requests whose bytes are not as they should be: lengths, chunks, request
# lines, URIs, headers, pipelines, connections that are half closed.  Each has a
# definite answer, or none; a cancel hidden in another request is never done;
# and the next request on a new connection is served as if nothing had been.
#
# Of the hand-written bad inputs, those of the HTTP framing are here.

use lib 't/lib';
use Tasks ':live';

use Tasks::Library;

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "cancel": {"except": ["x"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "query": {"limit": {"type": "integer", "role": "limit"}},
     "response": {"items": "$tasks"}},
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "path": "/{id}/cancel", "response": {"cancelled": "$id"}}],
 "errors": {"default": {"body": {"error": "$tasks_error"}}}}
END

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

put(1);
put(2);

my $nginx = start_nginx(<<'END', files => {'conf/apis/t.json' => $definition});
    lingering_timeout 100ms;
    location /t { tasks_api apis/t.json; tasks_pass main; }
    location = /t/else { return 204; }
END

# What a body is, in a word.  The list is read before task 2 is cancelled.
my $one = '{"id":1,"n":1,"status":"a"}';
my %WORD = ($one => 'one', qq({"items":[$one]}) => 'list',
            '{"cancelled":2}' => 'cancelled');


sub put {
    my ($id) = @_;
    redis('FCALL', 't_put', 1, 'tasks:{t}', $id, n => $id, status => '"a"');
}


# Requests as bytes.  The headers are lines without their ends.

sub request {
    my ($method, $target, @headers) = @_;
    return join "\r\n", "$method $target HTTP/1.1", 'Host: t', @headers, '', '';
}

sub get    { return request('GET', '/t/1', @_) }
sub cancel { return request('POST', '/t/2/cancel', @_) }
sub at     { return request('GET', $_[0]) }
sub line   { return "$_[0]\r\nHost: t\r\n\r\n" }

# The same with a body of its length, or in chunks as they are given.
sub sized   { my ($body, $of) = @_; return ($of // \&cancel)->('Content-Length: ' . length $body) . $body }
sub chunked { my ($text, $of) = @_; return ($of // \&cancel)->('Transfer-Encoding: chunked') . $text }
sub length_is { return cancel("Content-Length: $_[0]") }

my $hidden = cancel();
my $chunks = "4\r\nbody\r\n0\r\n\r\n";

# Name, bytes, what is answered: a word of %WORD, "STATUS CLASS" from the module,
# "STATUS nginx" from nginx itself or another location, "head STATUS" without a
# body, "bare WORD" without a head; then, unless the connection stays open,
# "closed".  Of several pieces of bytes, each one is sent after one answer more.

my @CASES = (
    # lengths of a body
    ['a cancel without a body', cancel(), 'cancelled'],
    ['a body of no bytes', sized(''), 'cancelled'],
    ['a body of 1 byte', sized('x'), 'cancelled'],
    ['a body of 1 MB', sized('x' x 1048576), 'cancelled'],
    ['a body that is a request', sized($hidden, \&get), 'one'],
    ['a body of a GET of 1 MB', sized('x' x 1048576, \&get), 'one'],
    ['a body of a list', sized($hidden, sub { request('GET', '/t?limit=1', @_) }), 'list'],
    ['a body of 31 MB, announced', length_is(31 << 20), '413 nginx', 'closed'],
    ['a body longer than its length', length_is(2) . "\0\0\0", 'cancelled', '400 nginx', 'closed'],
    ['a body that comes late', [length_is(10), 'x' x 10 . get()], 'cancelled', 'one'],
    ['one that is waited for', [cancel('Expect: 100-continue', 'Content-Length: 4'), 'body'], '100 nginx', 'cancelled'],
    ['one of a GET', [get('Expect: 100-continue', 'Content-Length: 4'), 'body'], '100 nginx', 'one'],
    ['a length that is empty', length_is(''), '400 nginx', 'closed'],
    ['a length that is a word', length_is('ten'), '400 nginx', 'closed'],
    ['a length of -1', length_is('-1'), '400 nginx', 'closed'],
    ['a length of +1', length_is('+1') . 'x', '400 nginx', 'closed'],
    ['a length in hex', length_is('0x1') . 'x', '400 nginx', 'closed'],
    ['a length with a fraction', length_is('1.0') . 'x', '400 nginx', 'closed'],
    ['a length of two numbers', length_is('1 1') . 'x', '400 nginx', 'closed'],
    ['a length that is a list', length_is('1, 1') . 'x', '400 nginx', 'closed'],
    ['a length beyond 63 bits', length_is('9223372036854775808'), '400 nginx', 'closed'],
    ['a length of 30 digits', length_is('9' x 30), '400 nginx', 'closed'],
    ['a length with zeros in front', length_is('0001') . 'x', 'cancelled'],
    ['a length twice', cancel('Content-Length: 1', 'Content-Length: 1') . 'x', '400 nginx', 'closed'],
    ['two lengths', cancel('Content-Length: 0', 'Content-Length: 1') . 'x', '400 nginx', 'closed'],
    ['a length and a space', cancel('Content-Length : 1') . 'x', '400 nginx', 'closed'],

    # chunks
    ['a cancel in chunks', chunked($chunks), 'cancelled'],
    ['a GET in chunks', chunked($chunks, \&get), 'one'],
    ['no chunk at all', chunked("0\r\n\r\n"), 'cancelled'],
    ['extensions and trailers', chunked("4;a=b;c\r\nbody\r\n0\r\nX-T: 1\r\n\r\n"), 'cancelled'],
    ['chunks that hold a request', chunked(sprintf("%x\r\n%s\r\n0\r\n\r\n", length $hidden, $hidden), \&get), 'one'],
    ['a size that is no number, of a GET', chunked("zz\r\n", \&get), '400 nginx', 'closed'],
    ['an empty size, of a GET', chunked("\r\n\r\n", \&get), '400 nginx', 'closed'],
    ['a negative size, of a GET', chunked("-1\r\n", \&get), '400 nginx', 'closed'],
    ['a size beyond 64 bits, of a GET', chunked("10000000000000000\r\n", \&get), '400 nginx', 'closed'],
    ['data longer than its size, of a GET', chunked("1\r\nbody\r\n0\r\n\r\n", \&get), '400 nginx', 'closed'],
    ['a size that is no number', chunked("zz\r\n"), '400 nginx', 'closed'],
    ['a size beyond 64 bits', chunked("10000000000000000\r\n"), '400 nginx', 'closed'],
    ['a size beyond 63 bits', chunked("ffffffffffffffff\r\n"), '400 nginx', 'closed'],
    ['data longer than its size', chunked("1\r\nbody\r\n0\r\n\r\n"), '400 nginx', 'closed'],
    ['a chunk that comes late', [chunked("4\r\nbo"), "dy\r\n0\r\n\r\n" . get()], 'cancelled', 'one'],
    ['one that is malformed then', [chunked("4\r\nbo"), "dyzz"], 'cancelled', 'closed'],
    ['another encoding', cancel('Transfer-Encoding: gzip'), '501 nginx', 'closed'],
    ['two encodings', cancel('Transfer-Encoding: gzip, chunked') . $chunks, '501 nginx', 'closed'],
    ['identity', cancel('Transfer-Encoding: identity'), '501 nginx', 'closed'],
    ['an encoding twice', cancel(('Transfer-Encoding: chunked') x 2) . $chunks, '400 nginx', 'closed'],
    ['an encoding that begins so', cancel('Transfer-Encoding: chunkedx') . $chunks, '501 nginx', 'closed'],
    ['chunks in HTTP/1.0', "POST /t/2/cancel HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n$chunks", '400 nginx', 'closed'],

    # requests in requests
    ['CL.TE', get('Content-Length: 6', 'Transfer-Encoding: chunked') . "0\r\n\r\n$hidden", '400 nginx', 'closed'],
    ['TE.CL', get('Transfer-Encoding: chunked', 'Content-Length: 4') . "5c\r\n$hidden\r\n0\r\n\r\n", '400 nginx', 'closed'],
    ['TE with a vertical tab', get("Transfer-Encoding:\x0bchunked", 'Content-Length: 6') . "0\r\n\r\n$hidden", '501 nginx', 'closed'],
    ['TE and a space', get('Transfer-Encoding : chunked') . "0\r\n\r\n$hidden", '400 nginx', 'closed'],
    ['TE on the next line', get('X: 1', ' Transfer-Encoding: chunked') . "0\r\n\r\n$hidden", '400 nginx', 'closed'],
    ['a header within a header, by CR', get("X: 1\rContent-Length: 200") . 'x', '400 nginx', 'closed'],
    ['TE with an underscore is no TE', get('Transfer_Encoding: chunked') . "0\r\n\r\n$hidden", 'one', '400 nginx', 'closed'],
    ['nothing after what is refused', at('/t/%zz') . $hidden, '400 nginx', 'closed'],
    ['a method by another header', get('X-HTTP-Method-Override: POST') =~ s{/t/1}{/t/2/cancel}r, '405 bad_method'],

    # request lines
    ['lower case', line('get /t/1 HTTP/1.1'), '400 nginx', 'closed'],
    ['a method that nobody knows', line('BREW /t/1 HTTP/1.1'), '405 bad_method'],
    ['a method of 4,000 letters', line('A' x 4000 . ' /t/1 HTTP/1.1'), '405 bad_method'],
    ['a method with a zero byte', line("G\0T /t/1 HTTP/1.1"), '400 nginx', 'closed'],
    ['no method', line('/t/1 HTTP/1.1'), '400 nginx', 'closed'],
    ['PUT', line('PUT /t/1 HTTP/1.1'), '405 bad_method'],
    ['OPTIONS', line('OPTIONS /t HTTP/1.1'), '405 bad_method'],
    ['OPTIONS *', line('OPTIONS * HTTP/1.1'), '400 nginx', 'closed'],
    ['TRACE', line('TRACE /t/1 HTTP/1.1'), '405 nginx', 'closed'],
    ['CONNECT', line('CONNECT t:80 HTTP/1.1'), '400 nginx', 'closed'],
    ['HEAD of a list', line('HEAD /t?limit=1 HTTP/1.1'), 'head 200'],
    ['HEAD of a task that is not there', line('HEAD /t/9 HTTP/1.1'), 'head 404'],
    ['HEAD of a cancel', line('HEAD /t/2/cancel HTTP/1.1'), 'head 405'],
    ['GET of a cancel', line('GET /t/2/cancel HTTP/1.1'), '405 bad_method'],
    ['HTTP/2.0', line('GET /t/1 HTTP/2.0'), '505 nginx', 'closed'],
    ['HTTP/1.9', line('GET /t/1 HTTP/1.9'), 'one'],
    ['HTTP/1', line('GET /t/1 HTTP/1'), '400 nginx', 'closed'],
    ['HTTP/1.1 and more', line('GET /t/1 HTTP/1.1x'), '400 nginx', 'closed'],
    ['another protocol', line('GET /t/1 ICAP/1.0'), '400 nginx', 'closed'],
    ['HTTP/0.9', "GET /t/1\r\n", 'bare one', 'closed'],
    ['an error in HTTP/0.9', "GET /t/x\r\n", 'bare {"error":"bad_parameter"}', 'closed'],
    ['a cancel in HTTP/0.9', "POST /t/2/cancel\r\n\r\n", 'bare 400', 'closed'],
    ['HTTP/1.0 without Host', "GET /t/1 HTTP/1.0\r\n\r\n", 'one', 'closed'],
    ['HTTP/1.1 without Host', "GET /t/1 HTTP/1.1\r\n\r\n", '400 nginx', 'closed'],
    ['a tab for a space', line("GET\t/t/1 HTTP/1.1"), '400 nginx', 'closed'],
    ['two spaces', line('GET  /t/1  HTTP/1.1'), 'one'],
    ['empty lines in front', "\r\n\n\r\n" . get(), 'one'],
    ['a space in front', ' ' . get(), '400 nginx', 'closed'],
    ['ends of lines without CR', get() =~ tr/\r//dr, 'one'],
    ['a TLS handshake', "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" . 'x' x 200, '400 nginx', 'closed'],
    ['bytes', join('', map { chr } 128 .. 255) . "\r\n\r\n", '400 nginx', 'closed'],

    # URIs
    ['a URI of 100 KB', at('/t/' . '1' x 102400), '414 nginx', 'closed'],
    ['a query of 100 KB', at('/t?limit=' . '1' x 102400), '414 nginx', 'closed'],
    ['an id of 7,000 digits', at('/t/' . '1' x 7000), '400 bad_parameter'],
    ['a query of 7,000 ampersands', at('/t?' . '&' x 7000 . 'limit=1'), 'list'],
    ['a path of 3,000 segments', at('/t' . '/1' x 3000), '404 no_route'],
    ['a zero byte in the path', at("/t/1\0"), '400 nginx', 'closed'],
    ['a zero byte in the query', at("/t?limit=1\0"), '400 nginx', 'closed'],
    ['a control character in the path', at("/t/\x011"), '400 nginx', 'closed'],
    ['DEL in the path', at("/t/1\x7f"), '400 nginx', 'closed'],
    ['a space in the path', at('/t/1 2'), '400 nginx', 'closed'],
    ['bytes beyond ASCII in the path', at("/t/\xc3\xa4\xff"), '400 bad_parameter'],
    ['bytes beyond ASCII in the query', at("/t?limit=\xff"), '400 bad_parameter'],
    ['%zz in the path', at('/t/%zz'), '400 nginx', 'closed'],
    ['% at the end of the path', at('/t/1%'), '400 nginx', 'closed'],
    ['%4 at the end of the path', at('/t/1%4'), '400 nginx', 'closed'],
    ['%00 in the path', at('/t/1%00'), '400 nginx', 'closed'],
    ['%00 in the query', at('/t?limit=1%00'), '400 bad_parameter'],
    ['%0d%0a in the path', at('/t/1%0d%0aX-Y:%201'), '400 bad_parameter'],
    ['%0d%0a in the query', at('/t?limit=1%0d%0aX-Y:%201'), '400 bad_parameter'],
    ['%zz in the query', at('/t?limit=%zz'), '400 bad_parameter'],
    ['%u0031 in the path', at('/t/%u0031'), '400 nginx', 'closed'],
    ['%2f is a slash', at('/t%2f1'), 'one'],
    ['%252f is none', at('/t%252f1'), '404 no_route'],
    ['%2f in an id makes another path', at('/t/1%2f2'), '404 no_route'],
    ['%3f begins no query', at('/t/1%3fx'), '400 bad_parameter'],
    ['//', at('//t///1'), 'one'],
    ['/../ that stays inside', at('/t/x/../1'), 'one'],
    ['/../ that is encoded', at('/t/x/%2e%2e/1'), 'one'],
    ['/../ that leads out', at('/../t/1'), '400 nginx', 'closed'],
    ['/../ that leads out, encoded', at('/t/%2e%2e/%2e%2e/t/1'), '400 nginx', 'closed'],
    ['/../ that leads elsewhere', at('/t/../t/else'), '204 nginx'],
    ['/.. at the end', at('/t/1/..'), '404 no_route'],
    ['a backslash', at('/t\\1'), '404 no_route'],
    ['a semicolon', at('/t/1;x=1'), '400 bad_parameter'],
    ['a fragment', at('/t/1#x'), 'one'],
    ['an absolute URI', at('http://t/t/1'), 'one'],
    ['one of another host and scheme', at('https://other:99/t/1'), 'one'],
    ['one without a host', at('http:///t/1'), '400 nginx', 'closed'],
    ['one without a path', at('http://t'), '200 nginx'],
    ['a URI without a slash', at('t/1'), '400 nginx', 'closed'],
    ['no URI', line('GET HTTP/1.1'), '400 nginx', 'closed'],

    # headers
    ['300 headers', get(map { "X-$_: 1" } 1 .. 300), 'one'],
    ['5,000 headers', get(map { "X-$_: 1" } 1 .. 5000), '400 nginx', 'closed'],
    ['a header of 7 KB', get('X: ' . 'x' x 7168), 'one'],
    ['a header of 40 KB', get('X: ' . 'x' x 40960), '400 nginx', 'closed'],
    ['a name of 40 KB', get('x' x 40960 . ': 1'), '400 nginx', 'closed'],
    ['a zero byte in a header', get("X: 1\0"), '400 nginx', 'closed'],
    ['a zero byte in a name', get("X\0: 1"), '400 nginx', 'closed'],
    ['a name that is empty', get(': 1'), '400 nginx', 'closed'],
    ['bytes beyond ASCII in a header', get("X: \xff\xfe", "\xc3\xa4: 1"), 'one'],
    ['Host twice', get('Host: t'), '400 nginx', 'closed'],
    ['Host with a slash', "GET /t/1 HTTP/1.1\r\nHost: a/b\r\n\r\n", '400 nginx', 'closed'],
    ['Host that is empty', "GET /t/1 HTTP/1.1\r\nHost:\r\n\r\n", '400 nginx', 'closed'],
    ['Range', get('Range: bytes=0-3'), 'one'],
    ['Ranges that overlap', get('Range: bytes=' . join ',', ('0-') x 500), 'one'],
    ['a Range that is none', get('Range: bytes=9-1,-0,x'), 'one'],
    ['If-Range', get('Range: bytes=1-', 'If-Range: "x"'), 'one'],
    ['conditions that are none', get('If-None-Match: W/"', 'If-Modified-Since: x'), 'one'],
    ['If-Unmodified-Since that is none', get('If-Unmodified-Since: x'), '412 nginx', 'closed'],
    ['If-Match of another', get('If-Match: "x"'), '412 nginx', 'closed'],
    ['Upgrade', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'), 'one'],
    ['Connection: close', get('Connection: close'), 'one', 'closed'],
    ['Expect that nobody knows', get('Expect: the unexpected'), 'one'],
    ['Accept of 1,000 types', get('Accept: ' . join ',', ('a/b;q=0.1') x 500), 'one'],

    # several requests
    ['ten in one packet', get() x 10, ('one') x 10],
    ['good ones between bad ones', at('/t/x') . get() . at('/t/9') . get() . line('PUT /t HTTP/1.1') . get(),
     '400 bad_parameter', 'one', '404 not_found', 'one', '405 bad_method', 'one'],
    ['behind bodies', sized('GET', \&get) . chunked($chunks) . get(), 'one', 'cancelled', 'one'],
    ['a HEAD between them', get() . line('HEAD /t/1 HTTP/1.1') . get(), 'one', 'head 200', 'one'],
    ['behind one that closes', get('Connection: close') . $hidden, 'one', 'closed'],
);


sub told {
    my ($response) = @_;

    return 'closed' unless $response;

    my ($status, $body) = ($response->status, $response->body);
    my $word = $WORD{$body};

    return 'bare ' . ($WORD{$response->raw_headers} // $response->raw_headers =~ s/^<html>.*?<title>(\d+).*/$1/sr)
        if $status eq '';

    return "$status nginx"
        if $response->header('X-Content-Type-Options') ne 'nosniff';

    return "$status: a response that is cut" unless $response->complete;
    return $word if $word && $status == 200;
    return $body =~ /^\{"error":"(\w+)"\}$/ ? "$status $1" : "$status: $body";
}


# What comes for one request: the next response, or what went wrong with it.

sub next_one {
    my ($connection, $expected) = @_;

    my $head = $expected =~ /^head /;
    my $response = eval { $connection->response(5, $head) };

    return $@ =~ s/\n//r if $@;
    return 'head ' . $response->status if $head && $response;
    return told($response);
}


# The answers to a case, as they are expected: then the connection is closed, or
# serves one request more.

sub answers {
    my ($bytes, @expected) = @_;

    my $connection = http_connect($nginx->port);
    my $ends = $expected[-1] eq 'closed';

    my @pieces = ref $bytes ? @$bytes : $bytes;
    my @got;

    for my $word (@expected) {
        send_to($connection, shift @pieces) if @pieces;
        push @got, next_one($connection, $word);
    }

    unless ($ends) {
        send_to($connection, get());
        push @got, 'then ' . next_one($connection, '');
    }

    return @got;
}


# What is sent to a connection that nginx has closed is nothing.

sub send_to {
    my ($connection, $bytes) = @_;
    eval { $connection->send($bytes) };
}


sub state_of { return redis('HGET', 'tasks:{t}:task:2', 'status') }

sub is_well {
    my ($name) = @_;

    is(told(http($nginx->port, 'GET', '/t/1')), 'one', "$name: the next one is served");
}


for my $case (@CASES) {
    my ($name, $bytes, @expected) = @$case;

    put(2);

    my @got = answers($bytes, @expected);
    push @expected, 'then one' unless $expected[-1] eq 'closed';

    is(join(', ', @got), join(', ', @expected), $name);
    is(state_of(), (grep { $_ eq 'cancelled' } @expected) ? '"x"' : '"a"', "$name: what was done");
    is_well($name);
}



# Connections that are closed for writing: a request that is not whole is none,
# and nobody waits for the answer to one that is.

for my $bytes ('', 'GET', 'GET /t/1 HTTP/1.1', substr(get(), 0, -2), length_is(3)  =~ s/\r\n\r\n$//r) {
    my $connection = http_connect($nginx->port);

    send_to($connection, $bytes);
    shutdown $connection->socket, 1;
    is(next_one($connection, ''), 'closed', 'half closed after ' . length($bytes) . ' bytes');
    is(state_of(), '"a"', 'nothing was done') if $bytes =~ /cancel/;
}

redis_server()->pause;

my $connection = http_connect($nginx->port);
send_to($connection, get());
shutdown $connection->socket, 1;
is(next_one($connection, ''), 'closed', 'half closed while Redis does not answer');

redis_server()->resume;
is_well('half closed');


done_testing();
