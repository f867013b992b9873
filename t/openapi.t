# The documents of "tasks_openapi", of the five APIs as conf/nginx.conf serves
# them and of a definition with all that there is: good OpenAPI 3.1, true of what
# the module really answers, and at one with the documents of the five products
# (t/seeds).

use lib 't/lib';
use Tasks ':live';

use File::Temp qw(tempdir);
use IPC::Open2;
use JSON::PP;

use Tasks::Demo;
use Tasks::JWT;
use Tasks::Node;

my $directory = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $maximal = Tasks::slurp('t/lib/maximal.json');

my @APIS = (@Tasks::Demo::APIS, 'maximal');

my %more = (
    files  => { 'conf/apis/maximal.json' => $maximal },
    config => <<'END',
        location /maximal { tasks_api apis/maximal.json; tasks_pass main; }
        location = /openapi/maximal.json {
            tasks_api     apis/maximal.json;
            tasks_openapi /maximal;
        }
END
);

Tasks::Demo::put_samples();
redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 'maximal.json' => $maximal);

redis('FCALL', 'maximal_1_put', 1, 'tasks:{maximal_1}', @$_)
    for ['first', created_at => '"2025-01-01T00:00:00Z"', tenant => 1,
         kind => '"a"', urgent => 'true', input => '{"a":[1]}', short => '"s"'],
        ['second', created_at => '"2025-01-02T00:00:00Z"', tenant => 1,
         phase => '"done"', ended_at => '"2025-01-03T00:00:00.25+01:00"'];
redis('FCALL', 'maximal_1_runs_put', 1, 'tasks:{maximal_1_runs}',
      '550e8400-e29b-41d4-a716-446655440000', step => '"on"', n => 3);

my $port = start_nginx_of_demo()->port;

sub start_nginx_of_demo { return Tasks::Demo::start(%more, @_) }


# The documents themselves.

my (%file, %document);

for my $api (@APIS) {
    my $response = http($port, 'GET', "/openapi/$api.json");

    is($response->status . ' ' . $response->header('Content-Type'),
       '200 application/json', "$api: there is a document");

    my $etag = $response->header('ETag');

    is(http($port, 'GET', "/openapi/$api.json",
            headers => { 'If-None-Match' => $etag })->status, 304,
       "$api: it is not sent again");

    $file{$api} = "$directory/$api.json";
    $document{$api} = $json->decode($response->body);

    open my $out, '>:raw', $file{$api} or die "$file{$api}: $!\n";
    print $out $response->body;
    close $out;
}

my $problems = $json->decode(Tasks::Node::program('lint.mjs',
                                                  map { $file{$_} } @APIS));

is(join("\n", @{ $problems->{$file{$_}} }), '', "$_: it is good OpenAPI 3.1")
    for @APIS;


# What the module answers.  A line: method, path of the document, its
# parameters, status; then who asks, if that is not one who may do all.

my %headers = map { $_ => { Tasks::Demo::headers($_) } } @APIS;

my %reader = Tasks::Demo::codex_headers('reader');
my %stranger = (%{ $headers{cyberun} },
                'X-Team-ID' => '019abc12-4567-7890-abcd-ef1234567892');
my %teamless = %{ $headers{cyberun} };
delete $teamless{'X-Team-ID'};

my $CODEX = '550e8400-e29b-41d4-a716-44665544';
my $CYBERUN = '019abc12-9012-7890-abcd-ef1234567896';
my $RUN = '01ARZ3NDEKTSV4RRFFQ69G5FA';
my $RUNNING = redis_state('cyberun:019abc12-4567-7890-abcd-ef1234567891',
                          'task_status=running');

# The id of a task that an index has.

sub redis_state {
    my ($base, $index) = @_;

    my $positions = redis('ZRANGE', "tasks:{$base}:index:$index", 0, 0);

    return $positions->[0] =~ s/^[^:]*://r;
}

