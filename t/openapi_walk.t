# A program that knows nothing but a document and its extensions, as a dashboard
# would be: it pages through each list, filters it, gets tasks and cancels them.
# That what it takes from the document is true is checked in Redis.

use lib 't/lib';
use Tasks ':live';

use JSON::PP;

use Tasks::Demo;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# Where writers have put what the clients of Tasks::Demo see, by API and tag.
my %BASE = (
    'omelette omelette'   => 'omelette',
    'cloudreve cloudreve' => 'cloudreve:VrFV',
    'codex codex'         => 'codex',
    'runwisp runwisp'     => 'runwisp',
    'runwisp runs'        => 'runwisp_runs',
    'cyberun cyberun'     => 'cyberun:019abc12-4567-7890-abcd-ef1234567891',
);

Tasks::Demo::put_samples();

my $port = Tasks::Demo::start()->port;

my ($document, $server, %headers);      # of the API that is walked


# Operations, and parameters by role.

sub operations {
    my ($tag, $action) = @_;

    my $paths = $document->{paths};

    return map {
        my $path = $_;

        map { +{ %{ $paths->{$path}{$_} }, path => $path, method => uc } }
        grep { my $operation = $paths->{$path}{$_};
               $operation->{tags}[0] eq $tag
                   && $operation->{'x-tasks-action'} eq $action }
        sort keys %{ $paths->{$path} }
    } sort keys %$paths;
}

