# conf/apis/schema.json and the compiler say the same of a definition: what one
# takes or refuses, the other does, but for what a schema cannot say.  One of the
# definitions, t/lib/maximal.json, uses all that there is; README.md's examples,
# and what it shows of them, are tried, too.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use JSON::PP;

use Tasks::Library;
use Tasks::Nginx;

my $apis = abs_path(dirname(__FILE__) . '/../conf/apis');
my $directory = tempdir(CLEANUP => 1);
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

my $MAXIMAL = slurp('t/lib/maximal.json');

my $SHORT = <<'END';
{"name": "short", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "list", "response": "$tasks"}]}
END

# What is good: a definition, and changes of it: a place (words), and its new
# value as JSON; without one it is taken out.
my @GOOD = (
    ['everything there is', $MAXIMAL],
    ['as little as there may be', $SHORT],
    ['an id of type string', $SHORT, 'id', '"string"'],
    ['an id as an empty object', $SHORT, 'id', '{}'],
    ['an id of type uuid', $SHORT, 'id', '"uuid"'],
    ['an order by the id, and no field', $SHORT, 'order', '"id desc"', 'fields', '{}'],
    ['an order by the id under its name', $SHORT, 'id', '{"name": "key"}',
     'order', '"key"'],
    ['collections, and none', $SHORT, 'collections', '{}'],
    ['a parameter that has one value, as it says', $MAXIMAL,
     'routes 0 query phase multiple', '"no"'],
    ['a limit without bounds', $MAXIMAL, 'routes 0 query size',
     '{"type": "integer", "role": "limit", "minimum": -9223372036854775808,
       "maximum": 9223372036854775807}'],
    ['a cursor as it is', $MAXIMAL, 'routes 0 query after',
     '{"role": "cursor", "encoding": "none", "form": "$position"}'],
    ['a message for a class of its own', $MAXIMAL, 'routes 0 query trace errors',
     '{"default": {"class": "no_team_2"}}'],
    ['a code that is a number', $SHORT, 'errors', '{"timeout": {"code": -1}}'],
    ['a class of its own', $SHORT, 'errors',
     '{"9_lives": {"like": "not_found", "text": "$message"}}'],
    ['a uuid by default', $MAXIMAL, 'routes 0 query ref default',
     '"550E8400-e29b-41d4-a716-446655440000"'],
    ['a datetime of the shortest form', $MAXIMAL, 'fields ended_at default',
     '"2025-01-01 00:00:00"'],
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
    ['a number as an id', $SHORT, 'id', '"number"'],
    ['an id with several values', $MAXIMAL, 'id multiple', '"comma"'],
    ['an id with choices', $MAXIMAL, 'id choices', '{"a": {}}'],
    ['an id with the form of a cursor', $MAXIMAL, 'id form', '"$id"'],
    ['an id whose name is no string', $MAXIMAL, 'id name', '1'],
    ['an id of a type of fields', $MAXIMAL, 'id type', '"any"'],
    ['an id with a bound that is no number', $MAXIMAL, 'id minimum', '"1"'],
    ['an id with another one', $MAXIMAL, 'id maximum', 'true'],
    ['an id that is longer than any', $MAXIMAL, 'id max_length', '1025'],
    ['an id with a pattern that is none', $MAXIMAL, 'id pattern', '1'],
    ['an id with a value of another type', $MAXIMAL, 'id enum', '[1]'],
    ['an integer id with a value of another type', $SHORT, 'id',
     '{"type": "integer", "enum": ["1"]}'],
    ['an id with an unknown rule', $MAXIMAL, 'id errors', '{"form": "x"}'],
    ['an id that may be absent', $MAXIMAL, 'id absent_if', '[""]'],
    ['an id with a default', $MAXIMAL, 'id default', '"a"'],
    ['an id with a role', $MAXIMAL, 'id role', '"limit"'],
    ['an id with a view', $MAXIMAL, 'id view', '"list"'],
    ['no order', $SHORT, 'order'],
    ['a state that is no string', $MAXIMAL, 'state', '1'],
    ['a max_value that is too small', $SHORT, 'max_value', '63'],
    ['a max_value that is too large', $SHORT, 'max_value', '16777217'],
    ['an unknown way to repeat', $SHORT, 'repeated', '"any"'],

    ['a correlation_header that is no name', $SHORT, 'correlation_header', '"X Y"'],
    ['an empty correlation_header', $SHORT, 'correlation_header', '""'],
    ['a content_type of two lines', $SHORT, 'content_type', '"a\nb"'],
    ['headers that are no object', $SHORT, 'headers', '["X"]'],
    ['a header that is a number', $SHORT, 'headers', '{"X": 1}'],

    ['collections that are no object', $SHORT, 'collections', '[]'],
    ['a collection with a capital letter', $MAXIMAL, 'collections Runs',
     '{"id": "uuid", "order": "id", "fields": {}}'],
    ['a collection that is no object', $MAXIMAL, 'collections runs', '"uuid"'],
    ['a collection without an id', $MAXIMAL, 'collections runs id'],
    ['a collection without an order', $MAXIMAL, 'collections runs order'],
    ['a collection without fields', $MAXIMAL, 'collections runs fields'],
    ['a collection with routes', $MAXIMAL, 'collections runs routes', '[]'],
    ['a collection with a bad field', $MAXIMAL, 'collections runs fields n type',
     '"int"'],
    ['a collection with a cancel and no state', $MAXIMAL, 'collections runs state'],
    ['a collection with a bad id', $MAXIMAL, 'collections runs id', '"any"'],
    ['a collection with an order that is none', $MAXIMAL, 'collections runs order', '1'],
    ['a collection with a state that is none', $MAXIMAL, 'collections runs state', '1'],
    ['a collection with a bad cancel', $MAXIMAL, 'collections runs cancel', '{}'],
    ['a collection whose max_value is too large', $MAXIMAL,
     'collections runs max_value', '16777217'],
    ['a message for what cannot happen, of its id', $SHORT, 'collections',
     '{"a": {"id": {"errors": {"repeated": "x"}}, "order": "id", "fields": {}}}'],
    ['a route of a collection that is not there', $SHORT, 'routes 0 collection',
     '"runs"'],
    ['a collection that is no string', $MAXIMAL, 'routes 2 collection', '1'],

    ['no fields', $SHORT, 'fields'],
    ['fields that are no object', $SHORT, 'fields', '[]'],
    ['a field that is a uuid', $SHORT, 'fields n type', '"uuid"'],
    ['absent_if of a field: no array', $SHORT, 'fields n absent_if', '0'],
    ['absent_if of a field: another type', $SHORT, 'fields n absent_if', '["0"]'],
    ['absent_if of a field: null', $MAXIMAL, 'fields short absent_if', '[null]'],
    ['absent_if of a field: no time', $MAXIMAL, 'fields ended_at absent_if', '[""]'],
    (map { my ($field, @values) = @$_;
           ["$field by default: $values[0]", $MAXIMAL, "fields $field default",
            $values[0]],
           ["absent_if: $values[0] of $field", $MAXIMAL, "fields $field absent_if",
            "[$values[0]]"] }
         ['ratio', '"1"'], ['urgent', '0'], ['input', '[]'], ['steps', '{}'],
         ['short', '1']),
    ['a filter that is no flag', $SHORT, 'fields n filter', '"yes"'],
    ['a default that is no time', $MAXIMAL, 'fields ended_at default', '"2025-01-01"'],
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
    ['cancel of a state that is no string', $SHORT, 'fields status',
     '{"type": "integer"}', 'cancel', '{"from": [], "set": {}}'],
    ['cancel that is no object', $MAXIMAL, 'cancel', '[]'],
    ['cancel with an unknown member', $MAXIMAL, 'cancel if', '{}'],
    ['cancel from no array', $MAXIMAL, 'cancel', '{"from": "new", "set": {}}'],
    ['cancel except no array', $MAXIMAL, 'cancel except', '"new"'],
    ['cancel that sets an array', $MAXIMAL, 'cancel set', '[]'],
    ['where: no object', $MAXIMAL, 'cancel where', '["kind"]'],
    ['where: no array', $MAXIMAL, 'cancel where kind', '"a"'],
    ['where: an object as a value', $MAXIMAL, 'cancel where kind', '[{}]'],
    ['an action without its rule', $MAXIMAL, 'cancel'],

    ['no routes', $SHORT, 'routes', '[]'],
    ['a route without an action', $SHORT, 'routes 0 action'],
    ['an unknown action', $SHORT, 'routes 0 action', '"put"'],
    ['an unknown member of a route', $SHORT, 'routes 0 body', '{}'],
    ['a list by POST', $SHORT, 'routes 0 method', '"POST"'],
    ['a cancel by GET', $MAXIMAL, 'routes 8 method', '"GET"'],
    ['what is not served, by an unknown method', $MAXIMAL, 'routes 4 method', '"HEAD"'],
    ['HEAD, which goes with GET', $SHORT, 'routes 0 method', '"HEAD"'],
    ['a list with an id', $SHORT, 'routes 0 path', '"/{id}"'],
    ['a get without an id', $MAXIMAL, 'routes 6 path', '"/{format}"'],
    ['a get with two ids', $MAXIMAL, 'routes 6 path', '"/{id}/{format}/{id}"'],
    ['a path without a slash', $SHORT, 'routes 0 path', '"all"'],
    ['a parameter in a part of a segment', $SHORT, 'routes 0 path', '"/a{b}"'],
    ['a path of 17 segments', $SHORT, 'routes 0 path',
     '"' . '/a' x 17 . '"'],
    ['a get by POST', $MAXIMAL, 'routes 6 method', '"POST"'],
    ['a get without a response', $MAXIMAL, 'routes 6 response'],
    ['a get without a path', $SHORT, 'routes 0 action', '"get"'],
    ['a cancel without a path', $MAXIMAL, 'routes 7 path'],
    ['a cancel of no id', $MAXIMAL, 'routes 7 path', '"/all"'],
    ['a path that is no string', $SHORT, 'routes 0 path', '1'],
    ['a query that is no object', $SHORT, 'routes 0 query', '[]'],
    ['path_parameters that are no object', $SHORT, 'routes 0 path_parameters', '[]'],
    ['a route that is no object', $SHORT, 'routes 0', '"list"'],
    ['a parameter that is no object', $MAXIMAL, 'routes 0 query trace', '"string"'],
    ['a parameter of a path that is no object', $MAXIMAL,
     'routes 5 path_parameters n', '"string"'],
    ['a field that is no object', $SHORT, 'fields n', '"integer"'],
    ['a status of information', $SHORT, 'routes 0 status', '199'],
    ['a status that is no number', $SHORT, 'routes 0 status', '"200"'],
    ['a list without a response', $SHORT, 'routes 0 response'],
    ['a status of another class', $SHORT, 'routes 0 status', '301'],
    ['a content type of two lines', $SHORT, 'routes 0 content_type',
     '"a\r\nb"'],
    ['a header of a route without a name', $SHORT, 'routes 0 headers', '{"": "a"}'],
    ['a header of a route of two lines', $SHORT, 'routes 0 headers', '{"X": "a\nb"}'],

    ['a parameter of type number', $MAXIMAL, 'routes 0 query size type',
     '"number"'],
    ['a parameter with a name', $MAXIMAL, 'routes 0 query size name', '"s"'],
    ['a page that is a string', $MAXIMAL, 'routes 1 query page type'],
    ['a limit that is a string', $MAXIMAL, 'routes 0 query size',
     '{"role": "limit"}'],
    ['a limit that is a boolean', $MAXIMAL, 'routes 0 query size',
     '{"role": "limit", "type": "boolean"}'],
    ['a limit that is no integer', $MAXIMAL, 'routes 0 query size maximum', '1.5'],
    ['an offset that is a string', $MAXIMAL, 'routes 2 query from type', '"string"'],
    ['an offset below the first', $MAXIMAL, 'routes 2 query from minimum', '-1'],
    ['an offset above what is served', $MAXIMAL, 'routes 2 query from maximum',
     '4503599627370497'],
    ['a uuid that is none by default', $MAXIMAL, 'routes 0 query ref default',
     '"550e8400"'],
    ['a uuid that is a number', $MAXIMAL, 'routes 0 query ref enum 0', '5'],
    ['an unknown way to have several', $MAXIMAL, 'routes 0 query kinds multiple',
     '"csv"'],
    ['several of what is no filter', $MAXIMAL, 'routes 0 query trace multiple',
     '"comma"'],
    ['several in the path, repeated', $MAXIMAL,
     'routes 2 path_parameters step multiple', '"repeated"'],
    ['max_items without several', $MAXIMAL, 'routes 0 query phase max_items', '2'],
    ['max_items of one', $MAXIMAL, 'routes 2 query n max_items', '2'],
    ['max_items of none', $MAXIMAL, 'routes 0 query kinds max_items', '0'],
    ['max_items above what is served', $MAXIMAL, 'routes 0 query kinds max_items',
     '65'],
    ['choices that are no object', $MAXIMAL, 'routes 0 query tab choices', '[]'],
    ['choices with a filter', $MAXIMAL, 'routes 0 query tab filter', '"kind"'],
    ['choices with an enum', $MAXIMAL, 'routes 0 query tab enum', '["all"]'],
    ['choices with a role', $MAXIMAL, 'routes 0 query tab role', '"limit"'],
    ['choices of a boolean', $MAXIMAL, 'routes 0 query tab',
     '{"type": "boolean", "choices": {"true": {}}}'],
    ['a choice that is no object', $MAXIMAL, 'routes 0 query tab choices new', '[]'],
    ['a choice with an unknown member', $MAXIMAL,
     'routes 0 query tab choices new where', '{}'],
    ['a choice with a negative limit', $MAXIMAL,
     'routes 0 query tab choices new limit', '-1'],
    ['a choice whose filters are no object', $MAXIMAL,
     'routes 0 query tab choices new filters', '[]'],
    ['a choice of no array', $MAXIMAL, 'routes 0 query tab choices new filters phase',
     '"new"'],
    ['a choice of no value', $MAXIMAL, 'routes 0 query tab choices new filters phase',
     '[]'],
    ['a choice of a value twice', $MAXIMAL,
     'routes 0 query tab choices new filters phase', '["a", "a"]'],
    ['a choice of null', $MAXIMAL, 'routes 0 query tab choices new filters phase',
     '[null]'],
    ['an unknown encoding', $MAXIMAL, 'routes 0 query after encoding', '"hex"'],
    ['an encoding of no cursor', $MAXIMAL, 'routes 0 query trace encoding', '"none"'],
    ['a form of no cursor', $MAXIMAL, 'routes 0 query trace form', '"$id"'],
    ['a form without a place', $MAXIMAL, 'routes 0 query after form', '"id"'],
    ['a form with braces', $MAXIMAL, 'routes 0 query after form', '"${id}"'],
    ['a form with two places', $MAXIMAL, 'routes 0 query after form', '"$id$id"'],
    ['a form with a dollar', $MAXIMAL, 'routes 0 query after form', '"$$id"'],
    ['a page below the first', $MAXIMAL, 'routes 1 query page minimum', '0'],
    ['a page above what is served', $MAXIMAL, 'routes 1 query page maximum',
     '2147483648'],
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
    ['a max_length of none', $MAXIMAL, 'routes 0 query phase max_length', '0'],
    ['a minimum that is no number', $MAXIMAL, 'routes 0 query size minimum', '"1"'],
    ['a flag of a parameter that is no boolean', $MAXIMAL,
     'routes 0 query trace required', '1'],
    ['an enum that is no array', $MAXIMAL, 'routes 0 query phase enum', '"new"'],
    ['a boolean whose value is a string', $MAXIMAL, 'routes 0 query urgent enum',
     '["true"]'],
    ['max_items that is no number', $MAXIMAL, 'routes 0 query kinds max_items', '"2"'],
    ['a choice whose limit is a string', $MAXIMAL,
     'routes 0 query tab choices new limit', '"1"'],
    ['a filter that is no name', $MAXIMAL, 'routes 0 query kinds filter', '1'],
    ['a form that is no string', $MAXIMAL, 'routes 0 query after form', '1'],
    ['a pattern that is no string', $MAXIMAL, 'routes 0 query after pattern',
     '5'],
    ['absent_if that is no array', $MAXIMAL, 'routes 0 query phase absent_if',
     '""'],
    ['a role where there is no list', $MAXIMAL,
     'routes 6 query verbose', '{"role": "cursor"}'],
    ['choices where there is no list', $MAXIMAL,
     'routes 6 query verbose', '{"choices": {"a": {}}}'],
    ['a role where nothing is served', $MAXIMAL,
     'routes 5 path_parameters n role', '"page"'],
    ['a filter where there is no list', $MAXIMAL,
     'routes 6 path_parameters format filter', '"phase"'],
    ['an unknown rule', $MAXIMAL, 'routes 0 query size errors',
     '{"min": "small"}'],
    (map { ["what is said of $_: a number", $MAXIMAL, 'routes 0 query size errors',
            qq({"$_": 1})],
           ["what is said of $_ with a list", $MAXIMAL, 'routes 0 query size errors',
            qq({"$_": {"message": "\$total"}})] }
         qw(required type minimum maximum enum pattern max_length repeated max_items
            default)),
    ['an unknown class of a rule', $MAXIMAL, 'routes 0 query size errors',
     '{"minimum": {"class": "Too-Small"}}'],
    ['a code of a rule that is null', $MAXIMAL, 'routes 0 query size errors',
     '{"minimum": {"code": null}}'],
    ['an unknown member of a rule', $MAXIMAL, 'routes 0 query size errors',
     '{"default": {"status": 400}}'],
    ['a message for what cannot happen', $MAXIMAL, 'repeated', '"first"'],

    ['a dollar sign alone', $SHORT, 'routes 0 response', '"5$"'],
    ['a brace that is not closed', $SHORT, 'routes 0 response', '"${tasks"'],
    ['a list with a task', $SHORT, 'routes 0 response', '"$task"'],
    ['a get with a total', $MAXIMAL, 'routes 6 response', '{"a": "${total}"}'],
    ['a get with a state', $MAXIMAL, 'routes 6 response', '{"a": "$state?"}'],
    ['a get with what follows', $MAXIMAL, 'routes 6 response', '{"a": "$next_offset?"}'],
    ['a cancel with a count', $MAXIMAL, 'routes 8 response was', '"$count"'],
    ['a list with a field of a task', $SHORT, 'routes 0 response', '{"a": "$task.n"}'],
    ['a list with the field of a task in braces', $SHORT, 'routes 0 response',
     '{"a": "${task.n}?"}'],
    ['a field of a task inside a text', $MAXIMAL, 'routes 6 response',
     '{"a": "it is $task.phase"}'],
    ['a field of a task that an array may do without', $MAXIMAL, 'routes 6 response',
     '["$task.phase?"]'],
    (map { my ($route, @responses) = @$_;
           map { ["routes[$route] with $_", $MAXIMAL, "routes $route response", $_] }
               @responses }
         [0, '{"a": {"b": ["$task"]}}', '[{"a": "$id"}]', '{"a": {"b": "$state?"}}'],
         [6, '"$total"', '[{"a": "$tasks"}]', '{"a": {"b": "$count?"}}',
             '{"a": ["$limit"]}'],
         [8, '"$total"', '["$task?"]', '[{"a": "$tasks"}]', '{"a": {"b": "$page?"}}',
             '{"a": ["$limit"]}']),
    (map { ["an error with $_", $MAXIMAL, 'errors default body', $_] }
         '["$message?"]', '{"a": {"b": "$task?"}}', '[{"a": "$tasks"}]',
         '{"a": ["$next_page"]}'),
    ['the claim of a success', $SHORT, 'routes 0 response', '"$claim"'],
    ['tasks inside a text', $SHORT, 'routes 0 response', '" $tasks"'],
    ['an element that can be left out', $SHORT, 'routes 0 response',
     '["$next_cursor?"]'],
    ['a response that can be left out', $SHORT, 'routes 0 response',
     '"$tasks?"'],

    ['an unknown class of errors', $SHORT, 'errors', '{"gone": {}}'],
    (map { ["a list in the error $_", $SHORT, 'errors',
            qq({"$_": {"body": "\$tasks"}})] }
         qw(unauthorized no_token bad_token expired_token early_token
            bad_credential expired_credential forbidden not_found no_route
            bad_method cannot_cancel too_large unavailable timeout internal)),
    ['a content type of an error that is none', $MAXIMAL,
     'errors default content_type', '1'],
    ['an unknown member of bad_parameter', $MAXIMAL, 'errors bad_parameter cause', '1'],
    ['rules that are none', $MAXIMAL, 'errors bad_parameter rules', '{"form": "x"}'],
    ['errors of a route that are no object', $SHORT, 'routes 0 errors', '[]'],
    ['a class with a bad name in a route', $SHORT, 'routes 0 errors', '{"No": {}}'],
    ['a list in an error of a route', $SHORT, 'routes 0 errors',
     '{"timeout": {"body": "$tasks"}}'],
    ['a class with a bad name', $SHORT, 'errors', '{"No": {"like": "internal"}}'],
    ['a class like an unknown one', $SHORT, 'errors', '{"a": {"like": "b"}}'],
    ['a class like no string', $SHORT, 'errors', '{"a": {"like": 5}}'],
    ['a class that is there anyway, like another', $MAXIMAL, 'errors timeout like',
     '"internal"'],
    ['all classes like one', $MAXIMAL, 'errors default like', '"internal"'],
    ['a class of its own with rules', $MAXIMAL, 'errors odd_id rules', '{}'],
    ['a class in a route that is like another', $MAXIMAL,
     'routes 0 errors odd_id like', '"internal"'],
    ['an unknown member of an error', $MAXIMAL, 'errors default cause', '1'],
    ['an unknown member of a class of its own', $MAXIMAL, 'errors odd_id cause', '1'],
    ['a code that is an array', $MAXIMAL, 'errors default code', '[]'],
    ['a code that is a fraction', $MAXIMAL, 'errors default code', '0.5'],
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

    my ($name, $text, @changes) = @$case;
    return $text unless @changes;

    my $definition = $json->decode($text);

    while (my ($place, $value) = splice @changes, 0, 2) {
        my @words = split / /, $place;
        my $last = pop @words;
        my $at = $definition;

        $at = ref $at eq 'ARRAY' ? $at->[$_] : $at->{$_} for @words;

        if (!defined $value) {
            exists $at->{$last} or die "$name: there is no $place\n";
            delete $at->{$last};
        } elsif (ref $at eq 'ARRAY') {
            $at->[$last] = $json->decode($value);
        } else {
            $at->{$last} = $json->decode($value);
        }
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


# The examples of conf/apis/README.md.  The one of its first section is whole.
# Those of "Write your own definition" are so together.  The others are members
# of the first one, or a route in place of its routes.

my %readme = map { /^(.*)\n/ ? ($1 => $_) : () }
             split /^## /m, slurp("$apis/README.md");

sub examples {
    my (@sections) = @_;

    return map { /^```json\n(.*?)^```/gms } @readme{@sections};
}

my ($JOBS) = examples('A complete example');
my $RENDERS = join '', examples('Write your own definition');

sub readme_examples {
    my @parts = examples(grep { !/^(?:A complete example|Write your own definition)$/ }
                         sort keys %readme);

    cmp_ok(@parts, '>', 15, 'README has examples');

    return ['README, the complete example', $JOBS],
           ['README, the definition of your own', $RENDERS], map {
        my $part = $json->decode(/^\{"action"/ ? qq({"routes": [$_]})
                                               : "{$_}");
        my $definition = { %{ $json->decode($JOBS) }, %$part };

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

    if ($node->{properties} && grep { exists $node->{$_} }
                                    qw(additionalProperties unevaluatedProperties)) {
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


# What README.md shows of its two whole definitions is what there is to see.

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 'jobs.json' => $JOBS,
                              'renders.json' => $RENDERS);

my ($location) = $readme{'Write your own definition'} =~ /^```nginx\n(.*?)^```/ms;

my $port = start_nginx("location /jobs { tasks_api apis/jobs.json; tasks_pass main; }
                        $location",
    files => { 'conf/apis/jobs.json' => $JOBS, 'conf/apis/renders.json' => $RENDERS })
    ->port;

redis('FCALL', 'jobs_put', 1, 'tasks:{jobs}', 1, created_at => '"2025-03-12T10:00:00Z"',
      owner => 5);
redis('FCALL', 'jobs_put', 1, 'tasks:{jobs}', 2, created_at => '"2025-03-12T10:00:01Z"',
      owner => 5, status => '"running"', progress => '0.5');

# "GET /path   200 {...}", whose JSON may go on in indented lines

my @shown = $readme{'A complete example'}
            =~ /^    ([A-Z]+) (\S+) +(\d{3}) (\{.*\n(?:     +.*\n)*)/gm;

is(@shown / 4, 7, 'the complete example shows requests');

while (my ($method, $path, $status, $body) = splice @shown, 0, 4) {
    my $response = http($port, $method, $path);

    $body =~ s/\n +//g;
    chomp $body;
    is($response->status . ' ' . $response->body, "$status $body",
       "what README shows of $method $path");
}

# "$ command", with what it prints; a shell's line goes on behind "\"

my ($steps) = $readme{'Write your own definition'} =~ /^(\*\*8\. .*)/ms;
my @commands = $steps =~ /^    \$ ((?:.*\\\n)*.*\n)((?:    (?!\$ ).*\n)*)/gm;

is(@commands / 2, 10, 'the definition of your own is tried with commands');

while (my ($command, $printed) = splice @commands, 0, 2) {
    my ($name) = $command =~ /^(.*)\n/;

    $printed =~ s/\n +|^ +//g;
    is(printed_by($command), masked($printed), "what README shows of $name");
}

sub printed_by {
    my ($command) = @_;

    my $socket = redis_socket();

    $command =~ s/\blocalhost\b/127.0.0.1:$port/;
    $command =~ s/^redis-cli/redis-cli -s $socket/;

    return masked(`$command`);
}

# Revisions differ; in a terminal redis-cli tells a reply's type.

sub masked {
    my ($text) = @_;

    $text =~ s/^\((?:integer|error)\) //;
    $text =~ s/^\d{16}$/REVISION/;
    $text =~ s/\n+\z//;

    return $text;
}

# The mistake that it shows, and the one at the top.

like(mistake($RENDERS =~ s/"submitted_at desc"/"submited_at desc"/r),
     qr/^\S+: (\Q${\ shown_mistake('Write your own definition') }\E) in /,
     'the mistake that README shows in a definition of your own');
like(mistake($json->encode({ %{ $json->decode($JOBS) }, routes => [
         { action => 'list', response => 1, query => {
             page => { type => 'integer', role => 'page', minimum => 0 } } }] })),
     qr/^\S+: (\Q${\ shown_mistake('API definitions') }\E) in /,
     'the mistake that README shows at its top');

sub shown_mistake {
    my ($section) = @_;

    my $text = $readme{$section} // (split /^## /m, slurp("$apis/README.md"))[0];

    return $text =~ /^    nginx: \[emerg\] \S+: (.*)$/m ? $1 : die "no mistake\n";
}

sub mistake {
    my ($definition) = @_;

    open my $out, '>:raw', "$directory/mistake.json" or die "$!\n";
    print $out $definition;
    close $out;

    return by_nginx("$directory/mistake.json");
}

done_testing();