my %CASES = (
    omelette => [
        ['GET', '/tasks', '', 200],
        ['GET', '/tasks', 'project_id=1&status=running', 200],
        ['GET', '/tasks', 'limit=0', 200],
        ['GET', '/tasks', 'limit=x', 422],
        ['GET', '/tasks', 'limit=-1', 422],
        ['GET', '/tasks', 'limit=1001', 422],
        ['GET', '/tasks', 'status=%ff', 422],
        ['GET', '/tasks/{id}', 'id=42', 200],
        ['GET', '/tasks/{id}', 'id=44', 200],
        ['GET', '/tasks/{id}', 'id=x', 422],
        ['GET', '/tasks/{id}', 'id=9', 404],
        ['POST', '/tasks/{id}/cancel', 'id=43', 200],
        ['POST', '/tasks/{id}/cancel', 'id=43', 400],
        ['POST', '/tasks/{id}/cancel', 'id=x', 422],
        ['POST', '/tasks/{id}/cancel', 'id=9', 404],
    ],
    cloudreve => [
        (map { ['GET', '/workflow', "page_size=10&category=$_", 200] }
             qw(general downloading downloaded)),
        ['GET', '/workflow', '', 200],
        ['GET', '/workflow', 'page_size=x', 200],
        ['GET', '/workflow', 'page_size=10&category=all', 200],
        ['GET', '/workflow', 'page_size=10&category=general&next_page_token=@',
         200],
        ['GET', '/workflow', '', 200, {}],
        ['GET', '/workflow/progress/{id}', 'id=W6AmTK', 200],
        ['GET', '/workflow/progress/{id}', 'id=jAMaCN', 200],
        ['GET', '/workflow/progress/{id}', 'id=none', 200],
        ['GET', '/workflow/progress/{id}', 'id=%21', 200],
        ['DELETE', '/workflow/download/{id}', 'id=jAMaCN', 200],
        ['DELETE', '/workflow/download/{id}', 'id=W6AmTK', 200],
        ['DELETE', '/workflow/download/{id}', 'id=none', 200],
        ['DELETE', '/workflow/download/{id}', 'id=%21', 200],
        ['DELETE', '/workflow/download/{id}', 'id=jAMaCN', 200, {}],
    ],
    codex => [
        ['GET', '/tasks', '', 200],
        ['GET', '/tasks', 'status=failed&limit=1', 200],
        ['GET', '/tasks', 'limit=x', 400],
        ['GET', '/tasks', 'limit=1&limit=1', 400],
        ['GET', '/tasks', '', 401, {}],
        ['GET', '/tasks', '', 401, { Authorization => 'Bearer x' }],
        ['GET', '/tasks', '', 403, \%reader],
        ['GET', '/tasks/{id}', "id=${CODEX}0000", 200],
        ['GET', '/tasks/{id}', "id=${CODEX}0001", 200],
        ['GET', '/tasks/{id}', 'id=x', 400],
        ['GET', '/tasks/{id}', "id=${CODEX}9999", 404],
        ['GET', '/tasks/{id}', "id=${CODEX}0000", 401, {}],
        ['GET', '/tasks/{id}', "id=${CODEX}0000", 403, \%reader],
        ['POST', '/tasks/{id}/cancel', "id=${CODEX}0001", 200],
        ['POST', '/tasks/{id}/cancel', "id=${CODEX}0002", 400],
        ['POST', '/tasks/{id}/cancel', 'id=x', 400],
        ['POST', '/tasks/{id}/cancel', "id=${CODEX}9999", 404],
        ['POST', '/tasks/{id}/cancel', "id=${CODEX}0001", 401, {}],
        ['POST', '/tasks/{id}/cancel', "id=${CODEX}0001", 403, \%reader],
    ],
    runwisp => [
        ['GET', '/tasks', '', 200],
        ['GET', '/tasks', '', 401, {}],
        ['GET', '/runs', '', 200],
        ['GET', '/runs', 'status=running,pending&limit=2&offset=1', 200],
        ['GET', '/runs', 'limit=0', 422],
        ['GET', '/runs', 'sort_field=id', 422],
        ['GET', '/runs', '', 401, {}],
        ['GET', '/tasks/{taskName}/runs', 'taskName=zeta', 200],
        ['GET', '/tasks/{taskName}/runs', 'taskName=%21', 422],
        ['GET', '/tasks/{taskName}/runs', 'taskName=zeta', 401, {}],
        ['GET', '/tasks/{taskName}/runs/{id}', "taskName=zeta&id=${RUN}V", 200],
        ['GET', '/tasks/{taskName}/runs/{id}', "taskName=zeta&id=${RUN}Y", 200],
        ['GET', '/tasks/{taskName}/runs/{id}', "taskName=zeta&id=x", 422],
        ['GET', '/tasks/{taskName}/runs/{id}', "taskName=%21&id=${RUN}V", 422],
        ['GET', '/tasks/{taskName}/runs/{id}', "taskName=zeta&id=${RUN}9", 404],
        ['GET', '/tasks/{taskName}/runs/{id}', "taskName=zeta&id=${RUN}V", 401,
         {}],
        ['POST', '/tasks/{taskName}/runs/{id}/stop', "taskName=zeta&id=${RUN}V",
         200],
        ['POST', '/tasks/{taskName}/runs/{id}/stop', "taskName=zeta&id=${RUN}W",
         400],
        ['POST', '/tasks/{taskName}/runs/{id}/stop', "taskName=zeta&id=x", 422],
        ['POST', '/tasks/{taskName}/runs/{id}/stop', "taskName=zeta&id=${RUN}9",
         404],
        ['POST', '/tasks/{taskName}/runs/{id}/stop', "taskName=zeta&id=${RUN}V",
         401, {}],
    ],
    cyberun => [
        ['GET', '/tasks', '', 200],
        ['GET', '/tasks', 'status=failed&per_page=1&current_page=2', 200],
        ['GET', '/tasks', 'per_page=0', 400],
        ['GET', '/tasks', 'status=none', 400],
        ['GET', '/tasks', '', 400, \%teamless],
        ['GET', '/tasks', '', 401, {}],
        ['GET', '/tasks', '', 403, \%stranger],
        (map { my $path = $_;
               ['GET', $path, "id=$CYBERUN", 200],
               ['GET', $path, 'id=x', 400],
               ['GET', $path, "id=$CODEX", 400],
               ['GET', $path, "id=${CODEX}0000", 404],
               ['GET', $path, "id=$CYBERUN", 401, {}],
               ['GET', $path, "id=$CYBERUN", 403, \%stranger] }
             '/tasks/{id}', '/tasks/{id}/result'),
        ['GET', '/tasks/{id}', "id=$RUNNING", 200],
        ['POST', '/tasks/{id}/cancel', "id=$RUNNING", 200],
        ['POST', '/tasks/{id}/cancel', "id=$RUNNING", 200],
        ['POST', '/tasks/{id}/cancel', 'id=x', 400],
        ['POST', '/tasks/{id}/cancel', "id=${CODEX}0000", 404],
        ['POST', '/tasks/{id}/cancel', "id=$RUNNING", 401, {}],
        ['POST', '/tasks/{id}/cancel', "id=$RUNNING", 403, \%stranger],
    ],
    maximal => [
        ['GET', '/maximal', '', 200],
        ['GET', '/maximal', 'page=2', 200],
        ['GET', '/maximal', 'page=0', 400],
        ['GET', '/maximal/of/{tenant}/', 'tenant=1&trace=t', 206],
        ['GET', '/maximal/of/{tenant}/', 'tenant=2&trace=t&size=10', 206],
        ['GET', '/maximal/of/{tenant}/', 'tenant=1', 400],
        ['GET', '/maximal/of/{tenant}/', 'tenant=0&trace=t', 400],
        ['GET', '/maximal/of/{tenant}/', 'tenant=1&trace=t&trace=u', 400],
        ['GET', '/maximal/of/{tenant}/', 'tenant=1&trace=t&after=AAAA', 422],
        ['GET', '/maximal/runs/{step}', 'step=on,off', 200],
        ['GET', '/maximal/runs/{step}', 'step=on&n=x', 400],
        ['POST', '/maximal/runs/{id}/stop', "id=${CODEX}0000", 200],
        ['POST', '/maximal/runs/{id}/stop', "id=${CODEX}0000", 400],
        ['POST', '/maximal/runs/{id}/stop', "id=${CODEX}0001", 200],
        ['GET', '/maximal/{id}/{format}', 'id=first&format=json', 200],
        ['GET', '/maximal/{id}/{format}', 'id=none&format=json', 200],
        ['GET', '/maximal/{id}/{format}', 'id=first&format=xml', 400],
        ['GET', '/maximal/{id}/{format}', 'id=1&format=json', 200],
        ['GET', '/maximal/{id}/{format}', 'id=f%01&format=json', 422],
        ['POST', '/maximal/{id}/cancel', 'id=first', 202],
        ['POST', '/maximal/{id}/cancel', 'id=second', 400],
        ['POST', '/maximal/{id}/cancel', 'id=none', 200],
        ['POST', '/maximal/{id}/cancel', 'id=f%01', 422],
        ['DELETE', '/maximal/{id}', 'id=first', 204],
        ['DELETE', '/maximal/{id}', 'id=second', 400],
        ['DELETE', '/maximal/{id}', 'id=none', 200],
        ['DELETE', '/maximal/{id}', 'id=f%01', 422],
    ],
);

