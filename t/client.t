# A client in TypeScript whose types are made of the documents that
# conf/nginx.conf serves: it lists, gets and cancels the tasks of conf/samples.
# The compiler holds it to the documents, the module has to hold to them, too.

use lib 't/lib';
use Tasks ':live';

use JSON::PP;

use Tasks::Demo;
use Tasks::Node;

my $json = JSON::PP->new->utf8->canonical;

Tasks::Demo::put_samples();

my $port = Tasks::Demo::start()->port;
my $host = "http://127.0.0.1:$port";

my %access = map {
    my $document = "/openapi/$_.json";
    my $server = $json->decode(http($port, 'GET', $document)->body)->{servers}[0];

    $_ => { document => "$host$document", base => "$host$server->{url}",
            headers => { Tasks::Demo::headers($_) } }
} @Tasks::Demo::APIS;

my $told = $json->decode(Tasks::Node::program('client.mjs',
                                              $json->encode(\%access)));

is_deeply($told->{omelette}, {
    id => 42, progress => 0.3, started => '2025-03-12T10:00:01',
    done  => 'Task cancelled',
    again => [400, 'Cannot cancel task in cancelled state'],
    bad   => ['query', 'limit'],
}, 'omelette');

is_deeply($told->{cloudreve}, {
    pages => 2, tasks => 12, different => 12, get => 0, cancel => 0,
    none => [404, 'Task not found'],
}, 'cloudreve: all pages');

is_deeply($told->{codex}, {
    id => '550e8400-e29b-41d4-a716-446655440001', library => 'Manga',
    locked => 'worker-1', attempts => 2,
    cancel => 'Task 550e8400-e29b-41d4-a716-446655440001 cancelled',
    after  => ['cancelled', undef],
}, 'codex');

is_deeply($told->{runwisp}, {
    names => [qw(alpha example mail-queue web zeta)], total => 4, shown => 2,
    same => JSON::PP::true, stop => 'Run stop signal sent',
}, 'runwisp');

is_deeply($told->{cyberun}, {
    page => 3, seen => 42, total => 42, cancel => JSON::PP::true,
    after => 'cancelled', url => undef,
}, 'cyberun: all pages');

done_testing();
