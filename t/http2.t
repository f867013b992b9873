# HTTP/2, by curl: many streams on a connection, bodies, HEAD, the fallback.  With
# TLS: curl 7.88 fails where it uses a connection without it again.

use lib 't/lib';
use Tasks ':live';

use File::Temp qw(tempdir);

use Tasks::Library;
use Tasks::Nginx;

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string"},
            "text": {"type": "string"}},
 "cancel": {"from": ["a"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "path": "", "response": "$tasks"},
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "method": "POST", "path": "/{id}/cancel", "response": "$id"},
    {"action": "cancel", "method": "DELETE", "path": "/{id}"}]}
END

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

my $text = 'x' x 300;

redis('FCALL', 't_put', 1, 'tasks:{t}', $_, 'n', $_, 'status', '"a"', 'text', qq("$text"))
    for 1 .. 60;

my $directory = tempdir(CLEANUP => 1);

system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost"
       . " -keyout $directory/key -out $directory/certificate 2>/dev/null") == 0
    or die "openssl fails\n";

my $port = Tasks::Nginx::free_port();
my $app = Tasks::Nginx::free_port();

my $nginx = start_nginx(<<"END", files => { 'conf/apis/t.json' => $definition }, http_config => <<"APP");
    listen 127.0.0.1:$port ssl http2;
    ssl_certificate $directory/certificate;
    ssl_certificate_key $directory/key;
    location /t { tasks_api apis/t.json; tasks_pass main; }
    location /f { tasks_api apis/t.json; tasks_pass main; tasks_fallback \@app; }
    location \@app { proxy_pass http://127.0.0.1:$app; proxy_set_header X-Body \$request_body; }
END
server {
    listen 127.0.0.1:$app;
    return 200 "app: \$request_method \$uri \$content_length [\$http_x_body]";
}
APP

my $url = "https://127.0.0.1:$port";


# Runs curl; returns what it writes, headers and all with -i.

sub curl {
    my (@arguments) = @_;

    open my $out, '-|', 'curl', '-k', '-sS', '--no-progress-meter', '--max-time', 10,
         '--http2', @arguments
        or die "curl: $!\n";
    local $/;
    my $text = <$out>;
    close $out;

    return $text =~ s/\r\n/\n/gr;
}


sub row {
    my ($n, $status) = @_;
    return qq({"id":$n,"n":$n,"status":"$status","text":"$text"});
}


my $one = row(1, 'a');
my $got = curl('-i', "$url/t/1");

like($got, qr{^HTTP/2 200 ?\n}, 'a task by HTTP/2');
like($got, qr/^content-type: application\/json\n/m, 'its type');
like($got, qr/^content-length: @{[length $one]}\n/m, 'its length');
like($got, qr/^x-content-type-options: nosniff\n/m, 'nosniff');
like($got, qr/\n\n\Q$one\E\z/, 'its body');

my $whole = '[' . join(',', map { row($_, 'a') } 1 .. 60) . ']';

is(curl("$url/t"), $whole, 'a list of many frames');

$got = curl('-I', "$url/t");

like($got, qr/^content-length: @{[length $whole]}\n/m, 'HEAD: the length');
like($got, qr/\n\n\z/, 'and no body');

like(curl('-i', "$url/t/x"), qr{^HTTP/2 400.*\n\n\{"error":"id is not of the right type"\}\z}s, 'an error');
like(curl('-i', '-X', 'PUT', "$url/t/1"), qr{^HTTP/2 405.*\nallow: .*GET, HEAD.*\n}s, 'another method');

# many streams at once, answered each with its own

is(curl('--parallel', '--parallel-max', 50,  map { ("$url/t/$_", '-o', "$directory/$_") } 1 .. 60), '', 'sixty at once');

my @wrong = grep {
    open my $in, '<', "$directory/$_" or die "$_: $!\n";
    local $/;
    <$in> ne row($_, 'a');
} 1 .. 60;

is("@wrong", '', 'each its own');

# bodies of a cancel: none, small, large, of unknown length; with more than the
# window holds curl 7.88 never ends, whatever nginx answers with

is(curl('-X', 'POST', "$url/t/1/cancel"), '1', 'a cancel');
is(curl('-d', '{"reason": "why"}', "$url/t/2/cancel"), '2', 'with a body');

my $file = "$directory/body";
open my $out, '>', $file or die "$file: $!\n";
print $out 'x' x 1000000;
close $out;

is(curl('-d', 'x' x 50000, "$url/t/3/cancel"), '3', 'with a body of several frames');
is(curl('-d', 'x' x 50000, '-H', 'Content-Length:', "$url/t/4/cancel"), '4', 'of a length not told');
like(curl('-i', '-X', 'DELETE', "$url/t/5"), qr{^HTTP/2 204 ?\n(?:(?!content-(?:type|length):).*\n)*\n\z}, 'no response: 204');
like(curl('-i', '-d', 'body', "$url/t/1/cancel"), qr{^HTTP/2 409}, 'refused');
is(curl("$url/t/$_"), row($_, 'x'), "task $_ is cancelled") for 1 .. 5;

# what the API has no route for

is(curl('-d', 'body', "$url/f"), 'app: POST /f 4 [body]', 'the fallback');
is(curl('--data-binary', "\@$file", "$url/f/5"), 'app: POST /f/5 1000000 []', 'with a megabyte');

done_testing();