my (@seen, %provoked);

# The target is made of the document: server, path, parameters.

sub target {
    my ($api, $path, $parameters) = @_;

    my $target = $document{$api}{servers}[0]{url} =~ s{/$}{}r . $path;
    my @query;

    for (split /&/, $parameters) {
        my ($name, $value) = split /=/, $_, 2;
        push @query, $_ unless $target =~ s/\{\Q$name\E\}/$value/;
    }

    return $target . (@query ? '?' . join '&', @query : '');
}

sub ask {
    my ($to, $api, $name, $method, $path, $target, $status, $headers) = @_;

    my $response = http($to, $method, $target, headers => $headers);

    is($response->status, $status, $name) or diag($response->body);

    my $type = $response->header('Content-Type') =~ s/;.*//r;

    push @seen, [$name, { document => $file{$api}, path => $path,
                          method => lc $method, type => $type,
                          status => $response->status,
                          body => $response->body }];
    $provoked{"$api $method $path " . $response->status}++;

    documented_headers($api, $name, lc $method, $path, $response);

    return $response;
}

# Headers of the document; Retry-After is told of every 503 and 504.

sub documented_headers {
    my ($api, $name, $method, $path, $response) = @_;

    my $said = $document{$api}{paths}{$path}{$method}{responses}
               {$response->status}{headers};

    for (qw(ETag Retry-After)) {
        ok($said->{$_}, "$name: $_ is documented") if $response->has_header($_);
    }
}

