# conf/apis/schema.json and the compiler say the same of a definition: what one
# takes or refuses, the other does, but for what a schema cannot say.  Here is
# also one definition that uses all that there is, and README.md's examples are
# tried.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use JSON::PP;

use Tasks::Nginx;

my $apis = abs_path(dirname(__FILE__) . '/../conf/apis');
my $directory = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my $MAXIMAL = <<'END';
{
  "$schema": "schema.json",
  "name": "maximal_1",
  "description": "Every member that there is",
  "id": {"name": "task_id", "type": "string", "required": true,
         "max_length": 64, "pattern": "^[a-z]", "description": "An id",
         "errors": {"pattern": {"class": "not_found"}}},
  "order": "created_at desc",
  "state": "phase",
  "max_value": 65536,
  "repeated": "error",

  "fields": {
    "created_at": {"type": "datetime", "required": true},
    "phase":      {"type": "string", "filter": true, "default": "new"},
    "tenant":     {"type": "integer", "view": "none", "filter": true},
    "urgent":     {"type": "boolean", "filter": true, "default": false},
    "ratio":      {"type": "number", "default": 0.5},
    "ended_at":   {"type": "datetime", "view": "all", "default": null},
    "input":      {"type": "object", "view": "detail", "default": {}},
    "steps":      {"type": "array", "view": "detail", "default": [1]},
    "extra":      {"type": "any", "view": "detail", "default": "none",
                   "description": "Whatever the worker adds"},
    "short":      {"type": "string", "view": "list"}
  },

  "cancel": {
    "except": ["done", "failed"],
    "unchanged": ["cancelled", 1, true],
    "set": {"phase": "cancelled", "ended_at": "$now", "short": "$now_naive",
            "extra": "$now_seconds", "ratio": null, "steps": []}
  },

  "routes": [
    {
      "action": "list",
      "description": "A page",
      "method": "GET",
      "path": "/of/{tenant}/",
      "path_parameters": {"tenant": {"type": "integer", "filter": "tenant",
                                     "minimum": 1}},
      "query": {
        "phase":  {"type": "string", "role": "none", "filter": "phase",
                   "enum": ["new", "done"], "absent_if": ["", "all"],
                   "max_length": 10, "description": "One of the phases"},
        "urgent": {"type": "boolean", "filter": "urgent", "default": false,
                   "enum": [true, false]},
        "size":   {"type": "integer", "role": "limit", "default": 20,
                   "minimum": 1, "maximum": 10000, "enum": [10, 20],
                   "absent_if": [0]},
        "after":  {"role": "cursor", "pattern": "^[A-Za-z0-9_-]+$"},
        "trace":  {"required": true,
                   "errors": {"required": "$parameter is due",
                              "repeated": {"message": "once", "code": "r"}}}
      },
      "status": 206,
      "content_type": "application/json; charset=utf-8",
      "response": {"items": "$tasks", "also": "${tasks}?", "count": "$total",
                   "pages": "$pages", "page": "$page", "size": "$limit",
                   "next": "$next_cursor?", "host": "${host}:$server_port",
                   "at": ["$now", "$now_seconds", "$now_naive", {"a": "$uri?"}],
                   "text": "$$5 of $total? ${limit}x", "ok": true, "none": null,
                   "status": "$status", "half": 0.5},
      "errors": {"default": {"headers": {"X-Part": "list"}},
                 "bad_cursor": {"status": 422, "text": "$message"}}
    },
    {
      "action": "list",
      "query": {"page": {"type": "integer", "role": "page"}},
      "response": "$tasks"
    },
    {
      "action": "get",
      "path": "/{id}/{format}",
      "path_parameters": {"format": {"enum": ["json"]}},
      "query": {"verbose": {"type": "boolean"}},
      "response": ["$task", {"id": "$id"}]
    },
    {
      "action": "cancel",
      "method": "DELETE",
      "path": "/{id}"
    },
    {
      "action": "cancel",
      "method": "POST",
      "path": "/{id}/cancel",
      "status": 202,
      "response": {"id": "$id", "was": "$state", "say": "it was $state"}
    }
  ],

  "errors": {
    "default": {"status": 400, "message": "no",
                "body": {"code": "$status", "message": "$message",
                         "id": "$id?", "state": "$state?", "rule": "$rule?",
                         "where": "$location $parameter", "was": "$value",
                         "why": "$code", "request": "$request_id"},
                "content_type": "application/problem+json",
                "headers": {"Cache-Control": "no-store"}},
    "bad_parameter": {"rules": {"type": "$value is wrong",
                                "minimum": {"code": "min"},
                                "maximum": {"message": "$value is too much"},
                                "required": {"class": "unauthorized"},
                                "enum": "e", "pattern": "p", "max_length": "l",
                                "repeated": "r"}},
    "bad_cursor": {}, "unauthorized": {"text": "$message\n", "body": {}},
    "forbidden": {}, "not_found": {"status": 200}, "no_route": {},
    "bad_method": {}, "cannot_cancel": {"message": "it is $state"},
    "too_large": {}, "unavailable": {}, "timeout": {}, "internal": {}
  }
}
END

