# $tasks_action and $tasks_error in the access log, also where nginx has gone on
# to another location since.

use lib 't/lib';
use Tasks ':live';

my $nginx = start_nginx(<<'END', http_config => <<'HTTP');
    access_log logs/tasks.log tasks;

    location /t { tasks_api apis/omelette.json; tasks_pass main; }

    location /gone {
        tasks_api apis/omelette.json;
        tasks_pass gone;
        tasks_fallback @app unavailable;
    }

    location /sorry {
        tasks_api apis/omelette.json;
        tasks_pass main;
        tasks_intercept_errors on;
        error_page 404 /page;
    }

    location = /page { return 200 "sorry"; }
    location = /plain { return 200 "plain"; }
    location @app { return 200 "app"; }
END
    log_format tasks '$request_uri $status $tasks_action $tasks_error';
    tasks_store gone { server unix:/nowhere/redis.sock; }
HTTP

my @cases = (
    ['/t',         200, 'list -'],
    ['/t/9',       404, 'get not_found'],
    ['/t/x',       422, 'get bad_parameter'],
    ['/t/9/x',     404, '- no_route'],
    ['/gone',      200, 'list unavailable'],
    ['/gone/9/x',  200, '- -'],
    ['/sorry/9',   404, 'get not_found'],
    ['/plain',     200, '- -'],
);

wait_for(sub { http($nginx->port, 'GET', '/t')->{status} == 200 }, 5,
         'the store');

for my $case (@cases) {
    my ($path, $status, $values) = @$case;

    is(http($nginx->port, 'GET', $path)->{status}, $status, $path);

    my $line;
    wait_for(sub { ($line) = log_lines($path) }, 5, "the log line of $path");
    like($line, qr/ \Q$values\E$/, "$path in the log: $values");
}

done_testing();


sub log_lines {
    my ($path) = @_;

    open my $file, '<', $nginx->prefix . '/logs/tasks.log' or return;

    return reverse grep { /^\Q$path\E / } map { s/\n//r } <$file>;
}