for my $api (@APIS) {
    for my $case (@{ $CASES{$api} }) {
        my ($method, $path, $parameters, $status, $who) = @$case;

        my $target = target($api, $path, $parameters);
        my $headers = $who // $headers{$api};
        my $name = "$api: $method $target" . ($who ? ' of another' : '');
        my $response = ask($port, $api, $name, $method, $path, $target, $status,
                           $headers);

        next unless $response->has_header('ETag');

        ask($port, $api, "$name again", $method, $path, $target, 304,
            { %$headers, 'If-None-Match' => $response->header('ETag') });
    }
}

# Without Redis: each operation, once.

my $alone = Tasks::Demo::start(%more,
    http_config => 'tasks_store main { server unix:none.sock; }')->port;

for my $api (@APIS) {
    my %done;

    # what would have been good
    for my $case (@{ $CASES{$api} }) {
        my ($method, $path, $parameters, $status, $who) = @$case;

        next if $who || $status >= 300 || $done{"$method $path"};
        next if $api eq 'cloudreve' && $path eq '/workflow' && !$parameters;

        my $target = target($api, $path, $parameters);
        my $error = $json->decode($maximal)->{errors}{default}{status};

        $done{"$method $path"} = 1;
        ask($alone, $api, "$api: $method $target without Redis", $method, $path,
            $target, $api eq 'cloudreve' ? 200 : $api eq 'maximal' ? $error
                                                                   : 503,
            $headers{$api});
    }
}

# Each is as its schema says.

my $pid = open2(my $out, my $in, '/usr/bin/python3', 't/lib/schemas.py')
    or die "python3: $!\n";
print $in $json->encode([map { $_->[1] } @seen]);
close $in;
my @wrong = @{ $json->decode(do { local $/; <$out> }) };
waitpid $pid, 0;

is($seen[$_][0] . ': ' . ($wrong[$_] || 'good'), $seen[$_][0] . ': good',
   "$seen[$_][0]: the schema") for 0 .. $#seen;

# And each that is documented was seen, but for what cannot be asked for.

my @unseen;

for my $api (@APIS) {
    for my $path (sort keys %{ $document{$api}{paths} }) {
        my $item = $document{$api}{paths}{$path};

        for my $method (sort keys %$item) {
            push @unseen, grep { !$provoked{$_} && !/ 50[04]$/ }
                          map { "$api \U$method\E $path $_" }
                              sort keys %{ $item->{$method}{responses} };
        }
    }
}

is(join("\n", @unseen), '', 'each documented status was seen');


# What the documents of the products say of parameters and tasks, as facts: a
# line each.  Of what a product's document does not speak nothing is compared.

sub seed { return Tasks::slurp("t/seeds/$_[0]") }