sub role {
    my ($operation, $role) = @_;

    my ($found) = grep { ($_->{'x-tasks-role'} // '') eq $role }
                       @{ $operation->{parameters} };

    return $found;
}


# The success of an operation: its status and schema.

sub success {
    my ($operation) = @_;

    my ($status) = grep { /^2/ } sort keys %{ $operation->{responses} };
    my ($media) = values %{ $operation->{responses}{$status}{content} // {} };

    # of several forms it is the first
    return ($status, $media && ($media->{schema}{anyOf}[0] // $media->{schema}));
}


# What of a body the schema says is such a value: undef if nothing is.

sub value {
    my ($want, $schema, $body) = @_;

    return $body if ($schema->{'x-tasks-value'} // '') eq $want;

    for my $name (sort keys %{ $schema->{properties} // {} }) {
        next unless ref $body eq 'HASH' && exists $body->{$name};

        my $found = value($want, $schema->{properties}{$name}, $body->{$name});
        return $found if defined $found;
    }

    return;
}

# The schema of that value.

sub schema_of {
    my ($want, $schema) = @_;

    return $schema if ($schema->{'x-tasks-value'} // '') eq $want;

    my ($found) = grep { defined } map { schema_of($want, $_) }
                                       values %{ $schema->{properties} // {} };

    return $found;
}

sub referred {
    my ($schema) = @_;

    my ($name) = ($schema->{'$ref'} // '') =~ m{^#/components/schemas/(\w+)$}
        or die "no reference\n";

    return $document->{components}{schemas}{$name};
}


# Sends a request; parameters by name.

sub ask {
    my ($operation, %value) = @_;

    my $path = $operation->{path};
    my @query;

    for my $parameter (@{ $operation->{parameters} }) {
        my $name = $parameter->{name};

        die "$path: $name is missing\n"
            if $parameter->{required} && !defined $value{$name};
        next unless defined $value{$name};

        $parameter->{in} eq 'path' ? $path =~ s/\{\Q$name\E\}/$value{$name}/
                                   : push @query, "$name=$value{$name}";
    }

    return http($port, $operation->{method},
                "$server$path" . (@query ? '?' . join '&', @query : ''),
                headers => \%headers);
}


# All tasks of a list, page by page.

sub tasks_of {
    my ($list, %value) = @_;

    my ($status, $schema) = success($list);
    my ($limit, $cursor, $page, $offset) =
        map { role($list, $_) } qw(limit cursor page offset);
    my @tasks;

    $value{$limit->{name}} = $cursor || $page || $offset
        ? $limit->{schema}{minimum} || 1 : $limit->{schema}{maximum} // 1000
        if $limit;

    for my $number (1 .. 100) {
        $value{$page->{name}} = $number if $page;
        $value{$offset->{name}} = @tasks if $offset;

        my $body = $json->decode(ask($list, %value)->body);
        my @more = @{ value('tasks', $schema, $body) };
        my $total = value('total', $schema, $body);
        my $next = value('next_cursor', $schema, $body);

        push @tasks, @more;
        $value{$cursor->{name}} = $next if $cursor;

        return ($total, @tasks)
            if $cursor ? !defined $next
                       : !($page || $offset) || @tasks >= $total || !@more;
    }

    die "a list has no end\n";
}

# Parameters that a list wants, all ways: those of each choice.

sub ways {
    my ($list) = @_;

    my $choice = role($list, 'choice') // return {};

    return map { +{ $choice->{name} => $_ } } @{ $choice->{schema}{enum} };
}


sub walk_list {
    my ($name, $list, $base) = @_;

    my ($status, $schema) = success($list);
    my $task = referred(schema_of('tasks', $schema)->{items});
    my ($id, $field, $direction) =
        ($task->{'x-tasks-id'}, split / /, $task->{'x-tasks-order'});
    my @all;

    for my $way (ways($list)) {
        my ($total, @tasks) = tasks_of($list, %$way);
        my @keys = map { $_->{$field} =~ s/Z$//r }
                   grep { defined $_->{$field} } @tasks;
        my @sorted = sort @keys;

        @sorted = reverse @sorted if ($direction // 'asc') eq 'desc';
        is("@keys", "@sorted", "$name: it is in order");
        is(scalar @tasks, $total, "$name: as many as it says") if defined $total;
        push @all, @tasks;
    }

    my %seen = map { $_->{$id} => $_ } @all;

    is(scalar @all, scalar keys %seen, "$name: each task once");
    cmp_ok(scalar @all, '>', 2, "$name: there are tasks");

    is(scalar @all, redis('ZCARD', "tasks:{$base}:index"), "$name: all of them")
        unless role($list, 'choice');

    walk_filters($name, $list, @all);

    return ($task, values %seen);
}


# Each value that the document names.

sub walk_filters {
    my ($name, $list, @all) = @_;

    for my $filter (@{ $list->{parameters} }) {
        next unless ($filter->{'x-tasks-role'} // '') eq 'filter';

        my $schema = $filter->{schema}{items} // $filter->{schema};
        my $field = $filter->{'x-tasks-field'};

        for my $value (@{ $schema->{enum} // $schema->{examples} // [] }) {
            my (undef, @tasks) = tasks_of($list, $filter->{name} => $value);

            is(scalar(grep { $_->{$field} eq $value } @tasks), scalar @tasks,
               "$name: $field is $value in all of a filtered list");
            is(scalar @tasks, scalar(grep { ($_->{$field} // '') eq $value } @all),
               "$name: and in no other");
        }
    }
}


# The parameters of an operation on a task.

sub parameters_of {
    my ($operation, $schema, $task) = @_;

    return map {
        my $role = $_->{'x-tasks-role'} // '';
        my $member = $role eq 'id' ? $schema->{'x-tasks-id'}
                                   : $_->{'x-tasks-field'};

        defined $member ? ($_->{name} => $task->{$member}) : ()
    } @{ $operation->{parameters} };
}

sub walk_gets {
    my ($name, $tag, $schema, $task) = @_;

    for my $get (operations($tag, 'get')) {
        my ($status, $body) = success($get);
        my $response = ask($get, parameters_of($get, $schema, $task));
        my $shown = value('task', $body, $json->decode($response->body));

        is($response->status, $status, "$name: $get->{path}");
        is($shown->{$schema->{'x-tasks-id'}}, $task->{$schema->{'x-tasks-id'}},
           "$name: it is the task") if $shown;
    }
}


# Whether the document has a cancel change the task.

sub can_be_cancelled {
    my ($schema, $task) = @_;

    my $rule = $schema->{'x-tasks-cancel-from'};
    my $state = $task->{$rule->{field}} // '';
    my $where = $rule->{where} // {};

    return 0 if grep { my $field = $_;
                       !grep { $_ eq $task->{$field} } @{ $where->{$field} } }
                     keys %$where;

    return !!grep { $_ eq $state } @{ $rule->{values} } if $rule->{values};
    return !grep { $_ eq $state } @{ $rule->{except} };
}

sub walk_cancel {
    my ($name, $cancel, $schema, $base, @tasks) = @_;

    my ($status) = success($cancel);
    my ($can, $cannot) = (0, 0);

    for my $task (@tasks) {
        my $key = "tasks:{$base}:task:$task->{$schema->{'x-tasks-id'}}";
        my $predicted = can_be_cancelled($schema, $task);
        my $before = redis('HGET', $key, '_rev');
        my $response = ask($cancel, parameters_of($cancel, $schema, $task));
        my $changed = redis('HGET', $key, '_rev') ne $before;

        is($changed ? 1 : 0, $predicted ? 1 : 0,
           "$name: cancel of $task->{$schema->{'x-tasks-id'}}, as predicted");
        is($response->status, $status, "$name: which succeeds") if $predicted;
        $predicted ? $can++ : $cannot++;
    }

    ok($can && $cannot, "$name: some can be cancelled, others cannot");
}


my %walked;

for my $api (@Tasks::Demo::APIS) {
    $document = $json->decode(http($port, 'GET', "/openapi/$api.json")->body);
    $server = $document->{servers}[0]{url};
    %headers = Tasks::Demo::headers($api);

    for my $tag (map { $_->{name} } @{ $document->{tags} }) {
        my $name = "$api $tag";
        my ($list) = grep { $_->{path} !~ /\{/ } operations($tag, 'list');
        my ($cancel) = operations($tag, 'cancel');
        my ($schema, @tasks) = walk_list($name, $list, $BASE{$name});

        $walked{$name} = 1;
        walk_gets($name, $tag, $schema, $tasks[0]);
        walk_cancel($name, $cancel, $schema, $BASE{$name}, @tasks) if $cancel;
    }
}

is(join(', ', sort keys %walked), join(', ', sort keys %BASE),
   'each collection was walked through');

done_testing();
