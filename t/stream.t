# Lists that are sent in chunks, and as lines of JSON: whole, in order and once
# each, however long the list and slow the client, while others write; and seen
# as cut, never as short, when Redis fails in the middle.

use lib 't/lib';
use Tasks ':live';

use Encode ();
use File::Temp qw(tempdir);
use IO::Select;
use IO::Uncompress::Gunzip ();
use JSON::PP ();
use List::Util qw(max);
use MIME::Base64 ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use FaultyRedis;
use RESP;
use Tasks::Background;
use Tasks::HTTP;
use Tasks::Library;
use Tasks::Nginx;

my $FULL = $ENV{TASKS_FULL};
my $SANITIZED = $ENV{TASKS_SANITIZER_DIR};
my $SLOW = $SANITIZED ? 3 : 1;            # of limits in seconds

# A bound of memory; the address sanitizer keeps up to 256 MB of what was freed.
sub bytes { return $SANITIZED ? 300e6 : $_[0] }

my $CHUNK = 512;                          # rows


# An API whose lists are of a scope each, so that there are many of them.

my $DEFINITION = <<'END';
{ "name": "s",
  "id": "string",
  "order": "n",
  "fields": {
    "n":      {"type": "integer"},
    "status": {"type": "string", "filter": true},
    "kind":   {"type": "string", "filter": true, "default": null},
    "text":   {"type": "any", "default": null},
    "note":   {"type": "any", "view": "detail"} },
  "cancel": {"from": ["run", "end"], "set": {"status": "new"}},
  "collections": {
    "down":  {"id": "integer", "order": "n desc",
              "fields": {"n": {"type": "integer"},
                         "status": {"type": "string", "filter": true}}},
    "words": {"id": "string", "order": "word",
              "fields": {"word": {"type": "string"}}},
    "sdrow": {"id": "string", "order": "word desc",
              "fields": {"word": {"type": "string"}}} },
  "routes": [
    {"action": "list", "path": "",
     "query": {"status": {"filter": "status", "multiple": "comma"},
               "kind":   {"filter": "kind", "multiple": "comma"},
               "limit":  {"type": "integer", "role": "limit", "minimum": -1},
               "cursor": {"role": "cursor"}},
     "response": {"limit": "$limit", "tasks": "$tasks", "count": "$count",
                  "more": "$has_more", "next": "$next_cursor",
                  "last": "$last_id"}},
    {"action": "list", "path": "/ids",
     "query": {"limit":  {"type": "integer", "role": "limit"},
               "after":  {"role": "cursor", "encoding": "none", "form": "$id"}},
     "response": {"first": "$first_id", "tasks": "$tasks", "next": "$next_cursor?"}},
    {"action": "list", "path": "/first",
     "query": {"limit":  {"type": "integer", "role": "limit"}},
     "response": {"tasks": "$tasks", "first": "$first_id", "last": "$last_id"}},
    {"action": "list", "path": "/pages",
     "query": {"status": {"filter": "status", "multiple": "comma"},
               "limit":  {"type": "integer", "role": "limit"},
               "page":   {"type": "integer", "role": "page"}},
     "response": {"total": "$total", "pages": "$pages", "tasks": "$tasks",
                  "page": "$page", "next": "$next_page", "again": "$total"}},
    {"action": "list", "path": "/offsets",
     "query": {"limit":  {"type": "integer", "role": "limit"},
               "offset": {"type": "integer", "role": "offset"}},
     "response": {"tasks": "$tasks", "offset": "$offset", "next": "$next_offset"}},
    {"action": "list", "path": "/bare", "response": "$tasks"},
    {"action": "list", "path": "/deep", "response": ["v", {"a": {"b": "$tasks"}}, 1]},
    {"action": "list", "path": "/held",
     "query": {"limit":  {"type": "integer", "role": "limit"}},
     "response": {"count": "$count", "tasks": "$tasks"}},
    {"action": "list", "path": "/twice", "response": ["$tasks", "$tasks"]},
    {"action": "list", "path": "/down", "collection": "down",
     "query": {"status": {"filter": "status", "multiple": "repeated"},
               "limit":  {"type": "integer", "role": "limit"},
               "cursor": {"role": "cursor"}},
     "response": {"tasks": "$tasks", "next": "$next_cursor"}},
    {"action": "list", "path": "/words", "collection": "words",
     "response": {"tasks": "$tasks"}},
    {"action": "list", "path": "/sdrow", "collection": "sdrow",
     "response": {"tasks": "$tasks"}},
    {"action": "get", "path": "/one/{id}", "response": "$task"},
    {"action": "cancel", "path": "/one/{id}/cancel", "response": {"cancelled": "$id"}},
    {"action": "cancel", "method": "DELETE", "path": "/one/{id}"} ],
  "errors": {"default": {"body": {"error": "$tasks_error", "status": "$status"}}} }
END

my @TEXTS = Tasks::Library::texts(Tasks::main_config(), 's.json' => $DEFINITION);

load();


sub load {
    redis('FUNCTION', 'LOAD', 'REPLACE', $_) for @TEXTS;
}


sub location {
    my ($path, $directives) = @_;

    $directives //= '';

    return "location $path { tasks_api apis/s.json; tasks_pass main; "
           . "tasks_scope \$arg_list; $directives }\n";
}


# nginx with the API at /s; options as those of start_nginx(), and store and
# locations.

sub start {
    my (%option) = @_;

    my $store = delete $option{store} // 'server unix:' . redis_socket() . '; timeout 10s;';
    my $locations = delete $option{locations} // '';
    my $http = delete $option{http_config} // '';

    return start_nginx(
        location('/s', 'add_header X-Cache $tasks_cache;') . $locations,
        worker_connections => 512,
        http_config => "tasks_store main { $store }\n$http",
        files       => { 'conf/apis/s.json' => $DEFINITION },
        %option);
}


# Sends commands, many at a time.

sub send_all {
    my ($commands) = @_;

    my $socket = RESP::connect_to(redis_socket());
    my $buffer = '';

    while (my @some = splice @$commands, 0, 200) {
        my ($bytes, $at) = (join('', map { RESP::encode_command(@$_) } @some), 0);
        $at += syswrite($socket, $bytes, length($bytes) - $at, $at)
            while $at < length $bytes;

        for (@some) {
            my ($reply, $length);
            until (($reply, $length) = RESP::decode(\$buffer), $length) {
                sysread $socket, $buffer, 65536, length $buffer or die "Redis has gone\n";
            }
            substr $buffer, 0, $length, '';
            die "$$reply\n" if ref $reply eq 'RESP::Error';
        }
    }
}


my @STATUS = qw(new run end);

sub status_of { $STATUS[$_[0] % 3] }

sub text_of { '"' . 'abcdefghij' x ($_[0] % 13) . '"' }


# The row of a number as the API shows it, and its task.

sub row {
    my ($n) = @_;

    return qq({"id":"r$n","n":$n,"status":"${\ status_of($n)}",)
           . qq("kind":"k${\ ($n % 2) }","text":${\ text_of($n)}});
}

sub rows { return join ',', map { row($_) } @_ }

sub put {
    my ($list, $n) = @_;

    return ['FCALL', 's_put', 1, "tasks:{s:$list}", "r$n", 'n', $n,
            'status', '"' . status_of($n) . '"', 'kind', '"k' . $n % 2 . '"',
            'text', text_of($n)];
}


# Lists of so many rows, whose scope is that number.

my %filled;

sub fill {
    for my $size (@_) {
        send_all([map { put($size, $_) } 1 .. $size]) unless $filled{$size}++;
    }
}


sub ask {
    my ($nginx, $path, %option) = @_;

    return http($nginx->port, 'GET', $path, timeout => 20 * $SLOW, %option);
}