sub facts {
    my ($what, $name, $schema, $required) = @_;

    my @types = grep { $_ ne 'null' } map { ref ? @$_ : $_ }
                                      grep { defined } $schema->{type};

    return ("$what $name", (map { "$what $name is $_" } @types),
            $required ? "$what $name is required" : (),
            map { "$what $name $_ " . (ref $schema->{$_} ? "@{ $schema->{$_} }"
                                                         : $schema->{$_}) }
            grep { defined $schema->{$_} } qw(format default minimum maximum enum));
}

sub parameters_of {
    my ($api, $path) = @_;

    return map { facts("$path:", $_->{name}, $_->{schema}, $_->{required}) }
           @{ $document{$api}{paths}{$path}{get}{parameters} };
}

sub fields_of {
    my ($schema, $name) = @_;

    my %required = map { $_ => 1 } @{ $schema->{required} };

    return map { facts("$name:", $_, $schema->{properties}{$_}, $required{$_}) }
           keys %{ $schema->{properties} };
}

sub tasks_of {
    my ($api, $name) = @_;

    return fields_of($document{$api}{components}{schemas}{$name}, $name);
}


# Compares facts: those of the product's document, then ours, then patterns of
# what differs on purpose ("-": we do not say it; "+": we alone do), each with
# the reason and each there.

sub is_agreed {
    my ($name, $theirs, $ours, @differences) = @_;

    my %theirs = map { $_ => 1 } @$theirs;
    my %ours = map { $_ => 1 } @$ours;
    my @found = sort((map { "- $_" } grep { !$ours{$_} } keys %theirs),
                     (map { "+ $_" } grep { !$theirs{$_} } keys %ours));

    cmp_ok(scalar @$theirs, '>', 3, "$name: the product says something");

    while (my ($pattern, $reason) = splice @differences, 0, 2) {
        my $before = @found;

        @found = grep { !/^$pattern$/ } @found;
        cmp_ok(scalar @found, '<', $before, "$name: $reason");
    }

    is(join("\n", @found), '', "$name: all else is as its document says");
}


# Cloudreve: OpenAPI itself.

my $cloudreve = $json->decode(Tasks::Node::program('read.mjs',
                                          't/seeds/cloudreve_openapi.yaml'));

is_agreed('cloudreve, parameters',
    [map { facts('/workflow:', $_->{name}, $_->{schema}, $_->{required}) }
         @{ $cloudreve->{paths}{'/workflow'}{get}{parameters} }],
    [parameters_of('cloudreve', '/workflow')]);

is_agreed('cloudreve, tasks',
    [fields_of($cloudreve->{components}{schemas}{TaskResponse}, 'Task')],
    [tasks_of('cloudreve', 'Task')],
    qr/- Task: (?:status|type) enum .*/ => 'writers are not held to states',
    qr/- Task: (?:duration|resume_time|retry_count|error|error_history|summary|node) is required/
        => 'the product leaves out what is empty, whatever its document says',
    qr/\+ Task: node is object/ => 'its document refers to a schema');


# Codex: "lockedBystring | nullnullable", "attemptsinteger<int32>required".

sub codex_facts {
    return map {
        /^([a-zA-Z]+?)(string|integer)(?:,null| \| null)?(?:<([\w-]+)>)?((?:required|nullable)+)$/
            ? facts('TaskDetail:', $1, { type => $2, format => $3 },
                    $4 eq 'required')
            : /^(params|result)$/ ? facts('TaskDetail:', $1, {}, 0) : ()
    } split /\n/, seed('codex_task.txt');
}

is_agreed('codex, tasks', [codex_facts()], [tasks_of('codex', 'TaskDetail')],
    qr/\+ TaskDetail: \w+ is required/ => 'what is null is always there');


# Omelette: tables, "limit | int | No | Max results (default: 50) |".

