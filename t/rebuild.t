# A definition that changes what lists hold: tasks that are there already get
# their rows and indexes by NAME_rebuild.

use lib 't/lib';
use Tasks ":live";
use JSON::PP ();

my $base = 'tasks:{moved}';

my $before = definition('"place": {"type": "string"}', '{}', 'made desc');
my $after = definition('"place": {"type": "string", "filter": true},'
                       . '"size": {"type": "integer", "default": 5}',
                       '{"place": {"filter": "place"}}', 'made asc');

my $server = 'location /t { tasks_api apis/moved.json; tasks_pass main; }';
my $nginx = start_nginx($server, files => { 'conf/apis/moved.json' => $before });
my $port = $nginx->port;

wait_for(sub { eval { redis('FCALL_RO', 'moved_version', 0) } }, 5,
         'the functions');

for my $id (1 .. 300) {
    redis('FCALL', 'moved_put', 1, $base, $id, 'made', $id,
          'place', $id % 2 ? '"here"' : '"there"');
}

my $version = redis('FCALL_RO', 'moved_version', 0);

open my $file, '>', $nginx->prefix . '/conf/apis/moved.json' or die $!;
print {$file} $after;
close $file or die $!;

ok($nginx->reload, 'the definition is replaced');
wait_for(sub { redis('FCALL_RO', 'moved_version', 0) ne $version }, 5,
         'the new functions');

is(redis('FCALL', 'moved_rebuild', 1, $base), 300, 'all tasks are rebuilt');

is_json(http($port, 'GET', '/t?place=there&limit=2')->{body},
        '[{"id":2,"place":"there","size":5,"made":2},'
        . '{"id":4,"place":"there","size":5,"made":4}]',
        'a new filter, a new field and the new order');
is(@{ list('?limit=1000') }, 300, 'the whole list');

redis('FCALL', 'moved_put', 1, $base, 2, 'place', '"here"');
is(@{ list('?place=there&limit=1000') }, 149, 'a put moves a task');

redis('FCALL', 'moved_remove', 1, $base, $_) for 1 .. 300;
is_deeply(redis('KEYS', '*'), [], 'nothing of the old definition is left');

done_testing();


sub definition {
    my ($fields, $query, $order) = @_;

    $query =~ s/^\{/{"limit": {"type": "integer", "role": "limit"}, /;
    $query =~ s/, \}$/}/;

    return qq({"name": "moved", "id": "integer", "order": "$order",
               "fields": {$fields, "made": {"type": "integer"}},
               "routes": [{"action": "list", "path": "", "query": $query,
                           "response": "\$tasks"}]});
}


sub list {
    my ($arguments) = @_;

    return JSON::PP::decode_json(http($port, 'GET', "/t$arguments")->{body});
}
