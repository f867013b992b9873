package Tasks::Jobs;

# A small API for the tests of faults, of the write side and of the process's
# life, whose shapes make every answer tell what it is: its class if it is an
# error, its id if it is a task.
#
#   my $nginx = start_jobs(store => 'server unix:...;');    at /jobs
#   load_jobs();                 the functions, into the test's own Redis
#   put_job('a', n => 1);        a task, by the function
#   job('a', n => 1);            the arguments of the function
#   status(http(...));           "200", or "503 unavailable"

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

use Tasks ();
use Tasks::Library;

our @EXPORT = qw(start_jobs load_jobs put_job job status jobs_file
                 jobs_location body_of $JOBS);

our $JOBS = 'tasks:{jobs}';

my $DEFINITION = <<'END';
{ "name": "jobs",
  "id": "string",
  "order": "created desc",
  "fields": {
    "status":  {"type": "string", "filter": true, "default": "pending"},
    "kind":    {"type": "string", "filter": true},
    "n":       {"type": "integer"},
    "created": {"type": "datetime"},
    "note":    {"type": "any", "view": "detail"} },
  "cancel": {"from": ["pending", "running"], "unchanged": ["cancelled"],
             "set": {"status": "cancelled"}},
  "routes": [
    {"action": "list", "path": "",
     "query": {"status": {"filter": "status"},
               "kind":   {"filter": "kind"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "cursor": {"role": "cursor"}},
     "response": {"tasks": "$tasks", "next": "$next_cursor"}},
    {"action": "list", "path": "/pages",
     "query": {"status": {"filter": "status"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "page":   {"type": "integer", "role": "page"}},
     "response": {"tasks": "$tasks", "total": "$total"}},
    {"action": "list", "path": "/after",
     "query": {"status": {"filter": "status", "multiple": "comma"},
               "limit":  {"type": "integer", "role": "limit", "default": 20},
               "cursor": {"role": "cursor", "encoding": "none", "form": "$id"}},
     "response": {"tasks": "$tasks", "next": "$next_cursor"}},
    {"action": "get", "path": "/{id}",
     "response": {"task": "$task"}},
    {"action": "cancel", "path": "/{id}/cancel",
     "response": {"cancelled": "$id", "was": "$state"}} ],
  "errors": {"default": {"body": {"error": "$tasks_error",
                                  "status": "$status"}}} }
END


sub jobs_file { return ('conf/apis/jobs.json' => $DEFINITION) }


sub jobs_location {
    my ($path, $store) = @_;

    return "location $path { tasks_api apis/jobs.json; tasks_pass $store; }";
}


# Options: those of start_nginx(), and store (what is in tasks_store, the
# test's own Redis and a long timeout by default) and locations (more of them).

sub start_jobs {
    my (%option) = @_;

    my $store = delete $option{store}
                // 'server unix:' . Tasks::redis_socket() . '; timeout 10s;';
    my $locations = delete $option{locations} // '';

    my $http = delete $option{http_config} // '';
    my %files = %{ delete $option{files} // {} };

    return Tasks::start_nginx(
        jobs_location('/jobs', 'main') . "\n$locations",
        http_config => "tasks_store main { $store }\n$http",
        files       => { jobs_file(), %files },
        %option,
    );
}


sub load_jobs {
    my ($redis) = @_;

    my @text = Tasks::Library::texts(Tasks::main_config(),
                                     'jobs.json' => $DEFINITION);

    $redis //= Tasks::redis_server();
    $redis->command('FUNCTION', 'LOAD', 'REPLACE', $_) for @text;
}


# Values are Perl's: numbers are those of JSON, other text becomes a string.

sub job {
    my ($id, %field) = @_;

    $field{created} //= '2025-01-01T00:00:00';

    return ($id, map { ($_ => json($field{$_})) } sort keys %field);
}


sub json {
    my ($value) = @_;

    return 'null' unless defined $value;

    return $value =~ /^-?\d+$/ ? $value
                               : JSON::PP->new->allow_nonref->encode($value);
}


sub put_job {
    return Tasks::redis('FCALL', 'jobs_put', 1, $JOBS, job(@_));
}


# "200", or the status and the class of an error in the API's shape.

sub status {
    my ($response) = @_;

    return 'closed' unless $response;

    my $status = $response->status;

    return $status if $status eq '200';

    return $response->body =~ /^\{"error":"(\w+)","status":$status\}$/
        ? "$status $1" : "$status not in the API's shape";
}


# The body's JSON, decoded; undef if it is none.

sub body_of {
    my ($response) = @_;

    return eval { JSON::PP->new->utf8->decode($response->body) };
}


1;