my $SHORT = <<'END';
{"name": "short", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "list", "response": "$tasks"}]}
END

# What is good: a definition, and a change of it: the place (words), and its new
# value as JSON; without one it is taken out.
my @GOOD = (
    ['everything there is', $MAXIMAL],
    ['as little as there may be', $SHORT],
    ['an id of type string', $SHORT, 'id', '"string"'],
    ['an id as an empty object', $SHORT, 'id', '{}'],
    ['an integer id with bounds and values', $SHORT,
     'id', '{"type": "integer", "minimum": 1, "maximum": 9, "enum": [1, 2]}'],
    ['an order that says asc', $SHORT, 'order', '"n asc"'],
    ['a status that is no state', $SHORT, 'fields status',
     '{"type": "integer"}'],
    ['from instead of except', $MAXIMAL, 'cancel',
     '{"from": [], "set": {}}'],
    ['the path "/"', $SHORT, 'routes 0 path', '"/"'],
    ['a path of 16 segments', $SHORT, 'routes 0 path', '"' . '/a' x 16 . '"'],
    ['a dollar sign', $SHORT, 'routes 0 response', '"$$tasks $$$$ 5$$"'],
    ['a variable whose name begins as a value\'s does', $SHORT,
     'routes 0 response', '"$status_ $request_id ${limit_rate}"'],
);