sub equal {
    my ($got, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return pass($name) if defined $got && $got eq $expected;

    fail($name);

    my $at = 0;
    $at++ while defined $got && $at < length $got && $at < length $expected
                && substr($got, $at, 1) eq substr $expected, $at, 1;
    diag('at byte ', $at, ' of ', length($got // ''), '; expected ', length $expected);
    diag('got      ...', substr $got // '', $at > 60 ? $at - 60 : 0, 200);
    diag('expected ...', substr $expected, $at > 60 ? $at - 60 : 0, 200);
}


sub cursor_of {
    my ($n) = @_;

    my $position = sprintf '%014x:r%d', $n + (1 << 55), $n;

    return MIME::Base64::encode_base64($position, '') =~ tr{+/=}{-_}dr;
}


# What the list at /s is to be: the rows, and what is behind them.

sub page {
    my ($limit, $more, @n) = @_;

    return sprintf '{"limit":%s,"tasks":[%s],"count":%d,"more":%s,"next":%s,"last":%s}',
        $limit, rows(@n), scalar @n, $more ? 'true' : 'false',
        $more && @n ? '"' . cursor_of($n[-1]) . '"' : 'null',
        @n ? "\"r$n[-1]\"" : 'null';
}


sub is_streamed {
    my ($response, $streamed, $name) = @_;

    is_deeply([map { $response->has_header($_) ? 1 : 0 }
                   'Transfer-Encoding', 'Content-Length', 'ETag'],
              $streamed ? [1, 0, 0] : [0, 1, 1],
              "$name: " . ($streamed ? 'in chunks, of no length and ETag'
                                     : 'of a length, with an ETag'));
}


# Lists of all lengths

my @SIZES = (0, 1, 511, 512, 513, 1023, 1024, 1025, 5000, 30000);

fill(@SIZES);

{
    my $nginx = start();

    for my $size (@SIZES) {
        for my $round (1, 2) {
            my $response = ask($nginx, "/s?list=$size");
            equal($response->body, page('null', 0, 1 .. $size),
                  "$size rows, request $round");
            ok($response->complete, 'the response has its end');
            is($response->header('X-Cache'), $round == 1 ? 'MISS' : 'HIT',
               'its first chunk is cached');
            is_streamed($response, $size > $CHUNK, "$size rows");
        }

        equal(ask($nginx, "/s/pages?list=$size")->body,
              qq({"total":$size,"pages":1,"tasks":[${\ rows(1 .. $size)}],)
              . qq("page":1,"next":null,"again":$size}), "$size rows, with a total");
        equal(ask($nginx, "/s/bare?list=$size")->body,
              '[' . rows(1 .. $size) . ']', "$size rows, alone");
        equal(ask($nginx, "/s/deep?list=$size")->body,
              '["v",{"a":{"b":[' . rows(1 .. $size) . ']}},1]',
              "$size rows, deep inside");
    }

    ok(eval { JSON::PP->new->utf8->decode(ask($nginx, '/s?list=30000')->body) },
       'a long list is JSON');

    for my $size (1, 511, 512, 513, 1023, 1024, 1025, 30000) {
        for my $limit (1, 511, 512, 513, 600, 1023, 1024, 1025, 1536, 10001, 29999,
                       30000, 30001, 1000000, '9223372036854775807', -1) {

            my $shown = $limit < 0 || $limit > $size ? $size : $limit;
            my $response = ask($nginx, "/s?list=$size&limit=$limit");

            equal($response->body,
                  page($limit < 0 ? 'null' : $limit, $shown < $size, 1 .. $shown),
                  "$size rows, limit $limit");
            is_streamed($response, $shown > $CHUNK, "$size rows, limit $limit");
        }
    }

    is(ask($nginx, '/s?list=30000&limit=0')->body,
       '{"limit":0,"tasks":[],"count":0,"more":true,"next":null,"last":null}',
       'limit 0');
}


# Pages, offsets, cursors

{
    my $nginx = start();

    for my $limit (512, 513, 600, 1024, 4999, 5000, 6000) {
        my $pages = POSIX::ceil(5000 / $limit);

        for my $page (1 .. $pages + 1) {
            my $last = $page * $limit > 5000 ? 5000 : $page * $limit;
            my $next = $page < $pages ? $page + 1 : 'null';

            equal(ask($nginx, "/s/pages?list=5000&limit=$limit&page=$page")->body,
                  qq({"total":5000,"pages":$pages,"tasks":[)
                  . rows(($page - 1) * $limit + 1 .. $last)
                  . qq(],"page":$page,"next":$next,"again":5000}),
                  "page $page of $limit rows");
        }

        my ($cursor, $at, $good) = ('', 0, 1);

        while ($at < 5000) {
            my $last = $at + $limit > 5000 ? 5000 : $at + $limit;
            my $body = ask($nginx, "/s?list=5000&limit=$limit$cursor")->body;
            $good &&= $body eq page($limit, $last < 5000, $at + 1 .. $last);
            $cursor = $body =~ /"next":"([\w-]+)"/ ? "&cursor=$1" : '';
            $at = $last;
        }

        ok($good, "cursors through pages of $limit rows") && is($cursor, '', 'to the end');
    }

    for my $offset (0, 1, 511, 512, 513, 4000, 4487, 4488, 4999, 5000, 5001) {
        for my $limit ('', 512, 513, 600, 1025, 100000) {
            my $last = $limit && $offset + $limit < 5000 ? $offset + $limit : 5000;
            my $next = $last < 5000 ? $last : 'null';

            equal(ask($nginx, "/s/offsets?list=5000&offset=$offset"
                              . ($limit && "&limit=$limit"))->body,
                  '{"tasks":[' . rows($offset + 1 .. $last)
                  . qq(],"offset":$offset,"next":$next}),
                  "from offset $offset, limit " . ($limit || 'none'));
        }
    }

    for my $after (1, 100, 4487, 4488, 4999, 5000) {
        for my $limit ('', 513, 600) {
            my $last = $limit && $after + $limit < 5000 ? $after + $limit : 5000;
            my $first = $after < 5000 ? '"r' . ($after + 1) . '"' : 'null';

            equal(ask($nginx, "/s/ids?list=5000&after=r$after"
                              . ($limit && "&limit=$limit"))->body,
                  qq({"first":$first,"tasks":[) . rows($after + 1 .. $last) . ']'
                  . ($last < 5000 ? qq(,"next":"r$last"}) : '}'),
                  "from id r$after, limit " . ($limit || 'none'));
            equal(ask($nginx, "/s?list=5000&cursor=" . cursor_of($after)
                              . ($limit && "&limit=$limit"))->body,
                  page($limit || 'null', $last < 5000, $after + 1 .. $last),
                  "from the position of r$after, limit " . ($limit || 'none'));
        }
    }
}

{
    my $nginx = start();

    for my $size (0, 512, 513, 5000) {
        my ($first, $last) = $size ? ('"r1"', "\"r$size\"") : ('null', 'null');

        my $body = eval { ask($nginx, "/s/first?list=$size")->body };
        equal($body, '{"tasks":[' . rows(1 .. $size) . qq(],"first":$first,"last":$last}),
              "$size rows: the first id stands behind them");
    }
}


# Templates that cannot be sent in chunks

{
    my $nginx = start();

    fill(10000, 10001);

    for my $size (0, 513, 10000) {
        my $rows = '[' . rows(1 .. $size) . ']';
        my $response = ask($nginx, "/s/held?list=$size");
        equal($response->body, qq({"count":$size,"tasks":$rows}),
              "$size rows behind their count");
        is_streamed($response, 0, "$size rows behind their count");
        equal(ask($nginx, "/s/twice?list=$size")->body, "[$rows,$rows]",
              "$size rows, twice");
    }

    for my $path ('/s/held?list=10001', '/s/held?list=10001&limit=10001', '/s/twice?list=10001') {
        my $response = ask($nginx, $path);
        is($response->status . $response->body,
           '500{"error":"too_large","status":500}', "$path: too large");
    }

    equal(ask($nginx, '/s/held?list=10001&limit=10000')->body,
          '{"count":10000,"tasks":[' . rows(1 .. 10000) . ']}',
          'but not with a limit of 10000');
}


# Orders, filters, ids

{
    my $nginx = start();
    my @down = reverse 1 .. 3000;

    send_all([map { ['FCALL', 's_down_put', 1, 'tasks:{s_down:x}', $_, 'n', $_ - 1500,
                     'status', '"' . status_of($_) . '"'] } @down]);

    my $shown = sub {
        join ',', map { qq({"id":$_,"n":${\ ($_ - 1500)},"status":"${\ status_of($_)}"}) } @_;
    };

    equal(ask($nginx, '/s/down?list=x')->body,
          '{"tasks":[' . $shown->(@down) . '],"next":null}', 'descending');
    equal(ask($nginx, '/s/down?list=x&status=run&status=end')->body,
          '{"tasks":[' . $shown->(grep { $_ % 3 } @down) . '],"next":null}',
          'descending, of two filters');

    my ($body, $cursor, @walked) = ('', '');
    do {
        $body = ask($nginx, "/s/down?list=x&limit=700&status=new&status=end$cursor")->body;
        push @walked, $body =~ /"id":(\d+)/g;
        $cursor = $body =~ /"next":"([\w-]+)"/ ? "&cursor=$1" : '';
    } while ($cursor);
    is("@walked", join(' ', grep { $_ % 3 != 1 } @down), 'by cursors, of two filters');

    my @all = 1 .. 5000;
    my %filters = (
        'status=new'              => sub { $_ % 3 == 0 },
        'status=new,run'          => sub { $_ % 3 < 2 },
        'status=end,new,run,what' => sub { 1 },
        'status=what,how'         => sub { 0 },
        'kind=k1'                 => sub { $_ % 2 },
        'kind=k1,k0&status=run'   => sub { $_ % 3 == 1 },
        'kind=k0&status=run,end'  => sub { $_ % 3 && !($_ % 2) },
    );

    for my $filter (sort keys %filters) {
        my @n = grep { $filters{$filter}->() } @all;
        equal(ask($nginx, "/s?list=5000&$filter")->body, page('null', 0, @n), $filter);

        my @some = @n > 600 ? @n[0 .. 599] : @n;
        equal(ask($nginx, "/s?list=5000&$filter&limit=600")->body,
              page(600, @n > 600, @some), "$filter, limit 600");
    }

    for my $limit (600, 1300) {
        my @n = grep { $_ % 3 } @all;
        my $pages = POSIX::ceil(@n / $limit);
        equal(ask($nginx, "/s/pages?list=5000&status=run,end&limit=$limit&page=2")->body,
              qq({"total":${\ scalar @n},"pages":$pages,"tasks":[)
              . rows(@n[$limit .. 2 * $limit - 1])
              . qq(],"page":2,"next":3,"again":${\ scalar @n}}),
              "the second page of $limit rows, of two filters");
    }

    # strings that must be escaped, and that sort by their bytes

    my @odd = ('"', '\\', ':', '/', ' ', "\xc3\xa9", "\xf0\x9f\x98\x80", '{', '(', '[', '%', '*');
    my @words = sort map { my $n = $_; map { "$_$n" } @odd } 1 .. 200;
    my $json = JSON::PP->new->utf8->allow_nonref;
    my $quoted = sub { $json->encode(Encode::decode('UTF-8', $_[0])) };

    send_all([map { my ($set, $word) = ($_, $words[$_ % @words]);
                    map { ['FCALL', "s_${_}_put", 1, "tasks:{s_$_:x}", $word, 'word',
                           $quoted->($word)] } qw(words sdrow) } 0 .. $#words]);

    my $row = sub { my $q = $quoted->($_[0]); qq({"id":$q,"word":$q}) };

    equal(ask($nginx, '/s/words?list=x')->body,
          '{"tasks":[' . join(',', map { $row->($_) } @words) . ']}',
          scalar(@words) . ' ids and words that must be escaped, in the order of their bytes');
    equal(ask($nginx, '/s/sdrow?list=x')->body,
          '{"tasks":[' . join(',', map { $row->($_) } reverse @words) . ']}', 'and backwards');

    # many that are equal in what they are ordered by

    send_all([map { ['FCALL', 's_put', 1, 'tasks:{s:equal}', "e$_", 'n', 7, 'status', '"new"'] }
              1 .. 2000]);
    equal(join(' ', ask($nginx, '/s?list=equal')->body =~ /"id":"(\w+)"/g),
          join(' ', sort map { "e$_" } 1 .. 2000), 'tasks of one time, by their ids');
}

# Faults in the middle.  A Redis of one list, three chunks long, that misbehaves
# from some command of a request on; without the cache the first chunk takes
# four, each further one five.  Its plan:
#
#   right => N          so many commands are answered as they must be (4)
#   bytes => N          of further answers so many bytes; then
#   end => HOW          close, reset or stall
#   times => N          so often only
#   replies => { KIND => BYTES }     further answers are these
#   moving => N         the revision is another one so many times

sub bulk { defined $_[0] ? '$' . length($_[0]) . "\r\n$_[0]\r\n" : "\$-1\r\n" }

sub array { '*' . @_ . "\r\n" . join '', @_ }

my $FIRST = 4;
my $FAULTY = 1200;

my @FAULTY = map { { position => sprintf('%014x:r%d', $_ + (1 << 55), $_),
                     row => row($_) } } 0 .. $FAULTY;

sub kind_of {
    my ($command) = @_;

    my ($name, $key) = @$command;

    return $name eq 'HMGET' ? ($key =~ /:rows$/ ? 'rows'
                               : $key =~ /:revs$/ ? 'revision' : 'task')
         : { ZRANGE => 'members', ZCARD => 'total', FCALL_RO => 'page' }->{$name}
           // 'other';
}


# Rows from a position on, of so many that were asked for.

sub faulty_from {
    my ($cursor, $fetched) = @_;

    my $from = length $cursor ? $cursor =~ /(\d+)$/ && $1 + 1 : 1;
    my $to = $from + $fetched - 1;

    return @FAULTY[$from .. ($to < $FAULTY ? $to : $FAULTY)];
}


sub right_answer {
    my ($kind, $command, $plan) = @_;

    my @words = @$command;

    return "+OK\r\n" if $kind eq 'other';
    return ":$FAULTY\r\n" if $kind eq 'total';
    return array(bulk($plan->{asked} > ($plan->{right} // $FIRST)
                      && ($plan->{moving} // 0) > 0 ? $plan->{moving}-- : 'still'))
        if $kind eq 'revision';
    return array(map { bulk($plan->{rows}{$_} // $FAULTY[substr $_, 1]{row}) } @words[2 .. $#words])
        if $kind eq 'rows';

    if ($kind eq 'members') {
        return array(map { bulk($_->{position}) }
                     faulty_from($words[3] eq '+' ? ($words[2], $words[7])
                                                  : ('', $words[3] + 1)));
    }

    my @rows = faulty_from(@words[6, 5]);

    return array(bulk('page'), ":$FAULTY\r\n", map({ bulk($_->{position}) } @rows),
                 map { bulk($plan->{rows}{$_->{position} =~ s/.*://r} // $_->{row}) } @rows);
}


sub faulty_answer {
    my ($command, $plan) = @_;

    my $kind = kind_of($command);
    $plan->{asked}++ if $kind ne 'other';
    my $right = right_answer($kind, $command, $plan);

    return $right if $kind eq 'other' || $plan->{asked} <= ($plan->{right} // $FIRST);

    $right = $plan->{replies}{$kind} // $right;

    if ($plan->{end} && ($plan->{times} // 1e9) > 0) {
        my $left = $plan->{bytes} - ($plan->{sent} // 0);
        $plan->{sent} += length $right;

        if (length $right >= $left) {
            $plan->{times}-- if $plan->{times};
            return { bytes => substr($right, 0, $left > 0 ? $left : 0), $plan->{end} => 1 };
        }
    }

    return $right;
}


sub faulty { return FaultyRedis->canned(\&faulty_answer, @_) }

sub start_on {
    my ($fake, $store, %option) = @_;

    return start(store => 'server ' . $fake->address . '; load_functions off; '
                          . ($store // ''),
                 locations => location('/off/', 'tasks_cache off;'),
                 %option);
}


my $WHOLE = page('null', 0, 1 .. $FAULTY);
my $BEGIN = substr $WHOLE, 0, index $WHOLE, ',{"id":"r513"';
my $LINES = join '', map { row($_) . "\n" } 1 .. $FAULTY;


# The next response says that the last one was not the connection's fault.

sub is_served {
    my ($nginx, $path, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $response = ask($nginx, $path);

    equal($response->body, $WHOLE, $name) && ok($response->complete, 'whole');
}


sub is_cut {
    my ($nginx, $name, $path, $lines) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $log = length $nginx->error_log;
    my $connection = http_connect($nginx->port);
    my $response = http($connection, 'GET', $path // '/off/?list=x', timeout => 10,
                        headers => { $lines ? (Accept => 'application/x-ndjson') : () });

    my $whole = $lines ? $LINES : $WHOLE;
    my $begin = $lines ? substr $LINES, 0, index $LINES, '{"id":"r513"' : $BEGIN;

    my $seen = !$response ? 'none'
        : join ', ', $response->status, $response->complete ? 'whole' : 'cut',
              index($whole, $response->body) == 0 ? () : 'wrong rows',
              $response->body eq $begin ? () : 'not what was read',
              length $response->body < length $whole ? () : 'all';

    is($seen, '200, cut', "$name: cut");
    is($connection->rest, '', 'there is nothing behind it') or diag($connection->rest);
    like($nginx->error_log($log), qr/\[error\] .*tasks: a list is cut/, 'the log says so');
}


sub raw_end {
    my ($port, $bytes) = @_;

    my $socket = http_connect($port)->socket;
    my $got = '';
    my $n;

    syswrite $socket, $bytes;
    1 while $n = sysread $socket, $got, 65536, length $got;

    return ($got, defined $n ? 'closed' : $!{ECONNRESET} ? 'reset' : "$!");
}


{
    my $fake = faulty(listen => 0);
    my $nginx = start_on($fake, 'timeout 5s;');

    is_served($nginx, '/off/?list=x', 'a list of three chunks');
    $fake->plan;
    is_served($nginx, '/s?list=x', 'with the cache');

    # bytes of the second chunk's replies: revision, members, total; rows, revision

    my @second = faulty_from($FAULTY[$CHUNK]{position}, $CHUNK + 1);
    my $revision = length array(bulk('still'));
    my $members = length array(map { bulk($_->{position}) } @second);
    my $total = length ":$FAULTY\r\n";
    my $rows = length array(map { bulk($_->{row}) } @second[0 .. $CHUNK - 1]);
    my @edges = ($revision, $members, $total, $rows, $revision);
    my ($sum, %at) = (0);

    for my $edge (0, @edges) {
        $sum += $edge;
        $at{$_}++ for grep { $_ >= 0 } $sum - 3 .. $sum + 2;
    }

    $at{int rand $sum}++ for 1 .. ($FULL ? 500 : 40);
    delete @at{grep { $_ >= $sum } keys %at};

    my ($wrong, $tries) = (0, 0);

    for my $bytes (sort { $a <=> $b } keys %at) {
        my $end = (qw(close reset))[$tries++ % 2];

        $fake->plan(bytes => $bytes, end => $end);
        my $response = ask($nginx, '/off/?list=x');
        my $body = $response ? $response->body : '';
        $fake->plan;
        my $next = ask($nginx, '/off/?list=x');

        next if $response->status eq '200' && !$response->complete && $body eq $BEGIN
                && $next->body eq $WHOLE && $next->complete;

        $wrong++;
        diag("$end after $bytes bytes: status ", $response->status, ', complete ',
             $response->complete, ', ', length $body, ' bytes, then ', $next->status);
    }

    is($wrong, 0, "$tries cuts within the replies of the second chunk: each is seen,"
       . ' and the next list is whole');
    is(() = $nginx->error_log =~ /\[error\] .*a list is cut/g, $tries, 'each is logged once');

    # the same once only: the chunk is read again

    ($wrong, $tries) = (0, 0);

    for my $bytes (sort { $a <=> $b } keys %at) {
        my $end = (qw(close reset))[$tries++ % 2];

        next if $tries % 4;

        $fake->plan(bytes => $bytes, end => $end, times => 1);
        my $response = ask($nginx, '/off/?list=x');

        next if $response->complete && $response->body eq $WHOLE;

        $wrong++;
        diag("$end once, after $bytes bytes: complete ", $response->complete);
    }

    is($wrong, 0, 'a connection that is lost once is not seen at all');

    # further chunks, and with the cache, where the first chunk takes one command

    for my $right ($FIRST + 5, $FIRST + 6, $FIRST + 8, $FIRST + 9) {
        $fake->plan(right => $right, bytes => 3, end => 'close');
        my $response = ask($nginx, '/off/?list=x');
        ok(!$response->complete && $response->body eq substr($WHOLE, 0, length $response->body)
           && $response->body =~ /"r1024"/ && $response->body !~ /"r1025"/,
           "cut in the third chunk, after $right commands");
        $fake->plan;
        is_served($nginx, '/off/?list=x', 'the next list');
    }

    $fake->plan(right => 1, bytes => 100, end => 'close');
    is_cut($nginx, 'the first chunk is from the cache', '/s?list=x');
    $fake->plan;
    is_served($nginx, '/s?list=x', 'the next list');

    # HTTP/1.0 has no end but that of the connection

    for my $accept ('', "Accept: application/x-ndjson\r\n") {
        my $begin = $accept ? substr $LINES, 0, index $LINES, '{"id":"r513"' : $BEGIN;

        for my $end (qw(close reset)) {
            $fake->plan(bytes => 20000, end => $end);
            my ($got, $how) = raw_end($nginx->port, "GET /off/?list=x HTTP/1.0\r\n$accept\r\n");
            is($how, 'reset', "HTTP/1.0${\ ($accept && ', lines') }: reset");
            ok($got !~ /Transfer-Encoding|Content-Length/i, 'of no length');
            equal($got =~ s/^.*?\r\n\r\n//sr, $begin, 'after the first chunk');
        }

        $fake->plan;
        my ($got, $how) = raw_end($nginx->port, "GET /off/?list=x HTTP/1.0\r\n$accept\r\n");
        is($how, 'closed', 'a whole one is closed');
        equal($got =~ s/^.*?\r\n\r\n//sr, $accept ? $LINES : $WHOLE, 'with all of it');
    }

    # lines

    $fake->plan(bytes => 20000, end => 'close');
    is_cut($nginx, 'lines', '/off/?list=x', 1);
    $fake->plan;

    # pipelined: nothing is answered behind a list that is cut

    $fake->plan(bytes => 20000, end => 'close');
    my $connection = http_connect($nginx->port);
    $connection->send(Tasks::HTTP::request_bytes('GET', '/off/?list=x') x 3);
    my $response = $connection->response(10);
    ok(!$response->complete && $response->body eq $BEGIN, 'a pipelined request: cut');
    is($connection->response(10), undef, 'those behind it are not answered');
    $fake->plan;
    is_served($nginx, '/off/?list=x', 'the next list');

    is_deeply([$nginx->complaints], [], 'no alert');
}


# Stalls

{
    my $fake = faulty();
    my $nginx = start_on($fake, 'timeout 1s;');

    for my $bytes (0, 1, 5000, 60000) {
        $fake->plan(bytes => $bytes, end => 'stall');
        my $took = stopwatch();
        is_cut($nginx, "Redis stalls after $bytes bytes");
        cmp_ok($took->(), '<', 1 + 0.3 * $SLOW, 'in time');
        $fake->plan;
        wait_for(sub { ask($nginx, '/off/?list=x')->body eq $WHOLE }, 5, 'service');
    }
}


# Replies that are wrong

{
    my $fake = faulty();
    my $nginx = start_on($fake, 'timeout 3s;');
    my %replies = (
        'an error'           => [[qw(revision members total rows)], "-ERR what\r\n"],
        'NOPERM'             => [[qw(revision members total rows)], "-NOPERM no\r\n"],
        'LOADING'            => [[qw(revision members rows)], "-LOADING\r\n"],
        'WRONGTYPE'          => [[qw(members rows)], "-WRONGTYPE Operation\r\n"],
        'nil'                => [[qw(revision members total rows)], "\$-1\r\n"],
        'a string'           => [[qw(revision members total rows)], bulk('x')],
        'an integer'         => [[qw(revision members rows)], ":1\r\n"],
        'an empty array'     => [[qw(revision rows)], "*0\r\n"],
        'too few rows'       => [['rows'], array(bulk('{"id":"r513"}'))],
        'one row more'       => [['rows'], array((bulk('{"id":"r513"}')) x ($CHUNK + 1))],
        'a row missing'      => [['rows'], array(map { bulk($_ == 700 ? undef : row($_)) }
                                                 $CHUNK + 1 .. 2 * $CHUNK)],
        'the last missing'   => [['rows'], array(map { bulk($_ == 1024 ? undef : row($_)) }
                                                 $CHUNK + 1 .. 2 * $CHUNK)],
        'all rows missing'   => [['rows'], array((bulk(undef)) x $CHUNK)],
        'no revision'        => [['revision'], array(bulk(undef))],
        'a total of none'    => [['total'], ":0\r\n"],
        'members that are no positions' => [['members'], array((bulk('x')) x 513)],
        'members that are no strings'   => [['members'], array((":1\r\n") x 513)],
        'too many members'   => [['members'], array((bulk('80000000000000:r7')) x 514)],
        'no protocol'        => [[qw(revision members total rows)], "what\r\n"],
        'a string of another length' => [['rows'], array(bulk('{}') =~ s/2/1/r, (bulk('{}')) x 511)],
    );

    my $contradiction = array(bulk(undef), ":$FAULTY\r\n");

    for my $what (sort keys %replies) {
        my ($kinds, $bytes) = @{ $replies{$what} };

        for my $kind (@$kinds) {
            # what contradicts itself is read again, at last by the function
            $fake->plan(replies => { $kind => $bytes, page => $contradiction });
            is_cut($nginx, "$what for $kind");
            $fake->plan;
            wait_for(sub { ask($nginx, '/off/?list=x')->body eq $WHOLE }, 5, 'service');
        }
    }

    # the list is gone, as Redis has it: this is no fault

    $fake->plan(replies => { revision => array(bulk(undef)), members => array(), total => ":0\r\n" });
    my $response = ask($nginx, '/off/?list=x');
    ok($response->complete, 'all tasks are removed meanwhile: an end');
    equal($response->body, page('null', 0, 1 .. $CHUNK), 'behind those that were there');
}


# Revisions that move

{
    my $fake = faulty();
    my $nginx = start_on($fake, 'timeout 10s;');
    my $pages = sub { scalar grep { kind_of($_) eq 'page' } $fake->commands };
    my %refusal = ('is not there' => "-ERR Function not found\r\n",
                   'may not be called' => "-NOPERM no permissions\r\n");

    $fake->plan(moving => 1e9);
    is_served($nginx, '/off/?list=x', 'revisions that always move: read by the function');
    is($pages->(), 2, 'the second and the third chunk');

    my $before = $pages->();
    $fake->plan(moving => 4);
    is_served($nginx, '/off/?list=x', 'a revision that moves for a while');
    is($pages->(), $before, 'needs no function');

    for my $how (sort keys %refusal) {
        $fake->plan(moving => 20, replies => { page => $refusal{$how} });
        is_served($nginx, '/off/?list=x', "the function $how: read again until it is whole");
        $fake->plan(moving => 1e9, replies => { page => $refusal{$how} });
        is_cut($nginx, "the function $how, revisions always move");
    }

    my %replies = (
        'an error' => "-ERR what\r\n", 'nil' => "\$-1\r\n", 'nothing' => "*0\r\n",
        'an odd number' => array(bulk('page'), ":1200\r\n", bulk('80000000000201:r513')),
        'no revision' => array(bulk(undef), ":1200\r\n", bulk('80000000000201:r513'), bulk('{}')),
        'a total of none' => array(bulk('page'), ":0\r\n", bulk('80000000000201:r513'), bulk('{}')),
        'a row missing' => array(bulk('page'), ":1200\r\n", bulk('80000000000201:r513'), bulk(undef)),
        'too much' => array(bulk('page'), ":1200\r\n", (bulk('80000000000201:r513')) x 1028),
    );

    for my $what (sort keys %replies) {
        $fake->plan(moving => 1e9, replies => { page => $replies{$what} });
        is_cut($nginx, "the function answers $what");
        $fake->plan;
        wait_for(sub { ask($nginx, '/off/?list=x')->body eq $WHOLE }, 5, 'service');
    }

    for my $right (0, $FIRST) {
        my %pretty = map { ("r$_" => row($_) =~ s/,/,\n /gr) } 1, 2, 513, 600, 1200;

        $fake->plan(right => $right, moving => 1e9, rows => \%pretty);
        my $response = ask($nginx, '/off/?list=x', headers => { Accept => 'application/x-ndjson' });
        is(() = $response->body =~ /\n/g, $FAULTY,
           "rows with line ends, read by the function from chunk ${\ ($right ? 2 : 1) } on: one line each");
        equal($response->body, join('', map { ($pretty{"r$_"} // row($_)) =~ s/\n/ /gr . "\n" }
                                        1 .. $FAULTY), 'with spaces for their line ends');
    }
}


# HTTP/2 and gzip

my $directory = tempdir(CLEANUP => 1);

system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost"
       . " -keyout $directory/key -out $directory/certificate 2>/dev/null") == 0
    or die "openssl fails\n";


sub tls_server {
    my ($port) = @_;

    return <<"END";
    listen 127.0.0.1:$port ssl http2;
    ssl_certificate $directory/certificate;
    ssl_certificate_key $directory/key;
END
}


# Runs curl; returns its exit status and what it writes.

sub curl {
    my (@arguments) = @_;

    open my $out, '-|', 'curl', '-k', '-sS', '--no-progress-meter', '--max-time', 20,
         '--stderr', "$directory/stderr", @arguments
        or die "curl: $!\n";
    local $/;
    my $text = <$out>;
    close $out;

    return ($? >> 8, $text);
}


sub slurp {
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;

    return scalar <$in>;
}


{
    my $fake = faulty();
    my $tls = Tasks::Nginx::free_port();
    my $nginx = start_on($fake, 'timeout 2s;', locations => location('/off/', 'tasks_cache off;')
        . location('/gzip/', 'gzip on; gzip_types *; gzip_min_length 0; tasks_cache off;')
        . tls_server($tls));
    my $url = "https://127.0.0.1:$tls/off/?list=x";
    my @lines = ('-H', 'Accept: application/x-ndjson');

    for my $accept ([], \@lines) {
        my $name = @$accept ? 'lines' : 'a list';
        my $whole = @$accept ? $LINES : $WHOLE;
        my $begin = @$accept ? substr $LINES, 0, index $LINES, '{"id":"r513"' : $BEGIN;

        $fake->plan;
        my ($status, $body) = curl('--http2', @$accept, $url);
        is($status, 0, "HTTP/2: $name") or diag(slurp("$directory/stderr"));
        equal($body, $whole, 'whole');

        $fake->plan(bytes => 20000, end => 'close');
        ($status, $body) = curl('--http2', @$accept, $url);
        is($status, 92, "HTTP/2: $name is cut: the stream is reset");
        ok(length $body <= length $begin && index($begin, $body) == 0, 'after the first chunk at most');

        $fake->plan;
        ($status, $body) = curl('--http1.1', @$accept, $url);
        is($status, 0, "HTTP/1.1 with TLS: $name");
        equal($body, $whole, 'whole');

        $fake->plan(bytes => 20000, end => 'close');
        ($status, $body) = curl('--http1.1', @$accept, $url);
        is($status, 18, "HTTP/1.1 with TLS: $name is cut") or diag(slurp("$directory/stderr"));
        equal($body, $begin, 'after the first chunk');

        $fake->plan;
        ($status, $body) = curl('--http1.0', @$accept, $url);
        is($status, 0, "HTTP/1.0 with TLS: $name");
        equal($body, $whole, 'whole');

        $fake->plan(bytes => 20000, end => 'close');
        ($status, $body) = curl('--http1.0', @$accept, $url);
        is($status, 56, "HTTP/1.0 with TLS: $name is cut") or diag(slurp("$directory/stderr"));
        ok(length $body <= length $begin && index($begin, $body) == 0, 'after the first chunk at most');
    }

    # other streams of the connection go on

    $fake->plan(bytes => 20000, end => 'close');
    my ($status, $text) = curl('--http2', '--parallel', $url, '-o', "$directory/1",
                               "https://127.0.0.1:$tls/html/", '-o', "$directory/2");
    is($status, 92, 'HTTP/2: one of two streams is reset');

    $fake->plan;
    my %gzip = (headers => { 'Accept-Encoding' => 'gzip' });
    my $unzip = sub {
        my ($bytes) = @_;
        my $text = '';
        my $ok = IO::Uncompress::Gunzip::gunzip(\$bytes, \$text);
        return ($ok ? 1 : 0, $text);
    };

    my $response = ask($nginx, '/gzip/?list=x', %gzip);
    is($response->header('Content-Encoding'), 'gzip', 'gzip');
    cmp_ok(length $response->body, '<', 0.2 * length $WHOLE, 'makes it small');
    my ($ok, $body) = $unzip->($response->body);
    is($ok, 1, 'gunzip takes it');
    equal($body, $WHOLE, 'whole');

    $fake->plan(bytes => 20000, end => 'close');
    $response = ask($nginx, '/gzip/?list=x', %gzip);
    ok(!$response->complete, 'gzip: cut');
    ($ok, $body) = $unzip->($response->body);
    is($ok, 0, 'gunzip does not take it for whole');
    ok(index($WHOLE, $body) == 0 && length $body <= length $BEGIN, 'nor gives it more than was read');
}


# A value that is above max_reply, in the second chunk

{
    send_all([map { my $put = put('large', $_);
                    $put->[-1] = '"' . 'x' x 300000 . '"' if $_ == 700;
                    $put } 1 .. 1200]);

    my $nginx = start(store => 'server unix:' . redis_socket() . '; max_reply 256k; timeout 10s;');

    my $response = ask($nginx, '/s?list=large');
    ok(!$response->complete, 'a reply that is too large: cut');
    equal($response->body, $BEGIN, 'after the first chunk');
    is(ask($nginx, '/s/one/r5?list=large')->status, 200, 'others are served');
    equal(ask($nginx, '/s?list=large&limit=512')->body,
          page(512, 1, 1 .. $CHUNK), 'what is in front of it, too');
}


# While others write

# The tasks by 3 stay, with status "new"; of the others one writer changes half
# between "new" and "run", and one inserts and removes the other half.

{
    my $tasks = 6000;

    send_all([map { put('churn', $_) } grep { $_ % 3 == 0 } 1 .. $tasks]);

    my $churn = 'tasks:{s:churn}';
    my @writers = (
        in_background(sub {
            my $n = 3 * int(rand $tasks / 3) + 1;
            $_[0]->command('FCALL', 's_put', 1, $churn, "r$n", 'n', $n,
                           'status', (qw("new" "run"))[rand 2]);
        }),
        in_background(sub {
            my $n = 3 * int(rand $tasks / 3) + 2;
            $_[0]->command('FCALL', 's_put', 1, $churn, "r$n", 'n', $n,
                           'status', (qw("new" "run"))[rand 2]);
            $n = 3 * int(rand $tasks / 3) + 2;
            $_[0]->command('FCALL', 's_remove', 1, $churn, "r$n");
        }),
    );

    # the writers are under way
    wait_for(sub { redis('ZCARD', "$churn:index") > $tasks / 3 + 1000 }, 60, 'rows');

    my $nginx = start(workers => 2, locations => location('/rate/', 'limit_rate 800k;'));
    my %paths = (
        '/s?list=churn'                   => qr/^(?:new|run)$/,
        '/s?list=churn&status=new'        => qr/^new$/,
        '/s?list=churn&status=new,run'    => qr/^(?:new|run)$/,
        '/s?list=churn&status=new,end'    => qr/^new$/,
        '/s/pages?list=churn&status=new'  => qr/^new$/,
        '/s/ids?list=churn&after=r3'      => qr/^(?:new|run)$/,
        '/rate/?list=churn&status=new'    => qr/^new$/,
        '/rate/?list=churn&status=new,x'  => qr/^new$/,
    );
    my %bad;
    my ($lists, $rows, $changing) = (0, 0, 0);
    my $until = time + ($FULL ? 40 : 8);

    # so long, and on a slow machine until there are enough

    while (time < $until || ($lists <= 30 && time < $until + 60)) {
        for my $path (sort keys %paths) {
            my $lines = $lists % 3 == 2;
            my $response = ask($nginx, $path,
                headers => { $lines ? (Accept => 'application/x-ndjson') : () });
            my $body = $response->body;
            my ($last, $seen, $stay) = (0, 0, 0);

            $bad{$response->status}++ if $response->status ne '200';
            $bad{cut}++ if !$response->complete;
            $bad{form}++ if !$lines && !eval { JSON::PP->new->utf8->decode($body) };
            $bad{lines}++ if $lines && (grep { !/^\{"id":"r\d+","n".*\}$/ } split /\n/, $body);

            while ($body =~ /\{"id":"r(\d+)","n":(\d+),"status":"(\w+)"/g) {
                my ($id, $n, $status) = ($1, $2, $3);
                $bad{order}++ if $n <= $last || $id != $n;
                $bad{filter}++ if $status !~ $paths{$path};
                $seen++;
                $stay++ if $id % 3 == 0;
                $last = $n;
            }

            $bad{missing}++ if $stay != $tasks / 3 - ($path =~ /after/);
            $bad{count}++ if $body =~ /"count":(\d+)/ && $1 != $seen;
            $changing += $seen - $stay;
            $rows += $seen;
            $lists++;
        }
    }

    is((grep { end($_) } @writers), 2, 'the writers wrote');
    is(join(', ', map { "$_: $bad{$_}" } sort keys %bad), '',
       "$lists lists while others write: whole, in order, none twice, none missing,"
       . ' no row that contradicts its filter');
    cmp_ok($changing, '>', 500 * $lists, 'with rows that came and went');
    cmp_ok($lists, '>', 30, 'in many lists');
    note("$lists lists of $rows rows");
}


# A list that shrinks and grows between requests

{
    my $nginx = start();
    my $size = 0;

    for my $next (511, 512, 513, 512, 1200, 513, 500, 600, 0, 1025, 512) {
        if ($next > $size) {
            send_all([map { put('var', $_) } $size + 1 .. $next]);
        } else {
            send_all([map { ['FCALL', 's_remove', 1, 'tasks:{s:var}', "r$_"] } $next + 1 .. $size]);
        }

        $size = $next;

        for my $round (1, 2) {
            my $response = ask($nginx, '/s?list=var');
            equal($response->body, page('null', 0, 1 .. $size), "now it has $size rows");
            is_streamed($response, $size > $CHUNK, "$size rows");
        }
    }
}


# Commands of a kind that Redis has had since RESETSTAT.

sub calls {
    my ($name) = @_;

    return redis('INFO', 'commandstats') =~ /^cmdstat_$name:calls=(\d+)/m ? $1 : 0;
}


# A connection whose buffers are small.

sub slow_connect { return http_connect($_[0], $_[1] // 32768) }


sub rss {
    my ($pid) = @_;

    return 4096 * (split ' ', slurp("/proc/$pid/statm"))[1];
}


sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }


# Waits until a number is the same for a while, a longer one if the machine is
# busy, and returns it.

sub settled {
    my ($number) = @_;

    my ($last, $since, $same) = ($number->(), time, stopwatch());

    wait_for(sub {
        my $now = $number->();
        ($last, $since, $same) = ($now, time, stopwatch()) if $now != $last;
        return $same->() > 0.4 * $SLOW || time - $since > 3;
    }, 20, 'rest');

    return $last;
}


# nginx with another port whose buffers are small, and locations of all kinds.

my ($small, $tls);

sub start_small {
    my (%option) = @_;

    ($small, $tls) = map { Tasks::Nginx::free_port() } 1, 2;

    my $locations = delete $option{locations} // '';

    my $http = delete $option{http_config} // '';

    return start(%option, http_config => "charset_map koi8-r utf-8 { 80 E282AC; }\n$http",
                 locations => <<"END"
    listen 127.0.0.1:$small sndbuf=32k;
    location /page { ssi on; ssi_types *; }
END
        . $locations . tls_server($tls)
        . location('/off/', 'tasks_cache off;')
        . location('/short/', 'send_timeout 1s;')
        . location('/rate/', 'limit_rate 200k;')
        . location('/after/', 'limit_rate 400k; limit_rate_after 300k;')
        . location('/gzip/', 'gzip on; gzip_types *; gzip_min_length 0;')
        . location('/sub/', q(sub_filter_types *; sub_filter_once off; sub_filter '"run"' '"RUNS"';))
        . location('/ssi/', 'ssi on; ssi_types *;')
        . location('/charset/', 'charset utf-8; source_charset koi8-r; charset_types *;'));
}


# Back-pressure

{
    my $nginx = start_small();
    my ($worker) = $nginx->worker_pids;
    my $all = POSIX::ceil(30000 / $CHUNK);
    my $whole = page('null', 0, 1 .. 30000);
    my $lines = join '', map { row($_) . "\n" } 1 .. 30000;

    ask($nginx, '/s?list=30000');

    for my $kind (['/s?list=30000', $whole], ['/off/?list=30000', $whole],
                  ['/s?list=30000', $lines, 1], ['/gzip/?list=30000', undef]) {
        my ($path, $expected, $accept) = @$kind;
        my $name = $accept ? 'lines' : $path;
        my $memory = rss($worker);

        redis('CONFIG', 'RESETSTAT');
        my $connection = slow_connect($small);
        $connection->send(Tasks::HTTP::request_bytes('GET', $path, headers => {
            'Accept-Encoding' => $expected ? '' : 'gzip',
            Accept => $accept ? 'application/x-ndjson' : '*/*' }));

        my $asked = settled(sub { calls('zrange') });
        # gzip makes these rows ten times smaller
        cmp_ok($asked, '<', $expected ? 6 : $all, "$name: of a client that reads nothing Redis is asked"
               . " for few of $all chunks");
        cmp_ok(rss($worker) - $memory, '<', bytes(3e6), 'and the worker holds no more');

        my $response = $connection->response(20);
        my $body = $response->body;

        if (!$expected) {
            my $bytes = $body;
            IO::Uncompress::Gunzip::gunzip(\$bytes, \($body = ''));
        }

        ok($response->complete, 'then it reads: it gets the end');
        equal($body, $expected // $whole, 'and all of it');
        is(calls('zrange'), $path =~ /off|gzip/ || $accept ? $path =~ /gzip/ ? $all - 1 : $all : $all - 1,
           'Redis is asked for each chunk once, but for the first one where that is cached');
    }

    # fifty at once

    my $gets = sub {
        my $slowest = 0;
        for my $n (1 .. 40) {
            my $took = stopwatch();
            my $response = ask($nginx, "/s/one/r$n?list=30000");
            return "no task $n" if $response->body !~ /^\{"id":"r$n",/;
            $slowest = max($slowest, $took->());
        }
        return $slowest;
    };

    my $memory = rss($worker);
    my @readers = map {
        my $connection = slow_connect($small);
        $connection->send(Tasks::HTTP::request_bytes('GET', $_ % 2 ? '/s?list=30000' : '/off/?list=30000',
            headers => { Connection => 'close', Accept => $_ % 3 ? '*/*' : 'application/x-ndjson' }));
        { socket => $connection->socket, connection => $connection,
          expected => $_ % 3 ? length $whole : length $lines, body => 0, text => '',
          whole => $_ % 3 ? \$whole : \$lines };
    } 1 .. 50;

    settled(sub { calls('zrange') });
    my $most = rss($worker);
    cmp_ok($gets->(), '<', 0.2 * $SLOW, 'a task beside fifty that read nothing: at once');

    my ($select, $turn, $slowest, $wrong) = (IO::Select->new, 0, 0, 0);
    my %by;

    for (@readers) {
        $select->add($_->{socket});
        $by{fileno $_->{socket}} = $_;
    }

    while ($select->count) {
        my @ready = $select->can_read(20) or last;

        for my $socket (@ready) {
            my $reader = $by{fileno $socket};
            my $n = sysread $socket, $reader->{text}, 8192, length $reader->{text};

            unless ($n) {
                $select->remove($socket);
                close $socket;
                $reader->{ended} = $reader->{last} ? 1 : 0;
                next;
            }

            take_chunks($reader) or $wrong++;
        }

        if (++$turn % 200 == 0) {
            my $now = rss($worker);
            $most = $now if $now > $most;

            my $took = stopwatch();
            ask($nginx, '/s/one/r7?list=30000');
            $slowest = max($slowest, $took->());
        }
    }

    is($wrong, 0, 'each gets its rows');
    is((grep { $_->{ended} && $_->{body} == $_->{expected} } @readers), 50, 'to the end');
    cmp_ok($most - $memory, '<', bytes(16e6), 'fifty slow readers of 30000 rows: the worker'
           . ' grows by less than 16 MB');
    cmp_ok($slowest, '<', 0.3 * $SLOW, 'and others are served at once');
    note('grows by ', $most - $memory, ', the slowest get took ', $slowest, ' s');

    is_deeply([$nginx->complaints], [], 'no alert');
}


# Takes whole chunks from what was read; false if they are not the next bytes
# of the list.

sub take_chunks {
    my ($reader) = @_;

    $reader->{text} =~ s/^HTTP.*?\r\n\r\n//s or return 1 unless $reader->{head};
    $reader->{head} = 1;

    while ($reader->{text} =~ /^([0-9a-f]+)\r\n/) {
        my ($size, $from) = (hex $1, $+[0]);

        last if length $reader->{text} < $from + $size + 2;

        my $chunk = substr $reader->{text}, $from, $size;
        return 0 if $chunk ne substr ${ $reader->{whole} }, $reader->{body}, $size;

        $reader->{body} += $size;
        $reader->{last} = 1 if $size == 0;
        substr $reader->{text}, 0, $from + $size + 2, '';
    }

    return 1;
}


# Timeouts, rates, and what else may stand between a list and its client

{
    my $nginx = start_small();
    my ($worker) = $nginx->worker_pids;
    my $whole = page('null', 0, 1 .. 5000);
    my $large = page('null', 0, 1 .. 30000);

    # a client that never reads, and one that reads slowly, but does

    my $files = settled(sub { descriptors($worker) });
    my $log = length $nginx->error_log;
    my $connection = slow_connect($small);
    my $took = stopwatch();

    $connection->send(Tasks::HTTP::request_bytes('GET', '/short/?list=30000'));
    wait_for(sub { $nginx->error_log($log) =~ /client timed out/ }, 10, 'send_timeout');
    cmp_ok($took->(), '<', 1 + 1 * $SLOW, 'a client that never reads: send_timeout ends it');
    is(settled(sub { descriptors($worker) }), $files, 'and its connection');
    ok(!$connection->response(10)->complete, 'what it reads then is cut');

    $connection = slow_connect($small);
    my $start = time;
    $connection->send(Tasks::HTTP::request_bytes('GET', '/short/?list=5000', headers => { Connection => 'close' }));
    my $text = '';
    while (sysread $connection->socket, $text, 40000, length $text) { sleep 0.15 }
    cmp_ok(time - $start, '>', 1.2, 'a slow client takes longer than send_timeout');
    my $response = Tasks::HTTP->from_bytes($text)->response;
    ok($response->complete && $response->body eq $whole, 'and gets all of its list');

    # a rate

    for my $path ('/rate/', '/after/') {
        ($start, $took) = (time, stopwatch());
        $response = ask($nginx, "$path?list=5000");
        my ($passed, $own) = (time - $start, $took->());
        equal($response->body, $whole, "$path: limit_rate");
        cmp_ok($passed, '>', $path eq '/rate/' ? 1.5 : 0.4, 'takes its time');
        cmp_ok($own, '<', 4 * $SLOW, 'but no longer');
    }

    my @both = map { http_connect($nginx->port) } 1, 2;
    $_->send(Tasks::HTTP::request_bytes('GET', '/rate/?list=5000')) for @both;
    equal($_->response(15)->body, $whole, 'two at once') for @both;

    # filters

    equal(ask($nginx, '/sub/?list=5000')->body, $whole =~ s/"run"/"RUNS"/gr, 'sub_filter');
    equal(ask($nginx, '/ssi/?list=5000')->body, $whole, 'ssi');
    equal(ask($nginx, '/charset/?list=5000')->body, $whole, 'charset');
    $connection = slow_connect($small);
    $connection->send(Tasks::HTTP::request_bytes('GET', '/sub/?list=30000'));
    equal($connection->response(20)->body, $large =~ s/"run"/"RUNS"/gr, 'sub_filter, a slow client');
    $connection = slow_connect($small);
    $connection->send(Tasks::HTTP::request_bytes('GET', '/ssi/?list=30000'));
    equal($connection->response(20)->body, $large, 'ssi, a slow client');

    for my $path ('/gzip/?list=5000', '/gzip/?list=30000') {
        my $bytes = ask($nginx, $path, headers => { 'Accept-Encoding' => 'gzip' })->body;
        my $text;
        ok(IO::Uncompress::Gunzip::gunzip(\$bytes, \$text), "$path: gunzip takes it");
        equal($text, $path =~ /30000/ ? $large : $whole, 'whole');
    }

    # a subrequest is held in memory

    $nginx->write_file('html/page', 'a<!--# include virtual="/s?list=5000" -->b'
        . '<!--# include virtual="/s?list=513" -->c<!--# include virtual="/s?list=10001" -->d');
    equal(ask($nginx, '/page')->body,
          "a${whole}b" . page('null', 0, 1 .. 513) . 'c{"error":"too_large","status":500}d',
          'lists in a page: whole, or too large');

    # HTTP/1.0, HEAD, ranges, conditions

    for my $size (513, 30000) {
        my ($got, $how) = raw_end($nginx->port, "GET /s?list=$size HTTP/1.0\r\n\r\n");
        my ($head, $body) = split /\r\n\r\n/, $got, 2;
        equal($body, page('null', 0, 1 .. $size), "HTTP/1.0: $size rows");
        is($how, 'closed', 'to the end of the connection');
        unlike($head, qr/Transfer-Encoding|Content-Length|keep-alive/i, 'the header says so');

        ($got, $how) = raw_end($nginx->port,
                               "GET /s?list=$size HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        is($how, 'closed', 'even with keep-alive');
        equal($got =~ s/^.*?\r\n\r\n//sr, page('null', 0, 1 .. $size), 'whole');
    }

    redis('CONFIG', 'RESETSTAT');

    for my $accept ('*/*', 'application/x-ndjson') {
        my $connection = http_connect($nginx->port);
        my $response = http($connection, 'HEAD', '/off/?list=30000', headers => { Accept => $accept });
        is($response->status . $response->header('Content-Length') . $response->header('ETag')
           . $response->header('Content-Type'),
           '200' . ($accept eq '*/*' ? 'application/json' : $accept), "HEAD, $accept");
        is(http($connection, 'GET', '/s?list=1')->body, page('null', 0, 1), 'no body, and the next request');
    }

    is(calls('zrange'), 3, 'for which one chunk is read');

    for my $size (1, 5000) {
        for my $header (['Range', 'bytes=0-9'], ['Range', 'bytes=-5'], ['Range', 'bytes=999999999-'],
                        ['If-None-Match', 'W/"x"'], ['If-None-Match', '"y", W/"z"'],
                        ['If-Modified-Since', 'Thu, 01 Jan 2037 00:00:00 GMT'],
                        ['TE', 'trailers'], ['Expect', 'nothing']) {
            my $response = ask($nginx, "/s?list=$size", headers => { @$header });
            is($response->status, 200, "$size rows, @$header");
            equal($response->body, page('null', 0, 1 .. $size), 'whole');
        }
    }

    my $etag = ask($nginx, '/s?list=512')->header('ETag');
    is(ask($nginx, '/s?list=512', headers => { 'If-None-Match' => $etag })->status, 304, '512 rows have an ETag');
    equal(ask($nginx, '/s?list=513', headers => { 'If-None-Match' => $etag })->body,
          page('null', 0, 1 .. 513), 'which is of no use for 513');
    is(ask($nginx, '/s?list=5000', headers => { 'If-None-Match' => '*' })->status, 304, 'any: 304');

    # HTTP/2

    my $url = "https://127.0.0.1:$tls";

    for my $path ('/s?list=30000', '/off/?list=30000', '/rate/?list=5000') {
        my ($status, $body) = curl('--http2', "$url$path");
        is($status, 0, "HTTP/2: $path");
        equal($body, $path =~ /30000/ ? $large : $whole, 'whole');
    }

    my ($status, $body) = curl('--http2', '--compressed', "$url/gzip/?list=30000");
    equal($body, $large, 'HTTP/2 and gzip');

    ($status) = curl('--http2', '--parallel', '--parallel-max', 20,
                     map { ("$url/" . ($_ % 2 ? 's' : 'off/') . '?list=5000', '-o', "$directory/list$_") } 1 .. 20);
    is($status, 0, 'HTTP/2: twenty at once');
    is((grep { slurp("$directory/list$_") eq $whole } 1 .. 20), 20, 'whole');

    ($status, $body) = curl('--http2', '-I', "$url/s?list=5000");
    like($body, qr{^HTTP/2 200}, 'HTTP/2: HEAD');

    # its client stops in the middle

    for (1 .. 10) {
        my ($status) = curl('--http2', '--max-filesize', 100000, '--limit-rate', '1m', '--max-time', 0.1,
                            "$url/s?list=30000");
        isnt($status, 0, 'HTTP/2: the client goes away');
    }

    equal((curl('--http2', "$url/s?list=5000"))[1], $whole, 'the next request');
    is_deeply([$nginx->complaints], [], 'no alert');
}


# Many at once, pipelined, with a body, and with a cache that is too small

{
    my $nginx = start_small(http_config => 'tasks_cache 64k;');
    my $whole = page('null', 0, 1 .. 5000);

    is(ask($nginx, '/s?list=5000')->header('X-Cache'), 'MISS', 'a first chunk that is too large for the cache')
        for 1, 2;

    for my $path ('/s?list=5000', '/off/?list=5000') {
        my @connections = map { http_connect($nginx->port) } 1 .. 30;
        $_->send(Tasks::HTTP::request_bytes('GET', $path)) for @connections;
        is((grep { my $r = $_->response(20); $r->complete && $r->body eq $whole } @connections), 30,
           "$path: thirty at once, each whole");
    }

    my @sizes = (5000, 1, 513, 0, 512, 1025, 5000);
    my $connection = http_connect($nginx->port);
    $connection->send(join '', map { Tasks::HTTP::request_bytes('GET', "/s?list=$_") } @sizes);
    equal($connection->response(20)->body, page('null', 0, 1 .. $_), "$_ rows, pipelined") for @sizes;

    for my $size (10, 100000, 3000000) {
        my $connection = http_connect($nginx->port);
        my $text = Tasks::HTTP::request_bytes('GET', '/s?list=5000', body => 'x' x $size);
        my $begin = substr $text, 0, index($text, "\r\n\r\n") + 9, '';
        $connection->send($begin);
        sleep 0.02;
        $connection->send($text);
        equal($connection->response(20)->body, $whole, "a body of $size bytes, which comes late");
        equal(http($connection, 'GET', '/s?list=513')->body, page('null', 0, 1 .. 513), 'and the next request');
    }

    is_deeply([$nginx->complaints], [], 'no alert');
}


# Clients that go away in the middle

{
    my $nginx = start_small();
    my ($worker) = $nginx->worker_pids;
    my $whole = page('null', 0, 1 .. 5000);
    my @paths = ('/s?list=30000', '/off/?list=30000', '/gzip/?list=30000', '/rate/?list=5000',
                 '/s?list=30000&status=new,run', '/sub/?list=30000');

    my $abort = sub {
        my ($n) = @_;
        my $connection = slow_connect($n % 3 ? $small : $nginx->port);
        $connection->send(Tasks::HTTP::request_bytes('GET', $paths[$n % @paths], headers => {
            'Accept-Encoding' => 'gzip', $n % 5 ? () : (Accept => 'application/x-ndjson') }));
        sysread $connection->socket, my $bytes, 1 + rand 60000 if $n % 4;
        setsockopt $connection->socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0 if $n % 2;
        $connection->close;
    };

    $abort->($_) for 1 .. 500;
    wait_for(sub { descriptors($worker) < 25 }, 20, 'connections to be closed');
    equal(ask($nginx, '/s?list=5000')->body, $whole, 'after 500 clients that went away, a list');
    my ($memory, $files) = (rss($worker), settled(sub { descriptors($worker) }));

    $abort->($_) for 1 .. ($FULL ? 20000 : 2500);
    wait_for(sub { descriptors($worker) <= $files }, 20, 'connections to be closed');
    equal(ask($nginx, '/s?list=5000')->body, $whole, 'after thousands');
    cmp_ok(rss($worker) - $memory, '<', bytes(2e6), 'memory is what it was');
    cmp_ok(settled(sub { descriptors($worker) }), '<=', $files, 'and so are descriptors');
    is_deeply([$nginx->complaints], [], 'no alert');
}

{
    my $slow = FaultyRedis->proxy(redis_socket());
    my $nginx = start(store => 'server ' . $slow->address . '; timeout 10s;', locations => location('/off/', 'tasks_cache off;'));
    my $whole = page('null', 0, 1 .. 5000);

    equal(ask($nginx, '/s?list=5000')->body, $whole, 'by a slow Redis');
    $slow->plan(delay => 10);

    for my $round (1 .. 40) {
        my $connection = http_connect($nginx->port);
        redis('CONFIG', 'RESETSTAT');
        $connection->send(Tasks::HTTP::request_bytes('GET', $round % 2 ? '/s?list=5000' : '/off/?list=5000'));
        wait_for(sub { calls('hmget') > $round % 12 });
        $connection->close;
    }

    $slow->plan;
    equal(ask($nginx, '/s?list=5000')->body, $whole, 'clients that go away while it answers: the next is right');
    is($slow->connections, 1, 'on the same connection');
    is_deeply([$nginx->complaints], [], 'no alert');
}


# What changes in a list while its client waits

{
    my $nginx = start_small();
    my $list = sub { send_all([map { put('moves', $_) } @_]) };

    for my $case (['shrinks', sub { ['FCALL', 's_remove', 1, 'tasks:{s:moves}', "r$_"] }, [20001 .. 30000], 20000],
                  ['grows', sub { put('moves', $_) }, [30001 .. 33000], 33000],
                  ['is emptied', sub { ['FCALL', 's_remove', 1, 'tasks:{s:moves}', "r$_"] }, [1 .. 30000], undef]) {
        my ($what, $command, $n, $last) = @$case;

        redis('EVAL', q(for _, k in ipairs(redis.call('KEYS', 'tasks:{s:moves}*')) do redis.call('DEL', k) end), 0);
        $list->(1 .. 30000);

        redis('CONFIG', 'RESETSTAT');
        my $connection = slow_connect($small);
        $connection->send(Tasks::HTTP::request_bytes('GET', '/s/pages?list=moves'));
        my $asked = settled(sub { calls('zrange') });
        send_all([map { $command->() } @$n]);

        my $response = $connection->response(20);
        $last //= $response->body =~ /.*"id":"r(\d+)"/ && $1;
        ok($response->complete, "a list $what while its client waits");
        equal($response->body, qq({"total":30000,"pages":1,"tasks":[) . rows(1 .. $last)
              . '],"page":1,"next":null,"again":30000}',
              'its rows are those that there are, its total that of its begin');
        cmp_ok($last, '<=', $asked * $CHUNK + $CHUNK, 'to where it was read') if $what eq 'is emptied';
    }
}


# Lines

{
    my $nginx = start_small();
    my %lines = (headers => { Accept => 'application/x-ndjson' });

    for my $size (@SIZES) {
        my $response = ask($nginx, "/s?list=$size", %lines);
        equal($response->body, join('', map { row($_) . "\n" } 1 .. $size), "$size lines");
        is(join(' ', $response->status, $response->complete, $response->header('Content-Type'),
                $response->header('ETag'), $response->header('X-Content-Type-Options')),
           '200 1 application/x-ndjson  nosniff', 'their header');
        like($response->header('X-Cache'), qr/^BYPASS$/, 'not cached');
    }

    for my $limit (0, 1, 512, 513, 600) {
        equal(ask($nginx, "/s?list=5000&limit=$limit", %lines)->body,
              join('', map { row($_) . "\n" } 1 .. $limit), "limit $limit");
        equal(ask($nginx, "/s?list=5000&limit=$limit&cursor=" . cursor_of(100), %lines)->body,
              join('', map { row($_) . "\n" } 101 .. 100 + $limit), "limit $limit, behind a cursor");
        equal(ask($nginx, "/s/pages?list=5000&limit=$limit&page=2", %lines)->body,
              join('', map { row($_) . "\n" } $limit + 1 .. 2 * $limit), "limit $limit, the second page") if $limit;
        equal(ask($nginx, "/s/offsets?list=5000&limit=$limit&offset=4400", %lines)->body,
              join('', map { row($_) . "\n" } 4401 .. ($limit > 600 ? 5000 : 4400 + $limit)),
              "limit $limit, from an offset");
    }

    equal(ask($nginx, '/s?list=5000&status=new,end', %lines)->body,
          join('', map { row($_) . "\n" } grep { $_ % 3 != 1 } 1 .. 5000), 'of two filters');
    equal(ask($nginx, "/s/$_?list=10001", %lines)->body,
          join('', map { row($_) . "\n" } 1 .. 10001), "/$_, whatever its template") for qw(held twice deep bare);
    is(ask($nginx, '/s?list=5000&status=nobody', %lines)->body, '', 'no task: no line');
    is(ask($nginx, '/s?list=5000&cursor=' . cursor_of(5000), %lines)->body, '', 'behind the last: no line');

    my ($got, $how) = raw_end($nginx->port, "GET /s?list=0 HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n");
    like($got, qr{^HTTP/1.1 200 OK\r\n.*\r\n\r\n\z}s, 'no line by HTTP/1.0');
    is($how, 'closed', 'which is no error');
    my ($status, $body) = curl('--http2', '-H', 'Accept: application/x-ndjson', "https://127.0.0.1:$tls/s?list=0");
    is("$status $body", '0 ', 'no line by HTTP/2');

    # one connection for all

    my $connection = http_connect($nginx->port);
    for my $size (0, 513, 0, 1) {
        my $response = http($connection, 'GET', "/s?list=$size", %lines);
        equal($response->body, join('', map { row($_) . "\n" } 1 .. $size), "$size lines on one connection");
    }

    # what others accept

    my $json = page('null', 0, 1 .. 2);
    send_all([map { put('two', $_) } 1, 2]);

    for my $accept ('application/json', '*/*', '', 'application/x-ndjson, application/json',
                    'application/json, application/x-ndjson', 'application/x-ndjson;q=0.9',
                    'application/x-ndjso', 'application/x-ndjsonl', 'application/ndjson', 'application/*') {
        my $response = ask($nginx, '/s?list=two', headers => { Accept => $accept });
        is($response->body . $response->header('Content-Type'), "${json}application/json", "Accept: $accept");
    }

    is(ask($nginx, '/s?list=two')->body, $json, 'none');
    is(ask($nginx, '/s?list=two', headers => { accept => 'Application/X-NDJSON' })->body,
       row(1) . "\n" . row(2) . "\n", 'a type in another case');

    # errors, and what is no list

    my %errors = ('/s?list=two&limit=x' => '400 bad_parameter', '/s?list=two&cursor=x' => '400 bad_cursor',
                  '/s?list=' => '401 unauthorized', '/s/what?list=two' => '404 no_route',
                  '/s/one/x?list=two' => '404 not_found',
                  '/s/pages?list=30000&status=run,end&page=3&limit=6000' => '500 too_large');

    for my $path (sort keys %errors) {
        my ($status, $class) = split ' ', $errors{$path};
        my $response = ask($nginx, $path, %lines);
        is(join(' ', $response->status, $response->header('Content-Type'), $response->body),
           qq($status application/json {"error":"$class","status":$status}), "$path: an error as ever");
    }

    for my $case (['GET', '/s/one/r1?list=two', 200, row(1)],
                  ['POST', '/s/one/r1/cancel?list=two', 200, '{"cancelled":"r1"}'],
                  ['POST', '/s/one/r1/cancel?list=two', 409, '{"error":"cannot_cancel","status":409}'],
                  ['DELETE', '/s/one/r2?list=two', 204, '']) {
        my ($method, $path, $status, $body) = @$case;
        my $response = http($nginx->port, $method, $path, %lines);
        is(join(' ', $response->status, $response->header('Content-Type'), $response->body),
           join(' ', $status, length $body ? 'application/json' : '', $body), "$method $path: no list, as ever");
    }

    send_all([map { put('two', $_) } 1, 2]);
    $nginx->write_file('html/page', '<!--# include virtual="/s?list=two" -->');
    is(ask($nginx, '/page', %lines)->body, $json, 'a subrequest as ever');

    # values that were stored with line ends

    my @pretty = ("{\"a\":\n  1,\r\n\t\"b\": [1,\r2]}", "\n[ ]\n", "[\"\\n\",\n\"\\r\"]", "{\n}\n");
    send_all([map { ['FCALL', 's_put', 1, 'tasks:{s:pretty}', "r$_", 'n', $_, 'status', '"new"',
                     'text', $pretty[$_ % 4]] } 1 .. 1300]);

    for my $limit (3, 4, 600, 1300) {
        my $json = ask($nginx, "/s?list=pretty&limit=$limit")->body;
        my @lines = split /\n/, ask($nginx, "/s?list=pretty&limit=$limit", %lines)->body, -1;
        is(pop @lines, '', 'the last line has its end');
        is(scalar @lines, $limit, "$limit rows of values with line ends: one line each");
        is_json('[' . join(',', @lines) . ']',
                '[' . ($json =~ /^\{"limit":\d+,"tasks":\[(.*)\],"count"/s)[0] . ']', 'of the same meaning');
        ok(!(grep { /\r/ || !eval { JSON::PP->new->utf8->decode($_) } } @lines), 'each by itself');
    }
}


# Reloads and exits

{
    my $large = page('null', 0, 1 .. 30000);

    my $begin = sub {
        my ($path, $accept) = @_;
        my $connection = slow_connect($small);
        $connection->send(Tasks::HTTP::request_bytes('GET', $path, headers => { Accept => $accept // '*/*' }));
        settled(sub { calls('zrange') });
        return $connection;
    };

    my $nginx = start_small();
    my $old = ($nginx->worker_pids)[0];
    my @streams = map { $begin->($_) } '/s?list=30000', '/off/?list=30000', '/s?list=30000&status=new,run,end';

    ok($nginx->reload, 'a reload');
    equal(ask($nginx, '/s?list=5000')->body, page('null', 0, 1 .. 5000), 'the new worker serves');

    for (@streams) {
        my $response = $_->response(20);
        ok($response->complete, 'a list that was under way gets its end');
        equal($response->body, $large, 'and all of it');
    }

    wait_for(sub { !kill 0, $old }, 10, 'the old worker to exit');
    pass('then the old worker exits');

    @streams = map { $begin->('/s?list=30000', $_) } '*/*', 'application/x-ndjson';
    $nginx->quit;
    my $response = $streams[0]->response(20);
    ok($response->complete, 'nginx quits: a list gets its end');
    equal($response->body, $large, 'and all of it');
    equal($streams[1]->response(20)->body, join('', map { row($_) . "\n" } 1 .. 30000), 'lines, too');
    ok($nginx->wait_exit(10), 'then it exits');
    is($nginx->exit_status, 0, 'well');

    $nginx = start_small(main_config => 'worker_shutdown_timeout 300ms;');
    my $stream = $begin->('/s?list=30000');
    $nginx->quit;
    ok($nginx->wait_exit(5), 'worker_shutdown_timeout: it exits');
    $response = $stream->response(10);
    ok(!$response->complete, 'and the list is cut');
    ok(length $response->body < length $large && index($large, $response->body) == 0, 'visibly');

    $nginx = start_small(allow => qr/is gone|exited on signal 9/);
    $stream = $begin->('/s?list=30000');
    my $lines = $begin->('/s?list=30000', 'application/x-ndjson');
    kill 'KILL', ($nginx->worker_pids)[0];

    for ($stream, $lines) {
        $response = $_->response(10);
        ok(!$response->complete, 'a worker is killed: the list is cut');
    }

    wait_for(sub { my $r = eval { ask($nginx, '/s?list=5000') }; $r && $r->status eq '200' }, 5, 'service');
    equal(ask($nginx, '/s?list=5000')->body, page('null', 0, 1 .. 5000), 'the next one is whole');
}


done_testing();