sub omelette_facts {
    my ($what, $heading) = @_;

    my %types = (int => 'integer', string => 'string', object => 'object');
    my (undef, $rest) = split /^\Q$heading\E$/m, seed('omelette.txt');
    my ($table) = $rest =~ /((?:^.* \|\n|^\|-.*\n)+)/m or die "no $heading\n";

    return map {
        my ($name, $type, @rest) = /^(\w+) \| (\w+) \| (?:(Yes|No) \| )?(.*) \|$/;
        my ($default) = ($rest[1] // '') =~ /\(default: (\d+)\)/;

        $types{$type // ''}
            ? facts($what, $name, { type => $types{$type}, default => $default },
                    ($rest[0] // '') eq 'Yes') : ()
    } split /\n/, $table;
}

is_agreed('omelette, parameters', [omelette_facts('/tasks:', 'Query Parameters')],
    [parameters_of('omelette', '/tasks')],
    qr{\+ /tasks: limit (?:minimum 0|maximum 1000)} => 'a list has bounds here');

my @always = (qr/\+ \w+: \w+ is required/ => 'what is always there is said so',
              qr/\+ \w+: \w+_at format date-time-local/ => 'times have no zone');

is_agreed('omelette, tasks', [omelette_facts('Task:', 'TaskSchema (list view)')],
    [tasks_of('omelette', 'Task')], @always);
is_agreed('omelette, a task', [omelette_facts('TaskDetail:', 'TaskDetailSchema')],
    [tasks_of('omelette', 'TaskDetail')], @always);


# RunWisp: a name in a line, then perhaps what it means, then its type, then
# perhaps "Allowed values: latest all skip".

sub runwisp_facts {
    my ($fields) = seed('runwisp_tasks.txt') =~ /^array \| null\nobject\n(.*?)^Example$/ms
        or die "no fields\n";

    my @facts;

    while ($fields =~ /^(\w+)\n(required\n)?(?:\n.*\n\n)?(string|integer|boolean)(?: format: (\w+))?$/gm) {
        push @facts, facts('Task:', $1, { type => $3, format => $4 }, $2);
    }

    return @facts;
}

is_agreed('runwisp, tasks', [runwisp_facts()], [tasks_of('runwisp', 'Task')]);


# Cyberun: a name, a type, perhaps "default:1", then text and "Required range".

sub cyberun_facts {
    my ($part) = seed('cyberun_tasks.txt') =~ /^Query Parameters\n(.*?)^Response$/ms
        or die "no parameters\n";

    return map {
        my ($name, $type, $rest) = /^(\w+)\n(integer|enum<string>)\n(.*)/s;
        my ($low, $high) = $rest =~ /^Required range: (?:(\d+) <= )?x(?: <= (\d+))?/m;
        my ($least) = $rest =~ /^Required range: x >= (\d+)/m;
        my ($values) = $rest =~ /^Available options:\n((?:\w+,?\s?\n)+)/m;

        facts('/tasks:', $name, {
            type    => $type eq 'integer' ? 'integer' : 'string',
            default => $rest =~ /^default:(\d+)/ ? $1 : undef,
            minimum => $low // $least,
            maximum => $high,
            enum    => $values ? [$values =~ /(\w+)/g] : undef,
        })
    } split /^(?=\w+\n(?:integer|enum<string>)\n)/m, $part =~ s/^\n+//r;
}

is_agreed('cyberun, parameters', [cyberun_facts()],
    [parameters_of('cyberun', '/tasks')],
    qr{\+ /tasks: current_page maximum 2147483647} => 'a page has a bound here');

# its document has an example only of tasks

my $example = $json->decode(seed('cyberun_tasks.json'))->{task_list}[0];
my $task = $document{cyberun}{components}{schemas}{Task}{properties};

is(join(' ', grep { !$task->{$_} } sort keys %$example), '',
   'cyberun, tasks: each member of its example');
is(join(' ', grep { !exists $example->{$_} } sort keys %$task),
   'task_source task_status', 'cyberun, tasks: and two that its example lacks');


# Examples are values that the products name, where they do.

my %KNOWN = (
    cloudreve => { map { $_ => $cloudreve->{components}{schemas}{TaskResponse}
                                         {properties}{$_}{enum} } qw(status type) },
    codex     => { status => [qw(pending processing completed failed cancelled)] },
    omelette  => { status => [seed('omelette.txt')
                              =~ /^status \| string \| ([\w, ]+) \|$/m ? split(/, /, $1) : ()] },
);

for my $api (sort keys %KNOWN) {
    for my $field (sort keys %{ $KNOWN{$api} }) {
        my %known = map { $_ => 1 } @{ $KNOWN{$api}{$field} };
        my $examples = $document{$api}{components}{schemas}{Task}
                       {properties}{$field}{examples};

        ok(@$examples && !grep({ !$known{$_} } @$examples),
           "$api: the examples of $field are known to the product")
            or diag("@$examples");
    }
}

done_testing();