my @BAD = (
    ['no object', '[]'],
    ['an unknown member', $SHORT, 'kind', '1'],
    ['no name', $SHORT, 'name'],
    ['a name with a capital letter', $SHORT, 'name', '"Short"'],
    ['a name that is too long', $SHORT, 'name', '"' . 'a' x 65 . '"'],
    ['no id', $SHORT, 'id'],
    ['a boolean id', $SHORT, 'id', '"boolean"'],
    ['an id with a default', $MAXIMAL, 'id default', '"a"'],
    ['an id with a role', $MAXIMAL, 'id role', '"limit"'],
    ['an id with a view', $MAXIMAL, 'id view', '"list"'],
    ['no order', $SHORT, 'order'],
    ['a state that is no string', $MAXIMAL, 'state', '1'],
    ['a max_value that is too small', $SHORT, 'max_value', '63'],
    ['a max_value that is too large', $SHORT, 'max_value', '16777217'],
    ['an unknown way to repeat', $SHORT, 'repeated', '"any"'],

    ['no fields', $SHORT, 'fields', '{}'],
    ['a field whose name begins with _', $SHORT, 'fields _n',
     '{"type": "any"}'],
    ['a field without a type', $SHORT, 'fields n type'],
    ['a field of an unknown type', $SHORT, 'fields n type', '"int"'],
    ['a field with an unknown view', $SHORT, 'fields n view', '"both"'],
    ['a filter by an object', $MAXIMAL, 'fields input filter', 'true'],
    ['a flag that is no boolean', $SHORT, 'fields n required', '1'],
    ['a field\'s default of another type', $SHORT, 'fields n default', '"0"'],
    ['an unknown member of a field', $SHORT, 'fields n absent', 'null'],

    ['cancel without a state', $SHORT, 'cancel', '{"from": [], "set": {}}'],
    ['cancel with from and except', $MAXIMAL, 'cancel from', '[]'],
    ['cancel with neither', $MAXIMAL, 'cancel except'],
    ['cancel that sets nothing', $MAXIMAL, 'cancel set'],
    ['cancel that sets an unknown time', $MAXIMAL, 'cancel set phase',
     '"$today"'],
    ['a state that is an object', $MAXIMAL, 'cancel unchanged 0', '{}'],
    ['an action without its rule', $MAXIMAL, 'cancel'],

    ['no routes', $SHORT, 'routes', '[]'],
    ['a route without an action', $SHORT, 'routes 0 action'],
    ['an unknown action', $SHORT, 'routes 0 action', '"put"'],
    ['an unknown member of a route', $SHORT, 'routes 0 body', '{}'],
    ['a list by POST', $SHORT, 'routes 0 method', '"POST"'],
    ['a cancel by GET', $MAXIMAL, 'routes 4 method', '"GET"'],
    ['HEAD, which goes with GET', $SHORT, 'routes 0 method', '"HEAD"'],
    ['a list with an id', $SHORT, 'routes 0 path', '"/{id}"'],
    ['a get without an id', $MAXIMAL, 'routes 2 path', '"/{format}"'],
    ['a get with two ids', $MAXIMAL, 'routes 2 path', '"/{id}/{format}/{id}"'],
    ['a path without a slash', $SHORT, 'routes 0 path', '"all"'],
    ['a parameter in a part of a segment', $SHORT, 'routes 0 path', '"/a{b}"'],
    ['a path of 17 segments', $SHORT, 'routes 0 path',
     '"' . '/a' x 17 . '"'],
    ['a list without a response', $SHORT, 'routes 0 response'],
    ['a status of another class', $SHORT, 'routes 0 status', '301'],
    ['a content type of two lines', $SHORT, 'routes 0 content_type',
     '"a\r\nb"'],

    ['a parameter of type number', $MAXIMAL, 'routes 0 query size type',
     '"number"'],
    ['a parameter with a name', $MAXIMAL, 'routes 0 query size name', '"s"'],
    ['a limit that is a string', $MAXIMAL, 'routes 1 query page type'],
    ['a limit above what is served', $MAXIMAL, 'routes 0 query size maximum',
     '10001'],
    ['a page below the first', $MAXIMAL, 'routes 1 query page minimum', '0'],
    ['a cursor that is an integer', $MAXIMAL, 'routes 0 query after type',
     '"integer"'],
    ['a filter with a role', $MAXIMAL, 'routes 0 query phase role', '"limit"'],
    ['the role "filter"', $MAXIMAL, 'routes 0 query trace role', '"filter"'],
    ['a required parameter with a default', $MAXIMAL,
     'routes 0 query trace default', '"x"'],
    ['a default of another type', $MAXIMAL, 'routes 0 query urgent default',
     'null'],
    ['an allowed value of another type', $MAXIMAL,
     'routes 0 query size enum 0', '"10"'],
    ['a max_length that is too large', $MAXIMAL,
     'routes 0 query phase max_length', '1025'],
    ['a pattern that is no string', $MAXIMAL, 'routes 0 query after pattern',
     '5'],
    ['absent_if that is no array', $MAXIMAL, 'routes 0 query phase absent_if',
     '""'],
    ['a role where there is no list', $MAXIMAL,
     'routes 2 query verbose', '{"role": "cursor"}'],
    ['a filter where there is no list', $MAXIMAL,
     'routes 2 path_parameters format filter', '"phase"'],
    ['an unknown rule', $MAXIMAL, 'routes 0 query size errors',
     '{"min": "small"}'],
    ['an unknown class of a rule', $MAXIMAL, 'routes 0 query size errors',
     '{"minimum": {"class": "small"}}'],
    ['a message for what cannot happen', $MAXIMAL, 'repeated', '"first"'],

    ['a dollar sign alone', $SHORT, 'routes 0 response', '"5$"'],
    ['a brace that is not closed', $SHORT, 'routes 0 response', '"${tasks"'],
    ['a list with a task', $SHORT, 'routes 0 response', '"$task"'],
    ['a get with a total', $MAXIMAL, 'routes 2 response', '{"a": "${total}"}'],
    ['a cancel with the task', $MAXIMAL, 'routes 4 response was', '"$task?"'],
    ['tasks inside a text', $SHORT, 'routes 0 response', '" $tasks"'],
    ['an element that can be left out', $SHORT, 'routes 0 response',
     '["$next_cursor?"]'],
    ['a response that can be left out', $SHORT, 'routes 0 response',
     '"$tasks?"'],

    ['an unknown class of errors', $SHORT, 'errors', '{"gone": {}}'],
    ['an unknown member of an error', $MAXIMAL, 'errors default code', '1'],
    ['an error with the status 600', $MAXIMAL, 'errors default status', '600'],
    ['an error with a list', $MAXIMAL, 'errors default body', '["$tasks"]'],
    ['a message with itself', $MAXIMAL, 'errors default message',
     '"$message"'],
    ['a text that is none', $MAXIMAL, 'routes 0 errors bad_cursor text',
     '{}'],
    ['rules in another class', $MAXIMAL, 'errors not_found rules', '{}'],
    ['rules in a route', $MAXIMAL, 'routes 0 errors bad_parameter',
     '{"rules": {}}'],
    ['a header with a space', $MAXIMAL, 'errors default headers',
     '{"X Y": "z"}'],
    ['a header without a name', $MAXIMAL, 'errors default headers',
     '{"": "z"}'],
    ['a header of two lines', $MAXIMAL, 'errors default headers',
     '{"X-Y": "z\nX: y"}'],
);


