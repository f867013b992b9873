# A ledger of who asked for what, and who got it: every task, row and answer
# says whose it is.  Clients ask for all kinds of things on kept connections,
# one in five goes away at any moment after asking, and a part of Redis's
# replies come later than anybody waits.  No answer may hold a byte that is not
# for the one who asked.

use lib 't/lib';
use Tasks ':live';

use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use IO::Select;

use FaultyRedis;
use RESP;
use Tasks::HTTP;
use Tasks::Library;
use Tasks::Nginx;

my $SANITIZED = $ENV{TASKS_SANITIZER_DIR};
my $REQUESTS = $ENV{TASKS_FULL} ? 200000 : $SANITIZED ? 6000 : 10000;
my $CLIENTS = 4;
my $CONNECTIONS = 8;                      # of each client
my $TIMEOUT = $SANITIZED ? 200 : 150;     # ms, of the store
my ($OWNERS, $KINDS, $TASKS) = (30, 3, 4);     # tasks of an owner and a kind

my $DEFINITION = <<'END';
{ "name": "ledger",
  "id": "string",
  "order": "n",
  "fields": {
    "owner":  {"type": "string"},
    "kind":   {"type": "string", "filter": true},
    "n":      {"type": "integer"},
    "status": {"type": "string"} },
  "cancel": {"from": ["run"], "unchanged": ["end"], "set": {"status": "end"}},
  "routes": [
    {"action": "list", "path": "",
     "query": {"kind":  {"filter": "kind"},
               "limit": {"type": "integer", "role": "limit", "default": 50}},
     "response": {"asked": "$request_uri", "tasks": "$tasks"}},
    {"action": "list", "path": "/pages",
     "query": {"kind":  {"filter": "kind"},
               "limit": {"type": "integer", "role": "limit"},
               "page":  {"type": "integer", "role": "page"}},
     "response": {"asked": "$request_uri", "total": "$total",
                  "tasks": "$tasks"}},
    {"action": "get", "path": "/{id}",
     "response": {"asked": "$request_uri", "task": "$task"}},
    {"action": "cancel", "path": "/{id}/cancel",
     "response": {"asked": "$request_uri", "cancelled": "$id"}} ],
  "errors": {"default": {"body": {"asked": "$request_uri",
                                  "error": "$tasks_error"}}} }
END

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 'l.json' => $DEFINITION);

for my $owner (1 .. $OWNERS) {
    put(redis_server(), $owner, $_, 'run') for 0 .. $KINDS * $TASKS - 1;
}


# An id says all of it: task n of an owner, whose kind follows from n.

sub id_of { return "o$_[0]k" . $_[1] % $KINDS . "n$_[1]" }

sub put {
    my ($redis, $owner, $n, $status) = @_;

    $redis->command('FCALL', 'ledger_put', 1, "tasks:{ledger:o$owner}",
                    id_of($owner, $n), owner => qq("o$owner"), n => $n,
                    kind => '"k' . $n % $KINDS . '"', status => qq("$status"));
}


# The rows of an owner, with "?" for the status.

sub rows {
    my ($owner, @n) = @_;

    return join ',', map {
        my $id = id_of($owner, $_);
        my $kind = 'k' . $_ % $KINDS;
        qq({"id":"$id","owner":"o$owner","kind":"$kind","n":$_,"status":"?"})
    } @n;
}


# A random question: method, path, and the answer but for its beginning, which
# repeats the path.

