# A definition that changes what lists hold: tasks that are there already get
# their rows and indexes by NAME_rebuild, those of each collection by its own.

use lib 't/lib';
use Tasks ":live";
use JSON::PP ();

my $base = 'tasks:{moved}';
my $other = 'tasks:{moved_jobs:s}';

my $before = definition('"place": {"type": "string"}', '{}', 'made desc');
my $after = definition('"place": {"type": "string", "filter": true},'
                       . '"size": {"type": "integer", "default": 5}',
                       '{"place": {"filter": "place"}}', 'made asc');
my $by_id = definition('"place": {"type": "string", "filter": true, "view": "none"}',
                       '{"place": {"filter": "place", "multiple": "comma"}}',
                       'id desc', ', "size": {"type": "integer", "default": 5}');

my $server = 'location /t { tasks_api apis/moved.json; tasks_pass main; }
              location /s { tasks_api apis/moved.json prefix=/s; tasks_pass main;
                            tasks_scope s; }';
my $nginx = start_nginx($server, files => { 'conf/apis/moved.json' => $before });
my $port = $nginx->port;

wait_for(sub { eval { version('moved') && version('moved_jobs') } }, 5,
         'the functions');

for my $id (1 .. 300) {
    redis('FCALL', 'moved_put', 1, $base, $id, 'made', $id,
          'place', $id % 2 ? '"here"' : '"there"');
}

redis('FCALL', 'moved_jobs_put', 1, $other, "j$_", 'made', 10 - $_) for 1 .. 3;


# Another filter, another field, another order

replace($after, 'the definition is replaced', 'moved');

is(redis('FCALL', 'moved_rebuild', 1, $base), 300, 'all tasks are rebuilt');

is_json(http($port, 'GET', '/t?place=there&limit=2')->{body},
        '[{"id":2,"place":"there","size":5,"made":2},'
        . '{"id":4,"place":"there","size":5,"made":4}]',
        'a new filter, a new field and the new order');
is(@{ list('/t?limit=1000') }, 300, 'the whole list');

redis('FCALL', 'moved_put', 1, $base, 2, 'place', '"here"');
is(@{ list('/t?place=there&limit=1000') }, 149, 'a put moves a task');


# An order by the id, of which no field says anything

replace($by_id, 'the definition is replaced again', 'moved', 'moved_jobs');

is(redis('FCALL', 'moved_rebuild', 1, $base), 300, 'all tasks are rebuilt');
is(ids('/t?limit=3'), '300 299 298', 'in the order of their ids');
is(ids('/t?place=here,there&limit=3'), '300 299 298', 'with several filters, too');
is_json(http($port, 'GET', '/t?place=here&limit=2')->{body},
        '[{"id":299,"made":299},{"id":297,"made":297}]', 'in the new rows');

my $rows = '[{"id":"j3","made":7},{"id":"j2","made":8},{"id":"j1","made":9}]';

is_json(http($port, 'GET', '/s/jobs')->{body}, $rows,
        'another collection stays as it was');
is(redis('FCALL', 'moved_jobs_rebuild', 1, $other), 3,
   'until it is rebuilt itself');
is_json(http($port, 'GET', '/s/jobs')->{body}, $rows =~ s/\}/,"size":5}/gr,
        'to what the definition says of it');
is(@{ list('/t?limit=1000') }, 300, 'which touches no other one');

redis('FCALL', 'moved_remove', 1, $base, $_) for 1 .. 300;
redis('FCALL', 'moved_jobs_remove', 1, $other, "j$_") for 1 .. 3;
is_deeply(redis('KEYS', '*'), [], 'nothing of the old definitions is left');

done_testing();


sub definition {
    my ($fields, $query, $order, $more) = @_;

    $more //= '';

    $query =~ s/^\{/{"limit": {"type": "integer", "role": "limit"}, /;
    $query =~ s/, \}$/}/;

    return qq({"name": "moved", "id": "integer", "order": "$order",
               "fields": {$fields, "made": {"type": "integer"}},
               "collections": {"jobs": {"id": "string", "order": "made",
                                        "fields": {"made": {"type": "integer"}$more}}},
               "routes": [{"action": "list", "path": "", "query": $query,
                           "response": "\$tasks"},
                          {"action": "list", "path": "/jobs",
                           "collection": "jobs", "response": "\$tasks"}]});
}


sub version { return redis('FCALL_RO', "$_[0]_version", 0) }


# Another definition, and its functions are loaded.

sub replace {
    my ($definition, $name, @libraries) = @_;

    my %versions = map { ($_ => version($_)) } @libraries;

    open my $file, '>', $nginx->prefix . '/conf/apis/moved.json' or die $!;
    print {$file} $definition;
    close $file or die $!;

    ok($nginx->reload, $name);
    wait_for(sub { !grep { version($_) eq $versions{$_} } @libraries }, 5,
             'the new functions');
}


sub list {
    my ($path) = @_;

    return JSON::PP::decode_json(http($port, 'GET', $path)->{body});
}


sub ids {
    my ($path) = @_;

    return join ' ', map { $_->{id} } @{ list($path) };
}