sub definition {
    my ($case) = @_;

    my (undef, $text, $place, $value) = @$case;
    return $text unless defined $place;

    my $definition = $json->decode($text);
    my @words = split / /, $place;
    my $last = pop @words;
    my $at = $definition;

    $at = ref $at eq 'ARRAY' ? $at->[$_] : $at->{$_} for @words;

    if (!defined $value) {
        exists $at->{$last} or die "$case->[0]: there is no $place\n";
        delete $at->{$last};
    } elsif (ref $at eq 'ARRAY') {
        $at->[$last] = $json->decode($value);
    } else {
        $at->{$last} = $json->decode($value);
    }

    return $json->encode($definition);
}


# File => complaint, or "" if it is good.

sub by_schema {
    my (@files) = @_;

    my $program = <<'END';
import json, sys
from jsonschema import Draft202012Validator as Validator
schema = json.load(open(sys.argv[1], encoding='utf-8'))
Validator.check_schema(schema)
for file in sys.argv[2:]:
    error = next(Validator(schema).iter_errors(
        json.load(open(file, encoding='utf-8'))), None)
    print(error.json_path + ': ' + error.message.replace('\n', ' ')
          if error else '')
END

    # Debian's, whatever else there is in PATH
    open my $in, '-|', '/usr/bin/python3', '-c', $program,
         "$apis/schema.json", @files or die "python3: $!\n";
    chomp(my @complaints = <$in>);
    close $in or BAIL_OUT("python3 failed\n");

    my %result;
    @result{@files} = @complaints;

    return %result;
}


sub by_nginx {
    my ($file) = @_;

    open my $out, '>', "$directory/nginx.conf" or die "nginx.conf: $!\n";
    print $out Tasks::main_config(''), <<"END";

pid nginx.pid;
error_log stderr emerg;
events { }
http {
    access_log off;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
    map x \$status_ { default x; }
    tasks_store main { server unix:redis.sock; }
    server {
        listen unix:nginx.sock;
        location /tasks { tasks_api $file; tasks_pass main; }
    }
}
END
    close $out;

    my $binary = Tasks::Nginx::binary();
    my $output = `$binary -t -q -p $directory/ -c nginx.conf -e stderr 2>&1`;

    return '' if $? == 0;
    return $output =~ /\[emerg\] (?:\S+ )?(.*)/ ? $1 : "status $?: $output";
}


# The examples of conf/apis/README.md: the first one is whole; the others are
# members of it, or a route in place of its routes.

sub readme_examples {
    my ($whole, @parts) = slurp("$apis/README.md") =~ /^```json\n(.*?)^```/gms;

    return ['README, the complete example', $whole], map {
        my $part = $json->decode(/^\{"action"/ ? qq({"routes": [$_]})
                                               : "{$_}");
        my $definition = { %{ $json->decode($whole) }, %$part };

        ['README, ' . (split /\n/)[0], $json->encode($definition)]
    } @parts;
}


sub slurp {
    my ($file) = @_;

    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;

    return <$in>;
}


my (@cases, $number);

for my $case (map({ [$_, 1] } @GOOD, readme_examples()),
              map { [$_, 0] } @BAD)
{
    my $file = sprintf '%s/%03d.json', $directory, ++$number;

    open my $out, '>:raw', $file or die "$file: $!\n";
    print $out definition($case->[0]);
    close $out;

    push @cases, [$case->[0][0], $file, $case->[1]];
}

push @cases, map { ["conf/apis/" . basename($_), $_, 1] }
             grep { !m{/schema\.json$} } glob "$apis/*.json";

my %schema = by_schema(map { $_->[1] } @cases);

for my $case (@cases) {
    my ($name, $file, $good) = @$case;

    my $nginx = by_nginx($file);

    if ($good) {
        is($schema{$file}, '', "$name: good by the schema");
        is($nginx, '', "$name: good by nginx");
        next;
    }

    isnt($schema{$file}, '', "$name: refused by the schema");
    like($nginx, qr/\Q$file\E: \$/, "$name: refused by nginx");
}


# Each property says what it is, for editors.

sub undescribed {
    my ($node, $path, $schema) = @_;

    return unless ref $node;
    return map { undescribed($node->[$_], "$path/$_", $schema) } 0 .. $#$node
        if ref $node eq 'ARRAY';
    return if ref $node ne 'HASH';

    my @found;

    if (exists $node->{additionalProperties} && $node->{properties}) {
        for my $name (sort keys %{ $node->{properties} }) {
            my $property = $node->{properties}{$name};
            my ($target) = ($property->{'$ref'} // '') =~ m{^#/\$defs/(\w+)$};

            push @found, "$path/$name"
                unless $property->{description}
                    || $target && $schema->{'$defs'}{$target}{description};
        }
    }

    return @found, map { undescribed($node->{$_}, "$path/$_", $schema) }
                       sort keys %$node;
}

my $schema = $json->decode(slurp("$apis/schema.json"));

is(join(' ', undescribed($schema, '', $schema)), '',
   'each property is described');

done_testing();