sub question {
    my ($owner, $n) = (1 + int rand $OWNERS, int rand $KINDS * $TASKS);

    my $kind = $n % $KINDS;
    my $id = id_of($owner, $n);
    my $stranger = id_of(1 + $owner % $OWNERS, $n);
    my $at = rand() < 0.5 ? '/cached' : '/off';
    my @of_kind = map { $_ * $KINDS + $kind } 0 .. $TASKS - 1;

    return @{ (
        ['GET', "$at/$id?owner=o$owner",
         '"task":' . rows($owner, $n)],
        ['GET', "$at?owner=o$owner&kind=k$kind",
         '"tasks":[' . rows($owner, @of_kind) . ']'],
        ['GET', "$at?kind=k$kind&owner=o$owner&limit=2",
         '"tasks":[' . rows($owner, @of_kind[0, 1]) . ']'],
        ['GET', "$at?owner=o$owner",
         '"tasks":[' . rows($owner, 0 .. $KINDS * $TASKS - 1) . ']'],
        ['GET', "$at/pages?owner=o$owner&kind=k$kind&limit=3&page=2",
         qq("total":$TASKS,"tasks":[) . rows($owner, $of_kind[3]) . ']'],
        ['GET', "$at/$stranger?owner=o$owner", '"error":"not_found"'],
        ['POST', "$at/$id/cancel?owner=o$owner", qq("cancelled":"$id")],
    )[rand 7] };
}


# "right", "timeout" or "unavailable", or what is wrong with an answer.

sub verdict {
    my ($question, $response) = @_;

    my (undef, $path, $right) = @$question;
    my $body = $response->body =~ s/"status":"(?:run|end)"/"status":"?"/gr;

    return 'right' if $body eq qq({"asked":"$path",$right});
    return $1 if $body =~ /^\{"asked":"\Q$path\E","error":
                           "(timeout|unavailable)"\}$/x;

    return 'to ' . join ' ', @$question, 'got', $response->status, $body;
}


# A client process, which keeps all its connections busy.  Returns what it saw.

sub ask_many {
    my ($port, $requests) = @_;

    my @slots = map { {} } 1 .. $CONNECTIONS;
    my ($asked, %seen) = (0);

    srand $$;

    while (my @busy = busy($port, \@slots, $requests, \$asked)) {
        $_->{leaves} && rand() < 0.3 and leave($_, \%seen) for @busy;
        @busy = grep { $_->{question} } @busy or next;

        my %slot_of = map { fileno $_->{connection}->socket => $_ } @busy;
        my @ready = IO::Select->new(keys %slot_of)->can_read(0.05);

        settle($slot_of{$_}, \%seen) for @ready;
    }

    return \%seen;
}


# Asks on all connections that are idle, and returns those that are busy.  One
# client in five goes away: at once, or at some later moment.

sub busy {
    my ($port, $slots, $requests, $asked) = @_;

    for my $slot (grep { !$_->{question} } @$slots) {
        last if $$asked == $requests;

        $$asked++;
        $slot->{question} = [question()];
        $slot->{connection} //= http_connect($port);
        $slot->{connection}->send(
            Tasks::HTTP::request_bytes(@{ $slot->{question} }[0, 1]));
        $slot->{leaves} = rand() < 0.2;
    }

    return grep { $_->{question} } @$slots;
}


sub leave {
    my ($slot, $seen) = @_;

    $slot->{connection}->close;
    %$slot = ();
    $seen->{aborted}++;
}


sub settle {
    my ($slot, $seen) = @_;

    return leave($slot, $seen) if $slot->{leaves};

    my $response = eval { $slot->{connection}->response(5) };

    $seen->{$response ? verdict($slot->{question}, $response)
                      : "no answer $@"}++;

    delete $slot->{connection}
        if !$response || $response->header('Connection') eq 'close';
    delete $slot->{question};
}


# Runs a function in another process, and returns where its result comes from.

sub in_process {
    my ($code) = @_;

    my $pid = open my $out, '-|';

    return $out if $pid;

    my $result = eval { $code->() } // { "died: $@" => 1 };
    syswrite STDOUT, JSON::PP::encode_json($result);
    POSIX::_exit(0);
}


sub result_of {
    my ($handle) = @_;

    my $text = join '', <$handle>;
    close $handle;

    return JSON::PP::decode_json($text);
}


my $proxy = FaultyRedis->proxy(redis_socket());
my $nginx = start_nginx(<<'END',
tasks_scope $arg_owner;
location /cached { tasks_api apis/l.json; tasks_pass main; }
location /off    { tasks_api apis/l.json; tasks_pass main; tasks_cache off; }
END
    workers => 3, worker_connections => 256,
    http_config => 'tasks_store main { server ' . $proxy->address
                   . "; timeout ${TIMEOUT}ms; connections 4; }",
    files => { 'conf/apis/l.json' => $DEFINITION });

wait_for(sub { 20 == grep { http($nginx->port, 'GET', '/off?owner=o1')->status
                            eq '200' } 1 .. 20 }, 10, 'service');
$proxy->plan(late => [0.02, 1.5 * $TIMEOUT]);

my $start = time;
my @clients = map {
    in_process(sub { ask_many($nginx->port, $REQUESTS / $CLIENTS) })
} 1 .. $CLIENTS;

# tasks are made anew meanwhile, so that cancels and caches have work to do

my $writer = RESP->new(redis_socket());
my %sum;

for my $client (@clients) {
    my $select = IO::Select->new($client);

    put($writer, 1 + int rand $OWNERS, int rand $KINDS * $TASKS, 'run')
        until $select->can_read(0.002);

    my $seen = result_of($client);
    $sum{$_} += $seen->{$_} for keys %$seen;
}

my ($late, $seconds) = ($proxy->late, time - $start);

$proxy->plan;

my ($right, $aborted, $timeout, $unavailable) =
    map { delete $sum{$_} // 0 } qw(right aborted timeout unavailable);

is(join("\n", map { "$sum{$_} times $_" } sort keys %sum), '',
   "$REQUESTS requests: nobody got what another one asked for");
is($right + $aborted + $timeout + $unavailable, $REQUESTS,
   'all are in the ledger');
cmp_ok($right, '>', 0.4 * $REQUESTS, 'most got an answer');
cmp_ok($aborted, '>', 0.17 * $REQUESTS, 'many went away');
cmp_ok($timeout, '>', 0.02 * $REQUESTS, 'some waited in vain');
cmp_ok($late, '>', 0.02 * $REQUESTS, 'as replies were late');

note(sprintf 'ledger.t: %d requests in %d s, %d aborted, %d late replies, '
     . '%d right, %d timed out, %d unavailable, %d foreign', $REQUESTS,
     $seconds, $aborted, $late, $right, $timeout, $unavailable,
     scalar keys %sum);

done_testing();
